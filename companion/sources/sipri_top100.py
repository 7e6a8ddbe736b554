"""Read the SIPRI Top 100 workbook: arms-producing companies by year."""

import re

import pandas as pd

from companion.sources.upstream import SourceError, SourceFile
from companion.sources.workbooks import open_workbook, rows_below, says


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is SIPRI's Top 100 workbook, by what it says of itself."""
    return says(file, "The SIPRI Top 100 arms-producing")


def read(file: SourceFile) -> pd.DataFrame:
    """Read every sheet of the workbook, one year each.

    Returns:
        One row per year and company: year, rank, company, country, arms_revenue_usd_million and
        total_revenue_usd_million (current prices; empty where SIPRI has no figure).

    Raises:
        SourceError: a sheet has no header, lacks a column, or has text where a number should be.
    """
    book = open_workbook(file)
    found = []
    for sheet in book.sheetnames:
        rows = rows_below(file, book, sheet, "Rank (")
        _, header = next(rows)
        names = [" ".join(str(cell.value or "").split()) for cell in header]
        year = int(sheet.strip()) if sheet.strip().isdigit() else 0
        at = {
            "company": _position(file, sheet, names, r"Company"),
            "country": _position(file, sheet, names, r"Country"),
            "arms": _position(file, sheet, names, rf"Arms Revenue \({year}\)"),
            "total": _position(file, sheet, names, rf"Total Revenue \({year}\)"),
        }
        for number, cells in rows:
            rank = cells[0].value
            if not isinstance(rank, int | float):
                break  # the notes below the table
            values = {key: cells[i].value for key, i in at.items()}
            place = f"{file.name}, sheet {sheet!r}, row {number}"
            found.append(
                {
                    "year": year,
                    "rank": int(rank),
                    "company": str(values["company"]).strip(),
                    "country": str(values["country"]).strip(),
                    "arms_revenue_usd_million": _amount(values["arms"], place),
                    "total_revenue_usd_million": _amount(values["total"], place),
                }
            )
    return pd.DataFrame(found).sort_values(["year", "rank", "company"], ignore_index=True)


def _position(file: SourceFile, sheet: str, names: list[str], pattern: str) -> int:
    for i, name in enumerate(names):
        if re.match(pattern, name):
            return i
    raise SourceError(
        f"{file.name}, sheet {sheet!r}: no column like {pattern!r}. The sheet has: {', '.join(filter(None, names))}."
    )


def _amount(value: object, place: str) -> float | None:
    if value is None or str(value).strip() in {". .", "..", "-", ""}:
        return None
    if not isinstance(value, int | float) or value <= 0:
        raise SourceError(f"{place}: {value!r} is not a revenue. Download the workbook again.")
    return float(value)
