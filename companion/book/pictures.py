"""Turn a chart's specification into pictures, the same ones on every machine."""

import copy
import json
import os
import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert

from companion.exhibits import DATASET, Exhibit

VEGA_LITE = "6.4"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDE = 690  # the text column of the page on a desk, in pixels
NARROW = 330  # the same on a phone of 360 pixels

Spec = dict[str, Any]


def specification(exhibit: Exhibit) -> Spec:
    """The chart's Vega-Lite specification with its data, without title, as the page shows it."""
    if exhibit.spec is None:
        raise ValueError(f"Exhibit {exhibit.id!r} is a table and has no picture.")
    datasets = {**exhibit.spec["datasets"], DATASET: exhibit.rows}
    return exhibit.spec | {"$schema": SCHEMA, "description": exhibit.alt, "datasets": datasets}


def page_svg(exhibit: Exhibit, width: int) -> tuple[str, int]:
    """The chart as an SVG element for a page, `width` pixels wide, and what surrounds the plot in pixels."""
    svg, margin = _fitted(json.dumps(specification(exhibit)), width)
    # Several charts share a page, so ids inside them must differ.
    svg = re.sub(r'(id="|url\(#)', rf"\g<1>{exhibit.id}-{width}-", svg)
    return svg, margin


def download_spec(exhibit: Exhibit, credit: str) -> Spec:
    """The chart as a specification that stands alone: finding on top, source and credit below, fixed colors."""
    _, margin = page_svg(exhibit, WIDE)
    plot = WIDE - margin
    inner = _with_plot_width(specification(exhibit), plot)
    shared = {"$schema", "config", "datasets", "description"} & set(inner)
    top: Spec = {key: inner.pop(key) for key in sorted(shared)}
    # Vega-Lite does not wrap text: a letter takes about 9.4, 7 and 6.2 pixels in these sizes.
    title = {
        "text": textwrap.wrap(exhibit.title, int(plot / 9.4)),
        "subtitle": textwrap.wrap(exhibit.subtitle, int(plot / 7)),
    }
    lines = textwrap.wrap(credit, int(plot / 6.2))
    footer = {
        "data": {"values": [{}]},
        "mark": {"type": "text", "text": lines, "align": "left", "baseline": "top", "fontSize": 12, "lineHeight": 16},
        "encoding": {"x": {"value": 0}, "y": {"value": 0}},
        "width": plot,
        "height": 16 * len(lines),
    }
    spec: Spec = {**top, "title": title, "vconcat": [inner, footer]}
    # Office programs do not know currentColor, and a picture file has no page to take it from.
    fixed: Spec = json.loads(json.dumps(spec).replace('"currentColor"', '"#222222"'))
    fixed["config"]["background"] = "#ffffff"
    fixed["usermeta"] = {
        "exhibit": exhibit.id,
        "status": exhibit.status,
        "sources": exhibit.sources,
        "credit": credit,
    }
    return fixed


def to_svg(spec: Spec) -> str:
    """Draw a specification as SVG."""
    svg: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    return svg


def to_png(spec: Spec) -> bytes:
    """Draw a specification as PNG, at twice the size for dense screens and print."""
    png: bytes = vl_convert.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=2)
    return png


def bundle(script: str) -> str:
    """Vega, Vega-Lite and Vega-Embed with `script`, in one file that needs no network.

    The wrapper keeps the libraries' names out of the page, where one of them collides with Sphinx's own.
    """
    return f"(()=>{{{vl_convert.javascript_bundle(script, vl_version=VEGA_LITE)}}})();\n"


def _keep_to_own_fonts() -> None:
    """Have vl-convert find no installed fonts: a Liberation Sans of another version would come before its own."""
    none, before = Path(__file__).with_name("no-fonts.conf"), os.environ.get("FONTCONFIG_FILE")
    os.environ["FONTCONFIG_FILE"] = str(none)
    vl_convert.register_font_directory(str(none.parent))  # makes it look for fonts, which it does once
    del os.environ["FONTCONFIG_FILE"]
    if before is not None:
        os.environ["FONTCONFIG_FILE"] = before


@cache
def _fitted(text: str, width: int) -> tuple[str, int]:
    """Draw a chart `width` pixels wide in all: once to measure what surrounds the plot, once to fit."""
    spec = json.loads(text)
    margin = _width(to_svg(_with_plot_width(spec, width))) - width
    return to_svg(_with_plot_width(spec, width - margin)), margin


def _width(svg: str) -> int:
    found = re.search(r'<svg[^>]* width="([\d.]+)"', svg)
    assert found, "vl-convert writes the width of every picture"
    return round(float(found[1]))


def _with_plot_width(spec: Spec, width: int) -> Spec:
    """Set the width of the plot, or of each plot in a column of plots."""
    spec = copy.copy(spec)
    if "vconcat" in spec:
        spec["vconcat"] = [_with_plot_width(part, width) for part in spec["vconcat"]]
    elif "spec" in spec:
        spec["spec"] = _with_plot_width(spec["spec"], width)
    else:
        spec["width"] = width
    return spec


_keep_to_own_fonts()
