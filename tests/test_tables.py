"""The tables: schema, hashes, invariants, and that they can be rebuilt from their sources."""

from itertools import pairwise
from pathlib import Path

import frictionless
import pandas as pd
import pytest

from companion import load
from companion.errors import CompanionError
from companion.files import whole
from companion.files.inputs import watching
from companion.files.sheets import is_formula
from companion.settings import root
from companion.sources import SourceError, walk
from companion.tables import UnknownTableError, describe, package
from companion.tables.recipes import RECIPES, Built
from companion.tables.recipes.states import exports
from companion.tables.recipes.uas import CATEGORIES
from companion.tables.refresh import Left, build_tables, refresh

# Records that this book compiles itself: the table is the record, so it is its own source.
COMPILED = {"claim_sources", "claims", "policy_timeline", "programs"}
DELIVERIES_2022 = "vintage == '2022-08' and 2000 <= year <= 2021"


def test_the_data_package_is_valid():
    report = frictionless.validate(str(root() / "data" / "datapackage.json"))
    assert report.valid, report.flatten(["title", "rowNumber", "fieldName", "note"])


def test_every_table_is_described_and_every_description_has_its_table():
    described = {resource["path"] for resource in package()["resources"]}
    assert described == {path.name for path in (root() / "data").glob("*.csv")}
    # The corrections are what the readers work with; run and build times are measured by `make bench`.
    assert {*RECIPES, "build_times", "corrections", "growth", "run_times"} == {
        resource["name"] for resource in package()["resources"]
    }


@pytest.mark.parametrize("resource", package()["resources"], ids=lambda resource: resource["name"])
def test_a_table_says_where_it_comes_from_and_on_what_terms(resource: dict):
    assert resource["sources"]
    assert all(s["title"] and s["path"] and ("version" in s or "accessed" in s) for s in resource["sources"])
    assert resource["terms"]
    assert resource["processing"]
    assert all(field["title"] and field["description"] for field in resource["schema"]["fields"])


def test_every_table_is_rebuilt_byte_for_byte_from_its_sources(sources: Path):
    tables = build_tables(sources)
    assert {name for name, built in tables.items() if isinstance(built, Left)} == COMPILED
    records = [file for file in walk(root() / "data") if not file.name.startswith("released/")]
    for name, built in (tables | {name: RECIPES[name](records) for name in COMPILED}).items():
        assert isinstance(built, Built), f"no upstream file for {name}"
        assert built.csv == (root() / "data" / describe(name)["path"]).read_bytes(), name
        if built.sources:
            assert built.sources == describe(name)["sources"]


def test_no_cell_of_a_table_is_a_formula_for_a_spreadsheet():
    for resource in package()["resources"]:
        for name, column in load(resource["name"]).items():
            assert not column.map(is_formula).any(), (resource["name"], name)


def test_the_report_s_figure_has_the_known_totals():
    deliveries = load("uas_deliveries")
    report = deliveries.query(DELIVERIES_2022)
    assert report["units"].sum() == 2877
    assert report["supplier"].nunique() == 17
    assert deliveries.query("vintage == '2024-04' and 2000 <= year <= 2021")["units"].sum() == 2941


def test_the_composite_vintage_joins_two_exports_without_overlap():
    years = load("uas_deliveries").query("vintage == '2022-08'").groupby("exported")["year"].agg(["min", "max"])
    assert years.to_dict("index") == {
        "2020-03-09": {"min": 2000, "max": 2009},
        "2022-08-01": {"min": 2010, "max": 2021},
    }


def test_no_armed_unit_is_lost_to_a_second_spelling_of_its_label():
    armed = load("uas_deliveries").query("exported == '2022-08-01' and vintage == '2022-08' and label == 'armed uav'")
    assert armed["units"].sum() == 353


# Orders for which SIPRI decided on another type, or on several: revisions, and no names.
REVISED = {
    ("China", "Indonesia", 2017): "Wing Loong-1, then CH-4",
    ("United States", "India", 2020): "RQ-1 Predator, then MQ-9 Reaper",
    ("United States", "Ukraine", 2022): "Phoenix Ghost, then four types of that name with other numbers",
}


def test_no_two_states_name_a_deal_s_type_differently_without_a_correction(sources: Path):
    """All orders of all states are compared, by supplier, recipient, and year of order.

    Where one state has a type that the next lacks, and the other way round, a name has changed or SIPRI has revised it.
    """
    states: dict[str, dict[tuple[str, str, int], set[str]]] = {}
    for _, export in exports(walk(sources)):
        if export.complete:
            of_state = states.setdefault(export.vintage, {})
            rows = export.deliveries[export.deliveries["label"].isin(CATEGORIES) & (export.deliveries["year"] >= 2000)]
            for order, names in rows.groupby(["supplier", "recipient", "order_year"])["designation"]:
                of_state.setdefault(order, set()).update(names)
    found = set()
    for (_, before), (_, after) in pairwise(sorted(states.items())):
        both = before.keys() & after.keys()
        found |= {order for order in both if before[order] - after[order] and after[order] - before[order]}
    assert found == set(REVISED)


def test_parts_of_a_count_do_not_exceed_it():
    deliveries = load("uas_deliveries")
    assert (deliveries["units_estimated"] <= deliveries["units"]).all()
    assert (deliveries["units_local_production"].fillna(0) <= deliveries["units"]).all()


def test_exact_years_have_whole_numbers_and_trade_registers_no_local_production():
    deliveries = load("uas_deliveries")
    exact = deliveries.query("year_method == 'exact'")
    assert (exact["units"] % 1 == 0).all()
    assert deliveries.query("vintage > '2024-04'")["units_local_production"].isna().all()
    assert deliveries.query("vintage <= '2024-04'")["units_local_production"].notna().all()


def test_the_table_holds_far_less_than_a_tenth_of_the_register():
    """SIPRI's terms allow less than 10 percent of a data set; an export has about 30,000 orders."""
    assert load("uas_deliveries").groupby("vintage").size().max() < 600


def test_the_consensus_of_uas_groups_is_what_most_sources_say():
    groups = load("uas_groups")
    for limit in ("weight_max_lb", "altitude_max_ft", "airspeed_max_kn"):
        for group, rows in groups.groupby("group"):
            consensus = rows.query("source_id == 'consensus'")[limit].item()
            said = rows.query("source_id != 'consensus'")[limit].dropna()
            assert pd.isna(consensus) if said.empty else consensus == said.mode()[0], (group, limit)


def test_a_table_that_was_loaded_is_loaded_as_it_is_now_and_noted_again(copy_of_project: Path, monkeypatch):
    monkeypatch.chdir(copy_of_project)
    table, description = (copy_of_project / "data" / name for name in ("gdp.csv", "datapackage.json"))
    rows = load("gdp")
    rows.loc[:, "year"] = 1900  # the reader's own copy
    with watching(copy_of_project) as reads:
        assert load("gdp")["year"].min() > 1900
    assert reads == {"data/gdp.csv", "data/datapackage.json#gdp"}
    first, _, rest = table.read_text(encoding="utf-8").partition("\n")
    table.write_text(f"{first}\n{rest.partition(chr(10))[2]}", encoding="utf-8")
    assert len(load("gdp")) == len(rows) - 1
    whole.write(description, description.read_text(encoding="utf-8").replace('"name": "gdp"', '"name": "gpd"'))
    with pytest.raises(UnknownTableError, match="Did you mean 'gpd'"):
        load("gdp")


def test_an_unknown_table_is_answered_with_the_nearest_name():
    with pytest.raises(CompanionError, match=r"^No table 'uas_delivery'\. Did you mean 'uas_deliveries'"):
        load("uas_delivery")


def test_a_refresh_without_upstream_files_leaves_every_table(
    copy_of_project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(copy_of_project)
    before = {path: path.read_bytes() for path in (root() / "data").iterdir() if path.is_file()}
    assert root() == copy_of_project
    with pytest.raises(SourceError, match="empty holds no upstream file"):
        refresh(tmp_path / "empty")
    assert before == {path: path.read_bytes() for path in (root() / "data").iterdir() if path.is_file()}


def test_a_missing_folder_is_named():
    with pytest.raises(SourceError, match="not-there is not a folder"):
        refresh(Path("not-there"))
