"""Exhibits as Sphinx nodes: numbered, referable with `{numref}`, and drawn as HTML."""

import json
import os
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from docutils import nodes
from markupsafe import Markup
from myst_nb.core.render import MimeData, MimeRenderPlugin, NbElementRenderer
from sphinx.addnodes import number_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.build_phase import BuildPhase
from sphinx.util.parallel import ParallelTasks, SerialTasks, parallel_available
from sphinx.writers.html5 import HTML5Translator

from companion.book import pictures, takeaway, tokens
from companion.citation import cite_exhibit, metadata, source_line, unnamed, version_of
from companion.exhibits.form import CHART_MIME, HIGHLIGHTED, PUBLISHED, TABLE_MIME, TEXTS, Exhibit, decimals, slug
from companion.files.addresses import href
from companion.files.layout import EXHIBITS
from companion.report import STATUSES

# A table with a longer row, in letters, or with more columns is a list on a phone; longer words are a sentence.
LONGEST_ROW, MOST_COLUMNS, LONGEST_NAME = 80, 5, 40
Aside = Callable[[Callable[[], None]], None]  # takes what is to be written
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
# JSON in a page, in which no letter ends the script or opens a comment, is written in one line and in its own order.
TEMPLATES.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
TEMPLATES.globals |= {"token": tokens.light(), "highlighted": HIGHLIGHTED}
TEMPLATES.filters |= {"href": href, "slug": slug, "version_of": version_of}
# Small print beside a picture: letters in a line, and pixels from line to line.
ASIDE_LETTERS, ASIDE_LINE = 36, 19
DATE = re.compile(r"\d{4}((-\d\d){0,2}|–\d{4})")
# A date is not broken at its hyphens, nor a period at its dash.
TEMPLATES.tests["date"] = lambda value: DATE.fullmatch(str(value)) is not None


class ExhibitNode(nodes.General, nodes.Element):
    """An exhibit in a page. `exhibit` holds it, `docname` the page; a caption child makes it referable."""


class OverviewNode(nodes.General, nodes.Element):
    """A part of a page that shows what other pages have; it is written again when one of those changes."""


class ExhibitNumbers(SphinxPostTransform):
    """Writes numbers of exhibits where text refers to them; for each, Sphinx would read the other page once more."""

    default_priority = 9  # just before Sphinx resolves references

    def run(self, **kwargs: Any) -> None:
        """Resolve references to exhibits that are as usual, and leave all others, wrong ones too, to Sphinx."""
        standard = self.env.get_domain("std")
        assert isinstance(standard, StandardDomain)
        for node in [node for node in self.document.findall(pending_xref) if node["reftype"] == "numref"]:
            page, id = standard.anonlabels.get(node["reftarget"], ("", ""))
            number = self.env.toc_fignumbers.get(page, {}).get("exhibit", {}).get(id)
            words = node.astext() if node["refexplicit"] else self.config.numfig_format["exhibit"]
            if number and words.count("%s") == 1 and "{" not in words:
                text, here = words % ".".join(map(str, number)), node.get("refdoc", self.env.docname)
                found = standard.build_reference_node(
                    here, self.app.builder, page, id, text, "numref", nodeclass=number_reference, title=words
                )
                node.replace_self(found)


class WithoutScripts:
    """What a builder for paper or for e-readers has in common: it draws charts in its own way."""

    def picture(self, exhibit: Exhibit) -> Markup:
        """A chart with its alternative text."""
        raise NotImplementedError


class ExhibitRenderer(MimeRenderPlugin):
    """Turns the output of `exhibit()` into a node when the notebook is read."""

    mime_priority_overrides = (("*", CHART_MIME, 1), ("*", TABLE_MIME, 1))

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        """Make the node; None for an output that is not an exhibit."""
        if inline or data.mime_type not in {CHART_MIME, TABLE_MIME}:
            return None
        # The cache gives keys back in another order than the kernel; in one order, the files come out the same.
        exhibit = Exhibit.from_output(json.loads(json.dumps(data.content, sort_keys=True)))
        if exhibit is None:
            return None
        node = ExhibitNode(
            names=[exhibit.id, *exhibit.absorbs], exhibit=exhibit, docname=renderer.renderer.sphinx_env.docname
        )
        node += nodes.caption("", exhibit.title)
        renderer.renderer.document.note_explicit_target(node, node)
        return [node]


def for_web(builder: Builder) -> bool:
    """Whether pages are written for the website, with scripts and with files beside them."""
    return not isinstance(builder, WithoutScripts)


def after_writing(app: Sphinx, write: Callable[[Sphinx], None]) -> None:
    """Have files written beside the pages of the website, at the end of each build that has written pages."""

    def finish(app: Sphinx, exception: Exception | None) -> None:
        if exception is None and app.phase != BuildPhase.READING and for_web(app.builder):
            write(app)

    app.connect("build-finished", finish)


def while_others(app: Sphinx) -> Aside:
    """How to have something written by a process of its own, while others go on; the build waits for it at its end."""
    tasks = ParallelTasks(1 + (os.cpu_count() or 1)) if parallel_available else SerialTasks()
    app.connect("build-finished", lambda app, exception: tasks.join(), priority=950)
    return lambda write: tasks.add_task(lambda _: write(), True)


def exhibits_in(doctree: nodes.Node) -> list[ExhibitNode]:
    """The exhibits of a page, in order."""
    return list(doctree.findall(ExhibitNode))


def find_exhibit(env: BuildEnvironment, id: str) -> ExhibitNode | None:
    """An exhibit of the book by its id, or by that of one that it took the place of."""
    docname, _ = env.domaindata["std"]["anonlabels"].get(id, ("", ""))[:2]
    candidates = exhibits_in(env.get_doctree(docname)) if docname in env.found_docs else []
    return next((node for node in candidates if id in (node["exhibit"].id, *node["exhibit"].absorbs)), None)


def number_of(env: BuildEnvironment, node: ExhibitNode) -> str:
    """The exhibit's number in this edition, such as "3"."""
    numbers = env.toc_fignumbers[node["docname"]]["exhibit"][node["ids"][0]]
    return ".".join(map(str, numbers))


def render(env: BuildEnvironment, node: ExhibitNode, template: str, **more: Any) -> str:
    """Fill a template with an exhibit: its description, its pictures and its table."""
    exhibit: Exhibit = node["exhibit"]
    context: dict[str, Any] = {
        "exhibit": exhibit,
        "number": number_of(env, node),
        "status": STATUSES[exhibit.status],
        "source_line": source_line(exhibit),
        "unnamed": unnamed(exhibit) if exhibit.sources else 0,
        "cell": _cell,
        "labels": _labels(exhibit),
        "decimals": {field["name"]: _decimals(exhibit, field["name"]) for field in exhibit.fields},
    }
    if exhibit.spec is not None:
        wide, margin = pictures.page_svg(exhibit, pictures.WIDE)
        narrow, _ = pictures.page_svg(exhibit, pictures.NARROW)
        spec = pictures.specification(exhibit)
        context |= {"wide": Markup(wide), "narrow": Markup(narrow), "margin": margin, "spec": spec}
    return TEMPLATES.get_template(template).render(context | more)


def highlighted(builder: Any, code: str) -> Markup:
    """Python code as HTML; long lines scroll, by keyboard too."""
    return Markup(builder.highlighter.highlight_block(code, "python3").replace("<pre>", '<pre tabindex="0">'))


def setup(app: Sphinx) -> None:
    """Register the node."""
    app.add_enumerable_node(ExhibitNode, "exhibit", html=(_visit_exhibit, leave))
    app.add_post_transform(ExhibitNumbers)
    app.connect("config-inited", lambda app, config: config.numfig_format.setdefault("exhibit", "Exhibit %s"))


def _visit_exhibit(self: HTML5Translator, node: ExhibitNode) -> None:
    builder = self.builder
    if isinstance(builder, WithoutScripts):
        picture = builder.picture(node["exhibit"]) if node["exhibit"].spec is not None else None
        text = render(builder.env, node, "printed_figure.html", picture=picture)
    else:
        text = render(builder.env, node, "figure.html", **_beside(builder, node))
    self.body.append(text)
    raise nodes.SkipNode


def _beside(builder: Any, node: ExhibitNode) -> dict[str, Any]:
    """What the website has beside an exhibit: files, which stay with the node, citations, code, and links to tables."""
    book, exhibit, env = metadata(Path(builder.srcdir)), node["exhibit"], builder.env
    page, number = builder.current_docname, number_of(env, node)
    folder = f"{'../' * page.count('/')}{EXHIBITS}/"
    credit = cite_exhibit(book, exhibit, number)
    _, *others = (exhibit.views() or {PUBLISHED: exhibit}).items()
    views = [(PUBLISHED, exhibit, exhibit.id), *((name, view, f"{exhibit.id}.{name}") for name, view in others)]
    files = {file: takeaway.files_of(view, cite_exhibit(book, view, number)) for _, view, file in views}
    node["files"] = {f"{file}.{end}": content for file, found in files.items() for end, content in found.items()}
    labels = env.domaindata["std"]["anonlabels"]
    tables = [*(table["name"] for table in node["about"]), "corrections"]
    described = {name: labels[f"table-{name}"] for name in tables if f"table-{name}" in labels}
    return {
        "files": folder,
        "views": [
            {
                "name": name,
                "downloads": takeaway.downloads_of(view, files[file], file),
                "citations": takeaway.citations_of(book, view, number, builder.get_target_uri(page)),
            }
            for name, view, file in views
        ],
        "said": {name: {text: getattr(view, text) for text in TEXTS} for name, view, _ in views},
        "embed": takeaway.embed_code(book, exhibit, folder, takeaway.embed_height(exhibit, credit)),
        "aside": exhibit.spec is not None and all(_fits_aside(view) for _, view, _ in views),
        "code": highlighted(builder, node["code"]) if "code" in node else "",
        "about": node["about"],
        "described": {
            name: f"{builder.get_relative_uri(page, where)}#{anchor}" for name, (where, anchor) in described.items()
        },
    }


def leave(self: HTML5Translator, node: nodes.Element) -> None:
    """Nothing to close: a visited node is skipped when it has been drawn."""


def _fits_aside(exhibit: Exhibit) -> bool:
    """Whether the small print of a chart ends with the picture, by whose side it stands where there is room."""
    lines = sum(len(textwrap.wrap(text, ASIDE_LETTERS)) for text in (exhibit.note, source_line(exhibit)))
    return (lines - 1) * ASIDE_LINE <= pictures.height(exhibit)


def _decimals(exhibit: Exhibit, column: str) -> int:
    """Decimals for all numbers of a column."""
    return decimals(row[column] for row in exhibit.rows if isinstance(row[column], float))


def _labels(exhibit: Exhibit) -> dict[str, str]:
    """What cells are called where a table is a list: on a phone, if its rows have no room. Empty for other tables.

    What names the row needs no word, nor does the sentence that follows a date.
    """
    names = [field["name"] for field in exhibit.fields]
    words = [[str(row[name]) for name in names] for row in exhibit.rows]
    if len(names) <= MOST_COLUMNS and max((sum(map(len, row)) for row in words), default=0) <= LONGEST_ROW:
        return {}
    tells = all(DATE.fullmatch(row[0]) for row in words) and max(len(row[1]) for row in words) > LONGEST_NAME
    return {field["name"]: field["title"] for field in exhibit.fields[2 if tells else 1 :]}


def _cell(value: object, field: dict[str, Any], decimals: dict[str, int]) -> str:
    """A value as a person writes it: thousands separators, a column's decimals, a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field["type"] == "year" or isinstance(value, str):
        return str(value)
    return f"{value:,.{decimals[field['name']]}f}"
