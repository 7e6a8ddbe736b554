"""Read trade by six-digit HS subheading from UN Comtrade, in two classic CSV forms and in that of its new site."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from companion.sources.upstream import Row, SourceError, SourceFile, read_rows

COUNTRIES = {"JPN": "Japan", "USA": "United States", "W00": "World", "WLD": "World"}
NUMBERS = {"392": "Japan", "842": "United States", "0": "World"}  # of the United Nations' M49
KEY = ["reporter", "partner", "flow", "period", "hs6", "source_id"]
COLUMNS = [*KEY, "year", "classification", "valuation_basis", "months", "value_usd"]
# What the United Nations ask countries to report; a file of a classic form does not tell it.
BASES = {"export": "FOB", "import": "CIF"}


@dataclass(frozen=True)
class Form:
    """One form of the CSV: the columns that hold what, and what it calls the flows.

    Attributes:
        cif: the column of values at this basis; "" where the form has none.
        fob: as `cif`.
        flows: the flow that a name stands for; None for a flow that is left out, as re-exports are, which the
            exports contain.
        countries: the country that a code of three letters or up to three digits stands for; others are left out.
    """

    source_id: str
    reporter: str
    partner: str
    flow: str
    period: str
    code: str
    classification: str
    value: str
    cif: str
    fob: str
    flows: Mapping[str, str | None]
    countries: Mapping[str, str] = field(default_factory=lambda: COUNTRIES)

    @property
    def columns(self) -> list[str]:
        """The columns that a file of this form has."""
        places = (self.reporter, self.partner, self.flow, self.period, self.code, self.classification)
        return [*places, *filter(None, (self.value, self.cif, self.fob))]

    def recognizes(self, file: SourceFile) -> bool:
        """Tell whether a file has this form, by its column names."""
        header = next(csv.reader(file.head.splitlines()), [])
        return {self.classification, self.reporter, self.value} <= set(header)


FORMS = [
    Form(
        "comtrade-classic",
        "Reporter ISO",
        "Partner ISO",
        "Trade Flow",
        "Period",
        "Commodity Code",
        "Classification",
        "Trade Value (US$)",
        "CIF Trade Value (US$)",
        "FOB Trade Value (US$)",
        {"Export": "export", "Import": "import", "Re-Export": None, "Re-Import": None},
    ),
    Form(
        "comtrade",
        "reporterISO",
        "partnerISO",
        "flowCode",
        "period",
        "cmdCode",
        "classificationCode",
        "primaryValue",
        "cifvalue",
        "fobvalue",
        {"X": "export", "M": "import", "RX": None, "RM": None},
    ),
    Form(
        "comtrade-legacy",
        "rtCode",
        "ptCode",
        "rgDesc",
        "period",
        "cmdCode",
        "pfCode",
        "TradeValue",
        "",
        "",
        {"Exports": "export", "Imports": "import", "Re-exports": None, "Re-imports": None},
        NUMBERS,
    ),
]


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is trade from UN Comtrade in a form that is known."""
    return any(form.recognizes(file) for form in FORMS)


def read(file: SourceFile) -> pd.DataFrame:
    """Read the trade of Japan, the United States and the world, as reported by the two countries, by subheading.

    Returns:
        One row per reporter, partner, flow, period and six-digit code: the value in current U.S. dollars at the basis
        of `valuation_basis`, the HS edition in `classification` ("H5" is HS 2017, "HS" one that the file does not
        name), the year, and the number of months in the period, 12 or 1. Codes of other lengths, re-exports and other
        countries are left out, and so is a cell without a value.

    Raises:
        SourceError: the file has another form, a figure stands there twice, or a cell has no possible value.
    """
    form = next((form for form in FORMS if form.recognizes(file)), None)
    if form is None:
        raise SourceError(f"{file.name}: no columns of UN Comtrade. Is it the right file?")
    records, seen = [], set()
    for row in read_rows(file, form.columns):
        reporter, partner = (_country(row, form, column) for column in (form.reporter, form.partner))
        flow = form.flows[row.choice(form.flow, form.flows)]
        code, period = _code(row, form.code), _period(row, form.period)
        value = row.number(form.value)
        if value is None or flow is None or len(code) != 6 or partner is None or reporter in (None, "World"):
            continue
        key = (reporter, partner, flow, period, code)
        if key in seen:
            twice = f"the {flow}s of {code}, {reporter}, {partner}, {period} stand there twice"
            raise row.wrong(
                form.code, f"{twice}; choose totals of transport modes, customs procedures, second partners"
            )
        seen.add(key)
        year, months = int(period[:4]), 12 if len(period) == 4 else 1
        basis = _basis(row, form, flow, value)
        records.append((*key, form.source_id, year, row.required(form.classification), basis, months, value))
    return pd.DataFrame(records, columns=COLUMNS).astype({"year": int, "months": int, "value_usd": float})


def _country(row: Row, form: Form, column: str) -> str | None:
    """The country, if it is one of those that are read."""
    code = row.required(column)
    if form.countries is NUMBERS and not re.fullmatch(r"[0-9]{1,3}", code):
        raise row.wrong(column, f"{code!r} is not the number of a country")
    return form.countries.get(code)


def _code(row: Row, column: str) -> str:
    code = row.required(column)
    if not re.fullmatch(r"\d{2,6}|TOTAL", code):
        raise row.wrong(column, f"{code!r} is not an HS code of two to six digits")
    return code


def _period(row: Row, column: str) -> str:
    """A year as "2024" or a month as "202401"."""
    period = row.required(column)
    if not re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])?", period):
        raise row.wrong(column, f"{period!r} is not a year such as '2024' or a month such as '202401'")
    return period


def _basis(row: Row, form: Form, flow: str, value: float) -> str:
    """The basis whose own column has the same value; the usual one of the flow where neither column has a value."""
    values = {basis: row.number(column) for basis, column in (("CIF", form.cif), ("FOB", form.fob)) if column}
    if not any(values.values()) or values[BASES[flow]] == value:
        return BASES[flow]
    other = next((basis for basis in values if values[basis] == value), None)
    if other is None:
        raise row.wrong(form.value, f"{row.text(form.value)!r} is neither the CIF nor the FOB value")
    return other
