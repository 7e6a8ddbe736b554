"""Sentences follow the data: with other states of a database, each says what that data shows."""

import re
import shutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import frictionless
import nbformat
import pandas as pd
import pytest
from conftest import ROOT, edit, run, run_in_this_process

from companion import settings
from companion.chapters import states
from companion.chapters.execution import CODE, execute
from companion.chapters.facts import Facts, filled, recorded
from companion.chapters.notebooks import exhibits_of
from companion.chapters.record import record
from companion.exhibits.form import PUBLISHED
from companion.prose import ORDINALS, about, month
from companion.sources import SourceError, sipri
from companion.tables import refresh
from companion.tables.recipes import Built
from companion.tables.recipes import states as recipe_states

US = "United States"
LATER = "2026-07"
# The chapters that tell of states of SIPRI's arms database, and those that tell of releases of military spending.
STATES = ["uas/exporters", "uas/roles", "uas/replicator", "uas/cca", "industry/partnerships"]
RELEASES = ["introduction", "industry/overview", "industry/revitalizing", "insights"]


def later(rows: pd.DataFrame, state: str) -> pd.DataFrame:
    """The rows of a state under a later date."""
    return rows[rows["vintage"] == state].assign(vintage=LATER, exported=f"{LATER}-14")


def without_us(rows: pd.DataFrame) -> pd.DataFrame:
    new = later(rows, "2026-05")
    return new[new["supplier"] != US] if "supplier" in new else new


def changed(rows: pd.DataFrame) -> pd.DataFrame:
    """Fewer American units, firm numbers, more armed aircraft than planned, much reconnaissance in the last year."""
    new = later(rows, "2026-05")
    if "supplier" not in new:
        return new.assign(delivered=new["delivered"].mask(new["recipient"] == "Italy", new["delivered"] + 30))
    new = new[(new["supplier"] != US) | ~new["designation"].str.contains("Shadow")].copy()
    new.loc[new["designation"] == "Phoenix Ghost Atlas", "units_estimated"] = 0.0
    new.loc[(new["supplier"] == "China") & (new["category"] == "armed") & (new["year"] == 2025), "units"] += 900
    place = new.index[(new["category"] == "reconnaissance") & (new["year"] == 2025)][0]
    new.loc[place, "units"] += 90_000
    return new


VARIANTS = {
    "the same numbers": lambda rows: later(rows, "2026-05"),
    "older numbers": lambda rows: later(rows, "2025-03"),
    "without the United States": without_us,
    "a real change": changed,
}
SAYS_LEAST = "the same numbers"  # so it is left to `make test-all`
LATER_RELEASE = "a later release"


class Variant:
    """A copy of the book with another newest state: its tables, and what its chapters say."""

    def __init__(self, name: str, book: Path) -> None:
        tables = {table: pd.read_csv(ROOT / "data" / f"{table}.csv") for table in ("uas_deliveries", "fighter_orders")}
        added = {table: VARIANTS[name](rows).convert_dtypes() for table, rows in tables.items()}
        source = [sipri.source(f"{LATER}-14", LATER)]
        refresh.replace({table: Built(rows, sources=source, adds_to="vintage") for table, rows in added.items()})
        self.deliveries, self.orders = (pd.concat([tables[table], added[table]]) for table in tables)
        self.read(book, STATES)

    def read(self, book: Path, pages: list[str]) -> None:
        """Run chapters and keep what they say."""
        chapters = {page: book / "chapters" / f"{page}.md" for page in pages}
        runs = execute(book, chapters.values(), lambda _: None)
        self.facts, self.exhibits, self.text = {}, {}, {}
        for page, path in chapters.items():
            outputs = [output for cell in runs[path.resolve()].outputs for output in cell]
            cell = nbformat.v4.new_code_cell(outputs=[nbformat.from_dict(output) for output in outputs])
            self.facts[page] = Facts.among(outputs)
            self.exhibits |= {e.id: e for e in exhibits_of(nbformat.v4.new_notebook(cells=[cell]))}
            self.text[page] = " ".join(
                filled(
                    CODE.sub("", path.read_text(encoding="utf-8")), self.facts[page], lambda page: recorded(page, book)
                ).split()
            )

    def units(self, state: str, question: str = "2000 <= year <= 2021") -> float:
        return self.deliveries.query("vintage == @state").query(question)["units"].sum()

    def place(self, state: str) -> int | None:
        """The rank of the United States in the report's years, counted here and not by the chapter."""
        rows = self.deliveries.query("vintage == @state and 2000 <= year <= 2021")
        sums = {name: round(sum(part["units"]), 1) for name, part in rows.groupby("supplier")}
        return 1 + sum(of > sums[US] for of in sums.values()) if US in sums else None


class LaterRelease(Variant):
    """A copy of the book with another release of military spending: a year more, and a revised 2022."""

    def __init__(self, book: Path) -> None:
        rows = pd.read_csv(ROOT / "data" / "military_spending.csv")
        new = rows[rows["release"] == 2025].assign(release=2026)
        money = [column for column in new if column.endswith("_million")]
        new.loc[new["year"] == 2022, money] *= 1.25
        new = pd.concat([new, new[new["year"] == 2024].assign(year=2025)])
        source = [{"title": "Invented", "path": "https://example.org", "version": "release of 2026", "vintage": "2026"}]
        refresh.replace({"military_spending": Built(new.convert_dtypes(), sources=source, adds_to="release")})
        self.spending = pd.concat([rows, new]).query("country == 'Japan'").set_index(["release", "year"])
        self.read(book, RELEASES)


@pytest.fixture(scope="module")
def another_state(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Variant]:
    """Gives a copy of the book with another newest state, made when it is first asked for."""
    book = tmp_path_factory.mktemp("states")
    for part in ("chapters", "data", "tests/expected"):
        shutil.copytree(ROOT / part, book / part)
    for name in ("_toc.yml", "requirements.txt", "CITATION.cff"):
        shutil.copy(ROOT / name, book)

    @cache
    def make(name: str) -> Variant:
        shutil.copytree(ROOT / "data", book / "data", dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            import_module("altair")  # once, and not in each of the workers that are forked from here
            run_in_this_process(patch)
            patch.setattr(refresh, "_check", lambda *_: None)  # the schema is no matter here
            patch.chdir(book)
            for setting, value in settings.PUBLIC.items():
                patch.setenv(setting, value)
            return LaterRelease(book) if name == LATER_RELEASE else Variant(name, book)

    return make


RUNS_STATES = pytest.mark.runs(*STATES)
SLOW = {SAYS_LEAST: [pytest.mark.slow]}


@pytest.fixture(params=[pytest.param(name, marks=[RUNS_STATES, *SLOW.get(name, [])]) for name in VARIANTS])
def variant(request: pytest.FixtureRequest, another_state: Callable[[str], Variant]) -> Variant:
    return another_state(request.param)


FULL = ["2022-08", "2024-04", "2024-10", "2025-03", "2026-02", "2026-05", LATER]


def test_the_title_of_ranks_names_the_state_in_which_the_rank_changed(variant: Variant):
    places = [variant.place(state) for state in FULL]
    since = next(i for i in reversed(range(1, len(places))) if places[i] != places[i - 1])
    title = variant.exhibits["uas-ranks"].title
    assert month(FULL[since]) in title
    was, now = (ORDINALS[place] if place else "not listed" for place in places[since - 1 : since + 1])
    assert was != now
    if None in places[since - 1 : since + 1]:
        assert title.endswith(f"is {now} in SIPRI’s export of {month(FULL[since])}, and {was} in the one before")
    else:
        verb = "rose" if places[since] < places[since - 1] else "fell"
        assert f"United States {verb} from {was} to {now} in" in title
    assert f"of {month(LATER)} the United States is {now}, not {was}." in variant.facts["uas/exporters"].rank_point
    if now != "not listed":
        units = variant.units(LATER, f"2000 <= year <= 2021 and supplier == '{US}'")
        assert f"{now} with {units:,.0f} in {LATER}" in variant.exhibits["uas-ranks"].alt
    else:
        assert f"not listed in {LATER}." in variant.exhibits["uas-ranks"].alt


def test_the_title_of_totals_tells_the_last_moves(variant: Variant):
    all_states = ["2019-03", "2020-03", *FULL]
    counts = [int(f"{variant.units(state, '2000 <= year <= 2018'):.0f}") for state in all_states]
    since = next(i for i in reversed(range(1, len(counts))) if counts[i] != counts[i - 1])
    verb = "rose" if counts[since] > counts[since - 1] else "fell"
    title = variant.exhibits["uas-vintage-totals"].title
    assert title.endswith(f"{verb} to {counts[since]:,} in {month(all_states[since])}")
    assert len(set(re.findall(r"(?:rose|fell) to ([\d,]+)", title))) == 2


def test_the_ranking_is_said_to_move_where_it_moves(variant: Variant):
    def top(state: str) -> list[str]:
        rows = variant.deliveries.query("vintage == @state and 2000 <= year <= 2021")
        return list(rows.groupby("supplier")["units"].sum().sort_values(ascending=False).index[:5])

    moves = [new for old, new in pairwise(FULL) if top(old) != top(new)]
    said = variant.facts["uas/exporters"].ranking_moved
    assert [month(state) for state in moves] == re.findall(r"[A-Z][a-z]+ 20\d\d", said) or moves == [LATER]
    assert ("only in the last" in said) == (moves == [LATER])


def test_what_is_called_newest_is_computed_from_the_newest(variant: Variant):
    rows = variant.exhibits["uas-counting-choices"].rows
    row = next(row for row in rows if row["choice"].startswith("Newest export, July 2026"))
    assert row["units"] == pytest.approx(variant.units(LATER))
    assert row["us_rank"] == variant.place(LATER)
    assert variant.exhibits["uas-counting-choices"].sources[-1]["version"] == f"{LATER}-14"


def test_the_traced_change_is_that_of_the_named_exports(variant: Variant):
    american = f"2000 <= year <= 2021 and supplier == '{US}'"
    fall = variant.units("2025-03", american) - variant.units("2026-05", american)
    names = ["ScanEagle", "RQ-21 Blackjack"]
    assert variant.units("2025-03", f"{american} and designation in {names}") == pytest.approx(fall)
    assert variant.exhibits["uas-american-types"].title.endswith("explain the whole fall of the U.S. count")
    assert "The change of May 2026 can be traced to single types." in variant.text["uas/exporters"]


def weapons_share(variant: Variant, year: int) -> float:
    weapons = variant.units(LATER, f"year == {year} and category != 'reconnaissance'")
    return 100 * weapons / variant.units(LATER, f"year == {year}")


def test_weapons_outnumber_reconnaissance_since_the_year_that_is_named(variant: Variant):
    last = int(variant.deliveries.query("vintage == @LATER")["year"].max())
    more = [year for year in range(2000, last + 1) if weapons_share(variant, year) > 50]
    title = variant.exhibits["uas-weapons-share"].title
    if last in more:
        since = next(year for year in reversed(range(2000, last + 1)) if year - 1 not in more)
        assert title.endswith(f" weapons outnumber reconnaissance aircraft in every year since {since}")
        assert (
            f"of July 2026 counts more weapons than reconnaissance aircraft in every year since {since}."
            in (variant.text["uas/roles"])
        )
    else:
        assert title.endswith(f" weapons do not outnumber reconnaissance aircraft in {last}")
    assert f"{weapons_share(variant, last):.1f}" in variant.exhibits["uas-weapons-share"].alt
    below = [year for year in range(2015, last + 1) if year not in more]
    assert ("the newest stays above" in variant.text["uas/roles"]) == (not below)
    assert all(str(year) in variant.facts["uas/roles"].overtaking for year in below)


def test_light_types_are_said_to_be_left_out_where_they_are(variant: Variant):
    left_out = variant.units(LATER, "designation == 'ScanEagle'") == 0
    assert ("leaves out" in variant.exhibits["uas-weapons-share"].note) == left_out
    fewer = variant.units("2022-08", "category == 'reconnaissance' and year <= 2021")
    fewer -= variant.units(LATER, "category == 'reconnaissance' and year <= 2021")
    said = f"{abs(fewer):,.0f} {'fewer' if fewer > 0 else 'more'} reconnaissance aircraft"
    assert said in variant.text["uas/roles"]


def test_one_way_weapons_are_shared_out_as_they_are(variant: Variant):
    one_way = "category == 'one-way attack' and year >= 2022"
    total, american, shahed = (
        variant.units(LATER, f"{one_way}{more}")
        for more in ("", f" and supplier == '{US}'", " and designation == 'Shahed-136'")
    )
    exhibit = variant.exhibits["uas-one-way"]
    assert f"{100 * (american + shahed) / total:.0f} percent of the one-way weapons" in exhibit.title
    assert ("U.S. types" in exhibit.title) == (american > 0)
    assert f"{100 * american / total:.0f} percent of the later ones are American" in variant.text["uas/roles"]
    rows = variant.deliveries.query("vintage == @LATER").query(one_way)
    all_estimated = (rows["units"] == rows["units_estimated"]).all()
    assert ("All these numbers are estimates" in exhibit.alt) == all_estimated
    assert ("all of them are SIPRI’s estimates" in variant.text["uas/roles"]) == all_estimated


def test_the_american_page_names_the_export_that_it_counts(variant: Variant):
    has_us = variant.place(LATER) is not None
    state = LATER if has_us else "2026-05"
    exhibit = variant.exhibits["uas-american-since"]
    assert f"SIPRI export of {month(state)}" in exhibit.subtitle
    question = f"supplier == '{US}' and year >= 2022"
    returning = variant.units(state, f"{question} and category != 'one-way attack'")
    assert f"All but {returning:,.0f} of {variant.units(state, question):,.0f} recent" in exhibit.title
    assert ("in the newest export of the Stockholm" in variant.text["uas/replicator"]) == has_us


def test_the_plan_is_set_beside_the_deliveries(variant: Variant):
    armed = variant.units(LATER, "category == 'armed'")
    words = "would outnumber the" if armed < 1000 else "would be fewer than the"
    assert f"CCA {words} {armed:,.0f} armed" in variant.exhibits["uas-cca-scale"].title
    assert ("That is more than all" in variant.text["uas/cca"]) == (armed < 1000)


def test_japan_s_rank_by_f35_deliveries(variant: Variant):
    def rank(state: str, count: str) -> int:
        sums = variant.orders.query("vintage == @state").groupby("recipient")[count].sum()
        return 1 + int((sums > sums["Japan"]).sum())

    ranks = [rank(state, "delivered") for state in FULL[1:]]
    said, text = variant.facts["industry/partnerships"], variant.text["industry/partnerships"]
    turns = [i for i in range(len(ranks)) if not i or ranks[i] != ranks[i - 1]]
    told = [f"{ORDINALS[ranks[i]]} in {month(FULL[1:][i])}" for i in turns]
    assert all(words in said.f35_by_deliveries for words in told)
    assert said.f35_by_deliveries.count(" in ") == len(told)
    equal = states.equal_states(variant.orders, ["recipient"], "delivered")
    assert "March 2025 and February 2026" in equal or "March 2025, February 2026, and July 2026" in equal
    assert f"deliveries are the same in these states: {equal}." in text
    views = variant.exhibits["f35-orders"].views()
    assert [*views] == [PUBLISHED, *sorted(variant.orders["vintage"].unique(), reverse=True)[1:]]
    told_then = f"Japan is {ORDINALS[rank('2022-08', 'delivered')]}"
    assert told_then in views["2022-08"].title
    assert said.f35_order_rank == ORDINALS[rank(LATER, "ordered")]
    japan = variant.orders.query("recipient == 'Japan'").groupby("vintage")["delivered"].sum()
    between = f"Between the registers of {month('2026-02')} and {month('2026-05')} Japan’s deliveries grew by"
    assert f"{between} {japan['2026-05'] - japan['2026-02']}," in text


@pytest.mark.runs(*RELEASES)
def test_a_later_release_is_the_newest_on_every_page(another_state: Callable[[str], Variant]):
    said = another_state(LATER_RELEASE)
    yen = said.spending["local_currency_million"]
    rose = [yen[release, 2022] > yen[release, 2021] for release in (2024, 2026)]
    assert rose == [True, True]
    title = said.exhibits["budget-japan-releases"].title
    assert title == "Japan’s spending rose in 2022 in the releases of 2024 and of 2026"
    higher = yen[2026, 2022] / yen[2024, 2022] - 1
    assert f"For 2022 the newer release is {100 * higher:.1f} percent higher" in said.text["introduction"]
    assert "in three years to 2025, at constant prices" in said.text["introduction"]
    fiscal = said.spending["local_currency_fiscal_million"] / 1e6
    assert said.exhibits["budget-yen"].title.endswith(f"rose to {fiscal[2026, 2025]:.1f} trillion")
    agreed = max(year for year in range(1990, 2024) if fiscal[2024, year] == fiscal[2026, year])
    assert f"From FY{agreed}, the last year up to which both agree" in said.text["industry/revitalizing"]
    share = said.spending["gdp_share_percent"]
    assert f"reaches {share[2026, 2025]:.2f} in 2025." in said.exhibits["industry-one-percent"].alt
    assert "Lines for 4 releases." in said.exhibits["industry-one-percent-releases"].alt


def test_nothing_moves_from_a_value_to_itself(variant: Variant):
    told = " ".join(f"{e.title}. {e.alt} {e.note}" for e in variant.exhibits.values())
    told += " ".join(variant.text.values()) + " ".join(str(vars(facts)) for facts in variant.facts.values())
    for one, other in re.findall(
        r"\b(?:from|rose to|fell to|is) ([\w.,-]*\w),? (?:to|then (?:rose|fell) to|not) ([\w.,-]*\w)", told
    ):
        assert one != other, (one, other)
    assert not re.findall(r".{30}(?:\bnan\b|<NA>|\bNone\b(?! of)|level with none|none explain)", told)


def test_a_renamed_supplier_is_refused_with_the_place_to_name_it():
    rows = later(pd.read_csv(ROOT / "data" / "uas_deliveries.csv"), "2026-05")
    renamed = rows.replace({"supplier": {US: "United States of America"}})
    doubt = recipe_states.renamed(renamed, "uas_deliveries", "supplier", "units")[LATER]
    assert "United States is gone, and United States of America has its types" in doubt
    assert doubt.endswith("say so in data/corrections.csv")
    plan = refresh.plan("uas_deliveries", Built(renamed, adds_to="vintage", doubts={LATER: doubt}))
    assert f"uas_deliveries@{LATER}" in refresh.objections("uas_deliveries", plan, [])
    gone = recipe_states.renamed(rows[rows["supplier"] != US], "uas_deliveries", "supplier", "units")
    assert gone[LATER].startswith("United States is gone. If")
    assert LATER not in recipe_states.renamed(rows, "uas_deliveries", "supplier", "units")


def test_a_table_corrected_by_hand_is_refused_and_then_accepted(copy_of_project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(copy_of_project)
    table = copy_of_project / "data" / "defense_budget_japan.csv"
    before = (copy_of_project / "data" / "datapackage.json").read_bytes()
    reference = copy_of_project / "tests" / "expected" / "chapters" / "uas" / "exporters.ipynb"
    reference.write_text("{}")
    row = table.read_text(encoding="utf-8").splitlines()[1]
    edit(table, (row, row.replace("202", "203", 1)))
    with pytest.raises(SourceError, match="make data ACCEPT=defense_budget_japan"):
        record(lambda _: None)
    assert reference.read_text() == "{}"
    done = run(copy_of_project, "python", "-m", "companion", "data", "--accept", "defense_budget_japan")
    assert done.returncode == 0, done.stderr
    assert "defense_budget_japan: accepted" in done.stdout
    assert frictionless.validate(str(copy_of_project / "data" / "datapackage.json")).valid
    assert (copy_of_project / "data" / "datapackage.json").read_bytes() != before
    edit(table, (row.replace("202", "203", 1), row.replace("202", "two", 1)))
    with pytest.raises(SourceError, match=r"data/defense_budget_japan.csv, row 2, column fiscal_year"):
        refresh.accept(["defense_budget_japan"])


def test_changes_are_found_and_told():
    assert states.changed_in({"a": 1, "b": 2, "c": 2}) == states.Change("a", "b", 1, 2)
    assert states.changed_in({"a": 1, "b": 1}) is None
    assert states.course({"2020-01": 5, "2020-02": 5}) == "is 5 in each of two exports"
    assert states.course({"2020-01": 5, "2020-02": 7, "2020-03": 9}) == "rose to 9 in March 2020"
    same = {"2020-01": 2, "2020-02": 2}
    assert states.rank_title("the United States", same) == "The United States is second in each of SIPRI’s two exports"
    assert "does not depend on when you ask" in states.rank_point("Poland", same)
    assert states.ranking_moved({"a": ("x",), "b": ("x",)}) == "The ranking is the same in all of these exports."
    assert states.since_when({2000: True, 2001: False, 2002: True}) == 2002
    assert states.since_when({2000: True, 2001: False}) is None
    assert states.years_told([2000, 2004, 2014, 2015]) == "2000, 2004, and 2014 to 2015"
    assert states.two_releases("It", 2022, {2024: 1, 2026: 2}) == "It rose in 2022 in the releases of 2024 and of 2026"
    assert states.two_releases("it", 2022, {2024: 1, 2026: -2}) == (
        "In the release of 2024 it rose in 2022; in that of 2026 it fell"
    )
    assert states.part_of(3, 4) == "75 percent of the"
    assert states.part_of(0.1 + 0.2, 0.3) == "the whole"
    ranks = {"2024-04": 2, "2024-10": 2, "2025-03": 4, "2026-05": 2}
    assert states.by_states(ranks) == "second in April 2024, fourth in March 2025, and second in May 2026"
    assert [about(number) for number in (16333.5, 998.4, 41.2)] == ["about 16,300", "about 998", "about 41"]


def test_states_with_equal_counts_are_found():
    rows = pd.DataFrame({"vintage": ["2025-03", "2026-02", "2026-05"], "kind": "a", "n": [2, 2, 3]})
    assert states.equal_states(rows, ["kind"], "n") == "March 2025 and February 2026"
    assert states.equal_states(rows[1:], ["kind"], "n") == "none"
    deliveries = pd.read_csv(ROOT / "data" / "uas_deliveries.csv")
    assert states.equal_states(deliveries, ["supplier", "designation", "year"], "units") == (
        "March 2025 and February 2026"
    )
