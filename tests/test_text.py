"""Text is text: what stands in data is shown as it is in every form of the book, never as markup, code, or a link."""

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock
from xml.etree import ElementTree

import pytest
import rispy
import yaml
from conftest import ROOT, edit, open_page, run
from playwright.sync_api import Browser
from pybtex.database import parse_string
from test_janes import HEADER, changed

from companion import settings
from companion.book.markdown import plain
from companion.citation import LATEX, CitationError, bibtex, book_item, metadata
from companion.editions.crate import write_crate
from companion.editions.rebuild import build
from companion.editions.site import Edition, write_root
from companion.files.addresses import ADDRESS, BETWEEN, href
from companion.sources import SourceError
from companion.tables import package as description
from companion.tables import refresh

SCRIPT = "javascript:alert(1)"


def hostile(name: str) -> str:
    """A text that means something in every form of the book, and that begins with its name."""
    return (
        f"{name} \"'></title></script><script>alert(/{name}/)</script><img src=x onerror=alert(/{name}/)> {{{{7*7}}}} "
        f"{{sup}}`2` $y^2$ [x]({SCRIPT}) **b** www.example.org <!-- &lt; }} \\input | z"
    )


def same(text: str) -> str:
    """What is left of a text where quotes are set, lines are broken, and code is shown as such."""
    return re.sub(r"[\s`]", "", text.translate(str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "--"})))


def package(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change the description of one table."""

    def plant(book: Path) -> None:
        path = book / "data" / "datapackage.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        change(next(resource for resource in content["resources"] if resource["name"] == "uas_deliveries"))
        path.write_text(json.dumps(content), encoding="utf-8")

    return plant


def citation(name: str, value: object) -> Callable[[Path], None]:
    def plant(book: Path) -> None:
        path = book / "CITATION.cff"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | {name: value}), encoding="utf-8")

    return plant


def cell(table: str, column: str, text: str) -> Callable[[Path], None]:
    """Change a cell of the first row of a table."""

    def plant(book: Path) -> None:
        path = book / "data" / f"{table}.csv"
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        rows[0][column] = text
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    return plant


def chapter(old: str, new: str) -> Callable[[Path], None]:
    return lambda book: edit(book / "chapters" / "deliveries.md", (old, new))


def own(**texts: str) -> Callable[[Path], None]:
    """Change the reader's own file of sensors: a cell by the name of its column, or the name of the file itself."""

    def plant(book: Path) -> None:
        folder = book / "data" / "local"
        path = next(folder.rglob("*.csv"), folder / "own.csv")
        rows = (
            list(csv.reader(io.StringIO(path.read_text(encoding="utf-8")))) if path.is_file() else [HEADER, changed()]
        )
        record = dict(zip(HEADER, rows[1], strict=True))
        record |= {column: text for column, text in texts.items() if column in record}
        path.unlink(missing_ok=True)
        target = folder / texts.get("file", path.relative_to(folder).as_posix())
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, record.values()])

    return plant


def of_source(key: str, text: str) -> Callable[[Path], None]:
    return package(lambda table: [source.update({key: text}) for source in table["sources"]])


# What a chapter shows of a reader's own file, where there is one.
OWN = """
```{code-cell} ipython3
:tags: [hide-input]

from companion import local

own = local("janes_sensors")
None if own is None else exhibit(
    "small-own",
    alt.Chart(own[["manufacturer", "quantity"]]).mark_bar().encode(x="manufacturer:N", y="quantity:Q"),
    title=own["platform"][0],
    subtitle="Sensors",
    alt="Sensors by manufacturer.",
    sources=["janes_sensors@local"],
)
```
"""
CARD = ("chapter", "claims JSON", "claims CSV", "print", "e-book")
CATALOGUE = ("catalogue", "print", "e-book")
# Each field with the outputs that show it, and how it gets its text.
FIELDS: dict[str, tuple[tuple[str, ...], Callable[[str], Callable[[Path], None]]]] = {
    "book-title": (
        ("front page", "BibTeX", "RIS", "CSL-JSON", "JSON-LD", "print", "e-book", "RO-Crate", "editions"),
        lambda text: citation("title", text),
    ),
    "book-abstract": (("JSON-LD", "print", "e-book", "RO-Crate"), lambda text: citation("abstract", text)),
    "book-author": (
        ("front page", "BibTeX", "RIS", "CSL-JSON", "JSON-LD", "print", "e-book", "RO-Crate"),
        lambda text: citation("authors", [{"name": text}]),
    ),
    "table-title": (
        (*CATALOGUE, "JSON-LD", "RO-Crate"),
        lambda text: package(lambda table: table.update(title=text)),
    ),
    "table-description": (
        (*CATALOGUE, "JSON-LD", "RO-Crate"),
        lambda text: package(lambda table: table.update(description=text)),
    ),
    "table-processing": ((*CATALOGUE, "chapter"), lambda text: package(lambda table: table.update(processing=text))),
    "table-warning": ((*CATALOGUE, "chapter"), lambda text: package(lambda table: table.update(warnings=[text]))),
    "table-terms": (
        (*CATALOGUE, "chapter", "JSON-LD", "RO-Crate"),
        lambda text: package(lambda table: table.update(terms=text)),
    ),
    "field-description": (
        (*CATALOGUE, "JSON-LD"),
        lambda text: package(lambda table: table["schema"]["fields"][0].update(description=text)),
    ),
    "field-unit": ((*CATALOGUE, "JSON-LD"), lambda text: package(lambda t: t["schema"]["fields"][0].update(unit=text))),
    "file-name": (CATALOGUE, lambda text: package(lambda table: table["upstream"][0].update(name=text))),
    "database": (  # an embedded exhibit and a picture give a short name of it
        (*CATALOGUE, "chapter", "exhibits JSON", "chart", "JSON-LD", "RO-Crate"),
        lambda text: of_source("title", text),
    ),
    "path": (CATALOGUE, lambda text: of_source("path", SCRIPT + text)),
    "statement": ((*CARD, "ledger"), lambda text: cell("claims", "statement", text)),
    "finding": (CARD, lambda text: cell("claims", "finding", text)),
    "source": (CARD, lambda text: cell("claim_sources", "title", text)),
    "publisher": (CARD, lambda text: cell("claim_sources", "publisher", text)),
    "address": (CARD, lambda text: cell("claim_sources", "url", SCRIPT + text)),
    "page": (("sources",), lambda text: cell("policy_timeline", "source_title", text)),
    "page-address": (("sources",), lambda text: cell("policy_timeline", "source_url", SCRIPT + text)),
    "own-file": (("chapter", "exhibits JSON", "chart", "embed"), lambda text: own(file=f"{text}.csv")),
    "own-title": (("chapter", "embed", "exhibits JSON", "chart", "picture"), lambda text: own(Platform=text)),
    "own-value": (("chapter", "exhibit CSV", "chart"), lambda text: own(Manufacturer=text)),
    "fact": (
        ("chapter", "front page", "print", "e-book"),
        lambda text: chapter("""facts(total=f"{units['units'].sum():,}")""", f"facts(total={text!r})"),
    ),
    "exhibit": (
        ("front page", "chapter", "embed", "exhibits JSON", "chart", "picture", "print", "e-book"),
        lambda text: chapter(
            """title=f"{units['units'].max():,} uncrewed aircraft in the largest year",""", f"title={text!r},"
        ),
    ),
    "value": (
        ("chapter", "exhibit CSV", "chart", "print", "e-book"),
        lambda text: chapter("facts(total", f"units.insert(0, 'supplier', {text!r})\nfacts(total"),
    ),
}
FORMS = sorted({form for forms, _ in FIELDS.values() for form in forms})


class Shown(HTMLParser):
    """The text that a page shows."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.inside = tag if tag in {"script", "style"} else self.inside

    def handle_endtag(self, tag: str) -> None:
        self.inside = "" if tag == self.inside else self.inside

    def handle_data(self, data: str) -> None:
        self.text += [] if self.inside else [data]


def shown(page: Path) -> str:
    return "".join(Shown(page.read_text(encoding="utf-8")).text)


def strings(content: object) -> Iterator[str]:
    """Every text in what was read from JSON."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from strings(part)


def in_json(path: Path) -> str:
    return "\n".join(strings(json.loads(path.read_text(encoding="utf-8"))))


def in_csv(path: Path) -> str:
    return "\n".join(cell for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))) for cell in row)


def in_xml(*paths: Path) -> str:
    return "\n".join("".join(ElementTree.parse(path).getroot().itertext()) for path in paths)


def in_bibtex(text: str) -> str:
    [entry] = parse_string(text, "bibtex").entries.values()
    assert {*entry.fields} == {"title", "year", "note"}
    found = "\n".join([entry.fields["title"], *map(str, entry.persons["author"])])
    for sign, command in LATEX.items():
        found = found.replace(command, sign)
    return re.sub(r"\\([&%#_])", r"\1", found)


def in_ris(text: str) -> str:
    [entry] = rispy.loads(text)
    assert {*entry} <= {"type_of_reference", "authors", "title", "year", "date", "edition", "language", "unknown_tag"}
    return "\n".join(strings(entry))


def in_linked_data(pages: Path) -> str:
    tag = re.compile(r'<script type="application/ld\+json">(.*?)</script>')
    found = [json.loads(text) for page in pages.rglob("*.html") for text in tag.findall(page.read_text("utf-8"))]
    return "\n".join(strings(found))


@pytest.fixture(scope="module")
def book(small_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book with a hostile text in every field, built in every form."""
    book = shutil.copytree(small_book, tmp_path_factory.mktemp("text") / "book")
    for page, more in (("index", "> {{ citation }}"), ("groups", "```{source-list}\n```"), ("deliveries", OWN)):
        with (book / "chapters" / f"{page}.md").open("a", encoding="utf-8") as file:
            file.write(f"\n{more}\n")
    for name, (_, plant) in FIELDS.items():
        plant(hostile(name))(book)
    with mock.patch.dict(os.environ, {settings.LOCAL: "data/local"}):
        done = run(book, "python", "-m", "companion", "book")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-5000:]
    for form in ("print", "ebook"):
        build(book, form)
    return book


@pytest.fixture(scope="module")
def texts(book: Path) -> dict[str, str]:
    """What each form of the book says, read as programs read it."""
    html, ebook = book / "_build" / "html", book / "_build" / "ebook"
    chapters, exhibits, claims, cited = html / "chapters", html / "exhibits", html / "claims", html / "citation"
    archive = book.with_name("archive")
    for name in ("data", "html/downloads"):
        (archive / name).mkdir(parents=True)
    shutil.copytree(book / "data", archive / "data", dirs_exist_ok=True)
    shutil.copy(book / "CITATION.cff", archive)
    write_crate(archive)
    title = hostile("book-title")
    write_root(archive, [Edition("1", "2027-01-05", title, title, "1", {"a.pdf": title}, ["index.html"])])
    found = {
        "front page": shown(chapters / "index.html"),
        "chapter": shown(chapters / "deliveries.html"),
        "catalogue": shown(chapters / "evidence" / "data.html"),
        "sources": shown(chapters / "groups.html"),
        "ledger": shown(chapters / "evidence" / "claims.html"),
        "embed": shown(exhibits / "small-deliveries.html") + shown(exhibits / "small-own.html"),
        "exhibits JSON": in_json(exhibits / "index.json"),
        "exhibit CSV": in_csv(exhibits / "small-deliveries.csv") + in_csv(exhibits / "small-own.csv"),
        "chart": in_json(exhibits / "small-deliveries.vl.json") + in_json(exhibits / "small-own.vl.json"),
        "picture": in_xml(exhibits / "small-deliveries.svg", exhibits / "small-own.svg"),
        "claims JSON": in_json(claims / "index.json"),
        "claims CSV": in_csv(claims / "claims.csv"),
        "BibTeX": in_bibtex((cited / "companion.bib").read_text(encoding="utf-8")),
        "RIS": in_ris((cited / "companion.ris").read_text(encoding="utf-8")),
        "CSL-JSON": in_json(cited / "companion.json"),
        "JSON-LD": in_linked_data(html),
        "print": shown(book / "_build" / "print" / "index.html"),
        "e-book": in_xml(*ebook.rglob("*.xhtml"), ebook / "content.opf"),
        "RO-Crate": in_json(archive / "ro-crate-metadata.json"),
        "editions": shown(archive / "editions.html"),
    }
    return {form: same(text) for form, text in found.items()}


@pytest.mark.parametrize("form", FORMS)
def test_what_stands_in_a_field_is_shown_as_it_is(texts: dict[str, str], form: str):
    fields = [name for name, (forms, _) in FIELDS.items() if form in forms]
    assert fields
    assert [name for name in fields if same(hostile(name)) not in texts[form]] == []


@pytest.mark.parametrize("form", ["print", "e-book", "RO-Crate"])
def test_no_text_of_a_reader_s_own_file_is_in_what_is_published(texts: dict[str, str], form: str):
    assert [name for name in FIELDS if name.startswith("own-") and same(hostile(name)) in texts[form]] == []


# What of a page came from a text of ours. Texts of scripts that are no code, such as the data of a chart, may hold it.
FOREIGN = """() => [
    ...document.querySelectorAll("script:not([src], [type^=application]), img[src=x], [onerror]"),
    ...[...document.querySelectorAll("[href]")].filter(link => link.protocol === "javascript:"),
].map(part => part.outerHTML).filter(text => text.includes("alert("))"""


def test_no_text_runs_or_leads_away_in_a_browser(book: Path, browser: Browser):
    """Without the policy of the pages, which would hide what came into them."""
    html = book / "_build" / "html"
    pages = [page for page in html.rglob("*.html") if not page.relative_to(html).as_posix().startswith("_")]
    pages += [book / "_build" / "print" / "index.html", book.with_name("archive") / "editions.html"]
    page, _ = open_page(browser, "about:blank", bypass_csp=True)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for address in [*(path.as_uri() for path in pages), f"{(html / 'search.html').as_uri()}?q=title"]:
        page.goto(address)
        if address == (html / "index.html").as_uri():  # which leads on
            page.wait_for_url("**/chapters/index.html")
        if "?" in address:
            page.locator(".found a").first.wait_for()
        assert page.evaluate(FOREIGN) == [], address
        assert dialogs == [], address
    page.context.close()


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://example.org/a?b=(c)&d#e", "https://example.org/a?b=(c)&d#e"),
        ("http://example.org", "http://example.org"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("doi:10.5281/zenodo.1", "https://doi.org/10.5281/zenodo.1"),
        (SCRIPT, ""),
        (" https://example.org", ""),
        ("https://example.org\n", ""),
        ('https://example.org/"onclick=alert(1)', ""),
        ("data:text/html,x", ""),
        ("//example.org", ""),
        ("", ""),
    ],
)
def test_only_an_address_becomes_a_link(address: str, target: str):
    assert href(address) == target


def test_the_tables_refuse_another_address(tmp_path: Path):
    """In a cell and in the description, before anything is replaced."""
    shutil.copytree(ROOT / "data", tmp_path / "data")
    refresh._check(tmp_path / "data", ["claim_sources.csv"])
    cell("claim_sources", "url", SCRIPT)(tmp_path)
    package = tmp_path / "data" / "datapackage.json"
    content = json.loads(package.read_text(encoding="utf-8"))
    table = next(resource for resource in content["resources"] if resource["name"] == "claim_sources")
    changed = (tmp_path / "data" / table["path"]).read_bytes()
    table |= {"hash": f"sha256:{hashlib.sha256(changed).hexdigest()}", "bytes": len(changed)}
    package.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SourceError, match=r"data/claim_sources\.csv, row 2, column url"):
        refresh._check(tmp_path / "data", ["claim_sources.csv"])
    shutil.copytree(ROOT / "data", tmp_path / "data", dirs_exist_ok=True)
    of_source("path", SCRIPT)(tmp_path)
    with pytest.raises(SourceError, match=r"package\.json, uas_deliveries: 'javascript:alert\(1\)' is no address"):
        refresh._check(tmp_path / "data", [])


def test_the_tables_refuse_a_text_that_a_spreadsheet_would_run(copy_of_project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(copy_of_project)
    before = (copy_of_project / "data" / "datapackage.json").read_bytes()
    cell("policy_timeline", "note", "=HYPERLINK(1)")(copy_of_project)
    with pytest.raises(
        SourceError, match=r"policy_timeline\.csv, row 2, column note: '=HYPERLINK\(1\)' would run as a"
    ):
        refresh.accept(["policy_timeline"])
    assert (copy_of_project / "data" / "datapackage.json").read_bytes() == before


def test_every_column_of_addresses_has_their_pattern():
    columns = [f for r in description()["resources"] for f in r["schema"]["fields"] if f["name"].endswith("url")]
    assert len(columns) >= 9
    several = f"{ADDRESS}({BETWEEN}{ADDRESS})*"
    assert {column["constraints"]["pattern"] for column in columns} == {ADDRESS, several}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", 'https://example.org/"><script>'),
        ("url", "mailto:a@example.org"),
        ("repository-code", SCRIPT),
        ("doi", '10.5281/"><script>'),
        ("title", "A\0title"),
    ],
)
def test_the_citation_refuses_what_would_be_no_address_and_no_line(tmp_path: Path, field: str, value: str):
    shutil.copy(ROOT / "CITATION.cff", tmp_path)
    citation(field, value)(tmp_path)
    with pytest.raises(CitationError, match=f"CITATION.cff, {field}"):
        metadata(tmp_path)


def test_a_person_stays_one_in_bibtex(tmp_path: Path):
    shutil.copy(ROOT / "CITATION.cff", tmp_path)
    citation("authors", [{"family-names": "Smith and Jones, Jr.", "given-names": "{A"}])(tmp_path)
    [entry] = parse_string(bibtex(book_item(metadata(tmp_path))), "bibtex").entries.values()
    assert len(entry.persons["author"]) == 1


def test_a_text_in_markdown_keeps_its_code_alone():
    assert plain("run `make data`\n* now | {{x}}") == r"run `make data` \* now \| \{\{x\}\}"
    assert plain("`a|b") == r"\`a\|b"
