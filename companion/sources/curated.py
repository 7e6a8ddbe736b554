"""Read the small records compiled by hand from press and official pages: budgets, company ranks, exchange rates.

Each record is a CSV with one figure per row and its source beside it.
"""

import re

import pandas as pd

from companion.sources.corrections import renames
from companion.sources.upstream import FIRST_YEAR, LAST_YEAR, Row, SourceFile, is_date, read_rows

SOURCE = ["source_title", "source_publisher", "source_url"]
DEFENSE_BUDGET = ["fiscal_year", "amount_jpy_trillion", "basis", "status", *SOURCE, "note"]
UNMANNED_BUDGET = ["period", "amount_jpy_billion", "basis", "status", *SOURCE, "note"]
TOP100_PRESS = ["year", "rank", "company", "arms_revenue_usd_bn", *SOURCE]
DRONE_FIGURES = ["what", "period", "value", "unit", "kind", "url", "published"]
EXCHANGE_RATES = ["Date", "Country", "Exchange rate"]

CURRENCIES = {"Australia": "AUD", "China": "CNY", "Japan": "JPY", "South Korea": "KRW"}


def recognizes(file: SourceFile, columns: list[str]) -> bool:
    """Tell whether a file is the record with these columns, by its header."""
    return file.head.partition("\n")[0].strip() == ",".join(columns)


def defense_budget(file: SourceFile) -> pd.DataFrame:
    """Japan's defense budget by fiscal year, basis and status; trillion yen."""
    rows = [
        {
            "fiscal_year": row.year("fiscal_year"),
            "amount_jpy_trillion": row.positive("amount_jpy_trillion"),
            "basis": row.required("basis"),
            "status": row.required("status"),
            **_source(row),
            "note": row.text("note"),
        }
        for row in read_rows(file, DEFENSE_BUDGET)
    ]
    return pd.DataFrame(rows).sort_values(["fiscal_year", "amount_jpy_trillion", "basis"], ignore_index=True)


def unmanned_budget(file: SourceFile) -> pd.DataFrame:
    """Lines of Japan's budget for uncrewed systems; billion yen; one or several fiscal years."""
    rows, plain = [], renames("Compiled record of uncrewed-system budgets", "basis")
    for row in read_rows(file, UNMANNED_BUDGET):
        first, last = _fiscal_years(row)
        rows.append(
            {
                "first_fiscal_year": first,
                "last_fiscal_year": last,
                "amount_jpy_billion": row.positive("amount_jpy_billion"),
                "basis": plain.get(row.required("basis"), row.required("basis")),
                "status": row.required("status"),
                **_source(row),
                "note": row.text("note"),
            }
        )
    keys = ["first_fiscal_year", "last_fiscal_year", "amount_jpy_billion", "basis"]
    return pd.DataFrame(rows).sort_values(keys, ignore_index=True)


def top100_press(file: SourceFile) -> pd.DataFrame:
    """Ranks of Japanese companies in years that SIPRI's workbook does not reach; million dollars, current prices."""
    rows = []
    above = dict.fromkeys(SOURCE)
    for row in read_rows(file, TOP100_PRESS):
        # The record writes "same" for what stands in the row above.
        above = {column: above[column] if row.text(column) == "same" else row.text(column) for column in SOURCE}
        revenue = row.positive("arms_revenue_usd_bn") if row.text("arms_revenue_usd_bn") else None
        rows.append(
            {
                "year": row.year("year"),
                "rank": row.number("rank", minimum=1),
                "company": row.required("company"),
                "arms_revenue_usd_million": None if revenue is None else round(revenue * 1000, 6),
                **above,
            }
        )
    return pd.DataFrame(rows)


def exchange_rates(file: SourceFile) -> pd.DataFrame:
    """Average exchange rates, units of currency per U.S. dollar; yearly, or monthly where a file has months.

    Raises:
        SourceError: a period is not named by its first day, or a rate is not above zero.
    """
    rows = [
        {"period": _month(row, "Date"), "country": row.required("Country"), "rate": row.positive("Exchange rate")}
        for row in read_rows(file, EXCHANGE_RATES)
    ]
    rates = pd.DataFrame(rows)
    monthly = (rates["period"].str[5:7] != "01").any()
    rates = rates[rates["country"].isin(CURRENCIES)]
    return rates.assign(
        country=rates["country"],
        currency=rates["country"].map(CURRENCIES),
        frequency="monthly" if monthly else "annual",
        period=rates["period"].str[: 7 if monthly else 4],
    )


def drone_figures(file: SourceFile) -> pd.DataFrame:
    """Figures on trade in drones as others report them; what stands before a number, as "about", has its own column."""
    rows, kind = [], None
    for row in read_rows(file, DRONE_FIGURES):
        # The record writes "same article" for what stands in the row above.
        kind = kind if kind and row.text("kind") == "same article" else row.required("kind")
        period = row.required("period")
        if not all(map(is_date, period.removeprefix("about ").split(".."))):
            raise row.wrong("period", f"{period!r} is not a time such as '2024', '2024-11' or '2024-01..2024-11'")
        found = re.fullmatch(r"(?:(about|more than|over) )?(\d[\d,]*(?:\.\d+)?)", row.required("value"))
        if not found or not float(found[2].replace(",", "")):
            raise row.wrong("value", f"{row.text('value')!r} is not a number such as '84.2' or 'more than 565,000'")
        rows.append(
            {
                "what": row.required("what"),
                "period": period,
                "qualifier": found[1],
                "value": float(found[2].replace(",", "")),
                "unit": row.required("unit"),
                "kind": kind,
                "url": row.required("url"),
                "published": row.date("published") if row.text("published") else None,
            }
        )
    return pd.DataFrame(rows)


def _source(row: Row) -> dict[str, str | None]:
    return {column: row.text(column) for column in SOURCE}


def _fiscal_years(row: Row) -> tuple[int, int]:
    first, _, last = row.required("period").removeprefix("FY").partition("-")
    if not all(re.fullmatch(r"\d{4}", year, re.ASCII) for year in (first, last or first)) or (
        not FIRST_YEAR <= int(first) <= int(last or first) <= LAST_YEAR
    ):
        raise row.wrong("period", f"{row.text('period')!r} is not a fiscal year, as FY2024, or a span, as FY2023-2027")
    return int(first), int(last or first)


def _month(row: Row, column: str) -> str:
    """The first day of a month, by which a month or a year is named; another day would be the rate of that day."""
    text = row.date(column)
    if not re.fullmatch(r"\d{4}-\d{2}-01", text):
        raise row.wrong(column, f"{text!r} is not the first day of a month or a year, such as '2022-01-01'")
    return text
