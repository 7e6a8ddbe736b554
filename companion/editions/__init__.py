"""Editions: published versions of the whole book, frozen, citable, and compared in their numbers.

A build for an edition knows that it is one: the environment variable names the file that says what changed in the
numbers since the edition before. Every other build is a working copy.
"""

import os
from pathlib import Path

VARIABLE = "COMPANION_EDITION"


class EditionError(Exception):
    """Why an edition cannot be made, checked, or compared, and what to do."""


def changes_file() -> Path | None:
    """The file of changes that an edition is built with; None for a working copy."""
    path = os.environ.get(VARIABLE)
    return Path(path) if path else None
