"""The files beside the pages: each exhibit's data, specification, pictures and embed page, and their index."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from companion.book import pictures, takeaway
from companion.book.nodes import Aside, ExhibitNode, after_writing, exhibits_in, for_web, number_of, render
from companion.citation import cite_exhibit, metadata
from companion.exhibits.form import Exhibit
from companion.files.layout import EXHIBITS


def setup(app: Sphinx, aside: Aside) -> None:
    """Connect to Sphinx: files are written with their page, the index when all pages are done."""
    app.connect("env-get-updated", partial(_begin_ahead, aside), priority=950)  # exhibits have their numbers by then
    app.connect("html-page-context", _write_files)
    after_writing(app, _write_index)


def _begin_ahead(aside: Aside, app: Sphinx, env: BuildEnvironment) -> list[str]:
    if for_web(app.builder):
        aside(partial(_make_ahead, app))
    return []


def _make_ahead(app: Sphinx) -> None:
    """Make pictures for download, those of the last page first, until they meet the pages, written from the first."""
    book = metadata(Path(app.srcdir))
    for page in sorted(app.env.found_docs, reverse=True):
        for node in exhibits_in(app.env.get_doctree(page)):
            _, *others = node["exhibit"].views().values() or [node["exhibit"]]
            for view in (node["exhibit"], *others):
                make = partial(takeaway.files_of, view, cite_exhibit(book, view, number_of(app.env, node)))
                if view.spec is None or not pictures.is_kept(partial(pictures.page_svg, view, pictures.WIDE)):
                    continue  # a table, or a chart that is being drawn
                if pictures.is_kept(make):
                    return
                make()


def _write_files(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document) -> None:
    if not doctree or not for_web(app.builder):
        return
    folder = Path(app.outdir) / EXHIBITS
    folder.mkdir(exist_ok=True)
    for node in exhibits_in(doctree):
        exhibit: Exhibit = node["exhibit"]
        credit = cite_exhibit(metadata(Path(app.srcdir)), exhibit, number_of(app.env, node))
        for name, content in node["files"].items():
            (folder / name).write_bytes(content)
        page = f"../{app.builder.get_target_uri(pagename)}#{node['ids'][0]}"
        embed = render(app.env, node, "embed.html", page=page, credit=credit, language=app.config.language)
        for id in (exhibit.id, *exhibit.absorbs):  # frames in other pages stay
            (folder / f"{id}.html").write_text(embed, encoding="utf-8")
        if exhibit.spec is not None:
            (folder / f"{exhibit.id}.small.svg").write_text(pictures.small_svg(exhibit), encoding="utf-8")


def _write_index(app: Sphinx) -> None:
    found = [node for doc in sorted(app.env.found_docs) for node in exhibits_in(app.env.get_doctree(doc))]
    index = [_entry(app, node) for node in sorted(found, key=lambda node: int(number_of(app.env, node)))]
    folder = Path(app.outdir) / EXHIBITS
    folder.mkdir(exist_ok=True)
    (folder / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    current = {id for node in found for id in (node["exhibit"].id, *node["exhibit"].absorbs)} | {"index"}
    for path in folder.iterdir():
        if path.name.partition(".")[0] not in current:
            path.unlink()  # an exhibit that this build no longer has


def _entry(app: Sphinx, node: ExhibitNode) -> dict[str, Any]:
    exhibit: Exhibit = node["exhibit"]
    path = f"{EXHIBITS}/{exhibit.id}"
    drawn = exhibit.spec is not None
    number = number_of(app.env, node)
    return {
        "id": exhibit.id,
        "number": number,
        "title": exhibit.title,
        "subtitle": exhibit.subtitle,
        "alt": exhibit.alt,
        "reproduces": exhibit.reproduces,
        "status": exhibit.status,
        "chapter": f"{app.builder.get_target_uri(node['docname'])}#{node['ids'][0]}",
        "csv": f"{path}.csv",
        "spec": f"{path}.vl.json" if drawn else None,
        "svg": f"{path}.svg" if drawn else None,
        "png": f"{path}.png" if drawn else None,
        "embed": f"{path}.html",
        "views": {name: view.title for name, view in exhibit.views().items()},
        "tables": exhibit.tables,
        "sources": exhibit.sources,
        "citation": cite_exhibit(metadata(Path(app.srcdir)), exhibit, number),
    }
