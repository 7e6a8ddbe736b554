"""Read U.S. trade by ten-digit code from a report of USA Trade Online saved as CSV.

No report by ten-digit code was at hand. The format is known from real reports of imports by chapter and from public
programs that read such reports, one of them by ten-digit code: lines of title, the column names with a comma at their
end, and one row per commodity, country and time, with no row where nothing was traded. The value of exports stands in
"Value ($US)"; it counts domestic and foreign goods together where the report does not split them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

import pandas as pd

from companion.sources.census_hs2 import dollars
from companion.sources.hs10 import COLUMNS, CONSUMPTION, EXPORTS, GENERAL, PARTNERS, dotted
from companion.sources.upstream import FIRST_YEAR, LAST_YEAR, CsvCells, Row, SourceError, SourceFile

COMMODITY, COUNTRY, TIME = DIMENSIONS = ("Commodity", "Country", "Time")
# A column of values, and its flow and basis.
VALUES = {
    "Value ($US)": ("export", EXPORTS),
    "Total Exports Value ($US)": ("export", EXPORTS),
    "Customs Value (Gen) ($US)": ("import", GENERAL),
    "Customs Value (Cons) ($US)": ("import", CONSUMPTION),
}
# A column that measures something. Any other splits the trade up, as by district.
MEASURE = re.compile(r"\(\$US\)|\(kg\)|Quantity|Unit Value")
TEN_DIGITS = re.compile(r"(\d{10})( .*)?")


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is a report by ten-digit code, by its columns and the first row below them."""
    try:
        first = next(_rows(file.name, file.head), None)
    except SourceError:
        return False
    return first is not None and TEN_DIGITS.fullmatch(first.cells[COMMODITY]) is not None


def read(file: SourceFile, codes: Collection[str], partners: Mapping[str, str] = PARTNERS) -> pd.DataFrame:
    """Read the trade in some codes, whole years and parts of years.

    Args:
        file: the report.
        codes: ten-digit codes as "8541.49.1050".
        partners: the partners to read: their name in the report in capital letters, and in the result.

    Returns:
        One row per basis, partner, year and code that was traded, columns as in `hs10.COLUMNS`: the value in current
        U.S. dollars, and the number of months of the year that the report has for the partner. A month in which the
        partner traded none of the report's commodities is not in the report, and so does not count.

    Raises:
        SourceError: the report has no columns of trade by code, splits the trade up by more than commodity, country
            and time, gives a year both whole and in months, or a cell has no possible value.
    """
    wanted = set(codes)
    figures = set()
    sums: Counter[tuple[str, str, int, str, str]] = Counter()
    covered: dict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for row in _rows(file.name, file.text):
        code, country, (year, month, months) = _code(row), row.required(COUNTRY).upper(), _time(row)
        if country not in partners:
            continue
        partner = partners[country]
        parts = covered[partner, year]
        if parts.setdefault(month, months) != months or (0 in parts and len(parts) > 1):
            raise row.wrong(TIME, f"{year} stands there as a year and in parts; leave one of them in the report")
        figure = (partner, year, month, code)
        if figure in figures:
            raise row.wrong(COMMODITY, f"code {code}, {country}, {row.text(TIME)} stands there twice")
        figures.add(figure)
        for column, (flow, basis) in VALUES.items():
            if code in wanted and column in row.cells:
                sums[flow, partner, year, code, basis] += dollars(row, column) or 0
    records = [(*key, sum(covered[key[1:3]].values()), value) for key, value in sums.items() if value]
    rows = pd.DataFrame(records, columns=COLUMNS).astype({"year": int, "months": int, "value_usd": int})
    return rows.sort_values(COLUMNS[:-1], ignore_index=True)


def _rows(name: str, text: str) -> Iterator[Row]:
    """The rows of a report, without the titles above the column names and the notes below the rows."""
    # A report that is cut ends inside quotation marks, which only a strict reader minds.
    lines = CsvCells(name, text, strict=True)
    header = next((_header(name, cells) for cells in lines if set(DIMENSIONS) <= set(cells)), [])
    row = None
    for cells in lines:
        if not any(cells[1:]) and not "".join(cells)[:1].isdigit():
            continue
        if len(cells) < len(header) or any(cells[len(header) :]):
            raise SourceError(
                f"{name}, row {lines.line_num}: {len(cells)} fields where the header has {len(header)}. The row is "
                "cut or has a stray comma; download the report again."
            )
        row = Row(name, lines.line_num, dict(zip(header, cells, strict=False)))
        yield row
    if not header:
        raise SourceError(f"{name}: no row with the columns {', '.join(DIMENSIONS)}. Is it the right file?")
    if row is None:
        raise SourceError(f"{name}: there are no rows below the column names. Download the report again.")


def _header(name: str, cells: list[str]) -> list[str]:
    """The column names, without the empty one after the comma at their end."""
    header = cells[:-1] if not cells[-1] else cells
    unknown = [column for column in header if column not in DIMENSIONS and not MEASURE.search(column)]
    if unknown:
        raise SourceError(
            f"{name}: column {unknown[0]!r} splits the trade up or is not known. Leave {', '.join(DIMENSIONS)} and the "
            "values in the report, and download it again."
        )
    if VALUES.keys().isdisjoint(header):
        raise SourceError(f"{name}: none of the columns {', '.join(VALUES)}. The file has: {', '.join(header)}.")
    twice = [column for column in header if header.count(column) > 1]
    if twice:
        raise SourceError(f"{name}: two columns are named {twice[0]!r}. Download the report again.")
    return header


def _code(row: Row) -> str:
    """The code, from "8541491050 Photosensitive Diodes"."""
    found = TEN_DIGITS.fullmatch(row.required(COMMODITY))
    if not found:
        problem = f"{row.text(COMMODITY)!r} does not begin with ten digits. Choose ten-digit commodities for the report"
        raise row.wrong(COMMODITY, problem)
    return dotted(found[1])


def _time(row: Row) -> tuple[int, int, int]:
    """The year, the month or 0 for one figure of the year, and the number of months."""
    text = row.required(TIME)
    for form in ("%B %Y", "%Y", "%Y through %B"):
        try:
            time = datetime.strptime(text, form)
        except ValueError:
            continue
        if FIRST_YEAR <= time.year <= LAST_YEAR:
            return {
                "%B %Y": (time.year, time.month, 1),
                "%Y": (time.year, 0, 12),
                "%Y through %B": (time.year, 0, time.month),
            }[form]
    raise row.wrong(TIME, f"{text!r} is not a time such as '2024', 'January 2024' or '2024 through March'")
