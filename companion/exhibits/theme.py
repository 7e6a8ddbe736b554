"""The one place for colors, fonts and sizes of charts."""

from typing import Any, cast

import altair as alt

# Okabe-Ito, a palette that color-blind readers can tell apart. Japan and the United States keep theirs throughout.
JAPAN = "#D55E00"
UNITED_STATES = "#0072B2"
HIGHLIGHT = "#CC79A7"
CERTAIN = "#009E73"  # hollow where the number is an estimate
GREY = "#8A8A8A"
LIGHT_BLUE = "#5B9BD0"  # beside the blue of the United States, for a part of what is American

# Text and lines take the color of the page that shows them, so a chart follows light and dark pages by itself.
INK = "currentColor"
FAINT = 0.15
MUTED = 0.7

# Words are as wide as in Liberation Sans when a chart is drawn, so it is laid out alike everywhere, and as in Arial.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"


def faint(color: str, opacity: float) -> str:
    """A color of this palette, fainter: between 1, as it is, and 0, which cannot be seen."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def enable() -> None:
    """Make the book's theme the default of every Altair chart."""
    alt.theme.register("companion", enable=True)(_theme)


def _theme() -> alt.theme.ThemeConfig:
    text: dict[str, Any] = {"labelColor": INK, "titleColor": INK, "labelFontSize": 13, "titleFontSize": 13}
    theme = {
        "config": {
            "font": FONT,
            "background": "transparent",
            "padding": 4,
            "view": {
                "stroke": None,
                "continuousWidth": 640,
                "discreteWidth": 640,
                "continuousHeight": 300,
                "discreteHeight": {"step": 28},
            },
            "title": {
                "anchor": "start",
                "frame": "group",
                "color": INK,
                "subtitleColor": INK,
                "fontSize": 18,
                "subtitleFontSize": 14,
                "lineHeight": 22,
                "subtitleLineHeight": 18,
                "offset": 16,
                "subtitlePadding": 6,
            },
            "axis": {
                **text,
                "labelOverlap": "greedy",
                "labelSeparation": 5,
                "titleFontWeight": "normal",
                "domainColor": INK,
                "domainOpacity": MUTED,
                "grid": False,
                "gridColor": INK,
                "gridOpacity": FAINT,
                "ticks": False,
                "labelPadding": 6,
                "labelLimit": 200,
                "title": None,  # the subtitle says what is measured
            },
            "axisXDiscrete": {"labelAngle": 0},
            "axisQuantitative": {"grid": True, "domain": False, "tickCount": 5},
            "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end"},
            "header": {**text, "labelFontWeight": "bold", "labelAnchor": "start", "labelOrient": "top", "title": None},
            "legend": {**text, "title": None, "orient": "top", "symbolType": "square"},
            "facet": {"spacing": 14},
            "bar": {"color": GREY, "strokeWidth": 1.3},
            "line": {"color": GREY, "strokeWidth": 2.5},
            "point": {"color": GREY, "filled": True, "size": 60, "opacity": 1},
            "rule": {"color": INK},
            "text": {"color": INK, "fontSize": 13},
        },
    }
    return cast(alt.theme.ThemeConfig, theme)
