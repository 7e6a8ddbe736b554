"""What an edition consists of: every file of its archive, made from a copy of the project and from nothing else."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat

from companion.chapters.notebooks import StaleReferenceError, chapter_paths, code_cells, with_reference
from companion.citation import metadata
from companion.editions import EditionError, printed, site
from companion.editions.crate import write_crate
from companion.editions.rebuild import build
from companion.files import zips
from companion.files.layout import DOWNLOADS, archive_name

SUMS = "SHA256SUMS"
# What is made beside the project's own files, which the archive holds as they are in Git.
HTML, NOTEBOOKS, CHANGES, CRATE = "html", "notebooks", "changes.json", "ro-crate-metadata.json"
MADE = {HTML, NOTEBOOKS, CHANGES, CRATE, SUMS, *site.ROOT_FILES}
NOT_KEPT = shutil.ignore_patterns("_build", "__pycache__", "*.egg-info")


def assemble(book: Path, changes: Path, folder: Path, say: Callable[[str], None]) -> None:
    """Make everything that the archive of an edition holds.

    Args:
        book: a copy of the project of its own; the book is built in it.
        changes: the file of what changed since the edition before.
        folder: where the files go; it must not exist.
        say: told what is being made, as it can take minutes.

    Raises:
        EditionError: the book cannot be built, or its recorded outputs are not those of the built pages.
    """
    record = metadata(book)
    name = archive_name(record.version)
    shutil.copytree(book, folder, ignore=NOT_KEPT)
    if taken := sorted(path.name for path in folder.iterdir() if path.name in MADE):
        raise EditionError(f"The project has {', '.join(taken)} at its top, which an edition makes. Rename it.")
    say("Running the chapters and building the pages")
    html = build(book, "html", changes)
    _agree(book, html)
    shutil.copytree(html, folder / HTML, ignore=shutil.ignore_patterns(".buildinfo", ".doctrees"))
    downloads = folder / HTML / DOWNLOADS
    say("Printing the PDF")
    printed.write_pdf(book, downloads / f"{name}.pdf", changes)
    say("Making the EPUB")
    printed.write_epub(book, downloads / f"{name}.epub", changes)
    say("Packing")
    for chapter in chapter_paths(book):
        path = chapter.relative_to(book).with_suffix(".ipynb")
        (folder / NOTEBOOKS / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(html / path, folder / NOTEBOOKS / path)
    shutil.copy(changes, folder / CHANGES)
    site.write_root(folder, [site.Edition.read(folder / HTML)])
    write_crate(folder)
    write_sums(folder)


def write_zip(folder: Path, target: Path, book: Path) -> None:
    """Pack a folder so that the same files always give the same bytes: in order, at the moment of release."""
    members = ((f"{folder.name}/{path}", (folder / path).read_bytes()) for path in files_in(folder))
    zips.write_zip(target, members, metadata(book).moment)


def files_in(folder: Path) -> list[str]:
    """Every file below a folder, as a path from there, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def digest(path: Path) -> str:
    """The SHA-256 hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """Write the hash of every file in a folder, in the form that `sha256sum --check` reads."""
    lines = [f"{digest(folder / path)}  {path}\n" for path in files_in(folder) if path != SUMS]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def check_sums(folder: Path) -> list[str]:
    """What is wrong with the files of a folder, by the hashes it holds: changed, missing, or not listed."""
    if not (folder / SUMS).is_file():
        return [f"{folder.name} has no {SUMS}"]
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    listed = {path: hash for hash, _, path in (line.partition("  ") for line in lines)}
    present = set(files_in(folder)) - {SUMS}
    return [
        *(f"{path} is not listed in {SUMS}" for path in sorted(present - listed.keys())),
        *(f"{path} is missing" for path in sorted(listed.keys() - present)),
        *(f"{path} was changed" for path in sorted(present & listed.keys()) if digest(folder / path) != listed[path]),
    ]


def _agree(book: Path, html: Path) -> None:
    """The recorded outputs, from which changes are told, are those of the built notebooks, and so of the pages."""
    for chapter in chapter_paths(book):
        built = nbformat.read(html / chapter.relative_to(book).with_suffix(".ipynb"), as_version=4)
        try:
            recorded = with_reference(chapter, book)
        except StaleReferenceError as problem:
            raise EditionError(str(problem)) from None
        cells = code_cells(recorded)
        if [cell.outputs for cell in code_cells(built)[-len(cells) :]] != [cell.outputs for cell in cells]:
            raise EditionError(
                f"The recorded outputs of {chapter.name} are not those of the book. Run `make expected`."
            )
