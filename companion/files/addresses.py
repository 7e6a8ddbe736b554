"""Addresses of other pages: what may become a link, and what stays text."""

import re

# As in the patterns of the data package. No sign in it ends an attribute, a link in Markdown, or a field of BibTeX.
ADDRESS = r'(https?://|mailto:|doi:10\.)[^\s"<>\\^`{|}]+'
# Some cells give several, where a row rests on several pages.
BETWEEN = " ; "


def href(text: str) -> str:
    """What a link leads to: the address itself, a DOI as one that browsers know; empty where the text is no address."""
    if not re.fullmatch(ADDRESS, text):
        return ""
    return f"https://doi.org/{text.removeprefix('doi:')}" if text.startswith("doi:") else text


def is_other_scheme(text: str) -> bool:
    """Whether a text would lead somewhere as an address, but not to a page, a DOI, or a mailbox."""
    return re.match(r"\s*([\w.+-]+:|[/\\]{2})", text) is not None and not href(text)
