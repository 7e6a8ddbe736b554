"""The one place for colors, fonts and sizes of charts."""

from typing import Any, cast

import altair as alt

# Okabe-Ito, a palette that color-blind readers can tell apart. Japan and the United States keep theirs throughout.
JAPAN = "#D55E00"
UNITED_STATES = "#0072B2"
HIGHLIGHT = "#CC79A7"
CERTAIN = "#009E73"  # hollow where the number is an estimate
GREY = "#8A8A8A"

# Text and lines take the color of the page that shows them, so a chart follows light and dark pages by itself.
INK = "currentColor"
FAINT = 0.15
MUTED = 0.7

# Liberation Sans comes inside vl-convert, so a chart is laid out alike on every machine; Arial has the same widths.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"


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
            },
            "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end"},
            "header": {**text, "labelFontWeight": "bold", "labelAnchor": "start", "title": None},
            "legend": {**text, "title": None, "orient": "top", "symbolType": "square"},
            "bar": {"color": GREY},
            "line": {"color": GREY, "strokeWidth": 2.5},
            "point": {"color": GREY, "filled": True, "size": 60},
            "rule": {"color": INK},
            "text": {"color": INK, "fontSize": 13},
        },
    }
    return cast(alt.theme.ThemeConfig, theme)
