"""Recipes: which upstream files make which table. One function per table, one module per field of knowledge.

A recipe takes every file of the folder, picks those that its readers recognize, and returns the table's rows; None
where the folder has no such file. It writes nothing.
"""

from collections.abc import Callable

from companion.recipes import uas
from companion.recipes.built import Built
from companion.sources import SourceFile

Recipe = Callable[[list[SourceFile]], Built | None]

RECIPES: dict[str, Recipe] = {
    "uas_deliveries": uas.uas_deliveries,
    "uas_groups": uas.uas_groups,
}

__all__ = ["RECIPES", "Built", "Recipe"]
