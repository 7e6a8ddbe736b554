"""Freeze the book into an edition, put editions side by side, and check that one is what it says it is."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from pypdf import PdfReader

from companion.changes.compare import compare
from companion.changes.numbers import find, read
from companion.changes.released import keep, latest
from companion.citation import Book, metadata
from companion.editions import EditionError
from companion.editions.archive import (
    CHANGES,
    HTML,
    MADE,
    SUMS,
    assemble,
    check_sums,
    digest,
    files_in,
    write_sums,
    write_zip,
)
from companion.editions.rebuild import archive_again
from companion.editions.site import PARTIAL, Edition, editions, is_written, write_site
from companion.files import zips
from companion.files.layout import DOWNLOADS, archive_name

Say = Callable[[str], None]
LIST_PACKAGES = """
import json
from importlib.metadata import distributions

print(json.dumps([(found.metadata["Name"], found.version) for found in distributions()]))
"""


def freeze(repository: Path, site: Path, say: Say = print) -> Path:
    """Make an edition of the committed state of the book and put it into the site beside the earlier ones.

    Args:
        repository: the project, a Git repository.
        site: the folder of all editions.
        say: told what is being done.

    Returns:
        The folder of the new edition.

    Raises:
        EditionError: the state is not ready to be published, an earlier edition was changed, or the book cannot be
            built; nothing was added to the site.
    """
    book = metadata(repository)
    name = book.version
    if (site / name).exists() and not is_written(site):
        say(f"{site / name} is there, from a run that was stopped before all that stands beside it was written.")
        return _finish(repository, site, name, say)
    _refuse(repository, site, book)
    if not any(Version(edition.version) < Version(name) for edition in editions(site)):
        say(f"{site}/ has no earlier edition to stand beside. If there is one, stop, and run `make site` first.")
    with tempfile.TemporaryDirectory() as work:
        copy, archive = Path(work, "book"), Path(work, f"{archive_name(name)}.zip")
        _export(repository, copy)
        pack(copy, write_changes(copy, Path(work, CHANGES), say), archive, say)
        place(archive, site)
    return _finish(repository, site, name, say)


def _finish(repository: Path, site: Path, name: str, say: Say) -> Path:
    """Keep the numbers of an edition that is placed, and write all that stands beside the editions, in this order."""
    kept = keep(find(str(site / name), repository, site), repository)
    write_site(site)
    say(f"Commit {kept.relative_to(repository)}: the next edition tells from it what changed.")
    return site / name


def write_changes(book: Path, target: Path, say: Say = print) -> Path:
    """Write what changed in the numbers since the version before, of which the book keeps a record.

    Args:
        book: a copy of the project.
        target: the file to write, which is returned.
        say: told where the version before could not be read in full.

    Raises:
        StateError: the numbers of one of the two cannot be read.
    """
    record = latest(book, before=metadata(book).version)
    before = read(record) if record else None
    for note in before.notes if before else []:
        say(note)
    text = json.dumps(compare(before, read(book)), indent=1, ensure_ascii=False)
    target.write_text(text + "\n", encoding="utf-8")
    return target


def pack(book: Path, changes: Path, archive: Path, say: Say = print) -> None:
    """Make the archive of an edition from a copy of the project.

    Args:
        book: the copy; the book is built in it.
        changes: the file of what changed since the edition before.
        archive: the file to write, `companion-<version>.zip`; its name without the ending is the folder inside it.
        say: told what is being made, as it can take minutes.

    Raises:
        EditionError: the book cannot be built, or its recorded outputs are not those of the built pages.
    """
    folder = archive.with_suffix("")
    assemble(book, changes, folder, say)
    write_zip(folder, archive, folder)


def place(archive: Path, site: Path) -> Path:
    """Put the edition of an archive into a site: its pages, its downloads, and the archive itself.

    Raises:
        EditionError: the archive is damaged, or the site has another edition of this version.
    """
    with tempfile.TemporaryDirectory() as work:
        folder = _unpack(archive, Path(work))
        if problems := check_sums(folder):
            raise EditionError(f"{archive.name}: {'; '.join(problems[:5])}. Get the archive again.")
        name = metadata(folder).version
        if (about := Edition.read(folder / HTML)).version != name:
            raise EditionError(f"{archive.name}: its pages are of version {about.version}, CITATION.cff of {name}.")
        target, kept = site / name, f"{DOWNLOADS}/{archive_name(name)}.zip"
        if target.exists():
            if (target / kept).is_file() and digest(target / kept) == digest(archive):
                return target
            raise EditionError(
                f"{target} exists and is not the edition of {archive.name}. An edition is never replaced."
            )
        partial = site / PARTIAL
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(folder / HTML, partial)
        shutil.copyfile(archive, partial / kept)
        write_sums(partial)
        partial.rename(target)
    return target


def compose(archives: Path, site: Path, say: Say = print) -> None:
    """Put the editions of all archives in a folder side by side, without building any of them.

    Raises:
        EditionError: the folder has no archive of an edition, one is damaged, or an edition that was there before is.
        ArchiveError: an archive is damaged, or one of its entries is odd.
    """
    editions(site)
    found = sorted(archives.glob("companion-*[0-9].zip"))
    if not found:
        raise EditionError(f"There is no companion-<version>.zip in {archives}.")
    try:
        for archive in found:
            say(f"{archive.name} -> {place(archive, site)}")
    finally:
        if editions(site):  # whatever stops it, no edition is left without a page that leads to it
            write_site(site)


def verify(
    name: str,
    site: Path,
    say: Say = print,
    agreed: Callable[[str], bool] = lambda question: True,
    python: Path = Path(sys.executable),
) -> None:
    """Check an edition: that no file changed since it was frozen, and that its own sources give every file again.

    They are built with the library that the archive holds, whatever has become of this one.

    Args:
        name: a version of the site, the folder of an edition, or its archive.
        site: the folder of all editions.
        say: told what is being checked, and where packages differ from those of the edition.
        agreed: asked before code of the archive runs.
        python: the Python of the environment whose packages it uses.

    Raises:
        EditionError: the edition is not what it says it is; the message names the files. Or somebody did not agree.
    """
    python = python.absolute()  # the code runs in another folder; and the link in an environment is what makes it one
    if not python.is_file():
        raise EditionError(f"There is no {python}. Name the Python of an environment, such as .venv/bin/python.")
    path = next((path for path in (Path(name), site / name) if path.exists()), None)
    if path is None:
        raise EditionError(f"There is no edition {name!r}. Name a version in {site}/, or the folder or archive of one.")
    with tempfile.TemporaryDirectory() as work:
        archive = path
        if path.is_dir():
            say("Comparing the files with their checksums")
            _fail(path.name, check_sums(path))
            archive = next((path / DOWNLOADS).glob("companion-*[0-9].zip"))
        folder = _unpack(archive, Path(work, "frozen"))
        _fail(archive.name, check_sums(folder))
        if path.is_dir():
            _fail(path.name, _differences(folder / HTML, path, {SUMS, f"{DOWNLOADS}/{archive.name}"}))
        _say_packages(folder, python, say)
        say(
            f"Next the code in {archive.name} builds this edition again. It can do on this machine whatever you can: "
            "let it run only if you know who made the file."
        )
        if not agreed("Run it?"):
            raise EditionError(f"Nothing of {archive.name} was run. Its files have the checksums that it lists.")
        copy, packed = Path(work, "book"), Path(work, "again", f"{folder.name}.zip")
        shutil.copytree(folder, copy, ignore=lambda where, names: MADE & {*names} if Path(where) == folder else set())
        packed.parent.mkdir()
        archive_again(copy, packed, folder / CHANGES, say=say, python=python)
        if digest(packed) != digest(archive):
            again = _unpack(packed, Path(work, "unpacked"))
            reprinted = _allow_other_print(again, folder, say)
            _fail(archive.name, _differences(again, folder, set()))
            if not reprinted:
                say("The archive's files are the same; it was packed by another version of the compression library.")
    say(f"{path.name}: every file is as it was frozen, and its sources give every file again.")


def _refuse(repository: Path, site: Path, book: Book) -> None:
    """Say why the present state must not be published, if anything stands against it."""
    name, released = book.version, str(book.date_released)
    status = _git(repository, "status", "--porcelain")
    if status:
        raise EditionError(f"There are changes that are not committed:\n{status}Commit or remove them first.")
    if (site / name).exists():
        raise EditionError(
            f"{site / name} exists. An edition is never replaced: give CITATION.cff and CHANGELOG.md a new version."
        )
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(name)} \({re.escape(released)}\)$", changelog, re.MULTILINE):
        raise EditionError(
            f"CHANGELOG.md does not describe the version of CITATION.cff. Write a section `## {name} ({released})`."
        )
    for edition in editions(site):
        _fail(edition.version, check_sums(site / edition.folder))


def _export(repository: Path, folder: Path) -> None:
    """Write the committed state into a folder: no file that Git does not know can get into an edition."""
    archive = folder.with_suffix(".zip")
    _git(repository, "archive", "--format=zip", f"--output={archive}", "HEAD")
    shutil.unpack_archive(archive, folder)


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=repository, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        raise EditionError(f"An edition is made from a commit, and Git says: {done.stderr.strip()}")
    return done.stdout


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive and give its one folder.

    Raises:
        ArchiveError: it is damaged, or an entry is odd.
        EditionError: it is the archive of something else.
    """
    zips.unpack(archive, folder)
    inside = [path for path in folder.iterdir() if path.is_dir()]
    if len(inside) != 1 or not (inside[0] / "CITATION.cff").is_file():
        raise EditionError(f"{archive.name} is not the archive of an edition.")
    return inside[0]


def _differences(expected: Path, found: Path, besides: set[str]) -> list[str]:
    """How the files of one folder differ from those of another, apart from some that only this one has."""
    one, other = set(files_in(expected)), set(files_in(found)) - besides
    return [
        *(f"{path} is missing" for path in sorted(one - other)),
        *(f"{path} does not come from the sources" for path in sorted(other - one)),
        *(
            f"{path} comes out different"
            for path in sorted(one & other)
            if digest(expected / path) != digest(found / path)
        ),
    ]


def _fail(name: str, problems: list[str]) -> None:
    if problems:
        more = f"\n... and {len(problems) - 20:,} more" if len(problems) > 20 else ""
        raise EditionError(f"{name} is not as it was frozen:\n" + "\n".join(problems[:20]) + more)


def _allow_other_print(again: Path, folder: Path, say: Say) -> bool:
    """Take a PDF with the same words on the same pages for the same, and say so: another browser draws other bytes."""
    allowed = False
    for path in (again / HTML / DOWNLOADS).glob("*.pdf"):
        frozen = folder / HTML / DOWNLOADS / path.name
        if not frozen.is_file() or digest(frozen) == digest(path):
            continue
        new, old = _text(path), _text(frozen)
        if new == old:
            say(f"{path.name} has the same text on its {len(new)} pages, drawn by another browser.")
            shutil.copyfile(frozen, path)
            write_sums(again)
            allowed = True
    return allowed


def _text(pdf: Path) -> list[str]:
    """The text of each page; a ligature counts as the letters that it stands for."""
    return [normalize("NFKC", page.extract_text()) for page in PdfReader(pdf).pages]


def _say_packages(folder: Path, python: Path, say: Say) -> None:
    """Name the packages that are not of the edition's versions: they can make files come out different."""
    listed = subprocess.run([python, "-c", LIST_PACKAGES], capture_output=True, check=True).stdout
    here = {canonicalize_name(name): version for name, version in json.loads(listed)}
    for line in (folder / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("-"):
            continue
        pinned = Requirement(line)
        if pinned.marker and not pinned.marker.evaluate():
            continue
        installed = here.get(canonicalize_name(pinned.name))
        if installed is None or not pinned.specifier.contains(installed):
            say(f"The edition was made with {pinned.name}{pinned.specifier}; here is {installed or 'none'}.")
