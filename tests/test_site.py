"""The built book as programs and readers meet it: files, links, no other host, charts in a browser."""

import csv
import json
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from conftest import ADDRESSES, ROOT, open_page, some, soup, wait_until
from docutils.nodes import make_id
from playwright.sync_api import Browser

from companion.citation import metadata
from companion.report import REPORT_EXHIBITS
from companion.tables import package

# Every chart is drawn for about its width, leads not out of its place, and the static one has gone.
LIVE = """() => [...document.querySelectorAll(".exhibit-picture:has(.exhibit-live)")].every(picture => {
    const live = picture.querySelector(".exhibit-live svg.marks");
    const others = [...picture.querySelectorAll(".exhibit-static")];
    if (!live?.checkVisibility() || others.some(other => other.checkVisibility())) return false;
    const { width } = live.getBoundingClientRect();
    return live.getAttribute("width") < 1.1 * width && width <= picture.getBoundingClientRect().width + 1;
})"""


@pytest.fixture(scope="module")
def index(html: Path) -> list[dict]:
    return json.loads((html / "exhibits" / "index.json").read_text(encoding="utf-8"))


def test_the_index_describes_every_exhibit(html: Path, index: list[dict]):
    assert set(REPORT_EXHIBITS) <= {entry["id"] for entry in index}
    assert len(index) >= 25
    assert len({entry["id"] for entry in index}) == len(index)
    for entry in index:
        assert entry["title"], entry["id"]
        assert entry["alt"], entry["id"]
        assert entry["sources"] or not entry["tables"], entry["id"]
        assert all(source["title"] and (source.get("version") or source.get("accessed")) for source in entry["sources"])
        assert entry["reproduces"] == REPORT_EXHIBITS.get(entry["id"])
        assert metadata(ROOT).version in entry["citation"]
        for kind in ("csv", "spec", "svg", "png", "embed"):
            assert entry[kind] is None or (html / entry[kind]).stat().st_size > 50, (entry["id"], kind)
        page, anchor = urldefrag(entry["chapter"])
        assert f'id="{anchor}"' in (html / page).read_text(encoding="utf-8")


def test_the_introduction_gives_each_exhibit_of_the_report_its_status(html: Path, index: list[dict]):
    page = (html / "chapters" / "introduction.html").read_text(encoding="utf-8")
    rows = [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]
    for entry in (entry for entry in index if entry["reproduces"]):
        row = next(row for row in rows if row.strip().startswith(entry["reproduces"]))
        assert entry["status"].replace("-", " ") in row.lower(), entry["id"]


def test_tables_and_exhibits_name_each_other(index: list[dict]):
    for resource in package()["resources"]:
        users = [entry["id"] for entry in index if resource["name"] in entry["tables"]]
        assert resource["exhibits"] == users, "run `make expected`"


def test_figure_1_is_reproduced_and_its_download_has_its_total(html: Path, index: list[dict]):
    figure = next(entry for entry in index if entry["id"] == "figure-1")
    assert figure["status"] == "reproduced"
    assert {"2020-03-09", "2022-08-01"} < {source["version"] for source in figure["sources"]}
    # A choice of the scale has no data of its own.
    published, *others = [name for name in figure["views"] if not name.endswith("own")]
    assert published == "published"
    with (html / figure["csv"]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["vintage"] for row in rows} == {"2022-08", *others}, "the file has all views"
    assert sum(float(row["units"]) for row in rows if row["vintage"] == "2022-08") == 2877


def test_downloaded_pictures_carry_finding_and_source(html: Path, index: list[dict]):
    for entry in (entry for entry in index if entry["svg"]):
        text = " ".join(re.sub(r"<[^>]+>", " ", (html / entry["svg"]).read_text(encoding="utf-8")).split())
        assert entry["title"] in text
        assert re.search("own calculation|own compilation|own files", text), entry["id"]
        assert "currentColor" not in (html / entry["svg"]).read_text(encoding="utf-8")


def test_the_picture_in_the_readme_is_the_book_s(html: Path):
    """But for the exhibit's number and the version, with which each new exhibit and each release would change it."""
    picture, built = ROOT / ".github" / "figure-1.svg", html / "exhibits" / "figure-1.svg"
    texts = [re.sub(r"Exhibit \d+|version [\d.]+", "", path.read_text(encoding="utf-8")) for path in (picture, built)]
    assert texts[0] == texts[1], f"cp {built.relative_to(ROOT)} .github/"


def test_nothing_is_loaded_from_another_host(html: Path):
    for page in html.rglob("*.html"):
        text = re.sub(
            r"<script type=\"application/json\".*?</script>",
            "",
            page.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        )
        loaded = re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"(https?:)?//[^\"]*\"", text)
        loaded += re.findall(r"<link(?![^>]*rel=\"(?:license|canonical)\")[^>]*\shref=\"((?:https?:)?//[^\"]*)\"", text)
        assert not loaded, (page.name, loaded)


def test_every_link_inside_the_book_leads_somewhere(html: Path):
    for page in html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"<a[^>]*\shref=\"([^\"]*)\"", text):
            target, anchor = urldefrag(link)
            if re.match(r"[a-z]+:", target):
                continue
            path = (page.parent / unquote(target)).resolve() if target else page
            assert path.exists(), (page.name, link)
            if anchor and not anchor.startswith("verdict=") and path.suffix == ".html":
                assert f'id="{unquote(anchor)}"' in path.read_text(encoding="utf-8"), (page.name, link)


def test_the_address_of_a_table_is_that_of_its_section(html: Path):
    for table in package()["resources"]:
        place = soup(html / "chapters/evidence/data.html").find(id=make_id(f"table-{table['name']}"))
        assert f"The table {table['name']} has" in place.find_next("p").get_text()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_shows_its_charts_without_a_network(html: Path, browser: Browser, address: str):
    """On a desk, light and dark, and on a phone: the page is loaded once, and then recolored and resized."""
    page, trouble = open_page(browser, (html / address).as_uri())
    pictures = page.locator(".exhibit-picture:has(.exhibit-live)")
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        picture.locator(".exhibit-live svg.marks").wait_for(state="visible")
    for width, scheme in ((1280, "light"), (1280, "dark"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        wait_until(page, LIVE)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wait_until(
            page,  # the theme follows a moment later
            "dark => (getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0] < 100) === dark",
            scheme == "dark",
        )
    # Rows of bars of different heights, each with its numbers: the library says that it takes both for the same names.
    assumed = "WARN Detected faceted independent scales that union domain of the same fields"
    assert [told for told in trouble if not told.startswith(assumed)] == []
    page.context.close()


def test_figure_1_shows_without_javascript(html: Path, browser: Browser):
    page, trouble = open_page(browser, (html / "chapters/uas/exporters.html").as_uri(), java_script_enabled=False)
    picture = page.locator("#figure-1 .exhibit-static.wide svg")
    assert picture.is_visible()
    assert picture.locator(".mark-rect path").count() > 50
    assert page.locator("#figure-1 .exhibit-data summary").is_visible()
    assert trouble == []
    page.context.close()


def test_an_embed_page_stands_alone(html: Path, browser: Browser, index: list[dict]):
    page, trouble = open_page(browser, (html / index[0]["embed"]).as_uri(), 360)
    for entry in some(index):
        page.goto((html / entry["embed"]).as_uri())
        assert entry["title"] in page.locator("h1").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert trouble == []
    page.context.close()
