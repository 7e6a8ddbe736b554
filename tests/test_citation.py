"""Citation data: one file, `CITATION.cff`, and everything that follows from it."""

import datetime
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import rdflib
import rispy
from bs4 import BeautifulSoup
from conftest import PAGES, ROOT, open_page, run
from playwright.sync_api import Browser
from pybtex.database import parse_string

from companion.book.launch import links
from companion.changes.compare import compare
from companion.changes.numbers import read
from companion.citation import (
    APA,
    CHICAGO,
    bibtex,
    book_item,
    chapter_item,
    cite_book,
    csl_json,
    metadata,
    ris,
    sentence,
)
from companion.editions.rebuild import build
from companion.tables import package

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph")  # rdflib's own, in its reader of JSON-LD
BOOK = metadata(ROOT)
OPTIONAL = {
    "doi": "10.5281/zenodo.1234567",
    "repository-code": "https://github.com/example/companion_book",
    "url": "https://example.org/companion",
}
PERSONS = [
    {"family-names": "Cruz", "name-particle": "de la", "given-names": "Ana María"},
    {"name": "Office of Trade & Data"},
]
PLAIN = {key: value for key, value in BOOK.items() if key not in OPTIONAL}
FULL = PLAIN | OPTIONAL | {"authors": PERSONS, "version": "1.2.0", "date-released": datetime.date(2027, 1, 5)}
TITLE = "Who exports uncrewed aircraft?"
PATH = "chapters/uas/exporters.html"
# What shows on a page that a field of CITATION.cff is set.
SIGNS = {
    "doi": ["doi.org/10.", "citation_doi"],
    "repository-code": ["mybinder.org", "colab.research.google.com", "source-repository-button", "/issues/new"],
    "url": ['rel="canonical"', "citation_fulltext_html_url", "citation_pdf_url"],
}


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def tags(page: BeautifulSoup) -> dict[str, list[str]]:
    """The tags of a page that a reference manager reads, each with its values."""
    found: dict[str, list[str]] = {}
    for tag in page.head.find_all("meta", attrs={"name": True}):
        if tag["name"].startswith(("citation_", "DC.", "prism.")):
            found.setdefault(tag["name"], []).append(tag["content"])
    return found


def described(page: BeautifulSoup) -> list[dict[str, Any]]:
    """What a page says in schema.org's vocabulary; every class and property in it is one of that vocabulary."""
    descriptions = [json.loads(script.string) for script in page.find_all("script", type="application/ld+json")]
    for description in descriptions:
        assert description["@context"] == "https://schema.org"
        assert "dateModified" not in json.dumps(description)
        local = json.dumps(description | {"@context": {"@vocab": "https://schema.org/"}})
        graph = rdflib.Graph().parse(data=local, format="json-ld")
        used = {*graph.predicates(), *graph.objects(None, rdflib.RDF.type)} - {rdflib.RDF.type}
        assert len(used) > 5
        assert not [term for term in used if term not in rdflib.SDO]
    return descriptions


@pytest.fixture(scope="module")
def linked(small_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition of a small book with DOI, repository, and address."""
    folder = shutil.copytree(small_book, tmp_path_factory.mktemp("linked") / "book")
    text = (folder / "CITATION.cff").read_text(encoding="utf-8")
    for key, value in OPTIONAL.items():
        assert f"\n{key}:" not in text
        text += f"{key}: {value}\n"
    (folder / "CITATION.cff").write_text(text, encoding="utf-8")
    changes = folder.with_name("changes.json")
    changes.write_text(json.dumps(compare(None, read(folder))), encoding="utf-8")
    return build(folder, changes=changes)


def test_the_citation_data_are_valid(tmp_path: Path):
    check = ["check-jsonschema", "--builtin-schema", "vendor.citation-file-format"]
    done = run(ROOT, *check, "CITATION.cff")
    assert done.returncode == 0, done.stdout
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text(text.replace("date-released", "released"), encoding="utf-8")
    assert run(tmp_path, *check, "CITATION.cff").returncode == 1


def test_sentences():
    title, authors = BOOK["title"], "Contributors to the Complementary Supply Chain companion"
    plain, version, year = book_item(PLAIN), BOOK["version"], BOOK["date-released"].year
    assert sentence(plain, APA).striptags() == f"{authors}. ({year}). {title} (Version {version})."
    assert sentence(plain, CHICAGO).striptags() == f"{authors}. {year}. {title}. Version {version}."
    assert f"<i>{title}</i>" in sentence(plain, APA)
    assert cite_book(PLAIN) == f"{authors} ({year}): {title}, version {version}."
    chapter, doi = chapter_item(FULL, TITLE, PATH), f"https://doi.org/{OPTIONAL['doi']}"
    assert sentence(chapter, APA).striptags() == (
        f"de la Cruz, A. M., & Office of Trade & Data. (2027). {TITLE} In {title} (Version 1.2.0). {doi}"
    )
    assert sentence(chapter, CHICAGO).striptags() == (
        "Cruz, Ana María de la, and Office of Trade & Data. 2027. “Who Exports Uncrewed Aircraft?” "
        f"In {title}, version 1.2.0. {doi}."
    )
    assert cite_book(FULL).endswith(f", version 1.2.0. {doi}")
    site_only = {key: value for key, value in FULL.items() if key != "doi"}
    assert cite_book(site_only).endswith(f", version 1.2.0. {OPTIONAL['url']}/1.2.0/")


@pytest.mark.parametrize("book", [PLAIN, FULL])
def test_entries_are_read_back(book: dict[str, Any]):
    version = f"Version {book['version']}"
    for item in (book_item(book), chapter_item(book, TITLE, PATH)):
        entry = parse_string(bibtex(item), "bibtex").entries[item["id"]]
        record = rispy.loads(ris(item))[0]
        (own,) = json.loads(csl_json(item))
        assert own == item
        chapter = item["type"] == "chapter"
        assert entry.fields["title"] == f"{{{item['title']}}}"
        assert record["title"] == item["title"] == (TITLE if chapter else book["title"])
        assert entry.type == ("incollection" if chapter else "book")
        assert record["type_of_reference"] == ("CHAP" if chapter else "BOOK")
        if chapter:
            assert entry.fields["booktitle"] == f"{{{book['title']}}}"
            assert record["secondary_title"] == item["container-title"] == book["title"]
        assert entry.fields["year"] == record["year"] == str(book["date-released"].year)
        assert record["date"] == f"{book['date-released']:%Y/%m/%d}"
        assert entry.fields["note"] == record["edition"] == version
        assert len(entry.persons["author"]) == len(record["authors"]) == len(book["authors"])
        for key, name in (("DOI", "doi"), ("URL", "url")):
            assert (key in item) == (name in entry.fields) == (name in book)
        if "url" in book:
            address = f"{OPTIONAL['url']}/1.2.0/{PATH if chapter else ''}"
            assert entry.fields["url"] == record["urls"][0] == item["URL"] == address
            assert entry.fields["doi"] == record["doi"] == item["DOI"] == OPTIONAL["doi"]
    if book is FULL:
        person, office = entry.persons["author"]
        assert (person.prelast_names, person.last_names, person.first_names) == (["de", "la"], ["Cruz"], ["Ana"])
        assert office.last_names == ["{Office of Trade \\& Data}"]
        assert record["authors"] == ["de la Cruz, Ana María", "Office of Trade & Data"]


def test_the_page_about_citing_has_the_five_forms(html: Path):
    page = soup(html / "chapters/evidence/citing.html")
    page.select_one(".cite-page").decompose()
    blocks = [block.get_text().strip() for block in page.select("article .highlight pre")]
    item = book_item(BOOK)
    assert blocks == [
        *(sentence(item, style).striptags() for style in (APA, CHICAGO)),
        *(form(item).strip() for form in (bibtex, ris, csl_json)),
    ]
    for name, form in (("companion.bib", bibtex), ("companion.ris", ris), ("companion.json", csl_json)):
        assert (html / "citation" / name).read_text(encoding="utf-8") == form(item)
        assert page.find("a", href=f"../../citation/{name}")


def test_each_chapter_ends_with_its_citation(html: Path):
    for page in PAGES:
        address = page.relative_to(ROOT).with_suffix(".html").as_posix()
        content = soup(html / address)
        found = content.select("article details.cite-page")
        if address == "chapters/index.html":
            assert not found
            continue
        (citation,) = found
        assert not citation.has_attr("open")
        item = chapter_item(BOOK, content.title.string.split(" — ")[0], address)
        texts = [block.get_text().strip() for block in citation.select("pre")]
        assert texts == [sentence(item, APA).striptags(), bibtex(item).strip()]


def test_a_page_s_citation_opens_with_the_keyboard_and_without_javascript(html: Path, browser: Browser):
    page, trouble = open_page(browser, (html / PATH).as_uri(), 360, java_script_enabled=False)
    details = page.locator(".cite-page")
    assert not details.locator("pre").first.is_visible()
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert TITLE in details.locator("pre").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert trouble == []
    page.context.close()


def test_a_reference_manager_reads_a_chapter(html: Path):
    page = soup(html / PATH)
    read = tags(page)
    authors = [author.get("name") or f"{author['family-names']}, {author['given-names']}" for author in BOOK["authors"]]
    assert read["citation_author"] == authors
    assert read["citation_title"] == [page.h1.find(string=True)] == [TITLE]
    assert read["citation_inbook_title"] == [BOOK["title"]]
    assert read["citation_publication_date"] == [f"{BOOK['date-released']:%Y/%m/%d}"]
    assert read["citation_language"] == [page.html["lang"]] == ["en"]
    assert read["prism.edition"] == [f"Version {BOOK['version']}"]
    assert "citation_technical_report_number" not in read
    (chapter,) = described(page)
    assert (chapter["@type"], chapter["name"]) == ("Chapter", TITLE)
    assert chapter["isPartOf"]["name"] == BOOK["title"]
    assert (chapter["datePublished"], chapter["version"]) == (BOOK["date-released"].isoformat(), BOOK["version"])


def test_a_reference_manager_reads_the_book(html: Path):
    page = soup(html / "chapters/index.html")
    read = tags(page)
    assert read["citation_title"] == [BOOK["title"]]
    assert read["citation_technical_report_number"] == [f"Version {BOOK['version']}"]
    assert read["DC.type"] == ["report"]
    assert "citation_inbook_title" not in read
    (report,) = described(page)
    assert report["@type"] == "Report"
    assert report["abstract"] == BOOK["abstract"]
    assert [author["name"] for author in report["author"]] == [author["name"] for author in BOOK["authors"]]
    (source,) = report["isBasedOn"]
    assert source["name"] == "Building a Mutually Complementary Supply Chain between Japan and the United States"
    assert source["datePublished"] == "2024-08"
    assert "CSIS" in source["publisher"]["name"]
    assert [part["position"] for part in report["hasPart"]] == list(range(1, len(PAGES)))
    for part in report["hasPart"]:
        chapter = soup((html / "chapters" / part["url"].split("/chapters/")[-1]).resolve())
        (own, *_) = described(chapter)
        assert (own["name"], own["position"]) == (part["name"], part["position"])


def test_pages_without_a_text_of_their_own_have_no_tags(html: Path):
    for name in ("search.html", "genindex.html"):
        page = soup(html / name)
        assert tags(page) == {}
        assert described(page) == []


def test_every_table_is_described_as_a_dataset(html: Path):
    path = html / "chapters/evidence/data.html"
    chapter, *datasets = described(soup(path))
    assert chapter["@type"] == "Chapter"
    tables = package()["resources"]
    assert [dataset["identifier"] for dataset in datasets] == [table["name"] for table in tables]
    for dataset, table in zip(datasets, tables, strict=True):
        assert (dataset["@type"], dataset["version"]) == ("Dataset", BOOK["version"])
        assert dataset["license"][-1]["description"] == table["terms"]
        assert len(dataset["isBasedOn"]) == len(table["sources"])
        units = {field["name"]: field.get("unit") for field in table["schema"]["fields"]}
        assert {variable["name"]: variable.get("unitText") for variable in dataset["variableMeasured"]} == units
        assert dataset["distribution"]["encodingFormat"] == "text/csv"
        if "url" not in BOOK:
            assert (path.parent / dataset["distribution"]["contentUrl"]).resolve() == html / "data" / table["path"]
        assert (html / "data" / table["path"]).is_file()


def test_nothing_shows_before_it_is_set(html: Path):
    pages = {path: path.read_text(encoding="utf-8") for path in (html / "chapters").rglob("*.html")}
    assert pages
    for key in SIGNS.keys() - BOOK.keys():
        for sign in SIGNS[key]:
            assert not [path.name for path, text in pages.items() if sign in text], sign
    footer = soup(html / PATH).select_one(".bd-footer-content").get_text()
    assert f"Working copy of version {BOOK['version']}" in footer


def test_what_is_set_shows_everywhere(linked: Path):
    version = BOOK["version"]
    root, doi = f"{OPTIONAL['url']}/{version}", f"https://doi.org/{OPTIONAL['doi']}"
    landing, chapter, data, citing = (
        soup(linked / "chapters" / f"{name}.html")
        for name in ("index", "deliveries", "evidence/data", "evidence/citing")
    )
    for page, path in ((landing, "chapters/index.html"), (chapter, "chapters/deliveries.html")):
        read = tags(page)
        assert read["citation_doi"] == [OPTIONAL["doi"]]
        assert read["citation_fulltext_html_url"] == [f"{root}/{path}"]
        assert [link["href"] for link in page.find_all("link", rel="canonical")] == [f"{root}/{path}"]
        footer = page.select_one(".bd-footer-content")
        date = BOOK["date-released"]
        assert f"Version {version}, {date.day} {date:%B %Y}" in footer.get_text()
        assert footer.find("a", href=doi)
        assert page.find("a", href=OPTIONAL["repository-code"])
        assert described(page)[0]["url"] == f"{root}/{path}"
    assert tags(landing)["citation_pdf_url"] == [f"{root}/downloads/companion-{version}.pdf"]
    (report,) = described(landing)
    assert report["@id"] == doi
    assert report["hasPart"][0]["url"] == f"{root}/chapters/deliveries.html"
    assert described(chapter)[0]["isPartOf"]["@id"] == doi
    assert {dataset["distribution"]["contentUrl"] for dataset in described(data)[1:]} == {
        f"{root}/data/{table['path']}" for table in package()["resources"]
    }
    text = citing.select_one("article").get_text()
    assert text.count(OPTIONAL["doi"]) == 2 + 3 + 2  # sentences, entries, and the page's own citation
    assert citing.select_one("article").find("a", href=OPTIONAL["repository-code"])
    for name in ("companion.bib", "companion.ris", "companion.json"):
        assert OPTIONAL["doi"] in (linked / "citation" / name).read_text(encoding="utf-8")
    everything = "".join(path.read_text(encoding="utf-8") for path in (linked / "chapters").rglob("*.html"))
    assert not [sign for signs in SIGNS.values() for sign in signs if sign not in everything]
    exhibits = json.loads((linked / "exhibits/index.json").read_text(encoding="utf-8"))
    assert len(exhibits) == 2
    assert all(exhibit["citation"].endswith(doi) for exhibit in exhibits)


def test_chapters_open_on_binder_and_colab(linked: Path):
    links_to = [link["href"] for link in soup(linked / "chapters/deliveries.html").select(".dropdown-launch-buttons a")]
    tag = f"v{BOOK['version']}"
    assert links_to == [
        f"https://mybinder.org/v2/gh/example/companion_book/{tag}?urlpath=lab/tree/chapters/deliveries.md",
        f"https://colab.research.google.com/github/example/companion_book/blob/notebooks-{tag}/chapters/deliveries.ipynb",
    ]
    assert not soup(linked / "chapters/evidence/citing.html").select(".dropdown-launch-buttons")
    newest = {"Binder": links_to[0].replace(f"/{tag}?", "/HEAD?")}
    assert links(BOOK | OPTIONAL, "chapters/deliveries") == newest, "a working copy has no notebooks to open on Colab"
    # The theme would put notebooks here, with outputs or without, depending on the cache.
    assert not list((linked / "_sources").rglob("*.ipynb"))
    assert os.access(ROOT / ".binder" / "postBuild", os.X_OK)
