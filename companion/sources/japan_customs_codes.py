"""Read Japan's trade by nine-digit code from the files of Trade Statistics of Japan, as e-Stat gives them.

A file has one row per flow, year, code and, in the files by country, country: the value of the year and of each month.
In some years April is "Apl", codes stand in apostrophes and units are blanks. Collectors leave out months and write
codes plainly; both are read.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from companion.sources.upstream import Row, SourceError, SourceFile, read_rows

FLOW, YEAR, CODE, COUNTRY = "Exp or Imp", "Year", "HS", "Country"
OF_YEAR = ["Unit1", "Unit2", "Quantity1-Year", "Quantity2-Year", "Value-Year"]
FLOWS = {"1": "export", "2": "import"}
BASES = {"export": "FOB", "import": "CIF"}
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
UNITED_STATES = "304"
# The countries that these goods came from between 1988 and 2020: 1 is Asia, 2 Europe, 3 and 4 the Americas, 5 Africa,
# 6 Oceania.
COUNTRIES = frozenset(
    re.findall(
        r"\d+",
        """
        103 104 105 106 107 108 110 111 112 113 116 117 118 120 122 123 124 125 127 129 130 131 132 133 135
        137 138 140 141 143 144 146 147 150 154 156 157 201 202 203 204 205 206 207 208 209 210 211 213 214
        215 217 218 220 221 222 223 224 225 227 228 229 230 231 232 234 235 236 237 238 239 242 245 246 302
        303 304 305 309 310 311 312 314 316 321 322 323 324 327 328 329 333 401 404 406 407 409 410 411 413
        501 502 503 504 505 506 509 510 511 513 514 515 517 520 521 523 524 525 526 527 532 535 538 541 542
        543 544 547 548 551 559 601 602 605 606 610 611 612 613 617 618 620 621 622 627 628
        """,
    )
)
KEY = ["flow", "year", "hs9", "country"]
COLUMNS = [*KEY, "months", "valuation_basis", "unit", "quantity", "value_thousand_yen"]


@dataclass(frozen=True)
class Figure:
    """One row of a file: the number of a year and of its months, "1" for January, as far as the file has them.

    Attributes:
        country: the code of Japan Customs; "" in a file without countries.
        unit: what `quantity` counts: "NO" is pieces, "KG" kilograms.
        values: of the months, in thousand yen.
        quantities: of the months.
    """

    flow: str
    year: int
    hs9: str
    country: str
    unit: str
    quantity: int
    value: int
    values: dict[int, int]
    quantities: dict[int, int]


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is Japan's trade by nine-digit code, by its column names."""
    return {FLOW, CODE} <= set(_header(file))


def has_countries(file: SourceFile) -> bool:
    """Tell whether a file gives trade by country; one without countries gives trade with the world."""
    return COUNTRY in _header(file)


def read(file: SourceFile, codes: Collection[str]) -> pd.DataFrame:
    """Read the trade in some codes by year.

    Returns:
        One row per flow, year, code and country, columns as in `COLUMNS`: thousand yen at current prices, imports CIF
        and exports FOB. `country` is empty in a file without countries. `months` is the last month of the year in
        which the file has any trade in these codes, and 12 where it has no months. Pieces are counted where the file
        counts them, other goods by weight.

    Raises:
        SourceError: the file has another form, a cell has no possible value, the months do not add up to the year, or
            a figure stands there twice.
    """
    figures = list(_figures(file, codes))
    last: dict[tuple[str, int], int] = defaultdict(int)
    for figure in figures:
        traded = [month for month, value in figure.values.items() if value]
        reached = max(traded, default=0) if figure.values else 12
        last[figure.flow, figure.year] = max(last[figure.flow, figure.year], reached)
    records = [
        (f.flow, f.year, f.hs9, f.country, last[f.flow, f.year], BASES[f.flow], f.unit, f.quantity, f.value)
        for f in figures
    ]
    return _frame(records, COLUMNS)


def read_months(file: SourceFile, codes: Collection[str]) -> pd.DataFrame:
    """Read the trade in some codes by month.

    Returns:
        One row per flow, year, code, country and month ("month", 1 to 12) in which there was trade, otherwise as
        `read`.

    Raises:
        SourceError: as `read` does.
    """
    records = [
        (f.flow, f.year, f.hs9, f.country, month, BASES[f.flow], f.unit, f.quantities[month], value)
        for f in _figures(file, codes)
        for month, value in f.values.items()
        if value or f.quantities[month]
    ]
    return _frame(records, ["month" if column == "months" else column for column in COLUMNS])


def _frame(records: Sequence[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    numbers = [column for column in columns if column in {"year", "months", "month", "quantity", "value_thousand_yen"}]
    types = {column: "int64" if column in numbers else "str" for column in columns}
    return pd.DataFrame(records, columns=columns).astype(types)


def _header(file: SourceFile) -> list[str]:
    return next(csv.reader(file.head.splitlines()), [])


def _figures(file: SourceFile, codes: Collection[str]) -> Iterator[Figure]:
    header = _header(file)
    months = {number: name for number, name in enumerate(MONTHS, 1) if f"Value-{name}" in header}
    if "Value-Apl" in header:
        months = dict(sorted({**months, 4: "Apl"}.items()))
    if months and list(months) != list(range(1, len(months) + 1)):
        absent = next(name for number, name in enumerate(MONTHS, 1) if number not in months)
        raise SourceError(f"{file.name}: column 'Value-{absent}' is missing, and later months are there.")
    countries = [COUNTRY] if COUNTRY in header else []
    by_month = [f"{what}-{name}" for name in months.values() for what in ("Quantity1", "Quantity2", "Value")]
    seen: dict[tuple[str, int, str, str], int] = {}
    for row in read_rows(file, [FLOW, YEAR, CODE, *countries, *OF_YEAR, *by_month]):
        flow, year, code = FLOWS[row.choice(FLOW, FLOWS)], row.year(YEAR), _digits(row, CODE, 9)
        country = _digits(row, COUNTRY, 3) if countries else ""
        figures = {name: _whole(row, name) for name in [*OF_YEAR[2:], *by_month]}
        key = (flow, year, code, country)
        if key in seen:
            raise row.wrong(CODE, f"the {flow}s of {code}, {country or 'all countries'}, {year} are in row {seen[key]}")
        seen[key] = row.line
        values = {month: figures[f"Value-{name}"] for month, name in months.items()}
        total = figures["Value-Year"]
        if months and sum(values.values()) != total:
            raise row.wrong("Value-Year", f"{total:,} is not the sum of the months, {sum(values.values()):,}")
        if code not in codes:
            continue
        if country and country not in COUNTRIES:
            problem = f"{country!r} is no country code that is known; if Japan Customs lists it, add it to COUNTRIES"
            raise row.wrong(COUNTRY, problem)
        first = row.text("Unit1") == "NO"
        quantity = "Quantity1" if first else "Quantity2"
        yield Figure(
            *key,
            unit="NO" if first else row.required("Unit2"),
            quantity=figures[f"{quantity}-Year"],
            value=total,
            values=values,
            quantities={month: figures[f"{quantity}-{name}"] for month, name in months.items()},
        )


def _digits(row: Row, column: str, length: int) -> str:
    """A code, which some files have in apostrophes or quotation marks, and blanks around them."""
    code = row.required(column).strip("'\" ")
    if len(code) != length or not (code.isascii() and code.isdigit()):
        raise row.wrong(column, f"{row.text(column)!r} is not a code of {length} digits")
    return code


def _whole(row: Row, column: str) -> int:
    number = row.number(column)
    if number is None:
        raise row.wrong(column, "the cell is empty")
    if number != int(number):
        raise row.wrong(column, f"{row.text(column)!r} is not a whole number")
    return int(number)
