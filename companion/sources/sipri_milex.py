"""Read the SIPRI Military Expenditure workbook: spending by country, in every release since 2016."""

import re

import pandas as pd
from openpyxl.cell.cell import Cell, MergedCell

from companion.sources.corrections import guard_missing, renames
from companion.sources.upstream import SourceError, SourceFile
from companion.sources.workbooks import open_workbook, rows_below, says

DATABASE = "SIPRI Military Expenditure Database"
# A measure, and how its sheet's name begins.
SHEETS = {
    "constant_usd_million": "Constant",
    "current_usd_million": "Current",
    "gdp_share_percent": "Share of GDP",
    "local_currency_million": "Local currency calendar",
    "local_currency_fiscal_million": "Local currency financial",
}
# SIPRI colors a number in blue where it is an estimate and in red where it is highly uncertain.
MARKS = {12: "estimate", 10: "highly uncertain"}
EMPTY = {"", "...", "..", ". .", ". . ", "xxx"}


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is SIPRI's military expenditure workbook, by what it says of itself."""
    return says(file, "Military expenditure by country, in local currency")


def read(file: SourceFile, countries: list[str]) -> pd.DataFrame:
    """Read the spending of some countries.

    Args:
        file: the workbook.
        countries: names as in this book ("United States", "South Korea").

    Returns:
        One row per country, year and measure: release (year in which SIPRI published the workbook), price_year (of
        constant dollars, else empty), country, year, measure (a key of SHEETS), value and mark ("estimate", "highly
        uncertain" or empty). Local currency and dollars in millions, share of GDP in percent. A year without a
        figure has no row.

    Raises:
        SourceError: a sheet or a country is missing, a cell has text where a number should be, or a zero is not known
            to stand for a missing figure.
    """
    book = open_workbook(file)
    found, zeros, names, release = [], [], renames(DATABASE, "country"), 0
    for measure, beginning in SHEETS.items():
        sheet = next((name for name in book.sheetnames if name.startswith(beginning)), None)
        if sheet is None:
            raise SourceError(f"{file.name}: no sheet {beginning!r}. The workbook has: {', '.join(book.sheetnames)}.")
        price_year = re.search(r"\((\d{4})\)", sheet)
        missing = set(countries)
        rows = rows_below(file, book, sheet, "Country")
        _, header = next(rows)
        years = {i: int(str(c.value)) for i, c in enumerate(header) if re.fullmatch(r"\d{4}", str(c.value or ""))}
        release = max(years.values()) + 1
        for number, cells in rows:
            name = str(cells[0].value or "").strip()
            country = names.get(name, name)
            if country not in countries:
                continue
            missing.discard(country)
            factor = _factor(measure, str(cells[1].value or ""))
            for i, year in years.items():
                value = _value(cells[i], f"{file.name}, sheet {sheet!r}, row {number}, column {year}")
                if value == 0:
                    zeros.append((measure, f"{country} {year}"))
                elif value is not None:
                    found.append(
                        {
                            "release": release,
                            "price_year": int(price_year[1]) if price_year else None,
                            "country": country,
                            "year": year,
                            "measure": measure,
                            "value": value * factor,
                            "mark": _mark(cells[i]),
                        }
                    )
        if missing:
            raise SourceError(f"{file.name}, sheet {sheet!r}: no row for {', '.join(sorted(missing))}.")
    guard_missing(DATABASE, release, zeros, file.name)
    return pd.DataFrame(found)


def _factor(measure: str, currency: str) -> float:
    """What turns a sheet's unit into ours: SIPRI has written "b. yen" and whole yen, and gives shares as fractions."""
    if measure == "gdp_share_percent":
        return 100
    if not measure.startswith("local_currency"):
        return 1
    return {"b.": 1000.0, "m.": 1.0}.get(currency[:2], 1e-6)


def _value(cell: Cell | MergedCell, place: str) -> float | None:
    value = cell.value
    if value is None or (isinstance(value, str) and value.strip() in EMPTY):
        return None
    if not isinstance(value, int | float) or value < 0:
        raise SourceError(f"{place}: {value!r} is not an amount. Download the workbook again.")
    return float(value)


def _mark(cell: Cell | MergedCell) -> str | None:
    color = cell.font.color if cell.font else None
    return MARKS.get(color.value) if color is not None and color.type == "indexed" else None
