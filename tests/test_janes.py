"""Janes exports, invented ones: records read under any column names that a mapping gives, or refused with the place."""

import io
import zipfile
from csv import writer as csv_writer
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from test_fuzz import DAMAGES, damaged

from companion.sources import SourceError, SourceFile, janes, walk
from companion.tables.recipes.janes import janes_sensors

HEADER = [
    "Sensor",
    "Sensor Type",
    "Manufacturer",
    "Prime Contractor",
    "Platform",
    "Platform Type",
    "Operator Country",
    "Quantity",
    "Start Year",
    "Status",
    "Remarks",
]
RECORD = ["Eye-1", "camera", "Maker A", "Prime B", "Kite", "air", "Japan", 1200, 2031, "planned", "invented"]
FIELDS = ["sensor", "sensor_type", "manufacturer", "prime_contractor", "platform", "platform_type"]
FIELDS += ["operator_country", "quantity", "start_year", "status"]
SHORT = ["Sensor", "Manufacturer", "Prime Contractor"]
TITLE = [["Market view, invented"], [], ["Exported", "2031-01-02"]]
DEFAULT = janes.read_mapping(None)


def changed(**cells: object) -> list[object]:
    """The record with other cells."""
    return [cells.get(name.replace(" ", "_").lower(), cell) for name, cell in zip(HEADER, RECORD, strict=True)]


def csv(*rows: list, name: str = "export.csv") -> SourceFile:
    content = io.StringIO()
    csv_writer(content).writerows(rows)
    return SourceFile(name, content.getvalue().encode())


def workbook(*sheets: list[list], name: str = "export.xlsx") -> SourceFile:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for i, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Sheet {i}")
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return SourceFile(name, content.getvalue())


def mapping(text: str) -> SourceFile:
    return SourceFile("janes.toml", text.encode())


def values(table: pd.DataFrame) -> list[list[object]]:
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize(
    "file",
    [
        csv(HEADER, RECORD),
        csv(*TITLE, HEADER, changed(quantity="1,200"), [""] * 11),
        csv([f" {name.upper()} " for name in HEADER], [f" {cell} " for cell in RECORD]),
        workbook([HEADER, RECORD]),
        workbook([["Notes"], ["nothing here"]], [], [*TITLE, HEADER, RECORD, [], ["", " "]]),
        workbook([[name.replace(" ", "\n") for name in HEADER], changed(quantity=1200.0, start_year="2031")]),
        workbook([["", *HEADER], ["", *RECORD, "aside"]]),
        workbook([HEADER, RECORD], name="export.csv"),
        SourceFile("bom.csv", b"\xef\xbb\xbf" + csv(HEADER, RECORD).content.replace(b"\r\n", b"\n")),
    ],
)
def test_the_same_record_is_read_from_every_form_of_export(file: SourceFile):
    assert janes.recognizes(file, DEFAULT)
    table = janes.read(file, DEFAULT)
    assert list(table) == ["record_no", *FIELDS]
    assert values(table) == [[1, *RECORD[:-1]]]


def test_columns_that_an_export_lacks_are_empty_and_keep_their_types():
    table = janes.read(csv(SHORT, ["Eye-1", "Maker A", "Prime B"]), DEFAULT)
    assert values(table) == [[1, "Eye-1", None, "Maker A", "Prime B", *[None] * 6]]
    assert table.dtypes.equals(janes.read(csv(HEADER, RECORD), DEFAULT).dtypes)


def test_rows_of_a_sheet_may_be_longer_or_shorter_than_its_header_and_years_have_a_fraction():
    book = openpyxl.Workbook(write_only=True)  # as server programs write: no width of the sheet is given
    sheet = book.create_sheet()
    for row in ([*SHORT, "Start Year", "Status"], ["Eye-1", "A", "B", 2031], ["Eye-2", "A", "B", 2032, "new", "aside"]):
        sheet.append(row)
    written, rewritten = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as parts, zipfile.ZipFile(rewritten, "w") as copy:
        for part in parts.namelist():
            copy.writestr(part, parts.read(part).replace(b"<v>2031</v>", b"<v>2031.0</v>"))
    table = janes.read(SourceFile("export.xlsx", rewritten.getvalue()), DEFAULT)
    assert values(table[["sensor", "start_year", "status"]]) == [["Eye-1", 2031, None], ["Eye-2", 2032, "new"]]


def test_empty_cells_are_missing_and_never_zero():
    table = janes.read(workbook([HEADER, changed(quantity=None, start_year=None, status=" ")]), DEFAULT)
    assert values(table[["quantity", "start_year", "status"]]) == [[None, None, None]]
    table = janes.read(workbook([HEADER, changed(quantity=0)]), DEFAULT)
    assert values(table[["quantity"]]) == [[0]]


def test_records_alike_are_kept_in_the_order_of_the_export_and_numbered():
    rows = [changed(sensor="Eye-2"), RECORD, changed(operator_country="Freedonia", manufacturer=""), RECORD]
    table = janes.read(csv(HEADER, *rows), DEFAULT)
    assert values(table[["record_no", "sensor"]]) == [[1, "Eye-2"], [2, "Eye-1"], [3, "Eye-1"]]


def test_a_filter_compares_whole_cells_without_regard_to_capitals():
    rows = [changed(operator_country=" JAPAN "), changed(operator_country="Japan, Freedonia")]
    assert janes.read(csv(HEADER, *rows), DEFAULT)["operator_country"].tolist() == ["JAPAN"]


def test_a_list_of_the_user_replaces_the_default_one_and_the_others_stay():
    own = mapping(
        '\ufeff[columns]\r\nprime_contractor = ["Lead Company", "主契約者"]\r\nquantity = []\r\n'
        '[filter]\r\noperator_country = []\r\nsensor_type = ["Camera"]\r\n'
    )
    header = ["主契約者" if name == "Prime Contractor" else name for name in HEADER]
    rows = [RECORD, changed(sensor_type="radar"), changed(operator_country="", quantity="several")]
    file = csv(header, *rows)
    assert not janes.recognizes(file, DEFAULT)
    adapted = janes.read_mapping(own)
    assert janes.recognizes(file, adapted)
    table = janes.read(file, adapted)
    assert values(table[["prime_contractor", "operator_country", "quantity"]]) == [
        ["Prime B", "Japan", None],
        ["Prime B", None, None],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[columns]\nsensor = [Name]", r"^janes.toml: .*line 2.*quotation marks"),
        ("[columns]\nstart_year = 99" + "9" * 5000, r"^janes.toml: "),
        ('sensor = ["Name"]', r"^janes.toml, key 'sensor': lists belong below a line \[columns\] or \[filter\]"),
        ('columns = ["Name"]', r"key 'columns': lists belong below"),
        ('[column]\nsensor = ["Name"]', r"key 'column': lists belong below"),
        (
            '[columns]\nsensors = ["Name"]',
            r"key 'columns.sensors': the key is none of sensor, sensor_type, manufacturer",
        ),
        ('[filter]\nquantity = ["1"]', r"key 'filter.quantity': the key is none of sensor,"),
        ('[columns]\nsensor = "Name"', r'key \'columns.sensor\': .* Write it as sensor = \["Name", "Other name"\]'),
        ("[columns]\nsensor = [1]", r"key 'columns.sensor': this is no list of names"),
        ('[columns]\nplatform = [" "]', r"key 'columns.platform': this is no list of names"),
        ("[columns]\nmanufacturer = []", r"key 'columns.manufacturer': the list is empty, but every record needs"),
        (
            '[columns]\nprime_contractor = ["MANUFACTURER"]',
            r"janes.toml, key 'columns.prime_contractor': the name 'MANUFACTURER' stands for 'manufacturer' too",
        ),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_its_key(text: str, message: str):
    with pytest.raises(SourceError, match=message):
        janes.read_mapping(mapping(text))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            csv(*TITLE, ["Sensor", "Maker", "Lead"], ["Eye-1", "Maker A", "Prime B"]),
            r"^export.csv: no column for manufacturer, prime_contractor. Row 4 has: Sensor, Maker, Lead. "
            r"Write .* into data/local/janes.toml",
        ),
        (
            workbook([["Notes"]], [["A view"], ["Name", "Maker\nname"]]),
            r"^export.xlsx, sheet 'Sheet 2': no column for sensor, manufacturer, prime_contractor. "
            r"Row 2 has: Name, Maker name. Write",
        ),
        (csv(*[["a note"]] * 20, HEADER, RECORD), r"export.csv: no column for sensor.* Row 1 has: a note"),
        (csv(HEADER), r"export.csv: there are no rows below the header in row 1"),
        (workbook([*TITLE, HEADER, []]), r"sheet 'Sheet 1': there are no rows below the header in row 4"),
        (SourceFile("export.csv", b""), r"export.csv: the first 20 rows are empty"),
        (workbook([]), r"export.xlsx: the first 20 rows are empty"),
        (
            csv([*HEADER, "sensor name"], [*RECORD, "Eye-1"]),
            r"row 1: the columns 'Sensor' and 'sensor name' both stand for 'sensor'. Name the right one in data/local/",
        ),
        (csv([*HEADER, "Status"], [*RECORD, "a"]), r"the columns 'Status' and 'Status' both stand for 'status'"),
        (
            workbook([HEADER, RECORD], [[], HEADER, RECORD]),
            r"sheet 'Sheet 1', row 1, and export.xlsx, sheet 'Sheet 2', row 2: both name the columns",
        ),
        (csv(HEADER, *[RECORD] * 30, HEADER, RECORD), r"export.csv, row 1, and export.csv, row 32: both name"),
        (csv(HEADER, RECORD, changed(sensor=" ")), r"export.csv, row 3, column 'Sensor': the cell is empty"),
        (csv(HEADER, changed(manufacturer="")), r"row 2, column 'Manufacturer': the cell is empty"),
        (csv(HEADER, changed(prime_contractor="")), r"row 2, column 'Prime Contractor': the cell is empty"),
        (csv(HEADER, changed(operator_country="")), r"row 2, column 'Operator Country': the cell is empty"),
        (
            workbook([TITLE[0], HEADER, changed(quantity="few")]),
            r"'Sheet 1', row 3, column 'Quantity': 'few' is not a nu",
        ),
        (csv(HEADER, changed(quantity=-1)), r"column 'Quantity': '-1' is not a possible value"),
        (csv(HEADER, changed(start_year=203)), r"column 'Start Year': '203' is not a year from 1900 to 2100"),
        (workbook([HEADER, changed(start_year=20.5)]), r"column 'Start Year': '20.5' is not a year"),
        (
            csv(HEADER, changed(operator_country="Freedonia")),
            r"export.csv: none of its rows counts, by the text in 'Operator Country'. Adapt \[filter\] in data/local/",
        ),
        (
            SourceFile("export.csv", csv(HEADER, RECORD).content + b"(c) 2031"),
            r"row 3: 1 fields where the header has 11",
        ),
        (SourceFile("export.csv", csv(HEADER, RECORD).content + b'"' + b"x" * 200_000), r"^export.csv, row \d: field"),
        (SourceFile("export.xlsx", workbook([HEADER, RECORD]).content[:-90]), r"^export.xlsx: .* It is damaged"),
        (SourceFile("export.xlsx", b"no workbook"), r"^export.xlsx: the workbook cannot be read .* It is damaged"),
    ],
)
def test_an_export_that_cannot_be_used_is_refused_with_the_place(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        janes.read(file, DEFAULT)


@pytest.mark.parametrize(
    "file",
    [
        csv(["Sensor", "Manufacturer"], ["Eye-1", "Maker A"]),
        workbook([["Notes"]]),
        SourceFile("export.xlsx", workbook([HEADER, RECORD]).content[:-90]),
        SourceFile("other.csv", b"\x00\xff" * 5000),
    ],
)
def test_other_files_are_not_recognized(file: SourceFile):
    assert not janes.recognizes(file, DEFAULT)


def test_tables_of_the_book_are_not_taken_for_an_export():
    assert janes_sensors(list(walk(ROOT / "data"))) is None
    assert not any(janes.recognizes(file, DEFAULT) for file in walk(ROOT / "data"))


def test_the_recipe_finds_the_export_and_the_mapping_in_a_folder(tmp_path: Path):
    (tmp_path / "view.csv").write_bytes(csv(["Sensor", "Maker", "Prime"], ["Eye-1", "Maker A", "Prime B"]).content)
    (tmp_path / "other.csv").write_text("country,year\nJapan,2024\n")
    assert janes_sensors(list(walk(tmp_path))) is None
    (tmp_path / "janes.toml").write_text('[columns]\nmanufacturer = ["Maker"]\n')
    built = janes_sensors(list(walk(tmp_path)))
    assert built is not None
    assert values(built.rows[["sensor", "manufacturer"]]) == [["Eye-1", "Maker A"]]
    assert built.csv == f"record_no,{','.join(FIELDS)}\n1,Eye-1,,Maker A,Prime B,,,,,,\n".encode()
    assert built.sources[0]["version"] == "view.csv"


def test_a_file_that_bears_the_name_of_janes_is_not_passed_over_in_silence():
    lacking = csv(["Sensor", "Maker", "Lead"], ["Eye-1", "a", "b"], name="Janes view.csv")
    with pytest.raises(SourceError, match=r"^Janes view.csv: no column for manufacturer, prime_contractor"):
        janes_sensors([lacking])
    built = janes_sensors([lacking, csv(HEADER, RECORD)])
    assert built is not None
    assert built.sources[0]["version"] == "export.csv"


def test_two_exports_or_two_mappings_are_refused():
    with pytest.raises(SourceError, match=r"Two files with sensor records of Janes: a.csv and b.xlsx"):
        janes_sensors([csv(HEADER, RECORD, name="a.csv"), workbook([HEADER, RECORD], name="b.xlsx")])
    with pytest.raises(SourceError, match=r"Two files with the columns of a Janes export: janes.toml and janes.toml"):
        janes_sensors([mapping("[columns]"), mapping("[filter]")])


FILES = {
    "csv": csv(*TITLE, HEADER, RECORD, changed(quantity="1,200", status="")),
    "workbook": workbook([["Notes"]], [*TITLE, HEADER, RECORD, changed(quantity=None)]),
    "mapping": janes.DEFAULT,
}


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(damages=DAMAGES)
def test_a_damaged_file_is_read_or_refused_with_its_name(name: str, damages: list[tuple[float, int, bytes]]):
    file = damaged(FILES[name], damages)
    assert janes.recognizes(file, DEFAULT) in (True, False)
    result: object
    try:
        result = janes.read_mapping(file) if name == "mapping" else janes.read(file, DEFAULT)
    except SourceError as problem:
        result = str(problem)
    assert isinstance(result, pd.DataFrame | janes.Mapping) or file.name in str(result)
