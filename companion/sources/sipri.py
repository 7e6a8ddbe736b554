"""Read exports of the SIPRI Arms Transfers Database.

SIPRI's website has given the same database in two forms over the years:

- *deals* (2019 to 2024): one row per order and delivery year, with the number delivered in that year;
- *trade register* (since 2024): one row per order, with one number and a list of delivery years.

Both forms come with or without a header that says when the export was made and what it covers.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from weakref import WeakKeyDictionary

import pandas as pd

from companion.sources.corrections import renames
from companion.sources.upstream import FIRST_YEAR, LAST_YEAR, CsvCells, SourceError, SourceFile

DATABASE = "SIPRI Arms Transfers Database"

# What we call a column, and the names that SIPRI has given it. "?" stands for the unnamed column to its right.
DEALS: dict[str, tuple[str, ...]] = {
    "deal": ("Deal ID", "SIPRI AT Database ID"),
    "supplier": ("Seller", "Supplier"),
    "recipient": ("Buyer", "Recipient"),
    "designation": ("Designation",),
    "label": ("Description",),
    "armament": ("Armament category",),
    "order_year": ("Order date",),
    "order_year_marked": ("Order date is estimate",),
    "units": ("Numbers delivered",),
    "units_marked": ("Numbers delivered is estimate",),
    "year": ("Delivery year",),
    "tiv": ("TIV delivery values",),
    "local": ("Local production",),
}
REGISTER: dict[str, tuple[str, ...]] = {
    "supplier": ("Supplier",),
    "recipient": ("Recipient",),
    "designation": ("Weapon designation",),
    "label": ("Weapon description",),
    "order_year": ("Year of order",),
    "order_year_marked": ("Year of order?",),
    "ordered": ("Number ordered",),
    "ordered_marked": ("Number ordered?",),
    # Since July 2026 the number says that it counts the years asked for alone.
    "units": ("Number delivered", "Deliveries in the Year Range"),
    "units_marked": ("Number delivered?", "Deliveries in the Year Range?"),
    "year": ("Year(s) of delivery",),
    "comment": ("Comments",),
    "tiv": ("SIPRI TIV of delivered weapons",),
}
NUMBERS = {"units", "tiv", "order_year", "ordered"}
FORMS = {"deals": DEALS, "register": REGISTER}
HEADER = re.compile(r"^(Deal ID;Seller|SIPRI AT Database ID,Supplier|Recipient,Supplier)", re.MULTILINE)
ALL = "all countries"


@dataclass(frozen=True)
class Export:
    """One SIPRI export: when it was made, what was asked for, and what it holds.

    Attributes:
        name: the file's name.
        exported: the day of the export.
        dated_by: where that day stands, "header" or "file name".
        supplier, recipient: the countries that were asked for, in lower case.
        first_year, last_year: the delivery years that it covers.
        form: "deals" or "register".
        orders: a register's orders as SIPRI writes them, one row each, also those not delivered yet; empty for deals.
        deliveries: one row per order and delivery year, with line (in the file), supplier, recipient, designation,
            label (SIPRI's description of the weapon, in lower case), deal (SIPRI's number of the order; deals only),
            armament (SIPRI's category; deals only), order_year, order_year_marked (the year is an estimate), year,
            units, units_marked (the number is an estimate), local (produced by the recipient; deals only), tiv
            (SIPRI trend-indicator value, millions) and year_method ("exact", or "even-split" where an order's number
            is divided by its delivery years).
    """

    name: str
    exported: date
    dated_by: str
    supplier: str
    recipient: str
    first_year: int
    last_year: int
    form: str
    orders: pd.DataFrame
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


# Several tables are made from the same exports, which are forgotten with their files.
_exports: WeakKeyDictionary[SourceFile, Export] = WeakKeyDictionary()


def read_export(file: SourceFile) -> Export:
    """Read one export, deals or trade register, text or CSV.

    Raises:
        SourceError: a column is missing, a row cannot be read, or the export has no date.
    """
    if file not in _exports:
        _exports[file] = _read(file)
    return _exports[file]


def _read(file: SourceFile) -> Export:
    found = HEADER.search(file.text)
    if not found:
        raise SourceError(f"{file.name}: no line of SIPRI column names. Export the file again from SIPRI's site.")
    preamble, body = file.text[: found.start()], file.text[found.start() :]
    first_line = preamble.count("\n") + 1
    rows = CsvCells(file.name, body, delimiter=";" if found.group().startswith("Deal ID") else ",")
    columns = _named(next(rows))
    form = "register" if "Year(s) of delivery" in columns else "deals"
    positions = _positions(columns, file.name, FORMS[form])
    numbered = ((first_line + rows.line_num - 1, row) for row in rows)
    table = pd.DataFrame(
        [
            (line, *(row[i].strip() for i in positions.values()))
            for line, row in _whole_rows(numbered, columns, file.name)
        ],
        columns=["line", *positions],
    )
    table = table.assign(
        supplier=table["supplier"].replace(renames(DATABASE, "country")),
        recipient=table["recipient"].replace(renames(DATABASE, "country")),
        designation=table["designation"].replace(renames(DATABASE, "designation")),
        label=table["label"].str.lower(),
        **{column: _numbers(table, column, file.name) for column in NUMBERS & set(positions)},
    )
    uncounted = table[(table["year"] != "") & table["units"].isna()]
    if len(uncounted):
        raise SourceError(
            f"{file.name}, row {uncounted.iloc[0]['line']}: years of delivery and no number delivered. "
            "Export the file again, or correct the row."
        )
    deliveries = _register_deliveries(table) if form == "register" else _deals_deliveries(table, file.name)
    impossible = deliveries[~deliveries["year"].between(FIRST_YEAR, LAST_YEAR)]
    if len(impossible):
        row = impossible.iloc[0]
        raise SourceError(
            f"{file.name}, row {row['line']}: {row['year']} is not a year of delivery. "
            "Export the file again, or correct the row."
        )
    supplier, recipient = _countries(preamble, table)
    first, last = _years(preamble)
    exported, dated_by = _exported(preamble, file.name)
    delivered = deliveries["year"]
    return Export(
        name=file.name,
        exported=exported,
        dated_by=dated_by,
        supplier=supplier,
        recipient=recipient,
        first_year=first or (int(delivered.min()) if len(delivered) else 0),
        # The years asked for may run past the last year that SIPRI had entered.
        last_year=min(last or date.max.year, int(delivered.max())) if len(delivered) else 0,
        form=form,
        orders=table if form == "register" else table.head(0),
        deliveries=deliveries,
    )


def source(exported: str, vintage: str) -> dict[str, str]:
    """How the data package names one export as a source."""
    return {
        "title": DATABASE,
        "path": "https://www.sipri.org/databases/armstransfers",
        "version": exported,
        "vintage": vintage,
    }


def _named(columns: list[str]) -> list[str]:
    """Give each unnamed column, which holds SIPRI's "?", the name of the column to its left with a "?"."""
    return [name if name.strip() else f"{columns[i - 1]}?" for i, name in enumerate(columns)]


def _positions(columns: list[str], name: str, wanted: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Find each column that we need, under any name that SIPRI has used for it."""
    positions = {}
    for key, names in wanted.items():
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


def _deals_deliveries(table: pd.DataFrame, name: str) -> pd.DataFrame:
    delivered = table[table["year"] != ""]
    return delivered.assign(
        year=_numbers(delivered, "year", name).astype(int),
        units_marked=delivered["units_marked"] == "Yes",
        order_year_marked=delivered["order_year_marked"] == "Yes",
        local=delivered["local"] == "Yes",
        year_method="exact",
    )


def _register_deliveries(table: pd.DataFrame) -> pd.DataFrame:
    years = table["year"].str.findall(r"\d{4}")
    count = years.str.len()
    delivered = table.assign(
        year=years,
        units=table["units"] / count.where(count > 0),
        tiv=table["tiv"] / count.where(count > 0),
        units_marked=table["units_marked"] == "?",
        order_year_marked=table["order_year_marked"] == "?",
        year_method=count.eq(1).map({True: "exact", False: "even-split"}),
        deal=None,
        local=None,
        armament=None,
    )[count > 0]
    return delivered.explode("year", ignore_index=True).astype({"year": int})


def _numbers(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    """A column as numbers, empty cells missing; the first cell that is no number, or negative, is named."""
    values = pd.to_numeric(table[column].replace("", None), errors="coerce").astype(float)
    wrong = table[(values.isna() & (table[column] != "")) | (values < 0)]
    if len(wrong):
        row = wrong.iloc[0]
        upstream = FORMS["register" if "ordered" in table else "deals"][column][0]
        raise SourceError(
            f"{name}, row {row['line']}, column {upstream!r}: {row[column]!r} is not a possible number. "
            "Export the file again, or correct the row."
        )
    return values


def _exported(preamble: str, name: str) -> tuple[date, str]:
    """The day of the export and where it stands: in the header, or in the file's name where the header is cut off."""
    for place, text, pattern, form in (
        ("header", preamble, r"created: (\d{2}-\d{2}-\d{4})", "%d-%m-%Y"),
        ("header", preamble, r"Data generated: (\d{1,2} \w{3} \d{4})", "%d %b %Y"),
        ("file name", name, r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d"),
    ):
        found = re.search(pattern, text)
        if not found:
            continue
        try:
            day = datetime.strptime(found[1], form).date()
        except ValueError:
            raise SourceError(f"{name}: {found[1]!r} in the {place} is not a day. Correct the date.") from None
        if day > date.today():
            raise SourceError(
                f"{name}: by its {place} the export was made on {day}, which is still to come. Correct the date."
            )
        return day, place
    raise SourceError(
        f"{name}: SIPRI's header with the date of the export is missing. "
        "Put the date into the file's name, as in 'trade-register_2026-05-18.csv'."
    )


def _countries(preamble: str, table: pd.DataFrame) -> tuple[str, str]:
    """The supplier and the recipient that were asked for, in lower case; without a header, what the rows show."""
    if found := re.search(r"for buyer +'([^']*)' and seller +'([^']*)'", preamble):
        return found[2].strip().lower(), found[1].strip().lower()
    if found := re.search(r"conventional arms from (.*?) +to (.*?) *\. ", preamble):
        return found[1].strip().lower(), found[2].strip().lower()
    seen = (table["supplier"].unique(), table["recipient"].unique())
    supplier, recipient = (names[0].lower() if len(names) == 1 else ALL for names in seen)
    return supplier, recipient


def _years(preamble: str) -> tuple[int | None, int | None]:
    """The first and the last year that were asked for; None where SIPRI says 'Not specified'."""
    if found := re.search(r"(?:the years from|year range) +'?(\d{4})'? to '?(\d{4})", preamble):
        return int(found[1]), int(found[2])
    return None, None
