"""The reader of USA Trade Online reports by ten-digit code, on small invented reports, whole and broken."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from test_fuzz import DAMAGES, damaged

from companion.sources import SourceError, SourceFile, census_hs2, hs10, usa_trade_online, walk

CODE, OTHER = "8541.49.1050", "9013.80.2000"
TITLES = ['"Standard Report - Imports"', '"Current date: 05/31/2026 5:48 AM (Eastern Daylight Time)"']
COLUMNS = '"Commodity","Country","Time"'
GENERAL, CONSUMPTION = '"Customs Value (Gen) ($US)"', '"Customs Value (Cons) ($US)"'
JANUARY = '"8541491050 Photosensitive Diodes, Nesoi","Japan","January 2024","1,000"'
FEBRUARY = '"8541491050 Photosensitive Diodes, Nesoi","Japan","February 2024","20"'


def report(*rows: str, values: str = GENERAL, columns: str = COLUMNS, titles: Sequence[str] = TITLES) -> SourceFile:
    return SourceFile("report.csv", "\n".join([*titles, f"{columns},{values},", *rows, ""]).encode())


def read(file: SourceFile, codes: Sequence[str] = (CODE, OTHER)) -> list[list[object]]:
    assert usa_trade_online.recognizes(file)
    table = usa_trade_online.read(file, codes)
    assert list(table.columns) == hs10.COLUMNS
    return table.to_numpy().tolist()


def test_months_are_added_up_and_counted():
    assert read(report(JANUARY, FEBRUARY)) == [["import", "Japan", 2024, CODE, hs10.GENERAL, 2, 1020]]


def test_a_year_counts_twelve_months_and_a_part_of_it_as_many_as_it_says():
    rows = [JANUARY.replace("January 2024", "2024"), JANUARY.replace("January 2024", "2026 through March")]
    assert [row[2:6:3] for row in read(report(*rows))] == [[2024, 12], [2026, 3]]


@pytest.mark.parametrize(
    ("values", "flow", "basis"),
    [
        ("Value ($US)", "export", hs10.EXPORTS),
        ("Total Exports Value ($US)", "export", hs10.EXPORTS),
        ("Customs Value (Gen) ($US)", "import", hs10.GENERAL),
        ("Customs Value (Cons) ($US)", "import", hs10.CONSUMPTION),
    ],
)
def test_the_column_of_values_tells_flow_and_basis(values: str, flow: str, basis: str):
    assert read(report(JANUARY, values=values)) == [[flow, "Japan", 2024, CODE, basis, 1, 1000]]


def test_a_report_may_have_several_values_and_other_measures():
    file = report(f'{JANUARY},"900","5"', values=f'{GENERAL},{CONSUMPTION},"Quantity 1 (Gen)"')
    assert [(row[4], row[6]) for row in read(file)] == [(hs10.GENERAL, 1000), (hs10.CONSUMPTION, 900)]


def test_titles_above_and_notes_below_are_no_rows():
    notes = ["", '"Source: invented statistics"', '"A note, with a comma"', ",,,"]
    assert len(read(report(JANUARY, *notes))) == 1
    assert len(read(report(JANUARY, *notes, titles=["", "a,b,c,d,e"]))) == 1
    assert len(read(report(f"{JANUARY},", titles=[]))) == 1


def test_a_month_counts_where_any_code_was_traded():
    other = FEBRUARY.replace("8541491050", "9013802000")
    assert [row[2:] for row in read(report(JANUARY, other), [CODE])] == [[2024, CODE, hs10.GENERAL, 2, 1000]]
    world = FEBRUARY.replace("Japan", "World Total")
    assert [(row[1], row[5]) for row in read(report(JANUARY, world))] == [("Japan", 1), ("World", 1)]


def test_zero_and_empty_are_no_trade_but_their_month_counts():
    zero, empty = (FEBRUARY.replace('"20"', value) for value in ('"0"', '""'))
    assert [row[5:] for row in read(report(JANUARY, zero))] == [[2, 1000]]
    assert [row[5:] for row in read(report(JANUARY, empty))] == [[2, 1000]]
    assert usa_trade_online.read(report(zero), [CODE]).empty


def test_only_the_partners_and_codes_that_are_asked_for_are_read():
    file = report(JANUARY, JANUARY.replace("Japan", "Korea, South"))
    table = usa_trade_online.read(file, pd.Series([CODE]), {"KOREA, SOUTH": "South Korea"})
    assert table["partner"].tolist() == ["South Korea"]
    assert usa_trade_online.read(file, [OTHER]).empty


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            report(JANUARY, columns='"Goods","Country","Time"'),
            r"report.csv: no row with the columns Commodity, Country",
        ),
        (
            report(JANUARY, values='"Customs Worth"'),
            r"report.csv: column 'Customs Worth' splits the trade up or is not",
        ),
        (report(f'{JANUARY},"5"', values=f'"District",{GENERAL}'), r"column 'District' splits the trade up"),
        (report(JANUARY, values='"Quantity 1 (Gen)"'), r"none of the columns Value .*The file has: Commodity, Country"),
        (report(f'{JANUARY},"5"', values=f"{GENERAL},{GENERAL}"), r"two columns are named 'Customs Value \(Gen\)"),
        (report(JANUARY.replace('"1,000"', '"(D)"')), r"report.csv, row 4, column .*'\(D\)' is not a number.*download"),
        (report(JANUARY.replace("1,000", "-5")), r"row 4, .*: '-5' is not a possible value; at least 0"),
        (report(JANUARY.replace("1,000", "1.5")), r"row 4, .*: '1.5' is not a whole number of dollars"),
        (report(JANUARY.replace("8541491050", "854149")), r"column 'Commodity': '854149 Photo.*ten-digit commodities"),
        (report(JANUARY.replace("8541491050", "85 41")), r"'85 41 Photo.* does not begin with ten digits"),
        (report(JANUARY, '"All Commodities","Japan","January 2024","5"'), r"row 5, .*'All Commodities' does not begin"),
        (report(JANUARY.replace('"Japan"', '""')), r"row 4, column 'Country': the cell is empty"),
        (report(JANUARY.replace("January 2024", "Q1 2024")), r"column 'Time': 'Q1 2024' is not a time such as '2024'"),
        (report(JANUARY.replace("January 2024", "1824")), r"column 'Time': '1824' is not a time"),
        (report(JANUARY.replace("January 2024", "2024 through May 5")), r"'2024 through May 5' is not a time"),
        (report(JANUARY, FEBRUARY, JANUARY), r"row 6, .*code 8541.49.1050, JAPAN, January 2024 stands there twice"),
        (
            report(JANUARY, FEBRUARY.replace("February 2024", "2024")),
            r"row 5, column 'Time': 2024 stands there as a year",
        ),
        (
            report(FEBRUARY.replace("February 2024", "2024"), JANUARY),
            r"row 5, .*2024 stands there as a year and in parts",
        ),
        (
            report(*(JANUARY.replace("January 2024", f"2024 through {month}") for month in ("March", "April"))),
            r"row 5, column 'Time': 2024 stands there as a year and in parts",
        ),
        (report(JANUARY, FEBRUARY[:-10]), r"report.csv, row \d: unexpected end of data. A quotation mark is missing"),
        (report(JANUARY, FEBRUARY[:-5]), r"report.csv, row 5: 3 fields where the header has 4"),
        (report(f'{JANUARY},"5"'), r"report.csv, row 4: 5 fields where the header has 4"),
        (report(), r"report.csv: there are no rows below the column names"),
        (SourceFile("report.csv", b""), r"report.csv: no row with the columns"),
    ],
)
def test_a_bad_report_is_refused_with_the_place_and_what_to_do(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        usa_trade_online.read(file, [CODE])


def test_a_report_of_chapters_is_left_to_its_own_reader_and_the_other_way_round(sources: Path):
    chapters = report(JANUARY.replace("8541491050", "85"), titles=[])
    assert census_hs2.recognizes(chapters)
    assert not usa_trade_online.recognizes(chapters)
    assert not census_hs2.recognizes(report(JANUARY))
    assert not [file.name for file in walk(sources) if usa_trade_online.recognizes(file)]


def test_text_of_excel_is_read_like_any_other_and_wider_text_is_refused():
    excel = SourceFile("report.csv", report(JANUARY).text.encode("utf-16"))
    assert usa_trade_online.recognizes(excel)
    assert usa_trade_online.read(excel, [CODE]).equals(usa_trade_online.read(report(JANUARY), [CODE]))
    wide = SourceFile("report.csv", report(JANUARY).text.encode("utf-32"))
    assert not usa_trade_online.recognizes(wide)
    with pytest.raises(SourceError, match=r"report.csv"):
        usa_trade_online.read(wide, [CODE])


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(damages=DAMAGES)
def test_a_damaged_report_is_read_or_refused_with_its_name(damages: list[tuple[float, int, bytes]]):
    broken = damaged(report(JANUARY, FEBRUARY, '"Source: invented"'), damages)
    usa_trade_online.recognizes(broken)
    result: object
    try:
        result = usa_trade_online.read(broken, [CODE])
    except SourceError as problem:
        result = str(problem)
    assert isinstance(result, pd.DataFrame) or "report.csv" in str(result)
