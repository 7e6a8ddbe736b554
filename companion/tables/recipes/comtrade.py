"""The table of trade by HS subheading, from UN Comtrade."""

import pandas as pd

from companion.sources import SourceError, SourceFile, comtrade
from companion.tables.recipes.built import Built, same_rows

KEY = ["reporter", "partner", "flow", "year", "hs6", "source_id"]
COLUMNS = [*KEY[:-1], "classification", "valuation_basis", "months", "value_usd", "source_id"]


def subheading_trade(files: list[SourceFile]) -> Built | None:
    """Trade of Japan and the United States by HS subheading and year, from every file of UN Comtrade in the folder.

    Returns:
        One row per reporter, partner, flow, year, subheading and source: the sum of the periods that the files have, in
        current U.S. dollars. `months` is the number of months that they cover.

    Raises:
        SourceError: two files of one form disagree, a year stands there both whole and by month, or its months are in
            two editions of the HS or at two bases.
    """
    used = [file for file in files if comtrade.recognizes(file)]
    if not used:
        return None
    found = [comtrade.read(file).assign(file=file.name) for file in used]
    rows = pd.concat(found).drop_duplicates(list(comtrade.COLUMNS))
    _refuse(rows[rows.duplicated(comtrade.KEY, keep=False)], "have two values")
    by_year = rows.groupby([*KEY, "classification", "valuation_basis"], as_index=False)
    table = by_year.agg(months=("months", "sum"), value_usd=("value_usd", "sum"), file=("file", "min"))
    _refuse(table[table.duplicated(KEY, keep=False)], "are in two editions of the HS or at two bases")
    _refuse(table[table["months"] > 12], "stand there both as a year and by month")
    table = table[COLUMNS].sort_values(KEY, ignore_index=True)
    return Built(table, used, covers=same_rows(table, KEY))


def _refuse(rows: pd.DataFrame, problem: str) -> None:
    if len(rows):
        row, names = rows.iloc[0], " and ".join(sorted(set(rows["file"])))
        what = f"the {row['flow']}s of {row['hs6']}, {row['reporter']}, {row['partner']}, {row['year']}"
        raise SourceError(f"{names}: {what} {problem}. Leave one state of the figures in the folder.")
