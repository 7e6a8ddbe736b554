"""How to cite the book and its exhibits: everything from `CITATION.cff`, the one place for title, authors, version."""

import re
from pathlib import Path
from typing import Any

import yaml

from companion.exhibits import Exhibit
from companion.prose import listed

Book = dict[str, Any]
MOST_SOURCES = 5


def metadata(folder: Path) -> Book:
    """What `CITATION.cff` in the book's folder says of this edition."""
    content: Book = yaml.safe_load((folder / "CITATION.cff").read_text(encoding="utf-8"))
    return content


def cite_book(book: Book) -> str:
    """The citation of this edition as a sentence."""
    return f"{_authors(book)} ({_year(book)}): {book['title']}, version {book['version']}."


def cite_exhibit(book: Book, exhibit: Exhibit, number: str) -> str:
    """The citation of one exhibit of this edition, its upstream source included."""
    return (
        f"{_authors(book)} ({_year(book)}): “{exhibit.title}.” Exhibit {number} in {book['title']}, "
        f"version {book['version']}. {source_line(exhibit)}"
    )


def source_line(exhibit: Exhibit) -> str:
    """Where an exhibit's numbers come from, with the date of each export or of access."""
    if not exhibit.sources:
        return "Source: the book’s own files."
    versions: dict[str, set[str]] = {}
    for source in exhibit.sources:
        versions.setdefault(source["title"], set()).add(source.get("version") or f"read {source['accessed']}")
    parts = [f"{title}, {_dated(sorted(dates))}" for title, dates in versions.items()]
    if len(parts) > MOST_SOURCES:  # a table whose rows each name their own source
        parts = [f"{len(parts)} publishers, listed with {listed(exhibit.tables)} in the data catalogue"]
    own = "own calculation" if any("version" in source for source in exhibit.sources) else "own compilation"
    return f"Source: {'; '.join(parts)}; {own}."


def _dated(dates: list[str]) -> str:
    """Days of export as a phrase: "exports of A, B"; anything else as it is."""
    if not all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) for date in dates):
        return ", ".join(dates)
    return f"export{'s' * (len(dates) > 1)} of {', '.join(dates)}"


def _authors(book: Book) -> str:
    return ", ".join(a.get("name") or f"{a['family-names']}, {a['given-names']}" for a in book["authors"])


def _year(book: Book) -> str:
    return str(book["date-released"])[:4]
