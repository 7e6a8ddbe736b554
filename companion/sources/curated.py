"""Read the small records compiled by hand from press and official pages: budgets, company ranks, exchange rates.

Each record is a CSV with one figure per row and its source beside it.
"""

import re

import pandas as pd

from companion.sources.corrections import renames
from companion.sources.upstream import Row, SourceFile, read_rows

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
            "amount_jpy_trillion": row.number("amount_jpy_trillion"),
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
                "amount_jpy_billion": row.number("amount_jpy_billion"),
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
        revenue = row.number("arms_revenue_usd_bn")
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
    """Average exchange rates, units of currency per U.S. dollar; yearly, or monthly where a file has months."""
    rows = [
        {"period": row.required("Date"), "country": row.required("Country"), "rate": row.number("Exchange rate")}
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
        found = re.fullmatch(r"(?:(about|more than|over) )?(\d[\d,]*(?:\.\d+)?)", row.required("value"))
        if not found:
            raise row.wrong("value", f"{row.text('value')!r} is not a number such as '84.2' or 'more than 565,000'")
        rows.append(
            {
                "what": row.required("what"),
                "period": row.required("period"),
                "qualifier": found[1],
                "value": float(found[2].replace(",", "")),
                "unit": row.required("unit"),
                "kind": kind,
                "url": row.required("url"),
                "published": row.text("published"),
            }
        )
    return pd.DataFrame(rows)


def _source(row: Row) -> dict[str, str | None]:
    return {column: row.text(column) for column in SOURCE}


def _fiscal_years(row: Row) -> tuple[int, int]:
    first, _, last = row.required("period").removeprefix("FY").partition("-")
    if not (first.isdigit() and (last or first).isdigit()):
        raise row.wrong("period", f"{row.text('period')!r} is not a fiscal year, as FY2024, or a span, as FY2023-2027")
    return int(first), int(last or first)
