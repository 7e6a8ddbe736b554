"""Turn a chart's specification into pictures, the same ones on every machine, each drawn once.

A picture is kept in a file that is named by all that it follows from. Charts that are not there yet are drawn by
another process while Sphinx reads the pages: one, since the script engine takes half the time for a chart once it has
drawn some. It is forked before anything is drawn here: once the engine runs in a process, it hangs in every fork of
that process. What is made of a drawn chart, such as a file for download, needs no engine, and is made with its page.
"""

import copy
import json
import multiprocessing
import re
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from companion.book import tokens, vega
from companion.exhibits.form import DATASET, Exhibit
from companion.files import keep, whole
from companion.files.inputs import digest, file_digest

if TYPE_CHECKING:
    from resvg import usvg

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
WIDE = 690  # the text column of the page on a desk, in pixels
INK = "#222222"  # of letters in files
SMALL = 240  # the width of a picture that only shows the shape of a chart
NARROW = 330  # the same on a phone of 360 pixels
MOST_DRAWINGS = 3  # of a chart until it fits: what surrounds a plot can depend on the plot's width
# A picture that is drawn in another way is another picture.
CODE = digest(f"{vega.CODE}\n{file_digest(Path(__file__))}\n{version('resvg')}")
KEPT = 4_000  # files, a few hundred for each state of the book

# What a picture without words leaves out or as it is, and what explains each channel of a chart.
WRITTEN = {"title", "axis", "legend", "header"}
AS_IT_IS = {"datasets", "data", "config", "transform", "params", "resolve", "projection"}
GUIDES = dict.fromkeys(("x", "y"), "axis") | dict.fromkeys(("row", "column", "facet"), "header")
GUIDES |= dict.fromkeys(
    ("color", "fill", "stroke", "shape", "size", "opacity", "fillOpacity", "strokeDash", "strokeWidth"), "legend"
)
# What Vega says of each mark. In a page the picture as a whole has a name, and no part of it is read.
DESCRIBED = re.compile(r' (?:role="graphics-[a-z]+"|aria-(?:label|roledescription|hidden)="[^"]*")')
USUAL, LOW = 24, 9  # pixels for a row of a chart, and of the small picture

Spec = dict[str, Any]


class NotDrawnError(Exception):
    """A picture is not there yet."""


@dataclass
class _Album:
    """Where pictures are kept, and whether those that are not there are drawn."""

    folder: Path | None = None
    only_look: bool = False
    worker: ProcessPoolExecutor | None = None
    drawing: list[Future[None]] = field(default_factory=list)


_album = _Album()


def keep_in(folder: Path) -> None:
    """Keep pictures in a folder from now on."""
    whole.sweep(folder)
    _album.folder = folder


def begin_to_draw(exhibits: Iterable[Exhibit]) -> None:
    """Have another process draw those of these charts that are not kept yet."""
    missing = [exhibit for exhibit in exhibits if not is_kept(partial(_draw, exhibit))]
    if missing and _album.worker is None:
        for old in keep.newest(_album.folder, "*")[KEPT:] if _album.folder else []:
            old.unlink()
        _album.worker = ProcessPoolExecutor(1, multiprocessing.get_context("fork"))
    if _album.worker:
        _album.drawing += [_album.worker.submit(_draw, exhibit) for exhibit in missing]


def finish_drawing() -> None:
    """Wait until everything that was begun is kept."""
    for drawing in _album.drawing:
        drawing.result()
    if _album.worker:
        _album.worker.shutdown()
    _album.worker, _album.drawing = None, []


def _draw(exhibit: Exhibit) -> None:
    """Draw a chart in every form that the book shows it in, and all that a reader can choose to see of it.

    What can be chosen is for files, and tells how high its place is: a page shows it by its script alone.
    """
    page_svg(exhibit, NARROW)
    if exhibit.reproduces:
        bare_svg(exhibit)
    _, *others = exhibit.views().values() or [exhibit]
    for view in (exhibit, *others):
        page_svg(view, WIDE)


def is_kept(make: Callable[[], object]) -> bool:
    """Whether all pictures are kept that something asks for; none is drawn."""
    _album.only_look = True
    try:
        make()
    except NotDrawnError:
        return False
    finally:
        _album.only_look = False
    return True


def specification(exhibit: Exhibit) -> Spec:
    """The chart's Vega-Lite specification with its data, without title, as the page shows it."""
    if exhibit.spec is None:
        raise ValueError(f"Exhibit {exhibit.id!r} is a table and has no picture.")
    datasets = {**exhibit.spec["datasets"], DATASET: exhibit.rows}
    return exhibit.spec | {"$schema": SCHEMA, "description": exhibit.alt, "datasets": datasets}


def page_svg(exhibit: Exhibit, width: int) -> tuple[str, int]:
    """The chart as an SVG element for a page, `width` pixels wide, and what surrounds the plot in pixels."""
    # A chapter's output has its keys in the order in which they were written, a page's in that of the alphabet.
    text = json.dumps(specification(exhibit), sort_keys=True)
    svg, margin = _fitted(text, width, _fitted(text, WIDE, 0)[1] if width != WIDE else 0)
    # Several charts share a page, so ids inside them must differ.
    svg = re.sub(r'(id="|url\(#)', rf"\g<1>{exhibit.id}-{width}-", svg)
    return DESCRIBED.sub("", svg), margin


def small_svg(exhibit: Exhibit) -> str:
    """The chart as on a phone, as a file: its letters take the color scheme of the page that shows it."""
    scheme = f":root{{color-scheme:light dark;color:{tokens.either('ink')}}}"
    return page_svg(exhibit, NARROW)[0].replace(">", f"><style>{scheme}</style>", 1)


def bare_svg(exhibit: Exhibit) -> str:
    """The marks of a chart alone, small: a picture of its shape, without words and numbers, for those who point."""
    svg, _ = _fitted(json.dumps(_bare(specification(exhibit)), sort_keys=True), SMALL, 0)
    svg = svg.replace("<svg ", '<svg preserveAspectRatio="xMinYMax meet" ', 1)
    return re.sub(r'(id="|url\(#)', rf"\g<1>{exhibit.id}-bare-", svg)


def download_spec(exhibit: Exhibit, credit: str) -> Spec:
    """The chart as a specification that stands alone: finding on top, source and credit below, fixed colors."""
    _, margin = page_svg(exhibit, WIDE)
    plot = WIDE - margin
    inner = _with_plot_width(specification(exhibit), plot)
    shared = {"$schema", "config", "datasets", "description", "params"} & set(inner)
    top: Spec = {key: inner.pop(key) for key in sorted(shared)}
    # Vega-Lite does not wrap text: a letter takes about 9.4, 7 and 6.2 pixels in these sizes.
    title = {
        "text": wrap(exhibit.title, int(plot / 9.4)),
        "subtitle": wrap(exhibit.subtitle, int(plot / 7)),
    }
    lines = wrap(credit, int(plot / 6.2))
    footer = {
        "data": {"values": [{}]},
        "mark": {"type": "text", "text": lines, "align": "left", "baseline": "top", "fontSize": 12, "lineHeight": 16},
        "encoding": {"x": {"value": 0}, "y": {"value": 0}},
        "width": plot,
        "height": 16 * len(lines),
    }
    spec: Spec = {**top, "title": title, "vconcat": [inner, footer]}
    # Office programs do not know currentColor, and a picture file has no page to take it from.
    fixed: Spec = json.loads(json.dumps(spec).replace('"currentColor"', f'"{INK}"'))
    fixed["config"]["background"] = "#ffffff"
    fixed["usermeta"] = {
        "exhibit": exhibit.id,
        "status": exhibit.status,
        "sources": exhibit.sources,
        "credit": credit,
    }
    return fixed


def download_svg(exhibit: Exhibit, credit: str) -> str:
    """The chart as a file that stands alone: the finding above what the page shows, source and credit below it."""
    drawn = page_svg(exhibit, WIDE)[0].replace("currentColor", INK)
    chart, high = re.sub(r"^<svg[^>]*>|</svg>$", "", drawn), _size(drawn, "height")
    finding, about, small = wrap(exhibit.title, 72), wrap(exhibit.subtitle, 97), wrap(credit, 110)
    title = _lines(finding, 20, 22, 'font-size="18" font-weight="bold"')
    below = 20 + 22 * len(finding)
    subtitle = _lines(about, below, 18, 'font-size="14"')
    top = below + 18 * len(about) - 6
    footer = _lines(small, top + high + 18, 16, 'font-size="12"')
    height = top + high + 16 * len(small) + 12
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{WIDE}" '
        f'height="{height}" viewBox="0 0 {WIDE} {height}"><title>{{}}</title><desc>{{}}</desc>'
        f'<rect width="{WIDE}" height="{height}" fill="#ffffff"/>'
        f'<g font-family="{{}}" fill="{INK}">{{}}{{}}{{}}</g><g transform="translate(0,{top})">{{}}</g></svg>\n'
    )
    font = specification(exhibit)["config"]["font"]
    return Markup(text).format(exhibit.title, exhibit.alt, font, title, subtitle, footer, Markup(chart))


def _lines(lines: list[str], top: int, step: int, style: str) -> Markup:
    """Lines of text below each other; `top` is where the first one stands, and all are in pixels."""
    spans = (Markup('<tspan x="4" y="{}">{}</tspan>').format(top + step * i, line) for i, line in enumerate(lines))
    return Markup(f"<text {style}>{{}}</text>").format(Markup("").join(spans))


def svg_to_png(svg: str, scale: int = 1) -> bytes:
    """Draw an SVG picture as PNG, on a white ground.

    Args:
        svg: the picture, of one size in pixels.
        scale: pixels of the PNG for each of them.
    """

    def draw() -> bytes:
        from resvg import render, usvg  # loaded where something is drawn

        tree = usvg.Tree.from_str(svg.replace("Liberation Sans", vega.FONT), _options())
        width, height = tree.int_size()
        size, white = (width * scale, height * scale), (255, 255, 255, 255)
        return render(tree, (scale, 0, 0, 0, scale, 0), bg_size=size, bg_color=white)

    return _kept("png", svg, str(scale), make=draw)


@cache
def _options() -> "usvg.Options":
    """How SVG is read: with the one font of charts, whatever fonts the machine has."""
    import fontpkg
    from resvg import usvg

    options = usvg.Options.default()
    options.load_font_file(str(fontpkg.path(vega.FONT)))
    return options


@cache
def _fitted(text: str, width: int, likely: int) -> tuple[str, int]:
    """Draw a chart `width` pixels wide in all, again until it fits: `likely` may be what surrounds the plot.

    Vega itself fits a plot with its axes in one drawing, but not the words that lead out of the plot.
    """

    def fit() -> bytes:
        name, spec, margin = digest(text), json.loads(text), likely
        for _ in range(MOST_DRAWINGS):
            svg = vega.to_svg(name, _with_plot_width(spec, width - margin), width - margin)
            if not (over := _size(svg, "width") - width):
                break
            margin += over
        return json.dumps([svg, margin - over]).encode()

    svg, margin = json.loads(_kept("fitted", text, str(width), make=fit))
    return svg, margin


def _kept(*follows_from: str, make: Callable[[], bytes]) -> bytes:
    """A picture: as it is kept, or made and kept.

    Args:
        follows_from: its form, and the texts and numbers that it is drawn from.
        make: draws it.
    """
    path = _album.folder / digest("\n".join([*follows_from, CODE])) if _album.folder else None
    content = keep.read(path) if path else None
    if content is None:
        if _album.only_look:
            raise NotDrawnError
        content = make()
        if path:
            keep.write(path, content)
    return content


def height(exhibit: Exhibit) -> int:
    """How high a chart is on a page on a desk, in pixels."""
    return _size(page_svg(exhibit, WIDE)[0], "height")


def _size(svg: str, side: str) -> int:
    found = re.search(rf'<svg[^>]* {side}="([\d.]+)"', svg)
    assert found, "Vega writes the width and the height of every picture"
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


def _bare(part: Any) -> Any:
    """A part of a specification without what is written: no axes, legends, headers, titles, or text marks."""
    if isinstance(part, list):
        return [_bare(one) for one in part if not (isinstance(one, dict) and _is_text(one.get("mark")))]
    if not isinstance(part, dict):
        return part
    bare = {key: value if key in AS_IT_IS else _bare(value) for key, value in part.items() if key not in WRITTEN}
    for name, channel in bare.get("encoding", {}).items():
        if name in GUIDES and "field" in channel:
            bare["encoding"][name] = channel | {GUIDES[name]: None}
    if isinstance(facet := bare.get("facet"), dict):
        one = {"header": {"labelExpr": "''", "labelFontSize": 1, "labelPadding": 0, "title": None}}
        bare["facet"] = facet | one if "field" in facet else {way: named | one for way, named in facet.items()}
    if isinstance(height := bare.get("height"), dict | int | float):
        bare["height"] = {"step": LOW} if isinstance(height, dict) else round(height * LOW / USUAL)
    return bare


def _is_text(mark: Any) -> bool:
    return (mark.get("type") if isinstance(mark, dict) else mark) == "text"
