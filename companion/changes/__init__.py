"""What changed in the numbers between two states of the book."""

from companion.errors import CompanionError


class StateError(CompanionError):
    """Why a state of the book cannot be read, and what to do."""
