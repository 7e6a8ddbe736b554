"""The whole book in two forms without scripts: one page laid out for paper, and the pages of an e-book."""

import re
import uuid
from pathlib import Path
from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.builders.epub3 import Epub3Builder
from sphinx.builders.singlehtml import SingleFileHTMLBuilder
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.osutil import relative_uri

from companion.book import pictures
from companion.book.contents import contents
from companion.book.ledger import ClaimNode
from companion.book.nodes import TEMPLATES, ExhibitNode, WithoutScripts, exhibits_in, for_web, number_of
from companion.citation import Book, book_item, cite_book, doi_address, metadata, names
from companion.exhibits.form import Exhibit
from companion.files.layout import EBOOK, FIRST_PAGE, PACKAGE, PRINT

OVERVIEW = "Overview"


class WithoutFiles(SphinxPostTransform):
    """Leaves out links to files that only the website has beside its pages."""

    default_priority = 1  # before references are resolved
    builders = (PRINT, EBOOK)

    def run(self, **kwargs: Any) -> None:
        """Remove downloads; of another link to a file, keep the words."""
        for tag in list(self.document.findall(nodes.raw)):
            if tag.astext().endswith("download>"):
                tag.parent.parent.remove(tag.parent)
        for link in list(self.document.findall(nodes.reference)):
            if not re.match(r"#|\w+:", link.get("refuri", "#")):
                link.replace_self(link.children)
        for file in list(self.document.findall(addnodes.download_reference)):
            file.replace_self(file.children)


class PrintBuilder(WithoutScripts, SingleFileHTMLBuilder):
    """Writes the book as one page: title, contents, then part by part, with ids that are unique in the whole book."""

    name = PRINT

    def assemble_doctree(self) -> nodes.document:
        """The pages in order; the chapters of a part stand in a section with its title."""
        document = self.env.get_doctree(self.config.root_doc).copy()
        parts = contents(self.env).parts
        pages = {page: self.env.get_and_resolve_doctree(page, self) for _, chapters in parts for page in chapters}
        _make_ids_unique(pages)
        # The book's own title is on the title page.
        next(pages[self.config.root_doc].findall(nodes.title)).children = [nodes.Text(OVERVIEW)]
        for caption, chapters in parts:
            part: nodes.Element = document
            if caption:
                part = nodes.section("", nodes.title(caption, caption), classes=["part"])
                part["ids"] = [nodes.make_id(f"part {caption}")]
                document += part
            for page in chapters:
                chapter = next(pages[page].findall(nodes.section))
                chapter["classes"].append("chapter")
                chapter["ids"].append(f"document-{page}")  # where a link to the page leads
                part += pages[page].children
        return document

    def assemble_toc_fignumbers(self) -> dict[str, dict[str, dict[str, tuple[int, ...]]]]:
        """The numbers of exhibits by page, as they are in the other forms of the book."""
        return self.env.toc_fignumbers

    def handle_page(self, pagename: str, addctx: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        """Write the one page, without a theme."""
        # Templates join a page's address and an id, which here are one id after the other.
        body = re.sub(r'href="#document-[^"#]*#', 'href="#', addctx["body"]).replace("<details", "<details open")
        book, parts = metadata(Path(self.srcdir)), contents(self.env).parts
        found = [node for _, chapters in parts for page in chapters for node in exhibits_in(self.env.get_doctree(page))]
        text = TEMPLATES.get_template("print.html").render(
            _title_of(book),
            language=self.config.language,
            parts=parts,
            titles=_titles(self.env) | {self.config.root_doc: OVERVIEW},
            running=_css_string(f"{book.title}, version {book.version}"),
            exhibits=[(number_of(self.env, node), node["exhibit"]) for node in found],
            body=Markup(body),
        )
        Path(self.outdir, FIRST_PAGE).write_text(text, encoding="utf-8")

    def finish(self) -> None:
        """Write nothing else."""
        _make_room(self)

    def picture(self, exhibit: Exhibit) -> Markup:
        """A chart: vectors, as wide as the text."""
        svg, _ = pictures.page_svg(exhibit, pictures.WIDE)
        return Markup('<div class="exhibit-picture" role="img" aria-label="{}">{}</div>').format(
            exhibit.alt, Markup(svg)
        )


class EbookBuilder(WithoutScripts, Epub3Builder):
    """Writes what an EPUB book consists of: pages, charts, style, contents and package description."""

    name = EBOOK

    def write_doc(self, docname: str, doctree: nodes.document) -> None:
        """Write a page and the charts on it."""
        super().write_doc(docname, doctree)
        for exhibit in _drawn(doctree):
            svg, _ = pictures.page_svg(exhibit, pictures.NARROW)
            self._write(_picture_path(exhibit), svg)

    def handle_page(self, pagename: str, addctx: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        """Write a page without a theme; an index and other pages that Sphinx adds have no place here."""
        if pagename in self.env.titles:
            title = self.env.titles[pagename].astext()
            self._fill("ebook.html", self.get_target_uri(pagename), title=title, body=Markup(addctx["body"]))

    def copy_static_files(self) -> None:
        """Write the one style sheet."""
        self._fill("printed.css", "printed.css")
        _make_room(self)

    def handle_finish(self) -> None:
        """Write the title page, the contents and the package description."""
        book = metadata(Path(self.srcdir))
        name = f"{book.title} {book.version}"
        parts = contents(self.env).parts
        pages = [page for _, chapters in parts for page in chapters]
        title = TEMPLATES.get_template("title.html").render(_title_of(book))
        self._fill("ebook.html", "title.xhtml", title=book.title, body=Markup(title))
        self._fill("nav.xhtml", "nav.xhtml", parts=parts, titles=_titles(self.env))
        self._fill(
            "content.opf",
            PACKAGE,
            identifier=doi_address(book) or f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}",
            pages=pages,
            pictures=[_picture_path(e) for page in pages for e in _drawn(self.env.get_doctree(page))],
            **_title_of(book),
        )

    def picture(self, exhibit: Exhibit) -> Markup:
        """A chart: a file of its own, narrow, so that its letters are large enough on a small screen."""
        path = relative_uri(self.get_target_uri(self.current_docname), _picture_path(exhibit))
        return Markup('<p class="exhibit-picture"><img src="{}" alt="{}" /></p>').format(path, exhibit.alt)

    def _fill(self, template: str, path: str, **content: Any) -> None:
        content |= {"language": self.config.language, "to_root": "../" * path.count("/")}
        self._write(path, TEMPLATES.get_template(template).render(content))

    def _write(self, path: str, text: str) -> None:
        target = Path(self.outdir, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # XML knows no control characters, not even escaped ones.
        target.write_text(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register the builders."""
    app.add_builder(PrintBuilder)
    app.add_builder(EbookBuilder)
    app.add_post_transform(WithoutFiles)
    app.connect("config-inited", _set_ebook)
    app.connect("doctree-resolved", _drop_scripts, priority=900)


def _set_ebook(app: Sphinx, config: Config) -> None:
    config["epub_show_urls"] = "no"  # links are links; written out they would break the sentences
    config["epub_use_index"] = False


def _drop_scripts(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Remove the settings that the theme's extensions add to a page for their scripts, and the icons of what opens.

    The website needs all but those of Thebe: the book runs no code on remote servers.
    """
    unused = r"\s*<script\b.*(thebe|kernelName)" if for_web(app.builder) else r"\s*<(script|svg)\b"
    for node in list(doctree.findall(nodes.raw)):
        if re.match(unused, node.astext(), re.DOTALL):
            node.parent.remove(node)


def _make_room(builder: Builder) -> None:
    """Make the folder in which myst-nb leaves a style sheet at the end of every build, which nothing here uses."""
    Path(builder.outdir, "_static").mkdir(exist_ok=True)


def _titles(env: BuildEnvironment) -> dict[str, str]:
    return {page: title.astext() for page, title in env.titles.items()}


def _title_of(book: Book) -> dict[str, Any]:
    """What a title page says."""
    return {"book": book, "authors": names(book_item(book)), "citation": cite_book(book)}


def _css_string(text: str) -> Markup:
    """A text in quotes for a style sheet inside a page."""
    return Markup('"{}"').format(Markup(re.sub(r'["\\<]', lambda sign: f"\\{ord(sign[0]):x} ", text)))


def _drawn(doctree: nodes.document) -> list[Exhibit]:
    return [node["exhibit"] for node in exhibits_in(doctree) if node["exhibit"].spec is not None]


def _picture_path(exhibit: Exhibit) -> str:
    return f"exhibits/{exhibit.id}.svg"


def _make_ids_unique(pages: dict[str, nodes.document]) -> None:
    """Rename each id that an earlier page has too, and what refers to it. Ids of exhibits and claims stay."""
    named = (ExhibitNode, ClaimNode)
    taken = {
        id
        for page in pages.values()
        for node in page.findall(nodes.Element)
        if isinstance(node, named)
        for id in node["ids"]
    }
    new: dict[tuple[str, str], str] = {}
    for name, page in pages.items():
        for node in page.findall(nodes.Element):
            if not isinstance(node, named):
                for id in node["ids"]:
                    new[name, id] = f"{name.replace('/', '-')}-{id}" if id in taken else id
                node["ids"] = [new[name, id] for id in node["ids"]]
        taken |= {id for (page_name, _), id in new.items() if page_name == name}
    for name, page in pages.items():
        for node in page.findall(nodes.Element):
            if "refid" in node:
                node["refid"] = new.get((name, node["refid"]), node["refid"])
            if found := re.fullmatch(r"#document-([^#]+)#(.+)", node.get("refuri", "")):
                node["refuri"] = f"#{new.get((found[1], found[2]), found[2])}"
