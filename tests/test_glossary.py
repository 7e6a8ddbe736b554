"""Words of the glossary in the text of pages: explained to pointer, keys and finger; links where no script runs."""

from pathlib import Path

import pytest
from conftest import open_page
from docutils import nodes
from playwright.sync_api import Browser, Locator, Page, expect

from companion.book.glossary import _is_prose, _letters

CHAPTER = "chapters/uas/exporters.html"
MEANING = "Stockholm International Peace Research Institute."


def opened(browser: Browser, html: Path, width: int = 1280, **context: object) -> tuple[Page, list[str]]:
    return open_page(browser, (html / CHAPTER).as_uri(), width, **context)


def words_of(page: Page) -> tuple[Locator, Locator]:
    """A word that the page has first, and what it means."""
    term = page.locator("a.term", has_text="SIPRI")
    return term, page.locator(f"#{term.get_attribute('aria-describedby')}")


def test_the_first_use_of_a_word_is_marked_and_no_other(html: Path, browser: Browser):
    page, _ = opened(browser, html)
    marked = page.locator("a.term").all_inner_texts()
    assert "SIPRI" in marked
    assert len(marked) == len({*marked})
    term, _ = words_of(page)
    before = """term => {
        const range = new Range();
        range.setStart(document.querySelector("article h1"), 0);
        range.setEndBefore(term);
        return [...range.cloneContents().querySelectorAll("p:not(figure p)")].map(each => each.textContent).join();
    }"""
    assert "SIPRI" not in term.evaluate(before)
    page.context.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_pointer_and_keys_show_what_a_word_means(html: Path, browser: Browser, width: int):
    page, trouble = opened(browser, html, width)
    term, words = words_of(page)
    expect(words).to_be_hidden()
    expect(term).to_have_accessible_description(MEANING)
    height = page.evaluate("document.documentElement.scrollHeight")
    term.hover()
    expect(words).to_have_text(MEANING)
    expect(words).to_be_visible()
    box = words.bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    words.hover()
    page.wait_for_timeout(300)
    expect(words).to_be_visible()
    page.keyboard.press("Escape")
    expect(words).to_be_hidden()
    page.mouse.move(0, 0)
    page.keyboard.press("Tab")
    while not term.evaluate("term => term === document.activeElement"):
        page.keyboard.press("Tab")
    expect(words).to_be_visible()
    page.keyboard.press("Tab")
    expect(words).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollHeight") == height
    assert trouble == []
    page.context.close()


def test_a_first_touch_shows_the_words_and_a_second_follows_the_link(html: Path, browser: Browser):
    page, _ = opened(browser, html, 360, has_touch=True)
    term, words = words_of(page)
    term.tap()
    expect(words).to_be_visible()
    page.locator("h1").tap()
    expect(words).to_be_hidden()
    term.tap()
    term.tap()
    page.wait_for_url("**/glossary.html#term-SIPRI")
    page.context.close()


def test_without_a_script_a_word_leads_to_the_glossary(html: Path, browser: Browser):
    page, _ = opened(browser, html, java_script_enabled=False)
    page.locator("a.term", has_text="SIPRI").click()
    page.wait_for_url("**/glossary.html#term-SIPRI")
    page.context.close()


def test_names_keep_their_letters_and_what_is_no_sentence_is_left():
    assert _letters("SM-3") == r"SM\-3"
    assert _letters("Customs value") == r"[Cc]ustoms\ value"
    linked = nodes.paragraph("", "", nodes.reference("", "TIV"), nodes.Text("TIV"))
    assert [_is_prose(text) for text in linked.findall(nodes.Text)] == [False, True]
    assert not _is_prose(next(nodes.title("", "TIV").findall(nodes.Text)))
