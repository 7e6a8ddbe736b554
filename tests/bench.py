"""Measure what takes time: `make bench`. Not a test; ratios within one run are what counts.

The run times of the chapters become the table `run_times`, which the book shows.

Each measurement is a process of its own, so that its peak memory is its own.
"""

import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
from nbclient import NotebookClient
from pyarrow import parquet

from companion.chapters import chapter_paths, code_cells, read_chapter
from companion.own_files import VARIABLE
from companion.recipes import Built
from companion.refresh import replace
from companion.tables import root

ROWS = 20_000
FACTORS = (1, 10, 100, 1_000)
MONTHS = [f"{year}-{month:02}" for year in range(2013, 2024) for month in range(1, 13)]


def write_trade(path: Path, rows: int) -> None:
    """An invented collection of exports by ten-digit code; each piece is written as it is made."""
    months = pd.Series(MONTHS)
    schema = pa.schema([(name, pa.string()) for name in ("CTY_NAME", "ALL_VAL_MO", "E_COMMODITY", "COMM_LVL", "time")])
    csv = path.suffix == ".csv"
    with parquet.ParquetWriter(path, schema) if not csv else path.open("w") as out:
        for start in range(0, rows, ROWS):
            number = pd.Series(range(start, min(start + ROWS, rows)))
            piece = pd.DataFrame(
                {
                    "CTY_NAME": "JAPAN",
                    "ALL_VAL_MO": (number % 9_973).astype(str),
                    # One code of the book, each month once; all the others belong to no definition.
                    "E_COMMODITY": (1_000_000_000 + number).astype(str),
                    "COMM_LVL": "HS10",
                    "time": months.reindex(number % len(months)).to_numpy(),
                }
            )
            piece.loc[number < len(MONTHS), "E_COMMODITY"] = "9031494000"
            if csv:
                piece.to_csv(out, index=False, header=start == 0)
            else:
                out.write_table(pa.Table.from_pandas(piece, schema, preserve_index=False))


def measure(code: str, *arguments: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of a piece of Python in its own process."""
    before = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"A measurement failed: {code}")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


READ = """
import sys; from pathlib import Path
from companion import load; from companion.sources import SourceFile, hs10
rows = hs10.read(SourceFile("trade", Path(sys.argv[1])), load("eo_codes")["hts10"])
assert rows["months"].eq(12).all() and len(rows) == 11, rows
"""
REBUILD = (
    "import sys; from pathlib import Path; from companion.refresh import build_tables; build_tables(Path(sys.argv[1]))"
)


def time_chapters() -> None:
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
        print(f"{rows[-1]['seconds']:>6.1f} s  {rows[-1]['chapter']}", flush=True)
    print("run_times:", replace({"run_times": Built(pd.DataFrame(rows))})["run_times"])


def main() -> None:
    """Print how time and memory grow with a trade file, and how long a whole rebuild and each chapter take."""
    os.environ[VARIABLE] = ""  # as everyone gets the book
    time_chapters()
    base, floor = measure(READ.partition("rows")[0], "")
    print(f"{'file':8} {'rows':>11} {'seconds':>8} {'MB':>6}   (without Python's start: {base:.2f} s, {floor:.0f} MB)")
    with tempfile.TemporaryDirectory() as folder:
        for form in ("parquet", "csv"):
            first = None
            for factor in FACTORS:
                path = Path(folder, f"trade.{form}")
                write_trade(path, ROWS * factor)
                seconds, memory = measure(READ, str(path))
                first = first or (seconds, memory)
                print(
                    f"{form:8} {ROWS * factor:>11,} {seconds - base:>8.2f} {memory:>6.0f}   "
                    f"rows x{factor:,}: memory x{memory / first[1]:.2f}",
                    flush=True,
                )
                path.unlink()
    sources = Path(os.environ.get("COMPANION_SOURCES", Path(__file__).parents[2] / "shared" / "sources"))
    if sources.is_dir():
        seconds, memory = measure(REBUILD, str(sources))
        print(f"Every table from its sources: {seconds:.1f} s, {memory:.0f} MB")


if __name__ == "__main__":
    main()
