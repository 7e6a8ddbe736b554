"""What the front page and the story show of other pages: how many statements hold, some of them, and single exhibits.

All of it is counted and chosen when every page has been read, by the rules below and not by hand.
"""

import re
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from docutils import nodes
from docutils.parsers.rst import directives
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.writers.html5 import HTML5Translator

from companion.book import pictures
from companion.book.freshness import overviews
from companion.book.ledger import anchor, claims_of, with_words
from companion.book.nodes import (
    ExhibitNode,
    OverviewNode,
    WithoutScripts,
    find_exhibit,
    for_web,
    leave,
    render,
)
from companion.claims.form import Claim
from companion.files.layout import EXHIBITS
from companion.report import CERTAINTIES, DOUBTED, HOLDING, REPORT_EXHIBITS, REPORT_SHOWS, UNTESTED, VERDICTS

logger = logging.getLogger(__name__)

ROWS = 4  # of cells in the bar of verdicts
CELL, GAP = 10, 6  # the room of a cell, and between two verdicts, in the bar's own units
CHOSEN = 3  # statements that did not hold
# What a sentence can count, and the verdicts that count for it.
COUNTS: dict[str, tuple[str, ...]] = {
    "all": tuple(VERDICTS),
    "tested": tuple(verdict for verdict in VERDICTS if verdict not in UNTESTED),
    "hold": HOLDING,
    "do not hold": DOUBTED,
    "untested": UNTESTED,
    **{verdict: (verdict,) for verdict in VERDICTS},
}


class CountNode(OverviewNode):
    """A number of statements in a sentence; `what` is one of `COUNTS`."""


class BarNode(OverviewNode):
    """The bar of verdicts, one cell for each statement."""


class StatementsNode(OverviewNode):
    """Short cards; `ids` has the statements, and is empty where the rule chooses them."""


class AgainNode(OverviewNode):
    """An exhibit of another page, with the way to it; `target` is its id, `narrow` says that it has half the width."""


class ReportNode(OverviewNode):
    """The report's exhibits, each small, with what the report shows and what is found here."""


class Count(SphinxRole):
    """`{statements}`: how many statements there are of a kind, such as "tested" or "do not hold"."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Leave a place for the number, which is known when every page has been read."""
        if self.text not in COUNTS:
            problem = f"{{statements}}`{self.text}` counts nothing; it can count {', '.join(COUNTS)}."
            return [], [self.inliner.reporter.error(problem, line=self.lineno)]
        return [CountNode(what=self.text)], []


class Bar(SphinxDirective):
    """`{verdict-bar}`: one cell for each statement of the ledger, by verdict."""

    def run(self) -> list[nodes.Node]:
        """Leave a node to be filled when every page has been read."""
        return [BarNode()]


class Statements(SphinxDirective):
    """`{statements-again}`: short cards of the statements named, such as "C109"; without any, of those that fail."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Leave a node to be filled when every page has been read."""
        return [StatementsNode(ids=self.arguments[0].split() if self.arguments else [])]


class Again(SphinxDirective):
    """`{exhibit-again}`: an exhibit of another page, by its id."""

    required_arguments = 1
    option_spec = {"narrow": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Leave a node to be filled when every page has been read."""
        return [AgainNode(target=self.arguments[0], narrow="narrow" in self.options)]


class ReportExhibits(SphinxDirective):
    """`{report-exhibits}`: the exhibits of the report and what became of them."""

    def run(self) -> list[nodes.Node]:
        """Leave a node to be filled when every page has been read."""
        return [ReportNode()]


def setup(app: Sphinx) -> None:
    """Register nodes, directives and the role."""
    app.add_node(CountNode, html=(_visit_count, leave))
    app.add_node(BarNode, html=(_visit_bar, leave))
    app.add_node(StatementsNode, html=(_visit_statements, leave))
    app.add_node(AgainNode, html=(_visit_again, leave))
    app.add_node(ReportNode, html=(_visit_report, leave))
    app.add_role("statements", Count())
    app.add_directive("verdict-bar", Bar)
    app.add_directive("statements-again", Statements)
    app.add_directive("exhibit-again", Again)
    app.add_directive("report-exhibits", ReportExhibits)
    app.connect("env-updated", _name_pages)


def failing(claims: list[Claim], number: int = CHOSEN) -> list[Claim]:
    """The statements that did not hold of which a reader should hear first.

    The rule: contradicted before inconsistent; then the more certain verdict, the better grade of the best source, and
    the earlier place in the report.

    Args:
        claims: all statements, in the order of the claims.
        number: how many at most.
    """
    sections = list(dict.fromkeys(claim.section for claim in claims))

    def place(claim: Claim) -> tuple[Any, ...]:
        grade = min((source["source_grade"] for source in claim.sources), default="Z")
        certainty = CERTAINTIES.index(claim.certainty)
        return DOUBTED.index(claim.verdict), certainty, grade, sections.index(claim.section), claim.id

    return sorted((claim for claim in claims if claim.verdict in DOUBTED), key=place)[:number]


def filtered(*verdicts: str) -> str:
    """What an address of the ledger ends with to show the statements with one of these verdicts."""
    return "#" + urlencode({"verdict": "|".join(verdicts)})


def _name_pages(app: Sphinx, env: BuildEnvironment) -> None:
    """Give a page whose heading counts something its title in navigation and citations."""
    for page in overviews(env):
        title = next(env.get_doctree(page).findall(nodes.title)).deepcopy()
        if counts := list(title.findall(CountNode)):
            for node in counts:
                node.replace_self(nodes.Text(_count(env, node)))
            # Sphinx copies titles, and with them the page that they know, which now and then is too deep for Python.
            for part in title.findall():
                part.document = None  # type: ignore[assignment]
            env.titles[page] = env.longtitles[page] = title


def _count(env: BuildEnvironment, node: CountNode) -> str:
    return f"{sum(claim.verdict in COUNTS[node['what']] for _, claim in claims_of(env).in_order()):,}"


def _visit_count(self: HTML5Translator, node: CountNode) -> None:
    self.body.append(_count(self.builder.env, node))
    raise nodes.SkipNode


def _visit_bar(self: HTML5Translator, node: BarNode) -> None:
    claims = [claim for _, claim in claims_of(self.builder.env).in_order()]
    counts = Counter(claim.verdict for claim in claims)
    ledger, web = _ledger(self), for_web(self.builder)
    parts, x = [], 0
    for verdict in (verdict for verdict in VERDICTS if counts[verdict]):
        cells = [(x + CELL * (i // ROWS), CELL * (i % ROWS)) for i in range(counts[verdict])]
        link = f"{ledger}{filtered(verdict)}" if ledger and web else None
        parts.append({"verdict": verdict, "count": counts[verdict], "cells": cells, "link": link})
        x = cells[-1][0] + CELL + GAP
    page = {"parts": parts, "width": x - GAP, "height": CELL * ROWS, "cell": CELL, "web": web}
    self.body.append(with_words("verdict_bar.html", total=len(claims), **page))
    raise nodes.SkipNode


def _visit_statements(self: HTML5Translator, node: StatementsNode) -> None:
    builder, cards = self.builder, claims_of(self.builder.env).in_order()
    pages = {claim.id: (docname, claim) for docname, claim in cards}
    for id in set(node["ids"]) - set(pages):
        logger.warning("statements-again: there is no claim %r", id, location=node)
    chosen = node["ids"] or [claim.id for claim in failing([claim for _, claim in cards])]
    shown = [
        (f"{builder.get_relative_uri(builder.current_docname, docname)}#{anchor(claim.id)}", claim)
        for docname, claim in (pages[id] for id in chosen if id in pages)
    ]
    self.body.append(with_words("short_cards.html", cards=shown))
    raise nodes.SkipNode


def _visit_again(self: HTML5Translator, node: AgainNode) -> None:
    builder, found = self.builder, find_exhibit(self.builder.env, node["target"])
    if found is None:
        logger.warning("exhibit-again: there is no exhibit %r", node["target"], location=node)
        raise nodes.SkipNode
    exhibit, here = found["exhibit"], builder.current_docname
    picture = None
    if isinstance(builder, WithoutScripts) and exhibit.spec is not None:
        # An id inside a picture that stands twice in one file of the book would be there twice.
        picture = re.sub(rf'(id="|url\(#)({exhibit.id}-)', r"\1again-\2", builder.picture(exhibit))
    text = render(
        builder.env,
        found,
        "again.html",
        page=_address(self, found),
        files=f"{'../' * here.count('/')}{EXHIBITS}/" if for_web(builder) else None,
        only_narrow=node["narrow"],
        picture=Markup(picture) if picture else None,
    )
    self.body.append(text)
    raise nodes.SkipNode


def _visit_report(self: HTML5Translator, node: ReportNode) -> None:
    env, web = self.builder.env, for_web(self.builder)
    self.body.append('<div class="front-report again">')
    for id, shows in REPORT_SHOWS.items():
        found = find_exhibit(env, id)
        if found is None:
            logger.warning("report-exhibits: there is no exhibit %r", id, location=node)
            continue
        drawn = web and found["exhibit"].spec is not None
        text = render(
            env,
            found,
            "report_exhibit.html",
            page=_address(self, found),
            name=REPORT_EXHIBITS[id],
            shows=shows,
            bare=Markup(pictures.bare_svg(found["exhibit"])) if drawn else None,
            web=web,
        )
        self.body.append(text)
    self.body.append("</div>")
    raise nodes.SkipNode


def _address(self: HTML5Translator, node: ExhibitNode) -> str:
    """Where an exhibit stands, from the page that is being written."""
    return f"{self.builder.get_relative_uri(self.builder.current_docname, node['docname'])}#{node['ids'][0]}"


def _ledger(self: HTML5Translator) -> str | None:
    """The page of the ledger, from the page that is being written."""
    page = claims_of(self.builder.env).ledger
    return self.builder.get_relative_uri(self.builder.current_docname, page) if page else None
