"""What every page carries: style, version, the chart script where it is needed, nothing from other hosts."""

from html import escape, unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ext import add_global_html_resources
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config

from companion.book import pictures
from companion.book.markdown import plain
from companion.book.nodes import exhibits_in, for_web, number_of
from companion.citation import address, cite_book, cite_exhibit, doi_address, metadata
from companion.settings import changes_file
from companion.tables.own_files import folder

HERE = Path(__file__).parent
SCRIPT = "companion/charts.js"
OWN_FILES = (
    "This copy of the book was built with files of its reader’s own, from data/local/. It is not for publication."
)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _take_edition)
    app.connect("builder-inited", _add_assets)
    app.connect("write-started", _draw)
    app.connect("html-collect-pages", _mend_search)
    app.connect("html-page-context", _choose_scripts, priority=900)


def _take_edition(app: Sphinx, config: Config) -> None:
    """Version, date, citation, and addresses come from CITATION.cff alone."""
    book = metadata(Path(app.srcdir))
    config["version"] = config["release"] = book.version
    config["html_baseurl"] = address(book) or ""  # for the canonical address of each page
    date = book.date_released
    edition = f"Version {book.version}, {date.day} {date:%B %Y}"
    state = edition if changes_file() else f"Working copy of version {book.version}"
    doi = f' DOI: <a href="{doi_address(book)}">{book.doi}</a>.' if book.doi else ""
    config["html_theme_options"]["extra_footer"] += f"\n<p>{state}.{doi}</p>"
    if folder():
        config["html_theme_options"]["announcement"] = OWN_FILES
    source = f"from <{book.repository_code}>" if book.repository_code else "of the book’s folder"
    config["myst_substitutions"] = {"version": book.version, "citation": plain(cite_book(book)), "source": source}


def _add_assets(app: Sphinx) -> None:
    pictures.keep_in(Path(app.outdir).parent / ".pictures")
    if for_web(app.builder):
        app.config.html_static_path.append(str(HERE / "static"))
        app.add_css_file("companion.css")
        script(app).parent.mkdir(parents=True, exist_ok=True)
        add_global_html_resources(app, None)  # myst-nb does so at the end, which changes a second build's addresses


def _draw(app: Sphinx, builder: Builder) -> None:
    """Have every chart drawn before the first page is written, and join the chart script with its libraries."""
    env, book = app.env, metadata(Path(app.srcdir))
    found = [node for page in sorted(env.found_docs) for node in exhibits_in(env.get_doctree(page))]
    jobs: list[pictures.Job] = []
    for node in found:
        if node["exhibit"].spec is not None:
            credit = cite_exhibit(book, node["exhibit"], number_of(env, node)) if for_web(builder) else None
            jobs.append((pictures.draw_exhibit, (node["exhibit"], credit)))
            for view in list(node["exhibit"].views().values())[1:] if for_web(builder) else []:
                credit = cite_exhibit(book, view, number_of(env, node))
                jobs.append((pictures.draw_exhibit, (view, credit)))
    source = (HERE / "charts.js").read_text(encoding="utf-8")
    if for_web(builder):
        jobs.insert(0, (pictures.bundle, (source,)))  # it takes longest
    pictures.begin_to_draw(jobs)
    pictures.finish_drawing()
    if for_web(builder):
        script(app).write_text(pictures.bundle(source), encoding="utf-8")


def _mend_search(app: Sphinx) -> list[Any]:
    """Make the search index that of a build from nothing: Sphinx keeps words that no page has, and forgets terms."""
    builder = app.builder
    if isinstance(builder, StandaloneHTMLBuilder) and builder.indexer:
        for words in (builder.indexer._mapping, builder.indexer._title_mapping):
            for word in [word for word, pages in words.items() if not pages]:
                del words[word]
        for page in sorted(app.env.found_docs - builder.indexer._index_entries.keys()):
            if any(app.env.get_doctree(page).findall(addnodes.index)):
                doctree = app.env.get_and_resolve_doctree(page, builder)
                builder.index_page(page, doctree, escape(app.env.titles[page].astext()))
        # The search shows titles as HTML; those that it took over from the last build are escaped already.
        builder.indexer._all_titles = {
            page: [(escape(unescape(title)), id) for title, id in titles]
            for page, titles in builder.indexer._all_titles.items()
        }
    return []  # no further pages


def script(app: Sphinx) -> Path:
    """Where the chart script goes."""
    return Path(app.outdir) / "_static" / SCRIPT


def _choose_scripts(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree and exhibits_in(doctree):
        app.add_js_file("exhibits.js", loading_method="defer")
    if doctree and any(node["exhibit"].spec for node in exhibits_in(doctree)):
        app.add_js_file(SCRIPT, loading_method="defer")
    # The theme loads Thebe's settings on every page although the book runs no code on remote servers.
    scripts: list[object] = context["script_files"]
    scripts[:] = [script for script in scripts if "thebe" not in str(script).lower()]
