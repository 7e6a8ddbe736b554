"""Read the records of policy events and of programs, which are compiled by hand from pages of other publishers.

A record is the table itself: one statement of one source per row.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import pandas as pd

from companion.sources.files import Row, SourceFile, read_rows

Cell = Callable[[Row, str], object]
Entry = tuple[Row, dict[str, Any]]

TOPICS = ("export rules", "strategy and budget", "industrial base", "program", "cooperation")
PROGRAMS = ("SM-3 Block IIA", "F-35 (Japan)", "GCAP", "GPI", "CCA", "Replicator")
ATTRIBUTES = (
    "partners",
    "lead contractors",
    "start",
    "milestone",
    "target",
    "work share",
    "cost",
    "quantity",
    "status",
)
GRADES = ("A", "B", "C")
LONGEST_EVENT = 160


def _one_of(*allowed: str) -> Cell:
    """A reader of cells that hold one of a closed list."""
    return lambda row, column: row.choice(column, allowed)


def _number(row: Row, column: str) -> int:
    """A number of a list, from 1."""
    row.required(column)
    number = row.number(column, minimum=1)
    if number is None or not number.is_integer():
        raise row.wrong(column, f"{row.text(column)!r} is not a whole number")
    return int(number)


def _date(row: Row, column: str) -> str:
    """A date as precise as it is known: a year, a month, or a day."""
    text = row.required(column)
    try:
        if not re.fullmatch(r"(19|20)\d\d(-\d\d){0,2}", text):
            raise ValueError
        date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        raise row.wrong(column, f"{text!r} is not a date such as '1976', '1976-02' or '1976-02-27'") from None
    return text


def _date_if_any(row: Row, column: str) -> str | None:
    """A date; None where the cell is empty."""
    return _date(row, column) if row.text(column) else None


def _slug(row: Row, column: str) -> str:
    """An identifier of lower-case words."""
    text = row.required(column)
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise row.wrong(column, f"{text!r} is not an identifier such as 'three-principles-1967'")
    return text


def _event(row: Row, column: str) -> str:
    """A sentence that is short enough for a chart."""
    text = row.required(column)
    if len(text) > LONGEST_EVENT or not text.endswith("."):
        raise row.wrong(column, f"{text!r} is not a sentence of at most {LONGEST_EVENT} characters")
    return text


def _address(row: Row, column: str) -> str:
    """A web address."""
    text = row.required(column)
    if not re.fullmatch(r"https?://\S+", text):
        raise row.wrong(column, f"{text!r} is not an address that begins with http:// or https://")
    return text


def _yes(row: Row, column: str) -> bool:
    """True or False, as a table writes it."""
    return row.choice(column, ["True", "False"]) == "True"


SOURCE: dict[str, Cell] = {
    "source_title": Row.required,
    "source_publisher": Row.required,
    "source_url": _address,
    "source_grade": _one_of(*GRADES),
    "note": Row.text,
}
TIMELINE: dict[str, Cell] = {
    "event_id": _slug,
    "source_no": _number,
    "date": _date,
    "topic": _one_of(*TOPICS),
    "event": _event,
    "actors": Row.required,
    "used": _yes,
    **SOURCE,
}
PROGRAM_FACTS: dict[str, Cell] = {
    "program": _one_of(*PROGRAMS),
    "attribute": _one_of(*ATTRIBUTES),
    "item_no": _number,
    "value": Row.required,
    "as_of": _date_if_any,
    "used": _yes,
    **SOURCE,
}


def policy_timeline(file: SourceFile) -> pd.DataFrame:
    """Read the events. Of an event's sources, the first is the one that is used.

    Returns:
        One row per event and source, by date; each row has the date that its source gives.

    Raises:
        SourceError: a cell has no possible value, sources of an event are not numbered from 1, another source than the
            first is used, or the rows of an event do not describe the same event.
    """
    entries = _entries(file, TIMELINE)
    for sources in _groups(entries, ["event_id"], "source_no"):
        for row, cells in sources:
            if cells["used"] != (cells["source_no"] == 1):
                raise row.wrong("used", "of an event's sources, number 1 is used and no other")
            for column in ("topic", "event", "actors"):
                if cells[column] != sources[0][1][column]:
                    raise row.wrong(column, f"{cells[column]!r} is not what source 1 of the event has")
    return _table(entries, TIMELINE, ["date", "event_id", "source_no"])


def programs(file: SourceFile) -> pd.DataFrame:
    """Read what is known of the programs.

    An attribute of a program can have several values, all of them used, side by side. A value that is not used is what
    another source gives in place of the nearest used value above it.

    Returns:
        One row per program, attribute, and item.

    Raises:
        SourceError: a cell has no possible value, items of an attribute are not numbered from 1, or the first item of
            an attribute is not used.
    """
    entries = _entries(file, PROGRAM_FACTS)
    for items in _groups(entries, ["program", "attribute"], "item_no"):
        row, cells = items[0]
        if not cells["used"]:
            raise row.wrong("used", "the first value of an attribute is used; other sources' values come below it")
    return _table(entries, PROGRAM_FACTS, ["program", "attribute", "item_no"])


def _entries(file: SourceFile, columns: dict[str, Cell]) -> list[Entry]:
    """The rows of a file with their cells, each read in its own way."""
    return [(row, {column: read(row, column) for column, read in columns.items()}) for row in read_rows(file, columns)]


def _groups(entries: Iterable[Entry], key: list[str], number: str) -> Iterator[list[Entry]]:
    """The rows that belong together, in the order of their numbers, which run from 1 with no gap and no repeat."""
    groups = defaultdict(list)
    for row, cells in entries:
        groups[tuple(cells[column] for column in key)].append((row, cells))
    for group in groups.values():
        group.sort(key=lambda entry: entry[1][number])
        for expected, (row, cells) in enumerate(group, 1):
            if cells[number] != expected:
                name = " / ".join(str(cells[column]) for column in key)
                raise row.wrong(number, f"{cells[number]} stands where {expected} is the next number of {name}")
        yield group


def _table(entries: Iterable[Entry], columns: dict[str, Cell], order: list[str]) -> pd.DataFrame:
    return pd.DataFrame([cells for _, cells in entries], columns=list(columns)).sort_values(order, ignore_index=True)
