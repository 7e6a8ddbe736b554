"""Claims: what the report says, set beside what the evidence shows, with a verdict.

A claim is a row of `data/claims.csv`. A chapter shows it as a card, and hands over what it observed where the verdict
is computed. Where the date of an event decides, the tables have all that is needed.
"""

import difflib

import pandas as pd

from companion import settings
from companion.claims.form import Claim, Record
from companion.claims.verdicts import computed_verdict
from companion.prose import day, month
from companion.report import DATED, DOUBTED
from companion.tables import load

Observed = float | bool


class ClaimTurnedError(Exception):
    """A computed verdict is not the recorded one."""


def cards(chapter: str, **observed: tuple[Observed, str] | str) -> None:
    """Show the cards of all statements that have their evidence in a chapter, in the order of their numbers.

    Args:
        chapter: as in `data/claims.csv`, such as "uas/exporters".
        observed: for each computed claim, by its number, the observed value and the same in words; for a dated claim
            words alone, where its card should say more than the date.

    Raises:
        KeyError: no statement has its evidence there, or a number is of none of them.
        ValueError: what was observed is missing, or does not fit the claim; see `claim`.
        ClaimTurnedError: verdicts are checked, and a computed one is not the recorded one.
    """
    from IPython.display import display  # whoever computes a verdict elsewhere needs no kernel

    ids = list(load("claims").query("chapter == @chapter")["claim_id"])
    if strange := sorted(observed.keys() - set(ids)):
        raise KeyError(f"{', '.join(strange)}: data/claims.csv has no such claim of {chapter!r}, but {ids or 'none'}.")
    if not ids:
        raise KeyError(f"No claim in data/claims.csv has its evidence in {chapter!r}.")
    for id in ids:
        given = observed.get(id, "")
        display(claim(id, shown=given) if isinstance(given, str) else claim(id, *given))


def claim(id: str, observed: Observed | None = None, shown: str = "") -> Claim:
    """Show a statement of the report as a card with its verdict.

    Args:
        id: the claim's row in `data/claims.csv`.
        observed: what the chapter computed, for a computed claim and for no other: a number in the claim's unit, or
            whether the statement holds. For a dated claim, the date is that of its event.
        shown: the same in words, for the card; for a dated claim the date, unless it is given.

    Returns:
        The claim, the last value of a cell.

    Raises:
        KeyError: there is no such claim; the message names the nearest.
        ValueError: the observed value is missing, not needed, or of the wrong type; the message says what to pass.
        ClaimTurnedError: verdicts are checked, and the computed one is not the recorded one.
    """
    table = load("claims").set_index("claim_id")
    if id not in table.index:
        near = difflib.get_close_matches(str(id), table.index, n=1, cutoff=0)
        raise KeyError(f"No claim {id!r} in data/claims.csv. Did you mean {near[0]!r}?")
    row: Record = {str(name): None if pd.isna(value) else value for name, value in table.loc[id].items()}
    if row["comparison"] == DATED:
        if observed is not None:
            raise ValueError(f"Claim {id!r}: the date of {row['event']!r} decides it. Pass shown=, or nothing.")
        date = _date_of(id, row["event"])
        shown = shown or (month(date) if len(row["period"]) == len("2023") else day(date))
        verdict = _computed(id, row, date, shown)
    elif row["kind"] == "computed":
        verdict = _computed(id, row, observed, shown)
    elif observed is not None or shown:
        raise ValueError(f"Claim {id!r} is {row['kind']}: its verdict stands in data/claims.csv. Write claim({id!r}).")
    else:
        verdict = row["verdict"]
    sources = load("claim_sources").query("claim_id == @id").sort_values("source_no")
    texts: Record = {
        name: row[name] or "" for name in ("chapter", "section", "statement", "kind", "stated", "finding", "since")
    }
    return Claim(
        id=id,
        **texts,
        shown=" ".join(shown.split()),
        verdict=verdict,
        certainty=(row["certainty"] or "") if verdict in DOUBTED else "",
        insights=row["insights"].split("; ") if row["insights"] else [],
        sources=sources.drop(columns=["claim_id", "source_no"]).fillna("").to_dict("records"),
    )


def _date_of(id: str, event: str) -> str:
    """The date of an event by the source that is used."""
    dates = load("policy_timeline").query("used and event_id == @event")["date"]
    if dates.empty:
        raise KeyError(f"Claim {id!r}: data/policy_timeline.csv has no event {event!r}.")
    date: str = dates.item()
    return date


def _computed(id: str, row: Record, observed: object, shown: str) -> str:
    """The verdict of a computed claim; where verdicts are checked, only the recorded one."""
    try:
        verdict = computed_verdict(row, observed)
    except ValueError as problem:
        raise ValueError(f"Claim {id!r}: {problem}") from None
    if not shown.strip():
        raise ValueError(f"Claim {id!r}: shown is empty. Pass shown=, the observed value as the card should say it.")
    if settings.verdicts_are_checked() and verdict != row["verdict"]:
        was = f"the verdict was {row['verdict']!r}" if row["verdict"] else "no verdict was recorded"
        raise ClaimTurnedError(
            f"{id} ({row['statement']}): {was} and is now {verdict!r}; observed: {shown}. "
            "Review the claim in data/claims.csv, then run `make expected`."
        )
    return verdict
