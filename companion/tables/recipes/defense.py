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


def fighter_orders(files: list[SourceFile]) -> Built | None:
    """Orders of F-35 aircraft in every trade register that holds open orders too, one row per order.

    Returns:
        One row per vintage, recipient, type and order: aircraft ordered and delivered.
    """
    # A register can be asked for deliveries alone; it then misses the orders that are still open.
    used = [(file, e) for file, e in states.exports(files) if e.complete and (e.orders["units"] == 0).any()]
    if not used:
        return None
    registers, parts = [export for _, export in used], []
    for export in registers:
        orders = export.orders[export.orders["designation"].str.match(r"F-35[ABC] ")]
        parts.append(
            pd.DataFrame(
                {
                    "vintage": export.vintage,
                    "exported": export.exported.isoformat(),
                    "recipient": orders["recipient"],
                    "designation": orders["designation"].str.extract("(F-35[ABC])")[0],
                    "order_year": orders["order_year"],
                    "order_year_estimated": orders["order_year_marked"].eq("?"),
                    "ordered": orders["ordered"],
                    "ordered_estimated": orders["ordered_marked"].eq("?"),
                    "delivered": orders["units"],
                    "delivered_estimated": orders["units_marked"].eq("?"),
                    "first_delivery_year": orders["year"].str.extract(r"(\d{4})")[0],
                    "last_delivery_year": orders["year"].str.extract(r"(\d{4})\D*$")[0],
                    # SIPRI lists some aircraft that were chosen and says in its comment that no contract was signed.
                    "contract_pending": orders["comment"].str.contains(r"not yet (?:ordered|signed)", regex=True),
                }
            )
        )
    keys = ["vintage", "recipient", "designation", "order_year", "ordered", "delivered"]
    table = pd.concat(parts).sort_values(keys, ignore_index=True)
    days = sorted({(export.exported.isoformat(), export.vintage) for export in registers})
    return Built(
        table,
        [file for file, _ in used],
        [sipri.source(exported, vintage) for exported, vintage in days],
        "vintage",
        doubts=states.joined(states.doubts(registers), states.renamed(table, "fighter_orders", "recipient", "ordered")),
        coverage=states.coverage(used, lambda e: int(e.orders["designation"].str.match(r"F-35[ABC] ").sum())),
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
