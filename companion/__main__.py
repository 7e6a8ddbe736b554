"""The command line of the book: `python -m companion data DIR` and `python -m companion expected`."""

import argparse
import sys
from pathlib import Path

from companion.sources import SourceError


def main() -> int:
    """Run one command; a problem with an upstream file is told in one line."""
    parser = argparse.ArgumentParser(prog="companion", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    data = commands.add_parser("data", help="rebuild data/ from a folder of upstream files")
    data.add_argument("sources", type=Path, metavar="DIR", help="the folder; zip archives in it are read too")
    commands.add_parser("expected", help="run every chapter and record its outputs as the reference")
    arguments = parser.parse_args()

    # Imported on demand: reading upstream files and running notebooks need different libraries.
    if arguments.command == "data":
        from companion.refresh import refresh

        try:
            print("\n".join(refresh(arguments.sources)))
        except SourceError as problem:
            print(f"{problem}\nNothing was written.", file=sys.stderr)
            return 1
    else:
        from companion.chapters import record

        record()
    return 0


if __name__ == "__main__":
    sys.exit(main())
