"""What several tests share: a copy of the project to break, the built book, the upstream files."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from companion import claims

ROOT = Path(__file__).parents[1]
# JupyterLab keeps copies of opened chapters beside them.
PAGES = sorted(p for p in (ROOT / "chapters").rglob("*.md") if ".ipynb_checkpoints" not in p.parts)
LEFT_OUT = shutil.ignore_patterns(".*", "_build", "_site", "__pycache__", "*.egg-info")
SOURCES = Path(os.environ.get("COMPANION_SOURCES", ROOT.parent / "shared" / "sources"))
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-sync",
]
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND"


@pytest.fixture
def copy_of_project(tmp_path: Path) -> Path:
    """A copy of the project that a test may change, with the outputs that are cached already."""
    target = copy_project(tmp_path / "book")
    cache = Path("_build", ".jupyter_cache")
    if (ROOT / cache).is_dir():
        shutil.copytree(ROOT / cache, target / cache)
    return target


def copy_project(target: Path) -> Path:
    shutil.copytree(ROOT, target, ignore=LEFT_OUT)
    return target


def run(folder: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in a copy of the project, with that copy's own library."""
    environment = os.environ | {"PYTHONPATH": str(folder)}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", claims.VARIABLE):
        environment.pop(name, None)
    return subprocess.run(
        [Path(sys.executable).with_name(command), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the book as `make book` does."""
    return run(folder, "jupyter-book", "build", ".", "-W", "-n", "--keep-going")


@pytest.fixture(scope="session")
def html() -> Path:
    """The built book."""
    folder = ROOT / "_build" / "html"
    assert (folder / "index.html").is_file(), "The book is not built. Run `make book`, or `make test` for all at once."
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "No Chromium or Chrome was found; `make test` installs it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, NO_NETWORK])
        yield browser
        browser.close()


def open_page(browser: Browser, address: str, width: int = 1280, **context: object) -> tuple[Page, list[str]]:
    """Open a page and note what goes wrong: console errors, and requests that leave the book's files."""
    page = browser.new_context(viewport={"width": width, "height": 900}, **context).new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request",
        lambda r: trouble.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None,
    )
    page.goto(address)
    return page, trouble


@pytest.fixture(scope="session")
def sources() -> Path:
    """The folder of upstream files, which is not part of the repository."""
    if not SOURCES.is_dir():
        pytest.skip(f"no upstream files in {SOURCES}; set COMPANION_SOURCES to check that the tables can be rebuilt")
    return SOURCES
