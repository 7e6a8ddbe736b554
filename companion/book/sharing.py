"""What a link to a page shows where it is shared: title, beginning, and, where the book has an address, a picture."""

import re
from pathlib import Path
from textwrap import wrap
from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from companion.book import pictures
from companion.book.front import AgainNode
from companion.book.nodes import TEMPLATES, ExhibitNode, OverviewNode, find_exhibit, for_web
from companion.citation import Book, address, metadata
from companion.exhibits.form import Exhibit
from companion.files.layout import PREVIEWS

SHORTEST, LONGEST = 60, 200  # letters of what a page begins with
WIDTH, HEIGHT = 1200, 630  # pixels, as those who show them ask for


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("html-page-context", _add_tags)


def preview(name: str, title: str, exhibit: Exhibit | None) -> bytes:
    """A picture with the title of a page and its first chart, as PNG.

    Args:
        name: the book's title.
        title: the page's title.
        exhibit: the chart; None for a page without one.
    """
    chart = None
    if exhibit:
        place = 'x="560" y="48" width="592" height="534"'
        drawn = pictures.page_svg(exhibit, pictures.NARROW)[0].replace("currentColor", pictures.INK)
        chart = Markup(re.sub(r' width="[\d.]+" height="[\d.]+"', f" {place}", drawn, count=1))
    svg = TEMPLATES.get_template("preview.svg").render(
        width=WIDTH,
        height=HEIGHT,
        name=name,
        title=wrap(title, 19 if exhibit else 32, max_lines=5, placeholder=" …"),
        finding=wrap(exhibit.title, 38, max_lines=5, placeholder=" …") if exhibit else [],
        chart=chart,
    )
    return pictures.svg_to_png(svg)


def _shown(env: BuildEnvironment, book: Book, page: str) -> tuple[str, str, Exhibit | None]:
    """What the picture of a page shows; the arguments of `preview`."""
    found = [
        find_exhibit(env, node["target"]) if isinstance(node, AgainNode) else node
        for node in env.get_doctree(page).findall(nodes.Element)
        if isinstance(node, AgainNode | ExhibitNode)
    ]
    charts = [node["exhibit"] for node in found if node and node["exhibit"].spec is not None]
    return book.title, env.titles[page].astext(), next(iter(charts), None)


def _add_tags(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None or not for_web(app.builder):
        return
    book = metadata(Path(app.srcdir))
    shown = _shown(app.env, book, pagename)
    _, title, exhibit = shown
    tags = {
        "og:site_name": book.title,
        "og:type": "website" if pagename == app.config.root_doc else "article",
        "og:title": title,
        "og:description": book.abstract if pagename == app.config.root_doc else _beginning(doctree),
        "og:url": address(book, app.builder.get_target_uri(pagename)),
    }
    path = f"{PREVIEWS}/{pagename.replace('/', '-')}.png"
    if image := address(book, path):
        target = Path(app.outdir, path)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(preview(*shown))
        alt = exhibit.alt if exhibit else title
        tags |= {"og:image": image, "og:image:width": f"{WIDTH}", "og:image:height": f"{HEIGHT}", "og:image:alt": alt}
    card = "summary_large_image" if image else "summary"
    context["metatags"] += TEMPLATES.get_template("sharing.html").render(tags=tags, card=card)


def _beginning(doctree: nodes.document) -> str | None:
    """The first sentences of a page, as far as they are short; None where it has none of its own."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) >= SHORTEST and not list(paragraph.findall(OverviewNode)):
            return wrap(text, LONGEST, max_lines=1, placeholder=" …")[0]
    return None
