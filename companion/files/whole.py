"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
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
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; a text as UTF-8, its line ends as they are."""
    with staged(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
