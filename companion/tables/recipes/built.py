"""What a recipe returns: the rows of a table, the files that they come from, and, where it follows, its sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from companion.sources import SourceError, SourceFile

Rows = Callable[[pd.DataFrame], "pd.Series[bool]"]


@dataclass(frozen=True)
class Built:
    """A table made from upstream files.

    Attributes:
        rows: the table, columns in the order of its schema.
        files: the upstream files that it is made from.
        sources: its sources for the data package; empty where those written there stay as they are.
        adds_to: the column that names states of the upstream database. States in the committed table that the folder
            does not hold stay, so that a folder with one new export adds its state.
        covers: of which rows of a table, its cells as text, the files speak; the committed others stay. All of them
            where it is not given, or all of the states that the files hold.
        doubts: what is odd about a state that the files hold, by the state; a person has to accept it.
        coverage: of files, by name, what they hold: rows, the rows used, years, suppliers, recipients, day of export.
    """

    rows: pd.DataFrame
    files: Sequence[SourceFile] = ()
    sources: list[dict[str, str]] = field(default_factory=list)
    adds_to: str | None = None
    covers: Rows | None = None
    doubts: dict[str, str] = field(default_factory=dict)
    coverage: dict[str, dict[str, str | int]] = field(default_factory=dict)

    @property
    def csv(self) -> bytes:
        """The table as it stands in `data/`: UTF-8, one line per row, whole numbers without a fraction."""
        text: str = self.rows.to_csv(index=False, lineterminator="\n", float_format=lambda number: f"{number:.15g}")
        return text.encode()


class OlderStateError(SourceError):
    """The files hold an earlier state, or a part of one, of a table that has a single state; it is left as it is."""


def only_one(files: list[SourceFile], recognizes: Callable[[SourceFile], bool], what: str) -> SourceFile | None:
    """The one file of a kind; None where there is none.

    Raises:
        SourceError: there are two, and nothing tells which of them to use.
    """
    found = [file for file in files if recognizes(file)]
    if len({file.content for file in found}) > 1:
        raise SourceError(f"Two files with {what}: {found[0].name} and {found[1].name}. Leave one in the folder.")
    return found[0] if found else None


def same_rows(rows: pd.DataFrame, key: list[str]) -> Rows:
    """Tells the rows of a table that have the keys of these rows: each file holds rows of its own, and no others."""
    given = pd.MultiIndex.from_frame(rows[key].astype(str))
    return lambda table: pd.Series(pd.MultiIndex.from_frame(table[key]).isin(given), table.index)
