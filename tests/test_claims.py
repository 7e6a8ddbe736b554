"""The claims: how a verdict follows, what a card says, and that table, cards, and ledger agree."""

import csv
import gzip
import html as markup
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, build, copy_project, open_page, run, wait_until
from playwright.sync_api import Browser, Locator, Page
from test_chapters import REPORT, runs
from test_context import record

from companion import cards, claim, load, settings
from companion.book.ledger import OPEN, ORDER, WORDS, claims_csv, outcomes
from companion.book.nodes import TEMPLATES
from companion.chapters.execution import execute
from companion.chapters.notebooks import chapter_paths, expected_path
from companion.claims.claim import ClaimTurnedError
from companion.claims.form import CLAIM_MIME, Claim
from companion.claims.verdicts import computed_verdict
from companion.files.sheets import is_formula
from companion.report import DOUBTED, GRADES, INSIGHTS, KINDS, UNTESTED, VERDICTS
from companion.sources import SourceError, compiled
from companion.tables.recipes import context

CLAIM = {
    "claim_id": "C901",
    "section": "A section",
    "chapter": "index",
    "statement": "Something was 10.",
    "kind": "computed",
    "stated": "10",
    "comparison": "about",
    "event": "",
    "stated_value": "10",
    "unit": "units",
    "period": "",
    "tolerance": "1",
    "refined_within": "",
    "otherwise": "contradicted",
    "verdict": "confirmed",
    "finding": "It was so.",
    "certainty": "low",
    "since": "",
    "insights": "Policy 1; Industrial 2",
}
BLANK = dict.fromkeys(["comparison", "stated_value", "unit", "tolerance", "otherwise", "certainty"], "")
SOURCED = CLAIM | BLANK | {"claim_id": "C902", "kind": "sourced", "stated": "", "insights": ""}
DATED = CLAIM | {"claim_id": "C904", "comparison": "dated", "event": "a-test-1999", "period": "1999-08"}
DATED |= dict.fromkeys(["stated_value", "unit", "tolerance"], "") | {"chapter": "other"}
UNTESTABLE = SOURCED | {"claim_id": "C903", "kind": "not testable", "verdict": "not testable"}
SOURCE = {
    "claim_id": "C902",
    "source_no": "1",
    "title": "A <page>",
    "publisher": "A publisher",
    "url": "https://example.org/?a&b",
    "source_grade": "B",
    "note": "",
}
LEDGER = "chapters/evidence/claims.html"
ARGUMENT = "chapters/evidence/argument.html"


def rule(comparison: str, stated: float | None = 10, **more: Any) -> dict[str, Any]:
    empty = {"unit": None, "tolerance": None, "refined_within": None, "otherwise": "contradicted"}
    return empty | {"comparison": comparison, "stated_value": stated} | more


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Invented claims in place of the book's; verdicts are shown, not checked."""
    claims, sources = record(CLAIM, {}, SOURCED, UNTESTABLE, DATED), record(SOURCE, {})
    tables = {"claims": compiled.claims(claims, sources), "claim_sources": compiled.claim_sources(sources)}
    tables["policy_timeline"] = pd.DataFrame(
        {"event_id": "a-test-1999", "date": ["1999-08-28", "2001"], "used": [True, False]}
    )
    monkeypatch.setattr("companion.claims.claim.load", tables.__getitem__)
    monkeypatch.delenv(settings.VERDICTS, raising=False)
    return tables["claims"]


@pytest.mark.parametrize(
    ("comparison", "observed", "confirmed"),
    [
        ("equal", 10, True),
        ("equal", 10.0001, False),
        ("equal", np.int64(10), True),
        ("about", 11, True),
        ("about", 9, True),
        ("about", 11.001, False),
        ("about", 8.999, False),
        ("at least", 10, True),
        ("at least", 9.999, False),
        ("at most", 10, True),
        ("at most", 10.001, False),
        ("more than", 10.001, True),
        ("more than", 10, False),
        ("less than", 9.999, True),
        ("less than", 10, False),
        ("less than", -10, True),
    ],
)
def test_a_number_is_compared_with_the_stated_one(comparison: str, observed: float, confirmed: bool):
    of = rule(comparison, tolerance=1 if comparison == "about" else None)
    assert computed_verdict(of, observed) == ("confirmed" if confirmed else "contradicted")


def test_binary_digits_decide_no_verdict():
    assert computed_verdict(rule("equal", 0.3), 0.1 + 0.2) == "confirmed"
    assert computed_verdict(rule("about", 7.1, tolerance=0.02), 7.12) == "confirmed"
    assert computed_verdict(rule("more than", 0.3), 0.1 + 0.2) == "contradicted"
    assert computed_verdict(rule("equal", 0), 1e-6) == "contradicted"


def test_a_claim_holds_or_not():
    for true, false in ((True, False), (np.True_, np.False_)):
        assert computed_verdict(rule("holds", None, otherwise="inconsistent"), true) == "confirmed"
        assert computed_verdict(rule("holds", None, otherwise="inconsistent"), false) == "inconsistent"


@pytest.mark.parametrize(
    ("observed", "verdict"),
    [(11, "confirmed"), (11.5, "refined"), (15, "refined"), (5, "refined"), (15.01, "inconsistent")],
)
def test_between_the_two_widths_a_claim_is_refined(observed: float, verdict: str):
    assert computed_verdict(rule("about", tolerance=1, refined_within=5, otherwise="inconsistent"), observed) == verdict


@pytest.mark.parametrize(
    ("stated", "date", "verdict"),
    [
        ("1999", "1999-08-28", "confirmed"),
        ("1999-08", "1999-08-28", "confirmed"),
        ("1999-08-28", "1999-08-28", "confirmed"),
        ("1999-08", "1999", "inconsistent"),
        ("1999-08-27", "1999-08-28", "inconsistent"),
        ("1999", "2000-01", "inconsistent"),
    ],
)
def test_the_date_of_an_event_decides(stated: str, date: str, verdict: str):
    assert computed_verdict(rule("dated", None, period=stated, otherwise="inconsistent"), date) == verdict


@pytest.mark.parametrize(("date", "verdict"), [("2000", "refined"), ("1998-01", "refined"), ("2001", "contradicted")])
def test_a_date_some_years_off_can_refine(date: str, verdict: str):
    assert computed_verdict(rule("dated", None, period="1999", refined_within=1), date) == verdict


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("comparison", ["equal", "holds"])
def test_a_missing_value_has_no_verdict(comparison: str, missing: object):
    with pytest.raises(
        ValueError, match=r"observed is missing\. Pass observed=, (True or False|a number to compare with 10)"
    ):
        computed_verdict(rule(comparison), missing)


@pytest.mark.parametrize(
    ("comparison", "observed"),
    [
        *[("equal", value) for value in (True, np.True_, "10", float("inf"), pd.Series([10]))],
        *[("holds", value) for value in (1, 0.0, "yes")],
    ],
)
def test_a_value_of_another_type_has_no_verdict(comparison: str, observed: object):
    with pytest.raises(ValueError, match=rf"does not fit '{comparison}'\. Pass observed="):
        computed_verdict(rule(comparison), observed)


def test_a_dated_claim_needs_no_value(invented: pd.DataFrame):
    shown = claim("C904")
    assert (shown.verdict, shown.shown) == ("confirmed", "28 August 1999")
    assert claim("C904", shown="in summer").shown == "in summer"
    with pytest.raises(ValueError, match="the date of 'a-test-1999' decides it"):
        claim("C904", observed=True, shown="yes")
    invented.loc[invented["claim_id"] == "C904", "event"] = "no-event"
    with pytest.raises(KeyError, match="has no event 'no-event'"):
        claim("C904")


def test_a_chapter_shows_all_its_claims_in_order(invented: pd.DataFrame, monkeypatch: pytest.MonkeyPatch):
    shown: list[Claim] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    cards("index", C901=(10, "ten"))
    assert [(card.id, card.shown) for card in shown] == [("C901", "ten"), ("C902", ""), ("C903", "")]
    with pytest.raises(ValueError, match="Claim 'C901': the verdict is computed and observed is missing"):
        cards("index")
    with pytest.raises(KeyError, match=r"C904: data/claims\.csv has no such claim of 'index'"):
        cards("index", C901=(10, "ten"), C904="in summer")
    with pytest.raises(KeyError, match=r"No claim in data/claims\.csv has its evidence in 'indx'"):
        cards("indx")


def test_a_card_has_all_that_it_shows(invented: pd.DataFrame):
    assert claim("C901", observed=12.5, shown="twelve and a half") == Claim(
        id="C901",
        chapter="index",
        section="A section",
        statement="Something was 10.",
        kind="computed",
        stated="10",
        shown="twelve and a half",
        verdict="contradicted",
        finding="It was so.",
        certainty="low",
        since="",
        insights=["Policy 1", "Industrial 2"],
        sources=[],
    )
    sourced = claim("C902")
    assert (sourced.verdict, sourced.shown, sourced.certainty, sourced.insights) == ("confirmed", "", "", [])
    assert sourced.sources == [
        {name: text for name, text in SOURCE.items() if name not in {"claim_id", "source_no"}},
    ]


def test_certainty_goes_with_a_doubt_alone(invented: pd.DataFrame):
    assert claim("C901", observed=10, shown="ten").certainty == ""


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ({"id": "C91"}, KeyError, "No claim 'C91' in data/claims.csv. Did you mean 'C901'"),
        ({"id": "C901"}, ValueError, "Claim 'C901': the verdict is computed and observed is missing"),
        ({"id": "C901", "observed": 10}, ValueError, "Claim 'C901': shown is empty"),
        ({"id": "C901", "observed": 10, "shown": " "}, ValueError, "Claim 'C901': shown is empty"),
        (
            {"id": "C901", "observed": True, "shown": "yes"},
            ValueError,
            "Pass observed=, a number to compare with 10 units",
        ),
        (
            {"id": "C902", "observed": 10, "shown": "ten"},
            ValueError,
            r"Claim 'C902' is sourced: .* Write claim\('C902'\)",
        ),
        ({"id": "C903", "shown": "ten"}, ValueError, "Claim 'C903' is not testable"),
    ],
)
def test_a_wrong_call_is_answered_with_what_to_write(
    invented: pd.DataFrame, call: dict, error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        claim(**call)


def test_a_turned_verdict_is_an_error_where_verdicts_are_checked(
    invented: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
):
    shown = claim("C901", observed=12, shown="twelve")
    assert shown.verdict == "contradicted"
    monkeypatch.setenv(settings.VERDICTS, settings.CHECKED)
    assert claim("C901", observed=10, shown="ten").verdict == "confirmed"
    message = r"C901 \(Something was 10\.\): the verdict was 'confirmed' and is now 'contradicted'; observed: twelve\."
    with pytest.raises(ClaimTurnedError, match=message):
        claim("C901", observed=12, shown="twelve")
    invented.loc[invented["claim_id"] == "C901", "verdict"] = None
    with pytest.raises(ClaimTurnedError, match="no verdict was recorded and is now 'confirmed'"):
        claim("C901", observed=10, shown="ten")


def test_the_output_of_a_computed_claim_does_not_depend_on_its_recorded_verdict(invented: pd.DataFrame):
    before = claim("C901", observed=10, shown="ten")._repr_mimebundle_()
    invented.loc[invented["claim_id"] == "C901", "verdict"] = "refined"
    assert claim("C901", observed=10, shown="ten")._repr_mimebundle_() == before


def test_a_claim_survives_the_way_through_a_notebook_and_no_output_has_markup(invented: pd.DataFrame):
    evil = "<script>alert('\"&')</script>"
    shown = claim("C902")
    shown = Claim(
        **vars(shown)
        | {"statement": evil, "finding": evil, "stated": evil, "since": evil, "sources": [SOURCE | {"title": evil}]}
    )
    bundle = json.loads(json.dumps(shown._repr_mimebundle_()))
    assert set(bundle) == {CLAIM_MIME, "text/html", "text/plain"}
    assert Claim.from_output(bundle[CLAIM_MIME]) == shown
    assert evil in bundle["text/plain"]
    card = TEMPLATES.get_template("claim.html").render(WORDS, claim=shown, anchor="a", ledger=None)
    for text in (bundle["text/html"], card):
        assert "<script" not in text
        assert markup.unescape(text).count(evil) == 5
        assert 'href="https://example.org/?a&amp;b"' in text


def test_a_download_holds_no_formula():
    card = {"id": "C901", "statement": "=1+1", "insights": ["Policy 1"], "sources": [SOURCE]}
    row = next(csv.DictReader(io.StringIO(claims_csv([card]))))
    assert row == {
        "id": "C901",
        "statement": "'=1+1",
        "insights": "Policy 1",
        "sources": "A <page>, A publisher, https://example.org/?a&b",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claim_id": "c1"}, r"row 2, column 'claim_id': 'c1' is not the number of a claim"),
        ({"section": ""}, r"row 2, column 'section': the cell is empty"),
        ({"chapter": "UAS"}, r"row 2, column 'chapter': 'UAS' is not a page of the book"),
        ({"statement": "a" * 181}, r"row 2, column 'statement': the statement has 181 characters; at most 180"),
        ({"kind": "guessed"}, r"row 2, column 'kind': 'guessed' is none of computed, not testable, sourced"),
        ({"comparison": "like"}, r"row 2, column 'comparison': 'like' is none of about, at least"),
        ({"comparison": ""}, r"row 2, column 'comparison': the cell is empty, and the verdict is computed from it"),
        ({"stated_value": ""}, r"row 2, column 'stated_value': the cell is empty, and"),
        ({"stated_value": "ten"}, r"row 2, column 'stated_value': 'ten' is not a number"),
        ({"stated_value": "nan"}, r"row 2, column 'stated_value': 'nan' is not a possible value"),
        ({"tolerance": ""}, r"row 2, column 'tolerance': the cell is empty, and"),
        ({"tolerance": "-1"}, r"row 2, column 'tolerance': '-1' is not a possible value"),
        ({"comparison": "equal"}, r"row 2, column 'tolerance': 1.0 has no use in a claim that is computed and equal"),
        ({"comparison": "holds"}, r"row 2, column 'stated_value': 10.0 has no use in .* computed and holds"),
        ({"otherwise": ""}, r"row 2, column 'otherwise': the cell is empty, and"),
        ({"otherwise": "confirmed"}, r"row 2, column 'otherwise': 'confirmed' is none of contradicted, inconsistent"),
        ({"verdict": "true"}, r"row 2, column 'verdict': 'true' is none of confirmed, contradicted"),
        ({"verdict": "not testable"}, r"row 2, column 'verdict': 'not testable' is the verdict of .* that kind"),
        ({"verdict": "contradicted", "certainty": ""}, r"row 2, column 'certainty': the cell is empty, and"),
        ({"finding": ""}, r"row 2, column 'finding': the cell is empty"),
        ({"certainty": "sure"}, r"row 2, column 'certainty': 'sure' is none of high, low, medium"),
        ({"otherwise": "refined"}, r"row 2, column 'certainty': 'low' belongs to a claim that is contradicted"),
        ({"insights": "Policy 9"}, r"row 2, column 'insights': 'Policy 9' is none of Policy 1"),
        (
            {"insights": "Policy 1; Policy 1"},
            r"row 2, column 'insights': 'Policy 1' is none of .*, or stands there twice",
        ),
        (SOURCED | {"verdict": ""}, r"row 2, column 'verdict': the cell is empty, and the claim is sourced"),
        (
            SOURCED | {"comparison": "holds"},
            r"row 2, column 'comparison': 'holds' has no use in a claim that is sourced",
        ),
        (SOURCED | {"claim_id": "C909"}, r"row 2, column 'claim_id': the sourced claim 'C909' has no source"),
        (SOURCED | {"certainty": "low"}, r"row 2, column 'certainty': 'low' belongs to a claim"),
        (UNTESTABLE | {"verdict": "refined"}, r"row 2, column 'verdict': 'not testable' is the verdict of"),
        (DATED | {"event": ""}, r"row 2, column 'event': the cell is empty, and the verdict is computed from it"),
        (DATED | {"event": "A test"}, r"row 2, column 'event': 'A test' is not an identifier"),
        (DATED | {"period": "August 1999"}, r"row 2, column 'period': 'August 1999' is not a date"),
        (
            DATED | {"stated_value": "10"},
            r"row 2, column 'stated_value': .* no use in a claim that is computed and dated",
        ),
        (CLAIM | {"event": "x"}, r"row 2, column 'event': 'x' has no use in a claim that is computed and about"),
        (CLAIM | {"claim_id": "C902"}, r"row 3, column 'claim_id': 'C902' stands there twice"),
    ],
)
def test_a_bad_claim_is_refused_with_its_place(change: dict[str, str], message: str):
    with pytest.raises(SourceError, match=rf"record\.csv, {message}"):
        compiled.claims(record(CLAIM, change, SOURCED), record(SOURCE, {}, name="sources.csv"))


def test_only_a_good_source_contradicts():
    doubted = record(SOURCED, {"verdict": "contradicted", "certainty": "high"})
    assert len(compiled.claims(doubted, record(SOURCE, {})))
    with pytest.raises(SourceError, match="'contradicted' needs a source of grade A or B"):
        compiled.claims(doubted, record(SOURCE, {"source_grade": "C"}))


def test_a_claim_that_is_not_tested_needs_no_source():
    assert (
        len(compiled.claims(record(SOURCED, {}, {"claim_id": "C909", "verdict": "not tested"}), record(SOURCE, {})))
        == 2
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{"claim_id": "902"}], r"row 2, column 'claim_id': '902' is not the number of a claim"),
        ([{"source_no": "2"}], r"row 2, column 'source_no': 2 stands where 1 is the next number of C902"),
        ([{}, {}], r"row 3, column 'source_no': 1 stands where 2 is the next number of C902"),
        ([{"title": ""}], r"row 2, column 'title': the cell is empty"),
        ([{"url": "javascript:alert(1)"}], r"row 2, column 'url': 'javascript:alert\(1\)' is not an address"),
        ([{"source_grade": "D"}], r"row 2, column 'source_grade': 'D' is none of A, B, C"),
    ],
)
def test_a_bad_source_of_a_claim_is_refused_with_its_place(changes: list[dict[str, str]], message: str):
    with pytest.raises(SourceError, match=rf"record\.csv, {message}"):
        compiled.claim_sources(record(SOURCE, *changes))


def test_a_source_of_no_claim_and_claims_without_sources_are_refused():
    with pytest.raises(
        SourceError, match=r"sources\.csv, row 2, column 'claim_id': there is no claim 'C902' in record\.csv"
    ):
        compiled.claims(record(CLAIM, {}), record(SOURCE, {}, name="sources.csv"))
    with pytest.raises(SourceError, match=r"record\.csv: claims are read with their sources"):
        context.claims([record(CLAIM, {})])


def test_no_ten_words_in_a_row_are_the_report_s():
    if not REPORT.is_file():
        pytest.skip("the report is not at hand")
    report = REPORT.read_text(encoding="utf-8")
    words = ["claim_id", "statement", "stated", "finding", "since"]
    for row in load("claims")[words].fillna("").itertuples():
        copied = runs(f"{row.statement} {row.stated} {row.finding} {row.since}") & runs(report)
        assert not copied, (row.claim_id, copied)


def cards_of(chapter: Path) -> list[Claim]:
    """The claims among the recorded outputs of a chapter."""
    reference = json.loads(expected_path(chapter).read_text(encoding="utf-8"))
    outputs = [output.get("data", {}) for cell in reference["cells"] for output in cell["outputs"]]
    return [Claim.from_output(output[CLAIM_MIME]) for output in outputs if CLAIM_MIME in output]


def test_every_claim_has_one_card_in_its_chapter_and_its_verdict_is_recorded():
    found = {page: cards_of(page) for page in chapter_paths()}
    pages = [
        (card.id, page.relative_to(ROOT / "chapters").with_suffix("").as_posix())
        for page in found
        for card in found[page]
    ]
    claims = load("claims")
    assert sorted(pages) == sorted(zip(claims["claim_id"], claims["chapter"], strict=True))
    recorded = claims.set_index("claim_id")["verdict"].to_dict()
    assert {card.id: card.verdict for cards in found.values() for card in cards} == recorded, "run `make expected`"


@pytest.mark.usefixtures("warm")
def test_a_changed_table_turns_a_verdict_and_the_check_names_the_claim(
    copy_of_project: Path, monkeypatch: pytest.MonkeyPatch
):
    """The date of one event moves by a month: the card says so, and the test of the chapter fails with the claim."""
    table = copy_of_project / "data" / "policy_timeline.csv"
    text = table.read_text(encoding="utf-8")
    assert "replicator-2023,1,2023-08-28," in text
    table.write_text(text.replace("replicator-2023,1,2023-08-28,", "replicator-2023,1,2023-09-28,"), encoding="utf-8")
    id = "C083"
    row = load("claims").set_index("claim_id").loc[id]
    chapter = Path("chapters", f"{row['chapter']}.md")
    checked = run(copy_of_project, "pytest", str(chapter), "-q")
    assert checked.returncode == 1
    said = re.sub(r"\x1b\[[\d;]*m", "", checked.stdout)
    assert f"ClaimTurnedError: {id} ({row['statement']}): the verdict was 'confirmed' and is now 'refined'" in said
    monkeypatch.delenv(settings.VERDICTS)
    shown = execute(copy_of_project, [copy_of_project / chapter], lambda line: None)
    outputs = [output for cell in shown[copy_of_project / chapter].outputs for output in cell]
    cards = [output["data"][CLAIM_MIME] for output in outputs if CLAIM_MIME in output.get("data", {})]
    assert [card["verdict"] for card in cards if card["id"] == id] == ["refined"]


TINY = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  name: python3
---
# A tiny book

{ref}`A card <claim-c901>`

```{code-cell} ipython3
from companion import claim, load
claim("C901", observed=load("uas_groups")["airspeed_max_kn"].max(), shown="fast")
```

CELLS

```{claim-ledger}
```

## Insights

```{claims-by-insight}
```
"""


def tiny_book(folder: Path, *ids: str) -> Path:
    """A book of one page with invented claims: C901 computed, C902 sourced, C903 not testable, and cards for `ids`."""
    copy_project(folder)
    table = pd.read_csv(folder / "data" / "uas_groups.csv")
    fast = f"{table['airspeed_max_kn'].max():g}"
    for name, content in {
        "claims": record(CLAIM | {"stated_value": fast}, {}, SOURCED, UNTESTABLE).content,
        "claim_sources": record(SOURCE, {}).content,
    }.items():
        (folder / "data" / f"{name}.csv").write_bytes(content)
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n", encoding="utf-8")
    show_cards(folder, *ids)
    return folder


def show_cards(folder: Path, *ids: str) -> None:
    cells = "\n\n".join(f'```{{code-cell}} ipython3\nclaim("{id}")\n```' for id in ids)
    (folder / "chapters" / "index.md").write_text(TINY.replace("CELLS", cells), encoding="utf-8")


def test_the_ledger_follows_the_tables_and_every_claim_needs_one_card(tmp_path: Path):
    book = tiny_book(tmp_path / "book", "C902", "C902")
    result = build(book)
    assert result.returncode == 1
    assert "claim C902 has cards in chapters/index, chapters/index; it needs one" in result.stderr
    assert "claim C903 has no card; it needs one in chapters/index.md" in result.stderr
    show_cards(book, "C902", "C903")
    groups = book / "data" / "uas_groups.csv"
    table = pd.read_csv(groups, dtype=str, keep_default_na=False)
    table.loc[0, "airspeed_max_kn"] = "9999"  # the table of claims says “confirmed”
    table.to_csv(groups, index=False)
    result = build(book)
    assert result.returncode == 0, result.stderr[-3000:]
    page = (book / "_build" / "html" / "chapters" / "index.html").read_text(encoding="utf-8")
    assert 'href="#claim-c901"><span class="std std-ref">A card</span>' in page
    assert re.search(r'<tr id="ledger-c901"[^>]* data-verdict="(\w+)"', page)[1] == "contradicted"


@pytest.fixture(scope="module")
def ledger(html: Path) -> str:
    return (html / LEDGER).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def index(html: Path) -> list[dict]:
    return json.loads((html / "claims" / "index.json").read_text(encoding="utf-8"))


def test_the_index_and_its_table_have_every_claim(html: Path, index: list[dict]):
    assert [entry["id"] for entry in index] == sorted(load("claims")["claim_id"])
    with (html / "claims" / "claims.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [entry["id"] for entry in index]
    assert [row["finding"] for row in rows] == [entry["finding"] for entry in index]
    assert [row["observed"] for row in rows] == [
        f"'{shown}" if is_formula(shown := entry["observed"]) else shown for entry in index
    ]
    assert list(rows[0]) == list(index[0])
    for entry in index:
        assert (entry["observed"] != "") == (entry["kind"] == "computed"), entry["id"]
        assert entry["sources"] or entry["kind"] != "sourced" or entry["verdict"] == "not tested", entry["id"]


def test_card_and_ledger_lead_to_each_other(html: Path, index: list[dict], ledger: str):
    for entry in index:
        page, _, anchor = entry["page"].partition("#")
        text = (html / page).read_text(encoding="utf-8")
        assert text.count(f'id="{anchor}"') == 1, entry["id"]
        card = re.search(rf'(?s)<section class="claim [\w-]+" id="{anchor}">.*?</section>', text)[0]
        assert entry["statement"] in markup.unescape(re.sub(r"<[^>]+>", "", card)), entry["id"]
        assert re.search(rf'href="[^"]*evidence/claims\.html#ledger-{entry["id"].lower()}"', card), entry["id"]
        row = re.search(rf'(?s)<tr id="ledger-{entry["id"].lower()}".*?</tr>', ledger)[0]
        assert f'href="../{page.removeprefix("chapters/")}#{anchor}"' in row, entry["id"]
        cells = markup.unescape(re.sub(r"<[^>]+>", "", row))
        assert all(entry[name] in cells for name in ("statement", "stated", "observed", "verdict", "finding"))


def test_above_its_cards_a_page_says_how_many_statements_hold(html: Path, index: list[dict]):
    for page in {entry["page"].partition("#")[0] for entry in index}:
        verdicts = [entry["verdict"] for entry in index if entry["page"].startswith(page)]
        said = re.search(r'<div class="claims">\s*<p>(.*?)</p>', (html / page).read_text(encoding="utf-8"))[1]
        counts = {
            r"The (\d+) statements below": len(verdicts),
            r"(\d+) holds? as stated": verdicts.count("confirmed"),
            r"(\d+) holds? with another": verdicts.count("refined"),
            r"(\d+) do(?:es)? not hold": sum(verdict in DOUBTED for verdict in verdicts),
            r"(\d+) could not be tested": sum(verdict in UNTESTED for verdict in verdicts),
        }
        if len(verdicts) > 1:
            found = {words: int((re.search(words, said) or ["", 0])[1]) for words in counts}
            assert found == counts, (page, said)


def test_one_statement_and_statements_of_one_kind_are_told_without_a_count():
    one, other = (Claim(id="C901", statement="It is.", verdict=verdict) for verdict in ("contradicted", "confirmed"))
    assert outcomes([one]) == "The statement below is the report’s, in our words: it does not hold."
    assert outcomes([other, other]) == "The 2 statements below are the report’s, in our words: all hold as stated."


def test_the_ledger_counts_its_rows(index: list[dict], ledger: str):
    counts = re.search(r'(?s)<table class="ledger-counts">.*?</table>', ledger)[0]
    cells = [re.findall(r"(?s)<td[^>]*>(.*?)</td>", row) for row in re.findall(r"(?s)<tr>.*?</tr>", counts)[1:]]
    numbers = pd.DataFrame(cells).replace("–", "0").astype(int).to_numpy().tolist()
    expected = [
        [sum(e["verdict"] == verdict and kind in {e["kind"], "all"} for e in index) for kind in [*KINDS, "all"]]
        for verdict in VERDICTS
    ]
    assert numbers == [*expected, [sum(column) for column in zip(*expected, strict=True)]]


def test_every_insight_lists_its_claims(html: Path, index: list[dict]):
    text = (html / ARGUMENT).read_text(encoding="utf-8")
    for insight in INSIGHTS:
        section = re.search(rf'(?s)<section id="{insight.lower().replace(" ", "-")}">.*?</section>', text)[0]
        listed = re.findall(r'#claim-(c\d+)"', section)
        assert sorted(listed) == [entry["id"].lower() for entry in index if insight in entry["insights"]]


def test_the_ledger_is_light(html: Path):
    assert len(gzip.compress((html / LEDGER).read_bytes())) < 120_000
    pages_with_script = [page for page in html.rglob("*.html") if "ledger.js" in page.read_text(encoding="utf-8")]
    assert pages_with_script == [html / LEDGER]


@pytest.fixture
def live(html: Path, browser: Browser) -> Page:
    page, trouble = open_page(browser, (html / LEDGER).as_uri())
    yield page
    assert trouble == []
    page.context.close()


ROWS = ".ledger-table tbody tr:visible"


def in_order(entries: list[dict]) -> list[str]:
    """The ids of claims as the ledger has them first: what does not hold on top."""
    return [entry["id"] for entry in sorted(entries, key=lambda entry: ORDER.index(entry["verdict"]))]


def field(page: Page, label: str) -> Locator:
    return page.locator("#ledger form").get_by_label(label)


def shown_ids(page: Page) -> list[str]:
    return page.locator(f"{ROWS} th").all_inner_texts()


def test_filters_count_what_they_leave(live: Page, index: list[dict]):
    field(live, "Verdict").select_option("confirmed")
    field(live, "Kind").select_option("computed")
    expected = [e["id"] for e in index if e["verdict"] == "confirmed" and e["kind"] == "computed"]
    assert shown_ids(live) == expected
    assert live.locator(".ledger-found").inner_text() == f"{len(expected)} of {len(index)} statements"
    assert live.locator(".ledger-found").get_attribute("aria-live") == "polite"
    section = next(e["section"] for e in index if e["id"] == expected[0])
    field(live, "Section").select_option(section)
    assert shown_ids(live) == [e["id"] for e in index if e["id"] in expected and e["section"] == section]
    field(live, "Section").select_option("")
    field(live, "Kind").select_option("")
    field(live, "Verdict").select_option(label="contradicted or inconsistent")
    assert shown_ids(live) == in_order([e for e in index if e["verdict"] in DOUBTED]) != []
    field(live, "Verdict").select_option("confirmed")
    field(live, "Search").fill(expected[0])
    assert shown_ids(live) == [expected[0]]
    live.get_by_role("button", name="Reset").click()
    wait_until(live, "document.querySelectorAll('.ledger-table tbody tr[hidden]').length === 0")
    assert shown_ids(live) == in_order(index)


def test_columns_sort_both_ways_and_by_keyboard(live: Page, index: list[dict]):
    head = live.locator("#ledger").get_by_role("columnheader", name="Claim")
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown_ids(live) == [entry["id"] for entry in index]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert shown_ids(live) == [entry["id"] for entry in reversed(index)]
    head = live.locator("#ledger").get_by_role("columnheader", name="Verdict")
    head.get_by_role("button").click()
    assert shown_ids(live) == in_order(index)
    assert live.locator("th[aria-sort]").count() == 1
    live.locator("#ledger").get_by_role("columnheader", name="Stated").get_by_role("button").click()
    stated = live.locator(".ledger-table tbody tr td:nth-child(4)").all_inner_texts()
    assert "" not in stated[: sum(text != "" for text in stated)]  # empty cells come last


def test_an_address_keeps_what_is_shown(live: Page, html: Path, browser: Browser):
    field(live, "Kind").select_option("sourced")
    field(live, "Search").fill("japan")
    live.locator("#ledger").get_by_role("columnheader", name="Statement").get_by_role("button").click()
    wait_until(live, "location.hash.includes('words=japan') && location.hash.includes('sort=statement')")
    again, trouble = open_page(browser, live.url)
    assert shown_ids(again) == shown_ids(live) != []
    assert field(again, "Search").input_value() == "japan"
    assert trouble == []
    again.context.close()
    one, trouble = open_page(browser, f"{(html / LEDGER).as_uri()}#ledger-c010")
    assert one.locator("#ledger-c010").evaluate("row => row.matches(':target')")
    assert trouble == []
    one.context.close()


def test_without_javascript_the_ledger_is_a_complete_table(html: Path, browser: Browser, index: list[dict]):
    page, trouble = open_page(browser, (html / LEDGER).as_uri(), java_script_enabled=False)
    assert shown_ids(page) == in_order(index)
    assert not page.locator(".ledger-controls").is_visible()
    assert page.locator(".ledger-table thead").is_visible()
    assert trouble == []
    page.context.close()


def test_in_a_chapter_what_does_not_hold_is_open_and_the_rest_is_folded_under_its_count(
    html: Path, browser: Browser, index: list[dict]
):
    for scripts in (True, False):
        page, trouble = open_page(
            browser, (html / "chapters" / "industry" / "overview.html").as_uri(), java_script_enabled=scripts
        )
        here = [entry for entry in index if entry["page"].startswith("chapters/industry/overview.html")]
        opened = in_order([entry for entry in here if entry["verdict"] in OPEN])
        assert page.locator(".claim:visible .claim-id").all_inner_texts() == opened != []
        confirmed = [entry["id"] for entry in here if entry["verdict"] == "confirmed"]
        fold = page.locator(".claims-fold", has=page.locator("summary", has_text="confirmed"))
        assert f"confirmed: {len(confirmed)} statements." in fold.locator("summary").inner_text()
        fold.locator("summary").press("Enter")
        assert fold.locator(".claim-id").all_inner_texts() == confirmed
        assert all(page.locator(f"#claim-{id.lower()}").is_visible() for id in confirmed)
        grades = {source["source_grade"] for entry in here for source in entry["sources"]}
        legend = page.locator(".claims-legend").inner_text()
        assert all(
            f"{grade}, {word}: {meaning}" in legend for grade, (word, meaning) in GRADES.items() if grade in grades
        )
        assert trouble == []
        page.context.close()


def test_a_link_to_a_folded_card_opens_the_fold(html: Path, browser: Browser, index: list[dict]):
    entry = next(entry for entry in index if entry["verdict"] == "confirmed")
    page, trouble = open_page(browser, f"{html.as_uri()}/{entry['page']}", java_script_enabled=False)
    assert page.locator(f"#claim-{entry['id'].lower()}").is_visible()
    assert trouble == []
    page.context.close()


def looks(page: Page, selector: str) -> tuple[str, ...]:
    """What the edge of the first card or row with a verdict looks like, and its mark."""
    script = """(element) => {
        const edge = getComputedStyle(element, "::before");
        const mark = getComputedStyle(element.querySelector(".verdict"));
        const outer = getComputedStyle(element);
        return [edge.display, edge.backgroundImage, outer.borderTopWidth, outer.borderLeftStyle, mark.backgroundColor,
            mark.borderStyle];
    }"""
    return tuple(page.locator(selector).first.evaluate(script))


@pytest.mark.parametrize("colors", ["light", "dark", "forced", "print"])
def test_a_contradiction_never_looks_like_a_confirmed_date(html: Path, browser: Browser, colors: str):
    page, _ = open_page(
        browser,
        (html / "chapters" / "industry" / "overview.html").as_uri(),
        color_scheme="dark" if colors == "dark" else "light",
        forced_colors="active" if colors == "forced" else "none",
    )
    if colors == "print":
        page.emulate_media(media="print")
        assert page.locator(".claims-fold .claim").first.bounding_box()["height"] > 0, "a fold is open on paper"
    kinds = {verdict: looks(page, f".claim.of-{verdict}") for verdict in ("confirmed", "refined", "contradicted")}
    assert len(set(kinds.values())) == len(kinds), kinds
    page.context.close()


def test_on_a_phone_a_row_is_short_until_it_is_asked_for(html: Path, browser: Browser):
    page, trouble = open_page(browser, (html / LEDGER).as_uri(), 360)
    assert page.evaluate("document.documentElement.scrollHeight") < 25_000
    row = page.locator(ROWS).nth(1)
    section, finding = row.locator("[data-label=Section]"), row.locator(".ledger-finding")
    more = row.get_by_role("button")
    short = finding.bounding_box()["height"]
    assert not section.is_visible()
    more.press("Enter")
    assert section.is_visible()
    assert finding.bounding_box()["height"] > 2 * short
    assert more.get_attribute("aria-expanded") == "true"
    more.click()
    assert not section.is_visible()
    field(page, "Search").fill("japan")
    assert page.locator(f"{ROWS} [data-label=Section]:visible").count() == page.locator(ROWS).count() > 50
    field(page, "Search").fill("")
    page.emulate_media(media="print")
    assert section.is_visible()
    assert not more.is_visible()
    assert trouble == []
    page.context.close()
    for address in ("C021", "ledger-c021"):
        page, _ = open_page(browser, f"{(html / LEDGER).as_uri()}#{address}", 360)
        row = page.locator("#ledger-c021")
        wait_until(page, "document.querySelector('#ledger-c021').matches(':target.is-open')")
        assert row.locator("[data-label=Section]").is_visible()
        assert page.locator(".is-open").count() == 1
        assert 0 <= row.bounding_box()["y"] < 100
        page.context.close()
    page, _ = open_page(browser, (html / LEDGER).as_uri(), 360, java_script_enabled=False)
    assert page.locator(f"{ROWS} [data-label=Section]:visible").count() == page.locator(ROWS).count()
    page.context.close()


def test_on_a_phone_the_insights_are_a_list_that_does_not_scroll(html: Path, browser: Browser):
    page, _ = open_page(browser, (html / ARGUMENT).as_uri(), 360)
    table = page.locator(".insights .exhibit-table")
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
    assert "–" not in table.locator("td:visible").all_inner_texts()
    page.context.close()


def test_on_a_phone_a_row_is_a_card(html: Path, browser: Browser):
    page, _ = open_page(browser, f"{(html / LEDGER).as_uri()}#words=C001", 360)
    assert shown_ids(page) == ["C001"]
    page.context.close()
    page, trouble = open_page(browser, (html / LEDGER).as_uri())
    for width in (320, 360, 600, 768, 1024, 1200, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(ROWS).first.evaluate("row => getComputedStyle(row).display") == (
            "flex" if page.locator("#ledger").bounding_box()["width"] <= 46 * 16 else "table-row"
        )
        assert page.locator(f"{ROWS} td:visible").first.bounding_box()["width"] <= width
    assert trouble == []
    page.context.close()
