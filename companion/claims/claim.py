"""Claims: what the report says, set beside what the evidence shows, with a verdict.

A claim is a row of `data/claims.csv`. A chapter shows it as a card, and hands over what it observed where the verdict
is computed.
"""

import difflib

import pandas as pd

from companion import settings
from companion.claims.form import Claim, Record
from companion.claims.verdicts import computed_verdict
from companion.report import DOUBTED
from companion.tables import load


class ClaimTurnedError(Exception):
    """A computed verdict is not the recorded one."""


def claim(id: str, observed: float | bool | None = None, shown: str = "") -> Claim:
    """Show a statement of the report as a card with its verdict.

    Args:
        id: the claim's row in `data/claims.csv`.
        observed: what the chapter computed, for a computed claim and for no other: a number in the claim's unit, or
            whether the statement holds.
        shown: the same in words, for the card.

    Returns:
        The claim; the last value of a cell, or `display(claim(...), claim(...))` for several.

    Raises:
        KeyError: there is no such claim; the message names the nearest.
        ValueError: the observed value is missing, not needed, or of the wrong type; the message says what to pass.
        ClaimTurnedError: verdicts are checked, and the computed one is not the recorded one.
    """
    claims = load("claims").set_index("claim_id")
    if id not in claims.index:
        near = difflib.get_close_matches(str(id), claims.index, n=1, cutoff=0)
        raise KeyError(f"No claim {id!r} in data/claims.csv. Did you mean {near[0]!r}?")
    row: Record = {str(name): None if pd.isna(value) else value for name, value in claims.loc[id].items()}
    if row["kind"] == "computed":
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
        shown=shown,
        verdict=verdict,
        certainty=(row["certainty"] or "") if verdict in DOUBTED else "",
        insights=row["insights"].split("; ") if row["insights"] else [],
        sources=sources.drop(columns=["claim_id", "source_no"]).fillna("").to_dict("records"),
    )


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
