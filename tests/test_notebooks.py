"""The archive of notebooks: unpacked anywhere, the two commands of its README set up an environment and rerun all."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, copy_project, edit
from nbclient import NotebookClient

from companion.chapters.notebooks import chapter_paths, code_cells
from companion.editions.archive import write_runnable, write_zip


def in_a_shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who has never seen this project."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "PIP_CONFIG_FILE", "HOME") if name in os.environ}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.slow
def test_the_notebooks_run_anywhere_with_two_commands(tmp_path: Path):
    packed = tmp_path / "packed" / "notebooks"
    write_runnable(ROOT, packed)
    write_zip(packed, tmp_path / "notebooks.zip", ROOT)
    shutil.rmtree(packed)
    shutil.unpack_archive(tmp_path / "notebooks.zip", tmp_path / "an empty folder")
    folder = tmp_path / "an empty folder" / "notebooks"
    cells = [len(code_cells(nbformat.read(path, as_version=4))) for path in folder.rglob("chapters/**/*.ipynb")]
    assert len(cells) == len(chapter_paths(ROOT))

    set_up, rerun = re.findall(r"^    (.+)$", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    done = in_a_shell(folder, set_up)
    assert done.returncode == 0, done.stdout[-3000:]
    done = in_a_shell(folder, rerun)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{sum(cells)} passed" in done.stdout

    edit(folder / "data" / "uas_deliveries.csv", (",2018,300,", ",2018,301,"))
    done = in_a_shell(folder, ".venv/bin/pytest chapters/uas/exporters.ipynb")
    assert done.returncode == 1
    assert "outputs differ" in done.stdout


def test_a_notebook_fetches_the_rest_of_the_book_on_colab_and_nowhere_else(tmp_path: Path):
    book = copy_project(tmp_path / "book")
    edit(book / "CITATION.cff", ("authors:", "repository-code: https://github.com/owner/name\nauthors:"))
    write_runnable(book, tmp_path / "notebooks")
    notebook = nbformat.read(tmp_path / "notebooks" / "chapters" / "uas" / "exporters.ipynb", as_version=4)
    first, *rest = code_cells(notebook)
    assert "--branch notebooks-v" in first.source
    assert "https://github.com/owner/name /content/book" in first.source
    assert "%cd -q /content/book/chapters/uas" in first.source
    here = nbformat.v4.new_notebook(cells=[first, nbformat.v4.new_code_cell("%pwd")])
    NotebookClient(here, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert first.outputs == []
    assert here.cells[1].outputs[0]["data"]["text/plain"] == repr(str(tmp_path))

    write_runnable(ROOT, tmp_path / "without")
    notebook = nbformat.read(tmp_path / "without" / "chapters" / "uas" / "exporters.ipynb", as_version=4)
    assert [cell.source for cell in code_cells(notebook)] == [cell.source for cell in rest]
