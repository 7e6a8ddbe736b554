"""The table of trade by HS subheading, from UN Comtrade and the U.S. Census Bureau."""

from collections.abc import Callable

import pandas as pd

from companion.sources import SourceError, SourceFile, census_hs6, comtrade, usa_trade_online_cuts
from companion.tables.recipes.built import Built, same_rows
from companion.tables.recipes.customs import SUBHEADINGS

KEY = ["reporter", "partner", "flow", "year", "hs6", "source_id"]
COLUMNS = [*KEY[:-1], "classification", "valuation_basis", "months", "value_usd", "source_id"]


def subheading_trade(files: list[SourceFile]) -> Built | None:
    """Trade of Japan and the United States by HS subheading and year, from every file of UN Comtrade and the Census.

    Returns:
        One row per reporter, partner, flow, year, subheading and source: the sum of the periods that the files have, in
        current U.S. dollars. `months` is the number of months that they cover.

    Raises:
        SourceError: two files of one form disagree, a year stands there both whole and by month, or its months are in
            two editions of the HS or at two bases.
    """
    used = [file for file in files if any(recognizes(file) for recognizes in READERS)]
    if not used:
        return None
    found = [
        read(file).assign(file=file.name) for file in used for recognizes, read in READERS.items() if recognizes(file)
    ]
    rows = pd.concat(found).drop_duplicates(list(comtrade.COLUMNS))
    _refuse(rows[rows.duplicated(comtrade.KEY, keep=False)], "have two values")
    by_year = rows.groupby([*KEY, "classification", "valuation_basis"], as_index=False)
    table = by_year.agg(months=("months", "sum"), value_usd=("value_usd", "sum"), file=("file", "min"))
    _refuse(table[table.duplicated(KEY, keep=False)], "are in two editions of the HS or at two bases")
    _refuse(table[table["months"] > 12], "stand there both as a year and by month")
    table = table[COLUMNS].sort_values(KEY, ignore_index=True)
    return Built(table, used, covers=same_rows(table, KEY))


def _imports_of_a_year(file: SourceFile) -> pd.DataFrame:
    """The imports of a cut by ten-digit code, added up to the subheadings in which the report's goods stand."""
    rows = usa_trade_online_cuts.read(file)
    rows = rows.assign(hs6=rows["hts10"].str[:6])
    rows = rows[rows["hs6"].isin(SUBHEADINGS)]
    sums = rows.groupby(["partner", "year", "hs6"], as_index=False)["value_usd"].sum().astype({"value_usd": float})
    return sums.assign(
        reporter="United States",
        flow="import",
        period=sums["year"].astype(str),
        source_id="usa-trade-online",
        classification="HS",
        valuation_basis=usa_trade_online_cuts.BASIS,
        months=12,
    )[comtrade.COLUMNS]


READERS: dict[Callable[[SourceFile], bool], Callable[[SourceFile], pd.DataFrame]] = {
    comtrade.recognizes: comtrade.read,
    census_hs6.recognizes: census_hs6.read,
    usa_trade_online_cuts.recognizes: _imports_of_a_year,
}


def _refuse(rows: pd.DataFrame, problem: str) -> None:
    if len(rows):
        row, names = rows.iloc[0], " and ".join(sorted(set(rows["file"])))
        what = f"the {row['flow']}s of {row['hs6']}, {row['reporter']}, {row['partner']}, {row['year']}"
        raise SourceError(f"{names}: {what} {problem}. Leave one state of the figures in the folder.")
