"""The page of all exhibits: each as a small picture that leads to its place, to be filtered by status and by topic."""

import re
from collections import Counter
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from companion.book import pictures
from companion.book.contents import contents
from companion.book.nodes import TEMPLATES, OverviewNode, exhibits_in, for_web, leave, number_of
from companion.book.shell import ADDRESS, add_script
from companion.exhibits.form import Exhibit
from companion.files.layout import EXHIBITS
from companion.report import STATUSES


class ExhibitListNode(OverviewNode):
    """The list of all exhibits."""


class ExhibitList(SphinxDirective):
    """`{exhibit-list}`: every exhibit of the book."""

    def run(self) -> list[nodes.Node]:
        """Leave a node to be filled when every page has been read."""
        return [ExhibitListNode()]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_node(ExhibitListNode, html=(_visit_list, leave))
    app.add_directive("exhibit-list", ExhibitList)
    app.connect("html-page-context", _add_script)


def _visit_list(self: HTML5Translator, node: ExhibitListNode) -> None:
    env, builder = self.builder.env, self.builder
    here = builder.current_docname
    listed, kinds = [], []
    for topic, pages in contents(env).parts:
        for page in pages:
            for found in exhibits_in(env.get_doctree(page)):
                exhibit: Exhibit = found["exhibit"]
                kinds.append((topic, exhibit.status))
                listed.append(
                    {
                        "exhibit": exhibit,
                        "number": number_of(env, found),
                        "topic": topic,
                        "status": STATUSES[exhibit.status],
                        "page": f"{builder.get_relative_uri(here, page)}#{found['ids'][0]}",
                        "size": _size(exhibit) if exhibit.spec is not None else None,
                    }
                )
    text = TEMPLATES.get_template("exhibit_list.html").render(
        listed=listed,
        topics=Counter(topic for topic, _ in kinds),
        counts=Counter(status for _, status in kinds),
        statuses=STATUSES,
        files=f"{'../' * here.count('/')}{EXHIBITS}/" if for_web(builder) else None,
    )
    self.body.append(text)
    raise nodes.SkipNode


def _add_script(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree and any(doctree.findall(ExhibitListNode)):
        add_script(context, ADDRESS)


def _size(exhibit: Exhibit) -> tuple[str, str]:
    """Width and height of the small picture in pixels."""
    size = re.search(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', pictures.small_svg(exhibit))
    assert size, "Vega writes the size of every picture"
    return size[1], size[2]
