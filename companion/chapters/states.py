"""Sentences on how an answer changes between the states of a database.

Each takes values by state, the oldest first, and finds the state in which the present value appeared: a later state
with the same numbers changes no sentence but where it names the newest. Ranks are None where a country is not listed.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

from companion.prose import in_words, listed, month, percent

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
UNNAMED = "unknown supplier(s)"  # how SIPRI writes that it does not know who delivered
Ranks = Mapping[str, int | None]


@dataclass(frozen=True)
class Change(Generic[T]):
    """The last change of a value.

    Attributes:
        before: the last state with the earlier value.
        since: the state after it, in which the present value first appeared.
        was: the earlier value.
        now: the present value.
    """

    before: str
    since: str
    was: T
    now: T


def changed_in(values: Mapping[str, T]) -> Change[T] | None:
    """The last change of a value by state; None where all states agree."""
    steps = list(pairwise(values.items()))
    return next((Change(old, new, was, now) for (old, was), (new, now) in reversed(steps) if was != now), None)


def ranks_of(name: str, units: "pd.DataFrame") -> dict[str, int | None]:
    """The rank of a supplier in each state, equal ones sharing the better.

    Args:
        name: the supplier.
        units: one row per state and supplier: columns `vintage`, `supplier`, and `rank`.
    """
    found = units[units["supplier"] == name].set_index("vintage")["rank"]
    return {state: int(found[state]) if state in found else None for state in sorted(units["vintage"].unique())}


def course(totals: Mapping[str, float]) -> str:
    """How a number went, by its last two moves: "rose to 2,358, then fell to 2,041 in May 2026".

    A move that is not seen in whole numbers is none.
    """
    steps = [
        (state, now, "rose" if now > was else "fell")
        for (_, was), (state, now) in pairwise(totals.items())
        if f"{now:.0f}" != f"{was:.0f}"
    ]
    # Rises in a row are one move, told by where it ends.
    moves = [list(move)[-1] for _, move in groupby(steps, key=lambda step: step[2])][-2:]
    if not moves:
        return f"is {next(iter(totals.values())):,.0f} in each of {in_words(len(totals))} exports"
    return ", then ".join(f"{verb} to {now:,.0f}" for _, now, verb in moves) + f" in {month(moves[-1][0])}"


def moved(was: int, now: int) -> str:
    """How a rank moved: "fell from second to fourth", or "stayed second"."""
    before, after = (in_words(rank, ordinal=True) for rank in (was, now))
    return f"stayed {after}" if was == now else f"{'rose' if now < was else 'fell'} from {before} to {after}"


def by_states(ranks: Mapping[str, int]) -> str:
    """A rank and the states in which it became so: "second in April 2024 and fourth in March 2025"."""
    runs = [next(run) for _, run in groupby(ranks.items(), key=lambda item: item[1])]
    return listed(f"{in_words(rank, ordinal=True)} in {month(state)}" for state, rank in runs)


def equal_states(rows: "pd.DataFrame", keys: list[str], count: str) -> str:
    """States that do not differ in a count: "March 2025 and February 2026"; pairs are parted by semicolons.

    Args:
        rows: of all states, with the column `vintage`.
        keys: what the count is compared by.
        count: the column that is added up and compared.
    """
    states: dict[tuple[object, ...], list[str]] = {}
    for state, of_state in rows.groupby("vintage"):
        sums = of_state.groupby(keys)[count].sum()
        states.setdefault(tuple((key, f"{n:.3f}") for key, n in sums.items() if n), []).append(month(str(state)))
    return "; ".join(listed(names) for names in states.values() if len(names) > 1) or "none"


def rank_title(name: str, ranks: Ranks) -> str:
    """When a country got its present rank: "The United States fell from second to fourth in SIPRI’s export of …"."""
    change, name = changed_in(ranks), f"{name[0].upper()}{name[1:]}"
    if change is None:
        return f"{name} is {_place(next(iter(ranks.values())))} in each of SIPRI’s {in_words(len(ranks))} exports"
    export = f"SIPRI’s export of {month(change.since)}"
    if change.was is None or change.now is None:
        return f"{name} is {_place(change.now)} in {export}, and {_place(change.was)} in the one before"
    return f"{name} {moved(change.was, change.now)} in {export}"


def rank_point(name: str, ranks: Ranks) -> str:
    """Whether the answer on a country's rank depends on the state that is asked."""
    newest = list(ranks)[-1]
    change = changed_in(ranks)
    if change is None:
        return (
            f"The ranking does not depend on when you ask. In each of SIPRI’s {in_words(len(ranks))} exports that "
            f"cover these years, {name} is {_place(ranks[newest])}."
        )
    return (
        f"The ranking depends on when you ask. In SIPRI’s database of {month(newest)} {name} is "
        f"{_place(change.now)}, not {_place(change.was)}."
    )


def ranking_moved(orders: Mapping[str, tuple[str, ...]]) -> str:
    """In which states a ranking differs from that of the state before, of names in order by state."""
    states = [new for (_, was), (new, now) in pairwise(orders.items()) if was != now]
    if not states:
        return "The ranking is the same in all of these exports."
    if states == [list(orders)[-1]]:
        return "The ranking moved only in the last of these exports."
    plural = "s" if len(states) > 1 else ""
    return f"The ranking moved in the export{plural} of {listed(map(month, states))}."


def first_and_last(name: str, units: Mapping[str, float], ranks: Ranks, ahead: Iterable[str]) -> str:
    """A country's rank and units in the first state and in the last, and who is ahead of it there."""

    def told(state: str, unit: str) -> str:
        return _place(ranks[state]) + (f" with {units[state]:,.0f}{unit}" if ranks[state] else "") + f" in {state}"

    first, *_, last = ranks
    behind = f", behind {listed(ahead)}" if (ahead := list(ahead)) else ""
    return f"{name[0].upper()}{name[1:]} is {told(first, ' units')} and {told(last, '')}{behind}."


def part_of(part: float, whole: float) -> str:
    """How much of something: "the whole", or "93 percent of the"."""
    return "the whole" if math.isclose(part, whole) else f"{percent(part / whole)} of the"


def estimated(units: "pd.Series[float]", marked: "pd.Series[float]") -> str:
    """How many of some units are SIPRI's estimates, as a subject: "all", "none", or "97.1 percent"."""
    share = float(marked.sum() / units.sum()) if len(units) else 1.0
    return {1.0: "all", 0.0: "none"}.get(share, percent(min(share, 0.999), 1))


def agreed_until(old: "pd.Series[float]", new: "pd.Series[float]") -> int | None:
    """The last year up to which two releases agree; None where they differ from the first year on."""
    both = old.index.intersection(new.index)
    differ = [int(year) for year in both if old[year] != new[year] and old.notna()[year] and new.notna()[year]]
    agreed = [int(year) for year in both if not differ or year < min(differ)]
    return max(agreed, default=None)


def two_releases(what: str, year: int, steps: Mapping[int, float]) -> str:
    """Whether two releases, the older first, agree on the direction of a year; `steps` are their changes in it."""
    (old, was), (new, now) = steps.items()
    verbs = ["rose" if step > 0 else "fell" for step in (was, now)]
    if verbs[0] == verbs[1]:
        return f"{what} {verbs[0]} in {year} in the releases of {old} and of {new}"
    return f"In the release of {old} {what} {verbs[0]} in {year}; in that of {new} it {verbs[1]}"


def apart(revision: float) -> str:
    """A revision, as a share of the older value: "7.9 percent lower", "1.0 percent higher", or "the same"."""
    return f"{percent(abs(revision), 1)} {'lower' if revision < 0 else 'higher'}" if revision else "the same"


def the_ones(names: list[str]) -> str:
    """Names as the subject before "whose": "Japan is the one", or "China and Japan are those"."""
    return f"{listed(names)} {'are those' if len(names) > 1 else 'is the one'}" if names else "there is none"


def since_when(holds: Mapping[int, bool]) -> int | None:
    """The year since which something holds in every year to the last; None where it does not hold in the last."""
    failing = [year for year, is_so in holds.items() if not is_so]
    return next((year for year in holds if year > max(failing, default=0)), None)


def overtaking(report: "pd.Series[float]", newest: "pd.Series[float]", half: float, settled: int) -> str:
    """When a share passes the half for good or for a time, in the report's state and in the newest.

    Args:
        report: the share by year in the report's state, percent.
        newest: the same in the newest state.
        half: the level to pass.
        settled: before this year deliveries were few.
    """
    states = {"the report’s": report, "the newest": newest}
    above = {name: [int(year) for year, share in shares.items() if share > half] for name, shares in states.items()}
    passed = {name: min((year for year in years if year >= settled), default=None) for name, years in above.items()}
    early = [name for name, years in above.items() if years and min(years) < settled]
    who = "Both states" if len(early) == 2 else f"Of the two states {listed(early)}"
    touch = f"{who} touch{'' if len(early) == 2 else 'es'} the half before {settled}, when deliveries were few"
    if passed["the report’s"] == passed["the newest"]:
        when = f"{', and' if len(early) == 2 else '. Both'} pass it in {passed['the newest']}"
    else:
        times = (f"{name} {f'passes it in {year}' if year else 'does not pass it'}" for name, year in passed.items())
        when = f". Later {listed(times)}"
    later = {
        name: [int(year) for year, share in shares.items() if passed[name] and year > passed[name] and share <= half]
        for name, shares in states.items()
    }
    told = (
        f"{name} falls back below it in {years_told(years)}" if years else f"{name} stays above"
        for name, years in later.items()
        if passed[name]
    )
    back = "; ".join(told)
    return f"{touch}{when}. {back[:1].upper()}{back[1:]}."


def newest_of(rows: "pd.DataFrame", newest: str) -> tuple[str, str]:
    """The last state that has some rows, and what to call it.

    Args:
        rows: of one country or kind, with the column `vintage`.
        newest: the last state of all rows.
    """
    state = str(rows["vintage"].max())
    called = "the newest export" if state == newest else f"the export of {month(state)}, the last with such rows,"
    return state, called


def years_told(years: Iterable[int]) -> str:
    """Years with spans as in a sentence: "2000, 2004, and 2014 to 2020"; "none" where there are none."""
    spans: list[list[int]] = []
    for year in sorted(years):
        if spans and year == spans[-1][-1] + 1:
            spans[-1].append(year)
        else:
            spans.append([year])
    return listed(f"{span[0]} to {span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)


def _place(rank: int | None) -> str:
    return "not listed" if rank is None else in_words(rank, ordinal=True)
