"""Vega and Vega-Lite: what draws the charts, here in a script engine of its own, and in a reader's browser.

Words are as wide as in Liberation Sans, so that a chart is laid out alike whatever fonts a machine has.
"""

import json
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from companion.files.inputs import digest, file_digest

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

HERE = Path(__file__).parent
# As they are in the npm registry: build/*.min.js and LICENSE of each package.
VENDOR = HERE / "vendor"
VEGA, VEGA_LITE, VEGA_EMBED = "vega-6.2.0", "vega-lite-6.4.1", "vega-embed-7.3.0"
DRAW = HERE / "draw.js"
FONT = "Arimo"  # Liberation Sans under the name that it has in a package
WEIGHTS = {"normal": 400, "bold": 700}
# A picture that other code draws, or another engine, is another picture.
CODE = digest(
    "\n".join(
        [
            *map(file_digest, (Path(__file__), DRAW, VENDOR / f"{VEGA}.js", VENDOR / f"{VEGA_LITE}.js")),
            version("mini-racer"),
            version("fontpkg-arimo"),
        ]
    )
)


def to_svg(name: str, spec: dict[str, Any], width: int) -> str:
    """Draw a Vega-Lite specification, with its data, as SVG.

    Args:
        name: what it has in common with the same chart in other widths; the last chart is kept.
        spec: the specification.
        width: of its plots in pixels, as the specification has it.

    Raises:
        py_mini_racer.JSEvalException: Vega-Lite or Vega refuses the specification.
    """
    _engine().eval(f"begin({', '.join(map(json.dumps, (name, json.dumps(spec), width)))})")
    svg = _engine().eval("drawn()")
    assert isinstance(svg, str)
    return svg


def for_browsers() -> str:
    """Vega, Vega-Lite and Vega-Embed in one file that needs no network, under their names `vega` and `vegaEmbed`."""
    scripts = [VENDOR / f"{name}.js" for name in (VEGA, VEGA_LITE, VEGA_EMBED)]
    licences = [path.with_suffix(".LICENSE.txt").read_text(encoding="utf-8") for path in scripts]
    names = f"{VEGA}, {VEGA_LITE} and {VEGA_EMBED}, from the npm registry"
    texts = [re.sub(r"\n//# sourceMappingURL=.*", "", path.read_text(encoding="utf-8")) for path in scripts]
    return "\n".join([f"/*! {names}\n\n{licences[0]}*/", *(f"{text.rstrip()}\n;" for text in texts)])


@cache
def _engine() -> "MiniRacer":
    """The engine, with all that draws loaded. It does not work in a fork of the process that started it."""
    from py_mini_racer import MiniRacer

    engine = MiniRacer()
    engine.eval(f"const widths = {json.dumps(_widths())};")
    for path in (DRAW, VENDOR / f"{VEGA}.js", VENDOR / f"{VEGA_LITE}.js"):
        engine.eval(path.read_text(encoding="utf-8"))
    return engine


def _widths() -> dict[str, dict[str, float]]:
    """How wide each letter of the font is, in parts of its size, by weight."""
    import fontpkg
    from fontTools.ttLib import TTFont

    font = TTFont(fontpkg.path(FONT))
    letters, unit = font.getBestCmap(), font["head"].unitsPerEm
    return {
        name: {chr(code): glyphs[glyph].width / unit for code, glyph in letters.items()}
        for name, weight in WEIGHTS.items()
        for glyphs in [font.getGlyphSet(location={"wght": weight})]
    }
