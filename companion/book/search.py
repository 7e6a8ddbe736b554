"""What the search finds: exhibits, statements, sections of pages, tables and terms, each with its place.

The texts of sections and terms are taken from the pages as they were written, where every number has been filled in.
Code is left out. What is found is looked up in the browser, by `static/search.js`.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from docutils.nodes import make_id
from lxml import html
from sphinx.application import Sphinx

from companion.book.contents import contents
from companion.book.ledger import ClaimDomain, anchor
from companion.book.nodes import Aside, exhibits_in, for_web, number_of
from companion.book.shell import INDEX, STATIC
from companion.book.versions import TITLE
from companion.report import STATUSES
from companion.tables import package

Entry = dict[str, str]
CHANGES = make_id(TITLE)
# What is found as something of its own, or is code, or no part of the text.
HEADINGS = {"h1", "h2", "h3", "h4"}
LEFT_OUT = {"pre", "script", "details"}
LEFT_OUT_CLASSES = {
    "exhibit",
    "claim",
    "ledger",
    "again",
    "exhibit-list",
    "insights",
    "glossary",
    "headerlink",
}


def setup(app: Sphinx, aside: Aside) -> None:
    """Have the index written as soon as the pages with its texts are."""
    app.connect("html-collect-pages", partial(_begin, aside))


def _begin(aside: Aside, app: Sphinx) -> list[Any]:
    if for_web(app.builder):
        aside(partial(_write_index, app))
    return []


def _write_index(app: Sphinx) -> None:
    entries = [*_exhibits(app), *_claims(app), *_texts(app)]
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    target = Path(app.outdir, STATIC, INDEX)
    target.parent.mkdir(exist_ok=True)
    target.write_text(f"const companionIndex={text};\n", encoding="utf-8")


def _entry(group: str, page: str, label: str, title: str, text: str, *more: str) -> Entry:
    """Something that can be found.

    Args:
        group: the kind of thing.
        page: where it stands, from the folder of the book.
        label: what it is called, such as "Exhibit 3".
        title: what it says.
        text: what it says in more words.
        more: other words by which it is found.
    """
    return {"group": group, "page": page, "label": label, "title": title, "text": text, "more": " · ".join(more)}


def _exhibits(app: Sphinx) -> Iterator[Entry]:
    for page in contents(app.env).order:
        for node in exhibits_in(app.env.get_doctree(page)):
            exhibit = node["exhibit"]
            label = [f"Exhibit {number_of(app.env, node)}"]
            label += [f"The report’s {exhibit.reproduces}"] if exhibit.reproduces else []
            columns = ", ".join(field["title"] for field in exhibit.fields)
            values = {str(value) for row in exhibit.rows for value in row.values() if isinstance(value, str)}
            more = [exhibit.note, exhibit.alt, STATUSES[exhibit.status][1], columns, ", ".join(sorted(values))]
            yield _entry(
                "exhibit",
                f"{app.builder.get_target_uri(page)}#{node['ids'][0]}",
                " · ".join(label),
                exhibit.title,
                exhibit.subtitle,
                *filter(None, more),
            )


def _claims(app: Sphinx) -> Iterator[Entry]:
    claims = app.env.get_domain(ClaimDomain.name)
    assert isinstance(claims, ClaimDomain)
    for page, claim in claims.in_order():
        yield _entry(
            "claim",
            f"{app.builder.get_target_uri(page)}#{anchor(claim.id)}",
            f"{claim.id} · {claim.verdict}",
            claim.statement,
            " ".join(filter(None, [claim.finding, claim.since])),
            *filter(None, [claim.stated, claim.shown, claim.section, claim.kind]),
        )


def _texts(app: Sphinx) -> Iterator[Entry]:
    """The sections of each page, the tables of the catalogue, and the terms of the glossary."""
    order = contents(app.env)
    tables = {make_id(f"table-{table['name']}"): table for table in package()["resources"]}
    for name in order.order:
        address = app.builder.get_target_uri(name)
        page = html.document_fromstring(Path(app.outdir, address).read_text(encoding="utf-8"))
        (article,) = page.find_class("bd-article")
        for term in article.xpath(".//dl[contains(@class, 'glossary')]/dt"):
            (meaning,) = term.xpath("following-sibling::dd[1]")
            yield _entry("term", f"{address}#{term.get('id')}", "Glossary", _text(term), _text(meaning))
        for part in list(article.iter("*")):
            changes = part.get("id") == CHANGES  # titles and numbers that other pages have
            size = part.get("data-size-of")  # written after this
            if changes or size or part.tag in LEFT_OUT or LEFT_OUT_CLASSES.intersection(part.classes):
                part.drop_tree()
        for section in article.iter("section"):
            heading, text = section[0], " ".join(_own(section))
            ids = {section.get("id", ""), *section.xpath("span/@id")}
            place = f"{address}#{section.get('id')}"
            if described := next((tables[id] for id in ids if id in tables), None):
                fields = " ".join(f"{field['name']} {field['description']}" for field in described["schema"]["fields"])
                yield _entry("table", place, described["name"], described["title"], text, fields)
            elif heading.tag in HEADINGS:
                yield _entry("section", place, order.short[name], _text(heading), text)


def _own(section: Any) -> Iterator[str]:
    """The texts of a section without its heading and without the sections in it."""
    for part in section[1:]:
        if part.tag != "section" and (text := _text(part)):
            yield text


def _text(part: Any) -> str:
    return re.sub(r"\s+", " ", part.text_content()).strip().removesuffix("#")
