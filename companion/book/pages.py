"""What every page carries: style, version, the chart script where it is needed, nothing from other hosts."""

import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from companion.book import pictures, vega
from companion.book.markdown import plain
from companion.book.nodes import exhibits_in, for_web
from companion.book.shell import LIBRARY, STATIC, add_script
from companion.citation import address, cite_book, doi_address, metadata
from companion.settings import changes_file
from companion.tables.own_files import folder

OWN_FILES = (
    "This copy of the book was built with files of its reader’s own, from data/local/. It is not for publication."
)


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("config-inited", _take_edition)
    app.connect("builder-inited", _keep_pictures)
    app.connect("env-updated", _use_all_cores, priority=900)
    app.connect("write-started", _finish_drawing)
    app.connect("html-page-context", _choose_scripts)


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


def _keep_pictures(app: Sphinx) -> None:
    pictures.keep_in(Path(app.outdir).parent / ".pictures")


def _finish_drawing(app: Sphinx, builder: Builder) -> None:
    """Have every chart drawn before the first page is written, and the library that draws charts ready."""
    pictures.finish_drawing()
    if for_web(builder):
        static = Path(app.outdir, STATIC)
        static.mkdir(exist_ok=True)
        (static / LIBRARY).write_text(vega.for_browsers(), encoding="utf-8")


def _use_all_cores(app: Sphinx, env: BuildEnvironment) -> None:
    """Have pages written by as many processes as there are cores, and another one that hands them out.

    They are read by one, which keeps in memory what it then resolves and writes. No chart is drawn in those that write:
    all are there by then, and only files for download are made of them.
    """
    if not for_web(app.builder):
        return
    app.parallel = 2 * (os.cpu_count() or 1) + 1
    main = os.getpid()

    def stop_alone(*_: object) -> None:
        if os.getpid() != main and os.getppid() != main:
            os._exit(1)  # the build was killed, and the next one may be writing this page

    app.connect("html-page-context", stop_alone, priority=999)


def _choose_scripts(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree and any(node["exhibit"].spec for node in exhibits_in(doctree)):
        add_script(context, "charts.js")  # comes first: an address may ask for a picture at once
    if doctree and exhibits_in(doctree):
        add_script(context, "exhibits.js")
