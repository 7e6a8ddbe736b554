"""The reader and the recipe of UN Comtrade on small invented files, whole and broken, and on the real ones."""

from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from test_fuzz import DAMAGES, damaged

from companion.sources import SourceError, SourceFile, comtrade, walk
from companion.tables.recipes import Built
from companion.tables.recipes.comtrade import subheading_trade

CLASSIC = (
    "Classification,Year,Period,Trade Flow,Reporter,Reporter ISO,Partner,Partner ISO,Commodity Code,Commodity,"
    "Trade Value (US$),CIF Trade Value (US$),FOB Trade Value (US$)"
)
NEW = "period,reporterISO,flowCode,partnerISO,classificationCode,cmdCode,aggrLevel,cifvalue,fobvalue,primaryValue"


def classic(*rows: str, name: str = "classic.csv") -> SourceFile:
    return SourceFile(name, "\n".join([CLASSIC, *rows, ""]).encode())


def new(*rows: str, name: str = "new.csv") -> SourceFile:
    return SourceFile(name, "\n".join([NEW, *rows, ""]).encode())


def year(
    flow: str = "Import", code: str = "903141", reporter: str = "JPN", period: str = "2017", value: str = "5"
) -> str:
    return f'H5,{period[:4]},{period},{flow},x,{reporter},World,WLD,{code},"a, b",{value},,'


def month(period: str = "202301", flow: str = "M", code: str = "903141", values: str = "6,5,6", hs: str = "H6") -> str:
    return f"{period},USA,{flow},W00,{hs},{code},6,{values}"


def test_the_classic_form_has_a_row_per_year():
    assert comtrade.recognizes(classic())
    rows = comtrade.read(classic(year(), year("Export", period="202003", reporter="USA")))
    assert list(rows.columns) == comtrade.COLUMNS
    assert rows.to_numpy().tolist() == [
        ["Japan", "World", "import", "2017", "903141", "comtrade-classic", 2017, "H5", "CIF", 12, 5],
        ["United States", "World", "export", "202003", "903141", "comtrade-classic", 2020, "H5", "FOB", 1, 5],
    ]


def test_the_new_form_has_a_row_per_month():
    assert comtrade.recognizes(new())
    rows = comtrade.read(new(month(), month(flow="X", values=",7,7").replace("W00", "JPN")))
    assert rows.to_numpy().tolist() == [
        ["United States", "World", "import", "202301", "903141", "comtrade", 2023, "H6", "CIF", 1, 6],
        ["United States", "Japan", "export", "202301", "903141", "comtrade", 2023, "H6", "FOB", 1, 7],
    ]


@pytest.mark.parametrize(
    ("flow", "values", "basis"),
    [("M", "6,5,6", "CIF"), ("M", "0,5,5", "FOB"), ("M", ",,5", "CIF"), ("M", "5,5,5", "CIF"), ("X", "5,5,5", "FOB")],
)
def test_the_basis_is_that_of_the_column_with_the_same_value(flow: str, values: str, basis: str):
    assert comtrade.read(new(month(flow=flow, values=values)))["valuation_basis"].tolist() == [basis]


def test_other_codes_flows_and_countries_and_empty_values_are_left_out():
    rows = [
        month(code="8541"),
        month(code="TOTAL"),
        month(flow="RX"),
        month().replace("W00", "KOR"),
        month(values="6,5,"),
    ]
    assert comtrade.read(new(*rows)).empty
    assert comtrade.read(classic(year("Re-Export"), year(reporter="WLD"), year(reporter="KOR"))).empty


def test_months_are_added_up_and_counted_over_all_files():
    files = [new(month("202302", values="1.1,,1.1"), month("202301", values="2.2,,2.2")), new(month("202303"))]
    built = subheading_trade([*files, new(month("202303")), classic(year())])
    assert built is not None
    assert built.csv.decode().splitlines()[1:] == [
        "Japan,World,import,2017,903141,H5,CIF,12,5,comtrade-classic",
        "United States,World,import,2023,903141,H6,CIF,3,9.3,comtrade",
    ]


def test_a_folder_without_files_of_comtrade_makes_no_table():
    assert subheading_trade([SourceFile("a.csv", b"country,year\nJapan,2024\n")]) is None


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (SourceFile("a.csv", b"a,b\n1,2\n"), r"a.csv: no columns of UN Comtrade"),
        (SourceFile("a.csv", b""), r"a.csv: no columns of UN Comtrade"),
        (new(), r"new.csv: there are no rows below the header"),
        (
            SourceFile("new.csv", new(month()).content.replace(b"flowCode", b"flow")),
            r"new.csv: column 'flowCode' is missing. The file has: period, reporterISO, flow,",
        ),
        (new(month()[:-7]), r"new.csv, row 2: 7 fields where the header has 10"),
        (new(month(flow="Q")), r"new.csv, row 2, column 'flowCode': 'Q' is none of M, RM, RX, X"),
        (classic(year("Imports")), r"column 'Trade Flow': 'Imports' is none of Export, Import, Re-Export, Re-Import"),
        (new(month("2023-01")), r"column 'period': '2023-01' is not a year such as '2024' or a month such as '202401'"),
        (new(month("202313")), r"column 'period': '202313' is not a year"),
        (new(month("1823")), r"column 'period': '1823' is not a year"),
        (new(month(code="9031.41")), r"column 'cmdCode': '9031.41' is not an HS code of two to six digits"),
        (new(month(code="")), r"column 'cmdCode': the cell is empty"),
        (new(month(hs="")), r"column 'classificationCode': the cell is empty"),
        (new(month(values="6,5,x")), r"column 'primaryValue': 'x' is not a number"),
        (new(month(values="6,5,-6")), r"column 'primaryValue': '-6' is not a possible value"),
        (new(month(values="6,5,7")), r"column 'primaryValue': '7' is neither the CIF nor the FOB value"),
        (
            new(month(), month(values="7,,7")),
            r"new.csv, row 3, .*903141, United States, World, 202301 stand there twice",
        ),
    ],
)
def test_a_bad_file_is_refused_with_the_place(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        comtrade.read(file)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            [new(month(), name="a.csv"), new(month(values="7,,7"), name="b.csv")],
            r"a.csv and b.csv: the imports of 903141, United States, World, 2023 have two values",
        ),
        (
            [new(month("202301"), month("202302", hs="H7"))],
            r"new.csv: .*, 2023 are in two editions of the HS or at two",
        ),
        ([new(month("202301"), month("202302", values="0,5,5"))], r"are in two editions of the HS or at two bases"),
        (
            [new(month("2023"), name="a.csv"), new(month("202301"), name="b.csv")],
            r"a.csv: the imports .*, 2023 stand there both as a year and by month. Leave one state",
        ),
    ],
)
def test_figures_that_do_not_fit_together_are_refused(files: list[SourceFile], message: str):
    for order in (files, files[::-1]):
        with pytest.raises(SourceError, match=message):
            subheading_trade(order)


def test_the_table_is_rebuilt_from_the_real_files_byte_for_byte(sources: Path):
    built = subheading_trade(list(walk(sources)))
    assert built is not None
    assert built.csv == (ROOT / "data" / "subheading_trade.csv").read_bytes()


def test_both_real_files_of_the_world_agree_on_the_years_that_they_share():
    table = pd.read_csv(ROOT / "data" / "subheading_trade.csv", dtype={"hs6": str})
    key = ["reporter", "partner", "flow", "year", "hs6"]
    states = table[table["source_id"].isin(["comtrade", "comtrade-classic"])]
    shared = states[states.duplicated(key, keep=False)]
    assert sorted(shared["year"].unique()) == [2018, 2019, 2020]
    assert (shared.groupby(key)[["value_usd", "valuation_basis", "classification"]].nunique() == 1).all(axis=None)
    assert (table["months"] == 12).eq(table["year"] < 2025).all()


def test_the_real_files_of_the_classic_forms_are_near_each_other():
    table = pd.read_csv(ROOT / "data" / "subheading_trade.csv", dtype={"hs6": str})
    forms = table.pivot(index=["reporter", "partner", "flow", "year", "hs6"], columns="source_id", values="value_usd")
    ratios = (forms["comtrade-legacy"] / forms["comtrade-classic"]).dropna()
    assert len(ratios) == 12
    assert ratios.between(0.997, 1.003).all()


def test_the_sums_of_the_real_months_are_those_of_their_file(sources: Path):
    months = pd.read_csv(next(sources.rglob("comtrade_usa_world_8541_903141_monthly*.csv")), dtype={"cmdCode": str})
    months = months[months["cmdCode"].str.len() == 6]
    sums = months.groupby([months["period"] // 100, months["flowCode"].map({"M": "import", "X": "export"}), "cmdCode"])
    table = pd.read_csv(ROOT / "data" / "subheading_trade.csv", dtype={"hs6": str}).query("source_id == 'comtrade'")
    found = table.set_index(["year", "flow", "hs6"])["value_usd"].sort_index()
    assert found.to_dict() == sums["primaryValue"].sum().to_dict()


@pytest.mark.parametrize("file", [classic(year(), year("Export")), new(month(), month("202302"))])
@settings(max_examples=200, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(damages=DAMAGES)
def test_a_damaged_file_is_read_or_refused_with_its_name(file: SourceFile, damages: list[tuple[float, int, bytes]]):
    result: object
    try:
        result = comtrade.read(damaged(file, damages))
        result = subheading_trade([damaged(file, damages)])
    except SourceError as problem:
        result = str(problem)
    assert isinstance(result, Built | None) or file.name in str(result)
