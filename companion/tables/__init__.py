"""Tables: the tidy CSVs in `data/`, each with its description in `data/datapackage.json`."""

import csv
import difflib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    return _read_package()


def is_table(name: str) -> bool:
    """Whether the data package has a table of this name."""
    inputs.note(f"{inputs.PACKAGE}#{name}")
    return any(resource["name"] == name for resource in _read_package()["resources"])


def write_package(path: Path, content: dict[str, Any]) -> None:
    """Write a data package's description, in one form and in one step."""
    whole.write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def describe(name: str) -> dict[str, Any]:
    """Everything the data package says of one table: schema, sources, terms, warnings, hash.

    Raises:
        KeyError: there is no such table; the message names those that there are.
    """
    inputs.note(f"{inputs.PACKAGE}#{name}")
    resources: dict[str, dict[str, Any]] = {resource["name"]: resource for resource in _read_package()["resources"]}
    if name not in resources:
        near = difflib.get_close_matches(name, resources, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise KeyError(f"No table {name!r}. {hint}The tables are: {', '.join(sorted(resources))}.")
    return resources[name]


def load(name: str) -> "pd.DataFrame":
    """Load a table with the types of its schema; an empty cell is missing, never zero or an empty text.

    Args:
        name: the table's name, as in `data/<name>.csv`.

    Returns:
        One row per key of the table. Units stand in the column names or in the schema of the data package.

    Raises:
        KeyError: there is no such table.
        ValueError: a cell does not have the type of its column.
    """
    import pandas as pd  # most commands load no table

    resource = describe(name)
    types = {field["name"]: DTYPES[field["type"]] for field in resource["schema"]["fields"]}
    try:
        return pd.read_csv(root() / "data" / resource["path"], dtype=types, keep_default_na=False, na_values=[""])
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"data/{resource['path']}: {error}. A cell does not fit the type of its column in "
            "data/datapackage.json; `frictionless validate data/datapackage.json` names the row."
        ) from error


def read_rows(name: str) -> list[dict[str, str]]:
    """A table's rows as they are written, an empty cell as an empty text: for whoever counts, and needs no types.

    Raises:
        KeyError: there is no such table.
    """
    with (root() / "data" / describe(name)["path"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _read_package() -> dict[str, Any]:
    with inputs.silence():
        content: dict[str, Any] = json.loads((root() / inputs.PACKAGE).read_text(encoding="utf-8"))
    return content
