"""Ten tasks of readers, done in a browser without a network: each with the clicks that it takes, and none fails."""

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from conftest import open_page
from playwright.sync_api import Browser, Locator, Page, expect

FRONT, CHAPTER = "chapters/index.html", "chapters/uas/exporters.html"


class Reader:
    """Someone with a page of the book, whose clicks are counted."""

    def __init__(self, page: Page, html: Path) -> None:
        self.page, self.html, self.clicks = page, html, 0

    def open(self, address: str) -> None:
        """Begin at a page."""
        self.page.goto(f"{self.html.as_uri()}/{address}")

    def click(self, target: Locator) -> None:
        """Click what can be seen."""
        target.click()
        self.clicks += 1

    def link(self, name: str) -> Locator:
        """The first link of the page with this name."""
        return self.page.get_by_role("link", name=name).first

    def save(self, target: Locator) -> Path:
        """The file that a click on a link saves; from a folder, a browser shows some where a server's are saved."""
        expect(target).to_be_visible()
        self.clicks += 1
        assert target.get_attribute("download") is not None
        return Path(url2pathname(urlsplit(target.evaluate("link => link.href")).path))


def cite(reader: Reader) -> None:
    """Cite Figure 1 in Chicago style and in BibTeX."""
    reader.open(f"{CHAPTER}#figure-1")
    figure = reader.page.locator("#figure-1")
    reader.click(figure.locator("summary", has_text="Cite"))
    texts = figure.locator(".exhibit-cite .exhibit-copied:visible").all_inner_texts()
    assert [text for text in texts if "@incollection{" in text]
    assert figure.get_by_role("button", name="Copy the citation in Chicago").is_visible()
    assert figure.get_by_role("button", name="Copy the citation in BibTeX").is_visible()


def embed(reader: Reader) -> None:
    """Take the code that shows a chart in another page, with its title and height."""
    reader.open(f"{CHAPTER}#figure-1")
    figure = reader.page.locator("#figure-1")
    reader.click(figure.locator("summary", has_text="Embed"))
    reader.click(figure.get_by_role("button", name="Copy the code"))
    expect(figure.get_by_role("button", name="Copy the code")).to_have_text("Copied")
    code = figure.locator("pre:visible").inner_text()
    assert code.startswith("<iframe")
    assert "title=" in code
    assert "height=" in code


def all_data(reader: Reader) -> None:
    """Take home all data at once."""
    reader.open(FRONT)
    reader.click(reader.link("Data"))
    with zipfile.ZipFile(reader.save(reader.link("All tables, with their description"))) as archive:
        names = [Path(name).name for name in archive.namelist()]
    assert {"datapackage.json", "claims.csv", "uas_deliveries.csv"} <= set(names)


def notebook(reader: Reader) -> None:
    """Take home a page as a notebook that runs."""
    reader.open(CHAPTER)
    reader.click(reader.page.locator("summary", has_text="Run this page as a notebook"))
    saved = reader.save(reader.link("This page as a notebook"))
    cells = json.loads(saved.read_text(encoding="utf-8"))["cells"]
    assert any("exhibit(" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def what_changed(reader: Reader) -> None:
    """See what changed in the numbers since the last edition."""
    reader.open("chapters/evidence/citing.html")
    reader.click(reader.page.locator("article").get_by_role("link", name="Editions", exact=True))
    changes = reader.page.locator("#what-changed-in-the-numbers")
    assert re.search(r"verdicts? turned, values moved in \d+ exhibits?", changes.inner_text())
    assert changes.locator("details.change, li").count() > 0, "each change is listed"


def sea_guardian(reader: Reader) -> None:
    """Find what the book says of the SeaGuardian."""
    reader.open(FRONT)
    reader.page.keyboard.press("/")
    reader.page.keyboard.type("SeaGuardian")
    reader.page.keyboard.press("Enter")
    reader.click(reader.page.locator(".found a").first)
    expect(reader.page.locator(":target")).to_be_in_viewport()
    assert "SeaGuardian" in reader.page.locator(":target").inner_text()


def most_f35s(reader: Reader) -> None:
    """Understand why "most F-35s" is true and is not."""
    reader.open(FRONT)
    reader.click(reader.page.locator("article a[href*='#f35-orders']").first)
    figure = reader.page.locator("#f35-orders")
    expect(figure).to_be_in_viewport()
    assert "ordered the most" in figure.locator(".exhibit-title").inner_text()
    assert "received the most" in figure.locator(".exhibit-title").inner_text()


def contradicted(reader: Reader) -> None:
    """Read all contradicted statements with their reasons."""
    reader.open(FRONT)
    reader.click(reader.page.locator(".verdict-counts a", has_text="contradicted"))
    rows = reader.page.locator(".ledger-table tbody tr:visible")
    assert rows.count() > 1
    for row in rows.all():
        assert "contradicted" in row.locator(".ledger-verdict").inner_text()
        assert len(row.locator(".ledger-finding").inner_text()) > 30


def all_exhibits(reader: Reader) -> None:
    """See all exhibits, and go to one."""
    reader.open(FRONT)
    reader.click(reader.link("All exhibits"))
    index = json.loads((reader.html / "exhibits" / "index.json").read_text(encoding="utf-8"))
    links = reader.page.locator("article a[href*='#']").evaluate_all("links => links.map((link) => link.href)")
    assert all(any(link.endswith(entry["chapter"]) for link in links) for entry in index)
    reader.click(reader.page.locator("article a[href$='#industry-exits']").first)
    expect(reader.page.locator("#industry-exits .exhibit-title")).to_be_in_viewport()


def sources(reader: Reader) -> None:
    """See who published what an exhibit rests on, when it was read, and in which table it stands."""
    reader.open("chapters/industry/challenges.html#industry-exits")
    figure = reader.page.locator("#industry-exits")
    reader.click(figure.get_by_role("tab", name="About"))
    about = figure.locator(".exhibit-about").inner_text()
    assert "Nikkei Asia" in about
    assert "read 20" in about
    reader.click(figure.locator(".exhibit-about a[href*='data.html']").first)
    expect(reader.page.locator(":target")).to_be_in_viewport()


TASKS: dict[Callable[[Reader], None], int] = {
    cite: 1,
    embed: 2,
    all_data: 2,
    notebook: 2,
    what_changed: 1,
    sea_guardian: 1,
    most_f35s: 1,
    contradicted: 1,
    all_exhibits: 2,
    sources: 2,
}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page that asks for nothing but files of the book."""
    page, trouble = open_page(browser, "about:blank")
    yield page
    assert [text for text in trouble if not text.startswith("WARN")] == []
    page.context.close()


@pytest.mark.parametrize(("task", "clicks"), TASKS.items(), ids=[task.__name__ for task in TASKS])
def test_a_reader_does_it_in_so_many_clicks(page: Page, html: Path, task: Callable[[Reader], None], clicks: int):
    reader = Reader(page, html)
    task(reader)
    assert reader.clicks == clicks
