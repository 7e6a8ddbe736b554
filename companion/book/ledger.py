"""Claims in the book: a card in each chapter, the ledger of all of them, and what they mean for the report's insights.

Cards are collected when pages are read; the ledger and the insights are written from them when all pages have been.
"""

import json
from collections import Counter
from itertools import groupby, product
from pathlib import Path
from typing import Any

from docutils import nodes
from markupsafe import Markup
from myst_nb.core.render import MimeData, MimeRenderPlugin, NbElementRenderer
from sphinx.application import Sphinx
from sphinx.domains import Domain
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from companion.book.nodes import TEMPLATES, OverviewNode, after_writing, for_web, leave
from companion.book.shell import ADDRESS, add_script
from companion.claims.form import CLAIM_MIME, Claim
from companion.files.layout import CLAIMS
from companion.files.sheets import as_csv
from companion.prose import listed
from companion.report import DOUBTED, GRADES, INSIGHTS, KINDS, UNTESTED, VERDICTS
from companion.tables import read_rows

logger = logging.getLogger(__name__)

CHAPTERS = "chapters/"
SCRIPT = "ledger.js"
OPEN = (*DOUBTED, "refined")  # the verdicts of cards that stand open
ORDER = (*OPEN, *(verdict for verdict in VERDICTS if verdict not in OPEN))
WORDS = {"verdicts": VERDICTS, "kinds": KINDS, "grades": GRADES}
# What became of statements, by verdict: of one, and of several.
OUTCOMES = {
    ("confirmed",): ("holds as stated", "hold as stated"),
    ("refined",): ("holds with another scope, date, or size", "hold with another scope, date, or size"),
    DOUBTED: ("does not hold", "do not hold"),
    UNTESTED: ("could not be tested", "could not be tested"),
}


class ClaimNode(nodes.General, nodes.Element):
    """A claim's card; `claim` holds it. Its text is there for the search; the page gets it from a template."""


class ClaimsNode(nodes.General, nodes.Element):
    """Cards that stand together: what does not hold, or not quite, is open, and the rest folded under its count."""


class LedgerNode(OverviewNode):
    """The table of all claims."""


class InsightNode(OverviewNode):
    """The claims of one of the report's insights, named by `insight`; a table of all insights where it is empty."""


class ClaimRenderer(MimeRenderPlugin):
    """Turns the output of `claim()` into a card when the notebook is read."""

    mime_priority_overrides = (("*", CLAIM_MIME, 1),)

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        """Make the node; None for an output that is not a claim."""
        if inline or data.mime_type != CLAIM_MIME:
            return None
        # The cache gives keys back in another order than the kernel; in one order, the files come out the same.
        claim = Claim.from_output(json.loads(json.dumps(data.content, sort_keys=True)))
        node = ClaimNode(names=[anchor(claim.id)], claim=claim)
        node += [nodes.paragraph("", text) for text in (claim.statement, claim.finding, claim.since) if text]
        renderer.renderer.document.note_explicit_target(node, node)
        return [node]


class GroupCards(SphinxPostTransform):
    """Puts the cards that follow each other into one node."""

    default_priority = 10  # when of each output one form is left

    def run(self, **kwargs: Any) -> None:
        """Wrap each row of cards."""
        for parent in list(dict.fromkeys(node.parent for node in self.document.findall(ClaimNode))):
            runs = groupby(parent.children, lambda child: isinstance(child, ClaimNode))
            parent.children = [
                node for is_card, run in runs for node in ([ClaimsNode("", *run)] if is_card else list(run))
            ]
            for child in parent.children:
                child.parent = parent


class Ledger(SphinxDirective):
    """`{claim-ledger}`: every claim in a table that can be searched, filtered, and sorted."""

    def run(self) -> list[nodes.Node]:
        """Leave a node to be filled when every page has been read."""
        return [LedgerNode()]


class ClaimsByInsight(SphinxDirective):
    """`{claims-by-insight}`: a table of the report's insights, and a section for each with the claims it rests on."""

    def run(self) -> list[nodes.Node]:
        """Leave a section for each insight, to be filled when every page has been read."""
        parts: list[nodes.Node] = [InsightNode(insight="")]
        for insight, words in INSIGHTS.items():
            title = f"{insight}: {words}"
            section = nodes.section("", nodes.title(title, title), InsightNode(insight=insight))
            section["names"].append(nodes.fully_normalize_name(insight))
            self.state.document.note_implicit_target(section)
            parts.append(section)
        return parts


class ClaimDomain(Domain):
    """What the pages have of claims: their cards, and whether they are overviews, the ledger among them."""

    name = "claim"
    label = "Claims"

    @property
    def cards(self) -> dict[str, list[Claim]]:
        """The claims of each page that has any."""
        cards: dict[str, list[Claim]] = self.data.setdefault("cards", {})
        return cards

    @property
    def overviews(self) -> dict[str, bool]:
        """The pages that show claims of other pages, and whether such a page has the ledger."""
        overviews: dict[str, bool] = self.data.setdefault("overviews", {})
        return overviews

    def process_doc(self, env: BuildEnvironment, docname: str, document: nodes.document) -> None:
        """Collect what a page has."""
        if cards := [node["claim"] for node in document.findall(ClaimNode)]:
            self.cards[docname] = cards
        if overviews := [*document.findall(LedgerNode), *document.findall(InsightNode)]:
            self.overviews[docname] = isinstance(overviews[0], LedgerNode)

    def clear_doc(self, docname: str) -> None:
        """Forget a page."""
        self.cards.pop(docname, None)
        self.overviews.pop(docname, None)

    def merge_domaindata(self, docnames: list[str], otherdata: dict[str, Any]) -> None:
        """Take over pages that another process has read."""
        for own, other in ((self.cards, otherdata.get("cards", {})), (self.overviews, otherdata.get("overviews", {}))):
            own.update({docname: other[docname] for docname in docnames if docname in other})

    def resolve_any_xref(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Nothing to resolve here: a card is a target like any other."""
        return []

    def in_order(self) -> list[tuple[str, Claim]]:
        """Every claim with the page of its card, in the order of the claims."""
        found = [(docname, claim) for docname, claims in self.cards.items() for claim in claims]
        return sorted(found, key=lambda card: (card[1].id, card[0]))

    @property
    def ledger(self) -> str | None:
        """The page with the ledger; None where the book has none."""
        return next((docname for docname, has_ledger in self.overviews.items() if has_ledger), None)

    def check_consistency(self) -> None:
        """Warn of each claim that has no card in its chapter, or one elsewhere, or several."""
        pages: dict[str, list[str]] = {}
        for docname, claim in self.in_order():
            pages.setdefault(claim.id, []).append(docname)
        for row in read_rows("claims"):
            chapter, found = f"{CHAPTERS}{row['chapter']}", pages.get(row["claim_id"], [])
            if found != [chapter]:
                where = f"cards in {', '.join(found)}" if found else "no card"
                logger.warning("claim %s has %s; it needs one in %s.md", row["claim_id"], where, chapter, type="claim")


def anchor(id: str) -> str:
    """The name of a claim's card in addresses and references."""
    return f"claim-{id.lower()}"


def outcomes(claims: list[Claim]) -> str:
    """What became of the statements below, in a sentence: how many hold, and how many do not."""
    counts = {words: sum(claim.verdict in verdicts for claim in claims) for verdicts, words in OUTCOMES.items()}
    found = {words: count for words, count in counts.items() if count}
    if len(claims) == 1:
        return f"The statement below is the report’s, in our words: it {next(iter(found))[0]}."
    said = [f"{'all' if count == len(claims) else count} {words[count > 1]}" for words, count in found.items()]
    return f"The {len(claims)} statements below are the report’s, in our words: {listed(said)}."


def claims_csv(cards: list[dict[str, Any]]) -> str:
    """The cards as CSV, one claim per row; sources joined by a bar."""
    rows = []
    for card in cards:
        sources = " | ".join(f"{s['title']}, {s['publisher']}, {s['url']}" for s in card["sources"])
        rows.append((card | {"insights": "; ".join(card["insights"]), "sources": sources}).values())
    return as_csv(list(cards[0]) if cards else ["id"], rows)


def setup(app: Sphinx) -> None:
    """Register nodes and directives; files are written when all pages are done."""
    app.add_domain(ClaimDomain)
    app.add_node(ClaimNode)
    app.add_node(ClaimsNode, html=(_visit_claims, leave))
    app.add_node(LedgerNode, html=(_visit_ledger, leave))
    app.add_node(InsightNode, html=(_visit_insight, leave))
    app.add_post_transform(GroupCards)
    app.add_directive("claim-ledger", Ledger)
    app.add_directive("claims-by-insight", ClaimsByInsight)
    app.connect("html-page-context", _add_script)
    after_writing(app, _write_files)


def claims_of(env: BuildEnvironment) -> ClaimDomain:
    """The claims of the book and the pages with their cards."""
    domain = env.get_domain(ClaimDomain.name)
    assert isinstance(domain, ClaimDomain)
    return domain


def _visit_claims(self: HTML5Translator, node: ClaimsNode) -> None:
    here, ledger = self.builder.current_docname, claims_of(self.builder.env).ledger
    cards: dict[str, list[Markup]] = {verdict: [] for verdict in ORDER}
    for card in node.findall(ClaimNode):
        claim: Claim = card["claim"]
        link = f"{self.builder.get_relative_uri(here, ledger)}#ledger-{claim.id.lower()}" if ledger else None
        text = with_words("claim.html", claim=claim, anchor=card["ids"][0], ledger=link)
        cards[claim.verdict].append(Markup(text))
    claims = [card["claim"] for card in node.findall(ClaimNode)]
    page = with_words(
        "claims.html",
        claims=claims,
        outcomes=outcomes(claims),
        open=[card for verdict in OPEN for card in cards[verdict]],
        folds=[(verdict, cards[verdict]) for verdict in ORDER if verdict not in OPEN and cards[verdict]],
        foldable=for_web(self.builder),
    )
    self.body.append(page)
    raise nodes.SkipNode


def _visit_ledger(self: HTML5Translator, node: LedgerNode) -> None:
    cards = _linked(self)
    self.body.append(
        with_words(
            "ledger.html",
            cards=sorted(cards, key=lambda card: ORDER.index(card[1].verdict)),
            order=ORDER,
            doubted=DOUBTED,
            counts=Counter(pair for _, c in cards for pair in product((c.verdict, "all"), (c.kind, "all"))),
            sections=list(dict.fromkeys(claim.section for _, claim in cards)),
            for_web=for_web(self.builder),
            root="../" * self.builder.current_docname.count("/"),
        )
    )
    raise nodes.SkipNode


def _visit_insight(self: HTML5Translator, node: InsightNode) -> None:
    cards = _linked(self)
    if node["insight"]:
        chosen = [card for card in cards if node["insight"] in card[1].insights]
        self.body.append(with_words("insight.html", cards=chosen))
    else:
        counts = Counter((name, claim.verdict) for _, claim in cards for name in claim.insights or [""])
        used = [verdict for verdict in VERDICTS if any(claim.verdict == verdict for _, claim in cards)]
        self.body.append(with_words("insights.html", counts=counts, used=used, insights=INSIGHTS))
    raise nodes.SkipNode


def _linked(self: HTML5Translator) -> list[tuple[str, Claim]]:
    """Every claim with the address of its card from the page that is being written."""
    here, builder = self.builder.current_docname, self.builder
    return [
        (f"{builder.get_relative_uri(here, docname)}#{anchor(claim.id)}", claim)
        for docname, claim in claims_of(builder.env).in_order()
    ]


def with_words(template: str, **content: Any) -> str:
    """Fill a template that shows statements, with the words for verdicts, kinds and grades."""
    return TEMPLATES.get_template(template).render(content | WORDS)


def _add_script(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree and any(doctree.findall(LedgerNode)):
        add_script(context, SCRIPT)
        add_script(context, ADDRESS)  # what it recalls is for the script before


def _write_files(app: Sphinx) -> None:
    index = [_entry(app, docname, claim) for docname, claim in claims_of(app.env).in_order()]
    folder = Path(app.outdir) / CLAIMS
    folder.mkdir(exist_ok=True)
    (folder / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "claims.csv").write_text(claims_csv(index), encoding="utf-8", newline="")


def _entry(app: Sphinx, docname: str, claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "section": claim.section,
        "statement": claim.statement,
        "stated": claim.stated,
        "observed": claim.shown,
        "verdict": claim.verdict,
        "kind": claim.kind,
        "finding": claim.finding,
        "certainty": claim.certainty,
        "since": claim.since,
        "insights": claim.insights,
        "sources": claim.sources,
        "page": f"{app.builder.get_target_uri(docname)}#{anchor(claim.id)}",
    }
