"""The site of all editions: each frozen in its folder, and beside them what leads to the newest and lists them all.

What stands beside the editions is written anew from them; nothing in an edition's folder ever is. Every page of an
edition asks for `versions.js` one folder up, so that an old edition learns of a newer one.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Self

import jinja2
from packaging.version import Version
from pydantic import AfterValidator, TypeAdapter, ValidationError

from companion.book.policy import allowed
from companion.citation import checked_version
from companion.editions import EditionError
from companion.files import whole
from companion.files.layout import ABOUT, DOWNLOADS, FIRST_PAGE, MISSING_PAGE, archive_name
from companion.files.zips import is_inside

VERSIONS = "versions.json"
SCRIPT = "versions.js"
PAGE = "editions.html"
ROOT_FILES = (VERSIONS, SCRIPT, PAGE, MISSING_PAGE)
LATEST = "latest"
PARTIAL = ".partial"
# What programs fetch from the newest edition; pages only lead on to it, so that nobody cites one that moves.
COPIED = ("exhibits", "claims", "data", "citation", "changes")

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
TEMPLATES.filters["allowed"] = allowed


def _inside(name: str) -> str:
    if not is_inside(name):
        raise ValueError(f"{name!r} is no address below the edition's folder")
    return name


Address = Annotated[str, AfterValidator(_inside)]


@dataclass(frozen=True)
class Edition:
    """One published version, as it describes itself.

    Attributes:
        version: as in `CITATION.cff`.
        released: the day of release.
        title: the book's.
        citation: how to cite it, as a sentence.
        folder: where it lies, beside the other editions.
        files: its downloads and what they are, by address from its folder.
        pages: its pages, by address from its folder.
    """

    version: Annotated[str, AfterValidator(checked_version)]
    released: str
    title: str
    citation: str
    folder: str
    files: dict[Address, str]
    pages: list[Address]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What the pages in a folder say of themselves; what a later form says more is left out.

        Raises:
            EditionError: they do not say it, or in another form.
        """
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            return TypeAdapter(cls).validate_python({**about, "folder": folder.name})
        except (FileNotFoundError, ValueError, TypeError) as problem:
            place, what = ABOUT, str(problem)
            if isinstance(problem, ValidationError):
                first = problem.errors()[0]
                place, what = ", ".join([ABOUT, *map(str, first["loc"])]), first["msg"].removeprefix("Value error, ")
            raise EditionError(f"{folder.name}/{place}: {what}. Get the archive of this edition again.") from None


def editions(site: Path) -> list[Edition]:
    """The editions in a site, the newest first."""
    found = [Edition.read(path.parent) for path in site.glob(f"[0-9]*/{ABOUT}")]
    return sorted(found, key=lambda edition: Version(edition.version), reverse=True)


def write_root(site: Path, found: list[Edition]) -> None:
    """Write the list of editions in its three forms: for programs, for the pages of the editions, and for readers."""
    entries = [asdict(edition) | {"preferred": edition is found[0]} for edition in found]
    known = [{key: entry[key] for key in ("version", "released", "folder", "pages")} for entry in entries]
    whole.write(site / SCRIPT, f"window.companionEditions = {json.dumps(known, ensure_ascii=False)};\n")
    archives = {
        edition.version: path
        for edition in found
        if (site / (path := f"{edition.folder}/{DOWNLOADS}/{archive_name(edition.version)}.zip")).is_file()
    }
    whole.write(site / PAGE, TEMPLATES.get_template("editions.html").render(editions=found, archives=archives))
    whole.write(site / VERSIONS, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")


def write_site(site: Path) -> None:
    """Write everything that stands beside the editions: their list, the way to the newest, and the root page."""
    found = editions(site)
    newest = site / found[0].folder
    partial = site / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    for page in found[0].pages:
        up = "../" * (page.count("/") + 1)
        whole.write(partial / page, _forward(f"{up}{newest.name}/{page}", found[0]))
    for name in COPIED:
        if (newest / name).is_dir():
            ignored = shutil.ignore_patterns("*.html")
            shutil.copytree(newest / name, partial / name, ignore=ignored, dirs_exist_ok=True)
    shutil.rmtree(site / LATEST, ignore_errors=True)
    partial.rename(site / LATEST)
    whole.write(site / FIRST_PAGE, _forward(f"{newest.name}/{FIRST_PAGE}", found[0]))
    if (newest / MISSING_PAGE).is_file():  # the first editions have none
        whole.write(site / MISSING_PAGE, (newest / MISSING_PAGE).read_text(encoding="utf-8"))
    write_root(site, found)


def is_written(site: Path) -> bool:
    """Whether all that stands beside the editions was written since the last one came: their list is, as the last."""
    try:
        listed = json.loads((site / VERSIONS).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return [entry["version"] for entry in listed] == [edition.version for edition in editions(site)]


def _forward(address: str, newest: Edition) -> str:
    return TEMPLATES.get_template("forward.html").render(address=address, newest=newest)
