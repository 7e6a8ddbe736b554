"""Numbers and words as in a sentence."""

import calendar
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]


def percent(share: float, digits: int = 0) -> str:
    """Write a share between 0 and 1 as in a sentence: 0.447 becomes "45 percent"."""
    return f"{100 * share:.{digits}f} percent"


def about(number: float) -> str:
    """Write an uncertain count with three digits that count: 16333.3 becomes "about 16,300"."""
    return f"about {float(f'{number:.3g}'):,.0f}"


def month(vintage: str) -> str:
    """Write a vintage as in a sentence: "2026-05" becomes "May 2026"."""
    return f"{calendar.month_name[int(vintage[5:7])]} {vintage[:4]}"


def day(date: str) -> str:
    """Write a date as in a sentence, as exact as it is: "2023-08-28" is "28 August 2023", "2014-04" is "April 2014"."""
    return f"{date[8:].lstrip('0')} {month(date)}".strip() if len(date) > 4 else date


def file_size(size: int) -> str:
    """Write the size of a file in bytes as beside a link: "57 kB", "1.4 MB"."""
    return f"{size / 1e6:.1f} MB" if size >= 999_500 else f"{max(1, round(size / 1000))} kB"


def in_words(number: int, *, ordinal: bool = False) -> str:
    """Write a small number as a word: 4 becomes "four", as an ordinal "fourth"; from 10 on in figures, as "22nd"."""
    if ordinal:
        ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return ORDINALS[number] if 0 <= number < len(ORDINALS) else f"{number:,}{ending}"
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
