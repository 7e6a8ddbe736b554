"""The trade readers on small files, whole and broken, and the trade tables against their upstream files."""

from pathlib import Path

import pandas as pd
import pytest

from companion import load
from companion.sources import SourceError, SourceFile, census_hs2, csis_codes, japan_customs
from companion.tables.recipes import trade
from companion.tables.recipes.built import OlderStateError

API = {
    "exports": "CTY_NAME,E_COMMODITY,E_COMMODITY_SDESC,time,exports",
    "consumption": "CTY_NAME,I_COMMODITY,I_COMMODITY_SDESC,time,CON_VAL_MO,CAL_DUT_MO",
    "general": "CTY_NAME,I_COMMODITY,I_COMMODITY_SDESC,YEAR,MONTH,GEN_VAL_MO",
    "report": "Commodity,Country,Time,Customs Value (Gen) ($US)",
}
CODES = (
    "hts10,description,csis_flow,csis_tier,csis_armsdual,concordance_minyear,concordance_maxyear,def_A_strict_sensors,"
    "def_B_sensors_hs6_closed,def_C_all_EO_dual,def_D_ATP03_current,code_in_usatrade_import_list,"
    "imports_2024_world_usd,imports_2024_japan_usd"
)
CUSTOMS = "ex_im,area,goods,year,value_billion_yen"
JAPAN = [
    'export,USA,"Scientific, Optical Inst",2009,248.003761',
    "import,Grand Total,Semiconductors Etc,2010,2136.035121",
]


def source(header: str, *rows: str, name: str = "trade.csv") -> SourceFile:
    return SourceFile(name, "\n".join([header, *rows, ""]).encode())


def code(
    number: str = "8541.49.1050", flow: str = "Both", flags: str = "1,1,1,0", world: str = "251.0", japan: str = "78.0"
) -> str:
    return f"{number},DIODES,{flow},Sensors,Dual,1989,2019,{flags},yes,{world},{japan}"


def four_files() -> list[SourceFile]:
    return [
        source(API["exports"], "JAPAN,90,OPTIC,2024-01,5"),
        source(API["consumption"], "JAPAN,90,OPTIC,2021-07,6,1"),
        source(API["general"], "JAPAN,90,OPTIC,2024,01,7", "JAPAN,90,OPTIC,2023,12,8"),
        source(API["report"], '90 Optic,Japan,January 2024,"9"'),
    ]


@pytest.mark.parametrize(
    ("file", "row"),
    [
        (
            source(API["exports"], "TOTAL FOR ALL COUNTRIES,00,ALL PRODUCTS,2013-01,127123456789"),
            ["export", "World", "00", "2013-01", "total exports, FAS value", "exports", 127123456789],
        ),
        (
            source(API["consumption"], "JAPAN,84,MACHINERY,2013-01,2588573651,26742701"),
            [
                "import",
                "Japan",
                "84",
                "2013-01",
                "imports for consumption, customs value",
                "imports-for-consumption",
                2588573651,
            ],
        ),
        (
            source(API["general"], "JAPAN,84,MACHINERY,2023,01,12"),
            ["import", "Japan", "84", "2023-01", "general imports, customs value", "general-imports", 12],
        ),
        (
            source(API["report"], '"84 Machinery; Parts",Japan,September 2024,"2,916,138,809"'),
            ["import", "Japan", "84", "2024-09", census_hs2.GENERAL, "general-imports-report", 2916138809],
        ),
    ],
)
def test_every_form_of_chapter_trade_gives_the_same_columns(file: SourceFile, row: list[object]):
    assert census_hs2.recognizes(file)
    assert census_hs2.read(file).to_numpy().tolist() == [row]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (source(API["exports"], "FRANCE,90,OPTIC,2013-01,5"), r"row 2, column 'CTY_NAME': 'FRANCE' is none of JAPAN"),
        (source(API["exports"], "JAPAN,9,OPTIC,2013-01,5"), r"'E_COMMODITY': '9' does not begin with the two digits"),
        (source(API["general"], "JAPAN,90,OPTIC,2013,13,5"), r"column 'MONTH': '2013-13' is not a month"),
        (source(API["report"], "90 Optic,Japan,Total 2024,5"), r"column 'Time': 'Total 2024' is not a month"),
        (source(API["exports"], "JAPAN,90,OPTIC,2013-01,5.5"), r"'exports': '5.5' is not a whole number of dollars"),
        (
            source(API["exports"], "JAPAN,90,OPTIC,2013-01,(D)"),
            r"trade.csv, row 2, .*'\(D\)' is not a number.*download",
        ),
        (source(API["exports"], "JAPAN,90,OPTIC"), r"row 2: 3 fields where the header has 5"),
        (source("a,b", "1,2"), r"trade.csv: no columns of monthly trade by HS chapter"),
    ],
)
def test_a_bad_file_of_chapter_trade_is_named_with_the_place(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        census_hs2.read(file)


def test_of_two_files_with_the_same_month_the_newer_is_preferred_in_any_order():
    for files in (four_files(), four_files()[::-1]):
        built = trade.hs_chapter_trade(files)
        assert built is not None
        imports = built.rows.query("flow == 'import'")
        assert imports[["month", "source_id", "preferred", "value_usd"]].to_numpy().tolist() == [
            ["2021-07", "imports-for-consumption", True, 6],
            ["2023-12", "general-imports", True, 8],
            ["2024-01", "general-imports", False, 7],
            ["2024-01", "general-imports-report", True, 9],
        ]


def test_a_part_of_the_files_does_not_cut_the_table_of_chapters():
    with pytest.raises(OlderStateError, match="it needs 4 files"):
        trade.hs_chapter_trade(four_files()[1:])


def test_large_sums_keep_every_digit():
    files = four_files()
    files[0] = source(API["exports"], "JAPAN,00,ALL PRODUCTS,2024-01,127123456789")
    built = trade.hs_chapter_trade(files)
    assert built is not None
    assert b",127123456789\n" in built.csv


def test_a_code_without_a_value_is_not_zero():
    file = source(
        CODES, code(), code("8541.40.6050", world="", japan=""), code("9011.10.0000", flow="Export", world="")
    )
    built = trade.eo_trade([file])
    assert built is not None
    assert built.rows[["partner", "definition", "n_codes_with_trade", "value_usd"]].to_numpy().tolist() == [
        ["Japan", "A", 1, 78],
        ["Japan", "B", 1, 78],
        ["Japan", "C", 1, 78],
        ["World", "A", 1, 251],
        ["World", "B", 1, 251],
        ["World", "C", 1, 251],
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (code("8541.49"), r"row 2, column 'hts10': '8541.49' is not a ten-digit code"),
        (code(flow="Import, Export").replace("Import, Export", "Imports"), r"'csis_flow': 'Imports' is none of Both"),
        (code(flags="1,1,x,0"), r"'def_C_all_EO_dual': 'x' is none of 0, 1"),
        (code(world="1.5"), r"'imports_2024_world_usd': '1.5' is not a whole number of dollars"),
        (code(japan="-1"), r"'imports_2024_japan_usd': '-1' is not a possible value"),
        (code().replace("1989", "89"), r"'concordance_minyear': '89' is not a year"),
    ],
)
def test_a_bad_record_of_codes_is_named_with_the_place(row: str, message: str):
    with pytest.raises(SourceError, match=message):
        csis_codes.read(source(CODES, row))


def test_japan_s_exports_are_fob_and_its_imports_cif():
    rows = japan_customs.read(source(CUSTOMS, *JAPAN, "export,USA,Coal,2009,1"))
    assert rows.to_numpy().tolist() == [
        ["export", "USA", "scientific and optical instruments", 2009, "FOB", 248.003761],
        ["import", "World", "semiconductors etc.", 2010, "CIF", 2136.035121],
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (JAPAN[:1], r"trade.csv: no row for 'Semiconductors Etc'.*COMMODITIES"),
        ([JAPAN[0].replace("USA", "U.S.A.")], r"row 2, column 'area': 'U.S.A.' is none of Grand Total, USA"),
        ([JAPAN[0].replace("export", "exports")], r"column 'ex_im': 'exports' is none of export, import"),
        ([JAPAN[0].replace("2009", "FY2009")], r"column 'year': 'FY2009' is not a year"),
    ],
)
def test_a_bad_file_of_japan_customs_is_named_with_the_place(rows: list[str], message: str):
    with pytest.raises(SourceError, match=message):
        japan_customs.read(source(CUSTOMS, *rows))


def test_a_folder_without_trade_files_makes_no_table():
    other = [source("country,year", "Japan,2024")]
    recipes = [trade.eo_codes, trade.eo_trade, trade.hs_chapter_trade, trade.optical_instruments_trade]
    assert [recipe(other) for recipe in recipes] == [None] * 4


def test_definition_a_has_fourteen_codes_for_exports_and_nine_for_imports():
    strict = load("eo_codes").query("definition_a")
    assert (strict["csis_flow"] != "Import").sum() == 14
    assert (strict["csis_flow"] != "Export").sum() == 9


def test_the_flow_of_a_code_agrees_with_the_list_of_import_codes():
    codes = load("eo_codes")
    assert ((codes["csis_flow"] != "Export") == codes["on_import_list"]).all()


def test_definitions_b_and_c_contain_a():
    codes = load("eo_codes")
    assert (codes["definition_a"] <= codes["definition_b"]).all()
    assert (codes["definition_a"] <= codes["definition_c"]).all()
    assert codes.filter(like="definition_").sum().tolist() == [14, 26, 17, 64]


def test_all_three_lists_of_csis_give_the_same_definitions(sources: Path):
    codes = load("eo_codes").set_index("hts10")
    lists = sorted(sources.rglob("hts10_*.csv"))
    assert len(lists) == 3
    for path in lists:
        csis = pd.read_csv(path, dtype=str).set_index("hts10")
        dual = csis[(csis["PlatformPortfolio.USITC"] == "Electro-Optical") & (csis["ArmsDual"] == "Dual")]
        assert set(dual.index[dual["USITC.Tier"] == "Sensors"]) == set(codes.index[codes["definition_a"]])
        assert set(dual.index) == set(codes.index[codes["definition_c"]])
        known = codes[codes.index.isin(csis.index)]
        assert known["tier"].equals(csis["USITC.Tier"].reindex(known.index))
        assert known["arms_dual"].equals(csis["ArmsDual"].reindex(known.index))
        differing = known.index[known["csis_flow"] != csis["flow"].reindex(known.index)]
        assert list(differing) == (["8541.42.0000", "8541.43.0000"] if "2024-03-24" in path.name else [])


def test_opto_electronics_are_those_of_the_current_list(sources: Path):
    csis = pd.read_csv(next(sources.rglob("hts10_*2025-02-17.csv")), dtype=str)
    assert set(csis.query("ATP == '03'")["hts10"]) == set(load("eo_codes").query("definition_d")["hts10"])


def test_the_sums_of_electro_optical_imports_agree_with_the_code_by_code_extract(sources: Path):
    extract = pd.read_csv(next(sources.rglob("us_imports_for_consumption_2024_hts10*.csv")), dtype={"hts10": str})
    columns = extract.columns[2:]
    codes = load("eo_codes").assign(hts10=lambda rows: rows["hts10"].str.replace(".", ""))
    trade_rows = load("eo_trade").set_index(["partner", "definition"])
    for partner, column in zip(["World", "Japan"], columns, strict=True):
        values = extract.set_index("hts10")[column]
        for letter in "ABC":  # definition D goes beyond the headings of the extract
            found = values.reindex(codes.loc[codes[f"definition_{letter.lower()}"], "hts10"]).dropna()
            row = trade_rows.loc[(partner, letter)]
            assert (row["n_codes_with_trade"], row["value_usd"]) == (len(found), found.sum())


def test_the_record_of_codes_agrees_with_the_extract_code_by_code(sources: Path):
    record = next(path for path in sources.rglob("*.csv") if csis_codes.recognizes(SourceFile("", path.read_bytes())))
    codes = csis_codes.read(SourceFile(record.name, record.read_bytes()))
    extract = pd.read_csv(next(sources.rglob("us_imports_for_consumption_2024_hts10*.csv")), dtype={"hts10": str})
    both = codes.assign(hts10=codes["hts10"].str.replace(".", "")).merge(extract, on="hts10")
    assert len(both) > 30
    for partner in ("world", "japan"):
        recorded = both[f"imports_2024_{partner}_usd"].astype("Float64")
        assert recorded.equals(both[f"imports_for_consumption_2024_{partner}_usd"].astype("Float64"))


def test_japan_is_never_more_than_the_world():
    values = load("eo_trade").pivot(index="definition", columns="partner", values="value_usd")
    assert (values["Japan"] < values["World"]).all()
    months = load("hs_chapter_trade").query("preferred")
    wide = months.pivot(index=["flow", "hs_chapter", "month"], columns="partner", values="value_usd").dropna()
    assert (wide["Japan"] < wide["World"]).all()


def test_one_row_of_each_month_is_preferred_and_overlapping_files_agree():
    months = load("hs_chapter_trade")
    key = [*census_hs2.KEY]
    assert (months.groupby(key)["preferred"].sum() == 1).all()
    assert (months.groupby(key)["value_usd"].nunique() == 1).all()
    assert len(months) - months["preferred"].sum() == 60


def test_months_without_a_source_stay_absent():
    months = load("hs_chapter_trade").query("flow == 'import'")
    assert not months["month"].between("2021-08", "2022-12").any()
    assert months.query("partner == 'World'")["month"].max() == "2024-12"
    assert set(months["hs_chapter"]) == {"84", "85", "90", "91", "93"}


def test_annual_sums_of_chapters_are_those_of_the_derived_file(sources: Path):
    derived = pd.read_csv(next(sources.rglob("DERIVED_hs90_hs85_annual_sums.csv")), dtype={"hs2": str})
    months = load("hs_chapter_trade").query("preferred").assign(year=lambda rows: rows["month"].str[:4].astype(int))
    sums = months.groupby(["flow", "hs_chapter", "partner", "year"])["value_usd"].agg(["count", "sum"])
    columns = {"export": "us_total_exports_fas_usd", "import": "us_imports_customs_value_usd"}
    for flow, column in columns.items():
        for row in derived.to_dict("records"):
            key = (flow, row["hs2"], row["partner"], row["year"])
            assert (sums["count"].get(key, 0), sums["sum"].get(key, 0)) == (
                row[f"{flow}_months"],
                0 if pd.isna(row[column]) else row[column],
            ), key


def test_japan_s_trade_is_complete_and_keeps_every_digit(sources: Path):
    table = load("optical_instruments_trade")
    assert (
        table.groupby(["flow", "partner", "commodity"])["year"].agg(["min", "max", "count"]) == [2009, 2025, 17]
    ).all(axis=None)
    published = pd.read_csv(next(sources.rglob("japan_trade_principal_commodity*.csv")))
    published = published[published["goods"].isin(japan_customs.COMMODITIES)].assign(
        partner=lambda rows: rows["area"].map(japan_customs.PARTNERS),
        commodity=lambda rows: rows["goods"].map(japan_customs.COMMODITIES),
        flow=lambda rows: rows["ex_im"],
    )
    both = table.merge(published, on=["flow", "partner", "commodity", "year"], validate="1:1")
    assert len(both) == len(table)
    assert (both["value_billion_yen_x"] == both["value_billion_yen_y"].round(6)).all()
