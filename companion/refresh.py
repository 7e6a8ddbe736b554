"""Rebuild `data/` from a folder of upstream files: what `make data SOURCES=DIR` does."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from companion.sources import SourceError, SourceFile, sipri, uas_groups, walk
from companion.tables import describe, load, package, root


@dataclass(frozen=True)
class Built:
    """A table made from upstream files: its rows and, where they follow from the files, its sources."""

    rows: pd.DataFrame
    sources: list[dict[str, str]] = field(default_factory=list)

    @property
    def csv(self) -> bytes:
        """The table as it stands in `data/`: UTF-8, one line per row, whole numbers without a fraction."""
        text: str = self.rows.to_csv(index=False, lineterminator="\n", float_format=lambda number: f"{number:.10g}")
        return text.encode()


def build_uas_deliveries(files: list[SourceFile]) -> Built | None:
    """UAS and loitering munitions delivered, from every SIPRI export in the folder."""
    exports = [sipri.read_export(file) for file in files if sipri.recognizes(file)]
    if not any(export.complete for export in exports):
        return None
    rows = sipri.uas_deliveries(exports)
    sources = [
        {
            "title": "SIPRI Arms Transfers Database",
            "path": "https://www.sipri.org/databases/armstransfers",
            "version": exported,
            "vintage": vintage,
        }
        for vintage, exported in sorted(set(zip(rows["vintage"], rows["exported"], strict=True)))
    ]
    return Built(rows, sources)


def build_uas_groups(files: list[SourceFile]) -> Built | None:
    """The DoD UAS groups, one row per group and source."""
    records = [file for file in files if uas_groups.recognizes(file)]
    if len(records) > 1:
        raise SourceError(f"Two records of UAS groups: {records[0].name} and {records[1].name}. Remove one.")
    return Built(uas_groups.read(records[0])) if records else None


BUILDERS: dict[str, Callable[[list[SourceFile]], Built | None]] = {
    "uas_deliveries": build_uas_deliveries,
    "uas_groups": build_uas_groups,
}


def build_tables(folder: Path) -> dict[str, Built | None]:
    """Build every table that the files in `folder` allow; None for a table that they do not allow.

    Raises:
        SourceError: a file cannot be read. Nothing has been written.
    """
    files = list(walk(folder))
    return {name: build(files) for name, build in BUILDERS.items()}


def refresh(folder: Path) -> list[str]:
    """Rebuild `data/` from `folder` and return a report, one line per table.

    Every table is built and checked in memory before the first byte is written, and each file is replaced in one
    step, so that a failure leaves `data/` as it was.
    """
    built = build_tables(folder)
    description = package()
    report, contents = [], {}
    for name, table in built.items():
        if table is None:
            report.append(f"{name}: left as it is; no upstream file for it in {folder}")
            continue
        resource = next(r for r in description["resources"] if r["name"] == name)
        _check_columns(name, table, resource)
        report.append(f"{name}: {_difference(name, table)}")
        contents[resource["path"]] = table.csv
        resource |= {"bytes": len(table.csv), "hash": f"sha256:{hashlib.sha256(table.csv).hexdigest()}"}
        if table.sources:
            resource["sources"] = table.sources
    contents["datapackage.json"] = (json.dumps(description, indent=2, ensure_ascii=False) + "\n").encode()
    for path, content in contents.items():
        staged = root() / "data" / f".{path}.new"
        staged.write_bytes(content)
        staged.replace(root() / "data" / path)
    return report


def _check_columns(name: str, table: Built, resource: dict[str, Any]) -> None:
    expected = [column["name"] for column in resource["schema"]["fields"]]
    if list(table.rows.columns) != expected:
        raise SourceError(f"{name}: the columns {list(table.rows.columns)} are not those of the schema, {expected}.")


def _difference(name: str, table: Built) -> str:
    """What a rebuild changes against the committed table, in rows and in the totals of its number columns."""
    rows = f"rebuilt, {len(table.rows):,} rows"
    path = root() / "data" / describe(name)["path"]
    if not path.exists():
        return f"{rows}, new"
    if path.read_bytes() == table.csv:
        return f"{rows}, unchanged"
    old = load(name)
    totals = [
        f"{column} {old[column].sum():,.10g} -> {table.rows[column].sum():,.10g}"
        for column in old.select_dtypes("number")
        if column in table.rows and old[column].sum() != table.rows[column].sum()
    ]
    return "; ".join([f"{rows}, before {len(old):,}", *totals])
