"""The words of the claims ledger, and the rules by which a computed verdict follows from what was observed."""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

# A verdict has a word and a shape, never a color alone.
VERDICTS = {
    "confirmed": ("✓", "The evidence agrees."),
    "refined": ("◐", "True with another scope, date, or size."),
    "contradicted": ("×", "The evidence says otherwise."),
    "inconsistent": ("≠", "It does not fit what the report says elsewhere."),
    "not tested": ("○", "No source was found that decides it."),
    "not testable": ("–", "Nothing that is open to anyone could decide it."),
}
DOUBTED = ("contradicted", "inconsistent")  # verdicts that say how certain they are
CERTAINTIES = ("high", "medium", "low")
KINDS = {
    "computed": "The verdict follows from a value that the chapter computes.",
    "sourced": "A person judged it by the sources on its card.",
    "untestable": "It rests on what cannot be seen from outside.",
}
INSIGHTS = {
    "Policy 1": "More orders strain companies",
    "Policy 2": "Export reform is essential",
    "Policy 3": "Japan prefers its own designs",
    "Policy 4": "Early contact would help",
    "Economic 1": "Working together looks expensive",
    "Industrial 1": "Japan makes advanced parts",
    "Industrial 2": "Open systems could join the two industries",
}


def _slack(stated: float) -> float:
    """What keeps the last binary digits of a sum from deciding a verdict."""
    return 1e-9 * max(abs(stated), 1)


def _within(observed: float, stated: float, width: float) -> bool:
    return abs(observed - stated) <= width + _slack(stated)


# How an observed number is compared with the stated one; the tolerance counts for "about" alone.
COMPARISONS: dict[str, Callable[[float, float, float], bool]] = {
    "equal": lambda observed, stated, _: _within(observed, stated, 0),
    "about": _within,
    "at least": lambda observed, stated, _: observed >= stated - _slack(stated),
    "at most": lambda observed, stated, _: observed <= stated + _slack(stated),
    "more than": lambda observed, stated, _: observed > stated + _slack(stated),
    "less than": lambda observed, stated, _: observed < stated - _slack(stated),
}
HOLDS = "holds"  # the comparison of a claim that a chapter finds true or false
DATED = "dated"  # the comparison of a claim that the date of an event decides


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
    holds = COMPARISONS[comparison](float(observed), stated, rule["tolerance"])
    return _verdict(rule, holds, abs(float(observed) - stated) - _slack(stated))


def _verdict(rule: dict[str, Any], holds: bool, difference: float) -> str:
    if holds:
        return "confirmed"
    near = rule["refined_within"] is not None and difference <= rule["refined_within"]
    verdict: str = "refined" if near else rule["otherwise"]
    return verdict
