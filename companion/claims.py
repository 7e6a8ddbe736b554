"""Claims: what the report says, set beside what the evidence shows, with a verdict.

A claim is a row of `data/claims.csv`. A chapter shows it as a card, and hands over what it observed where the verdict
is computed. The card travels to the book in one output that holds all of it, as exhibits do.
"""

import difflib
import html
import os
from dataclasses import asdict, dataclass
from typing import Any, Self

import pandas as pd

from companion.tables import load
from companion.verdicts import DOUBTED, VERDICTS, computed_verdict

Record = dict[str, Any]

CLAIM_MIME = "application/vnd.companion.claim+json"
# Set to CHECKED, a verdict that is not the recorded one is an error; otherwise the new one is shown.
VARIABLE = "COMPANION_VERDICTS"
CHECKED = "checked"


class ClaimTurnedError(Exception):
    """A computed verdict is not the recorded one."""


@dataclass(frozen=True)
class Claim:
    """One statement of the report with its verdict, complete enough for a card.

    Attributes:
        id: "C001" and so on; it stays.
        chapter: the page with its evidence, such as "uas/exporters".
        section: the report's heading.
        statement: what the report says, in our words.
        kind: whether the verdict is computed, judged by sources, or out of reach ("untestable").
        stated: the stated value as a reader would say it; empty where the statement has none.
        shown: what was observed, in words; empty unless the verdict is computed.
        verdict: one of `VERDICTS`.
        finding: what the evidence shows, and why it differs.
        certainty: "high", "medium", or "low" for a claim that is contradicted or inconsistent; otherwise empty.
        since: what changed after the report; may be empty.
        insights: the report's insights that rest on it, of `INSIGHTS`.
        sources: title, publisher, address, grade and note of each source, best first.
    """

    id: str
    chapter: str
    section: str
    statement: str
    kind: str
    stated: str
    shown: str
    verdict: str
    finding: str
    certainty: str
    since: str
    insights: list[str]
    sources: list[Record]

    @classmethod
    def from_output(cls, content: Record) -> Self:
        """Read a claim back from a notebook's output."""
        return cls(**content)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Record:
        return {CLAIM_MIME: asdict(self), "text/html": self._html(), "text/plain": self._text()}

    def _parts(self) -> list[tuple[str, str]]:
        parts = [("Stated", self.stated), ("Observed", self.shown), ("Finding", self.finding), ("Since", self.since)]
        return [(name, text) for name, text in parts if text]

    def _text(self) -> str:
        head = f"{self.id} {VERDICTS[self.verdict][0]} {self.verdict}: {self.statement}"
        sources = [("Source", f"{source['title']}, {source['publisher']}, {source['url']}") for source in self.sources]
        return "\n".join([head, *(f"{name}: {text}" for name, text in [*self._parts(), *sources])])

    def _html(self) -> str:
        """A plain card for JupyterLab, which does not know the claim's own form."""
        shape, statement = VERDICTS[self.verdict][0], html.escape(self.statement)
        parts = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in self._parts())
        sources = "".join(
            '<li><a href="{url}">{title}</a>, {publisher} ({source_grade})</li>'.format_map(
                {name: html.escape(str(value)) for name, value in source.items()}
            )
            for source in self.sources
        )
        return (
            f"<section><p><strong>{self.id} {shape} {self.verdict}</strong><br>{statement}</p>"
            f"<dl>{parts}</dl>{f'<ul>{sources}</ul>' if sources else ''}</section>"
        )


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
    return Claim(
        id=id,
        **{name: row[name] or "" for name in ("chapter", "section", "statement", "kind", "stated", "finding", "since")},
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
    if os.environ.get(VARIABLE) == CHECKED and verdict != row["verdict"]:
        was = f"the verdict was {row['verdict']!r}" if row["verdict"] else "no verdict was recorded"
        raise ClaimTurnedError(
            f"{id} ({row['statement']}): {was} and is now {verdict!r}; observed: {shown}. "
            "Review the claim in data/claims.csv, then run `make expected`."
        )
    return verdict
