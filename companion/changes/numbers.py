"""The numbers of one state of the book: its tables, its exhibits, and its claims, as they are recorded.

A state is a copy of the project in any form: a folder, an archive, an edition of the site, or a revision in Git. All
hold the tables and the recorded outputs of the chapters, so that nothing has to be run or built.
"""

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from companion.changes import StateError
from companion.chapters.notebooks import claims_of, exhibits_of
from companion.citation import Book, metadata
from companion.claims.form import Claim
from companion.exhibits.form import Exhibit

if TYPE_CHECKING:
    import pandas as pd

Tree = Path | zipfile.Path
PACKAGE = "data/datapackage.json"


@dataclass(frozen=True)
class Table:
    """One table: its title, the columns of its key, and its rows, every cell as the text of the file."""

    title: str
    key: list[str]
    rows: "pd.DataFrame"


@dataclass(frozen=True)
class Numbers:
    """What a state of the book says, by name or id, in order."""

    book: Book
    tables: dict[str, Table]
    exhibits: dict[str, Exhibit]
    claims: dict[str, Claim]


def find(name: str, repository: Path, site: Path) -> Tree:
    """The copy of the project that a name means.

    Args:
        name: a folder, a zip archive, a version of the site, or a revision in Git, tried in this order.
        repository: the folder whose revisions are meant.
        site: the folder with the editions.

    Raises:
        StateError: there is nothing of that name, or what there is has no numbers.
    """
    path = Path(name)
    for candidate in (path, site / name):
        # An edition has the archive of itself.
        archive = next((candidate / "downloads").glob("companion-*[0-9].zip"), candidate)
        if archive.is_file() and zipfile.is_zipfile(archive):
            return _with_numbers(_single(zipfile.Path(archive)), name)
        if candidate.is_dir():
            return _with_numbers(candidate, name)
    exported = subprocess.run(
        ["git", "archive", "--format=zip", name], cwd=repository, capture_output=True, check=False
    )
    if exported.returncode:
        raise StateError(
            f"There is no {name!r}. Name an edition in {site}/, the archive or the folder of one, a folder with a copy "
            "of the book, or a revision in Git."
        )
    return _with_numbers(zipfile.Path(io.BytesIO(exported.stdout)), name)


def read(tree: Tree) -> Numbers:
    """Read the numbers of a copy of the project."""
    import pandas as pd

    package = json.loads((tree / PACKAGE).read_text(encoding="utf-8"))
    tables = {
        resource["name"]: Table(
            resource["title"],
            resource["schema"]["primaryKey"],
            pd.read_csv(io.StringIO(_text(tree / "data" / resource["path"])), dtype="str", keep_default_na=False),
        )
        for resource in package["resources"]
    }
    notebooks = [nbformat.reads(_text(path), as_version=4) for path in _notebooks(tree / "tests" / "expected")]
    exhibits = {exhibit.id: exhibit for notebook in notebooks for exhibit in exhibits_of(notebook)}
    claims = {claim.id: claim for notebook in notebooks for claim in claims_of(notebook)}
    return Numbers(
        metadata(tree),
        tables,
        dict(sorted(exhibits.items())),
        dict(sorted(claims.items())),
    )


def _single(tree: zipfile.Path) -> zipfile.Path:
    """The one folder that an archive holds; the archive itself if it has several things."""
    inside = list(tree.iterdir())
    return inside[0] if len(inside) == 1 else tree


def _with_numbers(tree: Tree, name: str) -> Tree:
    for part in (PACKAGE, "CITATION.cff", "tests/expected"):
        if not (tree / part).exists():
            raise StateError(f"{name} is no copy of the book: it has no {part}.")
    return tree


def _notebooks(folder: Tree) -> Iterator[Any]:
    inside: list[Any] = list(folder.iterdir())
    for path in sorted(inside, key=lambda path: str(path.name)):
        if path.is_dir():
            yield from _notebooks(path)
        elif path.name.endswith(".ipynb"):
            yield path


def _text(path: Any) -> str:
    text: str = path.read_text(encoding="utf-8")
    return text
