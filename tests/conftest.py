"""What several tests share: a copy of the project to break, the built book, the upstream files."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from companion import claims
from companion.editions.printed import QUIET, find_browser

ROOT = Path(__file__).parents[1]
# JupyterLab keeps copies of opened chapters beside them.
PAGES = sorted(p for p in (ROOT / "chapters").rglob("*.md") if ".ipynb_checkpoints" not in p.parts)
LEFT_OUT = shutil.ignore_patterns(".*", "_build", "_site", "__pycache__", "*.egg-info")
SOURCES = Path(os.environ.get("COMPANION_SOURCES", ROOT.parent / "shared" / "sources"))
CHROMIUM = find_browser()
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


SMALL_PAGES = {
    "index": """# A small book

Deliveries of one database, and one statement about them. [The deliveries](deliveries.md)

```{exhibit-gallery}
small-deliveries
```
""",
    "deliveries": """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Did deliveries rise?

```{code-cell} ipython3
:tags: [remove-cell]

import altair as alt

from companion import claim, exhibit, facts, load

units = load("uas_deliveries").query("vintage == '2022-08'").groupby("year", as_index=False)["units"].sum()
units["units"] = units["units"].astype(int)
first, last = units["units"].head(5).sum(), units["units"].tail(5).sum()
facts(total=f"{units['units'].sum():,}")
```

In all, {glue:text}`total` were delivered. {numref}`small-deliveries` shows them by year.

```{code-cell} ipython3
:tags: [hide-input]

exhibit(
    "small-deliveries",
    alt.Chart(units).mark_bar().encode(x="year:O", y="units:Q"),
    title=f"{units['units'].max():,} uncrewed aircraft in the largest year",
    subtitle="Units delivered to other countries",
    alt=f"Bars by year, {units['units'].sum():,} in all.",
    sources=["uas_deliveries@2022-08"],
)
```

## The report’s statement, tested

```{code-cell} ipython3
:tags: [hide-input]

claim("C074", observed=bool(last > first), shown=f"{first:,} in the first five years, {last:,} in the last")
```

```{code-cell} ipython3
:tags: [hide-input]

claim("C075")
```
""",
}
SMALL_TOC = """format: jb-book
root: chapters/index
chapters:
  - file: chapters/deliveries
  - file: chapters/evidence/claims
  - file: chapters/evidence/data
  - file: chapters/evidence/editions
  - file: chapters/evidence/citing
"""
FEWER_CLAIMS = """
from companion.recipes import Built
from companion.refresh import replace
from companion.tables import load

kept = {name: load(name).query("claim_id in ['C074', 'C075']") for name in ("claims", "claim_sources")}
kept["claims"] = kept["claims"].assign(chapter="deliveries")
replace({name: Built(rows) for name, rows in kept.items()})
"""


def small_book(target: Path) -> Path:
    """A whole project with a book that builds in seconds: one exhibit, two claims, and the pages about the book itself.

    The library, the tables, and the pages below `chapters/evidence/` are the project's own; links that lead to pages
    that the small book does not have are plain text in it.
    """
    copy_project(target)
    shutil.rmtree(target / "tests")
    kept = {f"chapters/{name}.md" for name in (*SMALL_PAGES, "evidence/claims", "evidence/data")}
    kept |= {"chapters/evidence/editions.md", "chapters/evidence/citing.md"}
    for page in (target / "chapters").rglob("*.md"):
        if page.relative_to(target).as_posix() not in kept:
            page.unlink()
    for name, text in SMALL_PAGES.items():
        (target / "chapters" / f"{name}.md").write_text(text, encoding="utf-8")
    for page in (target / "chapters" / "evidence").glob("*.md"):
        text = re.sub(
            r"\[([^\]]*)\]\(((?!\w+:)[^)#]+\.md)[^)]*\)",
            lambda link, page=page: link[0] if (page.parent / link[2]).is_file() else link[1],
            page.read_text(encoding="utf-8"),
        )
        page.write_text(text, encoding="utf-8")
    (target / "_toc.yml").write_text(SMALL_TOC, encoding="utf-8")
    for command in (["-c", FEWER_CLAIMS], ["-m", "companion", "expected"]):
        done = run(target, "python", *command)
        assert done.returncode == 0, done.stdout + done.stderr
    return target


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts of a file, each once; each must be there."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, (path.name, old)
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


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
        encoding="utf-8",
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
