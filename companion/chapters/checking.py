"""A pytest plugin that runs the chapters under nbval and compares every output with the committed reference.

nbval reads `.ipynb` files and compares the outputs stored in them. The chapters are MyST Markdown and store none; this
plugin lends them the outputs from `tests/expected/`, and refuses a chapter whose reference is missing or stale.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile, find_comment_markers, find_metadata_tags

from companion import settings
from companion.chapters.notebooks import StaleReferenceError, code_cells, is_notebook, with_reference
from companion.tables import finish_interrupted


def pytest_configure(config: pytest.Config) -> None:
    """Check the book as everyone gets it, without the reader's own files, and that no verdict on a claim has turned."""
    finish_interrupted(config.rootpath)
    os.environ |= settings.PUBLIC | {settings.VERDICTS: settings.CHECKED}


class ChapterFile(IPyNbFile):
    """A chapter whose code cells are test items."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give nbval the chapter's cells with the reference outputs, as it takes those of a notebook file."""
        self.nb = with_reference(self.path)
        for number, cell in enumerate(code_cells(self.nb)):
            marks = dict([*find_metadata_tags(cell.metadata), *find_comment_markers(cell.source)])
            options = defaultdict(bool, {"check": self.compare_outputs, **marks})
            yield IPyNbCell.from_parent(self, name=f"Cell {number}", cell_num=number, cell=cell, options=options)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: str | None = None) -> object:
        """Show a stale reference as a sentence, not as a traceback."""
        if isinstance(excinfo.value, StaleReferenceError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ChapterFile | None:
    """Collect MyST notebooks wherever pytest looks for tests."""
    if parent.config.getoption("nbval") and file_path.suffix == ".md" and is_notebook(file_path):
        chapter: ChapterFile = ChapterFile.from_parent(parent, path=file_path)
        return chapter
    return None
