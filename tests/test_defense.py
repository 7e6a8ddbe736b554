"""The tables on Japan's defense: workbooks and records read right or refused, and the known figures."""

import io
import re
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.styles import Font
from openpyxl.styles.colors import Color

from companion import load
from companion.sources import SourceError, SourceFile, curated, sipri, sipri_milex, sipri_top100, walk
from companion.sources.corrections import guard_missing
from companion.sources.workbooks import says as workbooks_say
from companion.tables.recipes import defense

LOCAL_1949 = ("local_currency_million", "Australia 1949")

MILEX_SHEETS = {
    "Local currency financial years": ["Currency", "Fiscal Year", "Notes"],
    "Local currency calendar years": ["Currency", "Notes"],
    "Constant (2023) US$": ["", "Notes"],
    "Current US$": ["Notes"],
    "Share of GDP": ["Notes"],
}


def saved(book: openpyxl.Workbook, name: str = "book.xlsx") -> SourceFile:
    content = io.BytesIO()
    book.save(content)
    return SourceFile(name, content.getvalue())


def milex(
    japan: object = 0.01, country: str = "Japan", currency: str = "Yen", sheets: dict = MILEX_SHEETS
) -> SourceFile:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, extra in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(["Military expenditure by country, in local currency"])
        sheet.append(["Country", *extra, 2029, 2030])
        sheet.append([country, currency, *[""] * (len(extra) - 1), "...", japan])
        sheet.cell(3, sheet.max_column).font = Font(color=Color(indexed=12))
    return saved(book, "milex.xlsx")


def top100(arms: object = 3250, year_column: str = "Arms Revenue (2022)") -> SourceFile:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "2022 "
    sheet.append(["The SIPRI Top 100 arms-producing and military services companies"])
    sheet.append(
        ["Rank (2022) *Note (b)", "Rank (2021)", "Company (c)", "Country", year_column, "Total Revenue (2022)"]
    )
    sheet.append([43, 35, "NEC Corp.", "Japan", arms, 32000])
    sheet.append([44, 36, "Other", "France", 1, ". ."])
    sheet.append(["Note: percentages"])
    return saved(book, "top100.xlsx")


def test_military_spending_is_brought_to_our_units_with_its_mark():
    rows = sipri_milex.read(milex(), ["Japan"]).set_index("measure")
    assert rows["value"].to_dict() == {
        "constant_usd_million": 0.01,
        "current_usd_million": 0.01,
        "gdp_share_percent": 1.0,
        "local_currency_million": pytest.approx(1e-8),
        "local_currency_fiscal_million": pytest.approx(1e-8),
    }
    assert rows["mark"].unique().tolist() == ["estimate"]
    assert rows["year"].unique().tolist() == [2030]  # 2029 has no figure and no row
    assert rows["release"].unique().tolist() == [2031]


def test_an_older_release_writes_billions():
    rows = sipri_milex.read(milex(5, currency="b. yen"), ["Japan"]).set_index("measure")
    assert rows.loc["local_currency_million", "value"] == 5000


def test_zeros_are_those_that_the_corrections_call_missing():
    guard_missing(sipri_milex.DATABASE, 2025, [("current_usd_million", "Australia 1949"), LOCAL_1949], "milex.xlsx")
    with pytest.raises(SourceError, match=r"milex.xlsx, gdp_share_percent, Japan 1950: 0 is not a possible amount"):
        guard_missing(sipri_milex.DATABASE, 2031, [("gdp_share_percent", "Japan 1950")], "milex.xlsx")
    with pytest.raises(
        SourceError, match=r"current_usd_million, Australia 1949: data/corrections.csv corrects a 0 that"
    ):
        guard_missing(sipri_milex.DATABASE, 2025, [LOCAL_1949], "milex.xlsx")


@pytest.mark.slow
def test_every_rename_is_still_needed(sources: Path):
    files = list(walk(sources))
    seen = " ".join(file.text for file in files if sipri.recognizes(file))
    companies = pd.concat(sipri_top100.read(f)["company"] for f in files if sipri_top100.recognizes(f))
    press = pd.concat(curated.top100_press(f)["company"] for f in files if curated.recognizes(f, curated.TOP100_PRESS))
    workbooks = [f for f in files if sipri_milex.recognizes(f)]
    budgets = [f for f in files if curated.recognizes(f, curated.UNMANNED_BUDGET)]
    for row in load("corrections").query("release.isna()").itertuples():
        old = row.upstream
        assert {
            sipri.DATABASE: re.search(rf"[;,]{re.escape(old)}[;,]", seen),
            "SIPRI Arms Industry Database": old in {*companies, *press},
            sipri_milex.DATABASE: any(workbooks_say(workbook, old) for workbook in workbooks),
            "Compiled record of uncrewed-system budgets": any(old in budget.text for budget in budgets),
        }[row.source], f"no release has {old!r} any more: remove {row.correction_id} from data/corrections.csv"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (milex("a lot"), r"milex.xlsx, sheet 'Constant \(2023\) US\$', row 3, column 2030: 'a lot' is not an amount"),
        (milex(-1), r"-1 is not an amount"),
        (milex(country="France"), r"no row for Japan"),
        (milex(sheets={"Sheet1": []}), r"no sheet 'Constant'\. The workbook has: Sheet1"),
        (SourceFile("milex.xlsx", milex().content[:2000]), r"milex.xlsx: the workbook cannot be read"),
    ],
)
def test_a_bad_spending_workbook_is_refused(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        sipri_milex.read(file, ["Japan"])


def test_the_top_100_keeps_rank_and_revenues_and_stops_at_the_notes():
    rows = sipri_top100.read(top100())
    assert rows.to_numpy().tolist()[0] == [2022, 43, "NEC Corp.", "Japan", 3250, 32000]
    assert rows["total_revenue_usd_million"].isna().tolist() == [False, True]
    assert defense.top100_japan([top100()]).rows["company"].tolist() == ["NEC"]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (top100("n/a"), r"top100.xlsx, sheet '2022 ', row 3: 'n/a' is not a revenue"),
        (top100(0), r"top100.xlsx, sheet '2022 ', row 3: 0 is not a revenue"),
        (top100(year_column="Sales"), r"no column like 'Arms Revenue.*The sheet has: Rank \(2022\)"),
    ],
)
def test_a_bad_top_100_is_refused(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        sipri_top100.read(file)


def record(columns: list[str], *rows: str) -> SourceFile:
    return SourceFile("record.csv", "\n".join([",".join(columns), *rows]).encode())


def rates(day: str, rate: str = "114.8") -> SourceFile:
    return record(curated.EXCHANGE_RATES, f"{day},Japan,{rate}")


@pytest.mark.parametrize(
    ("read", "file", "message"),
    [
        (curated.defense_budget, record(curated.DEFENSE_BUDGET, "FY23,1,a,b,c,d,e,"), r"column 'fiscal_year': 'FY23'"),
        (curated.defense_budget, record(curated.DEFENSE_BUDGET, "2023,much,a,b,c,d,e,"), r"'much' is not a number"),
        (curated.defense_budget, record(curated.DEFENSE_BUDGET, "2023,-1,a,b,c,d,e,"), r"'-1' is not a possible value"),
        (
            curated.defense_budget,
            record(curated.DEFENSE_BUDGET, "2023,1,a,b"),
            r"row 2: 4 fields where the header has 8",
        ),
        (curated.defense_budget, record(curated.DEFENSE_BUDGET), r"there are no rows below the header"),
        (curated.defense_budget, record(["a", "b"], "1,2"), r"column 'fiscal_year' is missing. The file has: a, b"),
        (curated.defense_budget, SourceFile("empty.csv", b""), r"empty.csv: column 'fiscal_year' is missing.*nothing"),
        (curated.unmanned_budget, record(curated.UNMANNED_BUDGET, "soon,1,a,b,c,d,e,"), r"'soon' is not a fiscal year"),
        (curated.unmanned_budget, record(curated.UNMANNED_BUDGET, "FY2027-2023,1,a,b,c,d,e,"), r"'FY2027-2023' is not"),
        (curated.unmanned_budget, record(curated.UNMANNED_BUDGET, "FY0203,1,a,b,c,d,e,"), r"'FY0203' is not a fiscal"),
        # What a share or a growth is of, is above zero.
        (curated.defense_budget, record(curated.DEFENSE_BUDGET, "2023,0,a,b,c,d,e,"), r"'0' is not a possible value"),
        (curated.unmanned_budget, record(curated.UNMANNED_BUDGET, "FY2023,0.0,a,b,c,d,e,"), r"'0.0' is not a possible"),
        (curated.top100_press, record(curated.TOP100_PRESS, "2023,39,MHI,0,a,b,c"), r"'arms_revenue_usd_bn': '0' is"),
        (curated.exchange_rates, rates("2022-01-01", "0"), r"record.csv, row 2, column 'Exchange rate': '0' is not"),
        (curated.exchange_rates, rates("2022-01-01", "-114.8"), r"row 2, column 'Exchange rate': '-114.8' is not"),
        (curated.exchange_rates, rates("2022-01-01", ""), r"row 2, column 'Exchange rate': the cell is empty"),
        (curated.exchange_rates, rates("2020-02-31"), r"record.csv, row 2, column 'Date': '2020-02-31' is not a date"),
        (curated.exchange_rates, rates("2020-13-01"), r"row 2, column 'Date': '2020-13-01' is not a date"),
        (curated.exchange_rates, rates("2020-02-15"), r"row 2, column 'Date': '2020-02-15' is not the first day of a"),
        (curated.exchange_rates, rates("2020-01"), r"row 2, column 'Date': '2020-01' is not the first day of a month"),
    ],
)
def test_a_bad_record_is_refused(read, file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        read(file)


def test_a_span_of_fiscal_years_has_both_ends():
    rows = curated.unmanned_budget(
        record(curated.UNMANNED_BUDGET, "FY2023-2027,1000,a,b,c,d,e,", "FY2024,1,a,b,c,d,e,")
    )
    assert rows[["first_fiscal_year", "last_fiscal_year"]].to_numpy().tolist() == [[2023, 2027], [2024, 2024]]


def test_japan_has_ordered_more_f35_than_any_other_customer():
    orders = load("fighter_orders")
    for vintage, rows in orders.query("open_orders").groupby("vintage"):
        by_recipient = rows.groupby("recipient")["ordered"].sum()
        assert by_recipient["Japan"] == 147, vintage
        assert by_recipient.idxmax() == "Japan", vintage
    known = orders.dropna(subset="ordered")
    assert (known["delivered"] + known["pending"] <= known["ordered"]).all()
    assert set(orders[orders["ordered"].isna()]["vintage"]) == {"2019-03", "2020-03", "2022-08", "2024-04"}


def test_deliveries_of_f35_are_known_in_every_state():
    delivered = load("fighter_orders").groupby(["vintage", "recipient"])["delivered"].sum()
    ranks = delivered.groupby("vintage").rank(ascending=False, method="min").xs("Japan", level="recipient")
    assert ranks.loc["2024-04":].to_dict() == {"2024-04": 2, "2024-10": 2, "2025-03": 4, "2026-02": 4, "2026-05": 2}
    assert delivered["2024-04"].nlargest(4, keep="all").to_dict() == {
        "Australia": 63,
        "Japan": 40,
        "Norway": 40,
        "South Korea": 40,
    }
    assert delivered["2025-03"].to_dict() == delivered["2026-02"].to_dict()


@pytest.mark.parametrize(
    ("comment", "pending"),
    [
        ("delivery planned 2024-2030", 0),
        ("126 planned of which 48 ordered by end-2025; delivery of 1st 75 planned by 2033", 78),
        ("incl up to 28 from Italy; incl 27 selected but not yet ordered by end-2025", 27),
        ("Selected but not yet ordered by end-2025", 85),
        ("selected but contract not yet signed by end-2025", 85),
    ],
)
def test_the_comment_tells_for_how_many_aircraft_a_contract_is_missing(comment: str, pending: int):
    columns = (
        "Recipient,Supplier,Year of order, ,Number ordered, ,Weapon designation,Weapon description,Number delivered, ,"
        "Year(s) of delivery,status,Comments,SIPRI TIV per unit,SIPRI TIV of order,SIPRI TIV of delivered weapons"
    )
    f35 = f"Japan,United States,2006,?,126,?,F-35B Lightning-2,FGA aircraft,41,?,2012; 2025,New,{comment},60,1,1"
    other = "Peru,Italy,2010,,2,,A-1,FGA aircraft,0,,,New,,1,1,0"
    register = SourceFile("trade-register_2026-05-18.csv", "\n".join([columns, f35, other]).encode())
    row = defense.fighter_orders([register]).rows.iloc[0]
    assert (row["ordered"], row["delivered"], row["pending"], row["open_orders"]) == (126, 41, pending, True)


def test_known_figures_of_military_spending():
    spending = load("military_spending").set_index(["release", "country", "year"])
    fiscal = spending["local_currency_fiscal_million"] / 1e6
    assert fiscal[2025, "Japan", 2010] == pytest.approx(4.79, abs=0.005)
    assert fiscal[2025, "Japan", 2024] == pytest.approx(8.78, abs=0.005)
    assert set(spending.loc[2025].index.get_level_values("country")) == set(defense.COUNTRIES)
    assert (spending["gdp_share_percent"].dropna() < 40).all()
    assert spending.loc[2025, "China", 2024]["mark"] == "estimate"


def test_local_production_is_part_of_the_imports():
    imports = load("arms_imports_japan")
    assert (imports["tiv_local_production_million"] <= imports["tiv_million"] + 1e-9).all()
    assert imports.groupby("supplier")["tiv_million"].sum().idxmax() == "United States"


def test_ranks_of_japanese_companies_are_sipri_s():
    ranks = load("top100_japan").set_index(["year", "company"])["rank"]
    assert ranks[2022, "Mitsubishi Heavy Industries"] == 43
    assert ranks[2002, "Mitsubishi Heavy Industries"] == 15


def test_the_yen_has_a_rate_in_every_year_of_the_report_s_plan():
    rates = load("exchange_rates").query("currency == 'JPY' and frequency == 'annual'").set_index("period")
    assert rates.loc["2024", "currency_per_usd"] == pytest.approx(151.4551)
    assert {"2022", "2023", "2024"} <= set(rates.index)
