"""Read U.S. trade by ten-digit code from an export of USITC DataWeb: the workbook, or a sheet of it saved as CSV.

No export by ten-digit code was at hand. The format is known from a real annual export by chapter with its parameters
(August 2025), a real monthly one, and public programs that read such workbooks, one of them by ten-digit code:

- The sheet "Query Parameters" holds what was chosen in the steps of DataWeb, as names and values.
- Each measure has a sheet of its name, or all stand in "Query Results". Above the column names are the flow with the
  time frame ("Total Exports|Annual Data") and the number of rows; below the rows are totals. A full year has a column
  named by its number, a part of a year one with its months in the name.
- Exported as raw data, a sheet begins with the column names, each year has its own rows, and only the parameters tell
  the flow.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from companion.sources.census_hs2 import dollars
from companion.sources.hs10 import COLUMNS, CONSUMPTION, EXPORTS, GENERAL, PARTNERS, dotted
from companion.sources.upstream import CsvCells, Row, SourceError, SourceFile
from companion.sources.workbooks import all_rows, open_workbook, says

PARAMETERS = "Query Parameters"
ROW_COUNT = "Data Row Count"
TYPE, NUMBER, COUNTRY, YEAR, UNIT = "Data Type", "HTS Number", "Country", "Year", "Quantity Description"
ALL_COUNTRIES = "ALL COUNTRIES"

# A trade flow of Step 1: the measure that gives its value, and the flow and basis in the result.
FLOWS = {
    "Total Exports": ("FAS Value", "export", EXPORTS),
    "General Imports": ("General Customs Value", "import", GENERAL),
    "Imports For Consumption": ("Customs Value", "import", CONSUMPTION),
}
MEASURES = {measure for measure, _, _ in FLOWS.values()}
# What a query has to be, so that its values are whole years of all trade in a code, in dollars.
WHOLE_YEARS_BY_CODE = {
    ("Step 1", "Classification System"): "HTS Items",
    ("Step 2", "Data Format"): "1",
    ("Step 2", "Select Type"): "Full Years",
    ("Step 2", "Timeframe Aggregation"): "Annual",
    ("Step 4", "Commodity Aggregation Level"): "10",
    ("Step 4", "Commodity Aggregation"): "Break Out Commodities",
    ("Step 5", "Select Type"): "Use All Programs",
    ("Step 5", "Import Program Aggregation"): "Aggregate CSC",
    ("Step 6", "Select Type"): "Use All Provision Codes",
    ("Step 6", "Provision Code Aggregation"): "Aggregate RPCODE",
    ("Step 7", "Select Type"): "Use All Districts",
    ("Step 7", "District Aggregation"): "Aggregate District",
}
ALL_AT_ONCE = {("Step 3", "Select Type"): "Use All Countries", ("Step 3", "Country Aggregation"): "Aggregate Countries"}

CHOOSE_YEARS = "In Step 2 of DataWeb, choose full years and the annual aggregation, and download again."

Choices = dict[tuple[str, str], str]  # step and name of a choice, and what was chosen
Line = tuple[int, list[str]]  # a row's number and its cells


@dataclass(frozen=True)
class Table:
    """The table of one sheet.

    Attributes:
        place: file and sheet, for messages.
        top: the rows above the column names.
        columns: the column names.
        years: the columns that hold a full year each; none where every year has its own rows.
        lines: the rows below the column names.
        in_workbook: whether a row may end early, as in a workbook where its last cells are empty.
    """

    place: str
    top: list[list[str]]
    columns: list[str]
    years: list[str]
    lines: Iterator[Line]
    in_workbook: bool

    @property
    def flow(self) -> str:
        """The trade flow that stands above the column names; empty where there is none."""
        flow, _, timeframe = next((cells[0] for cells in self.top if "|" in cells[0]), "|Annual").partition("|")
        if not timeframe.startswith("Annual"):
            raise SourceError(f"{self.place}: this is {timeframe!r}, not whole years. {CHOOSE_YEARS}")
        return flow.strip()

    def rows(self) -> Iterator[Row]:
        """The rows down to the totals.

        Raises:
            SourceError: a row is cut, or there are fewer rows than the sheet says.
        """
        count, width = 0, len(self.columns)
        for line, cells in self.lines:
            if cells[0].startswith("Total:"):
                break
            if not any(cells):
                continue
            filled = [*cells, *[""] * width][:width] if self.in_workbook else cells
            if len(filled) != width:
                raise SourceError(
                    f"{self.place}, row {line}: {len(cells)} fields where the header has {width}. The row is cut or "
                    "has a stray comma; download the file again."
                )
            count += 1
            yield Row(self.place, line, dict(zip(self.columns, filled, strict=True)))
        said = next((cells[1] for cells in self.top if cells[0] == ROW_COUNT and len(cells) > 1), "")
        if said.isdecimal() and count < int(said):
            raise SourceError(f"{self.place}: {count} of {said} rows. The file is cut; download it again.")

    def figures(self, row: Row) -> Iterator[tuple[str, int, str]]:
        """The figures of a row: measure, year, and the column that holds the value."""
        if TYPE in self.columns:
            measure = row.required(TYPE)
            yield from ((measure, int(year), year) for year in self.years)
        else:
            yield from ((measure, row.year(YEAR), measure) for measure in MEASURES if measure in self.columns)


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is an export of DataWeb, by its parameters or the number of rows above its columns."""
    return ROW_COUNT in file.head or says(file, ROW_COUNT) or says(file, "Timeframe Aggregation")


def read(file: SourceFile, codes: Collection[str], partners: Mapping[str, str] = PARTNERS) -> pd.DataFrame:
    """Read the trade in some codes, whole years only.

    Args:
        file: the workbook, or one of its sheets saved as CSV with the rows above its column names.
        codes: ten-digit codes as "8541.49.1050".
        partners: the partners to read: their name in the file in capital letters, and in the result. A query that
            aggregates all countries has the partner "ALL COUNTRIES".

    Returns:
        One row per partner, year and code that was traded, columns as in `hs10.COLUMNS`: the value in current U.S.
        dollars; `months` is 12. No row where nothing was traded or reported, hence none for a year that DataWeb does
        not have yet, which it gives as zero in every row. Quantities are left out.

    Raises:
        SourceError: the query is not one of whole years by ten-digit code, a sheet or column is missing, the file is
            cut, or a cell has no possible value. The message tells what to choose in DataWeb.
    """
    wanted = set(codes)
    chosen: Choices = {}
    flows, measures = set(), set()
    found: dict[tuple[str, str, int, str, str], int] = {}
    for sheet, lines in _sheets(file):
        if sheet == PARAMETERS:
            chosen = _choices(lines)
            _check(file, chosen)
            flows.add(chosen.get(("Step 1", "Trade Flow"), ""))
            continue
        table = _table(file, sheet, lines)
        if table is None:
            continue
        flows.add(table.flow)
        by_country = COUNTRY in table.columns
        if not by_country and any(chosen.get(choice) != value for choice, value in ALL_AT_ONCE.items()):
            raise SourceError(
                f"{table.place}: column {COUNTRY!r} is missing, and the parameters do not tell that all countries are "
                "aggregated. In Step 3 of DataWeb, use all countries and aggregate them, or break countries out."
            )
        for row in table.rows():
            code = _code(row)
            country = row.required(COUNTRY).upper() if by_country else ALL_COUNTRIES
            for measure, year, column in table.figures(row):
                measures.add(measure)
                if measure not in MEASURES or code not in wanted or country not in partners:
                    continue
                # A code whose unit of quantity has changed has a row for each unit; their values add up.
                key = (measure, partners[country], year, code, row.cells.get(UNIT, ""))
                if key in found:
                    raise row.wrong(column, f"code {code}, {country}, {year} stands there twice")
                found[key] = dollars(row, column) or 0
                if found[key] and str(year) >= _year_of_download(chosen):
                    raise row.wrong(column, f"{year} was not over when the file was downloaded; leave it out in Step 2")
    measure, flow, basis = _flow(file, flows - {""}, measures)
    records = [
        (flow, partner, year, code, basis, 12, value)
        for (name, partner, year, code, _), value in found.items()
        if name == measure and value
    ]
    rows = pd.DataFrame(records, columns=COLUMNS).astype({"year": int, "months": int, "value_usd": int})
    return rows.groupby(COLUMNS[:-1], as_index=False).sum()


def _sheets(file: SourceFile) -> Iterator[tuple[str, Iterator[Line]]]:
    """Every sheet with its name, the parameters first. A CSV file is one sheet without a name."""
    if file.head.startswith("PK"):
        book = open_workbook(file)
        names = [sheet.title for sheet in book.worksheets]
        for name in sorted(names, key=lambda name: name != PARAMETERS):
            yield name, ((n, [_text(cell.value) for cell in cells]) for n, cells in all_rows(file, book, name) if cells)
    else:
        yield "", _csv_lines(file)


def _csv_lines(file: SourceFile) -> Iterator[Line]:
    lines = CsvCells(file.name, file.text)
    for cells in lines:
        if cells:
            yield lines.line_num, [cell.strip() for cell in cells]


def _text(value: object) -> str:
    """A workbook's cell as text. Excel may hold a whole number with a fraction of zero."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _choices(lines: Iterator[Line]) -> Choices:
    """What was chosen in DataWeb."""
    step, chosen = "", {}
    for _, cells in lines:
        name, value = [*cells, ""][:2]
        if re.match(r"Step \d:", name):
            step = name.partition(":")[0]
        chosen[step, name] = value
    return chosen


def _check(file: SourceFile, chosen: Choices) -> None:
    """Refuse a query that does not give whole years by code. What an export does not tell is not checked."""
    for (step, name), value in WHOLE_YEARS_BY_CODE.items():
        if chosen.get((step, name), value) != value:
            raise SourceError(
                f"{file.name}, sheet {PARAMETERS!r}: {name!r} is {chosen[step, name]!r}. In {step} of DataWeb, choose "
                f"{value!r} and download again."
            )


def _year_of_download(chosen: Choices) -> str:
    """The year of the download, which was not over then; one that never comes where the date is not told."""
    found = re.search(r"\b\d{4}\b", chosen.get(("", "Download Date"), ""))
    return found[0] if found else "9999"


def _table(file: SourceFile, sheet: str, lines: Iterator[Line]) -> Table | None:
    """The table of a sheet; None where it has none."""
    place = f"{file.name}, sheet {sheet!r}" if sheet else file.name
    top: list[list[str]] = []
    for line, cells in lines:
        if TYPE in cells or NUMBER in cells:
            return Table(place, top, cells, _years(place, line, cells), lines, bool(sheet))
        top.append(cells)
    return None


def _years(place: str, line: int, columns: list[str]) -> list[str]:
    """The columns of full years, after a check that no other column is missing or doubled."""
    needed = [NUMBER] if TYPE in columns else [NUMBER, YEAR]
    missing = [name for name in needed if name not in columns]
    if missing:
        named = ", ".join(filter(None, columns))
        raise SourceError(f"{place}, row {line}: column {missing[0]!r} is missing. The sheet has: {named}.")
    twice = [name for name in columns if name and columns.count(name) > 1]
    if twice:
        raise SourceError(f"{place}, row {line}: two columns are named {twice[0]!r}. Download the file again.")
    years = Row(place, line, {name: name for name in columns if re.fullmatch(r"\d{4}", name)})
    if TYPE in columns and not years.cells:
        raise SourceError(f"{place}, row {line}: no column holds a full year. {CHOOSE_YEARS}")
    return [name for name in years.cells if years.year(name)]


def _code(row: Row) -> str:
    digits = row.required(NUMBER).replace(".", "")
    if len(digits) == 9:  # the zero at the beginning is lost where a cell holds a number
        digits = f"0{digits}"
    if not re.fullmatch(r"\d{10}", digits):
        problem = f"{row.text(NUMBER)!r} has not ten digits. Choose the ten-digit level in Step 4 of DataWeb"
        raise row.wrong(NUMBER, problem)
    return dotted(digits)


def _flow(file: SourceFile, flows: set[str], measures: set[str]) -> tuple[str, str, str]:
    """The measure that gives the value, the flow and the basis."""
    if len(flows) != 1 or not flows <= set(FLOWS):
        raise SourceError(
            f"{file.name}: the trade flow is {' and '.join(sorted(flows)) or 'not told'}, not one of "
            f"{', '.join(FLOWS)}. Choose one of them in Step 1 of DataWeb, and give the workbook as downloaded, or a "
            "sheet saved as CSV with the rows above its column names."
        )
    measure, flow, basis = FLOWS[flows.pop()]
    if measure not in measures:
        raise SourceError(
            f"{file.name}: no rows of {measure!r}, but of {', '.join(sorted(measures)) or 'no other data'}. Choose "
            f"{measure!r} as the data to report in Step 2 of DataWeb."
        )
    return measure, flow, basis
