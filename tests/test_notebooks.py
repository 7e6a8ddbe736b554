"""What a reader takes home: notebooks that run anywhere with two commands, and archives of tables and exhibits."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, build, edit, open_page, quoted_values
from nbclient import NotebookClient
from playwright.sync_api import Browser

from companion.book.archives import ARCHIVES, as_notebook
from companion.chapters.execution import execute
from companion.chapters.facts import QUOTE
from companion.chapters.notebooks import chapter_paths, code_cells, read_chapter
from companion.citation import metadata
from companion.files import zips
from companion.prose import file_size
from companion.tables import package


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


def unpacked(html: Path, name: str, folder: Path) -> Path:
    """Unpack an archive of the built book; the folder inside it."""
    (archive,) = (html / "downloads").glob(f"*-{name}.zip")
    zips.unpack(archive, folder)
    return folder / archive.stem


@pytest.mark.slow
def test_the_notebooks_run_anywhere_with_two_commands(tmp_path: Path, html: Path):
    folder = unpacked(html, "notebooks", tmp_path / "an empty folder")
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


@pytest.mark.parametrize("page", [path.relative_to(ROOT).as_posix() for path in chapter_paths(ROOT)])
def test_the_sentences_of_a_notebook_have_their_numbers(html: Path, page: str):
    """As text: Colab, and others that open notebooks, do not know the role."""
    values = iter(quoted_values((html / page).with_suffix(".html")))
    source, written = (read_chapter(ROOT / page), nbformat.read((html / page).with_suffix(".ipynb"), as_version=4))
    for cell, filled in zip(source.cells, written.cells, strict=True):
        assert filled.source == QUOTE.sub(lambda _: next(values), cell.source)
    assert not list(values)


def test_a_notebook_fetches_the_rest_of_the_book_on_colab_and_nowhere_else(tmp_path: Path, html: Path):
    chapter = ROOT / "chapters" / "uas" / "exporters.md"
    runs = execute(ROOT, chapter_paths(), lambda _: None)
    runs = {path.relative_to(ROOT).with_suffix("").as_posix(): run for path, run in runs.items()}
    book = replace(metadata(ROOT), repository_code="https://github.com/owner/name")
    first, *rest = code_cells(as_notebook(chapter, "chapters/uas/exporters", runs, book))
    assert "--branch notebooks-v" in first.source
    assert "https://github.com/owner/name /content/book" in first.source
    assert "%cd -q /content/book/chapters/uas" in first.source
    here = nbformat.v4.new_notebook(cells=[first, nbformat.v4.new_code_cell("%pwd")])
    NotebookClient(here, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert first.outputs == []
    assert here.cells[1].outputs[0]["data"]["text/plain"] == repr(str(tmp_path))

    notebook = nbformat.read(html / "chapters" / "uas" / "exporters.ipynb", as_version=4)
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
def test_the_code_of_every_notebook_runs_with_the_base_dependencies_alone(tmp_path: Path, html: Path):
    """All but one, which tells the versions of what the book is built and checked with."""
    book, code = unpacked(html, "notebooks", tmp_path), []
    for notebook in {*(book / "chapters").rglob("*.ipynb")} - {book / TELLS_VERSIONS}:
        cells = code_cells(nbformat.read(notebook, as_version=4))
        notebook.with_suffix(".py").write_text("\n\n".join(cell.source for cell in cells), encoding="utf-8")
        code.append(str(notebook.with_suffix(".py")))
    python, uv = tmp_path / "env" / "bin" / "python", [sys.executable, "-m", "uv"]
    lock = tmp_path / "lock.txt"  # a constraint names no folder
    lock.write_text((ROOT / "requirements.txt").read_text(encoding="utf-8").replace("-e .\n", ""), encoding="utf-8")
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, python.parents[1]],
        [*uv, "pip", "install", "--quiet", "--python", python, "--constraint", lock, book],
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


def test_the_tables_come_as_one_archive_with_their_description(html: Path, tmp_path: Path):
    folder = unpacked(html, "tables", tmp_path)
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))["resources"]
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "datapackage.json",
        *(r["path"] for r in described),
    }
    for resource in described:
        assert (folder / resource["path"]).read_bytes() == (ROOT / "data" / resource["path"]).read_bytes()
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{resource['path']}`: {resource['title']}" in readme for resource in package()["resources"])
    assert not re.search(r"[{}]", readme)


def test_the_exhibits_come_as_one_archive_in_every_form(html: Path, tmp_path: Path):
    folder = unpacked(html, "exhibits", tmp_path)
    index = json.loads((folder / "exhibits" / "index.json").read_text(encoding="utf-8"))
    files = {e[form] for e in index for form in ("csv", "svg", "png", "spec") if e[form]}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    beside = {path.relative_to(html).as_posix() for path in (html / "exhibits").iterdir() if path.suffix != ".html"}
    assert files < beside, "the index, and other views of exhibits"
    assert found == beside | {"README.md"}
    assert all((folder / file).read_bytes() == (html / file).read_bytes() for file in beside)


LINK = re.compile(r'href="([^"]*)" download>([^<]*) \((\w+)<span data-size-of="([^"]*)">, ([^<]*)</span>\)</a>')


# Pages that offer files, and some of those.
OFFERS = {
    "chapters/evidence/citing": {*ARCHIVES},
    "chapters/evidence/data": {"tables"},
    "chapters/evidence/claims": {"claims.csv"},
    "chapters/uas/exporters": {"exporters.ipynb", "notebooks"},
}


@pytest.mark.parametrize("page", OFFERS)
def test_links_to_files_say_their_form_and_size(html: Path, page: str):
    path = html / f"{page}.html"
    found = LINK.findall(path.read_text(encoding="utf-8"))
    for address, words, form, file, size in found:
        target = (path.parent / address).resolve()
        assert target == (html / file).resolve()
        assert words
        assert form == target.suffix[1:].upper()
        assert size == file_size(target.stat().st_size)
    names = {Path(file).name.rpartition("-")[2].removesuffix(".zip") for *_, file, _ in found}
    assert OFFERS[page] <= names


def test_a_file_size_is_short():
    assert [file_size(size) for size in (0, 499, 57_300, 999_499, 999_500, 21_210_470)] == [
        "1 kB",
        "1 kB",
        "57 kB",
        "999 kB",
        "1.0 MB",
        "21.2 MB",
    ]


def test_each_chapter_says_with_two_lines_how_to_run_it(html: Path, browser: Browser, tmp_path: Path):
    page, trouble = open_page(browser, (html / "chapters/uas/exporters.html").as_uri(), java_script_enabled=False)
    page.get_by_text("Run this page as a notebook").click()
    link = page.get_by_role("link", name="This page as a notebook")
    assert link.is_visible()
    content = (html / "chapters" / "uas" / link.get_attribute("href")).read_bytes()
    folder = unpacked(html, "notebooks", tmp_path)
    set_up, opens = page.locator(".run-page pre").inner_text().splitlines()
    assert f"    {set_up}\n" in (folder / "README.md").read_text(encoding="utf-8")
    notebook = opens.split()[-1]
    assert (folder / notebook).read_bytes() == content
    assert nbformat.reads(content.decode(), as_version=4).cells
    assert not list(folder.rglob("local"))
    assert trouble == []
    page.context.close()


def test_archives_follow_what_they_hold_and_are_written_again_for_nothing_else(small_book: Path, tmp_path: Path):
    book = tmp_path / "book"
    shutil.copytree(small_book, book)
    archives = {path.name.rpartition("-")[2]: path for path in (book / "_build/html/downloads").iterdir()}
    assert set(archives) == {f"{name}.zip" for name in ARCHIVES}
    before = {name: path.read_bytes() for name, path in archives.items()}
    (book / "chapters" / "old.ipynb").write_text("{}", encoding="utf-8")  # not the book's
    (book / "_build" / "html" / "chapters" / "gone.ipynb").write_text("{}", encoding="utf-8")
    archives["tables.zip"].write_bytes(before["tables.zip"][:-50])  # cut
    stamps = {name: path.stat().st_mtime_ns for name, path in archives.items()}
    edit(book / "LICENSE", ("three parts", "(three) parts"))
    done = build(book)
    assert done.returncode == 0, done.stderr
    after = {name: path.read_bytes() for name, path in archives.items()}
    assert [name for name, path in archives.items() if path.stat().st_mtime_ns == stamps[name]] == ["exhibits.zip"]
    assert after["tables.zip"] == before["tables.zip"]
    with zipfile.ZipFile(archives["notebooks.zip"]) as opened:
        assert "(three) parts" in opened.read(f"{archives['notebooks.zip'].stem}/LICENSE").decode()
        assert not [name for name in opened.namelist() if name.endswith(("old.ipynb", "gone.ipynb"))]
    page = (book / "_build/html/chapters/deliveries.html").read_text(encoding="utf-8")
    sizes = {file: size for *_, file, size in LINK.findall(page)}
    assert sizes[f"downloads/{archives['notebooks.zip'].name}"] == file_size(len(after["notebooks.zip"]))
