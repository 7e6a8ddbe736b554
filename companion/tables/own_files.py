"""The reader's own files: what lies in `data/local/` is used by the chapters and never becomes part of the book's data.

The folder is for files that cannot be redistributed or are too large for the repository. Git ignores it, the tests and
the recorded outputs are made without it, and a book that was built with it says so on every page.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from companion import settings
from companion.files import inputs
from companion.prose import listed
from companion.settings import root

if TYPE_CHECKING:
    import pandas as pd

    from companion.tables.recipes.built import Built


def folder() -> Path | None:
    """The folder of the reader's own files; None where there is none or it is switched off."""
    return settings.local_folder(root())


def local(name: str) -> "pd.DataFrame | None":
    """A table made from the reader's own files, or None where they hold nothing for it.

    Args:
        name: `eo_trade` (from exports of USITC DataWeb, USA Trade Online or the Census API) or `janes_sensors` (from
            an export of Janes).

    Returns:
        The table with the columns that its recipe describes.

    Raises:
        SourceError: a file cannot be read; the message names file, row and column.
    """
    built = _present(name)
    return built.rows if built else None


def local_sources(name: str) -> list[dict[str, str]]:
    """The sources of a table made from the reader's own files."""
    built = _present(name)
    return built.sources if built else []


def report() -> list[str]:
    """What the folder holds: one line per file and per table, problems included."""
    here = folder()
    if here is None:
        return ["There is no folder data/local/. Make it, and put your files there."]
    from companion.sources import SourceError, walk
    from companion.tables.recipes import LOCAL

    lines = []
    files = list(walk(here))
    mappings = [file for file in files if file.name.endswith(".toml")]
    for file in files:
        if file in mappings:
            continue
        try:
            uses = [name for name, recipe in LOCAL.items() if recipe([file, *mappings])]
            lines.append(f"{file.name}: {f'used for {listed(uses)}' if uses else 'no reader knows this file'}")
        except SourceError as problem:
            lines.append(f"{file.name}: cannot be used. {problem}")
    return lines or [f"{here} is empty."]


def _present(name: str) -> "Built | None":
    """The table that the files make as they are now."""
    inputs.note(inputs.OWN_FILES)
    here = folder()
    if here is None:
        return None
    states = ((path, path.stat()) for path in sorted(here.rglob("*")) if path.is_file())
    return _built(name, here, tuple((path, state.st_size, state.st_mtime_ns) for path, state in states))


@cache
def _built(name: str, folder: Path, files: tuple[tuple[Path, int, int], ...]) -> "Built | None":
    """A table made once from the files in a folder, as long as none of them changes."""
    from companion.sources import walk
    from companion.tables.recipes import (
        LOCAL,  # every reader's library; most readers of the book have no files of their own
    )

    return LOCAL[name](list(walk(folder)))
