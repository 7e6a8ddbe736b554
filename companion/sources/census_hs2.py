"""Read monthly U.S. trade by HS chapter, as the Census trade API or a USA Trade Online report gives it."""

import csv
import re
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from companion.sources.upstream import Row, SourceError, SourceFile, read_rows

PARTNERS = {"JAPAN": "Japan", "TOTAL FOR ALL COUNTRIES": "World"}
KEY = ["flow", "partner", "hs_chapter", "month"]


@dataclass(frozen=True)
class Report:
    """One form of the statistics: what it measures, and the columns that hold it."""

    source_id: str
    flow: str
    basis: str
    partner: str
    commodity: str
    month: tuple[str, ...]
    value: str

    @property
    def columns(self) -> list[str]:
        """The columns that a file of this form has."""
        return [self.partner, self.commodity, *self.month, self.value]

    def recognizes(self, file: SourceFile) -> bool:
        """Tell whether a file has this form, by its column names; reports by ten-digit code have them too."""
        rows = csv.reader(file.head.splitlines())
        header = next(rows, [])
        if not set(self.columns) <= set(header):
            return False
        first = dict(zip(header, next(rows, []), strict=False))
        return not re.match(r"\d{4}", first.get(self.commodity, ""))


GENERAL = "general imports, customs value"
# Where two forms give the same month, the later one in this list is the newer state of the statistics.
REPORTS = [
    Report("exports", "export", "total exports, FAS value", "CTY_NAME", "E_COMMODITY", ("time",), "exports"),
    Report(
        "imports-for-consumption",
        "import",
        "imports for consumption, customs value",
        "CTY_NAME",
        "I_COMMODITY",
        ("time",),
        "CON_VAL_MO",
    ),
    Report("general-imports", "import", GENERAL, "CTY_NAME", "I_COMMODITY", ("YEAR", "MONTH"), "GEN_VAL_MO"),
    Report("general-imports-report", "import", GENERAL, "Country", "Commodity", ("Time",), "Customs Value (Gen) ($US)"),
]


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is monthly trade by HS chapter in a form that is known."""
    return any(report.recognizes(file) for report in REPORTS)


def read(file: SourceFile) -> pd.DataFrame:
    """Read one file of any of the forms.

    Returns:
        One row per flow, partner, HS chapter ("00" is all products) and month, with the value in current U.S. dollars,
        not seasonally adjusted, and the basis of valuation. A month that the file does not have is absent.

    Raises:
        SourceError: the file has another form, or a cell has no possible value.
    """
    report = next((report for report in REPORTS if report.recognizes(file)), None)
    if report is None:
        raise SourceError(f"{file.name}: no columns of monthly trade by HS chapter. Is it the right file?")
    rows = [
        {
            "flow": report.flow,
            "partner": _partner(row, report.partner),
            "hs_chapter": _chapter(row, report.commodity),
            "month": _month(row, report.month),
            "valuation_basis": report.basis,
            "source_id": report.source_id,
            "value_usd": dollars(row, report.value),
        }
        for row in read_rows(file, report.columns)
    ]
    return pd.DataFrame(rows).astype({"value_usd": "Int64"}).sort_values(KEY, ignore_index=True)


def dollars(row: Row, column: str) -> int | None:
    """A cell's value in U.S. dollars, which Census gives without cents; None where it is empty."""
    value = row.number(column)
    if value is not None and not value.is_integer():
        raise row.wrong(column, f"{row.text(column)!r} is not a whole number of dollars")
    return None if value is None else int(value)


def _partner(row: Row, column: str) -> str:
    name = row.required(column)
    if name.upper() not in PARTNERS:
        raise row.wrong(column, f"{name!r} is none of {', '.join(PARTNERS)}")
    return PARTNERS[name.upper()]


def _chapter(row: Row, column: str) -> str:
    """The chapter's two digits, from "90" or from "90 Optic, Photo Etc"."""
    text = row.required(column)
    found = re.fullmatch(r"(\d\d)( .*)?", text)
    if not found:
        raise row.wrong(column, f"{text!r} does not begin with the two digits of an HS chapter")
    return found[1]


def _month(row: Row, columns: tuple[str, ...]) -> str:
    """The month as "2024-01", from that form, from a year and a month, or from "January 2024"."""
    text = "-".join(row.required(column) for column in columns)
    for form in ("%Y-%m", "%B %Y"):
        try:
            return datetime.strptime(text, form).strftime("%Y-%m")
        except ValueError:
            continue
    raise row.wrong(columns[-1], f"{text!r} is not a month such as '2024-01' or 'January 2024'")
