"""Citing: the citation in five forms on a page and as files, and a citation at the end of each chapter."""

from pathlib import Path
from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from companion.book.catalogue import Generated
from companion.book.nodes import TEMPLATES, after_writing, for_web
from companion.citation import APA, CHICAGO, bibtex, book_item, chapter_item, csl_json, metadata, ris, sentence
from companion.files.layout import CITATION

# Name, lexer for its colors, file, and function of each form that programs read.
ENTRIES = [
    ("BibTeX", "bibtex", "companion.bib", bibtex),
    ("RIS", "none", "companion.ris", ris),
    ("CSL-JSON", "json", "companion.json", csl_json),
]


class CitationForms(Generated):
    """`{citation-forms}`: the citation of the book in APA, Chicago, BibTeX, RIS, and CSL-JSON."""

    template = "citing.md"

    def content_of(self) -> dict[str, Any]:
        """The sentences as HTML, the entries as text."""
        item = book_item(metadata(Path(self.env.srcdir)))
        return {
            "sentences": {"APA": sentence(item, APA), "Chicago (author-date)": sentence(item, CHICAGO)},
            "entries": [
                {"name": name, "lexer": lexer, "file": file, "text": Markup(form(item))}
                for name, lexer, file, form in ENTRIES
            ],
            "root": "../" * self.env.docname.count("/"),
        }


def is_chapter(app: Sphinx, pagename: str, doctree: nodes.document | None) -> bool:
    """Whether a page of the HTML book is a chapter: a page of its own text, and not the landing page."""
    return for_web(app.builder) and doctree is not None and pagename != app.config.root_doc


def setup(app: Sphinx) -> None:
    """Register the directive; files are written when all pages are done."""
    app.add_directive("citation-forms", CitationForms)
    app.connect("html-page-context", _add_citation)
    after_writing(app, _write_files)


def _add_citation(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if not isinstance(app.builder, StandaloneHTMLBuilder) or not is_chapter(app, pagename, doctree):
        return
    title = app.env.titles[pagename].astext()
    item = chapter_item(metadata(Path(app.srcdir)), title, app.builder.get_target_uri(pagename))
    entry = Markup(app.builder.highlighter.highlight_block(bibtex(item), "bibtex"))
    context["body"] += TEMPLATES.get_template("cite.html").render(sentence=sentence(item, APA), entry=entry)


def _write_files(app: Sphinx) -> None:
    folder = Path(app.outdir, CITATION)
    folder.mkdir(exist_ok=True)
    item = book_item(metadata(Path(app.srcdir)))
    for _, _, file, form in ENTRIES:
        (folder / file).write_text(form(item), encoding="utf-8")
