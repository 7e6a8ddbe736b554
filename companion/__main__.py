"""The command line of the book."""

import argparse
import errno
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import cast

from companion.errors import CompanionError
from companion.settings import root
from companion.tables import finish_interrupted

SITE = "_site"

INTERRUPTED = 130  # as a shell counts the signal of Ctrl-C
AGAIN = "Nothing is half written: run the same command again then."
# What is wrong with the disk or with a folder, and what a person can do about it.
HINDERED = {
    errno.ENOSPC: f"the disk is full. Make room on it. {AGAIN}",
    errno.EDQUOT: f"your share of the disk is used up. Make room in it. {AGAIN}",
    errno.EFBIG: f"the file is larger than this system or your limit (ulimit -f) allows. Raise the limit. {AGAIN}",
    errno.EROFS: f"the disk is mounted for reading only. Mount it for writing, or copy the project elsewhere. {AGAIN}",
    errno.EACCES: f"you may not use this file or its folder so. Change its permissions or its owner. {AGAIN}",
    errno.EPERM: f"you may not use this file or its folder so. Change its permissions or its owner. {AGAIN}",
}
NAMELESS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  # Python seldom knows the file that was being written


# Libraries are imported on demand: each command needs others.
def _book(arguments: argparse.Namespace) -> None:
    from companion.book.build import build

    build(root(), _say)


def _watch(arguments: argparse.Namespace) -> None:
    from companion.book.build import watch

    watch(root(), arguments.port, _say)


def _data(arguments: argparse.Namespace) -> None:
    from companion.sources import SourceError
    from companion.tables.refresh import NEXT, accept, refresh

    if (arguments.sources is None) == (arguments.accept is None):
        raise SourceError("Name a folder, or a table to accept: make data SOURCES=DIR or make data ACCEPT=TABLE")
    try:
        if arguments.accept:
            print(*accept(arguments.accept), NEXT, sep="\n")
        else:
            print("\n".join(refresh(arguments.sources, arguments.replace)))
    except CompanionError as problem:
        raise SourceError(f"{problem}\nNothing was written.") from None


def _fetch_trade(arguments: argparse.Namespace) -> None:
    from companion.sources import fetch
    from companion.tables import read_rows

    folder, codes = root() / "data" / "local", {row["hts10"] for row in read_rows("eo_codes")}
    if arguments.origin == "mirrors":
        fetch.fetch_mirrors(folder, codes, refresh=arguments.refresh)
    else:
        first = arguments.first or fetch.FIRST_YEAR
        fetch.fetch_census(folder, codes, first, arguments.last, refresh=arguments.refresh)


def _local(arguments: argparse.Namespace) -> None:
    from companion.tables.own_files import report

    print("\n".join(report()))


def _expected(arguments: argparse.Namespace) -> None:
    from companion.chapters.record import record

    record(_say)


def _edition(arguments: argparse.Namespace) -> None:
    from companion.editions.freeze import freeze

    print(f"The edition is in {freeze(root(), arguments.site, _say)}/")


def _site(arguments: argparse.Namespace) -> None:
    from companion.editions.freeze import compose

    compose(arguments.archives, arguments.site, _say)


def _pdf(arguments: argparse.Namespace) -> None:
    from companion.citation import metadata
    from companion.editions.printed import write_pdf
    from companion.files.layout import archive_name

    target = root() / "_build" / "pdf" / f"{archive_name(metadata(root()).version)}.pdf"
    target.parent.mkdir(parents=True, exist_ok=True)
    _say("Building the book for paper, and printing it: some minutes when chapters have to run")
    write_pdf(root(), target)
    _say(f"The PDF is {target}")


def _verify(arguments: argparse.Namespace) -> None:
    from companion.editions.freeze import verify

    verify(arguments.edition, arguments.site, _say, _agreed, arguments.python)


def _assemble(arguments: argparse.Namespace) -> None:
    from companion.editions.freeze import pack, write_changes

    target: Path = arguments.archive
    pack(root(), write_changes(root(), target.with_name("changes.json"), _say), target, _say)


def _compare(arguments: argparse.Namespace) -> None:
    from companion.changes.compare import as_csv, as_markdown, compare
    from companion.changes.numbers import find, read

    was, now = (read(find(name, root(), arguments.site)) for name in (arguments.was, arguments.now))
    for note in was.notes + now.notes:
        print(note, file=sys.stderr)
    changes = compare(was, now)
    print(as_csv(changes) if arguments.csv else as_markdown(changes), end="")


def _say(text: str) -> None:
    print(text, flush=True)


def _agreed(question: str) -> bool:
    """Ask at a terminal; elsewhere there is nobody to answer, and the command itself is the answer."""
    if not sys.stdin.isatty():
        return True
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="companion", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    book = commands.add_parser("book", help="run the chapters and build the pages into _build/html/")
    book.set_defaults(run=_book)

    watch = commands.add_parser("watch", help="build the book on each change, and reload its pages in the browser")
    watch.add_argument("--port", type=int, default=8000, help="where the pages are served; 8000 if not given")
    watch.set_defaults(run=_watch)

    data = commands.add_parser("data", help="rebuild data/ from a folder of upstream files")
    data.add_argument("sources", type=Path, nargs="?", metavar="DIR", help="the folder; zip archives are read too")
    data.add_argument(
        "--accept", nargs="+", metavar="TABLE", help="take tables as they stand, after a correction by hand"
    )
    data.add_argument(
        "--replace",
        nargs="+",
        default=[],
        metavar="TABLE[@STATE]",
        help="tables, or states of tables, whose committed rows may go or change",
    )
    data.set_defaults(run=_data)

    trade = commands.add_parser("fetch-trade", help="get U.S. trade by ten-digit code into data/local/")
    trade.add_argument("--from", dest="origin", choices=["census", "mirrors"], default="census")
    trade.add_argument("--first", type=int, metavar="YEAR", help="the first year, 2013 or later (census)")
    trade.add_argument("--last", type=int, metavar="YEAR", help="the last year (census)")
    trade.add_argument("--refresh", action="store_true", help="fetch everything again, not only the newest two years")
    trade.set_defaults(run=_fetch_trade)

    local = commands.add_parser("local", help="say what the files in data/local/ are used for")
    local.set_defaults(run=_local)

    expected = commands.add_parser("expected", help="run every chapter and record its outputs as the reference")
    expected.set_defaults(run=_expected)

    edition = commands.add_parser("edition", help="freeze the committed state of the book as an edition")
    edition.set_defaults(run=_edition)

    site = commands.add_parser("site", help="put the editions of archives side by side")
    site.add_argument("archives", type=Path, metavar="DIR", help="the folder with companion-<version>.zip of each")
    site.set_defaults(run=_site)

    pdf = commands.add_parser("pdf", help="print this working copy of the book")
    pdf.set_defaults(run=_pdf)

    verify = commands.add_parser("verify", help="check that an edition is as it was frozen, and build it again")
    verify.add_argument("edition", help="a version, or the folder or the archive of an edition")
    verify.add_argument(
        "--python",
        type=Path,
        metavar="FILE",
        default=sys.executable,
        help="of an environment with the edition's own packages",
    )
    verify.set_defaults(run=_verify)

    assemble = commands.add_parser("assemble", help="make the archive of an edition here, as `verify` asks for it")
    assemble.add_argument("archive", type=Path, metavar="FILE", help="companion-<version>.zip, the file to write")
    assemble.set_defaults(run=_assemble)

    compare = commands.add_parser("compare", help="print what changed in the numbers")
    compare.add_argument("was", metavar="A", help="a version, an archive, a folder, or a revision in Git")
    compare.add_argument("now", metavar="B", help="the same, the later one")
    compare.add_argument("--csv", action="store_true", help="every change as a row, instead of a report")
    compare.set_defaults(run=_compare)

    for command in (edition, site, verify, compare):
        command.add_argument(
            "--site", type=Path, metavar="DIR", default=SITE, help=f"the editions; {SITE}/ if not given"
        )
    return parser


def main() -> int:
    """Run one command; a problem that a person can do something about is told in a few lines."""
    # A terminal without the letters of a message must not end the command.
    cast("TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args()
    try:
        finish_interrupted(root())
        arguments.run(arguments)
    except CompanionError as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        file = problem.filename2 or problem.filename  # of two, the second is the one to be written
        if problem.errno not in HINDERED or not (file or problem.errno in NAMELESS):
            raise
        file = file or root()
        print(f"{os.fsdecode(file)}: {HINDERED[problem.errno]}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)  # the question, or the line that was begun, ends here
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
