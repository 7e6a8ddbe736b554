"""Charts and pages have letters of fonts that come with the environment; pictures are kept by all that draws them."""

import html as markup
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import fontpkg
import nbformat
import pytest
from conftest import ROOT, run
from fontTools.ttLib import TTFont

from companion.book import pictures, vega
from companion.chapters.notebooks import exhibits_of
from companion.editions.fonts import write_fonts

DRAW = """
import hashlib
import nbformat
from companion.book.pictures import download_svg, page_svg, svg_to_png
from companion.chapters.notebooks import exhibits_of

for exhibit in exhibits_of(nbformat.read("tests/expected/chapters/eoir/industrial-base.ipynb", 4)):
    if exhibit.spec is not None:
        file = download_svg(exhibit, "A credit")
        drawn = [page_svg(exhibit, 330)[0].encode(), file.encode(), svg_to_png(file)]
        print(exhibit.id, *(hashlib.sha256(picture).hexdigest() for picture in drawn))
"""


@pytest.fixture
def draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Draws the charts of a chapter where only the fonts of a configuration are installed; gives their digests."""

    def drawn(fonts: str) -> str:
        (tmp_path / "fonts.conf").write_text(f"<fontconfig>{fonts}</fontconfig>", encoding="utf-8")
        monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
        result = run(ROOT, "python", "-c", DRAW)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return drawn


def test_charts_are_the_same_where_another_liberation_sans_is_installed(draw: Callable[[str], str], tmp_path: Path):
    other = TTFont(fontpkg.path("IBM Plex Mono"))
    for name in (1, 16):
        other["name"].setName("Liberation Sans", name, 3, 1, 0x409)
    (tmp_path / "fonts").mkdir()
    other.save(tmp_path / "fonts" / "other.ttf")
    without = draw("")
    assert len(without.splitlines()) >= 2
    assert draw(f"<dir>{tmp_path / 'fonts'}</dir>") == without


def test_a_chart_drawn_once_more_in_another_width_is_as_if_it_were_new():
    for path in sorted((ROOT / "tests/expected/chapters").rglob("*.ipynb")):
        for exhibit in exhibits_of(nbformat.read(path, 4)):
            if exhibit.spec is not None and exhibit.reproduces:
                spec = pictures.specification(exhibit)
                first, *again = (in_width(exhibit.id, spec, width) for width in (600, 300, 600))
                assert again == [in_width("new", spec, 300), first]
                in_width("another", spec, 10)  # so that the next one is new


def in_width(name: str, spec: pictures.Spec, width: int) -> str:
    return vega.to_svg(name, pictures._with_plot_width(spec, width), width)


def test_words_are_as_wide_as_in_the_font():
    font = TTFont(fontpkg.path("Arimo"))
    names = [font.getBestCmap()[ord(letter)] for letter in "Wide 100"]
    at_once = {"data": {"values": [{}]}, "encoding": {"x": {"value": 0}, "y": {"value": 0}}, "padding": 0, "width": 1}
    widths = []
    for name, weight in (("normal", 400), ("bold", 700)):
        mark = {"type": "text", "text": "Wide 100", "fontSize": 200, "fontWeight": name, "align": "left"}
        drawn = re.search(r' width="(\d+)"', vega.to_svg(name, at_once | {"mark": mark}, 1))
        glyphs = font.getGlyphSet(location={"wght": weight})
        assert int(drawn[1]) == pytest.approx(sum(200 * glyphs[name].width / 2048 for name in names), abs=1)
        widths.append(int(drawn[1]))
    assert widths[0] < widths[1]


def test_a_picture_that_other_code_drew_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pictures, "_album", pictures._Album(tmp_path))
    drawn = [pictures._kept("form", "chart", make=lambda content=content: content) for content in (b"one", b"two")]
    assert drawn == [b"one", b"one"]
    monkeypatch.setattr(pictures, "CODE", "changed")
    assert pictures._kept("form", "chart", make=lambda: b"three") == b"three"


def letters(paths: Iterable[Path]) -> set[str]:
    texts = (markup.unescape(path.read_text(encoding="utf-8")) for path in paths)
    return {letter for letter in set[str]().union(*texts) if letter.isprintable()}


def test_charts_have_no_letter_that_their_font_lacks(html: Path):
    known = TTFont(fontpkg.path("Arimo")).getBestCmap()
    assert {letter for letter in letters((html / "exhibits").glob("*.svg")) if ord(letter) not in known} == set()


def test_paper_has_fonts_for_every_letter(html: Path, tmp_path: Path):
    write_fonts(tmp_path)
    known = {letter for path in tmp_path.glob("*.[ot]tf") for letter in TTFont(path).getBestCmap()}
    assert {letter for letter in letters(html.rglob("*.html")) if ord(letter) not in known} == set()
