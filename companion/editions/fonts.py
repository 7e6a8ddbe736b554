"""The fonts of the book on paper. They come from packages, so its pages are the same whatever a machine has."""

import shutil
from itertools import product
from pathlib import Path

import fontpkg
import pylopdf_fonts_jp
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FOLDER = "fonts"  # beside the page; its templates name this folder and these families
FAMILIES = ("Arimo", "IBM Plex Mono", "PT Serif")
FALLBACK = "Noto Sans JP"  # Japanese letters, and the shapes that other fonts lack
STYLE_SHEET = "fonts.css"
# The fonts in this file's folder and no others. Chromium cannot draw at all where it finds none.
CONFIGURATION = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir prefix="relative">.</dir></fontconfig>
"""
FACE = """@font-face {{ font-family: "{}"; font-weight: {}; font-style: {}; src: url("{}"); }}\n"""


def write_fonts(folder: Path) -> Path:
    """Write the fonts, a style sheet that names them, and a configuration of fontconfig with nothing but them.

    Args:
        folder: where to write; made if it does not exist.

    Returns:
        The configuration, for the environment variable FONTCONFIG_FILE.
    """
    folder.mkdir(exist_ok=True)
    faces = ""
    for family, weight, style in product(FAMILIES, (400, 700), ("normal", "italic")):
        font = TTFont(fontpkg.path(family, weight, style), recalcTimestamp=False)
        if "fvar" in font:  # Chromium turns a font of many weights into shapes without a name
            instantiateVariableFont(font, {"wght": weight}, inplace=True, updateFontNames=True)
        name = f"{family.replace(' ', '')}-{weight}-{style}.ttf"
        font.save(folder / name)
        faces += FACE.format(family, weight, style, name)
    japanese = pylopdf_fonts_jp.sans_path()
    shutil.copyfile(japanese, folder / japanese.name)
    faces += FACE.format(FALLBACK, "normal", "normal", japanese.name)
    (folder / STYLE_SHEET).write_text(faces, encoding="utf-8")
    configuration = folder / "fonts.conf"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    return configuration
