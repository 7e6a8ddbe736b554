"""States of SIPRI's Arms Transfers Database: the exports in a folder, and what makes one of them doubtful."""

from collections.abc import Callable, Iterable, Sequence

from companion.sources import SourceFile, sipri
from companion.tables import describe

Used = Sequence[tuple[SourceFile, sipri.Export]]

# A later state has had as many orders as the one before, or more; up to this share of them went away in a revision.
FEWEST = 0.995
# Of its suppliers and recipients, which are sometimes renamed.
FEWEST_COUNTRIES = 0.95


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
