"""Rebuild `data/` from a folder of upstream files: what `make data SOURCES=DIR` does.

Nothing is ever half written. The new files are staged in full and checked; renaming the staging folder commits them;
then they move into place. A run that is killed before the rename leaves `data/` as it was, and one that is killed
after it is finished by whatever command of this library runs next.
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import frictionless

from companion.recipes import RECIPES, Built
from companion.sources import SourceError, walk
from companion.tables import COMMITTED, describe, finish_interrupted, load, package, root


def build_tables(folder: Path) -> dict[str, Built | None]:
    """Build every table that the files in `folder` allow; None for a table that they do not allow.

    Raises:
        SourceError: a file cannot be read. Nothing has been written.
    """
    files = list(walk(folder))
    return {name: recipe(files) for name, recipe in RECIPES.items()}


def refresh(folder: Path) -> list[str]:
    """Rebuild `data/` from `folder` and return a report, one line per table.

    Raises:
        SourceError: a file cannot be read, or a table breaks its schema. `data/` is as it was.
    """
    description, report, contents = package(), [], {}
    for name, table in build_tables(folder).items():
        if table is None:
            report.append(f"{name}: left as it is; no upstream file for it in {folder}")
            continue
        resource = next(r for r in description["resources"] if r["name"] == name)
        _describe(resource, table)
        report.append(f"{name}: {_difference(name, table)}")
        contents[resource["path"]] = table.csv
    contents["datapackage.json"] = (json.dumps(description, indent=2, ensure_ascii=False) + "\n").encode()
    _commit(contents)
    return report


def _describe(resource: dict[str, Any], table: Built) -> None:
    """Bring a table's entry in the data package up to date: size, hash, missing values, sources."""
    fields = resource["schema"]["fields"]
    expected = [field["name"] for field in fields]
    if list(table.rows.columns) != expected:
        raise SourceError(f"{resource['name']}: the columns are {list(table.rows.columns)}, the schema has {expected}.")
    for field in fields:
        field["missing"] = int(table.rows[field["name"]].isna().sum())
    resource |= {"bytes": len(table.csv), "hash": f"sha256:{hashlib.sha256(table.csv).hexdigest()}"}
    if table.sources:
        resource["sources"] = table.sources


def _commit(contents: dict[str, bytes]) -> None:
    """Replace files in `data/`: stage all of them, check them, commit with one rename, move them into place."""
    data = root() / "data"
    staging = data / ".staging"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    for resource in package()["resources"]:
        if resource["path"] not in contents and (data / resource["path"]).exists():
            shutil.copy2(data / resource["path"], staging)
    for path, content in contents.items():
        (staging / path).write_bytes(content)
    try:
        _check(staging)
        staging.rename(data / COMMITTED)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    finish_interrupted(root())


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
