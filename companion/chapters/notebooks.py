"""Chapters as notebooks: find them, pair them with their reference outputs, record these anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import yaml

from companion.claims.form import CLAIM_MIME, Claim
from companion.errors import CompanionError
from companion.exhibits.form import CHART_MIME, TABLE_MIME, Exhibit
from companion.settings import root

Notebook = Any  # nbformat's NotebookNode, which has no types, or what its file says, where it is only read


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
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


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


def exhibits_of(notebook: Notebook) -> Iterator[Exhibit]:
    """The exhibits among the outputs of a notebook, in order."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            for mime in (CHART_MIME, TABLE_MIME):
                exhibit = Exhibit.from_output(output.get("data", {}).get(mime, {}))
                if exhibit:
                    yield exhibit


def claims_of(notebook: Notebook) -> Iterator[Claim]:
    """The claims among the outputs of a notebook, in order."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            if content := output.get("data", {}).get(CLAIM_MIME):
                yield Claim.from_output(content)
