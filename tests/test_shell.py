"""What surrounds the text of a page: navigation, the weight of a page, the one style sheet, and what moves."""

import gzip
import io
import json
import re
from collections import Counter
from itertools import product
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import open_page, soup, wait_until
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Page

from companion.book import shell, styles
from companion.book.lines import keep_whole
from companion.book.shell import LIBRARY, STYLE, UNCUT
from companion.files.layout import MISSING_PAGE

FIVE, FRONT, LEDGER = "chapters/uas/exporters.html", "chapters/index.html", "chapters/evidence/claims.html"
LIST = "chapters/evidence/exhibits.html"


def requests_of(browser: Browser, address: str) -> tuple[Page, list[Path]]:
    page, _ = open_page(browser, "about:blank")
    found: list[Path] = []
    page.on("request", lambda request: found.append(Path(unquote(urlsplit(request.url).path))))
    page.goto(address, wait_until="networkidle")
    return page, found


@pytest.mark.parametrize(("address", "most"), [(FIVE, 160), (FRONT, 110)])
def test_a_page_is_light_before_its_reader_does_anything(html: Path, browser: Browser, address: str, most: int):
    page, found = requests_of(browser, (html / address).as_uri())
    weights = {path.name: len(gzip.compress(path.read_bytes())) / 1000 for path in found}
    assert sum(weights.values()) <= most, weights
    assert STYLE in weights
    assert not [path for path in found if path.suffix in {".woff2", ".woff", ".ttf"}]
    page.context.close()


def test_the_library_comes_when_its_reader_is_near_a_chart(html: Path, browser: Browser):
    page, found = requests_of(browser, (html / FIVE).as_uri())
    assert LIBRARY not in {path.name for path in found}
    page.locator("#figure-1").scroll_into_view_if_needed()
    page.mouse.wheel(0, 100)
    page.locator("#figure-1 .exhibit-live svg.marks").wait_for()
    assert [path.name for path in found].count(LIBRARY) == 1
    last = page.locator(".exhibit-picture").last
    assert last.locator(".exhibit-live svg").count() == 0, "a chart far away is still a picture"
    page.context.close()


def test_no_page_without_a_chart_asks_for_the_library(html: Path, browser: Browser):
    page, found = requests_of(browser, (html / LEDGER).as_uri())
    page.mouse.move(300, 300)
    page.mouse.wheel(0, 5000)
    page.wait_for_timeout(300)
    assert {path.name for path in found} == {"claims.html", STYLE, "address.js", "ledger.js", "shell.js"}
    page.context.close()


@pytest.mark.parametrize(
    "address",
    [
        *(FIVE, LEDGER),
        *(
            pytest.param(page, marks=pytest.mark.slow)
            for page in (FRONT, LIST, "chapters/evidence/data.html", "search.html?q=7.1+billion")
        ),
    ],
)
def test_the_sheet_that_was_cut_shows_the_same_pages(html: Path, browser: Browser, address: str):
    uncut = html.with_name(UNCUT).read_text(encoding="utf-8")
    assert len((html / "_static" / STYLE).read_text(encoding="utf-8")) < len(uncut) / 5
    shown = [pictures(browser, f"{html.as_uri()}/{address}", sheet) for sheet in ("", uncut)]
    assert len({one.tobytes() for one in shown[0]}) == len(shown[0]) > 1, "each width and each theme has its look"
    for one, other in zip(*shown, strict=True):
        unlike = ImageChops.difference(one, other)
        # The same page twice may differ by one step of a color where two tiles of its picture meet.
        assert max(most for _, most in unlike.getextrema()) <= 2, (one.size, unlike.getbbox())


def test_a_sheet_is_cut_again_where_pages_have_other_names_or_the_kept_one_is_damaged(tmp_path: Path):
    kept, written, sheet = (
        tmp_path / "cut",
        tmp_path / "book.css",
        ".a { color: red } .b { color: blue } .c { color: tan }",
    )

    def cut(sheet: str, names: str) -> str:
        shell._write_style(sheet, frozenset(names), written, kept)
        return written.read_text(encoding="utf-8")

    for names, rules in (("a", ".a{color: red}"), ("ab", ".a{color: red}\n.b{color: blue}"), ("c", ".c{color: tan}")):
        for _ in range(2):
            assert cut(sheet, names) == f"{rules}\n"
    kept.write_bytes(kept.read_bytes()[:-4])
    assert cut(sheet, "c") == ".c{color: tan}\n"
    assert cut(sheet.replace("tan", "teal"), "c") == ".c{color: teal}\n"


def pictures(browser: Browser, address: str, sheet: str) -> list[Image.Image]:
    """A page with its style sheet, or with another one, at each width and in each theme."""
    page, _ = open_page(browser, "about:blank")
    if sheet:
        page.route(f"**/{STYLE}", lambda route: route.fulfill(body=sheet, content_type="text/css"))
    page.goto(address)
    page.evaluate("document.activeElement.blur()")
    found = []
    for width, scheme in product((1280, 360), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(400)  # what follows the scroll position comes a moment later
        found.append(Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB"))
    page.context.close()
    return found


def test_a_rule_goes_where_none_of_its_names_is_on_a_page():
    sheet = (
        "@font-face{font-family:x} .a,.gone{color:var(--b)} .gone p{x:y} :root{--b:1;--c:2} p:not(.gone)::after{x:y}"
        "@media print{.gone{x:y} #i > p{x:y}} @keyframes still{to{x:y}} @keyframes turn{to{x:y}} p{animation:turn 1s}"
    )
    names = frozenset({"a", "i", "p", "*"})
    assert styles.used(sheet, names).splitlines() == [
        ".a{color:var(--b)}",
        ":root{--b:1;}",
        "p:not(.gone)::after{x:y}",
        "@media print{#i > p{x:y}}",
        "p{animation:turn 1s}",
        "@keyframes turn{to{x:y}}",
    ]


def test_a_variable_goes_whole_where_its_text_holds_a_semicolon():
    sheet = """p{--icon:url("data:image/svg+xml;charset=utf-8,%3Csvg%3E");color:red} q{color:var(--icon)}"""
    assert styles.used(sheet, frozenset({"p"})) == "p{color:red}\n"
    assert "charset" in styles.used(sheet, frozenset({"p", "q"}))


@pytest.mark.parametrize("width", [1600, *(pytest.param(n, marks=pytest.mark.slow) for n in (1280, 768)), 360])
def test_nothing_moves_by_itself(html: Path, browser: Browser, width: int):
    for address in (FIVE, FRONT, LEDGER, "chapters/eoir/trade.html", "chapters/insights.html"):
        page, _ = open_page(browser, "about:blank", width)
        page.add_init_script(
            """window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(entry => {
            window.moved += entry.value; })).observe({type: "layout-shift", buffered: true});"""
        )
        page.goto((html / address).as_uri())
        for picture in page.locator(".exhibit-picture:has(.exhibit-live)").all():
            picture.scroll_into_view_if_needed()
            page.mouse.wheel(0, 20)
            picture.locator(".exhibit-live svg.marks").wait_for()
        page.wait_for_timeout(200)
        # On a busy machine, rows come in one after the other, and columns of a table may settle by a few pixels.
        assert page.evaluate("window.moved") < 0.002, address
        page.context.close()


# How many letters of its text have room in a line of each paragraph, and where the parts of an exhibit are.
LETTERS = """() => [...document.querySelectorAll("section:not(.claim) > p, .exhibit-note, .exhibit-source")]
    .filter(p => p.clientWidth && p.textContent).map(p => {
        const style = getComputedStyle(p), pen = document.createElement("canvas").getContext("2d");
        pen.font = `${style.fontSize} ${style.fontFamily}`;
        return p.clientWidth / (pen.measureText(p.textContent).width / p.textContent.length);
    })"""
BOXES = """figure => Object.fromEntries(["picture", "note", "source", "menus"].map(part =>
    [part, figure.querySelector(`.exhibit-${part}`).getBoundingClientRect().toJSON()]))"""


@pytest.mark.parametrize("width", [768, 1280, 1536, 1920])
def test_no_line_of_text_is_long_and_notes_take_the_room_that_there_is(html: Path, browser: Browser, width: int):
    page, _ = open_page(browser, (html / FIVE).as_uri(), width)
    letters = page.evaluate(LETTERS)
    assert len(letters) > 20
    assert max(letters) < 80
    for figure in page.locator("figure.exhibit:has(.exhibit-picture):has(.exhibit-note)").all():
        box = figure.evaluate(BOXES)
        assert round(box["picture"]["width"]) == min(690, width - 40), "as wide as it was drawn"
        if width < 1500:
            assert box["note"]["top"] == box["source"]["top"] > box["picture"]["bottom"]
            assert box["note"]["right"] < box["source"]["left"]
        else:
            assert box["note"]["top"] < box["picture"]["bottom"]
            assert box["picture"]["right"] < box["note"]["left"] == box["source"]["left"]
            assert box["note"]["bottom"] <= box["source"]["top"]
            assert max(box[part]["bottom"] for part in ("picture", "source")) <= box["menus"]["top"]
            assert box["note"]["right"] < page.locator(".page-contents").bounding_box()["x"]
    page.context.close()


def test_small_print_beside_a_picture_is_no_higher(html: Path, browser: Browser):
    """Where it would be, it stands below."""
    page, _ = open_page(browser, (html / "chapters" / "eoir" / "systems.html").as_uri(), 1600)
    beside, below = page.locator("figure.of-aside"), page.locator("figure.of-chart:not(.of-aside)")
    ends = """figure => {
        const range = document.createRange();
        range.selectNodeContents(figure.querySelector(".exhibit-source"));
        const picture = figure.querySelector(".exhibit-picture").getBoundingClientRect();
        return [picture.bottom, range.getBoundingClientRect().bottom];
    }"""
    assert beside.count() >= 1
    for figure in beside.all():
        picture, print_ = figure.evaluate(ends)
        assert print_ <= picture + 19
    page.goto((html / "chapters" / "eoir" / "roles.html").as_uri())
    assert below.count() >= 1
    for figure in below.all():
        picture, print_ = figure.evaluate(ends)
        assert print_ > picture
    page.context.close()


def test_the_menu_pins_what_is_looked_for_and_opens_the_present_part_alone(html: Path):
    page = soup(html / FIVE)
    assert [link.get_text() for link in page.select(".book-pinned a")] == [
        *("Findings", "Exhibits", "Statements", "Data", "Cite and reuse")
    ]
    parts = page.select(".book-menu details")
    assert [part.summary.get_text() for part in parts if part.has_attr("open")] == [
        "Case study one: uncrewed aerial systems"
    ]
    assert [link.get_text() for link in page.select(".book-menu [aria-current]")] == ["Exporters"]
    assert page.h1.get_text() == "Who exports uncrewed aircraft?#"
    names = [link.get_text() for link in page.select(".book-menu li a")]
    assert len(names) == len({*names})
    assert max(map(len, names)) <= 30
    steps = [link.get_text(" ", strip=True) for link in page.select(".book-steps a")]
    assert steps == ["Previous From watching to striking", "Next Japan’s aircraft"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_on_a_phone_the_menu_opens_and_closes(html: Path, browser: Browser, script: bool):
    page, trouble = open_page(browser, (html / FIVE).as_uri(), 360, java_script_enabled=script)
    menu, button = page.locator(".book-menu"), page.get_by_role("button", name="Contents of the book")
    assert not menu.is_visible()
    button.click()
    assert menu.is_visible()
    page.keyboard.press("Escape")
    assert not menu.is_visible()
    assert button.evaluate("button => button === document.activeElement") or not script
    button.click()
    menu.get_by_role("link", name="Exhibits").click()
    page.wait_for_url("**/exhibits.html")
    assert trouble == []
    page.context.close()


def test_the_reader_s_colors_last(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / FIVE).as_uri(), color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.locator(".book-mode").click()
    page.locator(".book-mode").click()
    assert page.get_by_role("button", name="Colors: dark").is_visible()
    wait_until(page, f"{background} === 'rgb(18, 18, 18)'")
    for _ in range(20):  # a browser tells what a page keeps to its other processes a moment later
        page.goto((html / LEDGER).as_uri())
        if page.evaluate(background) == "rgb(18, 18, 18)":
            break
        page.wait_for_timeout(300)
    assert page.evaluate(background) == "rgb(18, 18, 18)"
    page.context.close()
    without, _ = open_page(browser, (html / FIVE).as_uri(), color_scheme="dark", java_script_enabled=False)
    without.screenshot()
    assert without.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(18, 18, 18)"
    without.context.close()


def test_a_text_is_copied(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / FIVE).as_uri())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".cite-page summary").click()
    page.locator(".cite-page .copybtn").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    text = page.locator(".cite-page pre").first.text_content()
    assert page.evaluate("navigator.clipboard.readText()") == text.strip()
    page.context.close()


def test_small_pictures_are_whole_and_on_the_ground_of_the_page(html: Path, browser: Browser):
    for scheme, ground in {"light": (255, 255, 255), "dark": (18, 18, 18)}.items():
        page, _ = open_page(browser, (html / LIST).as_uri(), color_scheme=scheme)
        image = page.locator(".exhibit-all img").first
        image.scroll_into_view_if_needed()
        wait_until(page, "document.querySelector('.exhibit-all img').complete")
        style = image.evaluate("image => [getComputedStyle(image).objectFit, getComputedStyle(image).filter]")
        assert style == ["contain", "none"]
        drawn = Image.open(io.BytesIO(image.screenshot())).convert("RGB")
        counts = Counter({color: number for number, color in drawn.getcolors(1 << 24)})
        assert counts.most_common(1)[0][0] == ground
        letters = (227, 232, 238) if scheme == "dark" else (27, 36, 48)
        assert counts[letters] > 20
        page.context.close()


def test_the_link_of_a_heading_breaks_no_line_and_a_date_stands_in_one(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / FIVE).as_uri(), 360)
    heights = "[...document.querySelectorAll('h1, h2, h3')].map(heading => heading.offsetHeight)"
    before = page.evaluate(heights)
    page.evaluate("document.querySelectorAll('.headerlink').forEach(link => link.remove())")
    assert page.evaluate(heights) == before
    lines = "[...document.querySelectorAll('.exhibit-source .whole')].map(date => date.getClientRects().length)"
    assert {*page.evaluate(lines)} == {1}
    page.context.close()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<p>read 2026-11-22; the F-35’s radar</p>", ["2026-11-22", "F-35"]),
        ("<p>of 2026-05, FY2014-2, one-way, AB-1C2, F-35-like, C-130J</p>", ["2026-05", "C-130J"]),
        ('<a title="2026-05-18" href="2026-05">SM-3</a><pre>F-35</pre><td class="date">2026-05</td>', ["SM-3"]),
        ("<code><span>test_one</span> <span>test_a_name_that_is_too_long</span></code> SM-3", ["SM-3"]),
        ('<script type="application/json">"2026-05-18 <p>F-35</p>"</script><svg><text>F-35</text></svg>', []),
    ],
)
def test_dates_and_designations_are_kept_whole(text: str, kept: list[str]):
    whole = keep_whole(text)
    assert re.findall('<span class="whole">([^<]*)</span>', whole) == kept
    assert re.sub('<span class="whole">([^<]*)</span>', r"\1", whole).replace("_<wbr>", "_") == text
    assert ("_<wbr>" in whole) == ("too_long" in text)


def test_all_exhibits_are_listed_and_filtered_without_a_script(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / LIST).as_uri(), java_script_enabled=False)
    shown = page.locator(".exhibit-all li:visible")
    everything = shown.count()
    assert everything == len(json.loads((html / "exhibits" / "index.json").read_text(encoding="utf-8")))
    page.get_by_label("open counterpart").check()
    of_status = shown.count()
    assert 0 < of_status < everything
    page.get_by_label("Case study two").check()
    assert 0 < shown.count() < of_status
    page.get_by_label("all", exact=True).check()
    assert shown.count() == of_status
    page.get_by_label(f"all ({everything})").check()
    assert shown.count() == everything
    page.context.close()


def test_the_filter_of_all_exhibits_stands_in_the_address(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / LIST).as_uri())
    shown = page.locator(".exhibit-all li:visible")
    everything = shown.count()
    page.get_by_label("open counterpart").check()
    page.get_by_label("Case study two").check()
    wait_until(page, "location.hash.startsWith('#status=open-counterpart&topic=case-study-two')")
    left = shown.all_inner_texts()
    assert 0 < len(left) < everything
    again, trouble = open_page(browser, page.url)
    assert again.locator(".exhibit-all li:visible").all_inner_texts() == left
    assert again.get_by_label("Case study two").is_checked()
    again.get_by_label("all", exact=True).check()
    again.get_by_label(f"all ({everything})").check()
    wait_until(again, "location.hash === ''")
    assert again.locator(".exhibit-all li:visible").count() == everything
    assert trouble == []
    again.context.close()
    page.context.close()


def test_the_page_for_a_wrong_address_stands_alone(html: Path):
    text = (html / MISSING_PAGE).read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!/|https:)', text)
    assert "default-src 'none'" in text
