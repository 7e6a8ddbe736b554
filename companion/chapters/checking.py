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

from companion import settings
from companion.chapters.notebooks import StaleReferenceError, is_notebook, with_reference
from companion.tables import finish_interrupted


def pytest_configure(config: pytest.Config) -> None:
    """Check the book as everyone gets it, without the reader's own files, and that no verdict on a claim has turned."""
    finish_interrupted(config.rootpath)
    os.environ |= settings.PUBLIC | {settings.VERDICTS: settings.CHECKED}


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


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ChapterFile | None:
    """Collect MyST notebooks wherever pytest looks for tests."""
    if parent.config.getoption("nbval") and file_path.suffix == ".md" and is_notebook(file_path):
        chapter: ChapterFile = ChapterFile.from_parent(parent, path=file_path)
        return chapter
    return None
