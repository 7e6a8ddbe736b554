"""The command line of the book: `python -m companion data DIR`, `fetch-trade`, `local` and `expected`."""

import argparse
import sys
from pathlib import Path

from companion.sources import SourceError
from companion.tables import root


def main() -> int:
    """Run one command; a problem with an upstream file or the network is told in a few lines."""
    parser = argparse.ArgumentParser(prog="companion", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="rebuild data/ from a folder of upstream files")
    data.add_argument("sources", type=Path, metavar="DIR", help="the folder; zip archives in it are read too")
    trade = commands.add_parser("fetch-trade", help="get U.S. trade by ten-digit code into data/local/")
    trade.add_argument("--from", dest="origin", choices=["census", "mirrors"], default="census")
    trade.add_argument("--first", type=int, metavar="YEAR", help="the first year, 2013 or later (census)")
    trade.add_argument("--last", type=int, metavar="YEAR", help="the last year (census)")
    trade.add_argument("--refresh", action="store_true", help="fetch everything again, not only the newest two years")
    commands.add_parser("local", help="say what the files in data/local/ are used for")
    commands.add_parser("expected", help="run every chapter and record its outputs as the reference")
    arguments = parser.parse_args()

    # Imported on demand: each command needs different libraries.
    match arguments.command:
        case "data":
            from companion.refresh import refresh

            try:
                print("\n".join(refresh(arguments.sources)))
            except SourceError as problem:
                print(f"{problem}\nNothing was written.", file=sys.stderr)
                return 1
        case "fetch-trade":
            from companion import fetch

            folder = root() / "data" / "local"
            try:
                if arguments.origin == "mirrors":
                    fetch.fetch_mirrors(folder, refresh=arguments.refresh)
                else:
                    first = arguments.first or fetch.FIRST_YEAR
                    fetch.fetch_census(folder, first, arguments.last, refresh=arguments.refresh)
            except fetch.FetchError as problem:
                print(problem, file=sys.stderr)
                return 1
        case "local":
            from companion.own_files import report

            print("\n".join(report()))
        case _:
            from companion.chapters import record

            record()
    return 0


if __name__ == "__main__":
    sys.exit(main())
