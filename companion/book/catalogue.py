"""The data catalogue: every table and every source, written from `data/datapackage.json` and the tables themselves."""

import json
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from companion.book import freshness
from companion.book.markdown import code, link, plain, word
from companion.book.nodes import TEMPLATES, after_writing
from companion.files import inputs
from companion.files.addresses import BETWEEN
from companion.files.layout import TABLES
from companion.tables import package, read_rows

SOURCE_COLUMNS = ["source_title", "source_publisher", "source_url"]


class Generated(SphinxDirective):
    """A directive whose body is written from a template."""

    template: str

    def content_of(self) -> dict[str, Any]:
        """What the template is filled with."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Fill the template and parse it as a part of the page."""
        with inputs.watching(Path(self.env.srcdir)) as names:
            content = self.content_of()
        freshness.page_of(self.env).inputs |= names | {f"companion/book/templates/{self.template}"}
        return parsed(self, TEMPLATES.get_template(self.template).render(content), self.template)


def parsed(directive: SphinxDirective, text: str, source: str) -> list[nodes.Node]:
    """Parse Markdown as a part of the page, headings included.

    Sections become part of the page as they are parsed. What stands before them, such as the label of the first, would
    come after all of them where it was left to the caller.
    """
    page, part = directive.state_machine.node, nodes.Element()
    assert page is not None  # while a page is read
    end = len(page)
    directive.state.nested_parse(StringList(text.splitlines(), source=source), 0, part, match_titles=True)
    page.insert(end, part.children)
    return []


class TableCatalogue(Generated):
    """`{table-catalogue}`: every table with its fields, sources, processing, warnings, terms and uses."""

    template = "tables.md"

    def content_of(self) -> dict[str, Any]:
        """The tables of the data package in order of their names, each with its number of rows."""
        return {
            "tables": [{**resource, "rows": len(read_rows(resource["name"]))} for resource in package()["resources"]],
            "root": "../" * self.env.docname.count("/"),
        }


class SourceList(Generated):
    """`{source-list}`: the databases behind the tables, their states, and every page that a row of a table cites."""

    template = "sources.md"

    def content_of(self) -> dict[str, Any]:
        """Databases with their states, and pages with the tables that cite them, in order of title and publisher."""
        databases: dict[tuple[str, str], set[str]] = {}
        states: dict[tuple[str, str, str], list[str]] = {}
        pages: dict[tuple[str, ...], list[str]] = {}
        for resource in package()["resources"]:
            for source in resource["sources"]:
                key = (source["title"], source["path"])
                databases.setdefault(key, set()).add(source.get("version") or f"read {source['accessed']}")
                if "vintage" in source:
                    state = (source["title"], source["vintage"], source["version"])
                    states.setdefault(state, []).append(resource["name"])
            names = {field["name"] for field in resource["schema"]["fields"]}
            for columns in (SOURCE_COLUMNS, [column.removeprefix("source_") for column in SOURCE_COLUMNS]):
                if names.issuperset(columns):
                    rows = [[row[column] for column in columns] for row in read_rows(resource["name"])]
                    cited = {(*words, url) for *words, urls in rows for url in urls.split(BETWEEN)}
                    for page in cited:
                        pages.setdefault(page, []).append(resource["name"])
        return {
            "databases": [
                {"title": title, "path": path, "versions": sorted(versions)}
                for (title, path), versions in sorted(databases.items())
            ],
            "states": [
                {"title": title, "vintage": vintage, "version": version, "tables": tables}
                for (title, vintage, version), tables in sorted(states.items())
            ],
            "pages": [
                {**dict(zip(SOURCE_COLUMNS, page, strict=True)), "table": tables}
                for page, tables in sorted(pages.items())
                if all(page)
            ],
        }


def setup(app: Sphinx) -> None:
    """Register the directives; the tables are copied beside the pages."""
    TEMPLATES.filters |= {"code": code, "plain": plain, "word": word}
    TEMPLATES.globals["link"] = link
    app.add_directive("table-catalogue", TableCatalogue)
    app.add_directive("source-list", SourceList)
    after_writing(app, _copy_tables)


def _copy_tables(app: Sphinx) -> None:
    target = Path(app.outdir, TABLES)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    description = Path(app.srcdir, TABLES, "datapackage.json")
    names = [resource["path"] for resource in json.loads(description.read_text(encoding="utf-8"))["resources"]]
    for name in ["datapackage.json", *names]:
        shutil.copyfile(Path(app.srcdir, TABLES, name), target / name)
