"""`make data`: whole or nothing, in whatever order the files come, and a new export adds its state."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import frictionless
import pandas as pd
import pytest
from conftest import ROOT, examples, run
from test_sipri import deal, deals, order, register

from companion.book import freshness
from companion.settings import root
from companion.sources import SourceError
from companion.tables import COMMITTED, alone, finish_interrupted
from companion.tables.recipes import RECIPES, Built
from companion.tables.refresh import accept, replace
from companion.tables.refresh import refresh as build_and_commit


def fingerprint(folder: Path) -> str:
    files = sorted(path for path in (folder / "data").iterdir() if path.is_file())
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


NEW = "uas_deliveries@2026-09"  # far too small for a state of the whole database, so it has to be accepted


def refresh(folder: Path, sources: Path, *accepted: str) -> subprocess.CompletedProcess[str]:
    replaced = ["--replace", *accepted] if accepted else []
    return run(folder, "python", "-m", "companion", "data", str(sources), *replaced)


@pytest.fixture
def new_export(tmp_path: Path) -> Path:
    """A folder with one export that the tables do not have: a register of September 2026."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    orders = [order(years="2025", number=12), order(years="2024").replace("Israel", "China").replace("India", "Serbia")]
    (folder / "any name 2026-09-30.csv").write_bytes(register(*orders).content)
    return folder


def test_a_new_export_becomes_a_vintage_and_the_others_stay(copy_of_project: Path, new_export: Path):
    table = copy_of_project / "data" / "uas_deliveries.csv"
    before = table.read_text().splitlines()
    result = refresh(copy_of_project, new_export, NEW)
    assert result.returncode == 0, result.stderr
    after = table.read_text().splitlines()
    assert after[: len(before)] == before
    assert after[len(before) :] == [
        "2026-09,2026-09-30,China,Heron,reconnaissance,uav,2024,10,10,,exact",
        "2026-09,2026-09-30,Israel,Heron,reconnaissance,uav,2025,12,12,,exact",
    ]
    assert "uas_deliveries: rebuilt" in result.stdout
    assert "2 added, 0 removed, 0 changed" in result.stdout
    assert "new: 2026-09 (dated by its file name)" in result.stdout
    assert f"{len(RECIPES) - 1} other tables: left as they are; no upstream file for them" in result.stdout
    assert "Run `make expected` next" in result.stdout
    package = json.loads((copy_of_project / "data" / "datapackage.json").read_text(encoding="utf-8"))
    resource = next(r for r in package["resources"] if r["name"] == "uas_deliveries")
    assert resource["sources"][-1]["version"] == "2026-09-30"
    assert frictionless.validate(str(copy_of_project / "data" / "datapackage.json")).valid


def test_a_revised_export_of_the_same_month_replaces_its_vintage(copy_of_project: Path, new_export: Path):
    refresh(copy_of_project, new_export, NEW)
    path = new_export / "any name 2026-09-30.csv"
    path.write_bytes(path.read_bytes().replace(b",12,?,2025", b",13,?,2025"))
    refused = refresh(copy_of_project, new_export)
    assert refused.returncode == 1
    assert f"{NEW}: 1 row would change (2026-09, 2026-09-30, Israel, Heron," in refused.stderr
    assert f"make data SOURCES=DIR REPLACE='{NEW}'" in refused.stderr
    result = refresh(copy_of_project, new_export, NEW)
    assert "0 added, 0 removed, 1 changed; units 71" in result.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (deals(deal(label="stealth drone")).content, "the weapon label 'stealth drone' is not known"),
        (deals(deal(number="four")).content, "'four' is not a possible number"),
        (deals(deal(year=1850)).content, "1850 is not a year of delivery"),
        (deals(deal(), deal()[:30]).content, "The file is cut"),
    ],
)
def test_a_bad_file_leaves_the_tables_as_they_were(copy_of_project: Path, tmp_path: Path, content: bytes, message: str):
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "deals.txt").write_bytes(content)
    before = fingerprint(copy_of_project)
    result = refresh(copy_of_project, folder)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Nothing was written" in result.stderr
    assert fingerprint(copy_of_project) == before


def test_a_table_that_breaks_its_schema_is_refused_before_anything_is_written(copy_of_project: Path, new_export: Path):
    package = copy_of_project / "data" / "datapackage.json"
    content = json.loads(package.read_text(encoding="utf-8"))
    resource = next(r for r in content["resources"] if r["name"] == "uas_deliveries")
    resource["schema"]["fields"][0]["constraints"]["pattern"] = r"20[12]\d-0[1-8]"  # no vintage of September
    package.write_text(json.dumps(content), encoding="utf-8")
    before = fingerprint(copy_of_project)
    result = refresh(copy_of_project, new_export, NEW)
    assert result.returncode == 1
    assert "uas_deliveries.csv, row " in result.stderr
    assert "Nothing was written" in result.stderr
    assert fingerprint(copy_of_project) == before


def test_committed_files_are_moved_into_place_by_the_next_command(copy_of_project: Path):
    committed = copy_of_project / "data" / COMMITTED
    committed.mkdir()
    (committed / "uas_groups.csv").write_text("new\n")
    finish_interrupted(copy_of_project)
    assert (copy_of_project / "data" / "uas_groups.csv").read_text() == "new\n"
    assert not committed.exists()


def contents(folder: Path) -> dict[Path, bytes | None]:
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def half_committed(book: Path) -> Path:
    """Leave a refresh of a copy of the project as if it was killed while its files were moved into place."""
    (book / "data" / COMMITTED).mkdir()
    (book / "data" / COMMITTED / "uas_groups.csv").write_text("new\n")
    return book / "data" / "uas_groups.csv"


def test_looking_for_the_book_changes_nothing(copy_of_project: Path, monkeypatch: pytest.MonkeyPatch):
    half_committed(copy_of_project)
    before = contents(copy_of_project)
    monkeypatch.chdir(copy_of_project / "chapters" / "uas")
    assert root() == copy_of_project
    assert contents(copy_of_project) == before


def test_a_build_by_jupyter_book_alone_finishes_a_refresh_before_it_reads_a_table(copy_of_project: Path):
    table = half_committed(copy_of_project)
    freshness._take_digests(SimpleNamespace(srcdir=str(copy_of_project)), {})
    assert table.read_text() == "new\n"


def test_the_tests_finish_a_refresh_before_they_read_a_table(copy_of_project: Path):
    table = half_committed(copy_of_project)
    done = run(copy_of_project, "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/test_workflows.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert table.read_text() == "new\n"


def test_files_are_not_moved_while_another_process_moves_them(copy_of_project: Path):
    table = half_committed(copy_of_project)
    mover = threading.Thread(target=finish_interrupted, args=[copy_of_project])
    with alone(copy_of_project):
        mover.start()
        mover.join(0.5)
        assert mover.is_alive()
        assert table.read_text() != "new\n"
    mover.join(60)
    assert table.read_text() == "new\n"


SLOW = """
    import sys
    from pathlib import Path
    from companion.tables import refresh
    check = refresh._check
    def slow(*arguments):
        print("staged", flush=True)
        sys.stdin.readline()
        check(*arguments)
    refresh._check = slow
    refresh.refresh(Path(sys.argv[1]), ["uas_deliveries"])
"""


def test_of_two_refreshes_at_once_the_second_waits_and_both_count(
    copy_of_project: Path, new_export: Path, tmp_path: Path
):
    later = tmp_path / "later"
    later.mkdir()
    content = (new_export / "any name 2026-09-30.csv").read_bytes()
    (later / "any name 2026-10-31.csv").write_bytes(content)
    python, options = [sys.executable], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}
    options |= {"cwd": copy_of_project, "env": os.environ | {"PYTHONPATH": str(copy_of_project)}}
    with subprocess.Popen([*python, "-c", textwrap.dedent(SLOW), str(new_export)], **options) as first:
        assert first.stdout.readline() == "staged\n"
        command = [*python, "-m", "companion", "data", str(later), "--replace", "uas_deliveries"]
        with subprocess.Popen(command, **options, stderr=subprocess.PIPE) as second:
            assert "waiting until it is done" in second.stderr.readline()
            first.stdin.write("\n")
            first.stdin.close()
            assert (first.wait(120), second.wait(120)) == (0, 0)
    vintages = pd.read_csv(copy_of_project / "data" / "uas_deliveries.csv", dtype=str)["vintage"]
    assert {"2026-09", "2026-10"} <= {*vintages}
    assert frictionless.validate(str(copy_of_project / "data" / "datapackage.json")).valid
    assert not list((copy_of_project / "data").glob(".*"))


KILLED = """
    import os, sys, time
    from pathlib import Path
    from companion.tables.refresh import refresh
    for delay in map(float, sys.argv[2:]):
        child = os.fork()
        if child == 0:
            refresh(Path(sys.argv[1]), ["uas_deliveries@2026-09"])
            os._exit(0)
        time.sleep(delay)
        os.kill(child, 9)
        os.waitpid(child, 0)
        print("killed", flush=True)
        sys.stdin.readline()
"""


def test_killed_at_random_moments_the_tables_are_whole(
    copy_of_project: Path, new_export: Path, monkeypatch: pytest.MonkeyPatch
):
    """Up to twenty kills: each time the tables are the old ones or the new ones, and valid."""
    old = fingerprint(copy_of_project)
    complete = copy_of_project.parent / "complete"
    shutil.copytree(copy_of_project, complete)
    monkeypatch.chdir(complete)
    build_and_commit(new_export, [NEW])  # once before it is timed, for what is loaded then
    shutil.copytree(copy_of_project / "data", complete / "data", dirs_exist_ok=True)
    started = time.monotonic()
    build_and_commit(new_export, [NEW])
    longest = time.monotonic() - started
    new = fingerprint(complete)
    assert new != old
    moments = [f"{random.Random(i).uniform(0, longest):.3f}" for i in range(examples(20))]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(new_export), *moments],
        cwd=copy_of_project,
        env=os.environ | {"PYTHONPATH": str(copy_of_project)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdin
    assert process.stdout
    for _ in moments:
        assert process.stdout.readline() == "killed\n"
        finish_interrupted(copy_of_project)
        assert fingerprint(copy_of_project) in {old, new}
        assert not list((copy_of_project / "data").glob(".*")), "nothing is left behind"
        shutil.copytree(ROOT / "data", copy_of_project / "data", dirs_exist_ok=True)
        process.stdin.write("\n")
        process.stdin.flush()
    assert process.wait(60) in {0, -signal.SIGPIPE}


def test_the_package_counts_its_missing_values():
    package = json.loads((ROOT / "data" / "datapackage.json").read_text(encoding="utf-8"))
    for resource in package["resources"]:
        table = pd.read_csv(ROOT / "data" / resource["path"], dtype=str, keep_default_na=False)
        for field in resource["schema"]["fields"]:
            assert field["missing"] == (table[field["name"]] == "").sum(), (resource["name"], field["name"])


def test_tables_that_were_corrected_together_are_accepted_together(copy_of_project: Path):
    for name, old in (("claims", "C137,"), ("claim_sources", "C137,")):
        path = copy_of_project / "data" / f"{name}.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.rstrip() + " More.\n", encoding="utf-8")
    command = ["-m", "companion", "data", "--accept"]
    alone = run(copy_of_project, "python", *command, "claims")
    assert alone.returncode == 1
    assert "make data ACCEPT=claim_sources" in alone.stderr
    both = run(copy_of_project, "python", *command, "claims", "claim_sources")
    assert both.returncode == 0, both.stderr
    assert frictionless.validate(str(copy_of_project / "data" / "datapackage.json")).valid


def test_a_table_whose_key_has_another_name_is_replaced(copy_of_project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(copy_of_project)
    path = copy_of_project / "data" / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    schema = next(resource["schema"] for resource in package["resources"] if resource["name"] == "run_times")
    schema["primaryKey"], schema["fields"][0]["name"] = ["page"], "page"
    path.write_text(json.dumps(package), encoding="utf-8")
    table = pd.read_csv(copy_of_project / "data" / "run_times.csv").rename(columns={"chapter": "page"})
    assert "with other columns" in replace({"run_times": Built(table)})["run_times"]


def test_a_table_is_checked_with_those_that_refer_to_it(copy_of_project: Path, monkeypatch: pytest.MonkeyPatch):
    """A claim names an event that goes: neither table of events nor description is replaced."""
    monkeypatch.chdir(copy_of_project)
    events, package = (copy_of_project / "data" / name for name in ("policy_timeline.csv", "datapackage.json"))
    before = package.read_bytes()
    lines = events.read_text(encoding="utf-8").splitlines(keepends=True)
    events.write_text("".join(line for line in lines if not line.startswith("replicator-2023,")), encoding="utf-8")
    with pytest.raises(SourceError, match=r"data/claims\.csv, row \d+"):
        accept(["policy_timeline"])
    assert package.read_bytes() == before
