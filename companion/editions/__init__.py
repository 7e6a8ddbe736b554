"""Editions: published versions of the whole book, frozen, citable, and compared in their numbers."""

from companion.errors import CompanionError


class EditionError(CompanionError):
    """Why an edition cannot be made, checked, or compared, and what to do."""
