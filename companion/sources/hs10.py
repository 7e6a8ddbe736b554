"""U.S. trade by ten-digit code: the one form in which every reader gives it, and the reader of its large collections.

A collection is a Parquet or CSV file with the columns of the Census International Trade API, one row per country,
code and month, as public repositories mirror it and as `make fetch-trade` saves it. It is read piece by piece, so
memory does not grow with the file.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from pyarrow import parquet

from companion.sources.files import SourceError, SourceFile

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
ROWS_AT_ONCE = 65_536


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
        file: the collection; only one piece of it is in memory at a time.
        codes: ten-digit codes as "8541.49.1050".
        partners: the partners to read: their name in the file in capital letters, and in the result.

    Returns:
        One row per partner, year and code that was traded, columns as in `COLUMNS`: the value in current U.S. dollars,
        and the number of months of the year that the file covers. No row where nothing was traded or reported.

    Raises:
        SourceError: a column is missing, the file is cut, or a cell has no possible value.
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
    wanted = pa.array([code.replace(".", "") for code in codes])
    covered: set[tuple[str, str]] = set()
    parts = []
    row = 2 if _is_csv(file) else 1
    for piece in _pieces(file, columns):
        table = piece.set_column(0, "CTY_NAME", pc.utf8_upper(piece["CTY_NAME"]))
        _check(file, table, measure, row)
        row += len(piece)
        month = table["time"] if time == ["time"] else pc.binary_join_element_wise(table["YEAR"], table["MONTH"], "-")
        table = table.append_column("month", month)
        table = table.filter(
            pc.and_(pc.is_in(table["CTY_NAME"], pa.array(list(partners))), pc.equal(table["COMM_LVL"], "HS10"))
        )
        seen = table.group_by(["CTY_NAME", "month"]).aggregate([])
        covered |= set(zip(seen["CTY_NAME"].to_pylist(), seen["month"].to_pylist(), strict=True))
        parts.append(table.filter(pc.is_in(table[measure.code], wanted)).to_pandas())
    rows = pd.concat(parts) if parts else pd.DataFrame(columns=[*columns, "month"])
    twice = rows[rows.duplicated(["CTY_NAME", measure.code, "month"])]
    if len(twice):
        first = twice.iloc[0]
        raise SourceError(
            f"{file.name}: code {first[measure.code]}, {first['CTY_NAME']}, {first['month']} stands there twice. "
            "Remove the double, or download the file again."
        )
    months = pd.Series([f"{country} {month[:4]}" for country, month in covered]).value_counts()
    return (
        pd.DataFrame(
            {
                "flow": measure.flow,
                "partner": rows["CTY_NAME"].map(partners),
                "year": rows["month"].str[:4].astype(int),
                "hts10": rows[measure.code].map(dotted),
                "valuation_basis": measure.basis,
                "months": (rows["CTY_NAME"] + " " + rows["month"].str[:4]).map(months).astype(int),
                "value_usd": rows[measure.value].astype("int64"),
            }
        )
        .groupby(COLUMNS[:-1], as_index=False)
        .sum()
    )


def dotted(code: str) -> str:
    """A ten-digit code as the book writes it: "8541491050" becomes "8541.49.1050"."""
    return f"{code[:4]}.{code[4:6]}.{code[6:]}"


def _is_csv(file: SourceFile) -> bool:
    return not file.head.startswith("PAR1")


def _header(file: SourceFile) -> list[str]:
    """The column names; none where the file has no form that a collection has."""
    if _is_csv(file):
        return [name.strip('"\ufeff') for name in file.head.partition("\n")[0].strip().split(",")]
    try:
        with file.open() as stream:
            return list(parquet.read_schema(stream).names)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file.name}: {error}. The file is cut or damaged; download it again.") from error


def _measure(header: list[str]) -> Measure | None:
    # Trade by chapter comes in the same columns, but without the level of the commodity.
    if "COMM_LVL" not in header:
        return None
    return next((m for m in MEASURES if m.code in header and m.value in header), None)


def _pieces(file: SourceFile, columns: list[str]) -> Iterator[pa.Table]:
    """The named columns as texts, some ten thousand rows at a time."""
    try:
        with file.open() as stream:
            if _is_csv(file):
                texts = arrow_csv.ConvertOptions(
                    include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
                )
                # Blocks are small, so that rows can be counted in them.
                batches = iter(arrow_csv.open_csv(stream, convert_options=texts))
            else:
                whole = parquet.ParquetFile(stream)
                # One group of rows after the other, or the reader keeps parts of all that it has passed.
                groups = range(whole.num_row_groups)
                batches = (b for i in groups for b in whole.iter_batches(ROWS_AT_ONCE, row_groups=[i], columns=columns))
            for batch in batches:
                piece = pa.Table.from_batches([batch]).select(columns)
                yield piece.cast(pa.schema([(column, pa.string()) for column in columns]))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file.name}: {error}. The file is cut or damaged; download it again.") from error


def _check(file: SourceFile, table: pa.Table, measure: Measure, first_row: int) -> None:
    """Refuse a piece with an impossible code, value or month, naming the row."""
    month = [("time", r"^\d{4}-(0[1-9]|1[0-2])$", "a month such as '2013-01'")]
    if "time" not in table.column_names:
        month = [("YEAR", r"^\d{4}$", "a year"), ("MONTH", r"^(0[1-9]|1[0-2])$", "a month such as '01'")]
    rules = [
        ("CTY_NAME", r".", "the name of a country"),
        (measure.value, r"^\d+$", "a whole number of dollars, zero or more"),
        *month,
    ]
    tests = [(column, pc.match_substring_regex(table[column], pattern), what) for column, pattern, what in rules]
    ten = pc.or_kleene(
        pc.not_equal(table["COMM_LVL"], "HS10"), pc.match_substring_regex(table[measure.code], r"^\d{10}$")
    )
    for column, passed, what in [*tests, (measure.code, ten, "a code of ten digits")]:
        wrong = pc.index(pc.fill_null(passed, False), False).as_py()
        if wrong >= 0:
            raise SourceError(
                f"{file.name}, row {first_row + wrong}, column {column!r}: {table[column][wrong].as_py()!r} is not "
                f"{what}. Correct the file or download it again."
            )
