"""The small library behind the book: load a table, show an exhibit, hand numbers to the prose."""

from companion import theme
from companion.claims import Claim, claim
from companion.exhibits import Exhibit, exhibit
from companion.own_files import local
from companion.prose import facts, in_words, listed, month, percent
from companion.tables import load

__all__ = ["Claim", "Exhibit", "claim", "exhibit", "facts", "in_words", "listed", "load", "local", "month", "percent"]

theme.enable()
