"""The front page and the story: counts as in the ledger, links into it, the rule of choice; and the colors."""

import json
import pickle
import re
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path
from urllib.parse import parse_qs, urldefrag

import pytest
from bs4 import Tag
from conftest import ROOT, open_page, soup
from playwright.sync_api import Browser

from companion.book import tokens
from companion.book.front import failing
from companion.book.nodes import TEMPLATES
from companion.claims.form import Claim
from companion.exhibits import theme
from companion.report import DOUBTED, HOLDING, REPORT_EXHIBITS, REPORT_SHOWS, UNTESTED, VERDICTS

FRONT, STORY, LEDGER = (f"chapters/{name}.html" for name in ("index", "story", "evidence/claims"))
STATIC = ROOT / "companion" / "book" / "static"


@pytest.fixture(scope="module")
def counts(html: Path) -> Counter[str]:
    """Statements by verdict, in the rows of the ledger."""
    return Counter(str(row["data-verdict"]) for row in soup(html / LEDGER).select(".ledger-table tbody tr"))


def test_every_verdict_holds_or_does_not_or_says_nothing():
    assert sorted([*HOLDING, *DOUBTED, *UNTESTED]) == sorted(VERDICTS)


def test_the_heading_counts_what_the_ledger_has(html: Path, counts: Counter[str]):
    heading = soup(html / FRONT).h1.get_text()
    tested, hold, fail = (int(number) for number in re.findall(r"\d+", heading))
    assert (hold, fail) == (sum(counts[v] for v in HOLDING), sum(counts[v] for v in DOUBTED))
    assert tested == hold + fail == counts.total() - sum(counts[v] for v in UNTESTED)


def test_a_page_whose_heading_counts_is_named_by_it(html: Path):
    index = (html / "_static" / "search-index.js").read_text(encoding="utf-8")
    heading = soup(html / FRONT).h1.find(string=True, recursive=False)
    assert "We tested " in str(heading)
    assert re.search(r"We tested \d+ statements", index)


def test_the_bar_has_a_cell_for_each_statement_and_leads_into_the_ledger(html: Path, counts: Counter[str]):
    bar = soup(html / FRONT).select_one(".verdict-bar")
    shown, told = bar.select("svg a"), bar.select(".verdict-counts a")
    for links in (shown, told):
        addresses = [urldefrag(str(link["href"])) for link in links]
        assert {page for page, _ in addresses} == {"evidence/claims.html"}
        verdicts = [parse_qs(state)["verdict"][0] for _, state in addresses]
        assert verdicts == [verdict for verdict in VERDICTS if counts[verdict]]
    for verdict, cells, words in zip((v for v in VERDICTS if counts[v]), shown, told, strict=True):
        assert len(cells.select("rect")) == counts[verdict]
        assert f"{counts[verdict]}" == words.strong.get_text()


def test_a_link_of_the_bar_filters_the_ledger(html: Path, browser: Browser, counts: Counter[str]):
    page, trouble = open_page(browser, (html / FRONT).as_uri())
    links = page.locator(".verdict-counts a").evaluate_all("links => links.map((link) => link.href)")
    for address, verdict in zip(links, [v for v in VERDICTS if counts[v]], strict=True):
        page.goto(address)
        shown = page.locator(".ledger-table tbody tr:visible")
        assert shown.count() == counts[verdict], verdict
        assert set(shown.evaluate_all("rows => rows.map((row) => row.dataset.verdict)")) == {verdict}
    assert trouble == []
    page.context.close()


def claim(id: str, verdict: str = "contradicted", certainty: str = "high", grade: str = "A", at: str = "One") -> Claim:
    sources = [{"source_grade": grade}]
    return Claim(id=id, statement="", verdict=verdict, certainty=certainty, section=at, sources=sources)


def test_what_did_not_hold_is_chosen_by_rule():
    claims = [
        claim("C001", "confirmed", certainty=""),
        claim("C002", "inconsistent"),
        claim("C003", certainty="medium"),
        claim("C004", grade="B"),
        claim("C005", at="Two"),
        claim("C006", at="One"),
    ]
    assert [one.id for one in failing(claims, 9)] == ["C006", "C005", "C004", "C003", "C002"]
    assert [one.id for one in failing(claims)] == ["C006", "C005", "C004"]
    without = [replace(one, sources=[]) if one.id == "C006" else one for one in claims]
    assert [one.id for one in failing(without)] == ["C005", "C004", "C006"]
    assert failing(claims[:1]) == []


def test_the_front_page_has_the_chosen_statements(html: Path):
    listed = json.loads((html / "claims" / "index.json").read_text(encoding="utf-8"))
    names = ("id", "section", "statement", "verdict", "certainty", "sources")
    chosen = failing([Claim(**{name: entry[name] for name in names}) for entry in listed])
    cards = soup(html / FRONT).select(".short-card")
    assert [card.select_one(".claim-statement").get_text() for card in cards] == [one.statement for one in chosen]
    for card, one in zip(cards, chosen, strict=True):
        (link,) = card.select("a")
        assert link["href"].endswith(f"#claim-{one.id.lower()}")


def test_the_report_s_exhibits_say_what_it_shows_and_what_is_found(html: Path):
    assert list(REPORT_SHOWS) == list(REPORT_EXHIBITS)
    index = {e["id"]: e for e in json.loads((html / "exhibits" / "index.json").read_text(encoding="utf-8"))}
    cards = soup(html / FRONT).select(".front-exhibit")
    assert len(cards) == len(REPORT_EXHIBITS)
    for card, (id, name) in zip(cards, REPORT_EXHIBITS.items(), strict=True):
        text = card.get_text(" ", strip=True)
        assert name in text
        assert f"Report: {REPORT_SHOWS[id]}" in text
        assert index[id]["title"] in text
        assert str(card.a["href"]).endswith(f"#{id}")
        picture = card.select_one(".front-thumbnail")
        assert picture.svg or picture.table
        if picture.svg:
            assert picture.select("path")
            assert not picture.svg.get_text(strip=True), "a thumbnail has no words"


def test_each_finding_leads_to_its_exhibit(html: Path):
    heading = next(h for h in soup(html / FRONT).select("h2") if "What the data show" in h.get_text())
    findings = heading.find_next("ul").select(":scope > li")
    assert len(findings) >= 5
    for finding in findings:
        assert finding.select_one("a[href*='#']"), finding.get_text()


def test_the_story_has_an_exhibit_and_a_verdict_at_each_step(html: Path):
    page = soup(html / STORY)
    steps = [section for section in page.select("section > section") if re.match(r"\d\.", section.h2.get_text())]
    assert len(steps) == 6
    exhibits = [step.select(".exhibit-again") for step in steps]
    cards = [step.select(".short-card") for step in steps]
    assert {len(found) for found in [*exhibits, *cards]} == {1}
    for (again,) in exhibits:
        target, anchor = urldefrag(str(again.select_one(".exhibit-title a")["href"]))
        assert again.select_one(".exhibit-picture svg") or again.table
        assert again.select_one(".exhibit-title").get_text() == own_title(html, STORY, target, anchor)
    assert all(step.get_text().count("The doubt.") == 1 for step in steps)


def own_title(html: Path, page: str, target: str, anchor: str) -> str:
    """The title of an exhibit in its own chapter."""
    figure = soup((html / page).parent / target).find(id=anchor)
    assert isinstance(figure, Tag)
    return figure.select_one(".exhibit-title").get_text()


@pytest.mark.parametrize("address", [FRONT, STORY])
@pytest.mark.parametrize("width", [1280, 360])
def test_all_is_there_without_a_script(html: Path, browser: Browser, address: str, width: int):
    page, trouble = open_page(browser, (html / address).as_uri(), width, java_script_enabled=False)
    pictures = page.locator(".exhibit-again svg:visible")
    assert pictures.count() == page.locator(".exhibit-again").count()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert trouble == []
    page.context.close()


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 740)])
def test_the_news_is_seen_before_a_reader_scrolls(html: Path, browser: Browser, width: int, height: int):
    page, _ = open_page(browser, (html / FRONT).as_uri(), width)
    for selector in (".front-kicker", "h1", ".verdict-bar svg", ".verdict-counts", ".short-card >> nth=0"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] < height - 20, selector
    page.context.close()


def test_what_is_not_there_is_named(small_book: Path, tmp_path: Path):
    """In a small book, whose front page shows one exhibit of another page."""
    page = soup(small_book / "_build" / "html" / FRONT)
    (again,) = page.select(".exhibit-again")
    assert again.select_one(".exhibit-title a")["href"] == "deliveries.html#small-deliveries"


# The tokens.
PAIR = re.compile(r"--([\w-]+):\s*light-dark\((#\w+),\s*(#\w+)\)")
TEXTS, GROUNDS = ("ink", "muted", "link", "fails"), ("ground", "raised", "surface", "fails-ground")
NEEDED = [(text, ground, 4.5) for text, ground in product(TEXTS, GROUNDS)]
NEEDED += [("on-fails", "fails", 4.5), ("ink", "marked", 4.5), ("muted", "marked", 4.5), ("link", "marked", 4.5)]
NEEDED += [("plain", ground, 3) for ground in GROUNDS]  # an edge or a cell, no text


def channels(color: str) -> list[float]:
    digits = color.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    return [int(digits[place : place + 2], 16) for place in (0, 2, 4)]


def luminance(color: list[float]) -> float:
    """Of WCAG 2."""
    parts = [c / 255 for c in color]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: list[float], other: list[float]) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.fixture(scope="module", params=["light", "dark"])
def colors(request: pytest.FixtureRequest) -> dict[str, list[float]]:
    sheet = (STATIC / "tokens.css").read_text(encoding="utf-8")
    place = ["light", "dark"].index(request.param)
    found = {name: channels(both[place]) for name, *both in PAIR.findall(sheet)}
    share = int(re.search(r"--fails-ground: color-mix\(in srgb, var\(--fails\) (\d+)%, transparent\)", sheet)[1]) / 100
    found["fails-ground"] = [share * a + (1 - share) * b for a, b in zip(found["fails"], found["ground"], strict=True)]
    return found


def test_contrast_is_measured_as_wcag_does():
    assert contrast(channels("#fff"), channels("#000")) == pytest.approx(21)
    assert contrast(channels("#fff"), channels("#767676")) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(("text", "ground", "least"), NEEDED)
def test_what_is_written_can_be_read(colors: dict[str, list[float]], text: str, ground: str, least: float):
    assert contrast(colors[text], colors[ground]) >= least


@pytest.mark.parametrize("mark", [theme.JAPAN, theme.UNITED_STATES, theme.HIGHLIGHT, theme.CERTAIN, theme.GREY])
def test_marks_of_charts_can_be_seen(colors: dict[str, list[float]], mark: str):
    assert contrast(channels(mark), colors["ground"]) >= 3


def test_no_other_sheet_says_what_a_color_is():
    for sheet in [
        *STATIC.glob("*.css"),
        *STATIC.with_name("templates").glob("*.css"),
    ]:  # those of paper have the tokens
        if sheet.name != "tokens.css":
            rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
            assert not re.findall(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b", rules), sheet.name


def test_paper_and_e_readers_have_the_colors_and_sizes_of_a_light_page(browser: Browser):
    style, light = TEMPLATES.get_template("printed.css").render(), tokens.light()
    for name in ("ink", "muted", "link", "fails", "size_note", "size_table"):
        assert light[name] in style
    assert not re.findall(r"light-dark|var\(|token", style), "no e-reader needs to know of variables"
    page, _ = open_page(browser, "about:blank", 627)
    address = f"https://example.org/{'a' * 200}"
    page.set_content(f"<style>{style}</style><table><tr><td>1</td><td>{address}</td><td>{address}</td></tr></table>")
    # Chromium prints the whole book smaller where one table is wider than the paper.
    assert page.evaluate("document.documentElement.scrollWidth") <= 627
    page.context.close()


def test_every_variable_is_set_and_every_token_used():
    text = {sheet.name: sheet.read_text(encoding="utf-8") for sheet in STATIC.glob("*.css")}
    read = {name for sheet in text.values() for name in re.findall(r"var\(--([\w-]+)", sheet)}
    own = set(re.findall(r"(?<=[{;\n])\s*--([\w-]+):", "".join(text.values())))
    assert read <= own
    assert {name for name in own if not name.startswith("pst-")} <= read


def test_no_title_brings_its_page_along(html: Path):
    """Else each build copies the whole page with it, now and then too deep for Python."""
    env = pickle.loads((html.parent / ".doctrees" / "environment.pickle").read_bytes())
    assert len(env.titles) > 30
    assert [page for page, title in env.titles.items() for part in title.findall() if part.document is not None] == []
