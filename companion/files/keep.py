"""Results that are kept in files: written whole, and used again only while they are as they were written."""

import hashlib
from pathlib import Path

from companion.files import whole


def write(path: Path, content: bytes) -> None:
    """Write a result with its checksum, whole or not at all."""
    whole.write(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def read(path: Path) -> bytes | None:
    """A kept result; None where there is none, or its file was cut, damaged, or written by something else."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest().encode() == checksum else None


def newest(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder that have a name of some form, the newest first."""
    return sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime_ns, reverse=True)
