"""The content security policy: every page has one, nothing of the book offends it, and what came in does not run."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import open_page
from playwright.sync_api import Browser, Page

from companion.book.policy import allowed, policy
from companion.editions.site import write_site
from companion.files import whole

INSERTED = [
    "<script>document.title = 'ran'</script>",
    "<img src=x onerror=\"document.title = 'ran'\">",
    "<a id=try href=\"javascript:void(document.title = 'ran')\">a</a>",
    "<script src=\"data:text/javascript,document.title = 'ran'\"></script>",
    "<iframe srcdoc=\"<script>parent.document.title = 'ran'</script>\"></iframe>",
    "<script>kernelName = 'python3'; document.title = 'ran'</script>",
]
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*"[^>]*>')
# Told to the console, which the tests read. Nothing is offended before this listens.
LISTEN = """addEventListener("securitypolicyviolation",
    event => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""


def pages(html: Path) -> list[Path]:
    return [page for page in html.rglob("*.html") if not page.relative_to(html).as_posix().startswith("_")]


def offended(page: Page) -> list[str]:
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if "olicy" in message.text else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.add_init_script(LISTEN)
    return found


def test_every_page_has_a_policy_before_anything_that_it_loads(html: Path):
    for page in pages(html):
        text = page.read_text(encoding="utf-8")
        found = POLICY.search(text)
        assert found, page
        assert "default-src 'none'" in found[0]
        assert not re.search(r"unsafe-eval|script-src[^;]*unsafe-inline|https?:", found[0])
        assert not re.search(r"<(script(?! type=.application)|link|img|style)\b", text[: found.start()]), page


@pytest.mark.parametrize(
    ("from_a_folder", "every_page"),
    [
        pytest.param(True, True, id="every page", marks=pytest.mark.slow),
        pytest.param(True, False, id="folder"),
        pytest.param(False, False, id="server"),
    ],
)
def test_nothing_of_the_book_offends_it(html: Path, browser: Browser, from_a_folder: bool, every_page: bool):
    """Pages as a reader opens them, their charts drawn, and the search.

    What a page itself holds is the same from a folder and from a server, where other addresses are those of the book.
    What offends the policy is an error in the console, so tests that open other pages find it there too.
    """
    root = html.as_uri() if from_a_folder else "http://book.test"
    page, _ = open_page(browser, "about:blank")
    page.route("http://book.test/**", lambda r: r.fulfill(path=html / urlsplit(r.request.url).path.removeprefix("/")))
    found = offended(page)
    opened = pages(html) if every_page else {path.parent: path for path in pages(html)}.values()
    for path in opened:
        page.goto(f"{root}/{path.relative_to(html).as_posix()}")
        if path.parent == html and path.name == "index.html":
            page.wait_for_url(f"{root}/chapters/index.html")
        page.mouse.wheel(0, 1)  # charts come alive for who does something
        for picture in page.locator(".exhibit-picture:has(.exhibit-live)").all():
            picture.scroll_into_view_if_needed()
            picture.locator(".exhibit-live svg.marks").wait_for(state="attached")
        assert found == [], path
    page.goto(f"{root}/chapters/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("sensor")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=sensor")
    page.locator(".found a").first.wait_for()
    assert found == []
    page.context.close()


@pytest.mark.parametrize("insert", INSERTED)
@pytest.mark.parametrize("name", ["chapters/index.html", "exhibits/figure-1.html", "search.html"])
def test_what_came_into_a_page_does_not_run(html: Path, browser: Browser, tmp_path: Path, name: str, insert: str):
    """And would run without the policy."""
    text = (html / name).read_text(encoding="utf-8").replace("<main", f"{insert}<main", 1)
    assert insert in text
    ran = []
    for number, content in enumerate([text, POLICY.sub("", text)]):
        path = tmp_path / f"{number}.html"
        path.write_text(content, encoding="utf-8")
        page, _ = open_page(browser, path.as_uri())
        if "id=try" in insert:
            page.evaluate("document.getElementById('try').click()")
        page.wait_for_timeout(200)
        ran.append(page.title() == "ran")
        page.context.close()
    assert ran == [False, True]


def test_a_page_that_leads_to_the_newest_edition_still_does(browser: Browser, tmp_path: Path):
    title = "An edition"
    for name in ("1.0/index.html", "1.0/chapters/a.html"):
        whole.write(tmp_path / name, f"<!DOCTYPE html><title>{name}</title>")
    (tmp_path / "1.0" / "edition.json").write_text(
        '{"version": "1.0", "released": "2027-01-05", "title": "An edition", "citation": "Cited", "files": {}, '
        '"pages": ["index.html", "chapters/a.html"]}',
        encoding="utf-8",
    )
    write_site(tmp_path)
    page, _ = open_page(browser, "about:blank")
    found = offended(page)
    page.goto((tmp_path / "editions.html").as_uri())
    page.goto((tmp_path / "latest" / "chapters" / "a.html").as_uri() + "?a=b#here")
    page.wait_for_url("**/1.0/chapters/a.html?a=b#here")  # the script keeps what follows the address
    assert page.title() == "1.0/chapters/a.html", title
    assert found == []
    page.context.close()


def test_a_policy_names_scripts_by_what_is_in_them():
    assert allowed("alert(1)") == "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    assert allowed("a") in policy(["a"])
