"""Upstream files: find them in a folder, whatever they are called, and read their cells with the place in hand."""

import codecs
import csv
import hashlib
import io
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING

from companion.errors import CompanionError

if TYPE_CHECKING:
    from _csv import Reader

LONGEST_CELL = 131_072
FIRST_YEAR, LAST_YEAR = 1900, 2100
FORMATS = {".csv", ".parquet", ".toml", ".txt", ".xlsx", ".zip"}
HEAD = 4096


class SourceError(CompanionError, ValueError):
    """An upstream file cannot be read: the message names file, row, column and what to do."""


@dataclass(frozen=True, eq=False)
class SourceFile:
    """One upstream file as published: its name, for messages, and its bytes: in memory, on disk, or in an archive."""

    name: str
    origin: bytes | Path | zipfile.Path

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The content as a stream, for files that are too large to hold in memory.

        Raises:
            SourceError: the file is a member of an archive that is damaged or has a password.
        """
        try:
            with io.BytesIO(self.origin) if isinstance(self.origin, bytes) else self.origin.open("rb") as stream:
                yield stream
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise SourceError(f"{self.name}: {error}. Unpack the archive, or download it again.") from error

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """The content as a file, for libraries that read no stream; a copy is removed in the end."""
        if isinstance(self.origin, Path):
            yield self.origin
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "content")
            with self.open() as stream, path.open("wb") as copy:
                shutil.copyfileobj(stream, copy)
            yield path

    @cached_property
    def content(self) -> bytes:
        """The whole content."""
        with self.open() as stream:
            return stream.read()

    @cached_property
    def sha256(self) -> str:
        """The hash of the content."""
        with self.open() as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]

    @cached_property
    def size(self) -> int:
        """The number of bytes."""
        with self.open() as stream:
            return stream.seek(0, io.SEEK_END)

    @property
    def text(self) -> str:
        """The content as text. SIPRI writes UTF-8 in some years and Windows-1252 in others."""
        return _decoded(self.content)

    @cached_property
    def head(self) -> str:
        """The first lines, enough to recognize a format."""
        with self.open() as stream:
            return _decoded(stream.read(HEAD), final=False)


def _decoded(content: bytes, final: bool = True) -> str:
    """Bytes as text; a part of a file (not `final`) may end within a character."""
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content, final)
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


@dataclass(frozen=True)
class Row:
    """One row of an upstream table with its place, so that every problem can be located."""

    file: str
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str | None:
        """A cell's text without surrounding blanks; None where it is empty."""
        return self.cells[column].strip() or None

    def required(self, column: str) -> str:
        """A cell's text, which may not be empty."""
        text = self.text(column)
        if text is None:
            raise self.wrong(column, "the cell is empty")
        return text

    def number(self, column: str, minimum: float = 0) -> float | None:
        """A cell's number, thousands separators allowed; None where it is empty."""
        text = self.text(column)
        if text is None:
            return None
        if "," in text and not re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", text):
            raise self.wrong(column, f"{text!r} is not a number; a comma may only stand between groups of three digits")
        try:
            value = float(text.replace(",", ""))
        except ValueError:
            raise self.wrong(column, f"{text!r} is not a number") from None
        if not minimum <= value < float("inf"):
            raise self.wrong(column, f"{text!r} is not a possible value; at least {minimum:g} is expected")
        return value

    def year(self, column: str) -> int:
        """A cell's year."""
        text = self.required(column)
        if not re.fullmatch(r"\d{4}", text) or not FIRST_YEAR <= int(text) <= LAST_YEAR:
            raise self.wrong(column, f"{text!r} is not a year from {FIRST_YEAR} to {LAST_YEAR}")
        return int(text)

    def choice(self, column: str, allowed: Iterable[str]) -> str:
        """A cell's text, which has to be one of a closed list."""
        text, known = self.required(column), sorted(allowed)
        if text not in known:
            raise self.wrong(column, f"{text!r} is none of {', '.join(known)}")
        return text

    def wrong(self, column: str, problem: str) -> SourceError:
        """The error that says what is wrong with a cell, and where."""
        return SourceError(
            f"{self.file}, row {self.line}, column {column!r}: {problem}. Correct the file or download it again."
        )


def csv_cells(lines: Iterable[str], *, strict: bool = False) -> "Reader":
    """The rows of a CSV file; a cell as long as a file, as after a stray quotation mark, is always an error."""
    csv.field_size_limit(LONGEST_CELL)  # other libraries lift it for the whole process
    return csv.reader(lines, strict=strict)


def read_rows(file: SourceFile, columns: Iterable[str]) -> Iterator[Row]:
    """Read a CSV file whose first line names its columns; other columns than those asked for are ignored.

    Raises:
        SourceError: the file is empty, a column is missing, or a row has more or fewer fields than the header.
    """
    lines = csv_cells(io.StringIO(file.text, newline=""))
    header = next(lines, [])
    missing = [column for column in columns if column not in header]
    if missing:
        raise SourceError(
            f"{file.name}: column {missing[0]!r} is missing. The file has: {', '.join(header) or 'nothing'}. "
            "Is it the right file, with commas between its columns?"
        )
    for cells in lines:
        if not cells:
            continue
        if len(cells) != len(header):
            raise SourceError(
                f"{file.name}, row {lines.line_num}: {len(cells)} fields where the header has {len(header)}. "
                "The row is cut or has a stray comma; download the file again."
            )
        yield Row(file.name, lines.line_num, dict(zip(header, cells, strict=True)))
    if lines.line_num < 2:
        raise SourceError(f"{file.name}: there are no rows below the header. Download the file again.")


def walk(folder: Path) -> Iterator[SourceFile]:
    """Yield every file below `folder` of a form that a publisher uses, members of zip archives included, in order."""
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder. Give the folder that holds the upstream files.")
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in FORMATS):
        if path.suffix.lower() == ".zip":
            try:
                archive = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, EOFError) as error:
                raise SourceError(f"{path.name}: {error}. The archive is cut; download it again.") from error
            for member in sorted(m.filename for m in archive.infolist() if not m.is_dir()):
                yield SourceFile(f"{path.name}/{member}", zipfile.Path(archive, member))
        else:
            yield SourceFile(path.name, path)
