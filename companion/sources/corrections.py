"""What the book corrects in upstream files. The corrections are data, in the table `corrections`, each with its reason.

A correction of one release is guarded by the reader: when the upstream cell no longer holds what is corrected, reading
fails and says so. A rename holds for every release; a test fails when no release has the old name any more.
"""

from collections.abc import Iterable

from companion.sources.files import SourceError
from companion.tables import load


def renames(source: str, column: str) -> dict[str, str]:
    """The names in a column of a source that are replaced by others."""
    table = load("corrections").query("source == @source and column == @column and release.isna()")
    return dict(zip(table["upstream"], table["corrected"], strict=True))


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
    table = load("corrections").query("source == @source and release == @release and corrected.isna()")
    known, found = set(zip(table["column"], table["at"], strict=True)), set(zeros)
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
