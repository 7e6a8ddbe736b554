"""What the numbers of each released version were, kept in the project: a comparison needs neither Git nor an archive.

A record is a zip file that `numbers.read` reads as it reads any copy of the project. It has the tables as they were and
of the recorded outputs what exhibits and claims say, without pictures and code.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from packaging.version import Version

from companion.changes.compare import Changes, compare, is_empty
from companion.changes.numbers import BOOK, OUTPUTS, PACKAGE, Tree, notebooks, read, text
from companion.citation import metadata
from companion.claims.form import CLAIM_MIME
from companion.exhibits.form import CHART_MIME, DATASET, TABLE_MIME
from companion.files import whole, zips

RECORDS = "data/released"


def keep(tree: Tree, book: Path) -> Path:
    """Keep the numbers of a copy of the project as those of its version.

    Args:
        tree: the copy, in any form that `numbers.find` gives.
        book: the project whose records are meant; a record that it has of this version is written again.

    Returns:
        The record.

    Raises:
        StateError: the copy lacks a file without which there are no numbers.
    """
    record = metadata(tree)
    read(tree)  # what cannot be read back is not kept
    target = book / RECORDS / f"{record.version}.zip"
    target.parent.mkdir(exist_ok=True)
    with whole.staged(target) as part:
        zips.write_zip(part, _members(tree), record.moment)
    return target


def latest(book: Path, before: str = "") -> zipfile.Path | None:
    """The record of the newest version, or of the newest one before a version; None where there is none."""
    versions = {path.stem: path for path in (book / RECORDS).glob("*.zip")}
    earlier = sorted((name for name in versions if not before or Version(name) < Version(before)), key=Version)
    return zipfile.Path(versions[earlier[-1]]) if earlier else None


def since(book: Path) -> list[Changes]:
    """What changed in a book since its last version and, as long as nothing did, also what that version changed."""
    now, record = read(book), latest(book)
    last = read(record) if record else None
    changes = [compare(last, now)]
    if last and is_empty(changes[0]) and (earlier := latest(book, before=last.book.version)):
        changes.append(compare(read(earlier), last))
    return changes


def _members(tree: Tree) -> Iterator[tuple[str, bytes]]:
    names = [resource["path"] for resource in json.loads(text(tree, PACKAGE))["resources"]]
    for path in (BOOK, PACKAGE, *(f"data/{name}" for name in names)):
        yield path, text(tree, path).encode()
    for path in notebooks(tree, OUTPUTS):
        notebook = nbformat.reads(text(tree, path), as_version=4)
        said = [data for cell in notebook.cells for output in cell.get("outputs", []) if (data := _said(output))]
        outputs = [nbformat.v4.new_output("display_data", data=data) for data in said]
        kept = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=outputs, id="kept")])
        if outputs:
            yield path, json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()


def _said(output: Any) -> dict[str, Any]:
    """What an output says of an exhibit or a claim."""
    data = output.get("data", {})
    kept = {mime: data[mime] for mime in (TABLE_MIME, CLAIM_MIME) if mime in data}
    if chart := data.get(CHART_MIME):
        rows = {DATASET: chart.get("datasets", {}).get(DATASET)}
        kept[CHART_MIME] = {name: chart.get(name) for name in ("description", "usermeta")} | {"datasets": rows}
    return kept
