"""Tables on Japan's defense: spending, budgets, companies, arms imports, fighters on order."""

import pandas as pd

from companion.sources import SourceFile, curated, sipri, sipri_milex, sipri_top100
from companion.sources.corrections import renames
from companion.tables import load
from companion.tables.recipes import states
from companion.tables.recipes.built import Built, OlderStateError, only_one, same_rows

COUNTRIES = ["Australia", "China", "Japan", "South Korea", "United States"]
MILEX = {"title": sipri_milex.DATABASE, "path": "https://www.sipri.org/databases/milex"}
ARMS_INDUSTRY = {"title": "SIPRI Arms Industry Database", "path": "https://www.sipri.org/databases/armsindustry"}


def arms_imports_japan(files: list[SourceFile]) -> Built | None:
    """Volume of arms delivered to Japan, from the newest exports that say category and local production.

    Returns:
        One row per supplier, category and year: million SIPRI trend-indicator values.
    """
    deals = [(file, e) for file, e in states.exports(files) if e.form == "deals" and e.complete]
    if not deals:
        return None
    vintage = max(export.vintage for _, export in deals)
    used = [(file, export) for file, export in deals if export.vintage == vintage]
    of_vintage = [export for _, export in used]
    _refuse_part(of_vintage)
    rows = pd.concat([export.deliveries for export in of_vintage]).query("recipient == 'Japan'")
    keys = ["supplier", "armament", "year"]
    table = (
        rows.assign(local_tiv=rows["tiv"].where(rows["local"].astype(bool), 0.0))
        .groupby(keys, as_index=False)[["tiv", "local_tiv"]]
        .sum()
        .round(6)
        .rename(columns={"armament": "category", "tiv": "tiv_million", "local_tiv": "tiv_local_production_million"})
    )
    table.insert(0, "vintage", vintage)
    table = table.sort_values(["supplier", "category", "year"], ignore_index=True)
    days = sorted({export.exported.isoformat() for export in of_vintage})
    return Built(
        table,
        [file for file, _ in used],
        [sipri.source(day, vintage) for day in days],
        coverage=states.coverage(used, lambda e: int(e.deliveries["recipient"].eq("Japan").sum())),
    )


def _refuse_part(exports: list[sipri.Export]) -> None:
    """Leave a table that has a later state, or more years, than the files."""
    committed, vintage = load("arms_imports_japan"), exports[0].vintage
    newest, first = committed["vintage"].max(), int(committed["year"].min())
    if vintage < newest:
        raise OlderStateError(f"the files hold the state of {vintage}, and the table has that of {newest}")
    years = {year for export in exports for year in range(export.first_year, export.last_year + 1)}
    missing = set(range(first, max(*years, int(committed["year"].max())) + 1)) - years
    if missing:
        raise OlderStateError(f"the files of {vintage} lack {states.span(missing)}, which the table has")


# SIPRI counts planned and chosen aircraft as ordered; its comment says for how many a contract is missing.
PLANNED = r"(?P<planned>\d+) planned of which (?P<signed>\d+) ordered"
SELECTED = r"incl (\d+) selected but not yet ordered"
WHOLE = r"not yet (?:ordered|signed)"
F35 = "(F-35[ABC])"
ORDER = ["recipient", "designation", "order_year"]
COUNTS = ["ordered", "ordered_estimated", "pending", "delivered", "delivered_estimated"]
F35_COLUMNS = ["vintage", "exported", "open_orders", *ORDER, "order_year_estimated", *COUNTS]
F35_COLUMNS += ["first_delivery_year", "last_delivery_year"]


def fighter_orders(files: list[SourceFile]) -> Built | None:
    """Orders of F-35 aircraft in every state of the database, one row per order.

    Returns:
        One row per vintage, recipient, type and order: aircraft ordered, without a signed contract, and delivered.
    """
    every = [(file, export) for file, export in states.exports(files) if export.complete]
    used = [(file, export) for file, export in every if _f35(export.deliveries).any() or _f35(export.orders).any()]
    if not used:
        return None
    exports = [export for _, export in used]
    table = pd.concat(_in_register(e) if e.form == "register" else _in_deals(e) for e in exports)
    table = table[F35_COLUMNS].sort_values(["vintage", *ORDER, "delivered"], ignore_index=True)
    days = sorted({(export.exported.isoformat(), export.vintage) for export in exports})
    return Built(
        table,
        [file for file, _ in used],
        [sipri.source(exported, vintage) for exported, vintage in days],
        "vintage",
        doubts=states.joined(states.doubts(exports), states.renamed(table, "fighter_orders", "recipient", "ordered")),
        coverage=states.coverage(used, lambda e: int(_f35(e.orders if e.form == "register" else e.deliveries).sum())),
    )


def _f35(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["designation"].str.match(F35 + r"\b")


def _in_register(export: sipri.Export) -> pd.DataFrame:
    """The orders of a register; one that was asked for deliveries alone lacks those without any."""
    orders = export.orders[_f35(export.orders)]
    years = orders["year"].str.findall(r"\d{4}").str
    return pd.DataFrame(
        {
            "vintage": export.vintage,
            "exported": export.exported.isoformat(),
            "open_orders": bool((export.orders["units"] == 0).any()),
            "recipient": orders["recipient"],
            "designation": orders["designation"].str.extract(F35)[0],
            "order_year": orders["order_year"],
            "order_year_estimated": orders["order_year_marked"].eq("?"),
            "ordered": orders["ordered"],
            "ordered_estimated": orders["ordered_marked"].eq("?").astype("boolean"),
            "pending": _pending(orders),
            "delivered": orders["units"],
            "delivered_estimated": orders["units_marked"].eq("?"),
            "first_delivery_year": years[0],
            "last_delivery_year": years[-1],
        }
    )


def _pending(orders: pd.DataFrame) -> "pd.Series[float]":
    """Of the aircraft that a register counts as ordered, those without a signed contract, by its comment."""
    comment = orders["comment"]
    signed = comment.str.extract(PLANNED)["signed"].astype(float)
    selected = comment.str.extract(SELECTED)[0].astype(float)
    whole = (orders["ordered"] - orders["units"]).where(comment.str.contains(WHOLE), 0.0)
    return (orders["ordered"] - signed).fillna(selected).fillna(whole)


def _in_deals(export: sipri.Export) -> pd.DataFrame:
    """The orders in an export of deals, which has deliveries alone: how many were ordered is not known."""
    rows = export.deliveries[_f35(export.deliveries)]
    rows = rows.assign(designation=rows["designation"].str.extract(F35)[0])
    keys = ["deal", *ORDER, "order_year_marked"]
    orders = rows.groupby(keys, as_index=False).agg(
        delivered=("units", "sum"),
        delivered_estimated=("units_marked", "any"),
        first_delivery_year=("year", "min"),
        last_delivery_year=("year", "max"),
    )
    return (
        orders.drop(columns="deal")
        .rename(columns={"order_year_marked": "order_year_estimated"})
        .assign(
            vintage=export.vintage,
            exported=export.exported.isoformat(),
            open_orders=False,
            ordered=float("nan"),
            ordered_estimated=pd.NA,
            pending=float("nan"),
        )
    )


def top100_japan(files: list[SourceFile]) -> Built | None:
    """Japanese companies in the SIPRI Top 100: the workbook, and press reports for later years.

    Returns:
        One row per year and company: rank, revenues in million current dollars, source.
    """
    workbook = only_one(files, sipri_top100.recognizes, "the SIPRI Top 100")
    if workbook is None:
        return None
    listed = sipri_top100.read(workbook)
    last_year = listed["year"].max()
    table = listed[listed["country"] == "Japan"].assign(
        evidence="SIPRI workbook", source_title=f"{ARMS_INDUSTRY['title']}, Top 100, 2002-{last_year}"
    )
    table = table.assign(source_publisher="SIPRI", source_url=ARMS_INDUSTRY["path"])
    press = only_one(files, lambda file: curated.recognizes(file, curated.TOP100_PRESS), "press reports of the Top 100")
    if press is not None:
        later = curated.top100_press(press).query("year > @last_year")
        table = pd.concat([table, later.assign(evidence="press report")])
    columns = ["year", "rank", "company", "arms_revenue_usd_million", "total_revenue_usd_million", "evidence"]
    table = table[[*columns, *curated.SOURCE]].sort_values(["year", "rank"], ignore_index=True)
    years = {str(year) for year in table["year"]}
    return Built(
        table.assign(company=table["company"].replace(renames(ARMS_INDUSTRY["title"], "company"))),
        [file for file in (workbook, press) if file],
        covers=lambda rows: rows["year"].isin(years),
    )


def military_spending(files: list[SourceFile]) -> Built | None:
    """Military spending of five countries, from every SIPRI workbook in the folder.

    Returns:
        One row per release, country and year; each measure a column; a missing figure is empty.
    """
    workbooks = [file for file in files if sipri_milex.recognizes(file)]
    if not workbooks:
        return None
    long = pd.concat(sipri_milex.read(file, COUNTRIES) for file in workbooks)
    keys = ["release", "country", "year"]
    table = long.pivot_table(index=keys, columns="measure", values="value").round(6).reset_index()
    dollars = long[long["measure"] == "constant_usd_million"].set_index(keys)
    marks = long.dropna(subset="mark").groupby(keys)["mark"].max()
    index = pd.MultiIndex.from_frame(table[keys])
    table["constant_price_year"] = dollars["price_year"].reindex(index).astype("Int64").to_numpy()
    table["mark"] = marks.reindex(index).to_numpy()
    columns = ["constant_usd_million", "constant_price_year", "current_usd_million", "gdp_share_percent"]
    table = table[[*keys, *columns, "local_currency_million", "local_currency_fiscal_million", "mark"]]
    releases = sorted(table["release"].unique())
    return Built(
        table.sort_values(keys, ignore_index=True),
        workbooks,
        [{**MILEX, "version": f"release of {release}", "vintage": str(release)} for release in releases],
        "release",
    )


def defense_budget_japan(files: list[SourceFile]) -> Built | None:
    """Japan's defense budget by fiscal year and basis; trillion yen."""
    record = only_one(files, lambda file: curated.recognizes(file, curated.DEFENSE_BUDGET), "defense budgets")
    return Built(curated.defense_budget(record), [record]) if record else None


def unmanned_budget_japan(files: list[SourceFile]) -> Built | None:
    """Lines of Japan's budget for uncrewed systems; billion yen."""
    record = only_one(files, lambda file: curated.recognizes(file, curated.UNMANNED_BUDGET), "uncrewed-system budgets")
    return Built(curated.unmanned_budget(record), [record]) if record else None


def exchange_rates(files: list[SourceFile]) -> Built | None:
    """Average exchange rates against the U.S. dollar, yearly and where at hand monthly.

    Returns:
        One row per currency and period: units of currency per U.S. dollar.
    """
    records = [file for file in files if curated.recognizes(file, curated.EXCHANGE_RATES)]
    if not records:
        return None
    table = pd.concat(curated.exchange_rates(file) for file in records)
    keys = ["currency", "frequency", "period"]
    table = table.rename(columns={"rate": "currency_per_usd"})[["country", *keys, "currency_per_usd"]]
    table = table.drop_duplicates().sort_values(keys, ignore_index=True)
    return Built(table, records, covers=same_rows(table, keys))
