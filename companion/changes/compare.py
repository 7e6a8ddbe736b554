"""What changed in the numbers from one state of the book to another, and how that reads."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from companion.changes.numbers import Numbers, Table
from companion.claims.form import Claim
from companion.exhibits.form import Exhibit
from companion.files import sheets

Changes = dict[str, Any]
Change = dict[str, Any]
Record = dict[str, Any]

# Of one table or exhibit: changed values, and rows that came or went. The file of all changes has the rest.
MOST_VALUES, MOST_ROWS = 10, 5
MEASURES = ("number", "integer")
# Where the book shows each of a kind, by its id in small letters.
TARGETS = {"claims": "claim-{}", "exhibits": "{}", "tables": "table-{}"}

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Style:
    """How the report of changes is written.

    Attributes:
        link: makes a link of a target in the book and its words.
        text: guards a plain text against being taken for markup.
        level: the level of its largest headings.
        fold: makes a part of its title, a plain text, and its paragraphs, which a reader can open; None for a heading
            and all below it.
    """

    link: Callable[[str, str], str] = lambda target, words: words
    text: Callable[[str], str] = lambda text: text
    level: int = 2
    fold: Callable[[str, list[str]], list[str]] | None = None

    def heading(self, words: str, below: int = 0) -> str:
        """A heading, so many levels below the largest."""
        return f"{'#' * (self.level + below)} {words}"

    def part(self, title: str, paragraphs: list[str]) -> list[str]:
        """What changed in one claim, exhibit or table."""
        return self.fold(title, paragraphs) if self.fold else [self.heading(self.text(title), 1), *paragraphs]


def compare(was: Numbers | None, now: Numbers) -> Changes:
    """Compare two states of the book.

    Args:
        was: the earlier state; None if there is none, as for the first edition.
        now: the later state.

    Returns:
        `from` and `to` with version and day of release; `tables`, `exhibits` and `claims`, each a list of what was
        added, removed or changed. A changed value has its row, its column, and both values as the files hold them. A
        removed exhibit that another one absorbed has `into`, the id of that one.
    """
    if was is None:
        return {"from": None, "to": _state(now), "tables": [], "exhibits": [], "claims": []}
    heirs = {id: exhibit.id for exhibit in now.exhibits.values() for id in exhibit.absorbs}
    exhibits = list(_pairs(was.exhibits, now.exhibits, _exhibit_change, lambda exhibit: exhibit.title))
    for change in exhibits:
        if change["change"] == "removed" and change["id"] in heirs:
            change["into"] = heirs[change["id"]]
    return {
        "from": _state(was),
        "to": _state(now),
        "tables": list(_pairs(was.tables, now.tables, _table_change, lambda table: table.title)),
        "exhibits": exhibits,
        "claims": list(_pairs(was.claims, now.claims, _claim_change, lambda claim: claim.statement)),
    }


def is_empty(changes: Changes) -> bool:
    """Whether no number changed."""
    return not any(changes[kind] for kind in TARGETS)


def as_markdown(changes: Changes, style: Style | None = None) -> str:
    """The report of changes, for a person: Markdown with one section each for verdicts, exhibits, and tables."""
    style = style or Style()
    if changes["from"] is None:
        return f"Version {changes['to']['version']} is the first edition: there is no earlier one to compare it with.\n"
    parts = [_summary(changes)]
    for title, kind, write in (
        ("Verdicts on the report’s statements", "claims", _claim_report),
        ("Exhibits", "exhibits", _exhibit_report),
        ("Tables", "tables", _table_report),
    ):
        if changes[kind]:
            parts.append(style.heading(title))
            parts += _came_and_went(kind, changes[kind], style)
            for change in changes[kind]:
                if change["change"] == "changed":
                    parts += write(change, style)
    return "\n\n".join(parts) + "\n"


def as_csv(changes: Changes) -> str:
    """Every change as a row: what it is in, the row and the column there, and the value before and after."""
    rows: list[list[Any]] = []
    for kind in ("tables", "exhibits", "claims"):
        for change in changes[kind]:
            start = [kind.removesuffix("s"), change["id"]]
            if change["change"] != "changed":
                rows.append([*start, change["change"], "", "", "", change.get("into", "")])
                continue
            for name in ("rows_added", "rows_removed"):
                rows += [[*start, name.replace("_", " "), row, "", "", ""] for row in change.get(name, [])]
            for name in ("columns_added", "columns_removed"):
                rows += [[*start, name.replace("_", " "), "", column, "", ""] for column in change.get(name, [])]
            rows += [
                [*start, "changed", *(value[k] for k in ("row", "column", "was", "now"))] for value in change["values"]
            ]
    return sheets.as_csv(["kind", "id", "change", "row", "column", "was", "now"], rows)


def _state(numbers: Numbers) -> Change:
    return {"version": numbers.book.version, "released": str(numbers.book.date_released)}


def _pairs(
    was: dict[str, Thing],
    now: dict[str, Thing],
    change: Callable[[Thing, Thing], Change | None],
    title: Callable[[Thing], str],
) -> Iterator[Change]:
    """What became of each thing that either state has; nothing for one that stayed as it was."""
    for id in sorted(was.keys() | now.keys()):
        if id not in was or id not in now:
            state, thing = ("added", now[id]) if id in now else ("removed", was[id])
            yield {"id": id, "title": title(thing), "change": state}
        elif found := change(was[id], now[id]):
            yield {"id": id, "title": title(now[id]), "change": "changed", **found}


def _table_change(was: Table, now: Table) -> Change | None:
    if was.columns == now.columns and was.rows == now.rows:
        return None
    return _row_changes(was.rows, now.rows, was.columns, {name: name for name in now.columns}, now.key)


def _exhibit_change(was: Exhibit, now: Exhibit) -> Change | None:
    labels = [field["name"] for field in now.fields if field["type"] not in MEASURES]
    names = {field["name"]: field["title"] for field in now.fields}
    change = _row_changes(was.rows, now.rows, [field["name"] for field in was.fields], names, labels) or {"values": []}
    if was.title != now.title:
        change["title_was"] = was.title
    return change if change != {"values": []} else None


def _claim_change(was: Claim, now: Claim) -> Change | None:
    fields = {
        "verdict": "Verdict",
        "shown": "Observed",
        "stated": "Stated",
        "statement": "Statement",
        "finding": "Finding",
    }
    values = [
        {"row": "", "column": name, "was": getattr(was, field), "now": getattr(now, field)}
        for field, name in fields.items()
        if getattr(was, field) != getattr(now, field)
    ]
    return {"values": values} if values else None


def _row_changes(
    was: list[Record], now: list[Record], columns: list[str], names: dict[str, str], key: list[str]
) -> Change | None:
    """Rows and columns that came or went, and values that changed in the rows that both have.

    Rows are the same if their key is; rows with one and the same key are paired in their order.

    Args:
        was: the earlier rows.
        now: the later rows.
        columns: of the earlier rows.
        names: what each column of the later rows is called.
        key: the columns that tell rows apart.
    """
    common = [column for column in names if column in columns]
    key = [column for column in key if column in common]
    before, after = (_by_key(rows, key) for rows in (was, now))
    change = {
        "rows_added": [_label(row) for row in after if row not in before],
        "rows_removed": [_label(row) for row in before if row not in after],
        "columns_added": [name for column, name in names.items() if column not in columns],
        "columns_removed": [column for column in columns if column not in names],
    }
    values = [
        {"row": _label(row), "column": names[column], "was": before[row].get(column), "now": value.get(column)}
        for row, value in after.items()
        if row in before
        for column in common
        if column not in key and not _same(before[row].get(column), value.get(column))
    ]
    found: Change = {name: items for name, items in change.items() if items} | {"values": values}
    return found if found != {"values": []} else None


def _by_key(rows: list[Record], key: list[str]) -> dict[tuple[Any, ...], Record]:
    """Rows by their key and a count of those before with the same one."""
    found: dict[tuple[Any, ...], Record] = {}
    seen: dict[tuple[Any, ...], int] = {}
    for row in rows:
        values = tuple(row.get(column) for column in key)
        seen[values] = seen.get(values, 0) + 1
        found[*values, seen[values]] = row
    return found


def _label(row: tuple[Any, ...]) -> str:
    """A row's key in words; its count only where it tells rows apart."""
    *values, count = row
    words = [str(value) for value in values if value not in (None, "")]
    return ", ".join([*words, f"no. {count}"] if count > 1 or not words else words)


def _same(was: Any, now: Any) -> bool:
    return was is now or was == now or (was != was and now != now)  # noqa: PLR0124, a missing number is not itself


def _summary(changes: Changes) -> str:
    turned = sum(value["column"] == "Verdict" for claim in changes["claims"] for value in claim.get("values", []))
    moved = sum(bool(exhibit.get("values")) for exhibit in changes["exhibits"])
    words = [
        f"{turned} verdict{'s' * (turned != 1)} turned",
        f"values moved in {moved} exhibit{'s' * (moved != 1)}",
        f"{len(changes['tables'])} table{'s differ' if len(changes['tables']) != 1 else ' differs'}",
    ]
    if is_empty(changes):
        words = ["no number changed"]
    was, now = ("version {version} ({released})".format(**changes[end]) for end in ("from", "to"))
    return f"{f'Since {was}' if was == now else f'From {was} to {now}'}: {', '.join(words)}."


def _came_and_went(kind: str, changes: list[Change], style: Style) -> Iterator[str]:
    for state in ("added", "removed"):
        if found := [change for change in changes if change["change"] == state]:
            items = [
                f"- {_name(kind, change, style)}: {style.text(change['title'])}{_heir(change, style)}"
                for change in found
            ]
            yield "\n".join([f"{state.capitalize()} ({len(found):,}):\n", *items])


def _name(kind: str, change: Change, style: Style) -> str:
    """A claim's id, or the name of a table or exhibit, as a link to where it is; there is none to what was removed."""
    words = change["id"] if kind == "claims" else f"`{change['id']}`"
    return words if change["change"] == "removed" else style.link(TARGETS[kind].format(change["id"].lower()), words)


def _heir(change: Change, style: Style) -> str:
    """Where to find what a removed exhibit showed."""
    if "into" not in change:
        return ""
    return f" (absorbed into {_name('exhibits', {'id': change['into'], 'change': 'changed'}, style)})"


def _claim_report(change: Change, style: Style) -> list[str]:
    verdicts = [f" ({value['was']} → {value['now']})" for value in change["values"] if value["column"] == "Verdict"]
    lines = []
    for value in change["values"]:
        was, now = (style.text(str(value[name])) or "nothing" for name in ("was", "now"))
        lines.append(f"- {value['column']}: {was} → {now}")
    title = f"{change['id']}{''.join(verdicts)}: {change['title']}"
    return style.part(title, [f"Claim {_name('claims', change, style)}", "\n".join(lines)])


def _exhibit_report(change: Change, style: Style) -> list[str]:
    was = f". The finding was: {style.text(change['title_was'])}" if "title_was" in change else ""
    name = f"Exhibit {_name('exhibits', change, style)}{was}"
    return style.part(change["title"], [name, *_rows_report(change, style)])


def _table_report(change: Change, style: Style) -> list[str]:
    return style.part(change["title"], [f"Table {_name('tables', change, style)}", *_rows_report(change, style)])


def _rows_report(change: Change, style: Style) -> Iterator[str]:
    for name, words in (
        ("columns_added", "Columns added"),
        ("columns_removed", "Columns removed"),
        ("rows_added", "Rows added"),
        ("rows_removed", "Rows removed"),
    ):
        if items := change.get(name):
            shown = "; ".join(style.text(item) for item in items[:MOST_ROWS])
            yield f"{words} ({len(items):,}): {shown}{_rest(items)}."
    if values := change["values"]:
        lines = ["| Row | Column | Was | Now | Change |", "| --- | --- | ---: | ---: | ---: |"]
        for value in values[:MOST_VALUES]:
            cells = [value["row"], value["column"], _written(value["was"]), _written(value["now"]), _difference(value)]
            lines.append(f"| {' | '.join(style.text(cell).replace('|', '/') for cell in cells)} |")
        yield "\n".join(lines)
        if len(values) > MOST_VALUES:
            yield f"These are {MOST_VALUES} of {len(values):,} changed values."


def _rest(items: list[str]) -> str:
    return f"; and {len(items) - MOST_ROWS:,} more" if len(items) > MOST_ROWS else ""


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and not isinstance(value, bool) else None


def _written(value: Any) -> str:
    if value is None or value == "" or value != value:  # noqa: PLR0124, a missing number is not itself
        return "–"
    return f"{value:,.10g}" if isinstance(value, float) else str(value)


def _difference(value: Change) -> str:
    """By how much a number changed, also as a share of what it was."""
    was, now = _number(value["was"]), _number(value["now"])
    if was is None or now is None:
        return ""
    share = f" ({(now - was) / abs(was):+,.1%})" if was else ""
    return f"{now - was:+,.10g}{share}".replace("-", "−")
