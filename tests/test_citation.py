"""Citation data: one file, `CITATION.cff`, and everything that follows from it."""

import datetime
import json
import os
import shutil
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
import rdflib
import rispy
from bs4 import BeautifulSoup
from conftest import ADDRESSES, PAGES, ROOT, SMALL_TABLES, edit, open_page, run, soup
from PIL import Image
from playwright.sync_api import Browser
from pybtex.database import parse_string

from companion.book.launch import links
from companion.changes.compare import compare
from companion.changes.numbers import read
from companion.citation import (
    APA,
    CHICAGO,
    Author,
    Book,
    CitationError,
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
VERSION, RELEASED = f"version: {BOOK.version}", f"date-released: {BOOK.date_released}"
OPTIONAL = {
    "doi": "10.5281/zenodo.1234567",
    "repository-code": "https://github.com/example/companion_book",
    "url": "https://example.org/companion",
}
PLAIN = replace(BOOK, doi=None, repository_code=None, url=None)
FULL = replace(
    BOOK,
    authors=(
        Author(family_names="Cruz", name_particle="de la", given_names="Ana María"),
        Author(name="Office of Trade & Data"),
    ),
    version="1.2.0",
    date_released=datetime.date(2027, 1, 5),
    **{field.replace("-", "_"): value for field, value in OPTIONAL.items()},
)
TITLE = "Who exports uncrewed aircraft?"
FRONT, PATH = "chapters/index.html", "chapters/uas/exporters.html"
CHAPTERS = [address for address in ADDRESSES if address != FRONT]
# What shows on a page that a field of CITATION.cff is set.
SIGNS = {
    "doi": ["doi.org/10.", "citation_doi"],
    "repository-code": ["mybinder.org", "colab.research.google.com", "Repository</a>", "/issues/new"],
    "url": ['rel="canonical"', "og:url", "og:image", "citation_fulltext_html_url", "citation_pdf_url"],
}


RUN = ".book-page-links a:-soup-contains('Run on')"


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


def said(folder: Path, *changes: tuple[str, str]) -> Book:
    """What the citation data say with some of their lines changed."""
    shutil.copy(ROOT / "CITATION.cff", folder)
    edit(folder / "CITATION.cff", *changes)
    return metadata(folder)


def test_values_are_read_as_they_are_written(tmp_path: Path):
    assert said(tmp_path, (VERSION, "version: 0.10")).version == "0.10"
    assert said(tmp_path, (VERSION, "version: '1.0'")).version == "1.0"
    assert said(tmp_path, (RELEASED, "date-released: '2027-01-05'")).date_released == datetime.date(2027, 1, 5)
    assert said(tmp_path, ("license:\n  - BSD-3-Clause\n  - CC-BY-4.0", "license: MIT")).license == ("MIT",)
    person = "  - family-names: Cruz\n    name-particle: de la\n    given-names: Ana\n    affiliation: An institute\n"
    (author,) = said(tmp_path, ("  - name: Contributors to the Complementary Supply Chain companion\n", person)).authors
    assert (author.full_name, author.affiliation) == ("Ana de la Cruz", "An institute")
    with pytest.raises(FrozenInstanceError):
        author.family_names = "Other"


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        (VERSION, "", "version: Field required"),
        (VERSION, "version: next", "version: 'next' is not a version such as 1.2.0"),
        (VERSION, "version: [1, 2]", "version: Input should be a valid string"),
        (RELEASED, "date-released: 5 May 2027", "date-released: '5 May 2027' is not a day such as 2027-01-05"),
        (RELEASED, "date-released: 20270105", "date-released: '20270105' is not a day"),
        (RELEASED, "date-released: 2027-02-30", "date-released: day is out of range for month"),
        ("  - BSD-3-Clause\n  - CC-BY-4.0", "  BSD-3-Clause: yes", "license: Input should be a valid tuple"),
        ("type: software", "doi: https://doi.org/10.5281/zenodo.1", "doi: 'https://doi.org/10.5281/zenodo.1' is not a"),
        ("type: software", "doi:", "doi: '' is not a DOI such as 10.5281/zenodo.1234567"),
        ("type: software", "url: example.org", "url: 'example.org' is not an address such as https://"),
        ("type: software", "repository-code: owner/name", "repository-code: 'owner/name' is not an address"),
        ("  - name: Contributors", "  - nam: Contributors", "authors, entry 1: there is neither the name of an"),
        ("    year: 2024", "    year: last", "references, entry 1, year: 'last' is not a year such as 2024"),
        ('title: "Compl', 'title: ""Compl', "is not YAML: while parsing"),
    ],
)
def test_citation_data_that_cannot_be_used_are_refused_by_their_field(
    tmp_path: Path, line: str, instead: str, message: str
):
    with pytest.raises(CitationError) as caught:
        said(tmp_path, (line, instead))
    assert str(caught.value).startswith("CITATION.cff")
    assert message in str(caught.value)
    assert str(caught.value).endswith("schema-guide.md describes.")


def test_sentences():
    title, authors = BOOK.title, "Contributors to the Complementary Supply Chain companion"
    plain, version, year = book_item(PLAIN), BOOK.version, BOOK.date_released.year
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
    assert cite_book(replace(FULL, doi=None)).endswith(f", version 1.2.0. {OPTIONAL['url']}/1.2.0/")


@pytest.mark.parametrize("book", [PLAIN, FULL])
def test_entries_are_read_back(book: Book):
    version = f"Version {book.version}"
    for item in (book_item(book), chapter_item(book, TITLE, PATH)):
        entry = parse_string(bibtex(item), "bibtex").entries[item["id"]]
        record = rispy.loads(ris(item))[0]
        (own,) = json.loads(csl_json(item))
        assert own == item
        chapter = item["type"] == "chapter"
        assert entry.fields["title"] == f"{{{item['title']}}}"
        assert record["title"] == item["title"] == (TITLE if chapter else book.title)
        assert entry.type == ("incollection" if chapter else "book")
        assert record["type_of_reference"] == ("CHAP" if chapter else "BOOK")
        if chapter:
            assert entry.fields["booktitle"] == f"{{{book.title}}}"
            assert record["secondary_title"] == item["container-title"] == book.title
        assert entry.fields["year"] == record["year"] == str(book.date_released.year)
        assert record["date"] == f"{book.date_released:%Y/%m/%d}"
        assert entry.fields["note"] == record["edition"] == version
        assert len(entry.persons["author"]) == len(record["authors"]) == len(book.authors)
        for key, name in (("DOI", "doi"), ("URL", "url")):
            assert (key in item) == (name in entry.fields) == bool(getattr(book, name))
        if book.url:
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
    blocks = [block.get_text().strip() for block in page.select("article .highlight pre:not(.cite-page *)")]
    item = book_item(BOOK)
    assert blocks == [
        *(sentence(item, style).striptags() for style in (APA, CHICAGO)),
        *(form(item).strip() for form in (bibtex, ris, csl_json)),
    ]
    for name, form in (("companion.bib", bibtex), ("companion.ris", ris), ("companion.json", csl_json)):
        assert (html / "citation" / name).read_text(encoding="utf-8") == form(item)
        assert page.find("a", href=f"../../citation/{name}")


@pytest.mark.parametrize("address", CHAPTERS)
def test_each_chapter_ends_with_its_citation(html: Path, address: str):
    page = soup(html / address)
    (citation,) = page.select("article details.cite-page")
    assert not citation.has_attr("open")
    item = chapter_item(BOOK, page.title.string.split(" — ")[0], address)
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
    assert read["citation_author"] == [author.name for author in BOOK.authors]
    assert read["citation_title"] == [page.h1.find(string=True)] == [TITLE]
    assert read["citation_inbook_title"] == [BOOK.title]
    assert read["citation_publication_date"] == [f"{BOOK.date_released:%Y/%m/%d}"]
    assert read["citation_language"] == [page.html["lang"]] == ["en"]
    assert read["prism.edition"] == [f"Version {BOOK.version}"]
    assert "citation_technical_report_number" not in read
    (chapter,) = described(page)
    assert (chapter["@type"], chapter["name"]) == ("Chapter", TITLE)
    assert chapter["isPartOf"]["name"] == BOOK.title
    assert (chapter["datePublished"], chapter["version"]) == (BOOK.date_released.isoformat(), BOOK.version)


def test_a_reference_manager_reads_the_book(html: Path):
    page = soup(html / FRONT)
    assert not page.select(".cite-page")
    read = tags(page)
    assert read["citation_title"] == [BOOK.title]
    assert read["citation_technical_report_number"] == [f"Version {BOOK.version}"]
    assert read["DC.type"] == ["report"]
    assert "citation_inbook_title" not in read
    (report,) = described(page)
    assert report["@type"] == "Report"
    assert report["abstract"] == BOOK.abstract
    assert [author["name"] for author in report["author"]] == [author.name for author in BOOK.authors]
    (source,) = report["isBasedOn"]
    assert source["name"] == "Building a Mutually Complementary Supply Chain between Japan and the United States"
    assert source["datePublished"] == "2024-08"
    assert "CSIS" in source["publisher"]["name"]
    assert [part["position"] for part in report["hasPart"]] == list(range(1, len(PAGES)))


@pytest.mark.parametrize("address", CHAPTERS)
def test_a_chapter_is_the_same_part_of_the_book_on_the_front_page(html: Path, address: str):
    (report,), (own, *_) = (described(soup(html / path)) for path in (FRONT, address))
    (part,) = [part for part in report["hasPart"] if part["url"].endswith(f"/{address}")]
    assert (own["name"], own["position"]) == (part["name"], part["position"])


def test_pages_without_a_text_of_their_own_have_no_tags(html: Path):
    for name in ("search.html", "404.html"):
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
        assert (dataset["@type"], dataset["version"]) == ("Dataset", BOOK.version)
        assert dataset["license"][-1]["description"] == table["terms"]
        assert len(dataset["isBasedOn"]) == len(table["sources"])
        units = {field["name"]: field.get("unit") for field in table["schema"]["fields"]}
        assert {variable["name"]: variable.get("unitText") for variable in dataset["variableMeasured"]} == units
        assert dataset["distribution"]["encodingFormat"] == "text/csv"
        if not BOOK.url:
            assert (path.parent / dataset["distribution"]["contentUrl"]).resolve() == html / "data" / table["path"]
        assert (html / "data" / table["path"]).is_file()


def test_nothing_shows_before_it_is_set(html: Path):
    pages = {path: path.read_text(encoding="utf-8") for path in (html / "chapters").rglob("*.html")}
    assert pages
    for key, signs in SIGNS.items():
        for sign in signs if getattr(BOOK, key.replace("-", "_")) is None else []:
            assert not [path.name for path, text in pages.items() if sign in text], sign
    footer = soup(html / PATH).select_one(".book-footer").get_text()
    assert f"Working copy of version {BOOK.version}" in footer


def test_what_is_set_shows_everywhere(linked: Path):
    version = BOOK.version
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
        footer = page.select_one(".book-footer")
        date = BOOK.date_released
        assert f"Version {version}, {date.day} {date:%B %Y}" in footer.get_text()
        assert footer.find("a", href=doi)
        assert page.find("a", href=OPTIONAL["repository-code"])
        assert described(page)[0]["url"] == f"{root}/{path}"
    assert tags(landing)["citation_pdf_url"] == [f"{root}/downloads/companion-{version}.pdf"]
    (report,) = described(landing)
    assert report["@id"] == doi
    assert report["hasPart"][0]["url"] == f"{root}/chapters/deliveries.html"
    assert described(chapter)[0]["isPartOf"]["@id"] == doi
    assert [dataset["distribution"]["contentUrl"] for dataset in described(data)[1:]] == [
        f"{root}/data/{table}.csv" for table in SMALL_TABLES
    ]
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


def test_a_shared_link_shows_title_beginning_and_where_it_can_a_picture(html: Path, linked: Path):
    def shared(page: Path) -> dict[str, str]:
        found = {tag["property"]: tag["content"] for tag in soup(page).find_all("meta", property=True)}
        return found | {"card": soup(page).find("meta", attrs={"name": "twitter:card"})["content"]}

    here = shared(html / PATH)
    assert (here["og:title"], here["og:type"], here["card"]) == (TITLE, "article", "summary")
    said = " ".join(soup(html / PATH).select_one("article").get_text().split())
    assert 60 < len(here["og:description"]) <= 200
    assert here["og:description"].removesuffix(" …") in said
    root = f"{OPTIONAL['url']}/{BOOK.version}"
    pages = sorted((linked / "chapters").rglob("*.html"))
    assert len(pages) == 7
    for page in pages:
        told = shared(page)
        assert told["og:url"] == f"{root}/{page.relative_to(linked)}"
        assert told["card"] == "summary_large_image"
        picture = linked / told["og:image"].removeprefix(f"{root}/")
        with Image.open(picture) as image:
            assert image.size == (1200, 630) == (int(told["og:image:width"]), int(told["og:image:height"]))
        assert picture.stat().st_size < 40_000
    landing, deliveries, groups = (shared(linked / "chapters" / f"{n}.html") for n in ("index", "deliveries", "groups"))
    assert landing["og:description"] == BOOK.abstract
    assert landing["og:image:alt"] == deliveries["og:image:alt"]
    assert deliveries["og:image:alt"].startswith("Bars by year")
    assert groups["og:image:alt"] == groups["og:title"]
    assert not (html / "previews").exists()


def test_chapters_open_on_binder_and_colab(linked: Path):
    links_to = [link["href"] for link in soup(linked / "chapters/deliveries.html").select(RUN)]
    tag = f"v{BOOK.version}"
    assert links_to == [
        f"https://mybinder.org/v2/gh/example/companion_book/{tag}?urlpath=lab/tree/chapters/deliveries.md",
        f"https://colab.research.google.com/github/example/companion_book/blob/notebooks-{tag}/chapters/deliveries.ipynb",
    ]
    assert not soup(linked / "chapters/evidence/citing.html").select(RUN)
    newest = {"Binder": links_to[0].replace(f"/{tag}?", "/HEAD?")}
    assert links(replace(FULL, version=BOOK.version), "chapters/deliveries") == newest, (
        "a working copy has no notebooks to open on Colab"
    )
    # The theme would put notebooks here, with outputs or without, depending on the cache.
    assert not list((linked / "_sources").rglob("*.ipynb"))
    assert os.access(ROOT / ".binder" / "postBuild", os.X_OK)
