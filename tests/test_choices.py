"""What readers can choose to see in exhibits: each choice does something, everywhere, and can be taken back."""

import json
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import nbformat
import pytest
from conftest import ROOT, open_page, wait_until
from docutils.utils import new_document
from playwright.sync_api import Browser, Locator, Page, expect

from companion.book import pictures
from companion.book.nodes import ExhibitNode, find_exhibit
from companion.chapters.notebooks import chapter_paths, exhibits_of, expected_path
from companion.exhibits.form import PUBLISHED, Exhibit, slug

REFERENCES = {path: nbformat.read(expected_path(path), as_version=4) for path in chapter_paths()}
CHOICES = [(path, shown) for path, reference in REFERENCES.items() for shown in exhibits_of(reference) if shown.choices]
HIGHLIGHTING = [(path, e) for path, reference in REFERENCES.items() for e in exhibits_of(reference) if e.highlight]
ABSORBING = [(path, e) for path, reference in REFERENCES.items() for e in exhibits_of(reference) if e.absorbs]
TEXTS = ("title", "subtitle")


@pytest.fixture(scope="module")
def opened(browser: Browser) -> Iterator[Page]:
    """One page for all, since opening a browser takes longest; nothing goes wrong in it."""
    page, trouble = open_page(browser, "about:blank")
    yield page
    assert [text for text in trouble if not text.startswith("WARN")] == []  # what Vega says of its own choices
    page.context.close()


def rows_of(view: Exhibit, field: str) -> list[dict[str, object]]:
    """What a view shows, without the column that tells it from others."""
    return [{name: value for name, value in row.items() if name != field} for row in view.rows]


def texts(figure: Locator) -> tuple[str, ...]:
    return tuple(figure.locator(f".exhibit-{part}").inner_text() for part in TEXTS)


def downloads(figure: Locator) -> list[str]:
    figure.locator("summary", has_text="Download").click()
    visible = "links => links.filter(link => link.checkVisibility()).map(link => link.getAttribute('href'))"
    links = figure.locator(".exhibit-downloads a").evaluate_all(visible)
    figure.page.keyboard.press("Escape")
    return links


def settings(shown: Exhibit) -> list[dict[str, str]]:
    """What a reader comes to who goes down one control after the other: from the published view to the last options."""
    seen = [{choice["field"]: slug(choice["options"][0]["value"]) for choice in shown.choices}]
    for choice in shown.choices:
        seen += [seen[-1] | {choice["field"]: slug(option["value"])} for option in choice["options"][1:]]
    return seen


@pytest.mark.parametrize(("page", "shown"), CHOICES, ids=[shown.id for _, shown in CHOICES])
def test_each_choice_changes_all_that_it_should_and_is_taken_back(opened: Page, html: Path, page: Path, shown: Exhibit):
    place = (html / page.relative_to(ROOT)).with_suffix(".html").as_uri()
    opened.goto(f"{place}#{shown.id}")
    figure = opened.locator(f"#{shown.id}")
    opened.keyboard.press("Escape")
    figure.locator(".exhibit-live svg.marks").wait_for()
    columns, svg = [f["name"] for f in shown.fields], f"document.querySelector('#{shown.id} .exhibit-live svg')"
    told = "[mark.getAttribute('d'), mark.getAttribute('transform'), mark.textContent]"
    picture = f"[...{svg}.querySelectorAll('path, text')].map((mark) => {told}.join()).sort().join(';')"
    published = (opened.evaluate(picture), texts(figure), downloads(figure))
    views, steps = shown.views(), settings(shown)
    seen, addresses = [published], {}
    for before, now in pairwise(steps):
        (field,) = dict(now.items() - before.items())
        figure.locator(f"[data-name={field}]").locator("input:checked, select").press("ArrowDown")
        old, chosen = (dict(step.items() - steps[0].items()) for step in (before, now))
        name = "_".join(now[field] for field in now if field in chosen)
        view, old_view = views[name], views["_".join(before[field] for field in before if field in old) or PUBLISHED]
        wait_until(opened, f"alt => {svg}.getAttribute('aria-label') === alt", view.alt)
        # Two states of a database can be the same; a choice of the picture alone has no other sense.
        if field not in columns or rows_of(view, field) != rows_of(old_view, field):
            wait_until(opened, f"before => {picture} !== before", seen[-1][0])
        seen.append((opened.evaluate(picture), texts(figure), downloads(figure)))
        addresses[opened.url] = texts(figure)
        assert opened.url.endswith(f"#{shown.id}:{urlencode({field: now[field] for field in now if field in chosen})}")
        assert all((html / "exhibits" / Path(link).name).is_file() for link in seen[-1][2])
        assert all(f"{shown.id}.{name}." in link for link in seen[-1][2]), "downloads are of what is shown"
        assert figure.locator(".exhibit-changed").is_visible()
        drawn, needed = (float(figure.locator(".exhibit-live svg").get_attribute("height")), pictures.height(view))
        assert abs(drawn - needed) < 12, "the picture has the height that the view needs"
        assert abs(figure.locator(".exhibit-picture").bounding_box()["height"] - drawn) < 2
    assert len({str(said) for _, said, _ in seen}) == len({str(files) for *_, files in seen}) == len(seen)
    figure.get_by_role("button", name="Reset").press("Enter")
    wait_until(opened, f"before => {picture} === before", published[0])
    assert (texts(figure), downloads(figure)) == published[1:]
    assert opened.url.endswith(f"#{shown.id}")
    assert not figure.locator(".exhibit-changed").is_visible()
    address, last = addresses.popitem()
    opened.goto("about:blank")
    opened.goto(address)  # who is sent there sees it at once
    wait_until(opened, f"() => {svg} !== null")
    wait_until(opened, f"before => {picture} === before", seen[-1][0])
    assert texts(figure) == last
    assert opened.locator(f"#{shown.id} .exhibit-live svg").get_attribute("aria-label") == view.alt


def test_what_an_address_asks_for_moves_nothing_below(opened: Page, html: Path):
    """The page keeps the height of the published view, until the reader chooses."""
    place = (html / "chapters/eoir/industrial-base.html").as_uri()
    opened.goto("about:blank")
    opened.goto(place)
    box = opened.locator("#figure-4 .exhibit-picture")
    published = box.bounding_box()["height"]
    opened.goto("about:blank")
    opened.goto(f"{place}#figure-4:shown=maker")
    box.locator(".exhibit-live svg.marks").wait_for()
    wait_until(opened, "document.querySelector('#figure-4 .exhibit-live svg').clientHeight < 300")
    assert abs(box.bounding_box()["height"] - published) < 3
    opened.locator("#figure-4 input").last.click()
    wait_until(opened, "document.querySelector('#figure-4 .exhibit-picture').clientHeight > 700")
    opened.locator("#figure-4 input").nth(1).click()
    wait_until(opened, "document.querySelector('#figure-4 .exhibit-picture').clientHeight < 300")


def test_a_view_and_a_choice_stand_in_the_address_together(opened: Page, html: Path):
    opened.goto((html / "chapters/uas/exporters.html").as_uri() + "#figure-1:vintage=2026-05&view=table")
    figure = opened.locator("#figure-1")
    state = figure.locator("[data-name=vintage] input").last
    assert state.is_checked()
    expect(figure.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
    figure.get_by_role("button", name="Reset").click()
    assert opened.url.endswith("#figure-1:view=table")
    figure.get_by_role("tab", name="Chart").click()
    state.click()
    assert opened.url.endswith("#figure-1:vintage=2026-05")


@pytest.mark.parametrize(("page", "shown"), ABSORBING, ids=[shown.id for _, shown in ABSORBING])
def test_what_led_to_an_absorbed_exhibit_leads_to_its_heir(opened: Page, html: Path, page: Path, shown: Exhibit):
    place = (html / page.relative_to(ROOT)).with_suffix(".html").as_uri()
    labels = zlib.decompress((html / "objects.inv").read_bytes().split(b"\n", 4)[4]).decode()  # what {numref} knows
    for old in shown.absorbs:
        assert f"\n{old} std:label -1 {place.removeprefix(html.as_uri() + '/')}#{shown.id} " in labels
        opened.goto("about:blank")
        opened.goto(f"{place}#{old}:view=table")
        figure = opened.locator(f"#{shown.id}")
        expect(figure.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
        expect(figure.locator(".exhibit-title")).to_be_in_viewport()
        opened.goto(f"{place}#{old}")
        expect(figure.get_by_role("tab", name="Chart")).to_have_attribute("aria-selected", "true")
        opened.goto((html / "exhibits" / f"{old}.html").as_uri())
        expect(opened.locator("h1")).to_have_text(shown.title)


@pytest.mark.parametrize(("page", "shown"), HIGHLIGHTING, ids=[shown.id for _, shown in HIGHLIGHTING])
def test_what_a_reader_picks_stands_out(opened: Page, html: Path, page: Path, shown: Exhibit):
    place = f"{(html / page.relative_to(ROOT)).with_suffix('.html').as_uri()}#{shown.id}"
    opened.goto(place)
    figure = opened.locator(f"#{shown.id}")
    opened.keyboard.press("Escape")
    figure.locator(".exhibit-live svg.marks").wait_for()
    picture = f"""[...document.querySelectorAll('#{shown.id} .exhibit-live path')].map(
        (mark) => [mark.getAttribute('d'), mark.getAttribute('stroke')].join()).sort().join(';')"""
    before, seen = texts(figure), {opened.evaluate(picture): place}
    picker = figure.get_by_label(f"{shown.highlight['title']} in color")
    assert json.loads(figure.locator(".exhibit-picture script").inner_text())["params"][-1] == {
        "name": figure.locator("[data-name=highlight]").get_attribute("data-param"),
        "value": shown.highlight["names"][0],
    }
    for name in shown.highlight["names"][1:]:
        picker.focus()
        opened.keyboard.press("ArrowDown")
        expect(picker).to_have_value(name)
        assert opened.url == f"{place}:{urlencode({'highlight': name})}"
        wait_until(opened, f"([seen]) => !seen.includes({picture})", [[*seen]])
        seen[opened.evaluate(picture)] = opened.url
        assert texts(figure) == before
    published, *_, last = seen
    opened.goto("about:blank")
    opened.goto(seen[last])
    wait_until(opened, f"(last) => {picture} === last", last)
    picker.select_option(index=0)
    wait_until(opened, f"(published) => {picture} === published", published)
    assert opened.url == place


def test_an_exhibit_is_found_by_the_id_of_one_that_it_absorbed():
    page, shown = ABSORBING[0]
    document = new_document("page")
    document += ExhibitNode("", names=[], exhibit=shown, docname=page.stem)
    labels = dict.fromkeys((shown.id, *shown.absorbs), (page.stem, shown.id))
    env = SimpleNamespace(
        domaindata={"std": {"anonlabels": labels}}, found_docs={page.stem}, get_doctree=lambda name: document
    )
    assert [find_exhibit(env, id)["exhibit"] for id in labels] == [shown] * len(labels)
    assert find_exhibit(env, "another") is None
