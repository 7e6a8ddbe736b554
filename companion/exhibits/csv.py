"""An exhibit's data as CSV, the form in which readers take them home."""

import csv
import io

from companion.exhibits.form import Exhibit


def data_csv(exhibit: Exhibit) -> str:
    """The exhibit's data as CSV, an empty cell for a missing value.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, which spreadsheets hide.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [field["name"] for field in exhibit.fields], lineterminator="\n")
    writer.writeheader()
    for row in exhibit.rows:
        writer.writerow({name: no_formula(value) for name, value in row.items()})
    return text.getvalue()


def no_formula(value: object) -> object:
    """A value that a spreadsheet will not run: a text that it would take for a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
