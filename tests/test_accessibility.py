"""Pages as axe sees them, wide and narrow, light and dark, with every fold open; and with large text."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT, open_page
from playwright.sync_api import Browser, Page

from companion.chapters.notebooks import page_paths

AXE = Axe()
# The size of what can be clicked is no rule of those that axe runs by default. It reads no style sheets from files.
OPTIONS = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}
WAYS = [(width, scheme) for width in (1280, 360) for scheme in ("light", "dark")]
EVERY = [path.relative_to(ROOT).with_suffix("").as_posix() for path in page_paths(ROOT)]
# One of each kind: the front page, a chapter with cards, the ledger, tables of fields, citations to copy.
FEW = ["chapters/index", "chapters/uas/considerations", "chapters/evidence/claims", "chapters/evidence/citing"]
OPEN = "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"


def violations(page: Page) -> list[str]:
    """What axe finds on a page: the rule, how many places break it, and the first of them."""
    page.evaluate(OPEN)
    found = AXE.run(page, options=OPTIONS).response["violations"]
    return [f"{v['id']}: {len(v['nodes'])} x, {v['help']}: {v['nodes'][0]['html'][:150]}" for v in found]


def problems(browser: Browser, address: str, width: int, scheme: str) -> list[str]:
    page, trouble = open_page(browser, address, width, color_scheme=scheme)
    said = [text for text in trouble if not text.startswith("WARN")]  # but what Vega says of its own choices
    found = [f"{width} px, {scheme}, {problem}" for problem in [*violations(page), *said]]
    page.context.close()
    return found


@pytest.mark.parametrize("address", FEW)
def test_axe_finds_nothing_on_a_page_of_each_kind(html: Path, browser: Browser, address: str):
    for width, scheme in ((1280, "light"), (360, "dark")):
        assert problems(browser, (html / f"{address}.html").as_uri(), width, scheme) == []


@pytest.mark.slow
@pytest.mark.parametrize("address", EVERY)
def test_axe_finds_nothing_on_any_page(html: Path, browser: Browser, address: str):
    found = [problem for way in WAYS for problem in problems(browser, (html / f"{address}.html").as_uri(), *way)]
    assert found == []


def test_axe_is_run(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / f"{FEW[1]}.html").as_uri())
    page.evaluate("document.querySelector('.claim').insertAdjacentHTML('afterbegin', '<img src=\"x.png\">')")
    assert any(problem.startswith("image-alt: 1 x") for problem in violations(page))
    page.context.close()


TOO_WIDE = """(selector) => [...document.querySelectorAll(selector)].filter((element) => {
    const [own, view] = [element.getBoundingClientRect(), document.documentElement.clientWidth];
    return own.width && (own.right > view + 1 || own.left < -1 || element.scrollWidth > element.clientWidth + 1);
}).map((element) => element.outerHTML.slice(0, 100))"""
TEXTS = ".claim :is(p, dd, li), .claims-fold summary, .ledger-table :is(th, td), .ledger-controls :is(label, input)"


@pytest.mark.parametrize("address", ["chapters/industry/overview", "chapters/evidence/claims"])
@pytest.mark.parametrize(("width", "size"), [(1280, "200%"), (640, "100%"), (320, "100%")])
def test_statements_are_whole_with_text_at_twice_its_size(
    html: Path, browser: Browser, address: str, width: int, size: str
):
    page, _ = open_page(browser, (html / f"{address}.html").as_uri(), width)
    page.evaluate(OPEN)
    page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", size)
    assert page.evaluate(TOO_WIDE, TEXTS) == []
    page.context.close()


@pytest.mark.parametrize("address", ["chapters/industry/overview", "chapters/evidence/claims"])
def test_statements_do_not_move(html: Path, browser: Browser, address: str):
    """Nothing on cards and in the ledger moves by itself, so whoever asked for less motion gets none."""
    page, _ = open_page(browser, (html / f"{address}.html").as_uri(), reduced_motion="reduce")
    moving = """() => [...document.querySelectorAll(".claims *, .ledger *")].filter((element) => {
        const style = getComputedStyle(element);
        return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
    }).map((element) => element.outerHTML.slice(0, 100))"""
    assert page.evaluate(moving) == []
    page.context.close()
