"""Build the book in a folder of its own, in every form that an edition has, with nothing but that folder's files."""

import os
import subprocess
import sys
from datetime import UTC, datetime, time
from pathlib import Path

from companion import settings
from companion.citation import Book, metadata
from companion.editions import EditionError

LAST_LINES = 40


def moment(book: Book) -> datetime:
    """The moment that all dates in an edition's files are set to: the start of its day of release, in UTC."""
    return datetime.combine(book.date_released, time(), UTC)


def build(folder: Path, builder: str = "html", changes: Path | None = None) -> Path:
    """Build the book of a folder, warnings being errors.

    Args:
        folder: a copy of the project; its own library is used.
        builder: the name of a Sphinx builder: "html", or one of those in `companion.book.builders`.
        changes: what changed in the numbers since the edition before, for an edition; None for a working copy.

    Returns:
        The folder with what was built.

    Raises:
        EditionError: the build failed; the message has the end of its output.
    """
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "SOURCE_DATE_EPOCH": str(int(moment(metadata(folder)).timestamp())),
        **settings.PUBLIC,
        settings.EDITION: str(changes.resolve()) if changes else "",
        "PYTHONUTF8": "1",  # whatever the locale
    }
    choice = [] if builder == "html" else ["--builder", "custom", "--custom-builder", builder]
    result = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going", *choice],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        lines = "\n".join(result.stdout.splitlines()[-LAST_LINES:])
        raise EditionError(f"The book could not be built ({builder}). The end of the output:\n{lines}")
    return folder / "_build" / builder
