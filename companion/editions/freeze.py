"""Freeze the book into an edition, put editions side by side, and check that one is what it says it is."""

import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from unicodedata import normalize

from packaging.requirements import Requirement
from packaging.version import Version
from pypdf import PdfReader

from companion.changes.compare import compare
from companion.changes.numbers import find, read
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
from companion.editions.site import PARTIAL, editions, write_site
from companion.files.layout import DOWNLOADS, archive_name

Say = Callable[[str], None]


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
    _refuse(repository, site, book)
    earlier = [edition for edition in editions(site) if Version(edition.version) < Version(name)]
    if not earlier:
        say(f"{site}/ has no earlier edition to compare with. If there is one, stop, and run `make site` first.")
    with tempfile.TemporaryDirectory() as work:
        copy, folder = Path(work, "book"), Path(work, archive_name(name))
        _export(repository, copy)
        before = read(find(str(site / earlier[0].folder), repository, site)) if earlier else None
        changes = Path(work, CHANGES)
        text = json.dumps(compare(before, read(copy)), indent=1, ensure_ascii=False)
        changes.write_text(text + "\n", encoding="utf-8")
        assemble(copy, changes, folder, say)
        archive = folder.with_name(f"{folder.name}.zip")
        write_zip(folder, archive, folder)
        place(archive, site)
    write_site(site)
    return site / name


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
        EditionError: the folder has no archive of an edition, or one is damaged.
    """
    found = sorted(archives.glob("companion-*[0-9].zip"))
    if not found:
        raise EditionError(f"There is no companion-<version>.zip in {archives}.")
    for archive in found:
        say(f"{archive.name} -> {place(archive, site)}")
    write_site(site)


def verify(name: str, repository: Path, site: Path, say: Say = print) -> None:
    """Check an edition: that no file changed since it was frozen, and that its own sources give every file again.

    Args:
        name: a version of the site, the folder of an edition, or its archive.
        repository: the project.
        site: the folder of all editions.
        say: told what is being checked, and where packages differ from those of the edition.

    Raises:
        EditionError: the edition is not what it says it is; the message names the files.
    """
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
        _say_packages(folder, say)
        copy, again = Path(work, "book"), Path(work, "again", folder.name)
        shutil.copytree(folder, copy, ignore=lambda where, names: MADE & {*names} if Path(where) == folder else set())
        again.parent.mkdir()
        _same_changes(folder, copy, repository, site, say)
        assemble(copy, folder / CHANGES, again, say)
        _allow_other_print(again, folder, say)
        _fail(archive.name, _differences(again, folder, set()))
        packed = again.with_name(f"{again.name}.zip")
        write_zip(again, packed, again)
        if digest(packed) != digest(archive):
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
    """Unpack an archive and give its one folder."""
    try:
        shutil.unpack_archive(archive, folder, "zip")
    except (zipfile.BadZipFile, shutil.ReadError) as problem:
        raise EditionError(f"{archive.name} cannot be unpacked: {problem}. Get the archive again.") from None
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


def _allow_other_print(again: Path, folder: Path, say: Say) -> None:
    """Take a PDF with the same words on the same pages for the same: another browser draws other bytes."""
    for path in (again / HTML / DOWNLOADS).glob("*.pdf"):
        frozen = folder / HTML / DOWNLOADS / path.name
        if not frozen.is_file() or digest(frozen) == digest(path):
            continue
        new, old = _text(path), _text(frozen)
        if new == old:
            say(f"{path.name} has the same text on its {len(new)} pages, drawn by another browser.")
            shutil.copyfile(frozen, path)
            write_sums(again)


def _text(pdf: Path) -> list[str]:
    """The text of each page; a ligature counts as the letters that it stands for."""
    return [normalize("NFKC", page.extract_text()) for page in PdfReader(pdf).pages]


def _say_packages(folder: Path, say: Say) -> None:
    """Name the packages that are not of the edition's versions: they can make files come out different."""
    for line in (folder / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("-"):
            continue
        pinned = Requirement(line)
        if pinned.marker and not pinned.marker.evaluate():
            continue
        try:
            installed = version(pinned.name)
        except PackageNotFoundError:
            installed = "none"
        if not pinned.specifier.contains(installed if installed != "none" else "0"):
            say(f"The edition was made with {pinned.name}{pinned.specifier}; here is {installed}.")


def _same_changes(folder: Path, copy: Path, repository: Path, site: Path, say: Say) -> None:
    """Compare the numbers once more with the edition before, where it is at hand."""
    changes = json.loads((folder / CHANGES).read_text(encoding="utf-8"))
    if changes["from"] is None:
        return
    before = changes["from"]["version"]
    if not (site / before).is_dir():
        say(f"Version {before} is not in {site}/, so what changed since it is not compared again.")
    elif compare(read(find(before, repository, site)), read(copy)) != changes:
        raise EditionError(f"{CHANGES} does not say what changed since version {before}.")
