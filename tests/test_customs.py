"""Customs statistics by code: the readers on small files, whole and broken, and the tables against their raw files."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from companion import load
from companion.sources import SourceError, SourceFile, census_hs6, comtrade, japan_customs_codes, usa_trade_online_cuts
from companion.sources.known import is_known, told
from companion.tables.recipes.comtrade import subheading_trade
from companion.tables.recipes.customs import drone_figures_reported, drone_trade, japan_customs_trade

OF_YEAR = "Unit1,Unit2,Quantity1-Year,Quantity2-Year,Value-Year"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
INSPECTION, DRONE = "903141000", "880622000"
WIDE = "hts10,description_with_unit,imports_for_consumption_2024_world_usd,imports_for_consumption_2024_japan_usd"
LONG = "hts10,description_with_unit,country,imports_for_consumption_2024_usd,source"
HS6 = "year_month,flow,hs6,cty_code,cty_name,ALL_VAL_MO,GEN_VAL_MO,CON_VAL_MO,source_file"
LEGACY = "pfCode,yr,period,rgCode,rgDesc,rtCode,rtTitle,ptCode,ptTitle,cmdCode,NetWeight,TradeValue"
REPORTED = "what,period,value,unit,kind,url,published"


def csv(header: str, *rows: str, name: str = "trade.csv") -> SourceFile:
    return SourceFile(name, "\n".join([header, *rows, ""]).encode())


def header(april: str = "Apr", country: str = "Country,", months: int = 12) -> str:
    names = [april if name == "Apr" else name for name in MONTHS[:months]]
    by_month = "".join(f",Quantity1-{name},Quantity2-{name},Value-{name}" for name in names)
    return f"Exp or Imp,Year,HS,{country}{OF_YEAR}{by_month}"


def figure(code: str = INSPECTION, country: str = "304,", value: int = 12, **other: object) -> str:
    """A row; by default of U.S. goods in 2007, 1 thousand yen and 2 pieces in each month."""
    is_ = {"flow": 2, "year": 2007, "units": ",NO", "each": "0,2,1", "months": 12} | other
    by_month = f",{is_['each']}" * int(str(is_["months"]))
    return f"{is_['flow']},{is_['year']},{code},{country}{is_['units']},0,24,{value}{by_month}"


def annual(*rows: str, name: str = "annual.csv") -> SourceFile:
    return csv(header(months=0), *rows, name=name)


WHOLE = csv(header(), figure(), figure(country="103,"))
DRONES = csv(header(country="", months=2), figure(DRONE, "", 2, units="NO,KG", each="3,2,1", year=2026, months=2))
CUT = csv(WIDE, "8541491050,Diodes (no),251.0,78.0", "8541498000,Isolators (no),9,")
COUNTRIES = csv(LONG, "8806220000,a,World Total,5,x", "8806220000,a,China,3,x", '8806220000,a,"Korea, South",2,x')
MONTHLY = csv(HS6, "2024-01,exports,854149,5880,JAPAN,7,,,x", "2024-01,imports,854149,-,TOTAL,,8,9,x")
OF_2020 = csv(LEGACY, "HS,2017,201701,2,Exports,842,USA,392,Japan,903141,,7")
ARTICLES = csv(REPORTED, "a,2024,more than 1,percent,press,https://a.b/c,2024-01-01", "b,2024,5,units,same article,x,")


@pytest.mark.parametrize("april", ["Apr", "Apl"])
@pytest.mark.parametrize("code", [INSPECTION, f"'{INSPECTION}'", f"\"'{INSPECTION} '\"", f" {INSPECTION} "])
def test_all_forms_of_japan_s_files_are_read(april: str, code: str):
    file = csv(header(april), figure(code), figure("'010121000'"))
    assert japan_customs_codes.recognizes(file)
    assert japan_customs_codes.read(file, {INSPECTION}).to_numpy().tolist() == [
        ["import", 2007, INSPECTION, "304", 12, "CIF", "NO", 24, 12]
    ]


def test_a_file_without_months_is_of_whole_years_and_one_of_the_running_year_ends_with_the_last_month_that_has_trade():
    assert japan_customs_codes.read(annual(figure(months=0)), {INSPECTION})["months"].tolist() == [12]
    running = figure(value=8, months=8) + ",0,0,0" * 4
    assert japan_customs_codes.read(csv(header(), running), {INSPECTION})["months"].tolist() == [8]
    assert japan_customs_trade([csv(header(), running)]) is None


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (csv(header().replace("Value-Year", "Value")), r"column 'Value-Year' is missing"),
        (csv(header().replace("Value-Apr", "Value-April"), figure()), r"column 'Value-Apr' is missing, and later"),
        (csv(header()), r"no rows below the header"),
        (csv(header(), figure()[:-5]), r"trade.csv, row 2: 43 fields where the header has 45"),
        (csv(header(), figure(code="9031.41")), r"row 2, column 'HS': '9031.41' is not a code of 9 digits"),
        (csv(header(), figure(country="999,")), r"row 2, column 'Country': '999' is no country code that is known"),
        (csv(header(), figure(country="USA,")), r"column 'Country': 'USA' is not a code of 3 digits"),
        (csv(header(), figure(flow=3)), r"column 'Exp or Imp': '3' is none of 1, 2"),
        (csv(header(), figure(each="0,2,x")), r"column 'Value-Jan': 'x' is not a number"),
        (csv(header(), figure(each="0,2,")), r"column 'Value-Jan': the cell is empty"),
        (csv(header(), figure(each="0,2,1.5")), r"column 'Value-Jan': '1.5' is not a whole number"),
        (csv(header(), figure(value=13)), r"column 'Value-Year': 13 is not the sum of the months, 12"),
        (csv(header(), figure(), figure()), r"row 3, column 'HS': the imports of 903141000, 304, 2007 are in row 2"),
    ],
)
def test_a_bad_file_of_japan_s_trade_is_refused_with_the_place(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        japan_customs_codes.read(file, {INSPECTION})


@pytest.mark.parametrize("file", [WHOLE, CUT, COUNTRIES, MONTHLY, OF_2020, ARTICLES])
def test_a_file_with_another_delimiter_is_named_with_it(file: SourceFile):
    wrong = SourceFile(file.name, file.content.replace(b",", b";"))
    assert is_known(file)
    assert not is_known(wrong)
    assert told(wrong) == "it has semicolons between its columns, and its form has commas; save it with commas"


@pytest.mark.parametrize(
    ("read", "file", "message"),
    [
        (usa_trade_online_cuts.read, csv(WIDE, "85414910,a,1,1"), r"column 'hts10': '85414910' is not a code of ten"),
        (usa_trade_online_cuts.read, csv(WIDE, "8541491050,a,x,1"), r"consumption_2024_world_usd': 'x' is"),
        (usa_trade_online_cuts.read, csv(WIDE, *["8541491050,a,1,1"] * 2), r"row 3, .* stands there twice"),
        (usa_trade_online_cuts.read, csv(WIDE.replace("_japan_", "_chile_")), r"trade.csv: it needs one column"),
        (usa_trade_online_cuts.read, csv(WIDE, "8541491050,a,1"), r"trade.csv, row 2: 3 fields where the header has 4"),
        (
            usa_trade_online_cuts.read_countries,
            csv(LONG, "8806220000,a,Atlantis,1,x"),
            r"row 2, column 'country': 'Atlantis' is none of Australia, Austria",
        ),
        (
            usa_trade_online_cuts.read_countries,
            csv(LONG, *COUNTRIES.text.split("\n")[1:3]),
            r"the countries of code 8806220000 add up to 3, and World Total is 5. The file is cut",
        ),
        (
            usa_trade_online_cuts.read_countries,
            csv(LONG, "8806220000,a,China,1,x"),
            r"add up to 1, and World Total has no row",
        ),
        (usa_trade_online_cuts.read_countries, csv(LONG, "8806220000,a,China,,x"), r"_usd': the cell is empty"),
        (usa_trade_online_cuts.read_countries, csv(LONG.replace("2024_usd", "usd"), "1"), r"it needs one column such"),
        (census_hs6.read, csv(HS6, "2024-01,exports,854149,1220,CANADA,7,,,x"), r"'cty_code': '1220' is none of -, 58"),
        (census_hs6.read, csv(HS6, "2024-13,exports,854149,5880,JAPAN,7,,,x"), r"'2024-13' is not a month such as"),
        (census_hs6.read, csv(HS6, "2024-01,exports,8541,5880,JAPAN,7,,,x"), r"'8541' is not a code of six digits"),
        (census_hs6.read, csv(HS6, "2024-01,exports,854149,5880,JAPAN,,7,,x"), r"'ALL_VAL_MO': the cell is empty"),
        (census_hs6.read, csv(HS6, "2024-01,exports,854149,5880,JAPAN,n/a,7,,x"), r"'n/a' is not a number"),
        (census_hs6.read, csv(HS6.replace("CON_VAL_MO", "CON_VAL")), r"column 'CON_VAL_MO' is missing"),
        (comtrade.read, csv(LEGACY, "HS,2017,201701,2,Exports,USA,USA,392,Japan,903141,,7"), r"'rtCode': 'USA' is not"),
        (comtrade.read, csv(LEGACY, "HS,2017,201701,2,Exports,842,USA,392,Japan,903141,,x"), r"'TradeValue': 'x' is"),
        (drone_figures_reported, csv(REPORTED, "a,2024,many,units,b,c,"), r"row 2, column 'value': 'many' is not a"),
        (drone_figures_reported, csv(REPORTED, "a,2024,0,units,b,c,"), r"row 2, column 'value': '0' is not a number"),
        (drone_figures_reported, csv(REPORTED, "a,2024-13,1,u,b,c,"), r"row 2, column 'period': '2024-13' is not a"),
        (
            drone_figures_reported,
            csv(REPORTED, "a,2024,1,u,b,c,2025-02-30"),
            r"'published': '2025-02-30' is not a date",
        ),
    ],
)
def test_a_bad_file_of_the_other_forms_is_refused_with_the_place(
    read: Callable[[SourceFile], object], file: SourceFile, message: str
):
    with pytest.raises(SourceError, match=message):
        read([file] if read is drone_figures_reported else file)  # type: ignore[arg-type]


def test_the_forms_of_u_s_and_united_nations_figures_give_rows_of_one_table():
    built = subheading_trade([CUT, MONTHLY, OF_2020])
    assert built is not None
    assert built.csv.decode().splitlines()[1:] == [
        "United States,Japan,export,2017,903141,HS,FOB,1,7,comtrade-legacy",
        'United States,Japan,export,2024,854149,HS,"total exports, FAS value",1,7,census',
        'United States,Japan,import,2024,854149,HS,"imports for consumption, customs value",12,78,usa-trade-online',
        'United States,World,import,2024,854149,HS,"imports for consumption, customs value",1,9,census',
        'United States,World,import,2024,854149,HS,"imports for consumption, customs value",12,260,usa-trade-online',
    ]


def test_countries_are_added_up_to_the_world_unless_a_file_has_one_alone():
    built = japan_customs_trade([WHOLE])
    assert built is not None
    values = built.rows.set_index("partner")[["countries", "value_thousand_yen", "quantity"]]
    assert values.T.to_dict("list") == {"United States": [1, 12, 24], "World": [2, 24, 48]}
    alone = japan_customs_trade([csv(header(), figure())])
    assert alone is not None
    assert alone.rows["partner"].tolist() == ["United States"]


def test_two_files_of_japan_s_trade_have_to_agree():
    agrees, differs = (annual(figure(value=value, months=0)) for value in (12, 13))
    built = japan_customs_trade([WHOLE, agrees])
    assert built is not None
    assert built.rows.query("partner == 'World'")["value_thousand_yen"].tolist() == [24]
    with pytest.raises(SourceError, match=r"differ on code 903141000, country 304, 2007"):
        japan_customs_trade([WHOLE, differs])


def test_drones_of_both_countries_stand_in_one_table():
    built = drone_trade([DRONES, COUNTRIES])
    assert built is not None
    columns = ["reporter", "partner", "period", "code", "weight", "unit", "value", "aircraft"]
    assert built.rows[columns].astype(object).where(built.rows[columns].notna(), None).to_numpy().tolist() == [
        ["Japan", "World", "2026-01", DRONE, "250 g to 7 kg", "thousand JPY", 1, 3],
        ["Japan", "World", "2026-02", DRONE, "250 g to 7 kg", "thousand JPY", 1, 3],
        ["United States", "China", "2024", "8806220000", "250 g to 7 kg", "USD", 3, None],
        ["United States", "South Korea", "2024", "8806220000", "250 g to 7 kg", "USD", 2, None],
        ["United States", "World", "2024", "8806220000", "250 g to 7 kg", "USD", 5, None],
    ]
    with pytest.raises(SourceError, match=r"a.csv and b.csv both have the imports of 8806220000, China, 2024"):
        drone_trade([SourceFile(name, COUNTRIES.content) for name in ("a.csv", "b.csv")])


def test_words_before_a_reported_number_have_their_own_column():
    built = drone_figures_reported([ARTICLES])
    assert built is not None
    rows = built.rows[["qualifier", "value", "kind"]]
    assert rows.astype(object).where(rows.notna(), None).to_numpy().tolist() == [
        ["more than", 1, "press"],
        [None, 5, "press"],
    ]


def test_a_folder_without_such_files_makes_no_table():
    other = [csv("country,year", "Japan,2024")]
    recipes = [japan_customs_trade, drone_trade, drone_figures_reported, subheading_trade]
    assert [recipe(other) for recipe in recipes] == [None] * 4


# The tables, counted again from the raw files.


@pytest.fixture(scope="module")
def raw(sources: Path) -> pd.DataFrame:
    path = next(sources.rglob("japan_imports_hs9_all_countries_annual*.csv"))
    return pd.read_csv(path, dtype={"HS": str, "Country": str})


def test_japan_s_imports_are_those_of_the_raw_file(raw: pd.DataFrame):
    table = load("japan_customs_trade").set_index(["partner", "hs9", "year"])["value_thousand_yen"]
    kept = raw[raw["HS"].isin(table.index.get_level_values("hs9"))]
    assert kept.groupby(["HS", "Year"])["Value-Year"].sum().to_dict() == table["World"].to_dict()
    american = kept[kept["Country"] == "304"].set_index(["HS", "Year"])["Value-Year"]
    assert american.to_dict() == table["United States"].to_dict()


def test_the_sums_over_countries_are_those_of_the_derived_file(sources: Path):
    derived = pd.read_csv(next(sources.rglob("DERIVED_japan_imports_hs9*.csv")), dtype={"HS": str})
    derived = derived.set_index(["HS", "Year"])
    world = load("japan_customs_trade").query("partner == 'World'")
    for row in world.itertuples():
        told_by = derived.loc[(row.hs9, row.year)]
        assert (row.value_thousand_yen, row.countries) == (
            told_by["all_countries_thousand_yen_our_sum"],
            told_by["countries"],
        )


@pytest.mark.parametrize(("year", "million"), [(2007, 522.5), (2009, 75.6), (2020, 158.5)])
def test_the_seven_groups_that_match_add_up_to_the_known_sums(year: int, million: float, sources: Path):
    """At the rates of the table, of the Federal Reserve, and at those of the International Monetary Fund."""
    trade = load("japan_customs_trade").query("partner == 'United States' and scope in ['same', 'near']")
    assert trade["group"].nunique() == 7
    yen = trade.loc[trade["year"] == year, "value_thousand_yen"].sum() * 1000
    rates = load("exchange_rates").query("currency == 'JPY' and frequency == 'annual'").set_index("period")
    fund = pd.read_csv(next(sources.rglob("imf_ifs_jpy_per_usd*.csv"))).set_index("year")
    for rate in (rates["currency_per_usd"][str(year)], fund["jpy_per_usd_period_average"][year]):
        assert yen / rate / 1e6 == pytest.approx(million, rel=0.001)


def test_the_rates_of_the_federal_reserve_and_of_the_fund_are_nearly_equal(sources: Path):
    rates = load("exchange_rates").query("currency == 'JPY' and frequency == 'annual'").set_index("period")
    fund = pd.read_csv(next(sources.rglob("imf_ifs_jpy_per_usd*.csv"))).set_index("year")["jpy_per_usd_period_average"]
    assert len(fund) == 28
    for year, rate in fund.items():
        assert rates["currency_per_usd"][str(year)] == pytest.approx(rate, rel=0.002)


def test_both_flows_of_854149_are_those_of_the_derived_file(sources: Path):
    derived = pd.read_csv(next(sources.rglob("DERIVED_us_japan_hs854149*.csv"))).iloc[0]
    trade = load("subheading_trade").query("hs6 == '854149' and year == 2024 and months == 12")
    trade = trade.set_index(["source_id", "flow", "partner"])["value_usd"]
    for partner in ("japan", "world"):
        assert trade["census", "export", partner.capitalize()] == derived[f"us_total_exports_to_{partner}_usd"]
        imports = derived[f"us_imports_for_consumption_from_{partner}_usd"]
        assert trade["usa-trade-online", "import", partner.capitalize()] == imports


def test_origins_of_drones_are_those_of_the_derived_file_and_near_a_second_pull(sources: Path):
    derived = pd.read_csv(next(sources.rglob("DERIVED_us_drone_imports*.csv"))).set_index("country")["hs8806_total_usd"]
    trade = load("drone_trade").query("reporter == 'United States'").groupby("partner")["value"].sum()
    trade = trade.rename({"World": "SUM_OF_COUNTRIES (= World Total)", "South Korea": "Korea, South"})
    assert trade.to_dict() == derived.to_dict()
    second = pd.read_csv(next(sources.rglob("us_imports_for_consumption_2024_hs8806_second_pull*.csv")))
    second = second.groupby("CTY_NAME")["CON_VAL_YR"].sum()
    assert second["CHINA"] == pytest.approx(trade["China"], rel=0.01)
    assert (second["MALAYSIA"], second["JAPAN"]) == (trade["Malaysia"], trade["Japan"])


def test_japan_s_drones_are_those_of_the_raw_file(sources: Path):
    raw = pd.read_csv(next(sources.rglob("japan_trade_hs8806_world*.csv"))).groupby("Exp or Imp")
    trade = load("drone_trade").query("reporter == 'Japan'").groupby("flow")[["value", "aircraft"]].sum()
    for number, flow in ((1, "export"), (2, "import")):
        assert trade.loc[flow].tolist() == raw[["Value-Year", "Quantity1-Year"]].sum().loc[number].tolist()


def test_imports_by_code_add_up_to_those_by_definition():
    codes = load("eo_codes").set_index("hts10")
    imports = load("eo_code_imports")
    sums = load("eo_trade").query("source_id == 'usa-trade-online-2024'").set_index(["definition", "partner"])
    for definition in "ABCD":
        chosen = imports[imports["hts10"].map(codes[f"definition_{definition.lower()}"])]
        for partner, rows in chosen.groupby("partner"):
            found, whole = (len(rows), rows["value_usd"].sum()), sums.loc[(definition, partner)]
            known = (whole["n_codes_with_trade"], whole["value_usd"])
            assert found == known if definition in "ABC" else (found < known and found[1] < known[1])


def test_the_findings_on_the_balance_have_the_numbers_of_the_tables():
    findings = load("claims").set_index("claim_id")["finding"]
    rates = load("exchange_rates").query("currency == 'JPY' and frequency == 'annual'")
    rate = rates.set_index(rates["period"].astype(int))["currency_per_usd"].astype(float)
    trade = load("japan_customs_trade").query("partner == 'United States' and scope in ['same', 'near']")
    yen = trade.groupby("year")["value_thousand_yen"].sum().astype(float)
    exports = (yen / 1000 / rate.reindex(yen.index)).loc[2007:].round()
    assert f"from USD {exports[2007]:.0f} million in 2007 to {exports[2009]:.0f} million in 2009" in findings["C096"]
    since = exports.loc[2010:]
    assert f"{since.min():.0f} to {since.max():.0f} million a year from 2010 to 2020" in findings["C096"]
    imports = load("eo_trade").query("source_id == 'usa-trade-online-2024'").set_index(["definition", "partner"])
    values = imports["value_usd"].astype(float)
    a, b = (f"{values[name, 'Japan'] / 1e6:.0f} million" for name in "AB")
    assert f"imports from Japan were {a} in 2024 by the codes, {b} with" in findings["C096"]
    assert f"and {100 * values['A', 'Japan'] / values['A', 'World']:.0f} percent of all imports" in findings["C097"]
    wafers = load("subheading_trade").query("source_id == 'comtrade-legacy' and reporter == 'United States'")
    wafers = wafers.query("flow == 'import'").pivot(index="year", columns="partner", values="value_usd")
    share = 100 * wafers["Japan"] / wafers["World"]
    assert f"supplied {share.min():.0f} to {share.max():.0f} percent of U.S. imports of wafer" in findings["C097"]
