"""The form of a claim in a notebook: one output of its own form, with a plain card beside it for JupyterLab.

Whoever reads it back needs neither pandas nor Altair.
"""

import html
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from companion.files import outputs
from companion.files.addresses import href
from companion.report import VERDICTS

Record = dict[str, Any]

CLAIM_MIME = "application/vnd.companion.claim+json"
# The present form, numbered as that of an exhibit is.
FORM = 1
LINKED = '<li><a href="{href}">{title}</a>, {publisher} ({source_grade})</li>'
UNLINKED = "<li>{title} ({url}), {publisher} ({source_grade})</li>"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One statement of the report with its verdict, complete enough for a card.

    What has no default here is in every form, and nothing can be said of a claim without it.

    Attributes:
        id: "C001" and so on; it stays.
        chapter: the page with its evidence, such as "uas/exporters".
        section: the report's heading.
        statement: what the report says, in our words.
        kind: whether the verdict is computed, judged by sources, or out of reach ("not testable").
        stated: the stated value as a reader would say it; empty where the statement has none.
        shown: what was observed, in words; empty unless the verdict is computed.
        verdict: one of `VERDICTS`.
        finding: what the evidence shows, and why it differs.
        certainty: "high", "medium", or "low" for a claim that is contradicted or inconsistent; otherwise empty.
        since: what changed after the report; may be empty.
        insights: the report's insights that rest on it, of `INSIGHTS`.
        sources: title, publisher, address, grade and note of each source, best first.
        form: the form that it was written in.
    """

    id: str
    chapter: str = ""
    section: str = ""
    statement: str
    kind: str = ""
    stated: str = ""
    shown: str = ""
    verdict: str
    finding: str = ""
    certainty: str = ""
    since: str = ""
    insights: list[str] = field(default_factory=list)
    sources: list[Record] = field(default_factory=list)
    form: int = FORM

    @classmethod
    def from_output(cls, content: Record) -> Self:
        """Read a claim back from a notebook's output, of whatever form.

        Raises:
            OutputError: the output lacks what every claim has.
        """
        return outputs.read(cls, content)

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
            (LINKED if href(source["url"]) else UNLINKED).format_map(
                {name: html.escape(str(value)) for name, value in {**source, "href": href(source["url"])}.items()}
            )
            for source in self.sources
        )
        return (
            f"<section><p><strong>{self.id} {shape} {self.verdict}</strong><br>{statement}</p>"
            f"<dl>{parts}</dl>{f'<ul>{sources}</ul>' if sources else ''}</section>"
        )
