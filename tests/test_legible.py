"""Words can be read: in a chart, none is cut, lies on another, or is smaller than eleven pixels; tables fit a phone."""

from pathlib import Path
from typing import Any

import pytest
from conftest import open_page
from playwright.sync_api import Browser, Page

WIDTHS = (360, 768, 1280)
SMALLEST = 11  # pixels on the screen
# What of the charts that are shown cannot be read. Boxes of text are higher than its letters.
UNREADABLE = """([selector, smallest]) => [...document.querySelectorAll(selector)].flatMap(svg => {
    const edge = svg.getBoundingClientRect();
    if (!edge.width) return [];
    const id = svg.parentElement.closest("[id]").id;
    const texts = [...svg.querySelectorAll("text")].filter(text => text.textContent.trim()).map(text => {
        const scale = text.getScreenCTM(), box = text.getBoundingClientRect();
        const size = parseFloat(getComputedStyle(text).fontSize) * Math.hypot(scale.a, scale.b);
        const lines = Math.max(1, text.querySelectorAll("tspan").length), line = size * 0.2;
        const upright = Math.abs(scale.b) < 0.01;
        return {
            words: text.textContent.trim(), size, seen: getComputedStyle(text).opacity > 0.05,
            left: box.left + (upright ? 0.5 : line), right: box.right - (upright ? 0.5 : line),
            top: box.top + (upright ? line : 0.5), bottom: box.bottom - (upright ? line : 0.5),
        };
    }).filter(text => text.seen);
    const found = [];
    texts.forEach((one, place) => {
        if (one.size < smallest - 0.05) found.push(`${id}: “${one.words}” has ${one.size.toFixed(1)} pixels`);
        if (one.words.endsWith("…")) found.push(`${id}: “${one.words}” is cut`);
        const beside = one.left < edge.left - 1 || one.right > edge.right + 1;
        if (beside || one.top < edge.top - 1 || one.bottom > edge.bottom + 1)
            found.push(`${id}: “${one.words}” leads out of the picture`);
        for (const other of texts.slice(place + 1))
            if (Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1
                && Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1)
                found.push(`${id}: “${one.words}” lies on “${other.words}”`);
    });
    return found;
})"""
DRAW = """() => Promise.all([...document.querySelectorAll(".exhibit-live")].map(live => live.parentElement.live()))
    .then(() => null)"""


def with_charts(html: Path) -> list[Path]:
    """The pages that have charts."""
    return [
        page for page in sorted((html / "chapters").rglob("*.html")) if "exhibit-picture" in page.read_text("utf-8")
    ]


def unreadable(page: Page, kind: str) -> list[Any]:
    return page.evaluate(UNREADABLE, [f".exhibit-picture .exhibit-{kind} svg", SMALLEST])


def test_every_word_of_a_static_picture_can_be_read(html: Path, browser: Browser):
    """As it stands before its reader does anything, and without JavaScript, at each width."""
    pages = with_charts(html)
    assert len(pages) > 15
    page, _ = open_page(browser, "about:blank", java_script_enabled=False)
    found, shown = [], 0
    for address in pages:
        page.goto(address.as_uri())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            found += [(width, what) for what in unreadable(page, "static")]
            shown += page.locator(".exhibit-static:visible svg").count()
    page.context.close()
    assert found == []
    assert shown >= 3 * len(pages)


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_every_word_of_a_live_chart_can_be_read(html: Path, browser: Browser, width: int):
    page, _ = open_page(browser, "about:blank", width)
    found = []
    for address in with_charts(html):
        page.goto(address.as_uri())
        page.evaluate(DRAW)
        assert page.locator(".exhibit-picture.is-live").count() == page.locator(".exhibit-live").count()
        found += unreadable(page, "live")
    page.context.close()
    assert found == []


def test_what_cannot_be_read_is_found(browser: Browser):
    page, _ = open_page(browser, "about:blank")
    page.set_content(
        """<figure id="one"><div class="exhibit-picture"><div class="exhibit-static"><svg width="200" height="90">
        <text x="10" y="20" font-size="12">plain</text><text x="12" y="22" font-size="12">over it</text>
        <text x="10" y="50" font-size="9">small</text><text x="180" y="50" font-size="12">too far</text>
        <text x="10" y="80" font-size="12">cut…</text></svg></div></div></figure>"""
    )
    assert unreadable(page, "static") == [
        "one: “plain” lies on “over it”",
        "one: “small” has 9.0 pixels",
        "one: “too far” leads out of the picture",
        "one: “cut…” is cut",
    ]
    page.context.close()


# The data of all exhibits: where the rows start with a date, how far a table leads out of its page.
TABLES_OF_DATES = """() => {
    document.querySelectorAll("figure.exhibit").forEach(figure => { figure.dataset.view = "table"; });
    document.querySelectorAll("details.exhibit-data").forEach(view => { view.open = true; });
    const date = /^\\d{4}(-\\d\\d){0,2}$/;
    const dated = table => [...table.rows].slice(1).every(row => date.test(row.cells[0].innerText));
    return [...document.querySelectorAll("figure.exhibit .exhibit-table")]
        .filter(box => dated(box.firstElementChild))
        .map(box => [box.closest("figure").id, box.scrollWidth - box.clientWidth]);
}"""


def test_no_table_of_dates_scrolls_sideways_on_a_phone(html: Path, browser: Browser):
    page, _ = open_page(browser, "about:blank", 360)
    found = {}
    for address in sorted((html / "chapters").rglob("*.html")):
        if "exhibit-table" in address.read_text(encoding="utf-8"):
            page.goto(address.as_uri())
            found |= dict(page.evaluate(TABLES_OF_DATES))
    page.context.close()
    assert len(found) > 20
    assert {name for name, beyond in found.items() if beyond > 0} == set()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_on_a_phone_a_table_of_events_is_a_list_that_remains_a_table(html: Path, browser: Browser, script: bool):
    address = (html / "chapters" / "industry" / "challenges.html").as_uri()
    page, _ = open_page(browser, address, 360, java_script_enabled=script)
    figure = page.locator("#industry-exits")
    first = figure.get_by_role("row").nth(1)
    date, step, publisher = first.get_by_role("rowheader"), *first.get_by_role("cell").all()
    tops = [cell.bounding_box()["y"] for cell in (date, step, publisher)]
    assert tops == sorted({*tops}), "one below the other"
    assert step.bounding_box()["width"] > 300
    words = "cell => getComputedStyle(cell, '::before').content.split('/')[0].trim()"
    assert [cell.evaluate(words) for cell in (step, publisher)] == ["none", '"Publisher: "']
    heads = figure.get_by_role("columnheader")
    assert heads.count() == 3
    if script:
        heads.first.get_by_role("button").click()
        heads.first.get_by_role("button").click()
        assert date.inner_text() == max(figure.get_by_role("rowheader").all_inner_texts())
    page.context.close()
    wide, _ = open_page(browser, address)
    cells = wide.locator("#industry-exits").get_by_role("row").nth(1).locator("th, td").all()
    assert len({cell.bounding_box()["y"] for cell in cells}) == 1
    wide.context.close()
