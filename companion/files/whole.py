"""Files that are written whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Write a file beside its place and move it there once it is whole; when that fails, nothing is left of it.

    Args:
        path: the file; its folder is made if there is none.

    Yields:
        The path to write at. Its ending is no form that a reader opens.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # another process may be making the same
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep_once(path.parent)
    try:
        yield part
        part.replace(path)
    except OSError as problem:
        problem.filename = problem.filename or str(path)  # a full disk has no name
        raise
    finally:
        with suppress(OSError):  # what stood against writing it stands against this too, and was told
            part.unlink(missing_ok=True)


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; a text as UTF-8, its line ends as they are."""
    with staged(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def sweep(folder: Path) -> None:
    """Remove what processes that were killed have left in a folder: files and folders named like those of `staged`."""
    for part in folder.glob(".*.part"):
        process = part.name.split(".")[-2]
        if process.isdecimal() and not _runs(int(process)):
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)


_sweep_once = cache(sweep)


def _runs(process: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True
