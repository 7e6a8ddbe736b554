"""What the chapters say of the report's figures, with the reader's own files and without."""

import pandas as pd
import pytest

from companion.chapters.own_sentences import on_sensors, on_trade, own_baskets, ranked, whole_years

EXPORTS = pd.Series({2007: 30.4, 2008: 20.0, 2009: 10.6, 2010: 15.0})
COUNTERPART = (EXPORTS, EXPORTS / 2, pd.Series({"A": 11.4, "B": 29.6}))


def trade(*years: int, source: str = "dataweb", months: int = 12) -> pd.DataFrame:
    """Own trade with Japan: exports of 110 and imports of 100 a year, by definition A; half as much export by B."""
    return pd.DataFrame(
        {
            "partner": "Japan",
            "definition": definition,
            "year": year,
            "flow": flow,
            "months": months,
            "source_id": source,
            "valuation_basis": f"{flow} basis",
            "value_usd": {"export": 110 if definition == "A" else 55, "import": 100}[flow],
        }
        for year in years
        for definition in "AB"
        for flow in ("export", "import")
    )


def test_without_files_the_counterpart_is_described():
    said = on_trade(None, *COUNTERPART)
    assert "from USD 30 million in 2007 to 11 million in 2009" in said["test_result"]
    assert "They were USD 30 million in 2007, 11 million in 2009, and 15 million in 2010" in said["what_is_drawn"]
    assert "wafer inspection alone went from 15 to 5 and 8" in said["what_is_drawn"]
    assert "11 million in 2024 by the report’s codes, 30 with the other import codes" in said["what_is_drawn"]
    assert "stays untested" in said["test_result"]
    assert own_baskets(None) == []


def test_own_files_test_the_years_since_2009():
    own = whole_years(trade(2007, 2009, 2010))
    said = on_trade(own, *COUNTERPART)
    assert "between 1.10 and 1.10 times imports in 2009–2010 under definition A" in said["test_result"]
    assert "2 of these 2 years are within it. Under definition B the range is 0.55 to 0.55." in said["test_result"]
    assert (
        "exports from USITC DataWeb (export basis) and imports from USITC DataWeb (import basis)"
        in said["what_is_drawn"]
    )
    assert said["what_is_drawn"].endswith(
        "Before 2009 the exports of a year were between 1.10 and 1.10 times its imports."
    )
    assert list(own_baskets(own)[0]["basket"].unique()) == ["Sensors, definition A", "Sensors, definition B"]


def test_what_own_files_cannot_show_is_said():
    assert "no year before 2009" in on_trade(whole_years(trade(2010)), *COUNTERPART)["what_is_drawn"]
    assert "no whole year from 2009 on" in on_trade(whole_years(trade(2008)), *COUNTERPART)["test_result"]


def test_the_best_source_is_chosen_and_parts_of_years_are_left_out():
    both = pd.concat([trade(2010, source="usa-trade-online"), trade(2011, source="census"), trade(2012, months=6)])
    chosen = whole_years(both)
    assert chosen is not None
    assert set(chosen["source_id"]) == {"census"}
    assert whole_years(trade(2010, months=6)) is None
    assert whole_years(trade(2010).query("flow == 'export'")) is None


@pytest.fixture
def register() -> pd.DataFrame:
    return pd.DataFrame({"platform_prime": ["MHI", "MHI", None], "maker": ["X", "Y", "X"]})


def test_the_register_stands_for_janes(register: pd.DataFrame):
    contracts, builders = pd.Series({"X": 2, "Y": 1}), pd.Series({"MHI": 2, "KHI": 2, "Z": 1})
    said = on_sensors(None, register, register.head(2), contracts, builders)
    assert "a register of 3 sensors from public sources, of which 2 are fielded" in said["figures_drawn"]
    assert "X has the most contracts for sensors, 2 of the 3 that are known." in said["what_is_figure_4"]
    assert "MHI and KHI built the platforms of 2 sensors each, of 2 with a known builder" in said["what_is_figure_4"]
    own = pd.DataFrame({"manufacturer": ["A", "A", "B"], "prime_contractor": ["Mitsubishi Q", "C", "C"]})
    said = on_sensors(own, register, register, contracts, builders)
    assert "First among makers: A. First among prime contractors: C." in said["figures_drawn"]
    assert "with their records: Mitsubishi Q (1)" in said["what_is_figure_4"]


def test_equal_counts_come_by_name():
    assert list(ranked(pd.Series(["b", "a", "c", "c"])).index) == ["c", "a", "b"]
