"""Sentences on the report's figures: drawn from the reader's own files, or replaced by open counterparts.

A chapter quotes them; the tests read them for both cases, since the book that is published has no such files.
"""

import pandas as pd

from companion.prose import listed

SOURCES = {
    "dataweb": "USITC DataWeb",
    "census": "the Census Bureau’s trade API",
    "usa-trade-online": "USA Trade Online",
}
PARITY = (0.8, 1.25)
NEW_STATISTICS = 2009  # from this year on, the report finds trade in sensors in balance


def ranked(names: pd.Series) -> pd.Series:
    """How often each name occurs, the most frequent first, equal ones by name."""
    return names.value_counts().sort_index().sort_values(ascending=False, kind="stable")


def whole_years(trade: pd.DataFrame) -> pd.DataFrame | None:
    """Whole years of the reader's own trade, from one source and on one basis for each flow.

    Args:
        trade: the table `eo_trade` of the reader's own files.

    Returns:
        Its rows of definitions A and B, from the best source; None without a year of both flows with Japan.
    """
    rank = {name: place for place, name in enumerate(SOURCES)}
    whole = trade[(trade["months"] == 12) & trade["definition"].isin(["A", "B"]) & trade["source_id"].isin(rank)]
    order = whole.assign(rank=whole["source_id"].map(rank)).sort_values(["rank", "valuation_basis"])  # general imports
    best = order.query("partner == 'Japan' and definition == 'A'").drop_duplicates("flow")
    chosen = whole.merge(best[["flow", "source_id", "valuation_basis"]])
    flows = chosen.query("partner == 'Japan' and definition == 'A'").groupby("year")["flow"].nunique()
    return chosen if (flows == 2).any() else None


def own_baskets(own: pd.DataFrame | None) -> list[pd.DataFrame]:
    """The reader's own trade with Japan by definition: columns `basket`, `year`, `export`, and `import`; or nothing."""
    if own is None:
        return []
    japan = own.query("partner == 'Japan'")
    flows = japan.pivot(index=["definition", "year"], columns="flow", values="value_usd").dropna().reset_index()
    return [flows.assign(basket="Sensors, definition " + flows["definition"])]


def on_trade(
    own: pd.DataFrame | None, exports: "pd.Series[float]", wafers: "pd.Series[float]", imports: "pd.Series[float]"
) -> dict[str, str]:
    """What Figure 2 shows, what it tests, and how it differs from the report's.

    Args:
        own: what `whole_years` gives.
        exports: U.S. exports to Japan in the report's groups, as Japan counts them, USD million, by year.
        wafers: the part of them that is instruments to inspect wafers.
        imports: U.S. imports from Japan in 2024, USD million, by definition.

    Returns:
        The sentences `test_result`, `what_is_drawn`, `differs`, and the words `baskets`.
    """
    return _public_trade(exports, wafers, imports) if own is None else _own_trade(own)


def on_sensors(
    own: pd.DataFrame | None,
    register: pd.DataFrame,
    core: pd.DataFrame,
    by_contractor: pd.Series,
    by_builder: pd.Series,
) -> dict[str, str]:
    """What Figures 3 and 4 show, and how they differ from the report's.

    Args:
        own: the table `janes_sensors` of the reader's own files; None where there is none.
        register: the open register, one row per sensor.
        core: of these, the sensors that are fielded or ordered and sit on a platform.
        by_contractor: number of sensors by contractor for the sensor, the largest first.
        by_builder: number of sensors by builder of the platform, the largest first.

    Returns:
        The sentences `figures_drawn`, `what_is_figure_3`, `what_is_figure_4`, and `differs`.
    """
    builders, contractor = listed(by_builder.index[by_builder == by_builder.max()]), by_contractor.index[0]
    n_all, n_core = len(register), len(core)
    if own is None:
        return {
            "figures_drawn": (
                "The report’s two figures rest on licensed data of Janes, which are not public. The figures here are "
                f"open counterparts: a register of {n_all} sensors from public sources, of which {n_core} are fielded "
                "or ordered and sit on a platform."
            ),
            "what_is_figure_3": (
                f"The forecast itself cannot be shown. In its place stands a register of {n_all} sensors that was "
                f"made from public pages and official payee lists; the {n_core} of them that are fielded or ordered "
                "and sit on a platform are counted. A filled bar means that a source names the maker; a hollow one "
                "means that the maker is inferred."
            ),
            "what_is_figure_4": (
                f"The register has both. {contractor} has the most contracts for sensors, {by_contractor.iloc[0]} of "
                f"the {by_contractor.sum()} that are known. {builders} built the platforms of {by_builder.max()} "
                f"sensors each, of {core['platform_prime'].notna().sum()} with a known builder."
            ),
            "differs": (
                "The report’s figures count records of a licensed database, these count entries of an open register, "
                "and the two may split a sensor differently. Compare ranks and shares. The figures’ status is "
                "therefore that of an open counterpart."
            ),
        }
    makers, primes = ranked(own["manufacturer"]), ranked(own["prime_contractor"])
    first_maker, first_prime = (listed(counts.index[counts == counts.max()]) for counts in (makers, primes))
    named = [f"{name} ({n})" for name, n in primes.items() if "Mitsubishi" in str(name)]
    return {
        "figures_drawn": (
            f"The report’s two figures are drawn here from your own Janes file of {len(own)} records. First among "
            f"makers: {first_maker}. First among prime contractors: {first_prime}. All else on this page rests on an "
            f"open register of {n_all} sensors."
        ),
        "what_is_figure_3": (
            f"It counts the {len(own)} records of your Janes file in data/local/ by maker. The text below turns to the "
            f"open register of {n_all} sensors, of which {n_core} are fielded or ordered and sit on a platform."
        ),
        "what_is_figure_4": (
            "Your Janes file has a column of prime contractors, without saying which reading it takes. Prime "
            f"contractors named Mitsubishi in it, with their records: {listed(named)}. In the open register, "
            f"{contractor} has the most contracts for sensors, and {builders} built the most platforms."
        ),
        "differs": (
            "Figures 3 and 4 come from your own export of Janes. It may hold other records than the report’s, by its "
            "date and by the view that was exported. The other exhibits rest on the open register, which may split a "
            "sensor differently."
        ),
    }


def _public_trade(
    exports: "pd.Series[float]", wafers: "pd.Series[float]", imports: "pd.Series[float]"
) -> dict[str, str]:
    before, after, last = NEW_STATISTICS - 2, NEW_STATISTICS, exports.index[-1]
    return {
        "test_result": (
            "The report’s own series cannot be drawn from open files, but one half of it can be seen from the other "
            f"side. By Japan’s customs, U.S. exports in the report’s groups fell from USD {exports[before]:.0f} "
            f"million in {before} to {exports[after]:.0f} million in {after}, and nearly all of the fall is in "
            "instruments that inspect wafers. The other half, imports from Japan, is open for 2024 and in part for "
            "2017 to 2019. Whether the two have been in balance since 2009 stays untested."
        ),
        "what_is_drawn": (
            "No open file holds these codes for both flows over the years. The figure is an open counterpart: "
            f"exports are what Japan’s customs counted from the United States, from {exports.index[0]} to {last}, in "
            "seven groups: the five whose Japanese code is the report’s subheading, and two that are a little wider. "
            "They were USD "
            f"{exports[before]:.0f} million in {before}, {exports[after]:.0f} million in {after}, and "
            f"{exports[last]:.0f} million in {last}; wafer inspection alone went from {wafers[before]:.0f} to "
            f"{wafers[after]:.0f} and {wafers[last]:.0f}. Imports from Japan are drawn where they can be had: "
            f"{imports['A']:.0f} million in 2024 by the report’s codes, {imports['B']:.0f} with the other import codes "
            "of the same goods."
        ),
        "differs": (
            "The report shows its own basket from DataWeb, both ways, with Japan and with the world. The open "
            "counterpart shows exports as the other side counted them, by origin and with freight, in groups that "
            "match the codes or are a little wider, and imports for single years. The balance cannot be seen in it."
        ),
        "baskets": (
            "two subheadings of the report’s goods and four broad groups, two in U.S. and two in Japanese statistics,"
        ),
    }


def _own_trade(own: pd.DataFrame) -> dict[str, str]:
    japan = own.query("partner == 'Japan'")
    flows = japan.pivot(index=["definition", "year"], columns="flow", values="value_usd").dropna()
    ratio = flows["export"] / flows["import"]
    exact, wider = (ratio.xs(name) if name in ratio.index.levels[0] else ratio.iloc[:0] for name in "AB")
    since, before = exact[exact.index >= NEW_STATISTICS], exact[exact.index < NEW_STATISTICS]
    wider = wider[wider.index >= NEW_STATISTICS]
    used = own.drop_duplicates("flow").set_index("flow")
    drawn = listed(
        f"{flow}s from {SOURCES[used.loc[flow, 'source_id']]} ({used.loc[flow, 'valuation_basis']})"
        for flow in ("export", "import")
    )
    return {
        "test_result": (
            f"In your own files, U.S. sensor exports to Japan were between {since.min():.2f} and {since.max():.2f} "
            f"times imports in {since.index.min()}–{since.index.max()} under definition A. Taking {PARITY[0]:.2f} to "
            f"{PARITY[1]:.2f} as rough parity, {since.between(*PARITY).sum()} of these {len(since)} years are within "
            f"it. Under definition B the range is {wider.min():.2f} to {wider.max():.2f}."
            if len(since)
            else "Your own files have no whole year from 2009 on for both flows, so the report’s statement stays "
            "untested."
        ),
        "what_is_drawn": (
            f"The figure is drawn from your own files in data/local/: {drawn}, whole years alone. "
            + (
                f"Before 2009 the exports of a year were between {before.min():.2f} and {before.max():.2f} times its "
                "imports."
                if len(before)
                else "They have no year before 2009, so the change that the report describes cannot be seen."
            )
        ),
        "differs": (
            "The figure above has the report’s codes as read from CSIS’s list, from files of your own. The report’s "
            "query is not published, so differences may come from the codes, from the way they are matched, or from "
            "later revisions."
        ),
        "baskets": (
            "the sensors of your own files, two subheadings, and four broad groups, two in U.S. and two in Japanese "
            "statistics,"
        ),
    }
