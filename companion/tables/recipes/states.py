"""States of SIPRI's Arms Transfers Database: the exports in a folder, and what makes one of them doubtful."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import pandas as pd

from companion.prose import listed
from companion.sources import SourceFile, sipri
from companion.tables import describe, load

Used = Sequence[tuple[SourceFile, sipri.Export]]

# A later state has had as many orders as the one before, or more; up to this share of them went away in a revision.
FEWEST = 0.995
# Of its suppliers and recipients, which are sometimes renamed.
FEWEST_COUNTRIES = 0.95
# A country with at least this share of a state's units does not go away by a revision.
MANY = 0.01


def exports(files: Iterable[SourceFile]) -> list[tuple[SourceFile, sipri.Export]]:
    """Every export of the database in a folder, with its file."""
    return [(file, sipri.read_export(file)) for file in files if sipri.recognizes(file)]


def coverage(used: Used, rows_used: Callable[[sipri.Export], int]) -> dict[str, dict[str, str | int]]:
    """What each file holds, for the data package; by the file's name."""
    return {file.name: {**_held(export), "rows_used": rows_used(export)} for file, export in used}


def doubts(found: Iterable[sipri.Export]) -> dict[str, str]:
    """Why a state may be a cut file or a selection, by its vintage.

    A trade register of the whole database is compared with the one before, in the folder or as the data package
    remembers it.
    """
    known = [
        entry
        for name in ("uas_deliveries", "fighter_orders")
        for entry in describe(name).get("upstream", [])
        if entry.get("form") == "register"
    ]
    registers = [_held(export) for export in found if export.form == "register"]
    odd = {}
    for new in registers:
        before = [old for old in [*known, *registers] if str(old["exported"]) < str(new["exported"])]
        if before:
            problems = _compared(max(before, key=lambda old: str(old["exported"])), new)
            if problems:
                odd[str(new["exported"])[:7]] = "; ".join(problems)
    return odd


def renamed(rows: pd.DataFrame, table: str, country: str, units: str) -> dict[str, str]:
    """Which countries of a state may go by another name, by the state: they stand in the state before and not in it.

    Without a word on them in `data/corrections.csv`, the states of a country would be cut in two.

    Args:
        rows: the table's new rows.
        table: its name; what it holds of other states is compared too.
        country: the column of countries.
        units: the column that says how much a country has.

    Returns:
        What is odd, for states in which a country with many units is gone, or gone while another has its types.
    """
    known = load(table)
    states = pd.concat([known[~known["vintage"].isin(set(rows["vintage"]))], rows])
    odd = {}
    for (_, before), (state, now) in pairwise(states.groupby("vintage")):
        had, has = before.groupby(country)[units].sum(), now.groupby(country)[units].sum()
        types_before, types = (part.groupby(country)["designation"].agg(set) for part in (before, now))
        new = has.index.difference(had.index)
        words = []
        for name in had.index.difference(has.index):
            heirs = [other for other in new if types[other] & types_before[name]]
            if heirs or had[name] >= MANY * had.sum():
                words.append(f"{name} is gone" + (f", and {listed(heirs)} has its types" if heirs else ""))
        if words:
            odd[str(state)] = f"{'; '.join(words)}. If a country was renamed, say so in data/corrections.csv"
    return odd


def joined(*doubts: Mapping[str, str]) -> dict[str, str]:
    """Doubts of several kinds, by the state."""
    found = defaultdict[str, list[str]](list)
    for some in doubts:
        for state, text in some.items():
            found[state].append(text)
    return {state: "; ".join(texts) for state, texts in found.items()}


def span(years: Iterable[int]) -> str:
    """Years as in a sentence: "2000", or "2000 to 2009"."""
    first, last = min(years), max(years)
    return f"{first}" if first == last else f"{first} to {last}"


def _held(export: sipri.Export) -> dict[str, str | int]:
    rows = export.orders if export.form == "register" else export.deliveries
    return {
        "form": export.form,
        "exported": export.exported.isoformat(),
        "dated_by": export.dated_by,
        "years": f"{export.first_year}-{export.last_year}",
        "rows": len(rows),
        "suppliers": rows["supplier"].nunique(),
        "recipients": rows["recipient"].nunique(),
    }


def _compared(old: dict[str, str | int], new: dict[str, str | int]) -> list[str]:
    """What a register lacks against the one before."""
    least = {"rows": FEWEST, "suppliers": FEWEST_COUNTRIES, "recipients": FEWEST_COUNTRIES}
    problems = [
        f"it has {new[what]:,} {what}, and the register of {old['exported']} {old[what]:,}"
        for what, share in least.items()
        if int(new[what]) < share * int(old[what])
    ]
    (first, last), (first_before, last_before) = (str(entry["years"]).split("-") for entry in (new, old))
    if first > first_before or last < last_before:
        problems.append(
            f"it covers {first} to {last}, and the register of {old['exported']} {first_before} to {last_before}"
        )
    return problems
