"""Rebuild `data/` from a folder of upstream files: what `make data SOURCES=DIR` does.

Nothing is ever half written. The new files are staged in full and checked; renaming the staging folder commits them;
then they move into place. A run that is killed before the rename leaves `data/` as it was, and one that is killed
after it is finished by whatever command of this library runs next.
"""

import hashlib
import io
import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from frictionless import Package

from companion.files import whole
from companion.files.addresses import is_other_scheme
from companion.files.sheets import is_formula
from companion.prose import listed
from companion.settings import root
from companion.sources import SourceError, SourceFile, sipri, walk
from companion.sources.known import is_known, told
from companion.sources.upstream import FORMATS, passed_over
from companion.tables import COMMITTED, STAGING, alone, describe, move_committed, package, write_package
from companion.tables.recipes import LOCAL, RECIPES, Built, Recipe
from companion.tables.recipes.built import OlderStateError

MOST_NAMED = 3
OVERRULE = "If this is right, say so: make data SOURCES=DIR REPLACE="
NEXT = "Run `make expected` next; the change of tests/expected/ is the list of numbers that moved."


@dataclass(frozen=True)
class Left:
    """A table that a folder does not rebuild, and why."""

    reason: str


@dataclass
class Loss:
    """Committed rows of one state that would go or change, and the key of the first of them."""

    gone: int = 0
    changed: int = 0
    first: str = ""

    def add(self, kind: str, key: str) -> None:
        """Count a row."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.first = self.first or key

    def __str__(self) -> str:
        """What would be lost, in words."""
        counts = ((self.gone, "go"), (self.changed, "change"))
        what = " and ".join(f"{n:,} row{'s' * (n > 1)} would {verb}" for n, verb in counts if n)
        return f"{what} ({self.first})" if self.gone + self.changed == 1 else f"{what}, the first of them {self.first}"


@dataclass(frozen=True)
class Plan:
    """What a refresh would write for one table.

    Attributes:
        table: the new table, its cells as text; committed rows that the files do not speak of are in it.
        built: what the recipe returned.
        losses: by state ("" where the table has none), the committed rows that would go or change.
        new_states: states that the committed table does not have.
    """

    table: pd.DataFrame
    built: Built
    losses: dict[str, Loss]
    new_states: list[str]


def build_tables(folder: Path) -> dict[str, Built | Left]:
    """Build every table that the files in `folder` allow, and say why it does not allow the others.

    Raises:
        SourceError: a file cannot be read, or no reader knows any file of the folder. Nothing has been written.
    """
    files = list(walk(folder))
    built = {name: make_table(recipe, files, folder) for name, recipe in RECIPES.items()}
    unknown = [file for file in files if not is_known(file)]
    if unknown and len(unknown) == len(files):
        raise SourceError(f"{unknown[0].name}: {_why_not(unknown[0])}.")
    return built


def make_table(recipe: Recipe, files: list[SourceFile], folder: Path) -> Built | Left:
    """Make one table from the files of a folder, or say why they do not give it."""
    try:
        return recipe(files) or Left(f"no upstream file for it in {folder}")
    except OlderStateError as reason:
        return Left(str(reason))


def refresh(folder: Path, accepted: Collection[str] = ()) -> list[str]:
    """Rebuild `data/` from `folder`: rows and states are added, and none is lost or changed unless that is accepted.

    Args:
        folder: the upstream files, whatever they are called; zip archives are read too.
        accepted: tables, or states of tables as "uas_deliveries@2026-05", whose committed rows may go or change, and
            whose doubtful states are right.

    Returns:
        A report: a line per table that was rebuilt, per table that was left for a reason, and per file not used.

    Raises:
        SourceError: a file cannot be read, a table breaks its schema, or something would be lost that was not accepted.
            `data/` is as it was.
    """
    made = build_tables(folder)
    unknown = {name.partition("@")[0] for name in accepted} - made.keys()
    if unknown:
        raise SourceError(f"There is no table {sorted(unknown)[0]!r}. The tables are: {', '.join(sorted(made))}.")
    tables = {name: built for name, built in made.items() if isinstance(built, Built)}
    unused = [f"{name}: passed over; it is no file" for name in passed_over(folder)]
    used = {file.name for built in tables.values() for file in built.files}
    unused += [f"{file.name}: not used; {_why_not(file)}" for file in walk(folder) if file.name not in used]
    if not tables:
        forms = ", ".join(sorted(FORMATS))
        raise SourceError("\n".join(unused) or f"{folder} holds no upstream file: none of {forms}.")
    with alone(root()):
        move_committed(root())
        plans = {name: plan(name, built) for name, built in tables.items()}
        found = {place: text for name in plans for place, text in objections(name, plans[name], accepted).items()}
        if found:
            lines = [f"{place}: {text}." for place, text in found.items()]
            raise SourceError("\n".join([*lines, f"{OVERRULE}'{' '.join(found)}'"]))
        changes = _carry_out(plans)
    nothing = f"no upstream file for it in {folder}"
    left = {name: built.reason for name, built in made.items() if isinstance(built, Left)}
    reasons = {name: reason for name, reason in left.items() if reason != nothing}
    report = [f"{name}: {change}{_added(plans[name])}" for name, change in changes.items()]
    report += [f"{name}: left as it is; {reason}" for name, reason in reasons.items()]
    if others := len(left) - len(reasons):
        report.append(f"{others} other tables: left as they are; no upstream file for them in {folder}")
    report += unused
    return [*report, NEXT] if any("unchanged" not in change for change in changes.values()) else report


def objections(name: str, plan: Plan, accepted: Collection[str]) -> dict[str, str]:
    """What stands against a refresh, by table or by table and state."""
    files = f" ({listed(file.name for file in plan.built.files[:MOST_NAMED])})" if plan.built.files else ""
    found = {f"{name}@{state}" if state else name: f"{loss}{files}" for state, loss in sorted(plan.losses.items())}
    for state in plan.new_states:
        if doubt := plan.built.doubts.get(state):
            found[f"{name}@{state}"] = f"this new state may be cut or a selection{files}: {doubt}"
    return {place: text for place, text in found.items() if not {name, place} & {*accepted}}


def _added(plan: Plan) -> str:
    """The states that were added, with what dated them."""
    dated = {str(held["exported"])[:7]: held["dated_by"] for held in plan.built.coverage.values() if "exported" in held}
    states = [f"{state} (dated by its {dated[state]})" if state in dated else state for state in plan.new_states]
    return f"; new: {', '.join(states)}" if states else ""


def _why_not(file: SourceFile) -> str:
    """Why a file of a folder was not used."""
    if any(recipe([file]) for recipe in LOCAL.values()):
        return "it cannot be redistributed and belongs into data/local/; `make local` says what for"
    if sipri.recognizes(file):
        export = sipri.read_export(file)
        if not export.complete:
            return f"it holds {export.supplier} to {export.recipient}, and a state of the database needs all"
    return "its table has a later state, or needs other files too" if is_known(file) else told(file)


def plan(name: str, built: Built) -> Plan:
    """What a table would be, and what of the committed one would be lost or changed.

    Raises:
        SourceError: the columns are not those of the schema.
    """
    resource = next((r for r in package()["resources"] if r["name"] == name), None)
    if resource is None:
        raise SourceError(f"{name} has no entry in data/datapackage.json. Copy that of a table like it, and change it.")
    new = _as_text(built.csv)
    expected = [field["name"] for field in resource["schema"]["fields"]]
    if list(new.columns) != expected:
        raise SourceError(f"{name}: the columns are {list(new.columns)}, the schema has {expected}.")
    path = root() / "data" / resource["path"]
    old = _as_text(path) if path.exists() else new.head(0)
    if list(old.columns) != expected:
        return Plan(new, built, {}, [])
    # A doubtful state may have no row left; it would be what the next one is compared with.
    states = {*new[built.adds_to], *built.doubts} if built.adds_to else set()
    covered = built.covers(old) if built.covers else pd.Series(True, old.index)
    if built.adds_to:
        covered &= old[built.adds_to].isin(states)
    table = new if covered.all() else _in_order(pd.concat([old[~covered], new], ignore_index=True), resource)
    key = resource["schema"]["primaryKey"]
    was, now = old[covered].set_index(key), new.set_index(key)
    gone, both = was.index.difference(now.index), was.index.intersection(now.index)
    differing = both[(was.loc[both].to_numpy() != now.loc[both, was.columns].to_numpy()).any(axis=1)]
    losses = defaultdict[str, Loss](Loss)
    for rows, kind in ((gone, "gone"), (differing, "changed")):
        for row in rows.to_frame(index=False).to_dict("records"):
            losses[row[built.adds_to] if built.adds_to else ""].add(kind, ", ".join(row.values()))
    added = states - set(old[built.adds_to]) if built.adds_to else set()
    return Plan(table, built, dict(losses), sorted(added))


def _in_order(table: pd.DataFrame, resource: dict[str, Any]) -> pd.DataFrame:
    """The rows of a table in the order of its key, numbers as numbers."""
    types = {field["name"]: field["type"] for field in resource["schema"]["fields"]}
    key: list[str] = resource["schema"]["primaryKey"]
    return table.sort_values(
        key,
        key=lambda column: column if types[str(column.name)] in {"string", "date"} else pd.to_numeric(column),
        ignore_index=True,
    )


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
        return _carry_out({name: plan(name, built) for name, built in tables.items()})


def accept(names: Sequence[str]) -> list[str]:
    """Take tables that were corrected by hand as they stand: bring their entries in the data package up to date.

    Args:
        names: the tables, all of those that were corrected.

    Returns:
        For each, what differs from the table as it was last committed in Git, or, without Git, that it was accepted.

    Raises:
        UnknownTableError: there is no such table.
        SourceError: a table breaks its schema; the message names the row. The data package is as it was.
    """
    with alone(root()):
        move_committed(root())
        description, tables, contents = package(), {}, {}
        for name in names:
            path = describe(name)["path"]
            resource = next(r for r in description["resources"] if r["name"] == name)
            table = _as_text(root() / "data" / path)
            expected = [field["name"] for field in resource["schema"]["fields"]]
            if list(table.columns) != expected:
                raise SourceError(f"data/{path}: the columns are {list(table.columns)}, not {expected}.")
            tables[name], contents[path] = (resource, table), table.to_csv(index=False, lineterminator="\n").encode()
            _describe(resource, Built(table), table, contents[path])
        _commit(contents, description)
    return [_accepted(resource, table, contents[resource["path"]]) for resource, table in tables.values()]


def _accepted(resource: dict[str, Any], table: pd.DataFrame, content: bytes) -> str:
    shown = subprocess.run(
        ["git", "show", f"HEAD:./data/{resource['path']}"], cwd=root(), capture_output=True, check=False
    )
    if shown.returncode:
        return f"{resource['name']}: accepted, {len(table):,} rows"
    return (
        f"{resource['name']}: {_difference(resource, table, content, shown.stdout).replace('rebuilt', 'accepted', 1)}"
    )


def _carry_out(plans: Mapping[str, Plan]) -> dict[str, str]:
    """Write what was planned, all of it or nothing, and say what changes; for whoever is `alone`."""
    description, report, contents = package(), {}, {}
    for name, planned in plans.items():
        resource = next(r for r in description["resources"] if r["name"] == name)
        table = planned.table
        content = table.to_csv(index=False, lineterminator="\n").encode()
        path = root() / "data" / resource["path"]
        report[name] = _difference(resource, table, content, path.read_bytes() if path.exists() else None)
        _describe(resource, planned.built, table, content)
        contents[resource["path"]] = content
    _commit(contents, description)
    return report


def _as_text(csv: bytes | Path) -> pd.DataFrame:
    """A table with its cells as they are written."""
    return pd.read_csv(io.BytesIO(csv) if isinstance(csv, bytes) else csv, dtype=str, keep_default_na=False)


def _describe(resource: dict[str, Any], built: Built, table: pd.DataFrame, content: bytes) -> None:
    """Bring a table's entry in the data package up to date: size, hash, missing values, sources."""
    for field in resource["schema"]["fields"]:
        field["missing"] = int((table[field["name"]] == "").sum())
    resource |= {"bytes": len(content), "hash": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    if built.files:
        names = {file.name for file in built.files}
        own = [_upstream(file) | built.coverage.get(file.name, {}) for file in built.files]
        hashes = {entry["sha256"] for entry in own}  # a file is the same in whichever folder it stands
        others = [
            entry
            for entry in resource.get("upstream", [])
            if (built.adds_to or built.covers) and entry["name"] not in names and entry["sha256"] not in hashes
        ]
        resource["upstream"] = sorted([*others, *own], key=lambda entry: str(entry["name"]))
    if built.sources:
        states = {source.get("vintage") for source in built.sources}
        kept = [s for s in resource["sources"] if built.adds_to and s.get("vintage") not in states]
        resource["sources"] = sorted([*kept, *built.sources], key=lambda s: (s.get("vintage", ""), s["version"]))


def _upstream(file: SourceFile) -> dict[str, str | int]:
    """What the data package remembers of a file that a table is made of."""
    return {"name": file.name, "bytes": file.size, "sha256": file.sha256}


def _commit(contents: dict[str, bytes], description: dict[str, Any]) -> None:
    """Replace files in `data/`: stage all of them, check them, commit with one rename, move them into place."""
    data = root() / "data"
    staging = data / STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        for resource in description["resources"]:
            if resource["path"] not in contents and (data / resource["path"]).exists():
                shutil.copy2(data / resource["path"], staging)
        for path, content in contents.items():
            whole.write(staging / path, content)
        write_package(staging / "datapackage.json", description)
        _check(staging, contents)
        staging.rename(data / COMMITTED)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    move_committed(root())


def _check(staging: Path, changed: Collection[str]) -> None:
    """Refuse tables that are not as they were written, or that break their schema, before anything is replaced.

    Those that are as they were written were checked then: of them, only such as have to agree with a changed one are
    checked again.
    """
    description = json.loads((staging / "datapackage.json").read_text(encoding="utf-8"))
    for resource in description["resources"]:
        path = resource["path"]
        if f"sha256:{hashlib.sha256((staging / path).read_bytes()).hexdigest()}" != resource["hash"]:
            raise SourceError(
                f"data/{path} is not as it was last written. If you corrected it, accept it: "
                f"make data ACCEPT={resource['name']}. Else get it back: git checkout data/{path}"
            )
    checked = _with_their_keys(description["resources"], changed)
    report = Package.from_descriptor({**description, "resources": checked}, basepath=str(staging)).validate()
    problems = [
        f"data/{task.place}, row {error.to_dict().get('rowNumber', '-')}, "
        f"column {error.to_dict().get('fieldName', '-')}: {error.note}"
        for task in report.tasks
        for error in task.errors
    ] + [str(error) for error in report.errors]
    problems += [
        f"data/datapackage.json, {resource['name']}: {named['path']!r} is no address of a page, a DOI or a mailbox"
        for resource in description["resources"]
        for named in [*resource["sources"], *resource.get("licenses", [])]
        if is_other_scheme(named["path"])
    ]
    # Here a mark before the text would change what a publisher wrote.
    problems += [
        f"data/{path}, row {number}, column {column}: {cell!r} would run as a formula in a spreadsheet"
        for path in sorted(changed)
        for number, row in enumerate(_as_text(staging / path).to_dict("records"), 2)
        for column, cell in row.items()
        if is_formula(cell)
    ]
    if problems:
        raise SourceError(f"{problems[0]}. Look for this row in the upstream file. ({len(problems)} problems in all)")


def _with_their_keys(resources: list[dict[str, Any]], changed: Collection[str]) -> list[dict[str, Any]]:
    """The changed tables, those that refer to one of them by a foreign key, and all that these need for theirs."""
    keys = {resource["name"]: resource["schema"].get("foreignKeys", []) for resource in resources}
    refers = {name: {key["reference"]["resource"] for key in foreign} for name, foreign in keys.items()}
    names = {resource["name"] for resource in resources if resource["path"] in changed}
    names |= {name for name, others in refers.items() if others & names}
    while not names >= (needed := {other for name in names for other in refers.get(name, ())}):
        names |= needed
    return [resource for resource in resources if resource["name"] in names]


def _difference(resource: dict[str, Any], table: pd.DataFrame, content: bytes, was: bytes | None) -> str:
    """What a table changes against the one before, in rows and in the totals of its number columns."""
    rows = f"rebuilt, {len(table):,} rows"
    if was is None:
        return f"{rows}, new"
    if was == content:
        return f"{rows}, unchanged"
    old = _as_text(was)
    if set(old.columns) != set(table.columns):
        return f"{rows}, before {len(old):,}, with other columns"
    old, new = (t.set_index(resource["schema"]["primaryKey"]) for t in (old, table))
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
