"""Numbers and words as in a sentence."""

import calendar
from collections.abc import Iterable

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]


def percent(share: float, digits: int = 0) -> str:
    """Write a share between 0 and 1 as in a sentence: 0.447 becomes "45 percent"."""
    return f"{100 * share:.{digits}f} percent"


def month(vintage: str) -> str:
    """Write a vintage as in a sentence: "2026-05" becomes "May 2026"."""
    return f"{calendar.month_name[int(vintage[5:7])]} {vintage[:4]}"


def in_words(number: int, *, ordinal: bool = False) -> str:
    """Write a small number as a word: 4 becomes "four", as an ordinal "fourth"; from 10 on in figures, as "22nd"."""
    if ordinal:
        ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return ORDINALS[number] if 0 <= number < len(ORDINALS) else f"{number:,}{ending}"
    return WORDS[number] if 0 <= number < len(WORDS) else f"{number:,}"


def listed(words: Iterable[str]) -> str:
    """Join words as in a sentence, with the serial comma: "a, b, and c"; "none" where there are none."""
    *head, last = list(words) or ["none"]
    if not head:
        return last
    return f"{', '.join(head)}{',' if len(head) > 1 else ''} and {last}"
