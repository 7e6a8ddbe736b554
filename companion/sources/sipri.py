"""Read exports of the SIPRI Arms Transfers Database and count uncrewed aircraft in them.

SIPRI's website has given the same database in two forms over the years:

- *deals* (2019 to 2024): one row per order and delivery year, with the number delivered in that year;
- *trade register* (since 2024): one row per order, with one number and a list of delivery years.

Both forms come with or without a header that says when the export was made and what it covers.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from companion.sources.files import SourceError, SourceFile

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
UNCREWED = re.compile(r"uav|ucav|loitering|drone|unmanned|uncrewed|one-way", re.IGNORECASE)

# SIPRI renamed these between releases; the book uses the newer name throughout.
SUPPLIERS = {
    "Turkey": "Turkiye",
    "UAE": "United Arab Emirates",
    "Unknown supplier(s)": "unknown supplier(s)",
}
DESIGNATIONS = {"Bayraktar TB2": "Bayraktar TB-2", "Anka": "Anka-B"}

DEALS = {
    "supplier": ("Seller", "Supplier"),
    "designation": ("Designation",),
    "label": ("Description",),
    "number": ("Numbers delivered",),
    "estimate": ("Numbers delivered is estimate",),
    "year": ("Delivery year",),
    "local": ("Local production",),
}
REGISTER = {
    "supplier": ("Supplier",),
    "designation": ("Weapon designation",),
    "label": ("Weapon description",),
    "number": ("Number delivered",),
    "year": ("Year(s) of delivery",),
}
HEADER = re.compile(r"^(Deal ID;Seller|SIPRI AT Database ID,Supplier|Recipient,Supplier)", re.MULTILINE)
ALL = "all countries"


@dataclass(frozen=True)
class Export:
    """One SIPRI export: when it was made, what was asked for, and the uncrewed aircraft delivered.

    `deliveries` has the columns supplier, designation, category, label, year, units, units_estimated,
    units_local_production (empty where the form has no such flag) and year_method.
    """

    name: str
    exported: date
    supplier: str
    recipient: str
    first_year: int
    last_year: int
    deliveries: pd.DataFrame

    @property
    def vintage(self) -> str:
        """The month of the export, the name that the book gives to a state of the database."""
        return f"{self.exported:%Y-%m}"

    @property
    def complete(self) -> bool:
        """Whether the export holds every supplier and every recipient."""
        return self.supplier == self.recipient == ALL


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is a SIPRI Arms Transfers export, by its column names."""
    return HEADER.search(file.head) is not None


def read_export(file: SourceFile) -> Export:
    """Read one export, deals or trade register, text or CSV.

    Raises:
        SourceError: a column is missing, a row cannot be read, a label is not known, or the export has no date.
    """
    found = HEADER.search(file.text)
    if not found:
        raise SourceError(f"{file.name}: no line of SIPRI column names. Export the file again from SIPRI's site.")
    preamble, body = file.text[: found.start()], file.text[found.start() :]
    line = preamble.count("\n") + 1
    delimiter = ";" if found.group().startswith("Deal ID") else ","
    rows = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter)
    columns = next(rows)
    is_register = "Year(s) of delivery" in columns
    parse = _register_rows if is_register else _deals_rows
    numbered = ((line + rows.line_num - 1, row) for row in rows)
    deliveries = pd.DataFrame(
        parse(_whole_rows(numbered, columns, file.name), _positions(columns, file.name, is_register), file.name),
        columns=[
            "supplier",
            "designation",
            "category",
            "label",
            "year",
            "units",
            "units_estimated",
            "units_local_production",
            "year_method",
        ],
    )
    supplier, recipient = _countries(preamble)
    first, last = _years(preamble)
    return Export(
        name=file.name,
        exported=_exported(preamble, file.name),
        supplier=supplier,
        recipient=recipient,
        first_year=first or FIRST_YEAR,
        # The years asked for may run past the last year that SIPRI had entered.
        last_year=min(last or date.max.year, deliveries["year"].max()) if len(deliveries) else 0,
        deliveries=deliveries,
    )


def source(exported: str, vintage: str) -> dict[str, str]:
    """How the data package names one export as a source."""
    return {
        "title": "SIPRI Arms Transfers Database",
        "path": "https://www.sipri.org/databases/armstransfers",
        "version": exported,
        "vintage": vintage,
    }


def uas_deliveries(exports: Iterable[Export]) -> pd.DataFrame:
    """Count uncrewed aircraft delivered by vintage, supplier, type and year, from 2000 on.

    A vintage is the state of the database in one month. Where the export of that month does not reach back to
    2000, the years before it come from the newest earlier export; `exported` names the file's date in each row.
    Exports of single countries do not count.

    Returns:
        One row per vintage, supplier, designation, label, year and year_method; numbers of aircraft.
    """
    newest_first = sorted(
        (e for e in exports if e.complete and e.last_year >= FIRST_YEAR),
        key=lambda export: (export.exported, export.last_year),
        reverse=True,
    )
    parts = []
    for vintage in sorted({export.vintage for export in newest_first}):
        last_year = max(export.last_year for export in newest_first if export.vintage == vintage)
        missing = set(range(FIRST_YEAR, last_year + 1))
        for export in (e for e in newest_first if e.vintage <= vintage):
            years = missing & set(range(export.first_year, export.last_year + 1))
            rows = export.deliveries[export.deliveries["year"].isin(years)]
            parts.append(rows.assign(vintage=vintage, exported=export.exported.isoformat()))
            missing -= years
    keys = ["vintage", "exported", "supplier", "designation", "category", "label", "year", "year_method"]
    counts = ["units", "units_estimated", "units_local_production"]
    return (
        pd.concat(parts)
        .astype(dict.fromkeys(counts, float))
        .groupby(keys, as_index=False)[counts]
        .sum(min_count=1)
        .round(6)
        .sort_values(keys, ignore_index=True)[[*keys[:-1], *counts, keys[-1]]]
    )


def _positions(columns: list[str], name: str, is_register: bool) -> dict[str, int]:
    """Find each column that we need, under any name that SIPRI has used for it."""
    positions = {}
    for key, names in (REGISTER if is_register else DEALS).items():
        position = next((columns.index(n) for n in names if n in columns), None)
        if position is None:
            raise SourceError(
                f"{name}: column {names[0]!r} is missing. The file has: {', '.join(columns)}. "
                "If SIPRI renamed it, add the new name to companion/sources/sipri.py."
            )
        positions[key] = position
    return positions


def _whole_rows(
    rows: Iterable[tuple[int, list[str]]], columns: list[str], name: str
) -> Iterator[tuple[int, list[str]]]:
    """Mend the two ways in which SIPRI's unquoted text breaks rows, and refuse any other."""
    broken: list[str] = []
    for line, row in rows:
        if not row:
            continue
        if row[0].startswith("©"):
            return
        whole = row
        if broken:  # a comment with a line break in it: the rest of the row stands on the next line
            whole = [*broken[:-1], f"{broken[-1]} {row[0]}", *row[1:]]
        extra = len(whole) - len(columns)
        if extra > 0 and "Designation" in columns:  # a designation with a semicolon: "KSR-2; AS-5"
            at = columns.index("Designation")
            whole = [*whole[:at], ";".join(whole[at : at + extra + 1]), *whole[at + extra + 1 :]]
        if len(whole) > len(columns) or (len(whole) < len(columns) and broken):
            raise SourceError(
                f"{name}, row {line}: {len(whole)} fields where the header has {len(columns)}. "
                "The row is cut or has a stray separator; export the file again."
            )
        broken = whole if len(whole) < len(columns) else []
        if not broken:
            yield line, whole
    if broken:
        raise SourceError(
            f"{name}: the last row has {len(broken)} fields where the header has {len(columns)}. "
            "The file is cut; export it again."
        )


def _deals_rows(rows: Iterable[tuple[int, list[str]]], at: dict[str, int], name: str) -> Iterator[tuple[object, ...]]:
    for line, row in rows:
        category = _category(row[at["label"]], name, line)
        if not category or not row[at["year"]].strip():
            continue
        units = _number(row[at["number"]], name, line, "Numbers delivered")
        year = int(_number(row[at["year"]], name, line, "Delivery year"))
        yield (
            *_names(row, at),
            category,
            row[at["label"]].lower(),
            year,
            units,
            units if row[at["estimate"]] == "Yes" else 0.0,
            units if row[at["local"]] == "Yes" else 0.0,
            "exact",
        )


def _register_rows(
    rows: Iterable[tuple[int, list[str]]], at: dict[str, int], name: str
) -> Iterator[tuple[object, ...]]:
    for line, row in rows:
        category = _category(row[at["label"]], name, line)
        years = [int(year) for year in re.findall(r"\d{4}", row[at["year"]])]
        if not category or not years:
            continue
        units = _number(row[at["number"]], name, line, "Number delivered") / len(years)
        estimated = row[at["number"] + 1].strip() == "?"  # the unnamed column after the number
        method = "exact" if len(years) == 1 else "even-split"
        for year in years:
            yield (
                *_names(row, at),
                category,
                row[at["label"]].lower(),
                year,
                units,
                units if estimated else 0.0,
                None,
                method,
            )


def _names(row: list[str], at: dict[str, int]) -> tuple[str, str]:
    supplier, designation = row[at["supplier"]], row[at["designation"]]
    return SUPPLIERS.get(supplier, supplier), DESIGNATIONS.get(designation, designation)


def _category(label: str, name: str, line: int) -> str | None:
    category = CATEGORIES.get(label.lower())
    if category is None and UNCREWED.search(label):
        raise SourceError(
            f"{name}, row {line}: the weapon label {label!r} is not known. "
            "Decide on its category and add it to CATEGORIES in companion/sources/sipri.py."
        )
    return category


def _number(text: str, name: str, line: int, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value < 0:
        raise SourceError(
            f"{name}, row {line}, column {column!r}: {text!r} is not a number of deliveries. "
            "Export the file again, or correct the row."
        )
    return value


def _exported(preamble: str, name: str) -> date:
    """The day of the export: from the header, or from a date in the file's name where the header is cut off."""
    if found := re.search(r"created: (\d{2}-\d{2}-\d{4})", preamble):
        return datetime.strptime(found[1], "%d-%m-%Y").date()
    if found := re.search(r"Data generated: (\d{1,2} \w{3} \d{4})", preamble):
        return datetime.strptime(found[1], "%d %b %Y").date()
    if found := re.search(r"\d{4}-\d{2}-\d{2}", name):
        return date.fromisoformat(found[0])
    raise SourceError(
        f"{name}: SIPRI's header with the date of the export is missing. "
        "Put the date into the file's name, as in 'trade-register_2026-05-18.csv'."
    )


def _countries(preamble: str) -> tuple[str, str]:
    """The supplier and the recipient that were asked for, in lower case."""
    if found := re.search(r"for buyer +'([^']*)' and seller +'([^']*)'", preamble):
        return found[2].strip().lower(), found[1].strip().lower()
    if found := re.search(r"conventional arms from (.*?) +to (.*?) *\. ", preamble):
        return found[1].strip().lower(), found[2].strip().lower()
    return ALL, ALL


def _years(preamble: str) -> tuple[int | None, int | None]:
    """The first and the last year that were asked for; None where SIPRI says 'Not specified'."""
    if found := re.search(r"(?:the years from|year range) +'?(\d{4})'? to '?(\d{4})", preamble):
        return int(found[1]), int(found[2])
    return None, None
