"""An exhibit: complete or refused, the same every time, and read back from its output as it was."""

import json
import re
import sys
from pathlib import Path

import altair as alt
import pandas as pd
import pytest
from conftest import ROOT

from companion import charts, day, each, exhibit, in_words, listed, load, month, percent
from companion.book import nodes, pictures, vega
from companion.book.nodes import TEMPLATES
from companion.book.tags import chapter_tags, describe_chapter
from companion.citation import metadata, source_line
from companion.exhibits.csv import data_csv
from companion.exhibits.form import CHART_MIME, TABLE_MIME, Exhibit

FRAME = pd.DataFrame({"year": [2020, 2021], "units": [1.5, None], "supplier": ["A <b>", "B|C"]})
CHART = alt.Chart(FRAME).mark_bar().encode(x="units", y="supplier")
ABOUT = {
    "title": "A finding",
    "subtitle": "Units, 2020–2021",
    "alt": "One and a half.",
    "sources": ["uas_deliveries@2022-08"],
}


@pytest.mark.parametrize(("content", "mime"), [(CHART, CHART_MIME), (FRAME, TABLE_MIME)])
def test_an_exhibit_survives_the_way_through_a_notebook(content: object, mime: str):
    shown = exhibit("own-one", content, **ABOUT)
    output = json.loads(json.dumps(shown._repr_mimebundle_()[mime]))
    assert Exhibit.from_output(output) == shown


def test_an_output_is_the_same_every_time_and_holds_the_data_once():
    outputs = [json.dumps(exhibit("own-one", CHART, **ABOUT)._repr_mimebundle_(), sort_keys=True) for _ in range(2)]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("A <b>") == 1


def test_a_separate_table_keeps_the_chart_s_own_data():
    shown = exhibit("own-one", CHART, table=FRAME.head(1), **ABOUT)
    output = shown._repr_mimebundle_()[CHART_MIME]
    assert len(output["datasets"]["exhibit"]) == 1
    assert len(output["datasets"][output["data"]["name"]]) == 2


def test_a_missing_value_stays_missing_and_columns_are_described_by_their_table():
    shown = exhibit("own-one", FRAME, **ABOUT)
    assert shown.rows[1]["units"] is None
    assert [field["title"] for field in shown.fields] == ["Year", "Units delivered", "Exporter"]


def test_sources_are_the_publishers_of_the_rows_that_are_used():
    programs = load("programs").query("program == 'CCA'").head(6)
    shown = exhibit("own-one", FRAME, **ABOUT | {"sources": [("programs", programs), "uas_deliveries@2022-08"]})
    assert shown.tables == ["programs", "uas_deliveries"]
    assert {(s["title"], s["page"]) for s in shown.sources if "page" in s} == set(
        programs[["source_publisher", "source_title"]].itertuples(index=False, name=None)
    )
    assert shown.sources[0]["title"] == programs["source_publisher"].mode()[0]  # most rows cite it
    with pytest.raises(ValueError, match="no column 'source_url'"):
        exhibit("own-one", FRAME, **ABOUT | {"sources": [("programs", programs.drop(columns="source_url"))]})


def test_the_line_of_sources_names_what_fits_and_counts_the_rest():
    def line(*titles: str) -> str:
        sources = [{"title": title, "path": "", "accessed": "2026-11-22"} for title in titles]
        return source_line(Exhibit(id="x", title="x", fields=[], rows=[], sources=sources))

    assert line("A") == "Source: A, read 2026-11-22; own compilation."
    assert line("A", "B") == "Source: A; B; both read 2026-11-22; own compilation."
    long = line(*(letter * 50 for letter in "ABCDEF"))
    assert long.endswith("; and four others, listed with the exhibit; all read 2026-11-22; own compilation.")
    assert len(long) <= 210
    carried = [f"Trade by {what}; A Bureau, carried by x" for what in ("chapter", "code")]
    assert line(*carried) == "Source: A Bureau, read 2026-11-22; own compilation."


VINTAGES = pd.DataFrame({"vintage": ["2022-08", "2022-08", "2026-05"], "year": [2020, 2021, 2020], "units": [1, 2, 3]})
BY_VINTAGE = alt.Chart(VINTAGES).mark_bar().encode(x="year:O", y="units:Q")
HIGHLIGHTING = BY_VINTAGE.encode(color=charts.highlight("vintage", charts.PICKED, "#D55E00"))


def drawn(view: Exhibit) -> str:
    """A chart as SVG, with what Vega says of each mark."""
    spec = pictures.specification(view)
    return vega.to_svg(json.dumps(spec), spec, 0)


def test_a_choice_is_a_parameter_that_the_published_view_sets():
    choices = {"vintage": {"2022-08": {}, "2026-05": {"title": "Another finding"}}}
    shown = exhibit("own-one", BY_VINTAGE, choices=choices, **ABOUT)
    assert Exhibit.from_output(json.loads(json.dumps(shown._repr_mimebundle_()[CHART_MIME]))) == shown
    assert shown.spec["transform"] == [{"filter": 'datum["vintage"] == vintage'}]
    assert shown.spec["params"] == [{"name": "vintage", "value": "2022-08"}]
    published, other = shown.views().values()
    assert (published.title, published.rows, published.spec) == (shown.title, shown.rows[:2], shown.spec)
    assert (other.title, other.subtitle, other.rows) == ("Another finding", shown.subtitle, shown.rows[2:])
    assert other.spec["params"] == [{"name": "vintage", "value": "2026-05"}]
    files = [drawn(view) for view in shown.views().values()]
    assert [svg.count('aria-roledescription="bar"') for svg in files] == [2, 1]


def test_of_two_choices_each_view_has_an_option_of_each():
    top = alt.ExprRef("scale === 'own' ? null : 100")
    chart = BY_VINTAGE.encode(alt.Y("units:Q").scale(domainMax=top))
    scales = {"shared": {"label": "one for all"}, "own": {"label": "its own", "subtitle": "Each its own"}}
    choices = {"vintage": {"2022-08": {}, "2026-05": {"title": "Another finding"}}, "scale": scales}
    shown = exhibit("own-one", chart, choices=choices, **ABOUT)
    assert [choice["title"] for choice in shown.choices] == ["Vintage", "Scale"]
    views = shown.views()
    assert {name: (view.title, view.subtitle, len(view.rows)) for name, view in views.items()} == {
        "published": ("A finding", shown.subtitle, 2),
        "own": ("A finding", "Each its own", 2),
        "2026-05": ("Another finding", shown.subtitle, 1),
        "2026-05_own": ("Another finding", "Each its own", 1),
    }
    assert views["2026-05_own"].spec["params"] == [
        {"name": "vintage", "value": "2026-05"},
        {"name": "scale", "value": "own"},
    ]
    files = [drawn(view) for view in views.values()]
    assert [">100<" in svg for svg in files] == [True, False, True, False]


def test_a_mark_can_belong_to_one_view_alone():
    rule = alt.Chart(pd.DataFrame({"vintage": ["2026-05"], "units": [2]})).mark_rule().encode(y="units:Q")
    choices = {"vintage": ["2022-08", "2026-05"]}
    shown = exhibit("own-one", BY_VINTAGE + rule, table=VINTAGES, choices=choices, **ABOUT)
    files = [drawn(view) for view in shown.views().values()]
    assert [svg.count('aria-roledescription="rule mark"') for svg in files] == [0, 1]


def test_a_reader_can_pick_what_stands_out():
    shown = exhibit("own-one", HIGHLIGHTING, highlight={"vintage": "2026-05"}, **ABOUT)
    assert shown.spec["params"] == [{"name": "picked", "value": "2026-05"}]
    assert shown.highlight == {"title": "Vintage", "names": ["2026-05", "2022-08"]}
    assert Exhibit.from_output(shown._repr_mimebundle_()[CHART_MIME]).highlight == shown.highlight
    for chart, highlight in (
        (BY_VINTAGE, {"vintage": "2026-05"}),
        (HIGHLIGHTING, {"vintage": "2026-05", "year": "2000"}),
    ):
        with pytest.raises(ValueError, match=r"takes one column of a chart that colors charts\.PICKED"):
            exhibit("own-one", chart, highlight=highlight, **ABOUT)
    with pytest.raises(ValueError, match="column 'vintage' of the table has no '1999' to highlight"):
        exhibit("own-one", HIGHLIGHTING, highlight={"vintage": "1999"}, **ABOUT)


def test_a_choice_without_a_title_finds_nothing():
    shown = exhibit("own-one", BY_VINTAGE, choices={"vintage": ["2022-08", "2026-05"]}, **ABOUT)
    assert [view.title for view in shown.views().values()] == ["A finding", "Units, 2020–2021 (2026-05)"]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"vintage": ["2022-08"]}, "two values or more"),
        ({"vintage": ["2022-08", "2026-05"], "supplier": ["a", "b"]}, "column 'supplier' of chart and table has not"),
        ({"vintage": ["2022-08", "2024-04"]}, "has not just the values"),
        ({"vintage": ["2022-08", "2026-05", "2027-01"]}, "has not just the values"),
        ({"month": ["a", "b"]}, "column 'month'"),
        ({"vintage": {"2022-08": {}, "2026-05": {"heading": "x"}}}, "has 'heading'"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused(choices: dict, message: str):
    with pytest.raises(ValueError, match=message):
        exhibit("own-one", BY_VINTAGE, choices=choices, **ABOUT)


def test_jupyterlab_knows_the_output_of_a_chart():
    static = Path(sys.prefix) / "share" / "jupyter" / "lab" / "static"
    assert any(CHART_MIME in script.read_text(encoding="utf-8") for script in static.glob("*.js"))


def test_a_download_has_whole_numbers_without_decimals_beside_fractions_and_gaps():
    shown = exhibit("own-one", pd.DataFrame({"units": [297.0, 0.5, None, -3.0]}), **ABOUT)
    assert data_csv(shown).splitlines()[1:] == ["297", "0.5", '""', "-3"]


def test_a_download_holds_no_formula_and_the_page_no_markup():
    frame = pd.DataFrame(
        {"supplier": ["=1+1", "@x", "-5", "<script>alert(1)</script>", "plain"], "units": [-5, 1, 1, 1, 1]}
    )
    shown = exhibit("own-one", frame, **ABOUT)
    assert data_csv(shown).splitlines()[1:] == ["'=1+1,-5", "'@x,1", "-5,1", "<script>alert(1)</script>,1", "plain,1"]
    table = TEMPLATES.get_template("macros.html").module.data_table(shown, lambda value, *_: value, {})
    assert "<script>" not in str(table)
    assert "&lt;script&gt;" in str(table)


EVIL = "<!--<script></script><script>alert(1)//"


def scripts(page: str) -> list[str]:
    """What stands in the scripts of a page, as a browser takes them apart where none of them opens a comment."""
    assert "<!--" not in page
    return re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)


def test_no_text_ends_the_script_that_holds_a_chart(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nodes, "number_of", lambda *_: "1")
    chart = alt.Chart(FRAME.assign(supplier=EVIL), title=EVIL).mark_bar().encode(x="units", y="supplier")
    shown = exhibit("own-one", chart, **ABOUT | {"title": EVIL, "alt": EVIL})
    texts = dict.fromkeys(["files", "embed", "code"], EVIL)
    view = {"name": "", "exhibit": shown, "downloads": [], "citations": {"RIS": EVIL}}
    beside = texts | {"views": [view], "about": [], "described": {}, "aside": False}
    page = nodes.render(None, nodes.ExhibitNode(exhibit=shown), "figure.html", **beside)
    (script,) = scripts(page)
    assert json.loads(script)["datasets"]["exhibit"] == shown.rows
    assert EVIL in shown.rows[0].values()
    assert ": " not in script, "it is written without spaces, as every page has it"


def test_no_title_ends_the_script_that_describes_a_page():
    book = metadata(ROOT)
    about = describe_chapter(book, EVIL, 1)
    page = TEMPLATES.get_template("tags.html").render(tags=chapter_tags(book, EVIL), descriptions=[about])
    (script,) = scripts(page)
    assert json.loads(script) == about
    assert about["name"] == EVIL


def test_other_outputs_are_not_exhibits():
    assert Exhibit.from_output({"mark": "bar"}) is None


@pytest.mark.parametrize(
    ("id", "change", "message"),
    [
        ("Figure 1", {}, "an id has lower-case letters"),
        ("own-one", {"alt": " "}, "alt is empty"),
        ("own-one", {"status": "done"}, "status 'done' is none of"),
        ("own-one", {"status": "reproduced"}, "'own' if and only if"),
        ("figure-1", {}, "'own' if and only if"),
        ("own-one", {"sources": ["uas_deliveries@1999-01"]}, "has no vintage '1999-01'; it has"),
    ],
)
def test_an_incomplete_exhibit_is_refused(id: str, change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        exhibit(id, FRAME, **ABOUT | change)


def test_a_column_without_a_title_is_refused():
    with pytest.raises(ValueError, match="column 'us_share' has no title"):
        exhibit("own-one", FRAME.assign(us_share=1), **ABOUT)


def test_a_word_is_its_own_title_and_a_line_break_in_a_text_is_a_space():
    shown = exhibit("own-one", FRAME.assign(share=1), **ABOUT | {"note": "One\n        sentence."})
    assert shown.fields[-1]["title"] == "Share"
    assert shown.note == "One sentence."


def test_numbers_in_sentences():
    assert percent(0.4494) == "45 percent"
    assert percent(0.4494, 1) == "44.9 percent"
    assert in_words(4) == "four"
    assert in_words(1234) == "1,234"
    assert in_words(2, ordinal=True) == "second"
    ordinals = {10: "10th", 11: "11th", 13: "13th", 21: "21st", 22: "22nd", 23: "23rd", 24: "24th", 111: "111th"}
    assert {number: in_words(number, ordinal=True) for number in ordinals} == ordinals
    assert in_words(1012, ordinal=True) == "1,012th"
    assert month("2026-05") == "May 2026"
    assert [day(date) for date in ("2023-08-02", "2014-04", "1967")] == ["2 August 2023", "April 2014", "1967"]
    assert each("{year}: {units:.1f}", FRAME.head(1)) == ["2020: 1.5"]
    assert listed([1, 2]) == "1 and 2"
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b, and c"
