"""The fonts of the book on paper. They come from packages, so its pages are the same whatever a machine has."""

import shutil
from importlib.metadata import version
from itertools import product
from pathlib import Path

import fontpkg
import pylopdf_fonts_jp
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FOLDER = "fonts"  # beside the page; its templates name this folder and these families
FAMILIES = ("Arimo", "IBM Plex Mono", "PT Serif")
FALLBACK = "Noto Sans JP"  # Japanese letters, and the shapes that other fonts lack
PACKAGES = ("fontpkg-arimo", "fontpkg-ibm-plex-mono", "fontpkg-pt-serif", "fonttools", "pylopdf-fonts-jp")
STYLE_SHEET = "fonts.css"
# What is kept of a font that is made anew: Latin letters, punctuation, and signs. The fallback has Greek and Cyrillic
# ones too; all that the font has would take three times as long.
LETTERS = [*range(0x20, 0x250), *range(0x2000, 0x2C00)]
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
    configuration, style_sheet = folder / "fonts.conf", folder / STYLE_SHEET
    kinds = list(product(FAMILIES, (400, 700), ("normal", "italic")))
    names = [f"{family.replace(' ', '')}-{weight}-{style}.ttf" for family, weight, style in kinds]
    japanese = pylopdf_fonts_jp.sans_path()
    faces = f"/* {', '.join(f'{package} {version(package)}' for package in PACKAGES)}, {len(LETTERS)} letters */\n"
    faces += "".join(FACE.format(*kind, name) for kind, name in zip(kinds, names, strict=True))
    faces += FACE.format(FALLBACK, "normal", "normal", japanese.name)
    if style_sheet.is_file() and style_sheet.read_text(encoding="utf-8") == faces:
        return configuration
    folder.mkdir(exist_ok=True)
    for (family, weight, style), name in zip(kinds, names, strict=True):
        packaged = fontpkg.path(family, weight, style)
        font = TTFont(packaged, recalcTimestamp=False)
        if "fvar" in font:  # Chromium turns a font of many weights into shapes without a name
            subsetter = Subsetter(Options(layout_features=["*"], name_IDs=["*"]))
            subsetter.populate(unicodes=LETTERS)
            subsetter.subset(font)
            instantiateVariableFont(font, {"wght": weight}, inplace=True, updateFontNames=True)
            font.save(folder / name)
        else:
            shutil.copyfile(packaged, folder / name)
    shutil.copyfile(japanese, folder / japanese.name)
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    style_sheet.write_text(faces, encoding="utf-8")  # last: it says that the fonts are there
    return configuration
