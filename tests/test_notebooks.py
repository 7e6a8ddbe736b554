"""The archive of notebooks: unpacked anywhere, the two commands of its README set up an environment and rerun all."""

import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, copy_project, edit
from nbclient import NotebookClient

from companion.chapters.facts import QUOTE
from companion.chapters.notebooks import chapter_paths, code_cells, read_chapter
from companion.editions.archive import write_notebooks, write_runnable, write_zip


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


def test_the_sentences_of_a_notebook_have_their_numbers(tmp_path: Path, html: Path):
    """As text: Colab, and others that open notebooks, do not know the role."""
    write_notebooks(ROOT, tmp_path)
    for chapter in chapter_paths():
        path = chapter.relative_to(ROOT)
        page = (html / path).with_suffix(".html").read_text(encoding="utf-8")
        values = iter(re.findall(r'<span class="pasted-text">(.*?)</span>', page))
        source, written = read_chapter(chapter), nbformat.read(tmp_path / path.with_suffix(".ipynb"), as_version=4)
        for cell, filled in zip(source.cells, written.cells, strict=True):
            assert filled.source == QUOTE.sub(lambda _, values=values: unescape(next(values)), cell.source)
        assert not list(values)


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


TELLS_VERSIONS = "chapters/evidence/reproducibility.ipynb"
RUN_CODE = """
import os, sys
from pathlib import Path

for line in sys.stdin.read().splitlines():
    path = Path(line)
    os.chdir(path.parent)
    exec(compile(path.read_text(encoding="utf-8"), line, "exec"), {"__name__": "__main__", "display": repr})
"""


@pytest.mark.slow
def test_the_code_of_every_notebook_runs_with_the_base_dependencies_alone(tmp_path: Path):
    """All but one, which tells the versions of what the book is built and checked with."""
    write_runnable(ROOT, tmp_path / "book")
    code = []
    for notebook in {*(tmp_path / "book" / "chapters").rglob("*.ipynb")} - {tmp_path / "book" / TELLS_VERSIONS}:
        cells = code_cells(nbformat.read(notebook, as_version=4))
        notebook.with_suffix(".py").write_text("\n\n".join(cell.source for cell in cells), encoding="utf-8")
        code.append(str(notebook.with_suffix(".py")))
    python, uv = tmp_path / "env" / "bin" / "python", [sys.executable, "-m", "uv"]
    lock = tmp_path / "lock.txt"  # a constraint names no folder
    lock.write_text((ROOT / "requirements.txt").read_text(encoding="utf-8").replace("-e .\n", ""), encoding="utf-8")
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, python.parents[1]],
        [*uv, "pip", "install", "--quiet", "--python", python, "--constraint", lock, tmp_path / "book"],
    ):
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [*uv, "pip", "freeze", "--python", python], capture_output=True, encoding="utf-8", check=True
    )
    assert not [name for name in ("duckdb", "frictionless", "jupyter-book", "pytest") if f"{name}==" in listed.stdout]
    done = subprocess.run(
        [python, "-c", RUN_CODE],
        input="\n".join(code),
        env={name: value for name, value in os.environ.items() if not name.startswith(("COMPANION_", "PYTHONPATH"))},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
