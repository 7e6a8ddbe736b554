"""`make data` loses nothing that it was not told to lose: each upstream file alone, and any of them together."""

import random
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from test_sipri import order, register

from companion.settings import root
from companion.sources import SourceError, SourceFile, sipri_milex, sipri_top100, walk
from companion.sources.sipri import read_export
from companion.tables import describe
from companion.tables.recipes import RECIPES, states
from companion.tables.refresh import Left, make_table, objections, plan, refresh

SUBSETS = 200


def committed(name: str) -> pd.DataFrame:
    return pd.read_csv(root() / "data" / describe(name)["path"], dtype=str, keep_default_na=False)


def lost(files: list[SourceFile]) -> Iterator[str]:
    """The tables of which a refresh would lose or change a row without asking."""
    for name, recipe in RECIPES.items():
        try:
            built = make_table(recipe, files, Path("upstream"))
        except SourceError:  # refused: nothing is written
            continue
        if isinstance(built, Left):
            continue
        new = plan(name, built)
        rows = {*committed(name).itertuples(index=False, name=None)}
        if not rows <= {*new.table.itertuples(index=False, name=None)} and not objections(name, new, []):
            yield name


WHOLE = [
    order(years="2024").replace("India", f"Country {i}").replace("Israel", f"Supplier {i % 9}") for i in range(400)
]


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of their own, for a refresh that is to be refused."""
    book = tmp_path_factory.mktemp("book")
    shutil.copytree(root() / "data", book / "data")
    monkeypatch.chdir(book)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data package remembers a whole register of May 2026."""
    monkeypatch.setattr(states, "describe", lambda name: {"upstream": [states._held(read_export(whole()))]})


def whole(rows: list[str] = WHOLE, day: str = "2026-05-18") -> SourceFile:
    return register(*rows, name=f"register {day}.csv")


@pytest.mark.parametrize(
    ("rows", "doubt"),
    [
        (WHOLE[:-10], "it has 390 rows, and the register of 2026-05-18 400"),
        ([row for row in WHOLE if "Supplier 1" in row or "Supplier 2" in row], "2 suppliers"),
        ([row.replace("2024", "2023") for row in WHOLE], "it covers 2023 to 2023"),
    ],
)
@pytest.mark.usefixtures("known")
def test_a_later_register_that_is_smaller_is_doubted(rows: list[str], doubt: str):
    [(state, said)] = states.doubts([read_export(whole(rows, "2026-07-14"))]).items()
    assert state == "2026-07"
    assert doubt in said


@pytest.mark.usefixtures("known")
def test_a_later_register_that_is_whole_is_not_doubted():
    assert states.doubts([read_export(whole([*WHOLE, order(years="2025")], "2026-07-14"))]) == {}


@pytest.mark.usefixtures("elsewhere")
def test_a_doubtful_state_is_written_only_if_it_is_accepted(tmp_path: Path):
    (tmp_path / "any name 2026-07-14.csv").write_bytes(register(order(years="2025"), WHOLE[0]).content)
    with pytest.raises(SourceError, match=r"uas_deliveries@2026-07: this new state may be cut or a selection"):
        refresh(tmp_path)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("day", ["2099-12-31", "2025-13-45"])
def test_a_day_that_cannot_be_is_refused(tmp_path: Path, day: str):
    (tmp_path / f"register {day}.csv").write_bytes(register(order()).content)
    with pytest.raises(SourceError, match=rf"register {day}\.csv: .*Correct the date"):
        refresh(tmp_path)


@pytest.mark.usefixtures("elsewhere")
def test_what_was_never_a_table_cannot_be_accepted(tmp_path: Path):
    shutil.copy(root() / "data" / "programs.csv", tmp_path)
    with pytest.raises(SourceError, match="There is no table 'uas_delivery'"):
        refresh(tmp_path, ["uas_delivery@2026-05"])


@pytest.fixture(scope="module")
def upstream(sources: Path) -> Iterator[list[SourceFile]]:
    """Every upstream file, each read once."""
    milex = cache(sipri_milex.read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sipri_milex, "read", lambda file, countries: milex(file, tuple(countries)))
        patch.setattr(sipri_top100, "read", cache(sipri_top100.read))
        yield list(walk(sources))


@pytest.mark.slow
def test_no_file_alone_takes_a_row_from_a_table(upstream: list[SourceFile]):
    assert {file.name: names for file in upstream if (names := [*lost([file])])} == {}


@pytest.mark.slow
def test_no_part_of_the_files_takes_a_row_from_a_table(upstream: list[SourceFile]):
    chance = random.Random(1)
    for _ in range(SUBSETS):
        files = [file for file in upstream if chance.random() < chance.choice([0.1, 0.5, 0.9])]
        assert [*lost(files)] == [], [file.name for file in files]
