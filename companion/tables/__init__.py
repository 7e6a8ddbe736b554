"""Tables: the tidy CSVs in `data/`, each with its description in `data/datapackage.json`."""

import csv
import difflib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from companion.errors import CompanionError
from companion.files import inputs, whole
from companion.settings import root

if TYPE_CHECKING:
    import pandas as pd

DTYPES = {
    "boolean": "boolean",
    "date": "str",
    "integer": "Int64",
    "number": "Float64",
    "string": "str",
    "year": "Int64",
}


# Files in this folder of `data/` are being made and checked.
STAGING = ".staging"
# Files in this one are complete and checked, and wait to be moved into place.
COMMITTED = ".committed"


class UnknownTableError(CompanionError, KeyError):
    """There is no such table; the message names those that there are."""

    __str__ = Exception.__str__  # a KeyError shows its message in quotes


@contextmanager
def alone(book: Path) -> Iterator[None]:
    """Let no other process change the tables of a book meanwhile; one that wants to waits, and says so."""
    from filelock import FileLock, Timeout  # a notebook that loads a table changes none

    path = book / "_build" / "data.lock"
    path.parent.mkdir(exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"Another command is changing {book / 'data'}; waiting until it is done.", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def finish_interrupted(book: Path) -> None:
    """Move committed files into place, as a refresh that was killed would have done, and remove those it left undone.

    A refresh that is still at work is waited for.
    """
    data = book / "data"
    whole.sweep(data)
    if (data / COMMITTED).is_dir() or (data / STAGING).is_dir():
        with alone(book):
            shutil.rmtree(data / STAGING, ignore_errors=True)
            move_committed(book)


def move_committed(book: Path) -> None:
    """Move committed files into place: the last step of a refresh, for whoever is `alone`."""
    committed = book / "data" / COMMITTED
    if committed.is_dir():  # another process may have done so while this one waited
        for path in sorted(committed.iterdir()):
            path.replace(book / "data" / path.name)
        committed.rmdir()


def package() -> dict[str, Any]:
    """The data package: what `data/datapackage.json` says."""
    inputs.note(inputs.PACKAGE)
    with inputs.silence():
        content: dict[str, Any] = json.loads((root() / inputs.PACKAGE).read_text(encoding="utf-8"))
    return content


def is_table(name: str) -> bool:
    """Whether the data package has a table of this name."""
    inputs.note(f"{inputs.PACKAGE}#{name}")
    return name in _descriptions()


def write_package(path: Path, content: dict[str, Any]) -> None:
    """Write a data package's description, in one form and in one step."""
    whole.write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def describe(name: str) -> dict[str, Any]:
    """Everything the data package says of one table: schema, sources, terms, warnings, hash.

    What is returned is shared by all who ask, and not to be changed.

    Raises:
        UnknownTableError: there is no such table.
    """
    inputs.note(f"{inputs.PACKAGE}#{name}")
    resources = _descriptions()
    if name not in resources:
        near = difflib.get_close_matches(name, resources, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise UnknownTableError(f"No table {name!r}. {hint}The tables are: {', '.join(sorted(resources))}.")
    return resources[name]


def load(name: str) -> "pd.DataFrame":
    """Load a table with the types of its schema; an empty cell is missing, never zero or an empty text.

    Args:
        name: the table's name, as in `data/<name>.csv`.

    Returns:
        One row per key of the table. Units stand in the column names or in the schema of the data package.

    Raises:
        UnknownTableError: there is no such table.
        ValueError: a cell does not have the type of its column.
    """
    resource = describe(name)
    inputs.note(f"data/{resource['path']}")
    types = {field["name"]: DTYPES[field["type"]] for field in resource["schema"]["fields"]}
    try:
        # Pandas copies on write: who changes what is returned here changes nothing of what is kept.
        return _read_csv(_as_it_is(root() / "data" / resource["path"]), tuple(types.items())).copy(deep=False)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"data/{resource['path']}: {error}. A cell does not fit the type of its column in "
            "data/datapackage.json; `frictionless validate data/datapackage.json` names the row."
        ) from error


def read_rows(name: str) -> list[dict[str, str]]:
    """A table's rows as they are written, an empty cell as an empty text: for whoever counts, and needs no types.

    Raises:
        UnknownTableError: there is no such table.
    """
    with (root() / "data" / describe(name)["path"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _descriptions() -> dict[str, dict[str, Any]]:
    """What the data package says of each table, by name."""
    return _read_descriptions(_as_it_is(root() / inputs.PACKAGE))


@dataclass(frozen=True)
class _File:
    """A file as it is now: one that was written since is another."""

    path: Path
    inode: int
    size: int
    changed: int


def _as_it_is(path: Path) -> _File:
    about = path.stat()
    return _File(path, about.st_ino, about.st_size, about.st_ctime_ns)


@lru_cache(maxsize=1)
def _read_descriptions(file: _File) -> dict[str, dict[str, Any]]:
    with inputs.silence():
        content = json.loads(file.path.read_text(encoding="utf-8"))
    return {resource["name"]: resource for resource in content["resources"]}


@lru_cache(maxsize=100)
def _read_csv(file: _File, types: tuple[tuple[str, str], ...]) -> "pd.DataFrame":
    """A table, kept: a chapter loads some of them dozens of times, one for each of its statements."""
    import pandas as pd  # most commands load no table

    return pd.read_csv(file.path, dtype=dict(types), keep_default_na=False, na_values=[""])
