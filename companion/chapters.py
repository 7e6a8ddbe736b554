"""Chapters as notebooks: find them, pair them with their reference outputs, record these anew."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import yaml

from companion import settings
from companion.errors import CompanionError
from companion.execution import Say, execute
from companion.outputs import CHART_MIME, CLAIM_MIME, TABLE_MIME, Claim, Exhibit
from companion.tables import package, root, write_package

Notebook = Any  # nbformat's NotebookNode, which has no types


class StaleReferenceError(CompanionError):
    """The reference outputs of a chapter do not belong to its present code."""


def page_paths(book: Path) -> list[Path]:
    """Every page of the table of contents of the book in a folder, in order."""
    toc = yaml.safe_load((book / "_toc.yml").read_text(encoding="utf-8"))
    pages: list[str] = [toc["root"]]

    def collect(entry: dict[str, Any]) -> None:
        if "file" in entry:
            pages.append(entry["file"])
        for key in ("parts", "chapters", "sections"):
            for child in entry.get(key, []):
                collect(child)

    collect(toc)
    return [book / f"{page}.md" for page in pages]


def chapter_paths(book: Path | None = None) -> list[Path]:
    """Every page of the table of contents that is a notebook, in order; of this book, or of another in a folder."""
    return [path for path in page_paths(book or root()) if is_notebook(path)]


def is_notebook(path: Path) -> bool:
    """Whether a Markdown file is a MyST notebook: its front matter names a kernel."""
    return path.suffix == ".md" and "\nkernelspec:" in path.read_text(encoding="utf-8").partition("\n---\n")[0]


def read_chapter(path: Path) -> Notebook:
    """Read a chapter as a notebook without outputs."""
    from myst_nb.core.read import read_myst_markdown_notebook  # the book reads it just so

    return read_myst_markdown_notebook(path.read_text(encoding="utf-8"))


def code_cells(notebook: Notebook) -> list[Notebook]:
    """The code cells of a notebook, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def expected_path(chapter: Path, book: Path | None = None) -> Path:
    """Where the reference outputs of a chapter are kept."""
    book = book or root()
    return (book / "tests" / "expected" / chapter.relative_to(book)).with_suffix(".ipynb")


def with_reference(chapter: Path, book: Path | None = None) -> Notebook:
    """A chapter with the outputs that it is expected to have.

    Raises:
        StaleReferenceError: there is no reference, its code is not the chapter's, or a cell was never run.
    """
    path = expected_path(chapter, book)
    hint = "Run `make expected` and review the change of tests/expected/."
    if not path.is_file():
        raise StaleReferenceError(f"{chapter.name} has no reference outputs. {hint}")
    notebook = read_chapter(chapter)
    cells, known = code_cells(notebook), code_cells(nbformat.read(path, as_version=4))
    if [cell.source for cell in cells] != [cell.source for cell in known]:
        raise StaleReferenceError(f"{chapter.name}: the code has changed since its outputs were recorded. {hint}")
    for number, (cell, reference) in enumerate(zip(cells, known, strict=True), start=1):
        if reference.execution_count is None:  # nbval would run this cell and compare nothing
            raise StaleReferenceError(f"{chapter.name}: the reference of code cell {number} was never run. {hint}")
        cell.outputs, cell.execution_count = reference.outputs, reference.execution_count
    return notebook


def record(say: Say = print) -> None:
    """Run every chapter and keep its code cells with their outputs as the reference for the tests.

    A reference without a chapter is removed, the data package learns which exhibits use each table, and `claims.csv`
    gets the verdicts that were computed. Review the change of `tests/expected/`: it is the list of numbers that
    changed.

    Args:
        say: told each chapter with its seconds, and each verdict that has turned.

    Raises:
        ExecutionError: a chapter could not be run; no reference was changed.
    """
    # The reference is what everyone gets, without the reader's own files, and a verdict that has turned is recorded.
    os.environ |= settings.PUBLIC
    users = defaultdict[str, list[str]](list)
    verdicts: dict[str, str] = {}
    runs = execute(root(), chapter_paths(), say)
    for chapter, run in runs.items():
        cells = zip(code_cells(read_chapter(chapter)), run.outputs, strict=True)
        reference = nbformat.v4.new_notebook(cells=[_bare(*cell, number) for number, cell in enumerate(cells, start=1)])
        path = expected_path(chapter)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(reference, path)
        for exhibit in exhibits_of(reference):
            for table in exhibit.tables:
                users[table].append(exhibit.id)
        verdicts |= {claim.id: claim.verdict for claim in claims_of(reference) if claim.kind == "computed"}
    for stale in set((root() / "tests" / "expected").rglob("*.ipynb")) - {expected_path(chapter) for chapter in runs}:
        stale.unlink()
    _record_verdicts(verdicts, say)
    content = package()
    for resource in content["resources"]:
        resource["exhibits"] = users[resource["name"]]
    write_package(root() / "data" / "datapackage.json", content)


def exhibits_of(notebook: Notebook) -> Iterator[Exhibit]:
    """The exhibits among the outputs of a notebook, in order."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for mime in (CHART_MIME, TABLE_MIME):
                exhibit = Exhibit.from_output(output.get("data", {}).get(mime, {}))
                if exhibit:
                    yield exhibit


def claims_of(notebook: Notebook) -> Iterator[Claim]:
    """The claims among the outputs of a notebook, in order."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if content := output.get("data", {}).get(CLAIM_MIME):
                yield Claim.from_output(content)


def _record_verdicts(verdicts: dict[str, str], say: Say) -> None:
    """Write the verdicts of computed claims into their table; none for a claim that no chapter computes."""
    # Imported on demand: the checks of a table need libraries that chapters do not.
    import pandas as pd

    from companion.recipes import RECIPES, Built
    from companion.refresh import replace
    from companion.sources import SourceFile

    files = [root() / "data" / name for name in ("claims.csv", "claim_sources.csv")]
    built = RECIPES["claims"]([SourceFile(file.name, file) for file in files])
    assert built, "the book has a table of claims"
    table = built.rows
    recorded = table["verdict"].mask(table["kind"] == "computed", table["claim_id"].map(verdicts))
    changes = pd.DataFrame({"was": table["verdict"], "now": recorded}).fillna("none").query("was != now")
    for index, was, now in changes.itertuples():
        say(f"{table.loc[index, 'claim_id']} ({table.loc[index, 'statement']}): {was} -> {now}")
    replace({"claims": Built(table.assign(verdict=recorded))})


def _bare(cell: Notebook, outputs: list[dict[str, Any]], number: int) -> Notebook:
    """A code cell with its outputs and nothing that differs from run to run."""
    bare = nbformat.v4.new_code_cell(source=cell.source, execution_count=number, id=f"cell-{number}")
    bare.outputs = [nbformat.from_dict(output) for output in outputs]
    return bare
