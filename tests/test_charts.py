"""The words for charts: their examples, and the tooltips that an exhibit gives its chart."""

import altair as alt
import pandas as pd
import pytest
from conftest import ROOT, run

from companion import charts, exhibit
from companion.exhibits import theme
from companion.exhibits.form import Record

FRAME = pd.DataFrame({"fiscal_year": [2020, 2021], "amount_jpy_trillion": [1000.25, 1234.5], "label": ["a", "b"]})
ABOUT = {"title": "A finding", "subtitle": "Yen", "alt": "Two.", "sources": ["defense_budget_japan"]}
BASE = alt.Chart(FRAME).encode(x="fiscal_year:Q", y="amount_jpy_trillion:Q")
YEAR = {"title": "Fiscal year", "field": "fiscal_year", "type": "quantitative", "format": "d"}
YEN = {"title": "Amount (JPY trillion)", "field": "amount_jpy_trillion", "type": "quantitative", "format": ",.1f"}


def spec(chart: alt.TopLevelMixin, **more: object) -> Record:
    """The specification of an exhibit with this chart."""
    shown = exhibit("own-one", chart, **ABOUT | {"table": FRAME[["fiscal_year", "amount_jpy_trillion"]]} | more)
    assert shown.spec
    return shown.spec


def test_the_examples_are_true():
    # In a process of its own: a doctest leaves its last value in Python's builtins, which changes what IPython shows.
    code = "import doctest; from companion import charts; print(*doctest.testmod(charts))"
    failed, attempted = map(int, run(ROOT, "python", "-c", code).stdout.split()[-2:])
    words = [name for name, value in vars(charts).items() if callable(value) and name.islower() and name[0] != "_"]
    assert failed == 0
    assert attempted >= len(words) > 5


def test_a_mark_says_its_fields_with_titles_and_formats():
    assert spec(BASE.mark_bar())["encoding"]["tooltip"] == [YEAR, YEN]


def test_a_bare_tooltip_gets_titles_and_a_written_one_stays():
    own = alt.Tooltip("amount_jpy_trillion:Q", title="Yen", format=".3f")
    tips = spec(BASE.mark_bar().encode(tooltip=["fiscal_year:Q", own]))["encoding"]["tooltip"]
    assert tips == [YEAR, {"field": "amount_jpy_trillion", "type": "quantitative", "title": "Yen", "format": ".3f"}]


def test_a_field_without_a_title_stays_out_until_it_has_one():
    chart = BASE.mark_bar().encode(color="label:N")
    assert "label" not in [tip["field"] for tip in spec(chart)["encoding"]["tooltip"]]
    tips = spec(chart, columns={"label": "Kind"})["encoding"]["tooltip"]
    assert {"field": "label", "type": "nominal", "title": "Kind"} in tips


def test_a_line_has_points_that_cannot_be_seen():
    line, points = spec(BASE.mark_line())["layer"]
    assert "encoding" not in line
    assert points["mark"]["opacity"] == 0
    assert [tip["field"] for tip in points["encoding"]["tooltip"]] == ["fiscal_year", "amount_jpy_trillion"]


def test_a_line_with_points_leaves_the_tooltip_to_them_and_text_has_none():
    line, points, text = spec(BASE.mark_line() + BASE.mark_point() + BASE.mark_text())["layer"]
    assert "tooltip" not in line["encoding"]
    assert points["encoding"]["tooltip"]
    assert "tooltip" not in text["encoding"]


def test_rows_say_their_name_first():
    chart = charts.rows_of(BASE.mark_bar(), "label", ["a", "b"], 50)
    tips = spec(chart, columns={"label": "Kind"})["spec"]["encoding"]["tooltip"]
    assert [tip["title"] for tip in tips] == ["Kind", YEAR["title"], YEN["title"]]


@pytest.mark.parametrize(("levels", "opacity"), [(["x", "y"], [1, 0]), (["x", "y", "z"], [1, charts.FAINT, 0])])
def test_what_is_uncertain_is_hollow(levels: list[str], opacity: list[float]):
    one = charts.certainty(BASE.mark_bar(), "label", levels, theme.JAPAN).to_dict()["encoding"]
    assert one["color"]["scale"] == {"domain": levels, "range": [theme.faint(theme.JAPAN, share) for share in opacity]}
    assert one["stroke"]["scale"] == {"domain": levels, "range": [theme.JAPAN] * len(levels)}
    several = charts.certainty(BASE.mark_bar(), "label", levels, charts.highlight("label", "a", theme.JAPAN))
    assert several.to_dict()["encoding"]["fillOpacity"]["scale"]["range"] == opacity
