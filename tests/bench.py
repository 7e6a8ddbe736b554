"""Measure what takes time: `make bench`. Not a test; ratios within one run are what counts.

The run times of the chapters become the table `run_times`, those of what authors and readers wait for, beside plain
Jupyter Book's on the same chapters, the table `build_times`, and how time and memory grow the table `growth`; the book
shows all three.

Each measurement is a process of its own, so that its peak memory is its own.
"""

import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Any

import duckdb
import pandas as pd
from conftest import ROOT, copy_project, edit, make_small_book, wait_until
from nbclient import NotebookClient
from playwright.sync_api import Browser, Page, sync_playwright

from companion import settings
from companion.book.vega import for_browsers
from companion.chapters.notebooks import chapter_paths, code_cells, read_chapter
from companion.editions.printed import QUIET, find_browser
from companion.settings import root
from companion.tables.recipes import Built
from companion.tables.refresh import replace

ROWS = {"parquet": [10**5, 10**6, 10**7, 10**8], "csv": [10**5, 10**6, 10**7, 10**8]}
BYTES_A_ROW = {"parquet": 8, "csv": 36}
TRADE_FORMS = {"parquet": "Parquet", "csv": "CSV"}
MONTHS = [f"{year}-{month:02}" for year in range(2013, 2024) for month in range(1, 13)]
# An invented collection of exports: one code of the book, each month once; all the others belong to no definition.
TRADE = f"""
COPY (
    SELECT 'JAPAN' AS CTY_NAME, CAST(i % 9973 AS VARCHAR) AS ALL_VAL_MO,
        CASE WHEN i < {len(MONTHS)} THEN '9031494000' ELSE CAST(1000000000 + i AS VARCHAR) END AS E_COMMODITY,
        'HS10' AS COMM_LVL, list_extract({MONTHS}, i % {len(MONTHS)} + 1) AS time
    FROM range(?) AS numbers(i)
) TO '{{path}}'
"""

RUNS = 5
SPREAD: dict[str, Callable[[list[float]], float]] = {"median": median, "min": min, "max": max}
CHAPTERS = (10, 30, 100)
TABLE_ROWS = (10**3, 10**4, 10**5, 10**6)

Line = dict[str, Any]


def write_trade(path: Path, rows: int) -> None:
    """Write an invented collection of exports by ten-digit code."""
    with duckdb.connect() as database:
        database.execute("SET enable_progress_bar = false")
        database.execute("SET preserve_insertion_order = false")  # all threads write, and little waits in memory
        database.execute(TRADE.format(path=path), [rows])


# The system counts the memory of whoever starts a process towards its peak, so the one that starts it has to be small.
LAUNCH = """
import os, subprocess, sys, time
before = time.perf_counter()
_, status, usage = os.wait4(subprocess.Popen([sys.executable, "-c", *sys.argv[1:]]).pid, 0)
print(time.perf_counter() - before, usage.ru_maxrss / 1024)
sys.exit(status != 0)
"""


def measure(code: str, *arguments: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of a piece of Python in its own process."""
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, code, *arguments], stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


READ = """
import sys; from pathlib import Path
from companion import load; from companion.sources import SourceFile, hs10
codes = load("eo_codes")["hts10"]
rows = hs10.read(SourceFile("trade", Path(sys.argv[1])), codes)
assert rows["months"].eq(12).all() and len(rows) == 11, rows
"""
REBUILD = """
import sys; from pathlib import Path; from companion.tables.refresh import build_tables
build_tables(Path(sys.argv[1]))
"""


def time_chapters() -> Iterator[Line]:
    """Run every chapter once and keep the seconds, start of the kernel included, in `data/run_times.csv`."""
    rows = []
    for chapter in chapter_paths():
        notebook = read_chapter(chapter)
        started = time.perf_counter()
        place = {"metadata": {"path": str(chapter.parent)}}
        NotebookClient(notebook, timeout=120, resources=place, extra_arguments=["--log-level=ERROR"]).execute()
        rows.append(
            {
                "chapter": chapter.relative_to(root() / "chapters").with_suffix("").as_posix(),
                "code_cells": len(code_cells(notebook)),
                "seconds": round(time.perf_counter() - started, 1),
                **about(),
            }
        )
        yield {"chapter": rows[-1]["chapter"], "seconds": rows[-1]["seconds"]}
    yield {"chapter": keep("run_times", pd.DataFrame(rows)), "seconds": ""}


# Jupyter Book without the book's extension, on the same chapters: an exhibit is the chart or the table that it shows.
PLAIN = [
    ("_config.yml", "  extra_extensions:\n    - companion.book\n", ""),
    (
        "companion/exhibits/exhibit.py",
        "    tables = sorted({_name_of",
        "    return content  # type: ignore\n    tables = sorted({_name_of",
    ),
    ("companion/claims/form.py", "return {CLAIM_MIME: asdict(self), ", "return {"),
]
CHAPTER, TABLE = "chapters/uas/exporters.md", "data/uas_deliveries.csv"
ROW = "2022-08,2022-08-01,Poland,Warmate,one-way attack,loitering munition,2018,"


def make_plain(folder: Path) -> Path:
    """Let plain Jupyter Book build a copy of the project."""
    for name, old, new in PLAIN:
        edit(folder / name, (old, new))
    return folder


def seconds_of(folder: Path, command: list[str]) -> float:
    """Seconds of a build in a folder, with that folder's library."""
    program = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
    return timed(folder, program, os.environ | {"PYTHONPATH": str(folder)})


def timed(folder: Path, command: list[str], environment: Mapping[str, str]) -> float:
    """Seconds of a command; one that fails ends the measurement with the end of what it said."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed in {folder}:\n{(done.stdout + done.stderr)[-3000:]}")
    return time.perf_counter() - started


def start_over(folder: Path, number: int) -> None:
    """Remove everything that was built."""
    shutil.rmtree(folder / "_build", ignore_errors=True)


def change_chapter(folder: Path, number: int) -> None:
    """Change the code of one chapter."""
    edit(folder / CHAPTER, ("import altair as alt", f"import altair as alt  # {number}"))


def change_table(folder: Path, number: int) -> None:
    """Change one number of one table, which six chapters read."""
    text = (folder / TABLE).read_text(encoding="utf-8")
    (folder / TABLE).write_text(re.sub(rf"({ROW})\d+", rf"\g<1>{301 + number}", text), encoding="utf-8")


BUILDS: dict[str, Callable[[Path, int], None]] = {
    "cold build": start_over,
    "nothing changed": lambda folder, number: None,
    "one chapter edited": change_chapter,
    "one table edited": change_table,
}


def about() -> Line:
    """When and where something is measured."""
    return {
        "measured_on": f"{date.today()}",
        "processors": os.cpu_count(),
        "python_version": platform.python_version(),
    }


def keep(name: str, measured: pd.DataFrame) -> str:
    """Replace a table of the book by what was measured today, and say what changes."""
    source = {"title": "Own measurement with make bench", "path": "tests/bench.py", "version": f"run of {date.today()}"}
    return replace({name: Built(measured, sources=[source])})[name]


def spread(prefix: str, seconds: list[float]) -> Line:
    """Median, least and most of several runs."""
    return {f"{prefix}_{what}": round(of(seconds), 1) for what, of in SPREAD.items()}


Run = Callable[[int], float]


def in_turn(what: str, ours: Run, plain: Run | None = None) -> Line:
    """Several runs of something, in seconds, each followed by one of plain Jupyter Book where that has it too."""
    pairs = [(ours(number), plain(number) if plain else None) for number in range(RUNS)]
    seconds, others = ([pair[i] for pair in pairs] for i in (0, 1))
    line = {"what": what, "runs": RUNS, **spread("seconds", seconds)}
    if plain:
        line |= spread("plain", others) | {"ratio": round(median(a / b for a, b in pairs), 2)}
    return line | about()


def builds() -> Iterator[Line]:
    """Build the book from nothing and after a change, and build it plainly."""
    with tempfile.TemporaryDirectory() as work:
        book, other = copy_project(Path(work, "book")), make_plain(copy_project(Path(work, "plain")))

        def build(folder: Path, command: list[str], change: Callable[[Path, int], None], number: int) -> float:
            change(folder, number)
            return seconds_of(folder, command)

        for name, change in BUILDS.items():
            yield in_turn(
                name,
                partial(build, book, ["python", "-m", "companion", "book"], change),
                partial(build, other, ["jupyter-book", "build", "."], change),
            )


def setups() -> Iterator[Line]:
    """From a fresh clone to the book, packages in uv's cache; and the author's loop after one edited chapter."""
    with tempfile.TemporaryDirectory() as work:
        book, other = Path(work, "book"), Path(work, "plain")

        def from_clone(number: int) -> float:
            return seconds_outside(fresh_clone(book), "make", "-s", "book")

        def from_plain_clone(number: int) -> float:
            setup = seconds_outside(make_plain(fresh_clone(other)), "make", "-s", ".venv/installed")
            return setup + seconds_outside(other, ".venv/bin/jupyter-book", "build", ".")

        def after_an_edit(number: int) -> float:
            edit(book / CHAPTER, ("\n## ", f"\nOne more sentence, {'again ' * number}written.\n\n## "))
            return seconds_outside(book, "make", "-s", "check")

        yield in_turn("fresh clone to book", from_clone, from_plain_clone)
        seconds_outside(book, "make", "-s", "check")  # what the type checker keeps
        yield in_turn("make check, one chapter edited", after_an_edit)


def imports() -> Iterator[Line]:
    """What a chapter imports, beside what it imports without the library."""
    others = "import altair, pandas"
    ours = f"{others}; from companion import claim, exhibit, facts, load"
    yield in_turn("imports of a chapter", lambda number: measure(ours)[0], lambda number: measure(others)[0])


def time_builds() -> Iterator[Line]:
    """Time what authors and readers wait for, beside plain Jupyter Book, and keep it in `data/build_times.csv`."""
    rows = []
    for line in chain(imports(), builds(), setups()):
        rows.append(line)
        yield {key: line.get(key) for key in ("what", "seconds_median", "plain_median", "ratio")}
    yield {"what": keep("build_times", pd.DataFrame(rows))}


PAGE_FIVE, FRONT = "chapters/uas/exporters.html", "chapters/index.html"
LOADS = 10  # of a page, in turn with the other book's
SLOWED = 4  # times, as a phone's processor is
# Tells when a chart stood on the page for one frame, and adds up how far things moved by themselves.
WATCH = """
window.moved = 0;
new PerformanceObserver(list => list.getEntries().forEach(entry => {
  if (!entry.hadRecentInput) window.moved += entry.value;
})).observe({type: "layout-shift", buffered: true});
const look = () => {
  const charts = document.querySelectorAll(".exhibit-static svg, .vega-embed svg, .vega-embed canvas");
  const drawn = [...charts].some(chart => chart.getBoundingClientRect().height > 50);
  requestAnimationFrame(drawn ? () => { window.firstChart = performance.now(); } : look);
};
requestAnimationFrame(look);
"""


class Silent(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a built book; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def opened(browser: Browser, address: str, width: int = 1280, slowed: int = 1) -> Iterator[tuple[Page, list[bytes]]]:
    """A page as a reader opens it first, and what it loads. Libraries of another host come from this machine."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page, loaded = context.new_page(), []
    library = for_browsers()
    page.route("**/cdn.jsdelivr.net/**", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.route("**/npm/vega@*", lambda route: route.fulfill(body=library, content_type="text/javascript"))
    page.on("requestfinished", lambda request: loaded.append(request.response().body()))
    page.add_init_script(WATCH)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.goto(address, wait_until="networkidle")
    yield page, loaded
    context.close()


def weight(browser: Browser, address: str) -> float:
    """What a page loads before its reader does anything, compressed, in kB."""
    with opened(browser, address) as (_, loaded):
        return sum(len(gzip.compress(body, 9)) for body in loaded) / 1000


def first_chart(browser: Browser, address: str) -> float:
    """Milliseconds until a page's first chart is there, on a slowed processor."""
    with opened(browser, address, slowed=SLOWED) as (page, _):
        wait_until(page, "window.firstChart")
        return float(page.evaluate("window.firstChart"))


def shift(browser: Browser, address: str, width: int) -> float:
    """How far things on a page move by themselves while it is read to its end, as browsers count it."""
    with opened(browser, address, width) as (page, _):
        page.mouse.move(width / 2, 400)
        for _ in range(200):
            page.mouse.wheel(0, 600)
            page.wait_for_timeout(60)
            if page.evaluate("innerHeight + scrollY >= document.documentElement.scrollHeight - 2"):
                break
        page.wait_for_timeout(500)
        return float(page.evaluate("window.moved"))


def weigh_pages() -> Iterator[Line]:
    """What pages weigh, when their first chart shows, and how far they move, beside plain Jupyter Book."""
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        plain = make_plain(copy_project(Path(work, "plain")))
        seconds_of(plain, ["jupyter-book", "build", "."])
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*QUIET])
        html = ROOT / "_build" / "html"
        with served(html) as ours, served(plain / "_build" / "html") as theirs:
            for page in (PAGE_FIVE, FRONT):
                one, other = (weight(browser, f"{root}/{page}") for root in (ours, theirs))
                yield {"page": f"kB of {page}", "book": one, "plain": other, "ratio": f"{one / other:.2f}"}
            times = [[first_chart(browser, f"{root}/{PAGE_FIVE}") for root in (ours, theirs)] for _ in range(LOADS)]
            one, other = (median(pair[i] for pair in times) for i in (0, 1))
            yield {"page": "ms to the first chart", "book": one, "plain": other, "ratio": f"{one / other:.2f}"}
            pages = sorted(path.relative_to(html).as_posix() for path in (html / "chapters").rglob("*.html"))
            for width in (1280, 768, 360):
                moved = {page: shift(browser, f"{ours}/{page}", width) for page in pages}
                worst = max(moved, key=lambda page: moved[page])
                yield {"page": f"shift at {width} px", "book": f"{moved[worst]:.4f}", "plain": worst, "ratio": ""}
        browser.close()


def fresh_clone(folder: Path) -> Path:
    """The committed state in a folder, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    return folder


def seconds_outside(folder: Path, *command: str) -> float:
    """Seconds of a command in a clone, with nothing of this environment."""
    clean = {name: os.environ[name] for name in ("HOME", "PATH", "COMPANION_SOURCES") if name in os.environ}
    return timed(folder, [*command], clean)


def cold_seconds(book: Path) -> float:
    """Seconds of a build from nothing."""
    start_over(book, 0)
    return seconds_of(book, ["python", "-m", "companion", "book"])


def growth_with_chapters() -> Iterator[Line]:
    """Build books of ever more generated chapters, from nothing."""
    for number in CHAPTERS:
        with tempfile.TemporaryDirectory() as work:
            book = make_small_book(Path(work, "book"))
            page = (book / "chapters" / "groups.md").read_text(encoding="utf-8")
            for i in range(number):
                text = page.replace("small-groups", f"groups-{i}").replace("'consensus'", f"'consensus' and {i} >= 0")
                text = text.replace("UAV", f"UAV-{i}")  # a term is explained once
                (book / "chapters" / f"more-{i}.md").write_text(text, encoding="utf-8")
            toc = "".join(f"      - file: chapters/more-{i}\n" for i in range(number))
            edit(book / "_toc.yml", ("      - file: chapters/groups\n", f"      - file: chapters/groups\n{toc}"))
            yield grown("build of generated chapters", number, [(cold_seconds(book), None) for _ in range(RUNS)])


def growth_with_tables() -> Iterator[Line]:
    """Load ever larger tables; seconds and peak memory of the whole process."""
    for rows in TABLE_ROWS:
        with tempfile.TemporaryDirectory() as work:
            (Path(work) / "data").mkdir()
            fields = [{"name": "name", "type": "string"}, {"name": "value", "type": "number"}]
            resource = {"name": "large", "path": "large.csv", "schema": {"fields": fields}}
            (Path(work) / "data" / "datapackage.json").write_text(json.dumps({"resources": [resource]}))
            lines = "".join(f"name {i},{i / 7}\n" for i in range(rows))
            (Path(work) / "data" / "large.csv").write_text(f"name,value\n{lines}")
            code = f"import os; os.chdir({work!r}); from companion import load; load('large')"
            yield grown("load of a table’s rows", rows, [measure(code) for _ in range(RUNS)])


def growth_with_trade_files() -> Iterator[Line]:
    """Read ever larger files of trade; seconds and peak memory of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        for form, sizes in ROWS.items():
            for rows in sizes:
                if shutil.disk_usage(folder).free < 1.2 * rows * BYTES_A_ROW[form]:
                    raise SystemExit(f"{rows:,} rows of {form}: the disk of {folder} is too small.")
                path = Path(folder, f"trade.{form}")
                write_trade(path, rows)
                runs = [measure(READ, str(path)) for _ in range(RUNS)]
                path.unlink()
                yield grown(f"sum of a trade file’s rows, {TRADE_FORMS[form]}", rows, runs)


def grown(what: str, size: int, runs: list[tuple[float, float | None]]) -> Line:
    """One size of something that grows: the time and its spread, and the most memory in MB where it was measured."""
    memory = [megabytes for _, megabytes in runs if megabytes is not None]
    return {
        "what": what,
        "size": size,
        "runs": len(runs),
        **spread("seconds", [seconds for seconds, _ in runs]),
        "memory_mb": round(max(memory)) if memory else None,
    }


def growth() -> Iterator[Line]:
    """Let chapters, tables and files of trade grow, and keep time and memory in `data/growth.csv`."""
    rows = []
    for line in chain(growth_with_chapters(), growth_with_tables(), growth_with_trade_files()):
        rows.append(line | about())
        yield line
    yield {"what": keep("growth", pd.DataFrame(rows).astype({"memory_mb": "Int64"}))}


def time_rebuild() -> Iterator[Line]:
    """Rebuild every table, where the upstream files are at hand."""
    sources = Path(os.environ.get("COMPANION_SOURCES", Path(__file__).parents[2] / "shared" / "sources"))
    if sources.is_dir():
        seconds, memory = measure(REBUILD, str(sources))
        yield {"what": "every table from its sources", "seconds": seconds, "MB": memory}


def show(lines: Iterator[Line]) -> None:
    """Print the lines of one table, each as it is measured."""
    for number, line in enumerate(lines):
        for row in (line.keys(), line.values()) if number == 0 else (line.values(),):
            first, *others = (written(cell) for cell in row)
            print(f"{first:40}", *(f"{cell:>14}" for cell in others), flush=True)


def written(cell: object) -> str:
    """A cell as a person reads it."""
    if isinstance(cell, int | float):
        return f"{cell:,.1f}".removesuffix(".0")
    return "" if cell is None else str(cell)


def main() -> None:
    """Print every measurement, or those that are named."""
    os.environ |= settings.PUBLIC  # as everyone gets the book
    measurements = (time_chapters, time_builds, weigh_pages, growth, time_rebuild)
    for measurement in [m for m in measurements if m.__name__ in sys.argv[1:] or not sys.argv[1:]]:
        print(f"\n{measurement.__doc__}\n")
        show(measurement())


if __name__ == "__main__":
    main()
