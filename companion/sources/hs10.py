"""U.S. trade by ten-digit code: the one form in which every reader gives it, and the reader of its large collections.

A collection is a Parquet or CSV file with the columns of the Census International Trade API, one row per country,
code and month, as public repositories mirror it and as `make fetch-trade` saves it. DuckDB checks, filters and sums
it while it scans the file, so memory does not grow with the file.
"""

import csv
import glob
import io
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb
import pandas as pd

from companion.sources.upstream import SourceError, SourceFile

# What publishers call the partners of this book, in capital letters.
PARTNERS = {
    "ALL COUNTRIES": "World",
    "JAPAN": "Japan",
    "TOTAL FOR ALL COUNTRIES": "World",
    "WORLD": "World",
    "WORLD TOTAL": "World",
}
EXPORTS = "total exports, FAS value"
GENERAL = "general imports, customs value"
CONSUMPTION = "imports for consumption, customs value"
COLUMNS = ["flow", "partner", "year", "hts10", "valuation_basis", "months", "value_usd"]

# The query behind every sum by ten-digit code: plain SQL over a table or view `trade` with the text columns country (in
# capital letters), level, code, month ("2013-01") and value. In the place of {partners} and {codes} stand lists of
# texts.
SUMS = """
SELECT country, SUBSTR(month, 1, 4) AS year, code, SUM(CAST(value AS BIGINT)) AS value_usd,
    COUNT(*) - COUNT(DISTINCT month) AS doubles
FROM trade
WHERE level = 'HS10' AND country IN ({partners}) AND code IN ({codes})
GROUP BY country, SUBSTR(month, 1, 4), code
"""
# How much of each year a collection covers, over `months`, the combinations that `_check` has found in it.
COVERED = """
SELECT country, SUBSTR(month, 1, 4) AS year, COUNT(DISTINCT month)
FROM months
WHERE level = 'HS10' AND country IN ({partners})
GROUP BY country, SUBSTR(month, 1, 4)
"""
DOUBLE = """
SELECT code, country, month, MIN(row), MAX(row)
FROM (SELECT ROW_NUMBER() OVER () AS row, * FROM trade)
WHERE level = 'HS10' AND country IN ({partners}) AND code IN ({codes})
GROUP BY code, country, month
HAVING COUNT(*) > 1
ORDER BY MIN(row)
LIMIT 1
"""
# Nothing is taken from a network, and nothing is guessed from the first rows. More threads would want more memory.
DATABASE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_file_cache": False,
    "memory_limit": "512MB",
    "threads": 4,
}
CSV = (
    "auto_detect = false, delim = ',', quote = '\"', escape = '\"', header = true, strict_mode = true, "
    "null_padding = false, compression = 'none', hive_partitioning = false, buffer_size = 8000000"
)


@dataclass(frozen=True)
class Measure:
    """One measure of the trade API: its columns for code and value, and what it measures."""

    code: str
    value: str
    flow: str
    basis: str


# A collection with both kinds of imports is read as general imports.
MEASURES = [
    Measure("E_COMMODITY", "ALL_VAL_MO", "export", EXPORTS),
    Measure("I_COMMODITY", "GEN_VAL_MO", "import", GENERAL),
    Measure("I_COMMODITY", "CON_VAL_MO", "import", CONSUMPTION),
]


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is a collection of trade by ten-digit code, by its column names."""
    return _measure(_header(file)) is not None


def read(file: SourceFile, codes: Collection[str], partners: Mapping[str, str] = PARTNERS) -> pd.DataFrame:
    """Read the trade in some codes from a collection, whole years and parts of years.

    Args:
        file: the collection, however large: memory is bounded, and a member of an archive is unpacked to disk.
        codes: ten-digit codes as "8541.49.1050".
        partners: the partners to read: their name in the file in capital letters, and in the result.

    Returns:
        One row per partner, year and code that was traded, columns as in `COLUMNS`: the value in current U.S. dollars,
        and the number of months of the year that the file covers. No row where nothing was traded or reported.

    Raises:
        SourceError: a column is missing, the file is cut, a cell has no possible value, or a code and month stand
            there twice.
    """
    header = _header(file)
    measure = _measure(header)
    if measure is None:
        raise SourceError(
            f"{file.name}: no columns of trade by ten-digit code, such as E_COMMODITY and ALL_VAL_MO. The file has: "
            f"{', '.join(header) or 'nothing'}. Is it the right file?"
        )
    time = ["time"] if "time" in header else ["YEAR", "MONTH"]
    columns = ["CTY_NAME", "COMM_LVL", measure.code, measure.value, *time]
    missing = [column for column in columns if column not in header]
    if missing:
        raise SourceError(f"{file.name}: column {missing[0]!r} is missing. The file has: {', '.join(header)}.")
    lists = {"partners": _texts(partners), "codes": _texts(code.replace(".", "") for code in codes)}
    month = " || '-' || ".join(time)
    keys = f"upper(CTY_NAME) AS country, COMM_LVL AS level, {month} AS month"
    with _scanned(file) as (database, scan):
        database.execute(f"CREATE TEMP VIEW collection AS SELECT {_cells(database, scan, header, columns)} FROM {scan}")
        _check(file, database, measure, time)
        database.execute(f"CREATE TEMP VIEW months AS SELECT {keys} FROM combinations")
        database.execute(
            f"CREATE TEMP VIEW trade AS SELECT {keys}, {measure.code} AS code, {measure.value} AS value FROM collection"
        )
        sums = database.execute(SUMS.format(**lists)).fetchall()
        if any(doubles for *_, doubles in sums):
            code, country, month, one, other = database.execute(DOUBLE.format(**lists)).fetchall()[0]
            raise SourceError(
                f"{file.name}, row {_row(file, other)}, column {measure.code!r}: code {code}, {country}, {month} "
                f"stands there twice, first in row {_row(file, one)}. Remove the double, or download the file again."
            )
        covered = database.execute(COVERED.format(**lists)).fetchall()
    months = {(country, year): count for country, year, count in covered}
    rows = [
        (measure.flow, partners[country], int(year), dotted(code), measure.basis, months[country, year], int(value))
        for country, year, code, value, _ in sums
    ]
    numbers = dict.fromkeys(["year", "months", "value_usd"], "int64")
    texts = dict.fromkeys([column for column in COLUMNS if column not in numbers], "str")
    table = pd.DataFrame(rows, columns=COLUMNS).astype(texts | numbers)
    return table.groupby(COLUMNS[:-1], as_index=False).sum()


def dotted(code: str) -> str:
    """A ten-digit code as the book writes it: "8541491050" becomes "8541.49.1050"."""
    return f"{code[:4]}.{code[4:6]}.{code[6:]}"


def _is_csv(file: SourceFile) -> bool:
    return not file.head.startswith("PAR1")


def _header(file: SourceFile) -> list[str]:
    """The column names; none where the file has no form that a collection has."""
    if _is_csv(file):
        return next(csv.reader(file.head.splitlines()), [])
    with _scanned(file) as (database, scan):
        return database.sql(f"FROM {scan}").columns


def _measure(header: list[str]) -> Measure | None:
    # Trade by chapter comes in the same columns, but without the level of the commodity.
    if "COMM_LVL" not in header:
        return None
    return next((m for m in MEASURES if m.code in header and m.value in header), None)


@contextmanager
def _scanned(file: SourceFile) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A database, and what to write after FROM to scan the file in it; what DuckDB finds wrong names the file."""
    with file.on_disk() as path, tempfile.TemporaryDirectory() as spill:
        exactly = _texts([glob.escape(str(path.absolute()))])  # or brackets in a name would stand for other files
        if _is_csv(file):
            # The names of the columns are those of the header; a name that comes twice is no problem this way.
            names = {f"c{n}": "VARCHAR" for n in range(len(_header(file)))}
            scan = f"read_csv({exactly}, columns = {names}, force_not_null = {list(names)}, {CSV})"
        else:
            scan = f"read_parquet({exactly}, hive_partitioning = false)"
        try:
            with duckdb.connect(config=DATABASE | {"temp_directory": spill}) as database:
                database.execute("SET enable_progress_bar = false")  # which it would show in a notebook
                yield database, scan
        except duckdb.OutOfMemoryException as error:
            raise SourceError(f"{file.name}: too little memory or disk space to read it; free some.") from error
        except (duckdb.Error, csv.Error) as error:
            raise SourceError(_message(file.name, path, str(error))) from error


def _message(name: str, path: Path, problem: str) -> str:
    """What DuckDB says of a file in one line: the row, if it tells one, and the reason, without options and paths."""
    told = re.search(r"on Line: (\d+)\n.*?\n([^\n]+)\n+Possible", problem, re.DOTALL)
    place, reason = (f", row {told[1]}", told[2]) if told else ("", problem.partition("\n")[0])
    reason = reason.removeprefix("Invalid Input Error: ").replace(str(path.absolute()), name).rstrip(". ")
    if "state machine" in reason:  # DuckDB's words for lines that do not all end alike, and for open quotation marks
        reason = "Its lines do not all end alike, or a quotation mark is not closed"
    return f"{name}{place}: {reason}. The file is cut or damaged; download it again."


def _texts(texts: Iterable[str]) -> str:
    """A list of texts as SQL writes it."""
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)


def _cells(database: duckdb.DuckDBPyConnection, scan: str, header: list[str], columns: list[str]) -> str:
    """The named columns of a scan as texts."""
    found = database.sql(f"FROM {scan}")
    cells = []
    for column in columns:
        place = header.index(column)
        cell = 'CAST("' + found.columns[place].replace('"', '""') + '" AS VARCHAR)'
        if found.types[place] != "VARCHAR":
            cell = f"regexp_replace({cell}, '[.]0+$', '')"  # a whole number that is kept as a float
        cells.append(f"{cell} AS {column}")
    return ", ".join(cells)


def _check(file: SourceFile, database: duckdb.DuckDBPyConnection, measure: Measure, time: list[str]) -> None:
    """Refuse a collection with an impossible cell, naming the first row that has one."""
    month = [("time", "[0-9]{4}-(0[1-9]|1[0-2])", "a month such as '2013-01'")]
    if time != ["time"]:
        month = [("YEAR", "[0-9]{4}", "a year"), ("MONTH", "0[1-9]|1[0-2]", "a month such as '01'")]
    rules = [
        ("CTY_NAME", "[^[:cntrl:]]+", "the name of a country"),
        ("COMM_LVL", "-|[A-Z]+[0-9]+", "a level such as 'HS10'"),
        # A sum of twelve months of fifteen digits fits into 64 bits.
        (measure.value, "0*[0-9]{1,15}", "a whole number of dollars, zero or more"),
        *month,
        (measure.code, "[0-9]{10}", "a code of ten digits"),
    ]
    passed = {column: f"coalesce(regexp_full_match({column}, '{pattern}'), false)" for column, pattern, _ in rules}
    passed[measure.code] = f"(COMM_LVL <> 'HS10' OR {passed[measure.code]})"
    # What repeats itself is checked once for each of its combinations, of which a whole collection has some thousands.
    repeated = ", ".join(["CTY_NAME", "COMM_LVL", *time])
    database.execute(
        f"CREATE TEMP TABLE combinations AS SELECT {repeated}, "
        f"bool_and({passed[measure.value]} AND {passed[measure.code]}) AS passed FROM collection GROUP BY {repeated}"
    )
    tests = [test for column, test in passed.items() if column in repeated.split(", ")]
    if not database.execute(f"SELECT 1 FROM combinations WHERE NOT ({' AND '.join(['passed', *tests])})").fetchone():
        return
    # Only now are the rows numbered, which takes longer than the sums.
    wrong = f"NOT ({' AND '.join(passed.values())})"
    numbered = "SELECT row_number() OVER () AS row, * FROM collection"
    cells = ", ".join(f"{column}, {test}" for column, test in passed.items())
    row, *found = database.execute(f"SELECT row, {cells} FROM ({numbered}) WHERE {wrong} LIMIT 1").fetchall()[0]
    column, cell, what = next(
        (column, cell, what)
        for (column, _, what), cell, right in zip(rules, found[::2], found[1::2], strict=True)
        if not right
    )
    raise SourceError(
        f"{file.name}, row {_row(file, row)}, column {column!r}: {cell!r} is not {what}. Correct the file or download "
        "it again."
    )


def _row(file: SourceFile, number: int) -> int:
    """Where a person finds a row that DuckDB numbers: a CSV has a header above, and perhaps blank lines."""
    if not _is_csv(file):
        return number
    with file.open() as stream:
        lines = csv.reader(io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline=""))
        return next(islice((place for place, cells in enumerate(lines, 1) if cells), number, None))
