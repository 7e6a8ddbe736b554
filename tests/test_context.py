"""The readers of policy events, programs, and gross domestic product on small files, and the tables themselves."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT

from companion import load
from companion.sources import SourceError, SourceFile, compiled, walk, world_bank
from companion.tables.recipes import Built, context

EVENT = {
    "event_id": "test-1999",
    "source_no": "1",
    "date": "1999",
    "topic": "program",
    "event": "A test begins.",
    "actors": "Japan",
    "used": "True",
    "source_title": "A page",
    "source_publisher": "A publisher",
    "source_url": "https://example.org/",
    "source_grade": "A",
    "note": "",
}
SECOND = {"source_no": "2", "used": "False", "date": "1999-03"}
FACT = {
    "program": "GCAP",
    "attribute": "cost",
    "item_no": "1",
    "value": "nothing yet",
    "as_of": "",
    **{column: EVENT[column] for column in list(EVENT)[6:]},
}
GDP = "Country Name,Country Code,Year,Value"


def record(template: dict[str, str], *changes: dict[str, str], name: str = "record.csv") -> SourceFile:
    """A file of the template's columns with one row per change."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(template), lineterminator="\n")
    writer.writeheader()
    writer.writerows(template | change for change in changes)
    return SourceFile(name, text.getvalue().encode())


def world(*rows: str, name: str = "gdp.csv") -> SourceFile:
    return SourceFile(name, "\n".join([GDP, *rows, ""]).encode())


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / f"{name}.csv", dtype=str, keep_default_na=False)


@pytest.mark.parametrize("name", ["claim_sources", "claims", "policy_timeline", "programs"])
def test_a_compiled_table_is_its_own_record(name: str):
    path = ROOT / "data" / f"{name}.csv"
    recipe: Callable[[list[SourceFile]], Built | None] = getattr(context, name)
    built = recipe([file for file in walk(path.parent) if not file.name.startswith("released/")])
    assert built is not None
    assert built.csv == path.read_bytes()


def test_gross_domestic_product_is_rebuilt_from_its_sources(sources: Path):
    built = context.gdp(list(walk(sources / "context")))
    assert built is not None
    assert built.csv == (ROOT / "data" / "gdp.csv").read_bytes()


@pytest.mark.parametrize(
    "recipe", [context.policy_timeline, context.programs, context.claims, context.claim_sources, context.gdp]
)
def test_a_folder_of_other_files_makes_no_table(recipe: Callable[[list[SourceFile]], Built | None]):
    assert recipe([SourceFile("other.csv", b"a,b\n1,2\n"), record(EVENT | {"more": ""}, {})]) is None


def test_events_come_by_date_and_an_empty_note_is_missing():
    rows = compiled.policy_timeline(record(EVENT, SECOND, {}, {"event_id": "earlier", "date": "1998-12-31"}))
    assert rows[["date", "event_id", "source_no", "used"]].to_numpy().tolist() == [
        ["1998-12-31", "earlier", 1, True],
        ["1999", "test-1999", 1, True],
        ["1999-03", "test-1999", 2, False],
    ]
    assert rows["note"].isna().all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{"event_id": "Test 1999"}], r"row 2, column 'event_id': 'Test 1999' is not an identifier"),
        ([{"source_no": "1.5"}], r"row 2, column 'source_no': '1.5' is not a whole number"),
        ([{"source_no": "0"}], r"row 2, column 'source_no': '0' is not a possible value"),
        ([{"source_no": ""}], r"row 2, column 'source_no': the cell is empty"),
        ([{"date": "1999-13"}], r"row 2, column 'date': '1999-13' is not a date"),
        ([{"date": "1999-02-30"}], r"row 2, column 'date': '1999-02-30' is not a date"),
        ([{"date": "March 1999"}], r"row 2, column 'date': 'March 1999' is not a date"),
        ([{"date": ""}], r"row 2, column 'date': the cell is empty"),
        ([{"topic": "arms"}], r"row 2, column 'topic': 'arms' is none of cooperation, export rules"),
        ([{"event": "A test begins"}], r"row 2, column 'event': 'A test begins' is not a sentence"),
        ([{"event": "a" * 160 + "."}], r"row 2, column 'event': 'a+\.' is not a sentence of at most 160"),
        ([{"actors": ""}], r"row 2, column 'actors': the cell is empty"),
        ([{"used": "yes"}], r"row 2, column 'used': 'yes' is none of False, True"),
        ([{"source_title": ""}], r"row 2, column 'source_title': the cell is empty"),
        ([{"source_url": "example.org"}], r"row 2, column 'source_url': 'example.org' is not an address"),
        ([{"source_url": "https://a b"}], r"row 2, column 'source_url': 'https://a b' is not an address"),
        ([{"source_grade": "D"}], r"row 2, column 'source_grade': 'D' is none of A, B, C"),
        ([{"used": "False"}], r"row 2, column 'used': .* number 1 is used and no other"),
        ([{}, SECOND | {"used": "True"}], r"row 3, column 'used': .* number 1 is used and no other"),
        ([{}, {}], r"row 3, column 'source_no': 1 stands where 2 is the next number of test-1999"),
        ([SECOND], r"row 2, column 'source_no': 2 stands where 1 is the next number"),
        ([{}, SECOND | {"source_no": "3"}], r"row 3, column 'source_no': 3 stands where 2 is"),
        ([{}, SECOND | {"topic": "cooperation"}], r"row 3, column 'topic': 'cooperation' is not what source 1"),
        ([{}, SECOND | {"event": "It ends."}], r"row 3, column 'event': 'It ends.' is not what source 1"),
        ([SECOND | {"actors": "China"}, {}], r"row 2, column 'actors': 'China' is not what source 1"),
    ],
)
def test_a_bad_event_is_refused_with_its_place(changes: list[dict[str, str]], message: str):
    with pytest.raises(SourceError, match=rf"record\.csv, {message}"):
        compiled.policy_timeline(record(EVENT, *changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{"program": "F-22"}], r"row 2, column 'program': 'F-22' is none of CCA, F-35 \(Japan\)"),
        ([{"attribute": "price"}], r"row 2, column 'attribute': 'price' is none of cost, lead contractors"),
        ([{"value": ""}], r"row 2, column 'value': the cell is empty"),
        ([{"as_of": "soon"}], r"row 2, column 'as_of': 'soon' is not a date"),
        ([{"source_url": "ftp://example.org"}], r"row 2, column 'source_url': 'ftp://example.org' is not an address"),
        ([{"used": "False"}], r"row 2, column 'used': the first value of an attribute is used"),
        ([{"used": "False"}, {"item_no": "2"}], r"row 2, column 'used': the first value of an attribute is used"),
        ([{}, {}], r"row 3, column 'item_no': 1 stands where 2 is the next number of GCAP / cost"),
        ([{}, {"item_no": "3"}], r"row 3, column 'item_no': 3 stands where 2 is the next number of GCAP / cost"),
    ],
)
def test_a_bad_fact_on_a_program_is_refused_with_its_place(changes: list[dict[str, str]], message: str):
    with pytest.raises(SourceError, match=rf"record\.csv, {message}"):
        compiled.programs(record(FACT, *changes))


def test_a_used_value_may_have_others_beside_it_and_alternatives_below_it():
    changes: list[dict[str, str]] = [{}, {"item_no": "2", "used": "False"}, {"item_no": "3"}, {"attribute": "start"}]
    rows = compiled.programs(record(FACT, *changes[::-1]))
    assert rows[["attribute", "item_no", "used"]].to_numpy().tolist() == [
        ["cost", 1, True],
        ["cost", 2, False],
        ["cost", 3, True],
        ["start", 1, True],
    ]
    assert rows["as_of"].isna().all()


def test_two_records_of_one_kind_are_refused():
    files = [record(EVENT, {}, name="one.csv"), record(EVENT, {"date": "2000"}, name="two.csv")]
    with pytest.raises(SourceError, match=r"Two files with policy events: one\.csv and two\.csv"):
        context.policy_timeline(files)


def test_files_of_gross_domestic_product_are_joined():
    files = [
        world("Japan,JPN,2000,5e12", '"Korea, Rep.",KOR,2000,6e11'),
        world("World,WLD,2000,3e13", "Japan,JPN,2000,5000000000000.0", "Japan,JPN,1999,4.5e12", "China,CHN,1999,"),
    ]
    for order in (files, files[::-1]):
        built = context.gdp(order)
        assert built is not None
        assert built.rows.to_numpy().tolist() == [
            ["Japan", 1999, 4.5e12],
            ["Japan", 2000, 5e12],
            ["South Korea", 2000, 6e11],
        ]


def test_files_of_gross_domestic_product_that_contradict_are_refused():
    files = [world("Japan,JPN,2000,5e12", name="old.csv"), world("Japan,JPN,2000,5.1e12", name="new.csv")]
    with pytest.raises(SourceError, match=r"old\.csv and new\.csv: Japan 2000 .* 5000000000000 and of 5100000000000"):
        context.gdp(files)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Japan,JPN,20,5e12", r"row 2, column 'Year': '20' is not a year"),
        ("Japan,JPN,2000,..", r"row 2, column 'Value': '\.\.' is not a number"),
        ("Australia,AUS,2000,19028802", r"row 2, column 'Value': '19028802' is not a possible value"),
        ("Japan,JPN,2000", r"row 2: 3 fields where the header has 4"),
    ],
)
def test_a_bad_file_of_gross_domestic_product_is_refused_with_its_place(row: str, message: str):
    with pytest.raises(SourceError, match=rf"gdp\.csv, {message}"):
        world_bank.gdp(world(row))


def test_every_event_has_one_used_source_and_every_source_a_title_a_publisher_and_an_address():
    timeline = table("policy_timeline")
    assert (timeline.groupby("event_id")["used"].agg(lambda used: (used == "True").sum()) == 1).all()
    for rows in (timeline, table("programs")):
        assert (rows[["source_title", "source_publisher", "source_grade"]] != "").all(axis=None)
        assert rows["source_url"].str.match(r"https?://[^/\s]+\.[a-z]+").all()


def test_a_row_from_a_copy_says_what_the_original_would_be():
    for name in ("policy_timeline", "programs"):
        copies = table(name).query("source_grade == 'C'")
        assert len(copies)
        assert copies["note"].str.contains("original").all(), copies.loc[~copies["note"].str.contains("original")]


def test_the_timeline_covers_what_the_report_rests_on():
    dates = table("policy_timeline").query("used == 'True'").set_index("event_id")["date"]
    expected = {
        "three-principles-1967": "1967",
        "export-limit-1976": "1976-02",
        "one-percent-ceiling-1976": "1976-11-05",
        "one-percent-ceiling-ends-1986": "1986-12-30",
        "export-guidelines-2011": "2011-12",
        "transfer-principles-2014": "2014-04-01",
        "industrial-base-law-2023": "2023-06-07",
        "industrial-base-law-in-force-2023": "2023-10-01",
        "uas-statement-2023": "2023-10-25",
        "gcap-treaty-2023": "2023-12-14",
        "gcap-diet-2024": "2024-06-05",
    }
    assert {event: dates[event] for event in expected} == expected
    assert dates.str[:4].between("1967", "2026").all()


def test_the_orders_of_fighters_are_those_of_the_table_of_orders():
    orders = load("fighter_orders").query("vintage == '2026-05' and recipient == 'Japan'")
    facts = table("programs").query("program == 'F-35 (Japan)' and source_publisher == 'SIPRI'").set_index("attribute")
    ordered, delivered = (orders.groupby("designation")[column].sum() for column in ("ordered", "delivered"))
    assert facts.loc["quantity", "value"].startswith(f"{ordered.sum()} ordered")
    for order in orders.itertuples():
        assert f"{order.ordered} {order.designation} in {order.order_year}" in facts.loc["quantity", "value"]
    assert facts.loc["status", "value"].startswith(f"{delivered.sum()} delivered")
    for designation, number in delivered.items():
        assert f"{number} {designation}" in facts.loc["status", "value"]
