"""The table of contents as pages show it: parts with their pages, short titles, and the way from page to page."""

from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.environment import BuildEnvironment


@dataclass(frozen=True)
class Contents:
    """The order of the book.

    Attributes:
        parts: each part's title, "" for the landing page's own, with the names of its pages.
        short: a page's short title, which navigation shows; its heading, where `_toc.yml` gives none.
    """

    parts: list[tuple[str, list[str]]]
    short: dict[str, str]

    @property
    def order(self) -> list[str]:
        """The names of all pages, one after the other."""
        return [page for _, pages in self.parts for page in pages]

    def part_of(self, page: str) -> str:
        """The title of the part that a page belongs to."""
        return next(title for title, pages in self.parts if page in pages)


def contents(env: BuildEnvironment) -> Contents:
    """The table of contents, once every page has been read."""
    root = env.config.root_doc
    parts = [("", [root])]
    short = {page: title.astext() for page, title in env.titles.items()}
    for toctree in env.get_doctree(root).findall(addnodes.toctree):
        pages = [page for first in toctree["includefiles"] for page in _tree(env, first)]
        parts.append((toctree["caption"] or "", pages))
        short |= {page: title for title, page in toctree["entries"] if title}
    return Contents(parts, short)


def sections(env: BuildEnvironment, page: str) -> list[dict[str, Any]]:
    """The sections of a page below its heading, each with `title`, `anchor`, and its own `sections`."""
    return [section for heading in _sections(env.tocs[page]) for section in heading["sections"]]


def _sections(items: nodes.Element) -> list[dict[str, Any]]:
    """The sections in a list of them; each item has a link and, where there are any, a list of those below it."""
    found = []
    for item in items.children:
        if isinstance(item, nodes.list_item):
            link = next(item.findall(nodes.reference))
            below = [
                section for part in item.children if isinstance(part, nodes.bullet_list) for section in _sections(part)
            ]
            found.append({"title": link.astext(), "anchor": link["anchorname"], "sections": below})
    return found


def _tree(env: BuildEnvironment, page: str) -> list[str]:
    """A page and those below it, in order."""
    return [page, *(lower for child in env.toctree_includes.get(page, []) for lower in _tree(env, child))]
