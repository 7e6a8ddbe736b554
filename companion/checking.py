"""A pytest plugin that runs the chapters under nbval and compares every output with the committed reference.

nbval reads `.ipynb` files and compares the outputs stored in them. The chapters are MyST Markdown and store none; this
plugin lends them the outputs from `tests/expected/`, and refuses a chapter whose reference is missing or stale.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import nbformat
import pytest
from nbval.plugin import IPyNbFile

from companion import claims
from companion.chapters import Notebook, code_cells, expected_path, is_notebook, read_chapter
from companion.own_files import VARIABLE


def pytest_configure(config: pytest.Config) -> None:
    """Check the book as everyone gets it, without the reader's own files, and that no verdict on a claim has turned."""
    os.environ[VARIABLE] = ""
    os.environ[claims.VARIABLE] = claims.CHECKED


class StaleReferenceError(Exception):
    """The reference outputs of a chapter do not belong to its present code."""


class ChapterFile(IPyNbFile):
    """A chapter whose code cells are test items."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give nbval the chapter's cells with the reference outputs."""
        notebook = with_reference(self.path)
        with mock.patch.object(nbformat, "read", return_value=notebook):
            yield from list(super().collect())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: str | None = None) -> object:
        """Show a stale reference as a sentence, not as a traceback."""
        if isinstance(excinfo.value, StaleReferenceError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


def with_reference(chapter: Path) -> Notebook:
    """A chapter with the outputs that it is expected to have.

    Raises:
        StaleReferenceError: there is no reference, its code is not the chapter's, or a cell was never run.
    """
    path = expected_path(chapter)
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


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ChapterFile | None:
    """Collect MyST notebooks wherever pytest looks for tests."""
    if parent.config.getoption("nbval") and file_path.suffix == ".md" and is_notebook(file_path):
        chapter: ChapterFile = ChapterFile.from_parent(parent, path=file_path)
        return chapter
    return None
