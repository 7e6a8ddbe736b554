"""Editions in the book: the way to the other ones, what this one comes with, and what changed in its numbers."""

import json
from pathlib import Path

from docutils import nodes
from markupsafe import escape
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from companion.book import freshness
from companion.book.catalogue import parsed
from companion.book.markdown import plain
from companion.book.nodes import TEMPLATES, leave
from companion.changes.compare import Changes, Style, as_csv, as_markdown
from companion.changes.numbers import OUTPUTS
from companion.changes.released import RECORDS, since
from companion.citation import cite_book, metadata
from companion.files import inputs
from companion.files.layout import ABOUT, CHANGES, DOWNLOADS, archive_name
from companion.settings import changes_file

PAGE = "chapters/evidence/editions"
TITLE = "What changed in the numbers"

WORKING_COPY = """This is a working copy and not an edition. What follows comes from its recorded outputs and from the
numbers that the project keeps of each released version. `python -m companion compare` does the same for any two
editions, folders, archives, or revisions in Git.

"""


class FilesNode(nodes.General, nodes.Element):
    """What an edition offers for download; empty in a working copy."""


class EditionFiles(SphinxDirective):
    """`{edition-files}`: the forms in which an edition can be had."""

    def run(self) -> list[nodes.Node]:
        """Leave a node: only the pages of an edition lie beside its downloads, its printed forms do not."""
        return [FilesNode()]


class EditionChanges(SphinxDirective):
    """`{edition-changes}`: a section on what changed in the numbers since the edition before."""

    def run(self) -> list[nodes.Node]:
        """Parse the report as a part of the page."""
        of_edition = _changes()
        reports = [of_edition] if of_edition else self._since_the_last_version()
        style = Style("[{1}](#{0})".format, plain, level=3, fold=_fold)
        # All in a section of its own: what stands outside of one would come after the sections.
        text = ("" if of_edition else WORKING_COPY) + "\n".join(as_markdown(report, style) for report in reports)
        return parsed(self, f"## {TITLE}\n\n{text}", "changes")

    def _since_the_last_version(self) -> list[Changes]:
        book = Path(self.env.srcdir)
        outputs = {path.relative_to(book).as_posix() for path in (book / OUTPUTS).rglob("*.ipynb")}
        with inputs.watching(book) as names:
            reports = since(book)
        freshness.page_of(self.env).inputs |= names | outputs | {f"{RECORDS}/"}
        return reports


def setup(app: Sphinx) -> None:
    """Register directives; in an edition, every page leads to the others, and the edition describes itself."""
    app.add_node(FilesNode, html=(_visit_files, leave))
    app.add_directive("edition-files", EditionFiles)
    app.add_directive("edition-changes", EditionChanges)
    if changes_file():
        app.connect("build-finished", _write_files)


def _fold(title: str, paragraphs: list[str]) -> list[str]:
    return [f'<details class="change"><summary>{escape(title)}</summary>', *paragraphs, "</details>"]


def _changes() -> Changes | None:
    path = changes_file()
    if path is None:
        return None
    changes: Changes = json.loads(path.read_text(encoding="utf-8"))
    return changes


def _files(app: Sphinx) -> dict[str, str]:
    """The downloads of an edition and what they are, by address from its folder."""
    start = f"{DOWNLOADS}/{archive_name(metadata(Path(app.srcdir)).version)}"
    return {f"{start}.pdf": "PDF", f"{start}.epub": "EPUB", f"{start}-notebooks.zip": "Notebooks (zip)"}


def _visit_files(self: HTML5Translator, node: FilesNode) -> None:
    builder, changes = self.builder, _changes()
    if changes and builder.name == "html":
        root = "../" * builder.current_docname.count("/")
        page = TEMPLATES.get_template("edition_files.html")
        self.body.append(page.render(root=root, files=_files(builder.app), folder=CHANGES, first=not changes["from"]))
    raise nodes.SkipNode


def _write_files(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    out, book, changes = Path(app.outdir), metadata(Path(app.srcdir)), _changes()
    assert changes, "an edition is built with its changes"
    (out / CHANGES).mkdir(exist_ok=True)
    (out / CHANGES / "changes.json").write_text(
        json.dumps(changes, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (out / CHANGES / "changes.csv").write_text(as_csv(changes), encoding="utf-8", newline="")
    pages = (path.relative_to(out).as_posix() for path in out.rglob("*.html"))
    about = {
        "version": book.version,
        "released": str(book.date_released),
        "title": book.title,
        "citation": cite_book(book),
        "files": _files(app) | ({f"{PAGE}.html": "What changed"} if changes["from"] else {}),
        "pages": sorted(path for path in pages if not path.startswith("_")),
    }
    (out / ABOUT).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
