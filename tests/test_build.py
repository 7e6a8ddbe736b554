"""The build: a bad page fails it, data are seen through the cache, and it is the same in every folder."""

import hashlib
from pathlib import Path

from conftest import build, copy_project, edit

ROW = "2022-08,2022-08-01,Poland,Warmate,one-way attack,loitering munition,2018,300,"
PAGE = "chapters/uas/exporters.html"


def fingerprint(folder: Path) -> dict[str, str]:
    html = folder / "_build" / "html"
    files = (path for path in html.rglob("*") if path.is_file())
    return {path.relative_to(html).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_book_is_the_same_everywhere_and_follows_its_data(tmp_path: Path):
    one, other = copy_project(tmp_path / "one"), copy_project(tmp_path / "another place" / "two")
    for folder in (one, other):
        result = build(folder)
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-3000:]
    clean = fingerprint(one)
    assert clean == fingerprint(other)

    # No cleaning between the builds: Jupyter Book's cache must see the table.
    edit(one / "data" / "uas_deliveries.csv", (ROW, ROW.replace("300,", "1300,")))
    assert build(one).returncode == 0
    page = (one / "_build" / "html" / PAGE).read_text(encoding="utf-8")
    assert "3,877" in page
    assert "2,877" not in page
    landing = (one / "_build" / "html" / "chapters" / "index.html").read_text(encoding="utf-8")
    assert "3,877" in landing

    edit(one / "data" / "uas_deliveries.csv", (ROW.replace("300,", "1300,"), ROW))
    again = build(one)
    assert again.returncode == 0
    assert "Using cached notebook" in again.stdout + again.stderr
    # Sphinx keeps words in its search index that no page has any more; readers get everything else as it was.
    assert {name: digest for name, digest in fingerprint(one).items() if name != "searchindex.js"} == {
        name: digest for name, digest in clean.items() if name != "searchindex.js"
    }


def test_a_cell_that_raises_fails_the_build(copy_of_project: Path):
    chapter = copy_of_project / "chapters" / "uas" / "classification.md"
    edit(chapter, ('groups = load("uas_groups")', 'raise RuntimeError("broken on purpose")'))
    result = build(copy_of_project)
    assert result.returncode != 0
    assert "broken on purpose" in result.stdout + result.stderr


def test_a_warning_fails_the_build(copy_of_project: Path):
    page = copy_of_project / "chapters" / "index.md"
    edit(page, ("# Complementary", "{numref}`no-such-exhibit`\n\n# Complementary"))
    result = build(copy_of_project)
    assert result.returncode != 0
    assert "no-such-exhibit" in result.stdout + result.stderr


def test_an_unknown_exhibit_in_the_gallery_fails_the_build(copy_of_project: Path):
    edit(copy_of_project / "chapters" / "index.md", ("figure-4\n", "figure-44\n"))
    result = build(copy_of_project)
    assert result.returncode != 0
    assert "figure-44" in result.stdout + result.stderr
