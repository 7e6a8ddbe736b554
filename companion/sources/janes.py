"""Read sensor records from an export of Janes, whose columns follow the view that its user has set up.

Which column holds what stands in a mapping: `janes.toml` beside this module, and the user's own file of that name.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pandas as pd

from companion.sources.upstream import CsvCells, Row, SourceError, SourceFile
from companion.sources.workbooks import all_rows, open_workbook

DEFAULT = SourceFile("companion/sources/janes.toml", Path(__file__).with_name("janes.toml"))
ADAPT = "Write the names of its columns into data/local/janes.toml, as companion/sources/janes.toml explains."
LAST_HEADER_ROW = 20

FIELDS: dict[str, Callable[[Row, str], object]] = {
    "sensor": Row.required,
    "sensor_type": Row.text,
    "manufacturer": Row.required,
    "prime_contractor": Row.required,
    "platform": Row.text,
    "platform_type": Row.text,
    "operator_country": Row.text,
    "quantity": Row.number,
    "start_year": lambda row, column: row.year(column) if row.text(column) else None,
    "status": Row.text,
}
REQUIRED = [field for field, read in FIELDS.items() if read is Row.required]
NUMBERS = {"quantity": "Float64", "start_year": "Int64"}
TEXTS = [field for field in FIELDS if field not in NUMBERS]
MAPPING_TABLES = {"columns": list(FIELDS), "filter": TEXTS}

Line = tuple[int, list[str]]  # a row's number and its cells


@dataclass(frozen=True)
class Mapping:
    """Which columns of an export hold what, and which of its rows count. Names are in the form of `_plain`.

    Attributes:
        fields: the field of the table that each accepted column name stands for.
        kept: for each field that rows are chosen by, the values that count.
    """

    fields: dict[str, str]
    kept: dict[str, set[str]]

    def found(self, cells: list[str]) -> list[str | None]:
        """The field that each cell of a header stands for; None for other columns."""
        return [self.fields.get(_plain(cell)) for cell in cells]


def read_mapping(file: SourceFile | None) -> Mapping:
    """Read the default mapping; a list in the user's file takes the place of the default one.

    Args:
        file: the user's `janes.toml`; None for the default alone.

    Raises:
        SourceError: the file is not TOML, has an unknown key, a key has no list of names, a required field has an empty
            one, or a name stands for two fields. The message names the file and the key.
    """
    lists, own = _lists(DEFAULT), _lists(file) if file else {}
    columns, kept = ({**lists[table], **own.get(table, {})} for table in MAPPING_TABLES)
    fields: dict[str, str] = {}
    for field, names in columns.items():
        key = f"{(file or DEFAULT).name}, key 'columns.{field}'"
        if field in REQUIRED and not names:
            raise SourceError(f"{key}: the list is empty, but every record needs this field. Name its column.")
        for name in names:
            other = fields.setdefault(_plain(name), field)
            if other != field:
                raise SourceError(
                    f"{key}: the name {name!r} stands for {other!r} too. A column holds one field; write both lists "
                    "into data/local/janes.toml so that they have no name in common."
                )
    return Mapping(fields, {field: {_plain(value) for value in values} for field, values in kept.items() if values})


def recognizes(file: SourceFile, mapping: Mapping) -> bool:
    """Tell whether a file is a CSV or a workbook with a column for every required field."""
    # A folder may hold very large CSV files; their first lines are enough.
    top = file if _is_workbook(file) else SourceFile(file.name, file.head.encode())
    try:
        return any(_is_header(cells, mapping) for _, rows in _sheets(top) for _, cells in _first(rows))
    except SourceError:
        return False


def read(file: SourceFile, mapping: Mapping) -> pd.DataFrame:
    """Read the records of one export in its own order.

    Returns:
        One row per record that counts: record_no (from 1), then the fields in the order of `FIELDS`; quantity is a
        number of sensors. Records that are alike stay apart. A column that the export lacks is empty.

    Raises:
        SourceError: a required field has no column, a field has two, there is more than one header, there are no rows
            or none that count, a row is cut, the workbook is damaged, or a cell has no possible value: an empty one in
            a required field or in one that rows are chosen by, text in the quantity, an impossible year.
    """
    sheets = {place: list(lines) for place, lines in _sheets(file)}
    place, top, header = _header(file, sheets, mapping)
    columns = {field: name for name, field in zip(header, mapping.found(header), strict=True) if field}
    kept = {columns[field]: values for field, values in mapping.kept.items() if field in columns}
    rows = [_row(file, place, header, line) for line in sheets[place] if line[0] > top]
    if not rows:
        raise SourceError(f"{place}: there are no rows below the header in row {top}. Export the records again.")
    records = [
        {field: read(row, columns[field]) if field in columns else None for field, read in FIELDS.items()}
        for row in rows
        if all(_plain(row.required(column)) in values for column, values in kept.items())
    ]
    if not records:
        raise SourceError(
            f"{place}: none of its rows counts, by the text in {', '.join(map(repr, kept))}. "
            "Adapt [filter] in data/local/janes.toml, as companion/sources/janes.toml explains."
        )
    table = pd.DataFrame(records).astype(dict.fromkeys(TEXTS, "str") | NUMBERS)
    table.insert(0, "record_no", pd.Series(range(1, len(table) + 1), dtype="Int64"))
    return table


def _lists(file: SourceFile) -> dict[str, dict[str, list[str]]]:
    """The lists of names in a mapping file, by table and key."""
    try:
        tables = tomllib.loads(file.text)
    except ValueError as error:
        raise SourceError(
            f"{file.name}: {error}. Write each list as companion/sources/janes.toml does: names in quotation marks, "
            "commas between them, square brackets around them."
        ) from error
    for table, lists in tables.items():
        if table not in MAPPING_TABLES or not isinstance(lists, dict):
            raise SourceError(f"{file.name}, key {table!r}: lists belong below a line [columns] or [filter].")
        for key, names in lists.items():
            place = f"{file.name}, key '{table}.{key}'"
            if key not in MAPPING_TABLES[table]:
                raise SourceError(f"{place}: the key is none of {', '.join(MAPPING_TABLES[table])}.")
            if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
                raise SourceError(f'{place}: this is no list of names. Write it as {key} = ["Name", "Other name"].')
    return tables


def _is_workbook(file: SourceFile) -> bool:
    return file.head.startswith("PK\x03\x04") or file.name.lower().endswith(".xlsx")


def _sheets(file: SourceFile) -> Iterator[tuple[str, Iterator[Line]]]:
    """Every sheet: its place for messages, and its rows except blank ones. A CSV file counts as one sheet."""
    if _is_workbook(file):
        book = open_workbook(file)
        for sheet in book.worksheets:
            lines = ((line, [_text(c.value) for c in cells]) for line, cells in all_rows(file, book, sheet.title))
            yield f"{file.name}, sheet {sheet.title!r}", filter(_is_filled, lines)
    else:
        yield file.name, filter(_is_filled, _csv_lines(file))


def _csv_lines(file: SourceFile) -> Iterator[Line]:
    lines = CsvCells(file.name, file.text)
    yield from ((lines.line_num, cells) for cells in lines)


def _is_filled(line: Line) -> bool:
    return any(cell.strip() for cell in line[1])


def _text(value: object) -> str:
    """A workbook's cell as text. Excel may hold a whole number with a fraction of zero."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def _plain(name: str) -> str:
    """A name without capital letters, line breaks and extra blanks, for comparison."""
    return " ".join(name.split()).casefold()


def _first(lines: Iterable[Line]) -> Iterator[Line]:
    """The rows among which the header is."""
    return takewhile(lambda line: line[0] <= LAST_HEADER_ROW, lines)


def _is_header(cells: list[str], mapping: Mapping) -> bool:
    return set(REQUIRED) <= set(mapping.found(cells))


def _header(file: SourceFile, sheets: dict[str, list[Line]], mapping: Mapping) -> tuple[str, int, list[str]]:
    """The place, the row number and the column names of the only header."""
    headers = [(place, *line) for place, lines in sheets.items() for line in lines if _is_header(line[1], mapping)]
    if not headers or headers[0][1] > LAST_HEADER_ROW:
        raise _no_header(file, sheets, mapping)
    place, top, cells = headers[0]
    if len(headers) > 1:
        other, row, _ = headers[1]
        raise SourceError(
            f"{place}, row {top}, and {other}, row {row}: both name the columns of sensor records. "
            "Leave one table with one header in the file."
        )
    header = [" ".join(cell.split()) for cell in cells]
    names: dict[str, str] = {}
    for name, field in zip(header, mapping.found(header), strict=True):
        if field in names:
            raise SourceError(
                f"{place}, row {top}: the columns {names[field]!r} and {name!r} both stand for {field!r}. "
                "Name the right one in data/local/janes.toml, or remove the other from the file."
            )
        if field:
            names[field] = name
    return place, top, header


def _no_header(file: SourceFile, sheets: dict[str, list[Line]], mapping: Mapping) -> SourceError:
    """The error for a file without a header. It shows the row that comes closest: with most fields, then most cells."""
    tops = [(place, *line) for place, lines in sheets.items() for line in _first(lines)]
    if not tops:
        return SourceError(f"{file.name}: the first {LAST_HEADER_ROW} rows are empty. Export the records again.")

    def closeness(top: tuple[str, int, list[str]]) -> tuple[int, int]:
        return len(set(mapping.found(top[2])) - {None}), sum(bool(cell.strip()) for cell in top[2])

    place, row, cells = max(tops, key=closeness)
    missing = [field for field in REQUIRED if field not in mapping.found(cells)]
    columns = ", ".join(" ".join(cell.split()) for cell in cells if cell.strip())
    return SourceError(f"{place}: no column for {', '.join(missing)}. Row {row} has: {columns}. {ADAPT}")


def _row(file: SourceFile, place: str, header: list[str], line: Line) -> Row:
    number, cells = line
    if _is_workbook(file):  # a sheet gives cells as far as its widest row, or its last filled cell, reaches
        cells = [*cells, *[""] * len(header)][: len(header)]
    if len(cells) != len(header):
        raise SourceError(
            f"{place}, row {number}: {len(cells)} fields where the header has {len(header)}. The row is cut, has a "
            "stray comma, or is a note below the table, which has to be removed."
        )
    return Row(place, number, dict(zip(header, cells, strict=True)))
