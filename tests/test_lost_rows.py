"""Registers of SIPRI that lost something: they are refused or doubted, or what is read of them is right.

What cannot be seen in a register alone, and is said here: up to `FEWEST` of its rows may be missing, since SIPRI itself
takes as many away in a revision; a number that is another number; two columns whose names were exchanged, cells not.
Exports of the older form, *deals*, have no register to be compared with: of those, a row that is missing at the end is
not noticed. None has come since 2024.
"""

from collections.abc import Iterator

import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_sipri import REGISTER, deal, deals

from companion.sources import SourceError, SourceFile
from companion.sources.sipri import read_export
from companion.tables.recipes import states
from companion.tables.recipes.defense import fighter_orders
from companion.tables.recipes.uas import uas_deliveries
from companion.tables.refresh import objections, plan

SUPPLIERS = ["China", "France", "Germany", "India", "Iran", "Israel", "Italy", "Russia", "Spain", "United States"]
RECIPIENTS = ["Brazil", "Chile", "Egypt", "Ghana", "Japan", "Kenya", "Mexico", "Nepal", "Oman", "Peru", "Qatar"]
WEAPONS = ["Heron,UAV", "F-35A Lightning-2,fighter aircraft", "T-72,tank", "Harop,loitering munition"]
COUNT = 400
OUTCOMES = {"refused", "not used", "doubted", "read"}
NAME, BEFORE = "trade-register_2026-03-01.csv", "trade-register_2025-03-01.csv"
NUMBERS = ["order_year", "ordered", "units"]
USED = ["supplier", "recipient", "designation", "label", "year", *NUMBERS, *(f"{n}_marked" for n in NUMBERS)]


def order(number: int) -> str:
    """One of the orders of a register: delivered or not, estimated or not, its comment on one line or two."""
    years = ["", "2000", "2016; 2017", "2020"][number % 7 % 4]
    delivered = 1 + number % 9 if years else 0
    marks = ["", "?"][number % 3 == 0], ["", "?"][number % 5 == 0], ["", "?"][number % 2]
    comment = ["", "For the navy", "From production\nline two"][number % 11 % 3]
    return (
        f"{RECIPIENTS[number % 11]},{SUPPLIERS[number % 10]},{2000 + number % 14},{marks[0]},"
        f"{2 + number % 13},{marks[1]},{WEAPONS[number % 4]},{delivered},{marks[2]},{years},New,{comment},1,10,10"
    )


ORDERS = [order(number) for number in range(COUNT)]


def register(rows: list[str], name: str = NAME, header: str = "") -> SourceFile:
    return SourceFile(name, (header + REGISTER + "\n".join(rows) + "\n").encode("cp1252"))


WHOLE = register(ORDERS)
DAMAGE = settings(max_examples=examples(60), derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    """The tables know one register, that of the year before, which has all the rows."""
    with pytest.MonkeyPatch.context() as patch:
        held = states._held(read_export(register(ORDERS, BEFORE)))
        patch.setattr(states, "describe", lambda name: {"upstream": [held]})
        patch.setattr(states, "renamed", lambda *args: {})  # the committed states have other countries
        yield


def outcome(file: SourceFile) -> str:
    """What becomes of a register: "refused", "not used", "doubted", or "read", in which case what is read is right."""
    found = {}
    try:
        for name, recipe in (("uas_deliveries", uas_deliveries), ("fighter_orders", fighter_orders)):
            if built := recipe([file]):
                found[name] = objections(name, plan(name, built), [])
    except SourceError as problem:
        return "refused" if file.name in str(problem) else f"refused without its name: {problem}"
    if "uas_deliveries" not in found:
        return "not used"  # the report of a refresh names the file
    if any(found.values()):  # one objection is enough for nothing to be written
        return "doubted"
    rest = iter(orders(WHOLE))
    read = orders(file)
    assert all(row in rest for row in read), "each row is one of the whole register, in its order"
    assert len(read) >= states.FEWEST * COUNT
    return "read"


def orders(file: SourceFile) -> list[list]:
    """The cells that tables are made of."""
    return read_export(file).orders[USED].fillna("").to_numpy().tolist()


def test_the_whole_register_is_read():
    assert outcome(WHOLE) == "read"
    assert len(orders(WHOLE)) == COUNT


@DAMAGE
@given(place=st.integers(0, len(WHOLE.content)))
def test_a_register_that_is_cut_anywhere_is_not_taken_for_a_whole_one(place: int):
    assert outcome(SourceFile(NAME, WHOLE.content[:place])) in OUTCOMES


def test_a_register_that_is_cut_near_its_end_is_not_taken_for_a_whole_one():
    """Every place in the last rows, where little is missing."""
    found = [outcome(SourceFile(NAME, WHOLE.content[:-cut])) for cut in range(1, 300, 2)]
    assert {*found} == {"read", "refused", "doubted"}


@DAMAGE
@given(dropped=st.one_of(st.sets(st.integers(0, 480), max_size=5), st.sets(st.integers(0, 480), min_size=6)))
def test_a_register_without_some_lines_is_not_taken_for_a_whole_one(dropped: set[int]):
    lines = WHOLE.content.splitlines(keepends=True)
    kept = [line for number, line in enumerate(lines, start=-1) if number not in dropped]
    assert outcome(SourceFile(NAME, b"".join(kept))) in OUTCOMES


@pytest.mark.parametrize(("lost", "expected"), [(0, "read"), (1, "read"), (2, "read"), (3, "doubted"), (40, "doubted")])
def test_rows_can_be_missing_unseen_up_to_the_share_that_a_revision_takes_away(lost: int, expected: str):
    """Two of four hundred: the bound of what is noticed."""
    assert (COUNT - lost >= states.FEWEST * COUNT) == (expected == "read")
    assert outcome(register(ORDERS[lost:])) == expected


@DAMAGE
@given(chosen=st.sets(st.sampled_from(SUPPLIERS), max_size=len(SUPPLIERS) - 1), said=st.booleans())
def test_a_selection_of_suppliers_is_no_state_of_the_database(chosen: set[str], said: bool):
    rows = [row for row in ORDERS if row.split(",")[1] in chosen]
    names = " & ".join(sorted(chosen)) or "Nowhere"
    header = f"Transfers of major conventional arms from {names}   to All countries . Deals\n" if said else ""
    assert outcome(register(rows, header=header)) in ({"not used"} if said else {"not used", "refused", "doubted"})


def test_a_register_with_all_rows_and_a_supplier_fewer_is_doubted():
    assert outcome(register([row.replace("Spain", "Italy") for row in ORDERS])) == "doubted"


def test_a_doubtful_register_without_a_row_for_a_table_is_doubted_too():
    """It would be remembered, and the next one compared with it."""
    rows = [row for row in ORDERS if "T-72" in row]
    built = uas_deliveries([register(rows)])
    assert built.rows.empty
    assert objections("uas_deliveries", plan("uas_deliveries", built), []).keys() == {"uas_deliveries@2026-03"}


def exchanged(first: int, second: int) -> SourceFile:
    """The register with two of its columns exchanged, names and cells."""
    table = [line.split(",") for line in [REGISTER.rstrip("\n"), *(row.replace("\n", " ") for row in ORDERS)]]
    for cells in table:
        cells[first], cells[second] = cells[second], cells[first]
    return SourceFile(NAME, "\n".join(",".join(cells) for cells in table).encode() + b"\n")


# A column without a name holds the marks of the one on its left, and is known by its place alone.
MARKED, MARKS = {2, 4, 8}, {3, 5, 9}


@DAMAGE
@given(columns=st.lists(st.integers(0, 15), min_size=2, max_size=2, unique=True))
def test_columns_are_found_by_their_names(columns: list[int]):
    found = outcome(exchanged(*columns)) if not {*columns} <= MARKED and not {*columns} <= MARKS else "not seen"
    if {*columns} & (MARKED | MARKS):
        assert found in {"refused", "not used", "not seen"}
    else:
        assert found == ("not used" if {*columns} & {0, 1} else "read")


@DAMAGE
@given(place=st.integers(0, 400))
def test_of_deals_that_are_cut_the_rows_before_the_cut_are_read_or_nothing(place: int):
    """The last cell of the last row may be cut, which says whether it was produced locally."""
    whole = deals(*(deal(number=number, year=2010 + number) for number in range(1, 5)))
    end = len(whole.content) - min(place, len(whole.content))
    file = SourceFile(whole.name, whole.content[:end])
    try:
        read = read_export(file).deliveries[["units", "year", "units_marked"]].to_numpy().tolist()
    except SourceError:
        return
    assert read == [[number, 2010 + number, True] for number in range(1, len(read) + 1)]
