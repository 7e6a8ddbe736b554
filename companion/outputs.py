"""What a chapter hands to the book: exhibits and claims, each in one output of the notebook that describes itself.

An exhibit is standard: a figure is a Vega-Lite specification whose `usermeta` holds the description, a table is a
Frictionless tabular data resource. JupyterLab shows both by itself; the book draws them with `companion.book`. A claim
has a form of its own, with a plain card beside it for JupyterLab.

Whoever reads outputs back needs neither pandas nor Altair.
"""

import html
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from companion.verdicts import VERDICTS

Status = Literal["reproduced", "updated", "open-counterpart", "awaiting-data", "own"]
Record = dict[str, Any]

REPORT_EXHIBITS = {
    "table-1": "Table 1",
    "figure-1": "Figure 1",
    "figure-2": "Figure 2",
    "figure-3": "Figure 3",
    "figure-4": "Figure 4",
}

# JupyterLab knows Vega-Lite 5; Altair 6 writes version 6, of which the charts here use what version 5 has too.
CHART_MIME = "application/vnd.vegalite.v5+json"
TABLE_MIME = "application/vnd.dataresource+json"
DATASET = "exhibit"
CLAIM_MIME = "application/vnd.companion.claim+json"


def decimals(numbers: Iterable[float]) -> int:
    """Decimals for all numbers of a column: none where all are whole, two where all are small ratios, otherwise one."""
    numbers = list(numbers)
    if all(float(number).is_integer() for number in numbers):
        return 0
    small = max(map(abs, numbers)) < 10 and any(round(number, 1) != number for number in numbers)
    return 2 if small else 1


@dataclass(frozen=True)
class Exhibit:
    """One exhibit, complete: description, data, and for a figure its Vega-Lite specification.

    Attributes:
        id: name in addresses and references, such as "figure-1".
        title: the finding, one line.
        subtitle: what is measured, the unit and the period.
        alt: the finding and the numbers that carry it, for a reader who cannot see the picture.
        status: how the exhibit relates to the report's own.
        reproduces: the report's exhibit, such as "Figure 1"; None for one of our own.
        note: what a reader must know to read it right; may be empty.
        sources: upstream sources, each with title, address and version or date of access.
        tables: names of the tables in `data/` that it is computed from.
        fields: the columns of its data, with name, title and type.
        rows: its data, one record per row.
        spec: Vega-Lite specification of the picture; None for a table.
    """

    id: str
    title: str
    subtitle: str
    alt: str
    status: Status
    reproduces: str | None
    note: str
    sources: list[Record]
    tables: list[str]
    fields: list[Record]
    rows: list[Record]
    spec: Record | None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Record:
        about = {name: value for name, value in vars(self).items() if name not in {"rows", "spec", "fields", "alt"}}
        if self.spec is None:
            import pandas as pd  # the pages of the book are made without it

            frame = pd.DataFrame(self.rows).rename(columns={f["name"]: f["title"] for f in self.fields})
            return {
                TABLE_MIME: {
                    "name": self.id,
                    "title": self.title,
                    "description": self.alt,
                    "schema": {"fields": self.fields},
                    "data": self.rows,
                    "exhibit": about,
                },
                "text/html": frame.to_html(index=False, na_rep="", border=0),
                "text/plain": self.alt,
            }
        described = {
            **self.spec,
            "title": {"text": textwrap.wrap(self.title, 68), "subtitle": textwrap.wrap(self.subtitle, 90)},
            "description": self.alt,
            "datasets": {**self.spec["datasets"], DATASET: self.rows},
            "usermeta": {"exhibit": {**about, "fields": self.fields}},
        }
        return {CHART_MIME: described, "text/plain": self.alt}

    @classmethod
    def from_output(cls, content: Record) -> Self | None:
        """Read an exhibit back from a notebook's output; None where the output is not an exhibit."""
        if about := content.get("exhibit"):
            return cls(
                **about,
                alt=content["description"],
                fields=content["schema"]["fields"],
                rows=content["data"],
                spec=None,
            )
        if about := content.get("usermeta", {}).get("exhibit"):
            spec = {key: value for key, value in content.items() if key not in {"title", "description", "usermeta"}}
            datasets = dict(content["datasets"])
            return cls(
                **about,
                alt=content["description"],
                rows=datasets.pop(DATASET),
                spec=spec | {"datasets": datasets},
            )
        return None


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
