"""Excel workbooks as their publisher gives them: recognized by what they say, read sheet by sheet."""

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator

import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.workbook import Workbook

from companion.sources.upstream import SourceError, SourceFile

# Extensions of newer Excel versions, which hold no data.
warnings.filterwarnings("ignore", "Unknown extension is not supported", module="openpyxl")

MOST_SHEETS = 200
MOST_UNPACKED = 100_000_000  # bytes; SIPRI's largest workbook has 23 million


def says(file: SourceFile, text: str) -> bool:
    """Tell whether a file is a workbook with `text` in one of its cells, without opening every sheet.

    Raises:
        SourceError: the file is a workbook that is cut or damaged, so that nobody can tell what it says.
    """
    if not file.head.startswith("PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as parts:
            _refuse_large(file, parts)
            # Excel keeps all texts in one part; other programs write them into the sheets.
            shared = [name for name in parts.namelist() if name == "xl/sharedStrings.xml"]
            sheets = [name for name in parts.namelist() if name.startswith("xl/worksheets/")]
            return any(text.encode() in parts.read(name) for name in shared or sheets)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise _damaged(file, error) from error


def open_workbook(file: SourceFile) -> Workbook:
    """Open a workbook with its values and cell colors.

    Raises:
        SourceError: the file is cut, is not a workbook, or is larger than any of a publisher.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(file.content)) as parts:
            _refuse_large(file, parts)
    except (zipfile.BadZipFile, EOFError) as error:
        raise _damaged(file, error) from error
    try:
        return openpyxl.load_workbook(io.BytesIO(file.content), read_only=True, data_only=True)
    except Exception as error:  # openpyxl lets through whatever a damaged part makes its parsers raise
        raise _damaged(file, error) from error


def _refuse_large(file: SourceFile, parts: zipfile.ZipFile) -> None:
    """Refuse a workbook that would take minutes, or more memory than the machine may have."""
    sheets = sum(name.startswith("xl/worksheets/") for name in parts.namelist())
    unpacked = sum(part.file_size for part in parts.infolist())
    if sheets > MOST_SHEETS or unpacked > MOST_UNPACKED:
        raise SourceError(
            f"{file.name}: a workbook of {sheets:,} sheets and {unpacked:,} bytes, more than any publisher's; at most "
            f"{MOST_SHEETS} and {MOST_UNPACKED:,} are read. Is it the right file? Save a smaller part of it."
        )


def _damaged(file: SourceFile, error: Exception) -> SourceError:
    return SourceError(f"{file.name}: the workbook cannot be read ({error}). It is damaged; download it again.")


def rows_below(
    file: SourceFile, book: Workbook, sheet: str, first_cell: str
) -> Iterator[tuple[int, tuple[Cell | MergedCell, ...]]]:
    """The header row of a sheet, the first whose first cell starts with `first_cell`, and the rows below it.

    Raises:
        SourceError: there is no such row; the message names the sheet.
    """
    rows = all_rows(file, book, sheet)
    for number, cells in rows:
        if cells and str(cells[0].value or "").strip().startswith(first_cell):
            yield number, cells
            yield from rows
            return
    raise SourceError(
        f"{file.name}, sheet {sheet!r}: no row begins with {first_cell!r}. Is it the publisher's own workbook?"
    )


def all_rows(file: SourceFile, book: Workbook, sheet: str) -> Iterator[tuple[int, tuple[Cell | MergedCell, ...]]]:
    """Every row of a sheet with its number. Sheets are unpacked as they are read, so damage shows here."""
    try:
        yield from enumerate(book[sheet].iter_rows(), start=1)
    except Exception as error:
        raise _damaged(file, error) from error
