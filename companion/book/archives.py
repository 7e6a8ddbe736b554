"""What a reader takes home: each chapter as a notebook, and all tables, all exhibits and all notebooks as archives.

A notebook is written with its page. Archives are written when everything else is, and anew if something in them has
changed; then links to files learn how large these are.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from markupsafe import Markup
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.build_phase import BuildPhase
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from companion.book.freshness import Freshness
from companion.book.ledger import CHAPTERS
from companion.book.nodes import TEMPLATES, for_web, leave
from companion.book.pages import OWN_FILES
from companion.chapters.execution import Run
from companion.chapters.facts import Facts, filled
from companion.chapters.notebooks import Notebook, code_cells, read_chapter
from companion.citation import Book, cite_book, metadata
from companion.files import whole, zips
from companion.files.layout import DOWNLOADS, EXHIBITS, TABLES, archive_name
from companion.prose import file_size
from companion.tables import package
from companion.tables.own_files import folder as own_files

# What a notebook needs to run, beside itself and the tables.
RUNS_WITH = ["CITATION.cff", "LICENSE", "_toc.yml", "companion", "pyproject.toml", "requirements.txt"]
# The first cell of a notebook that can be opened on Colab, which gives it nothing but itself.
COLAB = """# On Colab, this gets the tables and the library. Anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 --branch notebooks-v{version} {repository} /content/book
    %pip install --quiet "/content/book[book,check,data]"
    %cd -q /content/book/{folder}"""
# The endings of the files of an exhibit that stand for themselves; those to embed belong to the site.
OF_EXHIBITS = (".csv", ".svg", ".png", ".json")
PACKED = (".png",)  # compressed already
ARCHIVES = {
    "tables": "All tables, with their description",
    "exhibits": "All exhibits: data; for charts also pictures and specification",
    "notebooks": "All chapters as notebooks, with the tables and the library",
}
SIZE = re.compile(r'(<span data-size-of="([^"]+)">)[^<]*(</span>)')
Member = tuple[str, bytes]


class ArchivesNode(nodes.General, nodes.Element):
    """Links to archives; `names` holds which."""


class Archives(SphinxDirective):
    """`{archives}`: links to the archives named in the body, one of `ARCHIVES` per line."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Leave a node: only the website lies beside the archives, the printed forms do not."""
        names = [line.strip() for line in self.content if line.strip()]
        if unknown := [name for name in names if name not in ARCHIVES]:
            raise self.error(f"There is no archive {unknown[0]!r}, but {', '.join(ARCHIVES)}.")
        return [ArchivesNode(names=names)]


class TakeHome:
    """Writes notebooks and archives of one build, from the runs whose outputs its pages show."""

    def __init__(self, freshness: Freshness) -> None:
        """Know where the runs of the chapters are."""
        self.freshness = freshness

    def add_notebook(
        self, app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
    ) -> None:
        """Write a chapter's notebook beside its page, which gets a link to it."""
        runs = self.freshness.runs
        if doctree is None or pagename not in runs or not for_web(app.builder):
            return
        path = Path(app.outdir, f"{pagename}.ipynb")
        path.parent.mkdir(parents=True, exist_ok=True)
        book = metadata(Path(app.srcdir))
        nbformat.write(as_notebook(Path(app.env.doc2path(pagename)), pagename, runs, book), path)
        context["body"] += TEMPLATES.get_template("run.html").render(
            root="../" * pagename.count("/"),
            notebook=f"{pagename}.ipynb",
            archive=_path_of("notebooks", book),
            words=ARCHIVES["notebooks"],
        )

    def finish(self, app: Sphinx, exception: Exception | None) -> None:
        """Write the archives and the sizes of files; also after a build that had no page to write."""
        if exception or not for_web(app.builder) or app.phase == BuildPhase.READING:
            return
        out, source = Path(app.outdir), Path(app.srcdir)
        notebooks = {out / f"{page}.ipynb" for page in self.freshness.runs}
        for path in set(out.joinpath(CHAPTERS).rglob("*.ipynb")) - notebooks:
            path.unlink()  # a chapter that this build no longer has
        book = metadata(source)
        contents = {"tables": _tables(out, book), "exhibits": _exhibits(out, book)}
        contents["notebooks"] = _notebooks(out, source, book, notebooks)
        current = set()
        for name, members in contents.items():
            target = out / _path_of(name, book)
            current.add(target)
            named = [(f"{target.stem}/{path}", content) for path, content in members]
            zips.renew_zip(target, named, book.moment, stored=PACKED)
        for path in set((out / DOWNLOADS).glob("*.zip")) - current:
            path.unlink()  # of another version
        for page in app.env.found_docs:
            _write_sizes(out, Path(app.builder.get_outfilename(page)))  # type: ignore[attr-defined]


def as_notebook(chapter: Path, page: str, runs: dict[str, Run], book: Book) -> Notebook:
    """A chapter as an executed notebook: its text with its numbers, its code, and the outputs of its run.

    Args:
        chapter: its file.
        page: its name, and that of its run.
        runs: the run of each chapter; sentences quote numbers of others.
        book: where a notebook that is opened on Colab gets the rest from.
    """

    def facts_of(page: str) -> Facts:
        return Facts.among(output for cell in runs[f"{CHAPTERS}{page}"].outputs for output in cell)

    notebook = read_chapter(chapter)
    for number, (cell, outputs) in enumerate(zip(code_cells(notebook), runs[page].outputs, strict=True), start=1):
        cell.outputs, cell.execution_count = [NotebookNode(output) for output in outputs], number
    own = facts_of(page.removeprefix(CHAPTERS))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # not every program that opens notebooks knows {eval}
            cell.source = filled(cell.source, own, facts_of)
    if book.repository_code:
        first = COLAB.replace("{version}", book.version).replace("{repository}", book.repository_code)
        code = first.replace("{folder}", page.rpartition("/")[0])
        notebook.cells.insert(0, nbformat.v4.new_code_cell(code))
    for number, cell in enumerate(notebook.cells, start=1):
        cell["id"] = f"cell-{number}"  # they are drawn by lot
    return notebook


def setup(app: Sphinx, freshness: Freshness) -> None:
    """Register the directive; notebooks are written with their pages, archives at the end."""
    home = TakeHome(freshness)
    TEMPLATES.globals["file_link"] = _link
    app.add_node(ArchivesNode, html=(_visit_archives, leave))
    app.add_directive("archives", Archives)
    app.connect("html-page-context", home.add_notebook)
    app.connect("build-finished", home.finish, priority=900)  # when what goes into the archives is written


def _path_of(name: str, book: Book) -> str:
    """The path of an archive below the folder of the pages."""
    return f"{DOWNLOADS}/{archive_name(book.version)}-{name}.zip"


def _link(root: str, path: str, words: str) -> Markup:
    """A link to a file below the folder of the pages, with its form; its size is written when it has one."""
    form = path.rpartition(".")[2].upper()
    return Markup('<a href="{}{}" download>{} ({}<span data-size-of="{}"></span>)</a>').format(
        root, path, words, form, path
    )


def _visit_archives(self: HTML5Translator, node: ArchivesNode) -> None:
    if for_web(self.builder):
        book = metadata(Path(self.builder.srcdir))
        links = [
            _link("../" * self.builder.current_docname.count("/"), _path_of(name, book), ARCHIVES[name])
            for name in node["names"]
        ]
        self.body.append(TEMPLATES.get_template("archives.html").render(links=links))
    raise nodes.SkipNode


def _tables(out: Path, book: Book) -> Iterator[Member]:
    listed = "\n".join(f"- `{table['path']}`: {table['title']}" for table in package()["resources"])
    yield _readme("tables.txt", book, listed=listed)
    yield from _files(out / TABLES, sorted((out / TABLES).iterdir()))


def _exhibits(out: Path, book: Book) -> Iterator[Member]:
    yield _readme("exhibits.txt", book)
    yield from _files(out, sorted(path for path in (out / EXHIBITS).iterdir() if path.suffix in OF_EXHIBITS))


def _notebooks(out: Path, source: Path, book: Book, notebooks: Iterable[Path]) -> Iterator[Member]:
    yield _readme("notebooks.txt", book)
    yield from _files(out, sorted({*notebooks, *(out / TABLES).iterdir()}))
    for name in RUNS_WITH:
        below = (source / name).rglob("*") if (source / name).is_dir() else [source / name]
        yield from _files(source, sorted(path for path in below if path.is_file() and "__pycache__" not in path.parts))


def _files(root: Path, paths: Iterable[Path]) -> Iterator[Member]:
    for path in paths:
        yield path.relative_to(root).as_posix(), path.read_bytes()


def _readme(template: str, book: Book, **content: str) -> Member:
    text = (Path(__file__).parent / "templates" / template).read_text(encoding="utf-8")
    own = f"\n{OWN_FILES}\n" if own_files() else ""
    words = {"title": book.title, "version": book.version, "citation": cite_book(book), **content}
    return "README.md", (text.format_map(words) + own).encode()


def _write_sizes(out: Path, page: Path) -> None:
    """Write into the links of a page how large the files are that they lead to."""

    def size(link: re.Match[str]) -> str:
        file = out / link[2]
        if not file.is_file():
            raise ExtensionError(f"{page.name} has a link to {link[2]}, which is not there.")
        return f"{link[1]}, {file_size(file.stat().st_size)}{link[3]}"

    before = page.read_text(encoding="utf-8")
    if (after := SIZE.sub(size, before)) != before:
        whole.write(page, after.encode())  # the search reads it just now
