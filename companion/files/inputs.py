"""What a chapter reads, noted as it runs, so that it runs again when one of these things changes and only then.

An input has a name: a path from the book's folder ("data/gdp.csv", "CITATION.cff", "companion/prose.py"), a folder
whose list of files was read ("data/"), the description of one table ("data/datapackage.json#gdp"), or all of the
reader's own files ("data/local/").
"""

import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from companion import settings

# The folder that holds the library; in a copy of the project, the book's own.
LIBRARY = Path(__file__).resolve().parents[2]
PACKAGE = "data/datapackage.json"
OWN_FILES = "data/local/"
ABSENT = "absent"
# The names of exhibits that use a table stand in its description for the catalogue; they follow from the chapters.
FOLLOWS = "exhibits"
# What was built, and what builds it.
NOT_NOTED = ("_build/", "_site/", ".venv/", ".git/", "tests/", OWN_FILES)


@dataclass
class _Watch:
    """What is noted in this process, if anybody watches."""

    noted: set[str] | None = None
    book: Path = Path()
    silent: bool = False
    hooked: bool = False


_watch = _Watch()


def note(name: str) -> None:
    """Note that an input was read; nothing happens while nobody watches."""
    if _watch.noted is not None:
        _watch.noted.add(name)


@contextmanager
def silence() -> Iterator[None]:
    """Open files that are noted by another name."""
    before, _watch.silent = _watch.silent, True
    try:
        yield
    finally:
        _watch.silent = before


@contextmanager
def watching(book: Path) -> Iterator[set[str]]:
    """Note every file and folder of a book that this process opens.

    Args:
        book: the book's folder.

    Yields:
        The names of what was read so far; the set grows.
    """
    names: set[str] = set()
    before, _watch.noted, _watch.book = _watch.noted, names, book
    if not _watch.hooked:
        sys.addaudithook(_see)  # Python has no way to take it away again
        _watch.hooked = True
    try:
        yield names
    finally:
        _watch.noted = before


def modules() -> set[str]:
    """The modules of the library that this process has loaded, such as "companion/exhibits/theme.py"."""
    loaded = [module for name, module in [*sys.modules.items()] if name.partition(".")[0] == "companion"]
    files = [Path(file) for module in loaded if (file := getattr(module, "__file__", None))]
    return {file.relative_to(LIBRARY).as_posix() for file in files if file.is_relative_to(LIBRARY)}


class State:
    """The present state of a book's inputs; each is looked at once."""

    def __init__(self, book: Path) -> None:
        """Look at the book in a folder."""
        self.book = book
        self._digests: dict[str, str] = {}

    def digest(self, name: str) -> str:
        """A digest of an input's content; `ABSENT` where there is none."""
        if name not in self._digests:
            self._digests[name] = self._digest(name)
        return self._digests[name]

    def changed_since(self, name: str, moment: int) -> bool:
        """Whether the file of an input was changed after a moment, in nanoseconds of the system's clock.

        The system itself notes when a file was changed last, whatever date the file is given. A change that is still to
        come was made before the clock was set back.
        """
        path = self._path(name.partition("#")[0])
        return path.is_file() and moment < path.stat().st_ctime_ns <= time.time_ns()

    def _digest(self, name: str) -> str:
        path, _, table = name.partition("#")
        if table:
            about = self._descriptions.get(table)
            return digest(json.dumps(about, sort_keys=True)) if about else ABSENT
        if name == OWN_FILES:
            return self._own_files()
        if name.endswith("/"):
            folder = self.book / path
            return digest("\n".join(sorted(p.name for p in folder.iterdir()))) if folder.is_dir() else ABSENT
        return file_digest(self._path(name))

    def _path(self, name: str) -> Path:
        return (LIBRARY if name.startswith("companion/") else self.book) / name

    @cached_property
    def environment(self) -> list[str]:
        """What every run starts from: Python, the installed packages, and the lock."""
        packages = {path.name for folder in map(Path, sys.path) for path in folder.glob("*.dist-info")}
        return [platform.python_version(), *sorted(packages), self.digest("requirements.txt")]

    @cached_property
    def _descriptions(self) -> dict[str, Any]:
        """The descriptions of all tables by name, without what follows from the chapters."""
        path = self.book / PACKAGE
        resources = json.loads(path.read_text(encoding="utf-8"))["resources"] if path.is_file() else []
        return {resource["name"]: {key: resource[key] for key in resource if key != FOLLOWS} for resource in resources}

    def _own_files(self) -> str:
        folder = settings.local_folder(self.book)
        if folder is None:
            return ABSENT
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return digest("\n".join(f"{path.relative_to(folder)} {file_digest(path)}" for path in files))


def digest(text: str) -> str:
    """The SHA-256 hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """The SHA-256 hash of a file; `ABSENT` where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return ABSENT


def _see(event: str, arguments: tuple[Any, ...]) -> None:
    """Note a file or a folder that is being opened."""
    if _watch.noted is None or _watch.silent or event not in {"open", "os.listdir", "os.scandir"}:
        return
    if not isinstance(arguments[0], str | os.PathLike):
        return
    path = Path(arguments[0]).resolve()
    if path.is_relative_to(_watch.book):
        name = path.relative_to(_watch.book).as_posix()
        if event == "open" and not name.startswith(NOT_NOTED) and path.suffix not in {".py", ".pyc"}:
            note(name)
        elif event != "open" and name.startswith("data"):  # elsewhere it is Python that looks for modules
            note(f"{name}/")
