"""CSV that readers take home: what every file of it has in common, whatever writes it."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for the beginning of a formula, in Japanese ones the wide signs too. A number stays one.
FORMULA = re.compile(r"[=+@\t\r\n＝＋－＠]|-(?!\d+(\.\d+)?\Z)")


def as_csv(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Rows as CSV below the names of their columns, an empty cell for a missing value.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, which spreadsheets hide.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(map(_cell, row) for row in rows)
    return text.getvalue()


def is_formula(cell: object) -> bool:
    """Tell whether a spreadsheet would run a cell: a text with such a beginning that is no number below zero."""
    return isinstance(cell, str) and bool(FORMULA.match(cell))


def _cell(cell: object) -> object:
    """A cell as it is written: a whole number without decimals, also in a column that has fractions.

    Of line breaks, those within a cell are what ends a row: Python quotes no other.
    """
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if not isinstance(cell, str):
        return cell
    return re.sub("\r\n?", "\n", f"'{cell}" if is_formula(cell) else cell)
