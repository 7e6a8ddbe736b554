"""Tables on uncrewed aircraft."""

import re
from collections.abc import Iterable

import pandas as pd

from companion.sources import SourceError, SourceFile, sipri
from companion.sources import uas_groups as groups
from companion.tables.recipes import states
from companion.tables.recipes.built import Built, only_one

FIRST_YEAR = 2000

# SIPRI's label for a weapon, in lower case, and the category of this book that it belongs to. SIPRI renames
# labels between releases (UAV became "reconnaissance drone", Warmate moved from loitering munition to one-way
# attack drone); the category stays, and the label is kept beside it.
CATEGORIES = {
    "uav": "reconnaissance",
    "asw uav": "reconnaissance",
    "light aircraft/uav": "reconnaissance",
    "uav/light aircraft": "reconnaissance",
    "maritime patrol uav": "reconnaissance",
    "mp uav": "reconnaissance",
    "reconnaissance drone": "reconnaissance",
    "light aircraft/reconnaissance drone": "reconnaissance",
    "maritime patrol drone": "reconnaissance",
    "armed uav": "armed",
    "(armed) uav": "armed",
    "uav/ucav": "armed",
    "uav/asw ucav": "armed",
    "armed drone": "armed",
    "armed reconnaissance drone": "armed",
    "(armed) reconnaissance drone": "armed",
    "loitering munition": "one-way attack",
    "one-way attack drone": "one-way attack",
}
# A label with one of these words is an uncrewed aircraft, so it has to stand in CATEGORIES.
UNCREWED = re.compile("uav|ucav|loitering|drone|unmanned|uncrewed|one-way")

KEYS = ["vintage", "exported", "supplier", "designation", "category", "label", "year", "year_method"]
COUNTS = ["units", "units_estimated", "units_local_production"]


def uas_deliveries(files: list[SourceFile]) -> Built | None:
    """UAS and loitering munitions delivered, from every SIPRI export in the folder, from 2000 on.

    A vintage is the state of the database in one month. Where the export of that month does not reach back to
    2000, the years before it come from the newest earlier export; `exported` names the file's date in each row.
    Exports of single countries do not count.

    Returns:
        One row per vintage, supplier, designation, label, year and year_method; numbers of aircraft.
    """
    exports = states.exports(files)
    rows = deliveries_by_vintage(export for _, export in exports)
    if rows is None:
        return None
    pairs = sorted(set(zip(rows["vintage"], rows["exported"], strict=True)))
    used = [(file, e) for file, e in exports if e.complete and e.last_year >= FIRST_YEAR]
    held = _held_years([export for _, export in used])
    gaps = {vintage: set(range(FIRST_YEAR, max(years) + 1)) - years for vintage, years in held.items()}
    doubts = {vintage: f"its files do not hold {states.span(years)}" for vintage, years in gaps.items() if years}
    return Built(
        rows,
        [file for file, _ in used],
        [sipri.source(exported, vintage) for vintage, exported in pairs],
        "vintage",
        lambda table: _covered(table, held),
        states.joined(
            states.doubts([export for _, export in used]),
            doubts,
            states.renamed(rows, "uas_deliveries", "supplier", "units"),
        ),
        states.coverage(used, lambda e: int(_uncrewed(e)["year"].ge(FIRST_YEAR).sum())),
    )


def deliveries_by_vintage(exports: Iterable[sipri.Export]) -> pd.DataFrame | None:
    """The rows of `uas_deliveries`; None where no export holds all countries."""
    newest_first = sorted(
        (e for e in exports if e.complete and e.last_year >= FIRST_YEAR),
        key=lambda export: (export.exported, export.last_year),
        reverse=True,
    )
    if not newest_first:
        return None
    uncrewed = [(export, _uncrewed(export)) for export in newest_first]
    parts = []
    for vintage in sorted({export.vintage for export in newest_first}):
        last_year = max(export.last_year for export in newest_first if export.vintage == vintage)
        missing = set(range(FIRST_YEAR, last_year + 1))
        for export, rows in uncrewed:
            if export.vintage <= vintage:
                years = missing & set(range(export.first_year, export.last_year + 1))
                chosen = rows[rows["year"].isin(years)]
                parts.append(chosen.assign(vintage=vintage, exported=export.exported.isoformat()))
                missing -= years
    return (
        pd.concat(parts)
        .groupby(KEYS, as_index=False)[COUNTS]
        .sum(min_count=1)
        .sort_values(KEYS, ignore_index=True)[[*KEYS[:-1], *COUNTS, KEYS[-1]]]
    )


def _held_years(exports: list[sipri.Export]) -> dict[str, set[int]]:
    """The years of each vintage that some export up to its month holds."""
    return {
        vintage: {
            year
            for export in exports
            if export.vintage <= vintage
            for year in range(max(export.first_year, FIRST_YEAR), export.last_year + 1)
        }
        for vintage in {export.vintage for export in exports}
    }


def _covered(table: pd.DataFrame, held: dict[str, set[int]]) -> "pd.Series[bool]":
    """The rows, their cells as text, of vintages and years that the exports hold."""
    pairs = zip(table["vintage"], table["year"].astype(int), strict=True)
    return pd.Series([year in held.get(vintage, ()) for vintage, year in pairs], table.index, dtype=bool)


def uas_groups(files: list[SourceFile]) -> Built | None:
    """The DoD UAS groups, one row per group and source."""
    record = only_one(files, groups.recognizes, "UAS groups")
    return Built(groups.read(record), [record]) if record else None


def _uncrewed(export: sipri.Export) -> pd.DataFrame:
    """The uncrewed aircraft of an export, with this book's category."""
    rows = export.deliveries[export.deliveries["label"].str.contains(UNCREWED)]
    unknown = rows[~rows["label"].isin(CATEGORIES)]
    if len(unknown):
        row = unknown.iloc[0]
        raise SourceError(
            f"{export.name}, row {row['line']}: the weapon label {row['label']!r} is not known. "
            "Decide on its category and add it to CATEGORIES in companion/tables/recipes/uas.py."
        )
    nothing = pd.Series(float("nan"), rows.index)
    return rows.assign(
        category=rows["label"].map(CATEGORIES),
        units_estimated=rows["units"].where(rows["units_marked"].astype(bool), 0.0),
        # Trade registers do not say what was produced locally.
        units_local_production=rows["units"].where(rows["local"].astype(bool), 0.0)
        if export.form == "deals"
        else nothing,
    )
