"""Read the records of policy events, programs, and claims, which are compiled by hand from pages of other publishers.

A record is the table itself: one statement of one source per row, or one claim of the report.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pandas as pd

from companion.report import CERTAINTIES, COMPARISONS, DATED, DOUBTED, GRADES, HOLDS, INSIGHTS, KINDS, VERDICTS
from companion.sources.upstream import Row, SourceFile, read_rows

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
LONGEST_EVENT = 160
LONGEST_STATEMENT = 180


def _one_of(*allowed: str) -> Cell:
    """A reader of cells that hold one of a closed list."""
    return lambda row, column: row.choice(column, allowed)


def _pattern(expression: str, what: str) -> Cell:
    """A reader of cells that have a form."""

    def read(row: Row, column: str) -> str:
        text = row.required(column)
        if not re.fullmatch(expression, text):
            raise row.wrong(column, f"{text!r} is not {what}")
        return text

    return read


def _number(row: Row, column: str) -> int:
    """A number of a list, from 1."""
    row.required(column)
    number = row.number(column, minimum=1)
    if number is None or not number.is_integer():
        raise row.wrong(column, f"{row.text(column)!r} is not a whole number")
    return int(number)


def _if_any(read: Cell) -> Cell:
    """A reader of cells that may be empty; None where they are."""
    return lambda row, column: read(row, column) if row.text(column) else None


def _event(row: Row, column: str) -> str:
    """A sentence that is short enough for a chart."""
    text = row.required(column)
    if len(text) > LONGEST_EVENT or not text.endswith("."):
        raise row.wrong(column, f"{text!r} is not a sentence of at most {LONGEST_EVENT} characters")
    return text


def _statement(row: Row, column: str) -> str:
    """A sentence that is short enough for a row of the ledger."""
    text = row.required(column)
    if len(text) > LONGEST_STATEMENT:
        raise row.wrong(column, f"the statement has {len(text)} characters; at most {LONGEST_STATEMENT} fit")
    return text


def _any_number(row: Row, column: str) -> float | None:
    """A number, also below zero; None where the cell is empty."""
    return row.number(column, minimum=-sys.float_info.max)


def _insights(row: Row, column: str) -> str | None:
    """Insights of the report, each once, joined by "; "."""
    text = row.text(column)
    names = text.split("; ") if text else []
    for name in names:
        if name not in INSIGHTS or names.count(name) > 1:
            raise row.wrong(column, f"{name!r} is none of {', '.join(INSIGHTS)}, or stands there twice")
    return text


def _yes(row: Row, column: str) -> bool:
    """True or False, as a table writes it."""
    return row.choice(column, ["True", "False"]) == "True"


_slug = _pattern("[a-z0-9]+(-[a-z0-9]+)*", "an identifier such as 'three-principles-1967'")
_address = _pattern(r"https?://\S+", "an address that begins with http:// or https://")
_claim_id = _pattern(r"C\d{3}", "the number of a claim, such as 'C001'")

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
    "date": Row.date,
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
    "as_of": _if_any(Row.date),
    "used": _yes,
    **SOURCE,
}
CLAIMS: dict[str, Cell] = {
    "claim_id": _claim_id,
    "section": Row.required,
    "chapter": _pattern("[a-z-]+(/[a-z-]+)?", "a page of the book such as 'uas/exporters'"),
    "statement": _statement,
    "kind": _one_of(*KINDS),
    "stated": Row.text,
    "comparison": _if_any(_one_of(*COMPARISONS, HOLDS, DATED)),
    "event": _if_any(_slug),
    "stated_value": _any_number,
    "unit": Row.text,
    "period": Row.text,
    "tolerance": Row.number,
    "refined_within": Row.number,
    "otherwise": _if_any(_one_of("refined", *DOUBTED)),
    "verdict": _if_any(_one_of(*VERDICTS)),
    "finding": Row.required,
    "certainty": _if_any(_one_of(*CERTAINTIES)),
    "since": Row.text,
    "insights": _insights,
}
CLAIM_SOURCES: dict[str, Cell] = {
    "claim_id": _claim_id,
    "source_no": _number,
    "title": Row.required,
    "publisher": Row.required,
    "url": _address,
    "source_grade": _one_of(*GRADES),
    "note": Row.text,
}
# What a comparison needs and what it cannot have; a claim that is not computed has none of these.
COMPUTED = ["comparison", "event", "stated_value", "tolerance", "refined_within", "otherwise"]


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


def claims(file: SourceFile, sources: SourceFile) -> pd.DataFrame:
    """Read what the report claims, and how the book judges it.

    The verdict of a computed claim is recorded by the book and may be empty; that of another claim is the record's.

    Args:
        file: the claims.
        sources: their sources, which a claim that is judged by sources must have.

    Returns:
        One row per claim, by its number.

    Raises:
        SourceError: a cell has no possible value, is missing, or does not go with the kind of its claim; a claim stands
            there twice or lacks a source; or a source is of no claim.
    """
    entries = _entries(file, CLAIMS)
    grades = defaultdict(set)
    for row, cells in _entries(sources, CLAIM_SOURCES):
        grades[cells["claim_id"]].add(cells["source_grade"])
        if cells["claim_id"] not in {claim["claim_id"] for _, claim in entries}:
            raise row.wrong("claim_id", f"there is no claim {cells['claim_id']!r} in {file.name}")
    known = set[str]()
    for row, cells in entries:
        if cells["claim_id"] in known:
            raise row.wrong("claim_id", f"{cells['claim_id']!r} stands there twice")
        known.add(cells["claim_id"])
        _check_comparison(row, cells)
        _check_verdict(row, cells, grades[cells["claim_id"]])
    return _table(entries, CLAIMS, ["claim_id"])


def claim_sources(file: SourceFile) -> pd.DataFrame:
    """Read the sources of claims, numbered from the best.

    Returns:
        One row per claim and source.

    Raises:
        SourceError: a cell has no possible value, or sources of a claim are not numbered from 1.
    """
    entries = _entries(file, CLAIM_SOURCES)
    for _ in _groups(entries, ["claim_id"], "source_no"):
        pass
    return _table(entries, CLAIM_SOURCES, ["claim_id", "source_no"])


def _check_comparison(row: Row, cells: dict[str, Any]) -> None:
    """A computed claim says how its verdict is computed, and no other claim does."""
    needed, allowed = set[str](), set[str]()
    if cells["kind"] == "computed":
        needed = {"comparison", "otherwise"}
        if cells["comparison"] == DATED:
            needed.add("event")
            row.date("period")
        elif cells["comparison"] != HOLDS:
            needed.add("stated_value")
        if cells["comparison"] != HOLDS:
            allowed.add("refined_within")
        if cells["comparison"] == "about":
            needed.add("tolerance")
    for column in COMPUTED:
        if column in needed and cells[column] is None:
            raise row.wrong(column, "the cell is empty, and the verdict is computed from it")
        if column not in needed | allowed and cells[column] is not None:
            of = " and ".join(filter(None, [cells["kind"], cells["comparison"]]))
            raise row.wrong(column, f"{cells[column]!r} has no use in a claim that is {of}")


def _check_verdict(row: Row, cells: dict[str, Any], grades: set[str]) -> None:
    """A verdict goes with its kind, a doubt says how certain it is, and what is judged by sources has them."""
    kind, verdict, certainty = cells["kind"], cells["verdict"], cells["certainty"]
    if verdict is None and kind != "computed":
        raise row.wrong("verdict", f"the cell is empty, and the claim is {kind}")
    if (kind == "not testable") != (verdict == "not testable"):
        raise row.wrong("verdict", "'not testable' is the verdict of a claim of that kind and of no other")
    if verdict in DOUBTED and certainty is None:
        raise row.wrong("certainty", f"the cell is empty, and the verdict is {verdict!r}")
    if certainty and verdict not in DOUBTED and cells["otherwise"] not in DOUBTED:
        raise row.wrong("certainty", f"{certainty!r} belongs to a claim that is contradicted or inconsistent")
    if kind == "sourced" and verdict != "not tested" and not grades:
        raise row.wrong("claim_id", f"the sourced claim {cells['claim_id']!r} has no source")
    if kind == "sourced" and verdict == "contradicted" and not grades & {"A", "B"}:
        raise row.wrong("verdict", "'contradicted' needs a source of grade A or B, or a computation")


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
