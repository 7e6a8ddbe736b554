"""Texts of others in generated Markdown: shown as they are, whatever they would mean there."""

import re
from string import punctuation

from markupsafe import Markup

from companion.files.addresses import href

# Any of the signs can be escaped. Code stays code, as the descriptions of tables have it; nothing has a meaning in it.
MEANING = re.compile(rf"`[^`|]+`|[{re.escape(punctuation)}]")


def plain(text: object) -> Markup:
    """A text in one line in which no sign means anything in Markdown, but for `code`."""
    line = " ".join(str(text).split())
    return Markup(MEANING.sub(lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", line))


def code(text: object) -> Markup:
    """A text as code; one that has the signs of code in it ends as plain text."""
    return plain(f"`{text}`")


def word(text: object) -> Markup:
    """A name as a part of a label or of an argument."""
    return Markup(re.sub(r"[^\w.-]+", "-", str(text)))


def link(title: object, address: str) -> Markup:
    """A title that leads to an address; where that is none, both as text."""
    if target := href(address):
        return Markup(f"[{plain(title)}](<{target}>)")
    return Markup(f"{plain(title)}, {plain(address)}" if address else plain(title))
