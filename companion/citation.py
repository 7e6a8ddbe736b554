"""How to cite the book and its exhibits: everything from `CITATION.cff`, the one place for title, authors, version."""

from typing import Any

import yaml

from companion.exhibits import Exhibit
from companion.tables import root


def metadata() -> dict[str, Any]:
    """What `CITATION.cff` says of this edition."""
    content: dict[str, Any] = yaml.safe_load((root() / "CITATION.cff").read_text(encoding="utf-8"))
    return content


def cite_book() -> str:
    """The citation of this edition as a sentence."""
    book = metadata()
    return f"{_authors(book)} ({_year(book)}): {book['title']}, version {book['version']}."


def cite_exhibit(exhibit: Exhibit, number: str) -> str:
    """The citation of one exhibit of this edition, its upstream source included."""
    book = metadata()
    return (
        f"{_authors(book)} ({_year(book)}): “{exhibit.title}.” Exhibit {number} in {book['title']}, "
        f"version {book['version']}. {source_line(exhibit)}"
    )


def source_line(exhibit: Exhibit) -> str:
    """Where an exhibit's numbers come from, with the date of each export or of access."""
    dates: dict[str, list[str]] = {}
    for source in exhibit.sources:
        when = f"export of {source['version']}" if "version" in source else f"read {source['accessed']}"
        dates.setdefault(source["title"], []).append(when)
    return f"Source: {'; '.join(f'{title}, {_joined(when)}' for title, when in dates.items())}; own calculation."


def _joined(when: list[str]) -> str:
    """Several exports of one source as one phrase: "exports of A, B"."""
    if len(when) == 1:
        return when[0]
    return f"exports of {', '.join(sorted(text.removeprefix('export of ') for text in when))}"


def _authors(book: dict[str, Any]) -> str:
    return ", ".join(a.get("name") or f"{a['family-names']}, {a['given-names']}" for a in book["authors"])


def _year(book: dict[str, Any]) -> str:
    return str(book["date-released"])[:4]
