"""Read U.S. imports for consumption by ten-digit code from cuts of reports of USA Trade Online.

A cut, as a collector made it, keeps the codes of some headings and their values. It has one column of values per
partner, or one row per code and country, with a row for all countries, which they add up to.
"""

import csv
import re
from collections import Counter

import pandas as pd

from companion.sources.census_hs2 import dollars
from companion.sources.hs10 import CONSUMPTION
from companion.sources.upstream import Row, SourceError, SourceFile, read_rows

CODE, TEXT, COUNTRY = "hts10", "description_with_unit", "country"
ALL = "World Total"
BASIS = CONSUMPTION
WIDE = re.compile(r"imports_for_consumption_(\d{4})_(world|japan)_usd")
LONG = re.compile(r"imports_for_consumption_(\d{4})_usd")
# As the Census Bureau names the countries of the reports.
COUNTRIES = [
    *("Australia", "Austria", "Belgium", "Brazil", "Canada", "Chile", "China", "Colombia", "Croatia", "Czech Republic"),
    *("Denmark", "Finland", "France", "Germany", "Greece", "Hong Kong", "Hungary", "India", "Israel", "Italy", "Japan"),
    *("Korea, South", "Latvia", "Lithuania", "Malaysia", "Mexico", "Netherlands", "New Zealand", "Norway", "Poland"),
    *("Saudi Arabia", "Singapore", "Slovenia", "South Africa", "Spain", "Sweden", "Switzerland", "Taiwan", "Thailand"),
    *("Turkey", "United Arab Emirates", "United Kingdom", "Vietnam", ALL),
]
NAMES = {ALL: "World", "Korea, South": "South Korea"}
COLUMNS = ["partner", "year", "hts10", "value_usd"]


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is a cut with a column of values per partner, by its column names."""
    return {CODE, TEXT} <= set(_header(file)) and any(map(WIDE.fullmatch, _header(file)))


def recognizes_countries(file: SourceFile) -> bool:
    """Tell whether a file is a cut with a row per country, by its column names."""
    return {CODE, TEXT, COUNTRY} <= set(_header(file))


def read(file: SourceFile) -> pd.DataFrame:
    """Read a cut with a column of values per partner, Japan and the world.

    Returns:
        One row per partner, year and ten-digit code with a value, in current U.S. dollars. A code without a value was
        not in force, or not traded.

    Raises:
        SourceError: the columns are not those of both partners for one year, a code stands there twice, or a cell has
            no possible value.
    """
    found = [match for match in map(WIDE.fullmatch, _header(file)) if match]
    if len(found) != 2 or len({match[1] for match in found}) > 1:
        raise SourceError(f"{file.name}: it needs one column of values for the world and one for Japan, of one year.")
    records, seen = [], set[str]()
    for row in read_rows(file, [CODE, TEXT]):
        code = _code(row)
        if code in seen:
            raise row.wrong(CODE, f"{code} stands there twice")
        seen.add(code)
        for match in found:
            if (value := dollars(row, match[0])) is not None:
                records.append((match[2].capitalize(), int(match[1]), code, value))
    return pd.DataFrame(records, columns=COLUMNS).astype({"year": "int64", "value_usd": "int64"})


def read_countries(file: SourceFile) -> pd.DataFrame:
    """Read a cut with a row per code and country.

    Returns:
        One row per partner, year and ten-digit code, columns as in `COLUMNS`, in current U.S. dollars; "World" is the
        total that the report gives.

    Raises:
        SourceError: a country is unknown, a figure stands there twice or is impossible, or the countries of a code do
            not add up to its total, as in a file that is cut.
    """
    found = [match for match in map(LONG.fullmatch, _header(file)) if match]
    if len(found) != 1:
        raise SourceError(f"{file.name}: it needs one column such as 'imports_for_consumption_2024_usd'.")
    records, sums, totals, seen = [], Counter[str](), {}, set[tuple[str, str]]()
    for row in read_rows(file, [CODE, TEXT, COUNTRY]):
        code, country, value = _code(row), row.choice(COUNTRY, COUNTRIES), dollars(row, found[0][0])
        if value is None:
            raise row.wrong(found[0][0], "the cell is empty")
        if (code, country) in seen:
            raise row.wrong(CODE, f"{code}, {country} stands there twice")
        seen.add((code, country))
        if country == ALL:
            totals[code] = value
        else:
            sums[code] += value
        records.append((NAMES.get(country, country), int(found[0][1]), code, value))
    for code in sorted({code for code, _ in seen}):
        if sums[code] != totals.get(code):
            told = f"is {totals[code]:,}" if code in totals else "has no row"
            raise SourceError(
                f"{file.name}: the countries of code {code} add up to {sums[code]:,}, and {ALL} {told}. The file is "
                "cut; get it again."
            )
    return pd.DataFrame(records, columns=COLUMNS).astype({"year": "int64", "value_usd": "int64"})


def _header(file: SourceFile) -> list[str]:
    return next(csv.reader(file.head.splitlines()), [])


def _code(row: Row) -> str:
    code = row.required(CODE)
    if not re.fullmatch(r"\d{10}", code, re.ASCII):
        raise row.wrong(CODE, f"{code!r} is not a code of ten digits")
    return code
