"""Read the compiled record of the U.S. Department of Defense UAS groups, one row per group and source."""

import re

import pandas as pd

from companion.sources.upstream import Row, SourceFile, read_rows

LIMITS = {  # limit: its column in the record, its unit
    "weight": ("max_gross_takeoff_weight_lb", "lb"),
    "altitude": ("normal_operating_altitude_ft", "ft"),
    "airspeed": ("airspeed_kn", "kn"),
}
KEPT = ["representative_systems", "source_title", "source_publisher", "source_url", "note"]


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is the record of UAS groups, by its column names."""
    return file.head.startswith("group,source_id,max_gross_takeoff_weight_lb,")


def read(file: SourceFile) -> pd.DataFrame:
    """Turn the limits as written ("21-55", "<1,320", "any") into numbers; an open end stays empty.

    Returns:
        One row per group and source: limits in lb, ft and kn, and the limits as the source writes them.

    Raises:
        SourceError: a limit is written in a way that is not known.
    """
    columns = [column for column, _ in LIMITS.values()]
    rows = []
    for row in read_rows(file, ["group", "source_id", *columns, "agrees_with_consensus", *KEPT]):
        tidy: dict[str, object] = {"group": row.number("group"), "source_id": row.required("source_id")}
        for limit, (column, unit) in LIMITS.items():
            low, high = _limits(row, column)
            tidy[f"{limit}_min_{unit}"] = low
            tidy[f"{limit}_max_{unit}"] = high
            tidy[f"{limit}_as_written"] = row.text(column)
        tidy["altitude_reference"] = _reference(row.text("normal_operating_altitude_ft") or "")
        tidy["representative_systems"] = row.text("representative_systems")
        tidy["differs_from_consensus"] = _difference(row.text("agrees_with_consensus") or "")
        rows.append(tidy | {column: row.text(column) for column in KEPT[1:]})
    return pd.DataFrame(rows).sort_values(["group", "source_id"], ignore_index=True)


def _limits(row: Row, column: str) -> tuple[int | None, int | None]:
    """The lower and the upper limit; None for an open end. "FL180" is 18,000 ft by definition."""
    text = row.text(column) or ""
    text = re.sub(r"\((?!FL).*?\)|\(FL\d+\)", "", text)
    text = re.sub(r"FL(\d+)", lambda found: f"{found[1]}00", text).replace(",", "")
    text = text.replace("AGL", "").replace("MSL", "").strip()
    if text in {"", "any"}:
        return None, None
    if found := re.fullmatch(r"(\d+)-(\d+)", text):
        return int(found[1]), int(found[2])
    if found := re.fullmatch(r">(\d+) and <(\d+)", text):
        return int(found[1]), int(found[2])
    if found := re.fullmatch(r"([<>]?)(\d+)", text):
        limit = int(found[2])
        return (limit, None) if found[1] == ">" else (None, limit)
    raise row.wrong(column, f"the limit {text!r} is written in a way that is not known; use '<55' or '21-55'")


def _reference(altitude: str) -> str | None:
    """What an altitude is measured from; None where the source does not say."""
    references = {"AGL": "AGL", "MSL": "MSL", "FL": "flight level"}
    return next((name for mark, name in references.items() if mark in altitude), None)


def _difference(agreement: str) -> str | None:
    """What a source says differently; None where it agrees or is the consensus itself."""
    found = re.fullmatch(r"no \((.*)\)", agreement)
    return found[1] if found else None
