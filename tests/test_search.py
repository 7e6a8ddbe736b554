"""The search: what the book is about is found, first what was meant, at its place; from a folder and from a server."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import ROOT, open_page
from playwright.sync_api import Browser, Page

from companion.book.shell import INDEX

SEARCHES = {  # what is typed, and where the first hit leads
    "7.1 billion": "chapters/introduction.html#claim-c005",
    "F-35": "chapters/industry/partnerships.html#f-35-first-by-orders-not-by-deliveries",
    "SeaGuardian": "chapters/uas/considerations.html#claim-c089",
    "contradicted": "chapters/industry/overview.html#claim-c019",
    "Figure 2": "chapters/eoir/trade.html#figure-2",
    "Table 1": "chapters/uas/classification.html#table-1",
    "Exhibit 3": "chapters/introduction.html#budget-plan-in-dollars",
    "c074": "chapters/uas/exporters.html#claim-c074",
    "seaguard": "chapters/uas/considerations.html#claim-c089",
    "TIV": "chapters/evidence/glossary.html#term-TIV",
    "exchange_rates": "chapters/evidence/data.html#exchange-rates-against-the-u-s-dollar",
}
# As the packages in the npm registry have them: dist/umd/index.js, and build/*.min.js of the others.
REGISTRY = {
    "minisearch-7.2.0.js": "03c27931eb603af1d3358579e9885eafdb6a2f5fa9929557b3e77d7e99d06d03",
    "vega-6.2.0.js": "ea6a5936381d06f912466354e2b6a20eb66c4d41f1ca9dff1e0236dfee6ee392",
    "vega-embed-7.3.0.js": "b1455caba2fb1a72fb46025ba0ba1316e2dbc7f0dd40a3f6040172bf9c08ba91",
    "vega-lite-6.4.1.js": "6d5035fdd429b4bc6f91f3754426c3f516f3dbd8e08b105cfc2496bed4ebd254",
}


@pytest.fixture(scope="module")
def index(html: Path) -> list[dict[str, str]]:
    text = (html / "_static" / INDEX).read_text(encoding="utf-8")
    return json.loads(text.removeprefix("const companionIndex=").removesuffix(";\n"))


def place(address: str) -> str:
    """Where a link leads, without the words that it carries."""
    parts = urlsplit(address)
    return f"{parts.path}#{parts.fragment}"


@pytest.fixture(scope="module", params=["folder", "server"])
def searching(request: pytest.FixtureRequest, html: Path, browser: Browser) -> Page:
    root = html.as_uri() if request.param == "folder" else "http://book.test"
    page, trouble = open_page(browser, "about:blank")
    page.route("http://book.test/**", lambda r: r.fulfill(path=html / urlsplit(r.request.url).path.removeprefix("/")))
    page.goto(f"{root}/search.html")
    yield page
    assert [text for text in trouble if not text.startswith("http://book.test/")] == []
    page.context.close()


@pytest.mark.parametrize("words", SEARCHES)
def test_the_first_hit_is_what_was_meant(searching: Page, words: str):
    searching.get_by_role("searchbox", name="Words").fill(words)
    searching.wait_for_url(lambda address: parse_qs(urlsplit(address).query).get("q") == [words])
    assert place(searching.locator(".found a").first.get_attribute("href")) == SEARCHES[words]
    assert searching.locator(".found a").first.locator("mark").count()


def test_hits_come_in_groups_with_all_that_mention_it(searching: Page):
    searching.get_by_role("searchbox", name="Words").fill("SeaGuardian")
    searching.wait_for_url("**/search.html?q=SeaGuardian")
    groups = {group: int(found) for group, found in map(str.split, searching.locator("h2").all_inner_texts())}
    assert groups["Exhibits"] >= 4
    assert groups["Statements"] >= 1
    assert groups["Chapters"] >= 2


def test_code_is_not_found(searching: Page):
    searching.get_by_role("searchbox", name="Words").fill("lambda")
    searching.get_by_text("No places found").wait_for()


def test_the_book_is_searched_by_keyboard_and_the_place_is_marked(html: Path, browser: Browser):
    """From a page: to the field, to the results, to the second hit, to its place, where its words are marked."""
    page, trouble = open_page(browser, (html / "chapters/uas/exporters.html").as_uri())
    for key in ("/", "Control+k"):
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("Warmate")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=Warmate")
    page.locator(".found a").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    address = page.evaluate("document.activeElement.href")
    assert address.endswith(page.locator(".found a").first.get_attribute("href"))
    page.keyboard.press("Enter")
    page.wait_for_url(address)
    assert parse_qs(urlsplit(page.url).query) == {"found": ["warmate"]}
    assert page.evaluate("document.querySelector(':target').getBoundingClientRect().top") < 300
    assert page.evaluate("CSS.highlights.get('found').size") > 0
    assert trouble == []
    page.context.close()


def test_everything_that_the_book_is_about_can_be_found(html: Path, index: list[dict[str, str]]):
    groups = Counter(entry["group"] for entry in index)
    assert groups["exhibit"] == len(json.loads((html / "exhibits/index.json").read_text(encoding="utf-8")))
    assert groups["claim"] == len(json.loads((html / "claims/index.json").read_text(encoding="utf-8")))
    assert groups["table"] == len(json.loads((html / "data/datapackage.json").read_text(encoding="utf-8"))["resources"])
    assert groups["term"] >= 40
    assert groups["section"] >= 100


def test_the_index_has_nothing_that_is_written_after_it(index: list[dict[str, str]]):
    """A second build would find other sizes of files than the first."""
    links = [entry for entry in index if "All tables, with their description (ZIP" in entry["text"]]
    assert links
    assert all("(ZIP)" in entry["text"] for entry in links)


def test_every_hit_has_a_place(html: Path, index: list[dict[str, str]]):
    texts = {
        page: (html / page).read_text(encoding="utf-8") for page in {place["page"].split("#")[0] for place in index}
    }
    for entry in index:
        page, anchor = entry["page"].split("#")
        assert f'id="{anchor}"' in texts[page], entry["page"]
        assert entry["title"], entry["page"]


def test_the_index_comes_with_the_search_alone(html: Path):
    using = {path.name for path in html.rglob("*.html") if INDEX in path.read_text(encoding="utf-8")}
    assert using == {"search.html"}
    assert not list(html.glob("searchindex*"))


def test_without_a_script_the_search_page_says_what_is_complete(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / "search.html").as_uri(), java_script_enabled=False)
    assert page.get_by_text("The search needs JavaScript").is_visible()
    assert page.locator(".without-script a").count() == 5
    page.context.close()


def test_scripts_of_others_are_those_of_the_registry(html: Path):
    vendor = ROOT / "companion/book/vendor"
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in vendor.glob("*.js")}
    assert found == REGISTRY
    assert all(path.with_suffix(".LICENSE.txt").is_file() for path in vendor.glob("*.js"))
    engine = "minisearch-7.2.0.js"
    assert (html / "_static" / engine).read_bytes() == (vendor / engine).read_bytes()
    sent = (html / "_static/vega.js").read_text(encoding="utf-8")
    assert "Redistributions of source code must retain" in sent
    assert all(name.removesuffix(".js") in sent for name in REGISTRY if name.startswith("vega"))
