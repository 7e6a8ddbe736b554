"""Words of the glossary in the text of other pages: where a page has one first, it leads there and carries its meaning.

A script shows the meaning beside the word. On paper and in e-readers the word is plain text.
"""

import re
from typing import Any, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from companion.book.nodes import ExhibitNode, for_web

# What is no sentence of the page, or leads elsewhere.
LEFT_OUT = (nodes.reference, nodes.literal, nodes.raw, nodes.table, ExhibitNode)


class Word(NamedTuple):
    """A word of the glossary: where it is explained, and how."""

    page: str
    anchor: str
    meaning: str


class TermNode(nodes.General, nodes.Inline, nodes.TextElement):
    """A word that leads to the glossary, at `address`; `meaning` is what it says there."""


class Mark(SphinxPostTransform):
    """Marks each word of the glossary where a page of the website has it first in a sentence."""

    default_priority = 500  # values and references stand in their places

    def run(self, **kwargs: Any) -> None:
        """Put nodes in the places of words."""
        page, builder = self.env.docname, self.app.builder
        words = meanings(self.env)
        pages = {word.page for word in words.values()}
        if not words or not for_web(builder) or page in pages | {self.config.root_doc}:
            return
        pattern = re.compile(rf"(?<![\w/-])({'|'.join(map(_letters, words))})(?![\w/])")
        for text in list(self.document.findall(nodes.Text)):
            if not _is_prose(text):
                continue
            parts: list[nodes.Node] = []
            end = 0
            for match in pattern.finditer(text):
                word = words.pop(match[0], None) or words.pop(match[0].capitalize(), None)
                if word:
                    address = f"{builder.get_relative_uri(page, word.page)}#{word.anchor}"
                    term = TermNode("", match[0], address=address, meaning=word.meaning)
                    parts += [nodes.Text(text[end : match.start()]), term]
                    end = match.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def setup(app: Sphinx) -> None:
    """Register the node and what puts it into pages."""
    app.add_node(TermNode, html=(_open, _close))
    app.add_post_transform(Mark)


def meanings(env: BuildEnvironment) -> dict[str, Word]:
    """The words of the glossary as it writes them; some share a place and a meaning, which then names them all."""
    found: dict[str, Word] = {}
    for page in {page for (kind, _), (page, _) in env.domaindata["std"]["objects"].items() if kind == "term"}:
        for item in env.get_doctree(page).findall(nodes.definition_list_item):
            for term in item.findall(nodes.term):
                names, meaning = term.astext(), " ".join(item[-1].astext().split())
                words = names.split(", ")
                told = meaning if len(words) == 1 else f"{names}: {meaning}"
                found |= {word: Word(page, term["ids"][0], told) for word in words}
    return found


def _letters(word: str) -> str:
    """A word as a pattern: a name as it is, any other in small letters too."""
    if re.search(r"[A-Z\d]", word[1:]):
        return re.escape(word)
    return f"[{word[0]}{word[0].lower()}]{re.escape(word[1:])}"


def _is_prose(text: nodes.Text) -> bool:
    around, part = [], text.parent
    while part is not None:
        around.append(part)
        part = part.parent
    sentence = any(isinstance(part, nodes.paragraph) for part in around)
    return sentence and not any(isinstance(part, (*LEFT_OUT, addnodes.glossary)) for part in around)


def _open(self: HTML5Translator, node: TermNode) -> None:
    attributes = {"class": "term", "href": node["address"], "data-meaning": node["meaning"]}
    self.body.append(self.starttag(node, "a", "", **attributes))


def _close(self: HTML5Translator, node: TermNode) -> None:
    self.body.append("</a>")
