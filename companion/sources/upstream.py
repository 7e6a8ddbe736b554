"""Upstream files: find them in a folder, whatever they are called, and read their cells with the place in hand."""

import codecs
import csv
import hashlib
import io
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PurePath
from typing import IO

from companion.errors import CompanionError

LONGEST_CELL = 131_072
# Far above any file of these publishers, and low enough that no file takes more than 600 MB of memory or half a minute.
MOST_TEXT = 60_000_000  # bytes of a file that is read whole
MOST_UNPACKED = 20_000_000_000  # bytes of a member of an archive, which is read in parts
MOST_MEMBERS = 1_000
MOST_RATIO = 200  # of a member's bytes to those it takes in the archive
PROTECTED = 1  # the bit of a member that needs a password
FIRST_YEAR, LAST_YEAR = 1900, 2100
FORMATS = {".csv", ".parquet", ".toml", ".txt", ".xlsx", ".zip"}
HEAD = 4096
KANA = re.compile("[\u3041-\u30ff]")


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
        """The whole content.

        Raises:
            SourceError: the file is larger than any that is read whole.
        """
        with self.open() as stream:
            content = stream.read(MOST_TEXT + 1)
        if len(content) > MOST_TEXT:
            raise SourceError(
                f"{self.name}: the file has more than {MOST_TEXT // 1_000_000} MB, more than any export of this form. "
                "Is it the right file? Export a smaller selection."
            )
        return content

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
        text = _decoded(self.content)
        if "\0" in text:
            row = text[: text.index("\0")].count("\n") + 1
            raise SourceError(f"{self.name}, row {row}: a zero byte, which no text has. Download the file again.")
        return text

    @cached_property
    def head(self) -> str:
        """The first lines, enough to recognize a format."""
        with self.open() as stream:
            return _decoded(stream.read(HEAD), final=False)


def _decoded(content: bytes, final: bool = True) -> str:
    """Bytes as text; a part of a file (not `final`) may end within a character."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # Excel's "Unicode text"
        return codecs.getincrementaldecoder("utf-16")("replace").decode(content, final)
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content, final)
    except UnicodeDecodeError:
        japanese = codecs.getincrementaldecoder("cp932")("replace").decode(content, final)
        # Letters of a Western language do not make kana by chance.
        return japanese if len(KANA.findall(japanese)) > 2 else content.decode("cp1252", errors="replace")


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

    def positive(self, column: str) -> float:
        """A cell's number above zero, which may not be empty: an amount that others are divided by."""
        self.required(column)
        value = self.number(column)
        if not value:
            raise self.wrong(column, f"{self.text(column)!r} is not a possible value; more than 0 is expected")
        return value

    def date(self, column: str) -> str:
        """A cell's date as precise as it is known: a year, a month, or a day."""
        text = self.required(column)
        if not is_date(text):
            raise self.wrong(column, f"{text!r} is not a date such as '1976', '1976-02' or '1976-02-27'")
        return text

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


def is_date(text: str) -> bool:
    """Tell whether a text is a year, a month or a day that the calendar has, as "1976-02-27"."""
    if not re.fullmatch(r"(19|20)\d\d(-\d\d){0,2}", text, re.ASCII):
        return False
    try:
        date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return False
    return True


class CsvCells:
    """The rows of a CSV file as lists of texts.

    A cell as long as a file, as after a stray quotation mark, is an error that names file and row.
    """

    def __init__(self, name: str, text: str, *, delimiter: str = ",", strict: bool = False) -> None:
        """Read a text; `strict` minds a text that ends inside quotation marks."""
        csv.field_size_limit(LONGEST_CELL)  # other libraries lift it for the whole process
        self.name = name
        self._rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)

    @property
    def line_num(self) -> int:
        """The line that the last row ended on."""
        return self._rows.line_num

    def __iter__(self) -> Iterator[list[str]]:
        """The rows, one after the other."""
        return self

    def __next__(self) -> list[str]:
        """The next row."""
        try:
            return next(self._rows)
        except csv.Error as error:
            raise SourceError(
                f"{self.name}, row {self.line_num}: {error}. A quotation mark is missing or the file is cut; download "
                "it again."
            ) from error


def read_rows(file: SourceFile, columns: Iterable[str]) -> Iterator[Row]:
    """Read a CSV file whose first line names its columns; other columns than those asked for are ignored.

    Raises:
        SourceError: the file is empty, a column is missing, or a row has more or fewer fields than the header.
    """
    lines = CsvCells(file.name, file.text)
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
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in FORMATS and p.is_file()):
        name = printable(path.relative_to(folder).as_posix())
        if not os.access(path, os.R_OK):
            raise SourceError(f"{name}: the file may not be read. Change its permissions.")
        if path.suffix.lower() == ".zip":
            yield from _members(name, path)
        else:
            yield SourceFile(name, path)


def passed_over(folder: Path) -> list[str]:
    """What is in a folder under the name of an upstream file and is no file: pipes, devices, links to nothing."""
    names = (p for p in folder.rglob("*") if p.suffix.lower() in FORMATS and not p.is_file() and not p.is_dir())
    return sorted(printable(path.relative_to(folder).as_posix()) for path in names)


def printable(name: str) -> str:
    """A name as it can be shown in a terminal: what is no letter, as a line break or a color code, is written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _members(name: str, path: Path) -> Iterator[SourceFile]:
    """The files in an archive."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError) as error:
        raise SourceError(f"{name}: {error}. The archive is cut; download it again.") from error
    members = sorted((m for m in archive.infolist() if not m.is_dir()), key=lambda member: member.filename)
    if len(members) > MOST_MEMBERS:
        raise SourceError(f"{name}: {len(members):,} files; at most {MOST_MEMBERS:,} are read. Unpack what is needed.")
    names = [member.filename for member in members]
    if twice := next((n for n, other in pairwise(names) if n == other), None):
        raise SourceError(f"{name}: {printable(twice)} is in the archive twice. Unpack the right one.")
    for member in members:
        inside = f"{name}/{printable(member.filename)}"
        if member.flag_bits & PROTECTED:
            raise SourceError(f"{inside}: needs a password. Unpack the archive and give the folder.")
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > MOST_UNPACKED or (ratio > MOST_RATIO and member.file_size > MOST_TEXT / 10):
            raise SourceError(
                f"{inside}: {member.file_size:,} bytes out of {member.compress_size:,}, which no publisher's file "
                "gives. Download the archive again."
            )
        if PurePath(member.filename).suffix.lower() == ".zip":
            raise SourceError(f"{inside}: an archive in an archive. Unpack the outer one and give the folder.")
        yield SourceFile(inside, zipfile.Path(archive, member.filename))
