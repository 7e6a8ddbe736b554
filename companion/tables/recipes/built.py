"""What a recipe returns: the rows of a table and, where they follow from the files, its sources."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from companion.sources import SourceError, SourceFile


@dataclass(frozen=True)
class Built:
    """A table made from upstream files.

    Attributes:
        rows: the table, columns in the order of its schema.
        sources: its sources for the data package; empty where those written there stay as they are.
        adds_to: the column that names states of the upstream database. States in the committed table that the folder
            does not hold stay, so that a folder with one new export adds its state.
    """

    rows: pd.DataFrame
    sources: list[dict[str, str]] = field(default_factory=list)
    adds_to: str | None = None

    @property
    def csv(self) -> bytes:
        """The table as it stands in `data/`: UTF-8, one line per row, whole numbers without a fraction."""
        text: str = self.rows.to_csv(index=False, lineterminator="\n", float_format=lambda number: f"{number:.15g}")
        return text.encode()


def only_one(files: list[SourceFile], recognizes: Callable[[SourceFile], bool], what: str) -> SourceFile | None:
    """The one file of a kind; None where there is none.

    Raises:
        SourceError: there are two, and nothing tells which of them to use.
    """
    found = [file for file in files if recognizes(file)]
    if len({file.content for file in found}) > 1:
        raise SourceError(f"Two files with {what}: {found[0].name} and {found[1].name}. Leave one in the folder.")
    return found[0] if found else None
