"""The switches that the environment gives, each read here and nowhere else. The README explains them."""

import os
from pathlib import Path

# The folder of the reader's own files instead of data/local/; none at all if it is empty.
LOCAL = "COMPANION_LOCAL"
# Set to CHECKED, a verdict that is not the recorded one is an error; otherwise the new one is shown.
VERDICTS, CHECKED = "COMPANION_VERDICTS", "checked"
# The file that says what changed in the numbers since the edition before; a build without it is a working copy.
EDITION = "COMPANION_EDITION"

# What everyone gets: without the reader's own files, and as a working copy.
PUBLIC = {LOCAL: "", VERDICTS: "", EDITION: ""}


def local_folder(book: Path) -> Path | None:
    """The folder of the reader's own files, a relative one seen from the book's folder; None where there is none."""
    name = os.environ.get(LOCAL, "data/local")
    return book / name if name and (book / name).is_dir() else None


def verdicts_are_checked() -> bool:
    """Whether a verdict that is not the recorded one is an error."""
    return os.environ.get(VERDICTS) == CHECKED


def changes_file() -> Path | None:
    """The file of changes that an edition is built with; None for a working copy."""
    path = os.environ.get(EDITION)
    return Path(path) if path else None


def root() -> Path:
    """The folder of the book: the first one upward from here that holds `data/datapackage.json`.

    Searching from the working folder lets a chapter run from its own folder, in the book and in any copy of it.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "data" / "datapackage.json").is_file():
            return folder
    raise FileNotFoundError(f"No data/datapackage.json in {here} or above it. Run this from inside a copy of the book.")
