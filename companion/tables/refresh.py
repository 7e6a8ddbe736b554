"""Rebuild `data/` from a folder of upstream files: what `make data SOURCES=DIR` does.

Nothing is ever half written. The new files are staged in full and checked; renaming the staging folder commits them;
then they move into place. A run that is killed before the rename leaves `data/` as it was, and one that is killed
after it is finished by whatever command of this library runs next.
"""

import hashlib
import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import frictionless
import pandas as pd

from companion.settings import root
from companion.sources import SourceError, walk
from companion.sources.known import is_known
from companion.tables import COMMITTED, alone, move_committed, package, write_package
from companion.tables.recipes import RECIPES, Built


def build_tables(folder: Path) -> dict[str, Built | None]:
    """Build every table that the files in `folder` allow; None for a table that they do not allow.

    Raises:
        SourceError: a file cannot be read, or no reader knows any file of the folder. Nothing has been written.
    """
    files = list(walk(folder))
    built = {name: recipe(files) for name, recipe in RECIPES.items()}
    unknown = [file for file in files if not is_known(file)]
    if unknown and len(unknown) == len(files):
        first_line = unknown[0].head.partition("\n")[0].strip()
        start = repr(first_line[:80]) if first_line.isprintable() else "something other than text"
        raise SourceError(
            f"{unknown[0].name}: no reader knows this file. It begins with {start}. Compare its column names, "
            "delimiter, and encoding with a file as its publisher gives it, or download it again."
        )
    return built


def refresh(folder: Path) -> list[str]:
    """Rebuild `data/` from `folder` and return a report, one line per table and per file that was not used.

    Raises:
        SourceError: a file cannot be read, or a table breaks its schema. `data/` is as it was.
    """
    tables = build_tables(folder)
    changes = replace({name: built for name, built in tables.items() if built})
    left = f"left as it is; no upstream file for it in {folder}"
    return [f"{name}: {changes.get(name, left)}" for name in tables] + [
        f"{file.name}: not used; no reader knows its form" for file in walk(folder) if not is_known(file)
    ]


def replace(tables: Mapping[str, Built]) -> dict[str, str]:
    """Replace tables in `data/`, all of them or none, and say what changes in each.

    Another process that replaces tables at the same time waits, so that it adds to what this one wrote.

    Raises:
        SourceError: a table breaks its schema. `data/` is as it was.
    """
    if not tables:
        return {}
    with alone(root()):
        move_committed(root())
        return _replace(tables)


def _replace(tables: Mapping[str, Built]) -> dict[str, str]:
    description, report, contents = package(), {}, {}
    for name, built in tables.items():
        resource = next(r for r in description["resources"] if r["name"] == name)
        table = _with_kept_states(resource, built)
        content = table.to_csv(index=False, lineterminator="\n").encode()
        report[name] = _difference(resource, table, content)
        _describe(resource, built, table, content)
        contents[resource["path"]] = content
    _commit(contents, description)
    return report


def _as_text(csv: bytes | Path) -> pd.DataFrame:
    """A table with its cells as they are written."""
    return pd.read_csv(io.BytesIO(csv) if isinstance(csv, bytes) else csv, dtype=str, keep_default_na=False)


def _with_kept_states(resource: dict[str, Any], built: Built) -> pd.DataFrame:
    """The new rows, and the committed ones of states of the upstream database that the folder does not hold."""
    new = _as_text(built.csv)
    expected = [field["name"] for field in resource["schema"]["fields"]]
    if list(new.columns) != expected:
        raise SourceError(f"{resource['name']}: the columns are {list(new.columns)}, the schema has {expected}.")
    path = root() / "data" / resource["path"]
    if built.adds_to is None or not path.exists():
        return new
    old = _as_text(path)
    kept = old[~old[built.adds_to].isin(new[built.adds_to])]
    return pd.concat([kept, new]).sort_values(built.adds_to, kind="stable", ignore_index=True)


def _describe(resource: dict[str, Any], built: Built, table: pd.DataFrame, content: bytes) -> None:
    """Bring a table's entry in the data package up to date: size, hash, missing values, sources."""
    for field in resource["schema"]["fields"]:
        field["missing"] = int((table[field["name"]] == "").sum())
    resource |= {"bytes": len(content), "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    if built.sources:
        states = {source.get("vintage") for source in built.sources}
        kept = [s for s in resource["sources"] if built.adds_to and s.get("vintage") not in states]
        resource["sources"] = sorted([*kept, *built.sources], key=lambda s: (s.get("vintage", ""), s["version"]))


def _commit(contents: dict[str, bytes], description: dict[str, Any]) -> None:
    """Replace files in `data/`: stage all of them, check them, commit with one rename, move them into place."""
    data = root() / "data"
    staging = data / ".staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    for resource in description["resources"]:
        if resource["path"] not in contents and (data / resource["path"]).exists():
            shutil.copy2(data / resource["path"], staging)
    for path, content in contents.items():
        (staging / path).write_bytes(content)
    write_package(staging / "datapackage.json", description)
    try:
        _check(staging)
        staging.rename(data / COMMITTED)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    move_committed(root())


def _check(staging: Path) -> None:
    """Refuse tables that break their schema, before anything is replaced."""
    report = frictionless.validate(str(staging / "datapackage.json"))
    problems = [
        f"data/{task.place}, row {error.to_dict().get('rowNumber', '-')}, "
        f"column {error.to_dict().get('fieldName', '-')}: {error.note}"
        for task in report.tasks
        for error in task.errors
    ] + [str(error) for error in report.errors]
    if problems:
        raise SourceError(f"{problems[0]}. Look for this row in the upstream file. ({len(problems)} problems in all)")


def _difference(resource: dict[str, Any], table: pd.DataFrame, content: bytes) -> str:
    """What a rebuild changes against the committed table, in rows and in the totals of its number columns."""
    rows = f"rebuilt, {len(table):,} rows"
    path = root() / "data" / resource["path"]
    if not path.exists():
        return f"{rows}, new"
    if path.read_bytes() == content:
        return f"{rows}, unchanged"
    key = resource["schema"]["primaryKey"]
    old, new = (t.set_index(key) for t in (_as_text(path), table))
    if set(old.columns) != set(new.columns):
        return f"{rows}, before {len(old):,}, with other columns"
    both = new.index.intersection(old.index)
    changed = int((old.loc[both, new.columns] != new.loc[both]).any(axis=1).sum())
    added, removed = len(new.index.difference(old.index)), len(old.index.difference(new.index))
    changes = [f"{rows}: {added:,} added, {removed:,} removed, {changed:,} changed"]
    for field in resource["schema"]["fields"]:
        if field["type"] == "number" and field["name"] in new:
            before, after = (pd.to_numeric(t[field["name"]]).sum() for t in (old, new))
            if before != after:
                changes.append(f"{field['name']} {before:,.10g} -> {after:,.10g} in all")
    return "; ".join(changes)
