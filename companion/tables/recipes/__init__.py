"""Recipes: which upstream files make which table. One function per table, one module per field of knowledge.

A recipe takes every file of the folder, picks those that its readers recognize, and returns the table's rows; None
where the folder has no such file. It writes nothing.
"""

from collections.abc import Callable

from companion.sources import SourceFile
from companion.tables.recipes import comtrade, context, customs, defense, eoir, janes, trade, uas
from companion.tables.recipes.built import Built

Recipe = Callable[[list[SourceFile]], Built | None]

RECIPES: dict[str, Recipe] = {
    "arms_imports_japan": defense.arms_imports_japan,
    "claim_sources": context.claim_sources,
    "claims": context.claims,
    "defense_budget_japan": defense.defense_budget_japan,
    "drone_figures_reported": customs.drone_figures_reported,
    "drone_trade": customs.drone_trade,
    "eo_code_imports": customs.eo_code_imports,
    "eo_codes": trade.eo_codes,
    "eo_trade": trade.eo_trade,
    "eoir_payments": eoir.eoir_payments,
    "eoir_sensor_sources": eoir.eoir_sensor_sources,
    "eoir_sensors": eoir.eoir_sensors,
    "exchange_rates": defense.exchange_rates,
    "fighter_orders": defense.fighter_orders,
    "gdp": context.gdp,
    "hs_chapter_trade": trade.hs_chapter_trade,
    "japan_customs_trade": customs.japan_customs_trade,
    "military_spending": defense.military_spending,
    "optical_instruments_trade": trade.optical_instruments_trade,
    "policy_timeline": context.policy_timeline,
    "programs": context.programs,
    "subheading_trade": comtrade.subheading_trade,
    "top100_japan": defense.top100_japan,
    "uas_deliveries": uas.uas_deliveries,
    "uas_groups": uas.uas_groups,
    "unmanned_budget_japan": defense.unmanned_budget_japan,
}

# Tables that are made from the reader's own files as well, or from them alone.
LOCAL: dict[str, Recipe] = {
    "eo_trade": trade.eo_trade,
    "janes_sensors": janes.janes_sensors,
}

__all__ = ["LOCAL", "RECIPES", "Built", "Recipe"]
