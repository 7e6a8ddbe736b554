"""A small vocabulary for the book's charts: what many of them say in the same way, each word an Altair object.

What a word returns composes further, with Altair's own methods. The theme has colors and axes, and `exhibit()` adds
tooltips. What occurs in one chart alone is said in Altair there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from companion.exhibits import theme
from companion.exhibits.form import HIGHLIGHTED

Layers = alt.LayerChart | alt.FacetChart

FAINT = 0.35  # between solid and hollow
PICKED = alt.param(name=HIGHLIGHTED)


def years(field: str = "year", *, ticks: int = 6, domain: Sequence[float] | None = None, **axis: Any) -> alt.X:
    """A horizontal axis of years: as wide as the data, without grid and thousands separators.

    Args:
        field: the column, as numbers.
        ticks: about how many years are written.
        domain: the first and the last year, if they are not those of the data.
        axis: further settings, such as `values`.

    >>> years("fiscal_year", ticks=4, orient="top").to_dict()["axis"]["format"]
    'd'
    """
    shown = alt.Axis(**{"format": "d", "grid": False, "domain": True, "tickCount": ticks, **axis})
    scale = alt.Scale(nice=False) if domain is None else alt.Scale(nice=False, domain=list(domain))
    return alt.X(f"{field}:Q", axis=shown, scale=scale)


def colors(field: str, of: Mapping[str, str], *, legend: bool = True, columns: int = 0) -> alt.Color:
    """A color for each name in a column.

    Args:
        field: the column, with names.
        of: the color of each name, in the order of the legend.
        legend: whether there is one; without it, labels or headers say who is who.
        columns: of the legend; 0 puts all names into one row.

    >>> colors("flow", {"export": "blue", "import": "red"}).to_dict()["scale"]
    {'domain': ['export', 'import'], 'range': ['blue', 'red']}
    """
    color = alt.Color(f"{field}:N").scale(domain=list(of), range=list(of.values()))
    return color.legend(columns=columns) if legend else color.legend(None)


def highlight(field: str, name: str | alt.Parameter, color: str) -> Any:
    """One name in color and all others in grey, for any channel of color.

    Args:
        field: a column with names.
        name: the one; or `PICKED`, the one that a reader picks, where the exhibit says `highlight={field: name}`.
        color: its color.

    >>> highlight("country", "Japan", theme.JAPAN)["value"]
    '#8A8A8A'
    """
    return alt.when(alt.datum[field] == name).then(alt.value(color)).otherwise(alt.value(theme.GREY))


def rows_of(
    chart: alt.Chart | Layers, field: str, order: Iterable[str], height: int | alt.Step, *, independent: bool = False
) -> alt.FacetChart:
    """One small chart per name, one below the other, all with the same axis of years or the like.

    Args:
        chart: what each row shows.
        field: a column with the names, which stand above the rows.
        order: the names from the top.
        height: of each row in pixels, or of each bar with `alt.Step`.
        independent: whether each row has a vertical scale of its own; otherwise rows can be compared.

    >>> import pandas as pd
    >>> chart = alt.Chart(pd.DataFrame({"year": [2020], "n": [1], "who": ["a"]}), mark="bar").encode(y="n")
    >>> rows_of(chart, "who", ["a"], 60).to_dict()["facet"]["row"]["sort"]
    ['a']
    """
    rows = chart.properties(height=height).facet(row=alt.Row(f"{field}:N", sort=list(order)))
    return rows.resolve_scale(y="independent") if independent else rows


def bars(
    chart: alt.Chart, y: str, x: str, *, order: Sequence[str] | None = None, number: str = ",.0f", **channels: Any
) -> Layers:
    """Horizontal bars with their numbers at the end, instead of an axis.

    Args:
        chart: one row of its data for each bar.
        y: a column with names.
        x: a column with numbers.
        order: the names from the top; by name if not given.
        number: how a number is written, as in D3.
        channels: of the bars, such as their color.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["a", "b"], "n": [1, 2]})
    >>> [layer["mark"]["type"] for layer in bars(alt.Chart(frame), "who", "n").to_dict()["layer"]]
    ['bar', 'text']
    """
    names = alt.Y(f"{y}:N", sort="ascending" if order is None else list(order))
    base = chart.encode(y=names, x=alt.X(f"{x}:Q").axis(None))
    numbers = base.mark_text(align="left", dx=6).encode(text=alt.Text(f"{x}:Q", format=number))
    return alt.layer(base.mark_bar().encode(**channels), numbers)


def counts(
    chart: alt.Chart,
    x: str,
    y: str,
    number: str,
    *,
    across: Sequence[str],
    down: Sequence[str],
    text: str = "",
    **mark: Any,
) -> Layers:
    """A table of counts, whose cells are the darker the more they count; sums, named "All", stay without a tint.

    Args:
        chart: one row of its data for each cell that is not empty.
        x: a column with the names of the columns.
        y: a column with the names of the rows.
        number: a column with the counts.
        across: the names of the columns from the left.
        down: the names of the rows from the top.
        text: a column with what the cells say; the count if not given.
        mark: of the cells, such as their color.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["a", "All"], "year": ["2020", "2020"], "n": [1, 1]})
    >>> cells = counts(alt.Chart(frame), "year", "who", "n", across=["2020"], down=["a", "All"])
    >>> [layer["mark"]["type"] for layer in cells.to_dict()["layer"]]
    ['rect', 'text']
    """
    base = chart.encode(
        x=alt.X(f"{x}:N", sort=list(across)).axis(orient="top", labelOverlap=False, labelFontSize=12, domain=False),
        y=alt.Y(f"{y}:N", sort=list(down)).axis(domain=False),
    )
    tint = alt.Opacity(f"{number}:Q").scale(domainMin=0, range=[0.08, 0.6]).legend(None)
    cells = base.transform_filter(f"datum.{x} != 'All' && datum.{y} != 'All'")
    cells = cells.mark_rect(**{"color": theme.CERTAIN} | mark).encode(opacity=tint)
    said = alt.Text(f"{text}:N") if text else alt.Text(f"{number}:Q", format=",.0f")
    return alt.layer(cells, base.mark_text(fontWeight="bold").encode(text=said)).properties(height=alt.Step(38))


def pairs(
    chart: alt.Chart, y: str, x: str, which: str, of: Mapping[str, str], *, order: Sequence[str], columns: int = 0
) -> Layers:
    """Two points per name, joined by a line: a hollow circle for the first, and a smaller diamond, seen inside it.

    Args:
        chart: two rows of its data for each name.
        y: a column with names.
        x: a column with numbers.
        which: a column that says which of the two a row is.
        of: the color of each of the two.
        order: the names from the top.
        columns: of the legend; 0 puts both into one row.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"who": ["a", "a"], "n": [1, 2], "when": ["then", "now"]})
    >>> chart = pairs(alt.Chart(frame), "who", "n", "when", {"then": "grey", "now": "red"}, order=["a"])
    >>> [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]
    ['line', 'point']
    """
    base = chart.encode(x=f"{x}:Q", y=alt.Y(f"{y}:N", sort=list(order)).axis(labelPadding=14))
    points = base.mark_point(filled=False, strokeWidth=2).encode(
        color=colors(which, of, columns=columns),
        shape=alt.Shape(f"{which}:N").scale(domain=list(of), range=["circle", "diamond"]),
        size=alt.Size(f"{which}:O").scale(type="ordinal", domain=list(of), range=[160, 40]),
    )
    return alt.layer(base.mark_line(color=theme.GREY, strokeWidth=1.5).encode(detail=f"{y}:N"), points)


def certainty(chart: alt.Chart, field: str, levels: Iterable[str], color: Any, *, columns: int = 0) -> alt.Chart:
    """Bars or points that are solid where a number is certain and hollow where it is not, stacked in that order.

    Args:
        chart: a chart of bars or points.
        field: a column with the levels.
        levels: two or three names, the most certain first; of three, the second is faint.
        color: one color, and a legend names the levels; or what `colors` or `highlight` gives, and none does.
        columns: of the legend; 0 puts all levels into one row.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"n": [1, 2], "is": ["sure", "guess"]})
    >>> chart = certainty(alt.Chart(frame, mark="bar").encode(x="n"), "is", ["sure", "guess"], theme.CERTAIN)
    >>> chart.to_dict()["encoding"]["color"]["scale"]["range"]
    ['rgba(0, 158, 115, 1)', 'rgba(0, 158, 115, 0)']
    """
    levels = list(levels)
    opacity = [1, FAINT, 0] if len(levels) > 2 else [1, 0]
    chart = _in_order(chart, field, levels)
    if isinstance(color, str):  # a legend shows colors, and no opacity
        tones = dict(zip(levels, [theme.faint(color, share) for share in opacity], strict=True))
        stroke = alt.Stroke(f"{field}:N").scale(domain=levels, range=[color] * len(levels))
        return chart.encode(color=colors(field, tones, columns=columns), stroke=stroke)
    fill = alt.FillOpacity(f"{field}:O").scale(type="ordinal", domain=levels, range=opacity)
    return chart.encode(fill=color, stroke=color, fillOpacity=fill.legend(None))


def stack(chart: alt.Chart, field: str, of: Mapping[str, str], *, columns: int = 0) -> alt.Chart:
    """Bars of several parts, stacked in the order of the legend.

    Args:
        chart: a chart of bars.
        field: a column with the names of the parts.
        of: the color of each part, the one at the base first.
        columns: of the legend; 0 puts all names into one row.

    >>> import pandas as pd
    >>> chart = alt.Chart(pd.DataFrame({"n": [1, 2], "part": ["a", "b"]}), mark="bar").encode(x="n")
    >>> stack(chart, "part", {"b": theme.JAPAN, "a": theme.GREY}).to_dict()["transform"][0]["calculate"]
    "indexof(['b', 'a'], datum.part)"
    """
    return _in_order(chart, field, list(of)).encode(color=colors(field, of, columns=columns))


def _in_order(chart: alt.Chart, field: str, names: Sequence[str]) -> alt.Chart:
    """Stack what lies on one bar in the order of names in a column."""
    place = f"indexof({list(names)}, datum.{field})"
    return chart.transform_calculate(place=place).encode(order="place:Q")


def series(chart: alt.Chart, field: str, of: Mapping[str, str], dashes: Sequence[Sequence[int]] = ()) -> Layers:
    """Lines with points, one of each per name, without a legend: labels at the lines say who is who.

    Args:
        chart: with its axes.
        field: a column with names.
        of: the color of each name.
        dashes: how the line of each name is broken, as in SVG; if given, points differ in shape too.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"year": [2020, 2021], "n": [1, 2], "who": ["a", "a"]})
    >>> chart = series(alt.Chart(frame).encode(x=years(), y="n"), "who", {"a": theme.JAPAN})
    >>> [layer["mark"]["type"] for layer in chart.to_dict()["layer"]]
    ['line', 'point']
    """
    base = chart.encode(color=colors(field, of, legend=False))
    lines, points = base.mark_line(), base.mark_point()
    if dashes:
        shapes = ["circle", "diamond", "triangle-up"][: len(of)]
        dash = alt.StrokeDash(f"{field}:N").scale(domain=list(of), range=[list(dash) for dash in dashes])
        shape = alt.Shape(f"{field}:N").scale(domain=list(of), range=shapes)
        lines, points = lines.encode(strokeDash=dash.legend(None)), points.encode(shape=shape.legend(None))
    return alt.layer(lines, points)


def staircase(
    chart: alt.Chart, at: str, label: str, *, step: str, middle: float, until: str = "", **channels: Any
) -> Layers:
    """Dated steps, one to a row, each with its words beside its mark: on the side that has more room.

    Args:
        chart: with its axis of time; one row of its data for each step.
        at: a column with the time of each step, on the chart's scale.
        label: a column with the words.
        step: a column that numbers the rows from the top.
        middle: of the axis; later steps have their words on the left.
        until: a column with the time at which what began with a step ended; empty where it is a day and no span.
        channels: of the marks, such as their color.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"when": [1976, 2014], "what": ["a", "b"], "row": [1, 2]})
    >>> base, color = alt.Chart(frame).encode(years("when")), alt.value(theme.JAPAN)
    >>> chart = staircase(base, "when", "what", step="row", middle=2000, color=color)
    >>> [layer["mark"].get("align") for layer in chart.to_dict()["layer"]]
    [None, 'left', 'right']
    """
    base = chart.encode(y=alt.Y(f"{step}:O").axis(None))
    spans = base.transform_filter(f"isValid(datum.{until})") if until else None
    marks = base.mark_point(size=70, opacity=1).encode(**channels)
    early = base.transform_filter(f"datum.{at} < {middle}").mark_text(align="left", dx=9)
    late = base.transform_filter(f"datum.{at} >= {middle}").mark_text(align="right", dx=-9)
    words = [text.encode(text=f"{label}:N") for text in (early, late)]
    if spans is None:
        return alt.layer(marks, *words)
    bars = spans.mark_bar(opacity=FAINT, height=16).encode(x2=f"{until}:Q", **channels)
    return alt.layer(bars, marks, *words)


def level(y: float, **style: Any) -> alt.Chart:
    """A dashed horizontal line at a value that the data are set against, such as a balance or a ceiling.

    Args:
        y: the value, on the chart's scale.
        style: of the line, as in `mark_rule`.

    >>> level(1).to_dict()["encoding"]["y"]
    {'datum': 1}
    """
    rule: alt.Chart = alt.Chart(alt.InlineData([{}])).mark_rule(**{"strokeDash": [4, 3]} | style)
    return rule.encode(y=alt.datum(y))
