"""The chapters in JupyterLab: their sentences show the numbers that the book shows."""

import multiprocessing
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, quoted_values
from playwright.sync_api import Browser

from companion.chapters.notebooks import code_cells, read_chapter
from companion.chapters.runner import Shell

EVAL = re.compile(r"\{eval\}`([^`]+)`")
# One with many variables whose names are those of facts, one that quotes other chapters.
CHAPTERS = ["chapters/industry/challenges.md", "chapters/insights.md"]


def evaluate(chapter: str) -> list[str]:
    """What a kernel answers to the expressions of a chapter after all cells, and JupyterLab's extension makes of it."""
    os.chdir((ROOT / chapter).parent)
    shell = Shell.instance()
    shell.run([cell.source for cell in code_cells(read_chapter(ROOT / chapter))])
    expressions = EVAL.findall((ROOT / chapter).read_text(encoding="utf-8"))
    answers = [shell.user_expressions({"": expression})[""]["data"] for expression in expressions]
    assert all(answer.keys() == {"text/plain"} for answer in answers)
    return [re.sub(r"^([\"'])(.*)\1$", r"\2", answer["text/plain"]) for answer in answers]


@pytest.mark.parametrize("page", CHAPTERS)
def test_the_kernel_answers_with_the_text_of_the_book(html: Path, page: str):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(evaluate, [page]) == quoted_values((html / page).with_suffix(".html"))


@pytest.fixture
def lab(copy_of_project: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves a copy of the project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = ["--no-browser", "--allow-root", "--IdentityProvider.token=", f"--ServerApp.port={port}"]
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(copy_of_project)}
    environment["JUPYTER_CONFIG_PATH"] = str(tmp_path)
    tools = Path(sys.executable).parent
    viewers = tmp_path / "labconfig" / "default_setting_overrides.json"  # as `make lab` sets them in the environment
    chosen = ["--settings-file", viewers, "set-default-viewer", "markdown", "myst"]
    subprocess.run([tools / "jupytext-config", *chosen], check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        [tools / "jupyter", "lab", *settings, f"--notebook-dir={copy_of_project}"],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=1).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_sentences_show_their_numbers_in_jupyterlab_and_are_saved_without(
    browser: Browser, lab: str, copy_of_project: Path, html: Path
):
    chapter = CHAPTERS[-1]
    path = copy_of_project / chapter
    source = path.read_text(encoding="utf-8").partition("\n---\n")[2]
    page = browser.new_page(viewport={"width": 1400, "height": 20000})  # JupyterLab draws what is in view
    page.set_default_timeout(120_000)
    page.goto(f"{lab}/lab/tree/{chapter}")
    page.locator(".myst", has_text="facts.").first.wait_for()
    page.get_by_text("| Idle").wait_for()  # what is run before there is a kernel stays as it is
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    names = "[...document.querySelectorAll('.myst')].some(cell => cell.innerText.includes('facts.'))"
    page.wait_for_function(f"!{names}")
    with page.expect_response(lambda answer: answer.request.method == "PUT" and chapter in answer.url):
        page.keyboard.press("Control+s")
    text = " ".join(" ".join(page.locator(".myst").all_inner_texts()).split())
    page.close()
    assert "Error" not in text
    assert re.search(".*".join(map(re.escape, quoted_values((html / chapter).with_suffix(".html")))), text), text
    assert path.read_text(encoding="utf-8").partition("\n---\n")[2] == source
