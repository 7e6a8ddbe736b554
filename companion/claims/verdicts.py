"""The rules by which a computed verdict follows from what was observed."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from companion.report import DATED, HOLDS


def _slack(stated: float) -> float:
    """What keeps the last binary digits of a sum from deciding a verdict."""
    return 1e-9 * max(abs(stated), 1)


def _within(observed: float, stated: float, width: float) -> bool:
    return abs(observed - stated) <= width + _slack(stated)


# How an observed number is compared with the stated one; the tolerance counts for "about" alone.
RULES: dict[str, Callable[[float, float, float], bool]] = {
    "equal": lambda observed, stated, _: _within(observed, stated, 0),
    "about": _within,
    "at least": lambda observed, stated, _: observed >= stated - _slack(stated),
    "at most": lambda observed, stated, _: observed <= stated + _slack(stated),
    "more than": lambda observed, stated, _: observed > stated + _slack(stated),
    "less than": lambda observed, stated, _: observed < stated - _slack(stated),
}


def computed_verdict(rule: dict[str, Any], observed: object) -> str:
    """The verdict that follows from an observed value.

    Args:
        rule: a computed claim's `comparison`, `stated_value`, `unit`, `period`, `tolerance`, `refined_within` and
            `otherwise`.
        observed: a finite number in the claim's unit; True or False for a claim that holds or not; for a dated claim a
            date such as "2023-08-28", which is compared as exactly as the claim's period says.

    Raises:
        ValueError: the observed value is missing, or does not fit the comparison.
    """
    import numpy as np  # whoever shows verdicts, and computes none, needs neither
    import pandas as pd

    stated, comparison = rule["stated_value"], rule["comparison"]
    if comparison == DATED:
        years = abs(int(str(observed)[:4]) - int(rule["period"][:4]))
        return _verdict(rule, str(observed).startswith(rule["period"]), years)
    unit = f" {rule['unit']}" if rule["unit"] else ""
    needs = "True or False" if comparison == HOLDS else f"a number to compare with {stated:,.15g}{unit}"
    if pd.api.types.is_scalar(observed) and pd.isna(observed):
        raise ValueError(f"the verdict is computed and observed is missing. Pass observed=, {needs}.")
    truth = isinstance(observed, bool | np.bool_)
    if comparison == HOLDS and truth:
        return "confirmed" if observed else rule["otherwise"]
    if comparison == HOLDS or truth or not isinstance(observed, Real) or not math.isfinite(observed):
        raise ValueError(f"observed={observed!r} does not fit {comparison!r}. Pass observed=, {needs}.")
    holds = RULES[comparison](float(observed), stated, rule["tolerance"])
    return _verdict(rule, holds, abs(float(observed) - stated) - _slack(stated))


def _verdict(rule: dict[str, Any], holds: bool, difference: float) -> str:
    if holds:
        return "confirmed"
    near = rule["refined_within"] is not None and difference <= rule["refined_within"]
    verdict: str = "refined" if near else rule["otherwise"]
    return verdict
