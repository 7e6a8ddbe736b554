"""What surrounds the text of a page: navigation, search, colors, and the few files that all pages load.

The layout is ours and stands in `layout/`; the style of the text is the theme's. Of all style sheets, one is made that
has what the pages use and nothing else, and of the files that the theme brings, those that no page asks for are left
out. Every page works without a script.
"""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config
from sphinx.util.build_phase import BuildPhase

from companion.book import policy, styles
from companion.book.contents import contents, sections
from companion.book.lines import keep_whole
from companion.book.nodes import TEMPLATES, Aside, after_writing, for_web
from companion.citation import address, metadata
from companion.files import inputs, keep
from companion.files.layout import FIRST_PAGE, MISSING_PAGE
from companion.settings import changes_file

HERE = Path(__file__).parent
STATIC = "_static"
SCROLLS = '<div class="pst-scrollable-table-container">'
STYLE, UNCUT, CUT = "book.css", ".uncut.css", ".cut"
# In the order in which they take precedence: the theme's, those of its extensions, and the book's own.
SHEETS = (
    "basic.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
    "sphinx-design.min.css",
    "tokens.css",
    "companion.css",
    "statements.css",
    "shell.css",
    "front.css",
)
FIRST_SCRIPT = (HERE / "layout" / "first.js").read_text(encoding="utf-8").strip()
SCRIPT = "shell.js"
ADDRESS = "address.js"  # of pages with a form that the address keeps
LIBRARY = "vega.js"  # what draws charts
INDEX = "search-index.js"
MADE = {STYLE, LIBRARY, INDEX}
# MiniSearch as it is in the npm registry: dist/umd/index.js and LICENSE.txt of the package.
SEARCHES = "minisearch-7.2.0"


def setup(app: Sphinx, aside: Aside) -> None:
    """Connect to Sphinx."""
    app.add_config_value("companion_pinned", {}, "html", dict)
    app.connect("config-inited", _add_layout)
    app.connect("builder-inited", _without_index)
    app.connect("html-page-context", _surround, priority=950)
    app.connect("html-collect-pages", _more_pages)
    after_writing(app, _lead_on)
    # The theme and its extensions write until then.
    app.connect("build-finished", partial(_finish, aside), priority=900)


def _add_layout(app: Sphinx, config: Config) -> None:
    # From the book's folder: what Sphinx remembers of a build must not depend on where it stands.
    layout, *static = (os.path.relpath(path, app.confdir) for path in (HERE / "layout", HERE / "static", *_engine()))
    config["templates_path"].append(layout)
    config["html_use_index"] = False  # the glossary and the search are one
    config["html_static_path"] += static
    config["html_sidebars"] = {"**": []}  # the theme fills its own on every page, and none is shown


def _engine() -> Iterator[Path]:
    """What searches, with its licence."""
    return (HERE / "vendor").glob(f"{SEARCHES}.*")


def _without_index(app: Sphinx) -> None:
    """Have no search of Sphinx's own: it knows neither exhibits nor statements."""
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.search = False


def add_script(context: dict[str, Any], name: str) -> None:
    """Have a page load a script of the book, once it has been read."""
    context.setdefault("scripts", [f"{STATIC}/{SCRIPT}"]).append(f"{STATIC}/{name}")


def _surround(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if not for_web(app.builder):
        return
    order = contents(app.env)
    pinned = {page: title for title, page in app.config.companion_pinned.items() if page in order.short}
    names = order.short | pinned
    context.setdefault("scripts", [f"{STATIC}/{SCRIPT}"])
    if "body" in context:  # a table that the theme lets scroll can be scrolled by keyboard
        body = context["body"].replace(SCROLLS, f'{SCROLLS[:-1]} tabindex="0">')
        context["body"] = keep_whole(body)
    context.update(
        names=names,
        pinned=pinned,
        parts=[
            {"title": title, "pages": shown, "here": pagename in pages}
            for title, pages in order.parts
            if title and (shown := [page for page in pages if page not in pinned])
        ],
        steps=_steps(order.order, names, pagename, context["pathto"]),
        # The front page takes the room of its contents.
        page_sections=sections(app.env, pagename) if doctree and pagename != app.config.root_doc else [],
        policy=policy.policy([FIRST_SCRIPT]),
        first_script=FIRST_SCRIPT,
        style=f"{STATIC}/{STYLE}",
        editions=changes_file() is not None,
    )


def _steps(pages: list[str], names: dict[str, str], page: str, path_to: Any) -> dict[str, dict[str, str]]:
    """The pages before and after a page, each with its short title and address."""
    if page not in pages:
        return {}
    place = pages.index(page)
    around = {"previous": pages[place - 1 : place], "next": pages[place + 1 : place + 2]}
    return {name: {"title": names[found[0]], "link": path_to(found[0])} for name, found in around.items() if found}


def _more_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    if for_web(app.builder):
        scripts = [f"{STATIC}/{name}" for name in (SCRIPT, f"{SEARCHES}.js", INDEX, "search.js")]
        yield "search", {"title": "Search", "scripts": scripts}, "search.html"


def _finish(aside: Aside, app: Sphinx, exception: Exception | None) -> None:
    """Write the one style sheet, and leave out what no page asks for."""
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder) or not for_web(app.builder):
        return
    static = Path(app.outdir, STATIC)
    if app.phase != BuildPhase.READING:
        _write_missing(app)
        pages = [path for path in Path(app.outdir).rglob("*.html") if STATIC not in path.parts]
        names = styles.names_in([*pages, *(HERE / "static").glob("*.js")])
        sheet = "\n".join(next(static.glob(name)).read_text(encoding="utf-8") for name in SHEETS)
        Path(app.outdir).with_name(UNCUT).write_text(sheet, encoding="utf-8")  # the tests compare them
        aside(partial(_write_style, sheet, names, static / STYLE, Path(app.outdir).with_name(CUT)))
    kept = {path.name for path in [*(HERE / "static").iterdir(), *_engine()]} | MADE
    for path in static.iterdir():
        if path.name not in kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _write_style(sheet: str, names: frozenset[str], target: Path, kept: Path) -> None:
    """Write a style sheet cut down to what pages use, as it is kept where pages have the same names as before."""
    state = inputs.digest("\n".join([sheet, inputs.file_digest(Path(styles.__file__)), *sorted(names)]))
    before, _, text = (keep.read(kept) or b"").decode().partition("\n")
    if before != state:
        text = styles.used(sheet, names)
        keep.write(kept, f"{state}\n{text}".encode())
    target.write_text(text, encoding="utf-8")


def _lead_on(app: Sphinx) -> None:
    """Write the page that leads to the first one, which Jupyter Book would write without a policy."""
    first = app.builder.get_target_uri(app.config.root_doc)
    text = f"""{policy.TAG.format("default-src 'none'")}\n<meta http-equiv="Refresh" content="0; url={first}" />\n"""
    Path(app.outdir, FIRST_PAGE).write_text(text, encoding="utf-8")


def _write_missing(app: Sphinx) -> None:
    """Write the page that a server shows where there is none; its link is the same from every address."""
    home = address(metadata(Path(app.srcdir))) or "/"
    page = TEMPLATES.get_template("missing.html").render(title=app.config.html_title, home=home)
    Path(app.outdir, MISSING_PAGE).write_text(page, encoding="utf-8")
