"""Outputs that last: what any version of the library recorded is read and compared with the present, or what lacks."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, edit, run

from companion.changes import StateError
from companion.changes.compare import compare
from companion.changes.numbers import find, read
from companion.claims import form as claims_form
from companion.claims.form import Claim
from companion.exhibits import form as exhibits_form
from companion.exhibits.form import Exhibit

RECORDED = sorted((ROOT / "tests" / "fixtures").glob("edition-*"))
FIRST = ROOT / "tests" / "fixtures" / "edition-0.1.0"  # some tables and one chapter, as they were published
CHAPTER = "tests/expected/chapters/eoir/considerations.ipynb"


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A copy of the first edition that a test may change."""
    return shutil.copytree(FIRST, tmp_path / "first")


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_every_form_that_was_written_is_read(folder: Path):
    numbers = read(find(str(folder), ROOT, ROOT / "_site"))
    assert numbers.book.version == folder.name.removeprefix("edition-")
    assert (numbers.newer, numbers.notes) == ([], [])
    assert all((numbers.tables, numbers.exhibits, numbers.claims))
    for exhibit in numbers.exhibits.values():
        assert exhibit.title
        assert exhibit.alt
        assert exhibit.sources
        assert {field["name"] for field in exhibit.fields} == {*exhibit.rows[0]}
    assert {exhibit.spec is None for exhibit in numbers.exhibits.values()} == {True, False}
    assert all(claim.statement and claim.verdict and claim.finding for claim in numbers.claims.values())


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_every_form_that_was_written_is_compared_with_the_present(folder: Path):
    was, now = read(folder), read(ROOT)
    changes = compare(was, now)
    assert changes["from"]["version"] == was.book.version
    for kind, known, present in (
        ("tables", was.tables, now.tables),
        ("exhibits", was.exhibits, now.exhibits),
        ("claims", was.claims, now.claims),
    ):
        assert {change["id"] for change in changes[kind] if change["change"] == "added"} == present.keys() - known
    same = compare(was, read(folder))
    assert not any(same[kind] for kind in ("tables", "exhibits", "claims"))


def test_a_value_that_moved_since_the_first_form_is_found(first: Path):
    notebook = json.loads((first / CHAPTER).read_text(encoding="utf-8"))
    for content in contents(notebook):
        if content.get("id") == "C134":
            content["verdict"] = "confirmed"
    (first / CHAPTER).write_text(json.dumps(notebook), encoding="utf-8")
    (change,) = compare(read(FIRST), read(first))["claims"]
    assert change["values"] == [{"row": "", "column": "Verdict", "was": "refined", "now": "confirmed"}]


def contents(notebook: dict) -> list[dict]:
    """What the outputs of a notebook hold in forms of their own."""
    outputs = [output for cell in notebook["cells"] for output in cell["outputs"]]
    return [data for output in outputs for mime, data in output.get("data", {}).items() if "vnd" in mime]


def described(content: dict) -> dict:
    """The part of an output in which an exhibit or a claim is described."""
    return content.get("usermeta", content).get("exhibit", content)


def change_all(folder: Path, **change: object) -> None:
    path = folder / CHAPTER
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for content in contents(notebook):
        described(content).update(change)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_the_present_form_has_its_number_in_every_output():
    for path in (ROOT / "tests" / "expected").rglob("*.ipynb"):
        for content in contents(json.loads(path.read_text(encoding="utf-8"))):
            form = exhibits_form.FORM if described(content) is not content else claims_form.FORM
            assert described(content)["form"] == form, path


def test_a_newer_form_is_read_as_far_as_it_is_known_and_that_is_said(first: Path):
    change_all(first, form=99, colors=["red"])
    numbers = read(first)
    assert numbers.newer == ["eoir-considerations-american", "eoir-considerations-modes", "C134"]
    assert "colors" not in vars(numbers.claims["C134"])
    assert not any(compare(read(FIRST), numbers)[kind] for kind in ("tables", "exhibits", "claims"))
    done = run(ROOT, "python", "-m", "companion", "compare", str(FIRST), str(first))
    assert done.returncode == 0, done.stderr
    assert "no number changed" in done.stdout
    assert done.stderr.startswith("Version 0.1.0 has exhibits or claims in a newer form than this library knows (eoir-")


def test_what_a_form_lacks_gets_its_default():
    about = {"id": "e", "title": "T"}
    table = Exhibit.from_output({"exhibit": about, "schema": {"fields": []}, "data": []})
    chart = Exhibit.from_output({"usermeta": {"exhibit": about | {"fields": []}}, "datasets": {"exhibit": []}})
    assert table == Exhibit(id="e", title="T", fields=[], rows=[])
    assert chart == Exhibit(id="e", title="T", fields=[], rows=[], spec={"datasets": {}})
    claim = Claim.from_output({"id": "C001", "statement": "S", "verdict": "confirmed"})
    assert (claim.sources, claim.since, claim.form) == ([], "", 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"verdict": "refined"', '"judged": "refined"', f"^{CHAPTER}: Claim C134 has no verdict.$"),
        ('"id": "C134"', '"number": "C134"', f"^{CHAPTER}: Claim without an id has no id.$"),
        ('"schema": {', '"scheme": {', f"^{CHAPTER}: Exhibit eoir-considerations-american has no fields.$"),
        ('"datasets": {', '"data_sets": {', f"^{CHAPTER}: Exhibit eoir-considerations-modes has no rows.$"),
    ],
)
def test_an_output_without_what_matters_is_named(first: Path, old: str, new: str, message: str):
    edit(first / CHAPTER, (old, new))
    with pytest.raises(StateError, match=message):
        read(first)


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        ("CITATION.cff", "version: 0.1.0", "edition: 0.1.0", "^CITATION.cff, version: Field required"),
        ("data/datapackage.json", '"resources"', '"tables"', "^data/datapackage.json has no resources.$"),
        (
            "data/datapackage.json",
            '"path": "uas_groups.csv"',
            '"at": ""',
            "package.json: table uas_groups has no path.$",
        ),
        ("data/datapackage.json", '"uas_groups.csv"', '"gone.csv"', "^There is no data/gone.csv in this copy"),
    ],
)
def test_a_state_without_what_matters_is_named(first: Path, path: str, old: str, new: str, message: str):
    edit(first / path, (old, new))
    with pytest.raises(StateError, match=message):
        read(first)
