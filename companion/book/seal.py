"""Whether the book that is there is the one that a build would make now.

A seal is put on a book that was built: what it was made from, and the files that were made. While both are as they
were, there is nothing to do.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from companion import settings
from companion.files import inputs, keep
from companion.files.inputs import LIBRARY, OWN_FILES, State

SEAL = Path("_build", ".seal")
HTML = Path("_build", "html")


def made_from(book: Path) -> str:
    """A digest of all that pages can follow from: the project's files, the reader's own, packages and switches."""
    state, changes = State(book), settings.changes_file()
    parts = [*state.environment, state.digest(OWN_FILES), f"{settings.verdicts_are_checked()}"]
    parts += [inputs.file_digest(changes)] if changes else []
    for folder in sorted({book, LIBRARY / "companion"}):
        parts += [f"{path.relative_to(folder)} {inputs.file_digest(path)}" for path in _files(folder, book)]
    return inputs.digest("\n".join(parts))


def holds(book: Path, state: str) -> bool:
    """Whether the last build was made from this state (see `made_from`), and nobody has touched its files since."""
    content = keep.read(book / SEAL)
    return content is not None and json.loads(content) == [state, _made(book)]


def put(book: Path, state: str) -> None:
    """Remember what a build was made from, and the files that it made."""
    keep.write(book / SEAL, json.dumps([state, _made(book)]).encode())


def lift(book: Path) -> None:
    """Take the seal off before a build begins: what a killed one leaves behind, the next looks through and removes."""
    (book / SEAL).unlink(missing_ok=True)


def _files(folder: Path, book: Path) -> Iterator[Path]:
    """The files below a folder, in order, but for hidden ones, built ones, and the reader's own."""
    own = settings.local_folder(book)
    for where, folders, names in os.walk(folder):
        here = Path(where)
        kept = (name for name in folders if not name.startswith((".", "_")) and here / name != own)
        folders[:] = sorted(kept)
        yield from (here / name for name in sorted(names) if not name.startswith("."))


def _made(book: Path) -> str:
    """A digest of the names, sizes and times of the built files."""
    found = (Path(where, name) for where, _, names in os.walk(book / HTML) for name in names)
    lines = sorted(f"{path.relative_to(book)} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in found)
    return inputs.digest("\n".join(lines))
