"""Numbers for the prose: computed in a cell, quoted in a sentence, never typed."""

import calendar
from collections.abc import Iterable
from numbers import Integral
from typing import TYPE_CHECKING

from myst_nb import glue

if TYPE_CHECKING:
    import pandas as pd

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]


def facts(**values: object) -> None:
    """Make values available to the prose of this chapter.

    A sentence quotes a value with ``{glue:text}`name` ``. Whole numbers get thousands separators; everything else
    is quoted as text, so round and name the unit here. A line break in a text is a space, as in Markdown.
    """
    for name, value in values.items():
        glue(name, f"{value:,}" if isinstance(value, Integral) else " ".join(str(value).split()), display=False)


def percent(share: float, digits: int = 0) -> str:
    """Write a share between 0 and 1 as in a sentence: 0.447 becomes "45 percent"."""
    return f"{100 * share:.{digits}f} percent"


def month(vintage: str) -> str:
    """Write a vintage as in a sentence: "2026-05" becomes "May 2026"."""
    return f"{calendar.month_name[int(vintage[5:7])]} {vintage[:4]}"


def day(date: str) -> str:
    """Write a date as in a sentence, as exact as it is: "2023-08-28" is "28 August 2023", "2014-04" is "April 2014"."""
    return f"{date[8:].lstrip('0')} {month(date)}".strip() if len(date) > 4 else date


def in_words(number: int, *, ordinal: bool = False) -> str:
    """Write a small number as a word: 4 becomes "four", as an ordinal "fourth"; from 10 on in figures."""
    if ordinal:
        return ORDINALS[number] if 0 <= number < len(ORDINALS) else f"{number:,}th"
    return WORDS[number] if 0 <= number < len(WORDS) else f"{number:,}"


def each(template: str, rows: "pd.DataFrame") -> list[str]:
    """Fill a template with each row of a table: "{year}: {event}" becomes "2014: ..." for the first row, and so on."""
    return [template.format_map(row) for row in rows.to_dict("records")]


def listed(words: Iterable[object]) -> str:
    """Join words as in a sentence, with the serial comma: "a, b, and c"; "none" where there are none."""
    *head, last = list(map(str, words)) or ["none"]
    if not head:
        return last
    return f"{', '.join(head)}{',' if len(head) > 1 else ''} and {last}"
