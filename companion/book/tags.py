"""What pages tell search engines and reference managers: citation tags, and descriptions in schema.org's vocabulary."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from companion.book.citing import is_chapter
from companion.book.nodes import TEMPLATES, for_web
from companion.citation import Book, address, book_item, doi_address, metadata, names
from companion.files.addresses import href
from companion.files.layout import TABLES
from companion.settings import changes_file
from companion.tables import package

Description = dict[str, Any]


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("html-page-context", _add_tags)


def book_tags(book: Book) -> list[tuple[str, str]]:
    """The tags of the landing page: the book as a technical report, the nearest to it that Google Scholar knows."""
    institution = next((author.affiliation for author in book.authors if author.affiliation), None)
    pdf = address(book, f"downloads/companion-{book.version}.pdf") if changes_file() else None
    return _present(
        ("citation_title", book.title),
        *_shared(book),
        ("citation_technical_report_institution", institution),
        ("citation_technical_report_number", f"Version {book.version}"),
        # Zotero takes a page without an institution for an article unless this says otherwise.
        ("DC.type", "report"),
        ("citation_pdf_url", pdf),
    )


def chapter_tags(book: Book, title: str) -> list[tuple[str, str]]:
    """The tags of a chapter: a part of the book, so that no index takes it for a work of its own."""
    return _present(
        ("citation_title", title),
        *_shared(book),
        ("citation_inbook_title", book.title),
        # The citation tags have a number for reports and none for a part of a book. PRISM is a set that both Google
        # Scholar and Zotero read, and the latter puts this one into the field "Edition".
        ("prism.edition", f"Version {book.version}"),
    )


def describe_book(book: Book, parts: list[tuple[str, str]]) -> Description:
    """The book as a schema.org `Report`.

    Args:
        book: the citation data.
        parts: title and address of each chapter, in order.
    """
    return _reference(book) | {
        **_work(book),
        "abstract": book.abstract,
        "isBasedOn": [
            {
                "@type": "Report",
                "name": work.title,
                "publisher": {"@type": "Organization", "name": work.publisher.name},
                "datePublished": f"{work.year}-{work.month:0>2}" if work.month else work.year,
            }
            for work in book.references
        ],
        "hasPart": [
            {"@type": "Chapter", "name": title, "position": position, "url": url}
            for position, (title, url) in enumerate(parts, 1)
        ],
    }


def describe_chapter(book: Book, title: str, position: int) -> Description:
    """A page of the book as a schema.org `Chapter`; `position` counts from 1."""
    return {"@type": "Chapter", "name": title, "position": position, **_work(book), "isPartOf": _reference(book)}


def describe_table(book: Book, table: dict[str, Any], url: str) -> Description:
    """A table of the data package, found at `url`, as a schema.org `Dataset`."""
    licenses = [link for license in table.get("licenses", []) if (link := href(license["path"]))]
    return {
        "@type": "Dataset",
        "name": table["title"],
        "description": table["description"],
        "identifier": table["name"],
        **_work(book),
        # Where a source sets terms of its own, these words are the license, or a part of it.
        "license": [*licenses, {"@type": "CreativeWork", "name": "Terms", "description": table["terms"]}],
        "isPartOf": _reference(book),
        "distribution": {"@type": "DataDownload", "encodingFormat": table["mediatype"], "contentUrl": url},
        "isBasedOn": [
            {"@type": "CreativeWork", "name": source["title"]}
            | ({"url": link} if (link := href(source["path"])) else {})
            | ({"version": source["version"]} if "version" in source else {})
            for source in table["sources"]
        ],
        "variableMeasured": [
            {"@type": "PropertyValue", "name": field["name"], "description": field["description"]}
            | ({"unitText": field["unit"]} if "unit" in field else {})
            for field in table["schema"]["fields"]
        ],
    }


def _add_tags(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    book = metadata(Path(app.srcdir))
    titles = app.env.titles
    pages = list(app.env.collect_relations())  # in the order of the table of contents, the landing page first

    def url_of(path: str) -> str:
        return address(book, path) or f"{'../' * pagename.count('/')}{path}"

    if is_chapter(app, pagename, doctree):
        title = titles[pagename].astext()
        tags = chapter_tags(book, title)
        descriptions = [describe_chapter(book, title, pages.index(pagename))]
        descriptions += [
            describe_table(book, table, url_of(f"{TABLES}/{table['path']}"))
            for table in package()["resources"]
            if doctree and f"table-{table['name']}" in doctree.nameids
        ]
    elif for_web(app.builder) and pagename == app.config.root_doc:
        tags = book_tags(book)
        parts = [(titles[page].astext(), url_of(app.builder.get_target_uri(page))) for page in pages[1:]]
        descriptions = [describe_book(book, parts)]
    else:
        return
    if full_text := address(book, app.builder.get_target_uri(pagename)):
        tags.append(("citation_fulltext_html_url", full_text))
        descriptions[0]["url"] = full_text
    linked = [{"@context": "https://schema.org", **description} for description in descriptions]
    context["metatags"] += TEMPLATES.get_template("tags.html").render(tags=tags, descriptions=linked)


def _shared(book: Book) -> list[tuple[str, str | None]]:
    item = book_item(book)
    return [
        *(("citation_author", name) for name in names(item)),
        ("citation_publication_date", f"{book.date_released:%Y/%m/%d}"),
        ("citation_language", item["language"]),
        ("citation_doi", book.doi),
    ]


def _present(*tags: tuple[str, str | None]) -> list[tuple[str, str]]:
    return [(name, content) for name, content in tags if content]


def _reference(book: Book) -> Description:
    """The book as something that its parts name."""
    link = doi_address(book) or address(book)
    return {"@type": "Report", "name": book.title} | ({"@id": link} if link else {})


def _work(book: Book) -> Description:
    """What the book and all its parts have in common."""
    return {
        "author": [
            {"@type": "Organization" if author.name else "Person", "name": author.full_name} for author in book.authors
        ],
        "datePublished": book.date_released.isoformat(),
        "version": book.version,
        "license": [f"https://spdx.org/licenses/{name}.html" for name in book.license],
        "inLanguage": book_item(book)["language"],
    }
