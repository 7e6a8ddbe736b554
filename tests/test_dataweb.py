"""The reader of DataWeb exports on small invented workbooks in every layout, whole and broken, and on a real cut."""

import csv
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from test_fuzz import DAMAGES, damaged

from companion import load
from companion.sources import SourceError, SourceFile, dataweb, hs10

CODE, OTHER = "8541.49.1050", "9013.80.2000"
DOWNLOAD, FLOW, LEVEL = ("", "Download Date"), ("Step 1", "Trade Flow"), ("Step 4", "Commodity Aggregation Level")
SELECT, COUNTRIES = ("Step 3", "Select Type"), ("Step 3", "Country Aggregation")
CHOSEN: dict[tuple[str, str], object] = {
    DOWNLOAD: "March 7, 2024, 10:56 AM",
    FLOW: "Total Exports",
    ("Step 1", "Classification System"): "HTS Items",
    ("Step 2", "Data Format"): 1,
    ("Step 2", "Select Type"): "Full Years",
    ("Step 2", "Timeframe Aggregation"): "Annual",
    SELECT: "Use All Countries",
    COUNTRIES: "Break Out Countries",
    ("Step 4", "Select Type"): "Select Individual Commodities",
    LEVEL: 10,
    ("Step 7", "Select Type"): "Use All Districts",
}
HEADER = ["Data Type", "HTS Number", "Description", "Country", 2021, 2022, 2023]
JAPAN = ["FAS Value", "8541491050", "PHOTODIODES", "Japan", 100, 0, "1,200.00"]
KOREA = ["FAS Value", "8541491050", "PHOTODIODES", "South Korea", 7, 8, 9]
QUANTITY = ["First Unit of Quantity", "8541491050", "PHOTODIODES", "Japan", 5, 5, "n.a."]
RAW = ["HTS Number", "Year", "Country", "Customs Value"]
TITLE = "Total Exports|Annual Data"
CSV = [f"{TITLE},,", "Data Row Count,1,", "Data Type,HTS Number,Country,2021", "FAS Value,8541.49.1050,Japan,5.00"]
CSV_TOTAL = "Total: ,,,5"

Rows = Sequence[Sequence[object]]


def workbook(sheets: dict[str, Rows]) -> SourceFile:
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    if sheets:
        book.remove(book.worksheets[0])
    stream = io.BytesIO()
    book.save(stream)
    return SourceFile("DataWeb.xlsx", stream.getvalue())


def parameters(changes: dict[tuple[str, str], object] | None = None) -> Rows:
    rows: list[list[object]] = []
    for (step, name), value in (CHOSEN | (changes or {})).items():
        if step and [f"{step}: invented"] not in rows:
            rows.append([f"{step}: invented"])
        rows.append([name, value])
    return rows


def titled(*rows: Sequence[object], header: Sequence[object] = HEADER, title: str = TITLE) -> Rows:
    return [[title], [dataweb.ROW_COUNT, len(rows)], header, *rows, ["Total: ", None, None, None, "1,000", "1", "1"]]


def export(*rows: Sequence[object], header: Sequence[object] = HEADER, **changes: object) -> SourceFile:
    """A workbook with a sheet of exports; `flow`, `level` and so on change its parameters."""
    places = {"flow": FLOW, "level": LEVEL, "countries": COUNTRIES, "select": SELECT, "download": DOWNLOAD}
    chosen = parameters({places[name]: value for name, value in changes.items()})
    return workbook({"FAS Value": titled(*rows, header=header), dataweb.PARAMETERS: chosen})


def raw(*rows: Sequence[object], header: Sequence[object] = RAW, flow: str = "Imports For Consumption") -> SourceFile:
    return workbook({"Query Results": [header, *rows], dataweb.PARAMETERS: parameters({FLOW: flow})})


def lines(*texts: str) -> SourceFile:
    return SourceFile("sheet.csv", "\n".join([*texts, ""]).encode())


def read(file: SourceFile, codes: Sequence[str] = (CODE, OTHER)) -> list[list[object]]:
    assert dataweb.recognizes(file)
    table = dataweb.read(file, codes)
    assert list(table.columns) == hs10.COLUMNS
    return table.to_numpy().tolist()


def test_a_sheet_of_a_measure_gives_a_row_per_year_with_trade():
    sheets = {"First Unit of Quantity": titled(QUANTITY), "FAS Value": titled(JAPAN, KOREA)}
    assert read(workbook(sheets | {dataweb.PARAMETERS: parameters()})) == [
        ["export", "Japan", 2021, CODE, hs10.EXPORTS, 12, 100],
        ["export", "Japan", 2023, CODE, hs10.EXPORTS, 12, 1200],
    ]


def test_measures_in_one_sheet_are_told_apart():
    sheets = {"Query Results": titled(QUANTITY, JAPAN), dataweb.PARAMETERS: parameters()}
    assert [row[-1] for row in read(workbook(sheets))] == [100, 1200]


def test_raw_data_have_a_row_per_year():
    file = raw([8541491050, 2021, "Japan", 11], [9013802000, 2022, "Japan", 0], [None], ["Total:", None, None, 11])
    assert read(file) == [["import", "Japan", 2021, CODE, hs10.CONSUMPTION, 12, 11]]


def test_a_sheet_saved_as_csv_tells_flow_and_years_above_its_columns():
    assert read(lines(*CSV, CSV_TOTAL)) == [["export", "Japan", 2021, CODE, hs10.EXPORTS, 12, 5]]


@pytest.mark.parametrize(
    ("flow", "measure", "basis"),
    [
        ("Total Exports", "FAS Value", hs10.EXPORTS),
        ("General Imports", "General Customs Value", hs10.GENERAL),
        ("Imports For Consumption", "Customs Value", hs10.CONSUMPTION),
    ],
)
def test_the_flow_decides_on_measure_and_basis(flow: str, measure: str, basis: str):
    every = ["FAS Value", "General Customs Value", "Customs Value"]
    values = {"FAS Value": 1, "General Customs Value": 2, "Customs Value": 3}
    file = raw([8541491050, 2021, "Japan", *values.values()], header=[*RAW[:-1], *every], flow=flow)
    assert [row[4:] for row in read(file)] == [[basis, 12, values[measure]]]
    in_csv = [line.replace("Total Exports", flow).replace("FAS Value", measure) for line in CSV]
    assert [row[4:] for row in read(lines(*in_csv))] == [[basis, 12, 5]]


@pytest.mark.parametrize("number", ["8541.49.1050", "8541491050", 8541491050, 8541491050.0])
def test_a_code_may_have_dots_and_may_be_a_number(number: object):
    assert len(read(export([JAPAN[0], number, *JAPAN[2:]]))) == 2


def test_a_whole_number_may_be_written_with_an_exponent():
    file, stream = export([JAPAN[0], 8541491050, *JAPAN[2:]]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file.content)) as old, zipfile.ZipFile(stream, "w") as written:
        for name in old.namelist():
            written.writestr(name, old.read(name).replace(b"<v>8541491050</v>", b"<v>8.54149105E9</v>"))
    assert b"8.54149105E9" in stream.getvalue()
    assert len(read(SourceFile(file.name, stream.getvalue()))) == 2


def test_the_zero_that_a_number_has_lost_is_put_back():
    file = export([JAPAN[0], 101210010, *JAPAN[2:]])
    assert [row[3] for row in read(file, ["0101.21.0010"])] == ["0101.21.0010"] * 2


def test_a_year_that_is_zero_in_every_row_and_a_part_of_a_year_are_left_out():
    header = [*HEADER, 2024, "January_to_february_year_2025"]
    rows = read(export([*JAPAN, 0, 50], [*KOREA, "0.00", 60], header=header))
    assert [row[2] for row in rows] == [2021, 2023]


def test_an_empty_cell_is_no_trade():
    assert [row[2] for row in read(export([*JAPAN[:4], None, None, 3]))] == [2023]


def test_rows_of_one_code_in_two_units_add_up():
    header = [*HEADER, "Quantity Description"]
    file = export([*JAPAN, "Value for: number"], [*JAPAN, "Value for: kilograms"], header=header)
    assert [row[-1] for row in read(file)] == [200, 2400]


def test_all_countries_in_one_figure_are_the_world_where_the_parameters_say_so():
    header, row = ["Data Type", "HTS Number", "", "Description", 2021], ["FAS Value", 8541491050, "", "PHOTODIODES", 9]
    assert read(export(row, header=header, countries="Aggregate Countries"))[0][1:3] == ["World", 2021]
    for changes in ({}, {"select": "Select Individual Countries", "countries": "Aggregate Countries"}):
        with pytest.raises(SourceError, match=r"DataWeb.xlsx, sheet 'FAS Value': column 'Country' is missing.*Step 3"):
            dataweb.read(export(row, header=header, **changes), [CODE])
    with pytest.raises(SourceError, match=r"sheet.csv: column 'Country' is missing"):
        dataweb.read(lines(*(line.replace("Country", "").replace("Japan", "") for line in CSV)), [CODE])


def test_only_the_partners_and_codes_that_are_asked_for_are_read():
    file = export(JAPAN, KOREA)
    table = dataweb.read(file, pd.Series([CODE]), {"SOUTH KOREA": "South Korea"})
    assert table["partner"].tolist() == ["South Korea"] * 3
    assert dataweb.read(file, [OTHER]).empty
    assert dataweb.read(file, [OTHER])["value_usd"].dtype == "int64"


def test_large_values_keep_every_dollar():
    assert read(export([*JAPAN[:4], "127,123,456,789.00", 127123456789.0, 1]))[0][-1] == 127123456789


@pytest.mark.parametrize(
    ("choice", "value", "message"),
    [
        (LEVEL, 2, r"DataWeb.xlsx, sheet 'Query Parameters': 'Commodity Aggregation Level' is '2'. In Step 4.*'10'"),
        (("Step 1", "Classification System"), "NAIC Codes", r"'NAIC Codes'. In Step 1 of DataWeb, choose 'HTS Items'"),
        (("Step 2", "Data Format"), 1000, r"'Data Format' is '1000'. In Step 2 of DataWeb, choose '1'"),
        (("Step 2", "Select Type"), "Specific Date Range", r"In Step 2 of DataWeb, choose 'Full Years'"),
        (("Step 2", "Timeframe Aggregation"), "Monthly", r"In Step 2 of DataWeb, choose 'Annual'"),
        (("Step 7", "Select Type"), "Select Individual Districts", r"In Step 7 of DataWeb, choose 'Use All Districts'"),
        (FLOW, "Domestic Exports", r"flow is Domestic Exports.*not one of Total Exports, General Imports, Imports For"),
        (FLOW, "General Imports", r"no rows of 'General Customs Value', but of FAS Value.*Step 2"),
    ],
)
def test_a_query_of_another_kind_is_refused_with_what_to_choose(choice: tuple[str, str], value: object, message: str):
    sheets = {"Query Results": titled(JAPAN)[2:], dataweb.PARAMETERS: parameters({choice: value})}
    file = workbook(sheets)
    assert dataweb.recognizes(file)
    with pytest.raises(SourceError, match=message):
        dataweb.read(file, [CODE])


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (workbook({dataweb.PARAMETERS: parameters()}), r"no rows of 'FAS Value', but of no other data"),
        (
            workbook({"Quantity": titled(QUANTITY), dataweb.PARAMETERS: parameters()}),
            r"DataWeb.xlsx: no rows of 'FAS Value', but of First Unit of Quantity",
        ),
        (workbook({"FAS Value": titled(JAPAN)[2:]}), r"DataWeb.xlsx: the trade flow is not told"),
        (
            workbook({"FAS Value": titled(JAPAN), "More": titled(KOREA, title="General Imports|Annual Data")}),
            r"the trade flow is General Imports and Total Exports, not one of",
        ),
        (
            workbook({"FAS Value": titled(JAPAN, title="Total Exports|Monthly data for 2021")}),
            r"'Monthly data for 2021'",
        ),
        (
            export(JAPAN, header=[*HEADER[:1], "HTS No.", *HEADER[2:]]),
            r"row 3: column 'HTS Number' is missing.*HTS No.",
        ),
        (export(JAPAN, header=["Type", *HEADER[1:]]), r"sheet 'FAS Value', row 3: column 'Year' is missing"),
        (export(JAPAN, header=[*HEADER[:3], "Partner", *HEADER[4:]]), r"column 'Country' is missing"),
        (export(JAPAN, header=[*HEADER[:4], 2021, 2022, 2022]), r"row 3: two columns are named '2022'"),
        (
            export(JAPAN, header=[*HEADER[:4], 1821, 2022, 2023]),
            r"column '1821': '1821' is not a year from 1900 to 2100",
        ),
        (export(JAPAN, header=[*HEADER[:4], "January", "February", "March"]), r"no column holds a full year.*Step 2"),
        (export([*JAPAN[:4], "x", 1, 1]), r"sheet 'FAS Value', row 4, column '2021': 'x' is not a number"),
        (export([*JAPAN[:4], -1, 1, 1]), r"row 4, column '2021': '-1' is not a possible value; at least 0"),
        (export([*JAPAN[:4], 1.5, 1, 1]), r"column '2021': '1.5' is not a whole number of dollars"),
        (export([*JAPAN[:4], "nan", 1, 1]), r"column '2021': 'nan' is not a possible value"),
        (export([*JAPAN[:3], None, 1, 1, 1]), r"row 4, column 'Country': the cell is empty"),
        (export([JAPAN[0], "8541.49", *JAPAN[2:]]), r"column 'HTS Number': '8541.49' has not ten digits.*Step 4"),
        (export([JAPAN[0], 90, *JAPAN[2:]]), r"column 'HTS Number': '90' has not ten digits"),
        (export([JAPAN[0], "85414910AB", *JAPAN[2:]]), r"'85414910AB' has not ten digits"),
        (export([JAPAN[0], None, *JAPAN[2:]]), r"column 'HTS Number': the cell is empty"),
        (export(KOREA, JAPAN, JAPAN), r"row 6, column '2021': code 8541.49.1050, JAPAN, 2021 stands there twice"),
        (
            export(JAPAN, download="August 7, 2023, 1:00 PM"),
            r"row 4, column '2023': 2023 was not over.*leave it out in",
        ),
        (export(), r"DataWeb.xlsx: no rows of 'FAS Value'"),
        (raw([8541491050, 1821, "Japan", 11]), r"sheet 'Query Results', row 2, column 'Year': '1821' is not a year"),
        (raw([8541491050, None, "Japan", 11]), r"row 2, column 'Year': the cell is empty"),
        (raw([8541491050, 2021, "Japan", 11], header=[*RAW[:1], "When", *RAW[2:]]), r"row 1: column 'Year' is missing"),
        (
            raw([8541491050, 2021, "Japan", 11], header=[*RAW[:-1], "Value"]),
            r"no rows of 'Customs Value', but of no other data",
        ),
        (raw(), r"DataWeb.xlsx: no rows of 'Customs Value'"),
        (lines(*CSV[2:]), r"sheet.csv: the trade flow is not told.*rows above its column names"),
        (lines(CSV[0], "Data Row Count,2,", *CSV[2:]), r"sheet.csv: 1 of 2 rows. The file is cut; download it again"),
        (lines(*CSV[:3], CSV_TOTAL), r"sheet.csv: 0 of 1 rows"),
        (lines(*CSV[:3], CSV[3][:-10]), r"sheet.csv, row 4: 3 fields where the header has 4"),
        (lines(*(line.replace("Annual", "Monthly") for line in CSV)), r"sheet.csv: this is 'Monthly Data'.*Step 2"),
        (lines(""), r"sheet.csv: the trade flow is not told"),
        (SourceFile("sheet.csv", b""), r"sheet.csv: the trade flow is not told"),
    ],
)
def test_a_bad_export_is_refused_with_the_place_and_what_to_do(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        dataweb.read(file, [CODE])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_workbook_is_refused(share: float):
    whole = export(JAPAN).content
    with pytest.raises(SourceError, match=r"DataWeb.xlsx: the workbook cannot be read.*download it again"):
        dataweb.read(SourceFile("DataWeb.xlsx", whole[: int(share * len(whole))]), [CODE])


def test_other_files_are_not_taken_for_exports():
    others = [lines("country,year", "Japan,2024"), workbook({"a": [["HTS Number", 2024], ["8541491050", 5]]})]
    assert not any(dataweb.recognizes(file) for file in others)


def test_the_real_export_by_chapter_is_refused_because_of_its_level(sources: Path):
    path = next(sources.rglob("us_total_exports_hts2_japan_annual_2020_2024.csv"))
    cut = SourceFile(path.name, path)
    for file in (cut, lines(TITLE, "Data Row Count,97", cut.text)):
        with pytest.raises(
            SourceError, match=r"column 'HTS Number': '01' has not ten digits.*ten-digit level in Step 4"
        ):
            dataweb.read(file, [CODE])


def test_the_real_export_is_read_with_codes_of_ten_digits(sources: Path):
    path = next(sources.rglob("us_total_exports_hts2_japan_annual_2020_2024.csv"))
    rows = list(csv.reader(path.read_text().splitlines()))
    asked = [f"{row[1]}01.11.1111" for row in rows[1:]]
    texts = [
        ",".join(f'"{cell}"' for cell in (row[0], code, *row[2:])) for row, code in zip(rows[1:], asked, strict=True)
    ]
    table = dataweb.read(lines(TITLE, f"Data Row Count,{len(texts)}", ",".join(rows[0]), *texts), asked)
    assert len(asked) == 97
    assert sorted(table["year"].unique()) == [2020, 2021, 2022, 2023, 2024]  # 2025 is zero in every row
    for chapter in ("84", "85", "90"):  # as the Census Bureau gives them; it has revised the years after 2022
        months = load("hs_chapter_trade").query("flow == 'export' and partner == 'Japan' and hs_chapter == @chapter")
        years = months.groupby(months["month"].str[:4].astype(int))["value_usd"].sum().loc[2020:2022]
        found = table[table["hts10"] == f"{chapter}01.11.1111"].set_index("year")["value_usd"].loc[2020:2022]
        assert found.tolist() == years.tolist()


def test_the_real_parameters_are_those_that_are_asked_for_but_for_the_level(sources: Path):
    path = next(sources.rglob("dataweb_query_parameters.csv"))
    rows = list(csv.reader(path.read_text().splitlines()))
    sheets = {"FAS Value": titled(JAPAN), dataweb.PARAMETERS: rows}
    with pytest.raises(SourceError, match=r"'Commodity Aggregation Level' is '2'. In Step 4 of DataWeb, choose '10'"):
        dataweb.read(workbook(sheets), [CODE])
    ten = [["Commodity Aggregation Level", "10"] if row[0] == "Commodity Aggregation Level" else row for row in rows]
    assert len(read(workbook(sheets | {dataweb.PARAMETERS: ten}))) == 2


@pytest.mark.parametrize("file", [export(JAPAN, KOREA), raw([8541491050, 2021, "Japan", 11]), lines(*CSV, CSV_TOTAL)])
@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(damages=DAMAGES)
def test_a_damaged_export_is_read_or_refused_with_its_name(file: SourceFile, damages: list[tuple[float, int, bytes]]):
    broken = damaged(file, damages)
    result: object
    try:
        dataweb.recognizes(broken)
        result = dataweb.read(broken, [CODE])
    except SourceError as problem:
        result = str(problem)
    assert isinstance(result, pd.DataFrame) or file.name in str(result)
