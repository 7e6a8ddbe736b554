"""Results that are kept in files: written whole, and used again only while they are as they were written."""

import hashlib
import os
from pathlib import Path


def write(path: Path, content: bytes) -> None:
    """Write a result with its checksum, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(f".{os.getpid()}.partial")  # another process may be making the same
    staged.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    staged.replace(path)


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
