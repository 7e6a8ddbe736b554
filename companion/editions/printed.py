"""The book in forms to keep and to carry: a PDF, which Chromium prints, and an EPUB."""

import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from companion.citation import Book, book_item, metadata, names
from companion.editions import EditionError
from companion.editions.fonts import FOLDER, write_fonts
from companion.editions.rebuild import build
from companion.files import zips
from companion.files.layout import EBOOK, FIRST_PAGE, PACKAGE, PRINT

# Commands, and where macOS and Windows keep what is no command there. The first has no windows, and a page costs it
# half of the time.
BROWSERS = (
    "chromium-headless-shell",
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge", "microsoft-edge"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
# Chromium in a container, and without requests of its own.
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(heading => heading.innerText)"
FILL_IN = """pages => document.querySelectorAll(".contents a").forEach(
    link => { link.lastElementChild.textContent = pages[link.hash.slice(1)] })"""
MIMETYPE = "application/epub+zip"
CONTAINER = f"""<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="{PACKAGE}" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""


def find_browser() -> str | None:
    """The path of Chromium, or of a browser made from it; None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def write_pdf(folder: Path, target: Path, changes: Path | None = None) -> None:
    """Print the whole book on A4, with bookmarks, page numbers, and links.

    The same browser gives the same bytes, whatever fonts are installed.

    Args:
        folder: a copy of the project; its own library is used.
        target: the file to write.
        changes: what changed in the numbers since the edition before, for an edition; None for a working copy.

    Raises:
        EditionError: there is no browser to print with, or the book cannot be built.
    """
    browser = find_browser()
    if browser is None:
        raise EditionError("Chromium prints the PDF, and there is none. Install Chromium or Chrome, and try again.")
    document = build(folder, PRINT, changes) / FIRST_PAGE
    fonts = {"FONTCONFIG_FILE": str(write_fonts(document.with_name(FOLDER)))}
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=browser, args=QUIET, env={**os.environ, **fonts}) as chromium,
    ):
        page = chromium.new_page()
        page.goto(document.as_uri())
        page.evaluate(FILL_IN, _page_numbers(_print(page)))
        printed, headings = _print(page), page.evaluate(HEADINGS)
    _finish(printed, headings, metadata(folder)).write(target)


def write_epub(folder: Path, target: Path, changes: Path | None = None) -> None:
    """Make an EPUB 3 book; the same files give the same bytes.

    Args:
        folder: a copy of the project; its own library is used.
        target: the file to write.
        changes: what changed in the numbers since the edition before, for an edition; None for a working copy.

    Raises:
        EditionError: the book cannot be built.
    """
    built = build(folder, EBOOK, changes)
    package = (built / PACKAGE).read_text(encoding="utf-8")
    listed = sorted(re.findall(r'<item [^>]*href="([^"]+)"', package))
    first = {"mimetype": MIMETYPE.encode(), "META-INF/container.xml": CONTAINER.encode()}
    files = {name: (built / name).read_bytes() for name in (PACKAGE, *listed)}
    zips.write_zip(target, (first | files).items(), metadata(folder).moment, stored=("mimetype",))


def _print(page: Page) -> PdfReader:
    printed = page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)
    return PdfReader(io.BytesIO(_without_gaps(printed)))


def _without_gaps(printed: bytes) -> bytes:
    """Number the elements of the structure anew, in order: Chromium leaves gaps that differ from print to print."""
    pattern = rb"\(node(\d{8})\)"
    new = {old: b"(node%08d)" % number for number, old in enumerate(sorted(set(re.findall(pattern, printed))), start=1)}
    return re.sub(pattern, lambda found: new[found[1]], printed)


def _page_numbers(printed: PdfReader) -> dict[str, int]:
    """The page of each id that something links to."""
    places = printed.named_destinations
    pages = {name.removeprefix("/"): printed.get_destination_page_number(place) for name, place in places.items()}
    return {name: number + 1 for name, number in pages.items() if number is not None}


def _finish(printed: PdfReader, headings: list[str], book: Book) -> PdfWriter:
    """Date the file to its release, name its authors, and mend its bookmarks."""
    writer = PdfWriter(clone_from=printed)
    date = book.moment.strftime("D:%Y%m%d%H%M%SZ")
    about = {"/Author": "; ".join(names(book_item(book))), "/CreationDate": date, "/ModDate": date}
    writer.add_metadata(about)
    # Chromium joins the lines of a heading without a space.
    outline = cast("DictionaryObject", writer.root_object["/Outlines"])
    for item, heading in zip(_bookmarks(outline), headings, strict=True):
        item[NameObject("/Title")] = TextStringObject(heading)
    return writer


def _bookmarks(parent: DictionaryObject) -> Iterator[DictionaryObject]:
    """The bookmarks below one, in the order of the pages."""
    item = parent.get("/First")
    while item is not None:
        bookmark = item.get_object()
        yield bookmark
        yield from _bookmarks(bookmark)
        item = bookmark.get("/Next")
