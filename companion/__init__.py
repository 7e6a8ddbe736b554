"""The small library behind the book: load a table, show an exhibit, hand numbers to the prose."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from companion import charts
    from companion.chapters.facts import facts
    from companion.claims.claim import cards, claim
    from companion.claims.form import Claim
    from companion.exhibits.exhibit import exhibit
    from companion.exhibits.form import Exhibit
    from companion.prose import about, day, each, in_words, listed, month, percent
    from companion.tables import load
    from companion.tables.own_files import local

__all__ = [
    "Claim",
    "Exhibit",
    "about",
    "cards",
    "charts",
    "claim",
    "day",
    "each",
    "exhibit",
    "facts",
    "in_words",
    "listed",
    "load",
    "local",
    "month",
    "percent",
]

_MODULES = {
    "claims.claim": ["cards", "claim"],
    "exhibits.exhibit": ["exhibit"],
    "claims.form": ["Claim"],
    "exhibits.form": ["Exhibit"],
    "tables.own_files": ["local"],
    "chapters.facts": ["facts"],
    "prose": ["about", "day", "each", "in_words", "listed", "month", "percent"],
    "tables": ["load"],
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a name when it is first used: what builds the pages, and most commands, need neither pandas nor Altair."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
