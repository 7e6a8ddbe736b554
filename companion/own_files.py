"""The reader's own files: what lies in `data/local/` is used by the chapters and never becomes part of the book's data.

The folder is for files that cannot be redistributed or are too large for the repository. Git ignores it, the tests and
the recorded outputs are made without it, and a book that was built with it says so on every page.
"""

import os
from functools import cache
from pathlib import Path

import pandas as pd

from companion.prose import listed
from companion.recipes.built import Built
from companion.sources import SourceError, walk
from companion.tables import root

# Another folder than data/local/, or none at all if it is empty.
VARIABLE = "COMPANION_LOCAL"


def folder() -> Path | None:
    """The folder of the reader's own files; None where there is none or it is switched off."""
    name = os.environ.get(VARIABLE, str(root() / "data" / "local"))
    return Path(name) if name and Path(name).is_dir() else None


def local(name: str) -> pd.DataFrame | None:
    """A table made from the reader's own files, or None where they hold nothing for it.

    Args:
        name: `eo_trade` (from exports of USITC DataWeb, USA Trade Online or the Census API) or `janes_sensors` (from
            an export of Janes).

    Returns:
        The table with the columns that its recipe describes.

    Raises:
        SourceError: a file cannot be read; the message names file, row and column.
    """
    built = _built(name)
    return built.rows if built else None


def local_sources(name: str) -> list[dict[str, str]]:
    """The sources of a table made from the reader's own files."""
    built = _built(name)
    return built.sources if built else []


def report() -> list[str]:
    """What the folder holds: one line per file and per table, problems included."""
    here = folder()
    if here is None:
        return ["There is no folder data/local/. Make it, and put your files there."]
    from companion.recipes import LOCAL

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


@cache
def _built(name: str) -> Built | None:
    from companion.recipes import LOCAL  # every reader's library; most chapters need none of them

    here = folder()
    return LOCAL[name](list(walk(here))) if here else None
