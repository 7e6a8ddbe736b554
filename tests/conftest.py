"""What several tests share: copies of the project to break, a small book, the built book, the upstream files."""

import gc
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import fontpkg
import pytest
from bs4 import BeautifulSoup
from filelock import FileLock
from playwright.sync_api import Browser, Page, sync_playwright
from xdist.scheduler import LoadFileScheduling

from companion import settings
from companion.changes.released import RECORDS
from companion.chapters import execution, runner
from companion.chapters.execution import STORE
from companion.editions.printed import QUIET, find_browser

ROOT = Path(__file__).parents[1]
# JupyterLab keeps copies of opened chapters beside them.
PAGES = sorted(p for p in (ROOT / "chapters").rglob("*.md") if ".ipynb_checkpoints" not in p.parts)
ADDRESSES = [page.relative_to(ROOT).with_suffix(".html").as_posix() for page in PAGES]
LEFT_OUT = shutil.ignore_patterns(".*", "_build", "_site", "__pycache__", "*.egg-info")
SOURCES = Path(os.environ.get("COMPANION_SOURCES", ROOT.parent / "shared" / "sources"))
PICTURES = ".pictures"
CHROMIUM = find_browser()
NO_NETWORK = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


# The tests that take longest start first, so that no processor waits at the end.
FIRST = [
    "test_editions",
    "test_states",
    "test_refresh",
    "test_printed",
    "test_build",
    "test_text",
    "test_citation",
    "test_faults",
    "test_site",
]
# Files whose tests share nothing, so that several processes can take them.
SPLIT = {
    f"tests/{name}.py"
    for name in (
        "test_chapters",
        "test_execution",
        "test_faults",
        "test_policy",
        "test_refresh",
        "test_shell",
    )
}
# Files whose tests read the pages of the book: one process takes them, since it takes long to parse a page.
TOGETHER = {f"tests/{name}.py" for name in ("test_citation", "test_exhibit_page", "test_front", "test_notebooks")}
FEWER = 3  # of many examples of the same kind, `make test` tries one of so many, and `make test-all` all


class Scheduling(LoadFileScheduling):
    """Gives each file to one process, as the cells of a chapter need it; some by their tests, and some together."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid if file in SPLIT else "pages" if file in TOGETHER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pages", help="only tests that read the book, and of those for single pages these pages' alone")


def pytest_configure(config: pytest.Config) -> None:
    global _shared_by  # noqa: PLW0603, the examples are counted while the tests are imported
    _shared_by = FEWER if config.getoption("markexpr") == "not slow" else 1


def examples(number: int) -> int:
    """How many examples a test tries that makes its own: the number, or a part of it where slow tests are left out."""
    return number // _shared_by


def some(alike: Sequence[Any]) -> Sequence[Any]:
    """The things of one kind that a test looks at: all, or a part of them where slow tests are left out."""
    return alike[::_shared_by]


def _reads(item: pytest.Item, pages: list[str]) -> bool:
    """Whether a test reads one of these pages, or the book, and not only tries what the library or a script does."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    for name in {"page", "address"} & parameters.keys():
        path = Path(parameters[name]).with_suffix(".md")
        return (path.relative_to(ROOT) if path.is_absolute() else path).as_posix() in pages
    if (runs := item.get_closest_marker("runs")) and all(page.startswith("chapters/") for page in pages):
        return bool({f"chapters/{chapter}.md" for chapter in runs.args} & {*pages})
    if {"browser", "copy_of_project", "small_book"} & {*item.fixturenames}:
        return False
    return "html" in item.fixturenames or "tmp_path" not in item.fixturenames


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if (pages := config.getoption("--pages")) is not None:
        items[:] = [item for item in items if _reads(item, pages.split(","))]
    items.sort(key=lambda item: FIRST.index(item.path.stem) if item.path.stem in FIRST else len(FIRST))


def pytest_collection_finish() -> None:
    """Keep the collector from going through all tests and libraries again and again, a tenth of what tests cost."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


_shared_by = 1
_slow: list[str] = []  # the tests that were left out
_said: list[str] = []  # what tests have to say in the last lines


def pytest_deselected(items: list[pytest.Item]) -> None:
    _slow.extend(item.nodeid for item in items if item.get_closest_marker("slow"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput |= {"slow": _slow, "said": _said}


def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of pytest-xdist has left out, of which each knows all, and what its tests say."""
    output = getattr(node, "workeroutput", {})
    _slow[:] = output.get("slow", _slow)
    _said.extend(output.get("said", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the last lines what tests have to say and what was left out."""
    for line in _said:
        terminalreporter.write_line(line)
    if _slow:
        terminalreporter.write_line(f"{len(_slow)} slow tests were left out; `make test-all` runs them too.")


@pytest.fixture
def say() -> list[str]:
    """Lines for the end of the run, where they are read although all tests pass."""
    return _said


@pytest.fixture(scope="session", autouse=True)
def _data_stay_as_they_are() -> Iterator[None]:
    """No test writes into the tables of the working copy."""
    before = {path: path.read_bytes() for path in (ROOT / "data").iterdir() if path.is_file()}
    yield
    assert before == {path: path.read_bytes() for path in (ROOT / "data").iterdir() if path.is_file()}


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are forked from this process, in which the libraries are loaded; one test starts the process itself."""
    run_in_this_process(monkeypatch)


def run_in_this_process(patch: pytest.MonkeyPatch) -> None:
    """Fork workers from this process, as `warm` does."""

    def reports(book: Path, jobs: dict[str, str]) -> list[dict]:
        report = io.StringIO()
        tasks = [{"chapter": chapter, "target": target} for chapter, target in jobs.items()]
        runner.run(book, tasks, 2, execution.MOST_SECONDS, report)
        return [json.loads(line) for line in report.getvalue().splitlines()]

    patch.setattr(execution, "_reports", reports)


@pytest.fixture
def copy_of_project(tmp_path: Path) -> Path:
    """A copy of the project that a test may change."""
    return copy_project(tmp_path / "book")


def copy_project(target: Path) -> Path:
    """Copy the project, with what its chapters gave and with its pictures: what is kept is not made again."""
    shutil.copytree(ROOT, target, ignore=LEFT_OUT)
    for kept in (ROOT / "_build" / name for name in (STORE.name, PICTURES)):
        if kept.is_dir():
            shutil.copytree(kept, target / "_build" / kept.name)
    return target


FRONT = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""
SMALL_PAGES = {
    "index": """# A small book

Deliveries of one database, {eval}`facts["deliveries"].total` in all, and one statement about them.
[The deliveries](deliveries.md)

```{exhibit-again} small-deliveries
```
""",
    "deliveries": FRONT
    + """
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

In all, {eval}`facts.total` were delivered. {numref}`small-deliveries` shows them by year, and {numref}`small-groups`
how uncrewed aerial vehicles (UAV) are grouped.

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
    "groups": f"""{FRONT}
# How are uncrewed aircraft grouped?

```{{code-cell}} ipython3
:tags: [hide-input]

from companion import exhibit, load

exhibit(
    "small-groups",
    load("uas_groups").query("source_id == 'consensus'")[["group", "weight_max_lb"]],
    title="Five groups by weight",
    subtitle="Largest weight in pounds",
    alt="A table of groups.",
    sources=["uas_groups"],
)
```

```{{glossary}}
UAV
  Uncrewed aerial vehicle.
```
""",
}
SMALL_TOC = """format: jb-book
root: chapters/index
parts:
  - caption: "Deliveries"
    chapters:
      - file: chapters/deliveries
  - caption: "The evidence"
    chapters:
      - file: chapters/evidence/claims
      - file: chapters/evidence/data
      - file: chapters/evidence/editions
      - file: chapters/evidence/citing
      - file: chapters/groups
"""
SMALL_PARTS = ["Deliveries", "The evidence"]
SMALL_TABLES = ["claim_sources", "claims", "corrections", "policy_timeline", "uas_deliveries", "uas_groups"]
FEWER_CLAIMS = """
from companion.tables.recipes import Built
from companion.tables.refresh import replace
from companion.tables import load

kept = {name: load(name).query("claim_id in ['C074', 'C075']") for name in ("claims", "claim_sources")}
kept["claims"] = kept["claims"].assign(chapter="deliveries")
replace({name: Built(rows) for name, rows in kept.items()})
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what is made once for all tests, whichever process makes it first."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """A new folder to fill, which becomes `folder`; None where another process has made it."""
    with FileLock(folder.with_suffix(".lock")):
        if folder.exists():
            yield None
            return
        yield (part := folder.with_suffix(".part"))
        part.rename(folder)


@pytest.fixture(scope="session")
def small_book(made: Path) -> Path:
    """A small book, built. It is shared: a test that changes something takes a copy."""
    folder = made / "small-book"
    with made_once(folder) as new:
        if new:
            make_small_book(new)
            done = build(new)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder


def make_small_book(target: Path) -> Path:
    """A whole project with a book that builds in seconds: two exhibits, two claims, and pages about the book itself.

    The library, the few tables, and the pages below `chapters/evidence/` are the project's own; links that lead to
    pages that the small book does not have are plain text in it.
    """
    copy_project(target)
    shutil.rmtree(target / "tests")
    shutil.rmtree(target / RECORDS)  # of other tables and chapters
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
    description = target / "data" / "datapackage.json"
    package = json.loads(description.read_text(encoding="utf-8"))
    package["resources"] = [resource for resource in package["resources"] if resource["name"] in SMALL_TABLES]
    description.write_text(json.dumps(package), encoding="utf-8")
    for table in (target / "data").glob("*.csv"):
        if table.stem not in SMALL_TABLES:
            table.unlink()
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
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", settings.VERDICTS):
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
    return run(folder, "python", "-m", "companion", "book")


@pytest.fixture(scope="session")
def html() -> Path:
    """The built book."""
    folder = ROOT / "_build" / "html"
    assert (folder / "index.html").is_file(), "The book is not built. Run `make book`, or `make test` for all at once."
    return folder


# What a reader sees depends on the fonts at hand. The tests have one that is as wide as Arial, whatever a machine has.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
<dir>{}</dir>
<alias binding="same"><family>Arial</family><prefer><family>Arimo</family></prefer></alias>
</fontconfig>
"""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert CHROMIUM, "No Chromium or Chrome was found; `make test` installs it."
    fonts = tmp_path_factory.mktemp("fonts") / "fonts.conf"
    fonts.write_text(FONTS.format(fontpkg.path("Arimo").parent), encoding="utf-8")
    with sync_playwright() as playwright:
        environment = os.environ | {"FONTCONFIG_FILE": str(fonts)}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, NO_NETWORK], env=environment)
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


def soup(path: Path) -> BeautifulSoup:
    """A page as a tree, which nobody changes: it is read once."""
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, written: int) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")


def quoted_values(page: Path) -> list[str]:
    """The numbers in the sentences of a page, in order, as its reader sees them."""
    return [value.get_text() for value in soup(page).select(".pasted-text")]


def wait_until(page: Page, script: str, argument: object = None) -> None:
    """Ask a page until it says yes. What Playwright has for that asks within the page, whose policy runs no text."""
    end = time.monotonic() + 30
    while not page.evaluate(script, argument):
        assert time.monotonic() < end, script
        page.wait_for_timeout(50)


@pytest.fixture(scope="session")
def sources() -> Path:
    """The folder of upstream files, which is not part of the repository."""
    if not SOURCES.is_dir():
        pytest.skip(f"no upstream files in {SOURCES}; set COMPANION_SOURCES to check that the tables can be rebuilt")
    return SOURCES
