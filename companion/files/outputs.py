"""Outputs of notebooks that describe themselves, read back whatever version of the library wrote them."""

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

from companion.errors import CompanionError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Thing = TypeVar("Thing", bound="DataclassInstance")


class OutputError(CompanionError):
    """An output lacks something without which it means nothing; the message says what."""


def read(kind: type[Thing], content: dict[str, Any]) -> Thing:
    """Make a thing of what an output says of it.

    Args:
        kind: a dataclass. What has a default in it can be missing, as what was added later is in outputs from before.
        content: its attributes by name. What the dataclass does not know is left out, as it is of a later form.

    Raises:
        OutputError: an attribute without a default is missing.
    """
    known = {field.name: field for field in fields(kind)}
    given = {name: value for name, value in content.items() if name in known and value is not None}
    without_default = [name for name, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    if missing := [name for name in without_default if name not in given]:
        raise OutputError(f"{kind.__name__} {content.get('id', 'without an id')} has no {', '.join(missing)}")
    return kind(**given)
