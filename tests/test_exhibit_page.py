"""An exhibit in its page: views, menus, copying, sorting and reading, by pointer, keys and finger, and without script.

One page is opened once from a folder and once from a server, and each test puts it back to its first state.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import ADDRESSES, ROOT, open_page, soup, wait_until
from playwright.sync_api import Browser, Locator, Page, expect

from companion.citation import MOST_LETTERS, metadata

CHAPTER = "chapters/uas/exporters.html"
SERVER = "http://book.test"
ABOUT = ".exhibit-view[data-view=about]"


@pytest.fixture(scope="module", params=["folder", "server"])
def opened(request: pytest.FixtureRequest, html: Path, browser: Browser) -> Iterator[Page]:
    """A page with charts, from a folder and from a server; nothing goes wrong in it, and no other host is asked."""
    root = html.as_uri() if request.param == "folder" else SERVER
    page, trouble = open_page(browser, "about:blank")
    page.route(f"{SERVER}/**", lambda r: r.fulfill(path=html / urlsplit(r.request.url).path.removeprefix("/")))
    page.goto(f"{root}/{CHAPTER}")
    yield page
    assert [text for text in trouble if not text.startswith(SERVER)] == []
    page.context.close()


@pytest.fixture
def page(opened: Page) -> Page:
    """The page as it is first shown."""
    opened.goto(opened.url.split("#")[0] + "#figure-1")
    wait_until(opened, "document.querySelector('#figure-1 .exhibit-view[data-view=chart]').checkVisibility()")
    opened.keyboard.press("Escape")
    return opened


@pytest.fixture
def figure(page: Page) -> Locator:
    return page.locator("#figure-1")


def tab(figure: Locator, name: str) -> Locator:
    return figure.get_by_role("tab", name=name)


def shown(figure: Locator) -> list[str]:
    """The views that can be seen."""
    return [view.get_attribute("data-view") for view in figure.locator(".exhibit-view").all() if view.is_visible()]


def pasted(page: Page) -> str:
    """What was copied."""
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), { id: 'paste' }))")
    page.locator("#paste").focus()
    page.keyboard.press("Control+v")
    text = page.locator("#paste").input_value()
    page.evaluate("document.getElementById('paste').remove()")
    return text


def test_tabs_show_one_view_and_keep_it_in_the_address(page: Page, figure: Locator):
    assert shown(figure) == ["chart"]
    tab(figure, "Table").click()
    assert shown(figure) == ["table"]
    assert page.url.endswith("#figure-1:view=table")
    assert figure.get_by_role("tabpanel").get_attribute("aria-labelledby") == tab(figure, "Table").get_attribute("id")
    tab(figure, "Table").press("ArrowRight")
    assert shown(figure) == ["about"]
    expect(tab(figure, "About")).to_be_focused()
    tab(figure, "About").press("ArrowRight")
    assert shown(figure) == ["chart"]
    assert page.url.endswith("#figure-1"), "what it shows by itself is not in the address"
    tab(figure, "Chart").press("End")
    assert [t.get_attribute("aria-selected") for t in figure.get_by_role("tab").all()] == ["false", "false", "true"]
    assert figure.locator("[role=tab][tabindex='0']").count() == 1


def test_an_address_leads_to_an_exhibit_as_it_was(page: Page):
    page.goto(page.url.split("#")[0] + "#uas-ranks:view=about")
    wait_until(page, f"document.querySelector('#uas-ranks {ABOUT}').checkVisibility()")
    assert shown(page.locator("#uas-ranks")) == ["about"]
    assert shown(page.locator("#figure-1")) == ["chart"]
    expect(page.locator("#uas-ranks .exhibit-title")).to_be_in_viewport()
    page.goto(page.url.split("#")[0] + "#uas-ranks")
    wait_until(page, f"!document.querySelector('#uas-ranks {ABOUT}').checkVisibility()")
    assert shown(page.locator("#uas-ranks")) == ["chart"]


def test_one_menu_is_open_and_escape_leads_back_to_it(page: Page, figure: Locator):
    menus = figure.locator(".exhibit-menus details")
    assert menus.locator("> summary").all_inner_texts() == ["Download", "Embed", "Cite", "Code"]
    for menu in menus.all():
        menu.locator("summary").press("Enter")
        assert menu.locator(".exhibit-menu").is_visible()
        assert page.locator(".exhibit-menus details[open]").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator(".exhibit-menus details[open]").count() == 0
    expect(menus.last.locator("summary")).to_be_focused()
    menus.first.locator("summary").click()
    figure.locator(".exhibit-title").click()
    assert page.locator(".exhibit-menus details[open]").count() == 0


def test_the_link_is_copied_with_what_is_shown(page: Page, figure: Locator):
    tab(figure, "Table").click()
    figure.locator(".exhibit-link").press("Enter")
    expect(figure.locator(".exhibit-link")).to_have_text("Copied")
    assert "copied" in figure.locator(".exhibit-kicker [role=status]").inner_text()
    assert pasted(page) == page.url
    expect(figure.locator(".exhibit-link")).to_have_text("Copy link")


def test_everything_to_copy_is_copied_as_it_stands(page: Page, figure: Locator):
    for menu, names in {"Embed": ["the code"], "Cite": ["APA", "Chicago", "BibTeX", "RIS"]}.items():
        for name in names:
            figure.locator("summary", has_text=menu).click()
            button = figure.get_by_role("button", name=re.compile(f"^Copy.*{name}"))
            text = button.locator("xpath=preceding-sibling::*").text_content().strip()
            button.click()
            expect(button).to_have_text("Copied")
            assert pasted(page) == text
            page.keyboard.press("Escape")
            page.mouse.click(1, 1)


def test_a_table_is_sorted_by_a_click_on_a_column(page: Page, figure: Locator):
    tab(figure, "Table").click()
    table = figure.locator("table")

    heads = [head.inner_text() for head in table.locator("thead th").all()]

    def column(name: str) -> list[str]:
        cells = "(table, n) => [...table.tBodies[0].rows].map((row) => row.cells[n].innerText)"
        return table.evaluate(cells, heads.index(name))

    before = column("Units delivered")
    table.get_by_role("button", name="Units delivered").press("Enter")
    numbers = [float(text.replace(",", "")) for text in column("Units delivered")]
    assert numbers == sorted(numbers) != [float(text.replace(",", "")) for text in before]
    assert table.locator("[aria-sort]").all_inner_texts() == ["Units delivered"]
    table.get_by_role("button", name="Units delivered").click()
    assert [float(text.replace(",", "")) for text in column("Units delivered")] == numbers[::-1]
    assert table.locator("[aria-sort=descending]").count() == 1
    table.get_by_role("button", name="Exporter").click()
    assert column("Exporter") == sorted(column("Exporter"))
    assert table.locator("[aria-sort]").count() == 1


def test_the_nearest_mark_answers_to_pointer_finger_and_keys(page: Page, figure: Locator):
    live = figure.locator(".exhibit-live")
    live.locator("svg.marks").wait_for()
    tip = page.locator("#vg-tooltip-element.visible")
    box = live.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2)  # above the bars: no mark is there
    expect(tip).to_contain_text("2010")
    page.mouse.move(1, 1)
    expect(tip).to_have_count(0)
    live.dispatch_event(
        "pointerdown", {"pointerType": "touch", "clientX": box["x"] + box["width"] - 9, "clientY": box["y"] + 40}
    )
    expect(tip).to_contain_text("2021")
    live.focus()
    page.keyboard.press("Escape")
    expect(tip).to_have_count(0)
    said = []
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        said.append(figure.locator(".exhibit-picture .exhibit-said").text_content())
    assert [re.search(r"Year: (\d+)", text)[1] for text in said] == ["2000", "2001", "2002"]
    expect(tip).to_contain_text("2002")
    for _ in range(2):  # past the aircraft that return, to the exporter below
        page.keyboard.press("ArrowDown")
    assert "Israel" in figure.locator(".exhibit-picture .exhibit-said").text_content()


def test_targets_are_large_enough(page: Page, figure: Locator):
    targets = figure.locator(".exhibit-tabs a, .exhibit-menus summary, .exhibit-link")
    assert targets.count() == 8
    assert all(target.bounding_box()["height"] >= 24 for target in targets.all())


def test_without_script_everything_stands_there(html: Path, browser: Browser):
    page, trouble = open_page(browser, f"{(html / CHAPTER).as_uri()}#figure-1", java_script_enabled=False)
    figure = page.locator("#figure-1")
    assert figure.locator(".exhibit-static.wide svg").is_visible()
    for details in figure.locator("details").all():
        details.locator("> summary").click()
        assert details.locator("> :not(summary)").is_visible()
    assert figure.locator("tbody tr").count() > 100
    assert figure.locator(".exhibit-copy, .exhibit-controls").filter(visible=True).count() == 0
    assert len({row.split()[0] for row in figure.locator("tbody tr").all_inner_texts()}) == 3, (
        "all views are in the table"
    )
    figure.locator(".exhibit-tabs a", has_text="About").click()
    expect(figure.locator(".exhibit-about .exhibit-panel")).to_be_in_viewport()
    assert trouble == []
    page.context.close()


def test_on_paper_there_are_chart_note_and_source_whatever_was_shown(page: Page, figure: Locator):
    tab(figure, "Table").click()
    page.emulate_media(media="print")
    assert shown(figure) == ["chart"]
    assert figure.locator(".exhibit-static.wide").is_visible()
    assert figure.locator(".exhibit-source").is_visible()
    assert not figure.locator(".exhibit-tabs, .exhibit-menus, .exhibit-link").filter(visible=True).count()
    page.emulate_media(media="screen")


def test_the_embed_code_shows_the_exhibit_at_its_height(html: Path, browser: Browser, tmp_path: Path, page: Page):
    """From a folder: the frame has about the right height before, and exactly that of its content after."""
    chapter = soup(html / CHAPTER)
    code = chapter.select_one("#figure-1 details:has(.exhibit-copy) pre").get_text()
    frame = BeautifulSoup(code, "lxml").iframe
    assert frame["title"] == chapter.select_one("#figure-1 .exhibit-title").get_text()
    code = code.replace("../../exhibits", (html / "exhibits").as_uri())
    (tmp_path / "other.html").write_text(f"<body style='width: 690px'>{code}", encoding="utf-8")
    other, trouble = open_page(browser, (tmp_path / "other.html").as_uri())
    inside = other.frame_locator("iframe")
    wait_until(other, "before => document.querySelector('iframe').height !== before", frame["height"])
    height = inside.locator("body").evaluate("body => body.offsetHeight")
    assert int(other.locator("iframe").get_attribute("height")) == height
    assert abs(height - int(frame["height"])) < 80
    other.set_viewport_size({"width": 400, "height": 700})
    other.evaluate("document.body.style.width = '340px'")
    wait_until(other, "before => document.querySelector('iframe').height != before", height)
    assert inside.locator("a", has_text="Read it in the book").get_attribute("href").endswith("exporters.html#figure-1")
    assert trouble == []
    other.context.close()


@cache
def exhibits(html: Path) -> dict[str, dict[str, Any]]:
    """What the book says of its exhibits elsewhere, by identifier."""
    return {e["id"]: e for e in json.loads((html / "exhibits" / "index.json").read_text(encoding="utf-8"))}


def figures(html: Path, address: str) -> list[Tag]:
    """The exhibits of a page; all that it should have."""
    found = soup(html / address).select("figure.exhibit")
    wanted = [id for id, exhibit in exhibits(html).items() if exhibit["chapter"].endswith(f"{address}#{id}")]
    assert [figure["id"] for figure in found] == wanted
    return found


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_exhibit_can_be_cited_and_taken_home(html: Path, address: str):
    version = metadata(ROOT).version
    for figure in figures(html, address):
        title = figure.select_one(".exhibit-title").get_text()
        for link in figure.select(".exhibit-downloads a"):
            size = ((html / address).parent / link["href"]).stat().st_size
            assert link.find_next("span").get_text() == f"{max(1, round(size / 1000)):,} kB"
        texts = [part.get_text() for part in figure.select(".exhibit-cite .exhibit-copied > :first-child")]
        assert len(texts) == 4 * len(figure.select(".exhibit-downloads"))
        assert all(version in text for text in texts)
        assert texts[0].count(figure.select_one(".exhibit-number").get_text()) == 1
        assert title.split()[0] in texts[3]
        assert "@incollection{" in texts[2]
        assert texts[3].startswith("TY  - CHAP")


@pytest.mark.parametrize("address", ADDRESSES)
def test_text_names_an_exhibit_by_its_number(html: Path, address: str):
    links = soup(html / address).select(".bd-article a.reference:has(.std-numref)")
    named = [(link["href"].partition("#")[2], link.get_text(strip=True)) for link in links]
    assert named == [(id, f"Exhibit {exhibits(html)[id]['number']}") for id, _ in named]
    source = (ROOT / address).with_suffix(".md").read_text(encoding="utf-8")
    assert len(named) >= source.count("{numref}`")


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_line_of_sources_is_short_and_about_names_them_all(html: Path, address: str):
    for figure in figures(html, address):
        line = figure.select_one(".exhibit-source").get_text()
        assert len(line) <= MOST_LETTERS, line
        assert "publishers, listed with" not in line
        about = figure.select_one(".exhibit-about")
        exhibit = exhibits(html)[figure["id"]]
        assert all(source["title"] in about.get_text() for source in exhibit["sources"])
        assert all(table in about.get_text() for table in exhibit["tables"])


def test_sources_are_named_once_by_what_readers_call_them(html: Path):
    assert {source["title"] for source in exhibits(html)["industry-exits"]["sources"]} == {
        "Nikkei Asia",
        "Jiji Press via nippon.com",
        "The Japan Times",
        "Janes",
    }
