"""The benchmark is no test; that it still finds what it changes is one."""

import re

from bench import CHAPTER, PLAIN, ROW, TABLE
from conftest import ROOT


def test_what_the_benchmark_changes_is_there():
    for name, old, new in PLAIN:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert old in text, name
        assert old not in new or new not in text
    assert re.search(rf"^{ROW}\d+", (ROOT / TABLE).read_text(encoding="utf-8"), re.MULTILINE)
    chapter = (ROOT / CHAPTER).read_text(encoding="utf-8")
    assert "import altair as alt" in chapter
    assert "\n## " in chapter
