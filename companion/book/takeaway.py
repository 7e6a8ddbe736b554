"""What a reader takes home from an exhibit: its files, its citation in four forms, and the code that embeds it."""

import json
import textwrap
from html import escape
from typing import Any

from companion.book import pictures
from companion.citation import APA, CHICAGO, Book, address, bibtex, exhibit_item, ris, sentence
from companion.exhibits.csv import data_csv
from companion.exhibits.form import Exhibit
from companion.files.layout import EXHIBITS
from companion.prose import file_size

# The name of each file behind that of the exhibit, and what it is.
KINDS = {"csv": "Data (CSV)", "png": "Picture (PNG)", "svg": "Picture (SVG)", "vl.json": "Chart code (Vega-Lite)"}
AROUND = 80  # pixels of an embedded exhibit that are neither text nor picture
LISTENS = (
    '<script>addEventListener("message", (event) => {{ const frame = document.getElementById("{id}"); '
    "if (event.source === frame.contentWindow && event.data.height > 0) frame.height = event.data.height; }});</script>"
)


def files_of(exhibit: Exhibit, credit: str) -> dict[str, bytes]:
    """The files of an exhibit, by what follows its name; a table has no picture."""
    files = {"csv": data_csv(exhibit).encode()}
    if exhibit.spec is not None:
        spec = pictures.download_spec(exhibit, credit)
        files["vl.json"] = (json.dumps(spec, indent=1, ensure_ascii=False) + "\n").encode()
        svg = pictures.download_svg(exhibit, credit)
        files["svg"] = svg.encode()
        files["png"] = pictures.svg_to_png(svg, scale=2)  # for dense screens and print
    return files


def downloads_of(exhibit: Exhibit, files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    """The files of an exhibit, or of one view of it, with what each is and how large; `name` is theirs."""
    of_all = {"csv": "Data of all views (CSV)"} if exhibit.choices else {}
    return [
        {"file": f"{name}.{ending}", "words": words, "size": file_size(len(files[ending]))}
        for ending, words in (KINDS | of_all).items()
        if ending in files
    ]


def citations_of(book: Book, exhibit: Exhibit, number: str, page: str) -> dict[str, Any]:
    """The citation of an exhibit of this edition by the name of the form; sentences are HTML.

    Args:
        book: the citation data.
        exhibit: the exhibit.
        number: its number in this edition.
        page: the file of its page in the built book.
    """
    item = exhibit_item(book, exhibit, number, page)
    sentences = {"APA": sentence(item, APA), "Chicago (author-date)": sentence(item, CHICAGO)}
    return sentences | {"BibTeX": bibtex(item).strip(), "RIS": ris(item).strip()}


def embed_code(book: Book, exhibit: Exhibit, folder: str, height: int) -> str:
    """The HTML that shows an exhibit in another page: a frame, and a line that lets the frame follow its content.

    Args:
        book: the citation data, whose site the frame shows.
        exhibit: the exhibit.
        folder: where the files of exhibits are, seen from the page; used while the book has no site of its own.
        height: of the frame in pixels, until its content says otherwise.
    """
    source = address(book, f"{EXHIBITS}/{exhibit.id}.html") or f"{folder}{exhibit.id}.html"
    frame = (
        f'<iframe id="{exhibit.id}-frame" src="{escape(source)}" title="{escape(exhibit.title)}" width="100%" '
        f'height="{height}" style="border: 0" loading="lazy"></iframe>'
    )
    return f"{frame}\n{LISTENS.format(id=f'{exhibit.id}-frame')}"


def embed_height(exhibit: Exhibit, credit: str) -> int:
    """About how high an embedded exhibit is in a column of text, in pixels."""
    texts = {exhibit.title: (66, 26), exhibit.subtitle: (94, 24), exhibit.note: (104, 20), credit: (104, 20)}
    lines = sum(len(textwrap.wrap(text, letters)) * pixels for text, (letters, pixels) in texts.items())
    if exhibit.spec is None:
        return AROUND + lines + min(448, 32 * (1 + len(exhibit.rows)))  # a longer table scrolls
    return AROUND + lines + pictures.height(exhibit)
