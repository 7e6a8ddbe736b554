"""What an edition consists of: every file of its archive, made from a copy of the project and from nothing else."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat

from companion.changes.numbers import read
from companion.chapters.facts import Facts, filled
from companion.chapters.notebooks import StaleReferenceError, chapter_paths, code_cells, with_reference
from companion.citation import metadata
from companion.editions import EditionError, printed, site
from companion.editions.crate import write_crate
from companion.editions.rebuild import build
from companion.exhibits.csv import data_csv
from companion.files import zips
from companion.files.layout import CLAIMS, DOWNLOADS, EXHIBITS, archive_name

SUMS = "SHA256SUMS"
# What is made beside the project's own files, which the archive holds as they are in Git.
HTML, NOTEBOOKS, CHANGES, CRATE = "html", "notebooks", "changes.json", "ro-crate-metadata.json"
MADE = {HTML, NOTEBOOKS, CHANGES, CRATE, SUMS, *site.ROOT_FILES}
# What a notebook needs to run, beside itself.
RUNS_WITH = ["CITATION.cff", "LICENSE", "_toc.yml", "companion", "data", "pyproject.toml", "requirements.txt"]
# The first cell of a notebook that can be opened on Colab, which gives it nothing but itself.
COLAB = """# On Colab, this gets the tables and the library. Anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    !git clone --quiet --depth 1 --branch notebooks-v{version} {repository} /content/book
    %pip install --quiet "/content/book[book,check,data]"
    %cd -q /content/book/{folder}"""
README = Path(__file__).parent / "templates" / "notebooks.md"
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
    downloads.mkdir()
    say("Printing the PDF")
    printed.write_pdf(book, downloads / f"{name}.pdf", changes)
    say("Making the EPUB")
    printed.write_epub(book, downloads / f"{name}.epub", changes)
    say("Packing")
    write_notebooks(book, folder / NOTEBOOKS)
    runs = folder.with_name(f"{name}-notebooks")
    write_runnable(book, runs)
    write_zip(runs, downloads / f"{runs.name}.zip", book)
    shutil.copy(changes, folder / CHANGES)
    site.write_root(folder, [site.Edition.read(folder / HTML)])
    write_crate(folder)
    write_sums(folder)


def write_notebooks(book: Path, folder: Path, first_cell: str = "") -> None:
    """Write every chapter as an executed notebook: its text with its numbers, its code, and the recorded outputs.

    Args:
        book: a copy of the project.
        folder: where the notebooks go, in the folders of their chapters.
        first_cell: code to put before everything else; `{folder}` in it is the folder of the notebook.

    Raises:
        EditionError: a chapter has no recorded outputs, or those of other code.
    """
    for chapter in chapter_paths(book):
        try:
            notebook = with_reference(chapter, book)
        except StaleReferenceError as problem:
            raise EditionError(str(problem)) from None
        path = folder / chapter.relative_to(book).with_suffix(".ipynb")
        if first_cell:
            code = first_cell.replace("{folder}", path.parent.relative_to(folder).as_posix())
            notebook.cells.insert(0, nbformat.v4.new_code_cell(code))
        facts = Facts.among(output for cell in code_cells(notebook) for output in cell.outputs)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":  # not every program that opens notebooks knows {eval}
                cell.source = filled(cell.source, facts, book)
        for number, cell in enumerate(notebook.cells, start=1):
            cell["id"] = f"cell-{number}"  # they are drawn by lot
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)


def write_runnable(book: Path, folder: Path) -> None:
    """Write a folder in which the notebooks run on any machine: with the tables, the library, and the lock."""
    record = metadata(book)
    repository = record.repository_code
    first = COLAB.replace("{version}", record.version).replace("{repository}", repository) if repository else ""
    write_notebooks(book, folder, first)
    for name in RUNS_WITH:
        source = book / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=NOT_KEPT)
        else:
            shutil.copy(source, folder / name)
    text = README.read_text(encoding="utf-8").format(title=record.title, version=record.version)
    (folder / "README.md").write_text(text, encoding="utf-8")


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
    """The recorded outputs, from which changes are told and notebooks are made, are those that the pages show."""
    numbers = read(book)
    for id, exhibit in numbers.exhibits.items():
        path = html / EXHIBITS / f"{id}.csv"
        if not path.is_file() or path.read_text(encoding="utf-8") != data_csv(exhibit):
            raise EditionError(f"The recorded data of exhibit {id} are not those of the book. Run `make expected`.")
    shown = json.loads((html / CLAIMS / "index.json").read_text(encoding="utf-8"))
    if {entry["id"]: entry["verdict"] for entry in shown} != {id: c.verdict for id, c in numbers.claims.items()}:
        raise EditionError("The recorded verdicts are not those of the book. Run `make expected`.")
