"""The numbers of one state of the book: its tables, its exhibits, and its claims, as they are recorded.

A state is a copy of the project in any form: a folder, an archive, an edition of the site, or a revision in Git. All
hold the tables and the recorded outputs of the chapters, so that nothing has to be run or built.
"""

import csv
import io
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from companion.changes import StateError
from companion.chapters.notebooks import claims_of, exhibits_of
from companion.citation import Book, CitationError, metadata
from companion.claims import form as claims_form
from companion.claims.form import Claim
from companion.exhibits import form as exhibits_form
from companion.exhibits.form import Exhibit
from companion.files.outputs import OutputError

Tree = Path | zipfile.Path
PACKAGE = "data/datapackage.json"
BOOK = "CITATION.cff"
OUTPUTS = "tests/expected"


@dataclass(frozen=True)
class Table:
    """One table: its title, the columns of its key, all columns, and its rows, every cell as the text of the file."""

    title: str
    key: list[str]
    columns: list[str]
    rows: list[dict[str, str]]


@dataclass(frozen=True)
class Numbers:
    """What a state of the book says, by name or id, in order.

    Attributes:
        book: its citation data.
        tables: its tables by name.
        exhibits: its exhibits by id.
        claims: its claims by id.
        newer: ids of exhibits and claims that a later library wrote in a form of which this one knows only a part.
    """

    book: Book
    tables: dict[str, Table]
    exhibits: dict[str, Exhibit]
    claims: dict[str, Claim]
    newer: list[str] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """What to tell whoever uses these numbers."""
        if not self.newer:
            return []
        return [
            f"Version {self.book.version} has exhibits or claims in a newer form than this library knows "
            f"({', '.join(self.newer)}). What it does not know of them is left out; use the library of that version."
        ]


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
    """Read the numbers of a copy of the project, whatever version of the library recorded them.

    Raises:
        StateError: something is missing without which there are no numbers; the message names the file.
    """
    try:
        book = metadata(tree)
    except CitationError as problem:
        raise StateError(str(problem)) from None
    tables = {}
    for resource in _parsed(tree, PACKAGE, json.loads, "resources")["resources"]:
        if missing := [key for key in ("name", "path", "schema") if key not in resource]:
            raise StateError(f"{PACKAGE}: table {resource.get('name', 'without a name')} has no {', '.join(missing)}.")
        name, path = resource["name"], f"data/{resource['path']}"
        rows = csv.DictReader(io.StringIO(text(tree, path)))
        key, columns = resource["schema"].get("primaryKey", []), list(rows.fieldnames or [])
        tables[name] = Table(resource.get("title", name), key, columns, list(rows))
    exhibits: dict[str, Exhibit] = {}
    claims: dict[str, Claim] = {}
    for path in notebooks(tree, OUTPUTS):
        notebook = json.loads(text(tree, path))
        try:
            exhibits |= {exhibit.id: exhibit for exhibit in exhibits_of(notebook)}
            claims |= {claim.id: claim for claim in claims_of(notebook)}
        except OutputError as problem:
            raise StateError(f"{path}: {problem}.") from None
    exhibits, claims = dict(sorted(exhibits.items())), dict(sorted(claims.items()))
    newer = [id for id, exhibit in exhibits.items() if exhibit.form > exhibits_form.FORM]
    newer += [id for id, claim in claims.items() if claim.form > claims_form.FORM]
    return Numbers(book, tables, exhibits, claims, newer)


def _single(tree: zipfile.Path) -> zipfile.Path:
    """The one folder that an archive holds; the archive itself if it has several things."""
    inside = list(tree.iterdir())
    return inside[0] if len(inside) == 1 else tree


def _with_numbers(tree: Tree, name: str) -> Tree:
    for part in (PACKAGE, BOOK, OUTPUTS):
        if not (tree / part).exists():
            raise StateError(f"{name} is no copy of the book: it has no {part}.")
    return tree


def notebooks(tree: Tree, folder: str) -> Iterator[str]:
    """The paths of the notebooks below a folder of a copy of the project."""
    inside: list[Any] = list((tree / folder).iterdir())
    for path in sorted(inside, key=lambda path: str(path.name)):
        name = f"{folder}/{path.name}"
        if path.is_dir():
            yield from notebooks(tree, name)
        elif name.endswith(".ipynb"):
            yield name


def _parsed(tree: Tree, path: str, parse: Callable[[str], Any], *keys: str) -> dict[str, Any]:
    """The content of a file that has at least some keys."""
    content: dict[str, Any] = parse(text(tree, path))
    if missing := [key for key in keys if key not in content]:
        raise StateError(f"{path} has no {', '.join(missing)}.")
    return content


def text(tree: Tree, path: str) -> str:
    """A file of a copy of the project.

    Raises:
        StateError: there is none.
    """
    file = tree / path
    if not file.is_file():
        raise StateError(f"There is no {path} in this copy of the book.")
    return file.read_text(encoding="utf-8")
