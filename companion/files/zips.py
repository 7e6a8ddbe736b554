"""Zip files: written so that the same content always gives the same bytes, and unpacked only if nothing is odd."""

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from unicodedata import normalize

from companion.errors import CompanionError
from companion.files import whole

UNIX = 3  # the system that the entries name, whichever writes them
FILE = 0o100644  # and the permissions: a file to be read by all
PROTECTED = 0x1  # the flag of an entry that needs a password
MOST_UNPACKED = 4 * 2**30  # bytes in all; an edition has a hundredth of that


class ArchiveError(CompanionError):
    """An archive that is not unpacked; the message names it, and where it can the entry, and says why."""


def write_zip(
    target: Path, members: Iterable[tuple[str, bytes]], moment: datetime, stored: tuple[str, ...] = ()
) -> None:
    """Write a zip file.

    Args:
        target: the file to write.
        members: name and content of each entry, in the order in which they are to stand.
        moment: when every entry was changed, from 1980 on, in even seconds.
        stored: how the names of entries end that are not to be compressed.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            entry.create_system, entry.external_attr = UNIX, FILE << 16
            archive.writestr(entry, content, zipfile.ZIP_STORED if name.endswith(stored) else zipfile.ZIP_DEFLATED)


def renew_zip(
    target: Path, members: Iterable[tuple[str, bytes]], moment: datetime, stored: tuple[str, ...] = ()
) -> None:
    """Write a zip file, whole or not at all, unless it is there with the same entries; see `write_zip`."""
    members = list(members)
    wanted = [(name, len(content), zlib.crc32(content), moment.timetuple()[:6]) for name, content in members]
    try:
        with zipfile.ZipFile(target) as archive:
            if [(e.filename, e.file_size, e.CRC, e.date_time) for e in archive.infolist()] == wanted:
                return
    except (OSError, zipfile.BadZipFile):
        pass  # there is none, or it was cut
    with whole.staged(target) as part:
        write_zip(part, members, moment, stored)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file of which every entry is a file or folder with a name, a size, and a checksum of its own.

    Args:
        archive: the zip file.
        folder: where it is unpacked; it is made if there is none, and must be empty.

    Raises:
        ArchiveError: the archive is damaged, or one of its entries is odd. In the second case nothing was unpacked.
    """
    entry = None
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            if problem := next(_odd(entries), None):
                raise ArchiveError(f"{archive.name}, {problem}. Whoever made it made it wrong: do not use it.")
            for entry in (entry for entry in entries if not entry.is_dir()):
                target = folder / entry.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as packed, target.open("xb") as file:
                    shutil.copyfileobj(packed, file)
                    size = file.tell()
                if size != entry.file_size:
                    raise zipfile.BadZipFile(f"{size:,} bytes where {entry.file_size:,} are announced")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as problem:
        place = f", {entry.filename!r}" if entry else ""
        raise ArchiveError(f"{archive.name}{place} cannot be unpacked: {problem}. Get the archive again.") from None


def is_inside(name: str) -> bool:
    """Whether a path, with slashes, names something below the folder that it is seen from, on every system."""
    path = name.removesuffix("/")
    plain = not any(letter in path for letter in "\\:") and path.isprintable()
    return plain and all(part not in {"", ".", ".."} and len(part.encode()) < 256 for part in path.split("/"))


def _odd(entries: list[zipfile.ZipInfo]) -> Iterator[str]:
    """What is wrong with the entries of an archive, by what it says of them."""
    if (size := sum(entry.file_size for entry in entries)) > MOST_UNPACKED:
        yield f"{len(entries):,} entries: they would take {size:,} bytes"
    files, seen = {_compared(entry) for entry in entries if not entry.is_dir()}, set[str]()
    for entry in entries:
        name, kind = repr(entry.orig_filename), stat.S_IFMT(entry.external_attr >> 16)
        if not is_inside(entry.orig_filename):
            yield f"{name}: the name leads out of the folder, or not every system can have it"
        if kind not in {0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG}:
            yield f"{name}: it is a link or a device, and no file"
        if entry.flag_bits & PROTECTED:
            yield f"{name}: it needs a password"
        if _compared(entry) in seen or files & {*map(str, PurePosixPath(_compared(entry)).parents)}:
            yield f"{name}: another entry has this name, or that of a folder above"
        seen.add(_compared(entry))


def _compared(entry: zipfile.ZipInfo) -> str:
    """The name of an entry as those systems compare it that mind neither capitals nor how an accent is written."""
    return normalize("NFC", entry.filename.removesuffix("/")).casefold()
