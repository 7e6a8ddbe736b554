"""Measure what takes time: `make bench`. Not a test; ratios within one run are what counts.

The run times of the chapters become the table `run_times`, which the book shows.

Each measurement is a process of its own, so that its peak memory is its own.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
from nbclient import NotebookClient

from companion.chapters import chapter_paths, code_cells, read_chapter
from companion.own_files import VARIABLE
from companion.recipes import Built
from companion.refresh import replace
from companion.tables import root

ROWS = {"parquet": [10**5, 10**6, 10**7, 10**8], "csv": [10**5, 10**6, 10**7, 10**8]}
BYTES_A_ROW = {"parquet": 8, "csv": 36}
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

Line = dict[str, str | int | float]


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
        [sys.executable, "-c", LAUNCH, code, *arguments], stdout=subprocess.PIPE, text=True, check=True
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
REBUILD = (
    "import sys; from pathlib import Path; from companion.refresh import build_tables; build_tables(Path(sys.argv[1]))"
)


def time_chapters() -> Iterator[Line]:
    """Run every chapter once and keep the seconds, start of the kernel included, in `data/run_times.csv`."""
    rows = []
    for chapter in chapter_paths():
        notebook = read_chapter(chapter)
        started = time.perf_counter()
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(chapter.parent)}}).execute()
        rows.append(
            {
                "chapter": chapter.relative_to(root() / "chapters").with_suffix("").as_posix(),
                "code_cells": len(code_cells(notebook)),
                "seconds": round(time.perf_counter() - started, 1),
                "measured_on": f"{date.today()}",
                "processors": os.cpu_count(),
                "python_version": platform.python_version(),
            }
        )
        yield {"chapter": rows[-1]["chapter"], "seconds": rows[-1]["seconds"]}
    yield {"chapter": replace({"run_times": Built(pd.DataFrame(rows))})["run_times"], "seconds": ""}


def growth_with_trade_files() -> Iterator[Line]:
    """Read ever larger files of trade; seconds and the whole peak memory, without and with the start of Python."""
    base, floor = measure(READ.partition("rows =")[0], "")
    yield {"file": "none", "rows": 0, "seconds": base, "MB": floor, "rows per second": ""}
    with tempfile.TemporaryDirectory() as folder:
        for form, sizes in ROWS.items():
            for rows in sizes:
                if shutil.disk_usage(folder).free < 1.2 * rows * BYTES_A_ROW[form]:
                    yield {"file": form, "rows": rows, "seconds": "left out,", "MB": "disk", "rows per second": "full"}
                    continue
                path = Path(folder, f"trade.{form}")
                write_trade(path, rows)
                seconds, memory = measure(READ, str(path))
                path.unlink()
                speed = round(rows / max(seconds - base, 0.01))
                yield {"file": form, "rows": rows, "seconds": seconds - base, "MB": memory, "rows per second": speed}


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
            first, *others = (cell if isinstance(cell, str) else f"{cell:,.1f}".removesuffix(".0") for cell in row)
            print(f"{first:32}", *(f"{cell:>14}" for cell in others), flush=True)


def main() -> None:
    """Print how long each chapter and a whole rebuild take, and how time and memory grow with a file of trade."""
    os.environ[VARIABLE] = ""  # as everyone gets the book
    for measurement in (time_chapters, growth_with_trade_files, time_rebuild):
        print(f"\n{measurement.__doc__}\n")
        show(measurement())


if __name__ == "__main__":
    main()
