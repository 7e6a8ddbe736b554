"""What the book corrects in upstream files. The corrections are data, in the table `corrections`, each with its reason.

A correction of one release is guarded by the reader: when the upstream cell no longer holds what is corrected, reading
fails and says so. A rename holds for every release; a test fails when no release has the old name any more.
"""

import csv
from collections.abc import Iterable

from companion.settings import root
from companion.sources.upstream import SourceError

Row = dict[str, str]


def renames(source: str, column: str) -> dict[str, str]:
    """The names in a column of a source that are replaced by others."""
    rows = _rows(source, release="")
    return {row["upstream"]: row["corrected"] for row in rows if row["column"] == column}


def guard_missing(source: str, release: int, zeros: Iterable[tuple[str, str]], name: str) -> None:
    """Refuse a file whose zeros are not those that the corrections call missing.

    Args:
        source: the upstream database.
        release: the year in which the file was published.
        zeros: column and place, as "Australia 1949", of each zero in the file.
        name: the file's name, for the message.

    Raises:
        SourceError: a zero is not known as a missing value, or a known one is not there any more.
    """
    rows = _rows(source, release=str(release))
    known, found = {(row["column"], row["at"]) for row in rows if not row["corrected"]}, set(zeros)
    for column, place in sorted(found - known):
        raise SourceError(
            f"{name}, {column}, {place}: 0 is not a possible amount. If it stands for a missing value, say so in "
            "data/corrections.csv."
        )
    for column, place in sorted(known - found):
        raise SourceError(
            f"{name}, {column}, {place}: data/corrections.csv corrects a 0 that is not there any more. "
            "Remove that correction."
        )


def _rows(source: str, release: str) -> list[Row]:
    """The corrections of one release of a source; of every release where it is empty."""
    with (root() / "data" / "corrections.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["source"] == source and row["release"] == release]
