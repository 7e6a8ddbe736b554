"""The build: a bad page fails it, it sees every change and no more, and it is the same in every folder."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import PICTURES, build, copy_project, edit, run

from companion.book.freshness import BEGUN
from companion.book.seal import SEAL
from companion.chapters.execution import STORE

ROW = "2022-08,2022-08-01,Poland,Warmate,one-way attack,loitering munition,2018,300,"
CHANGED = ROW.replace("300,", "9300,")
DELIVERIES = "data/uas_deliveries.csv"
HTML = Path("_build", "html")
PAGE = HTML / "chapters" / "deliveries.html"


@pytest.fixture(scope="module")
def pair(small_book: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small book that was built where it stands, since Sphinx reads each page of one that was moved, and a copy."""
    home = shutil.copytree(small_book, tmp_path_factory.mktemp("home") / "book")
    (home / SEAL).unlink()
    built(home)
    return home, shutil.copytree(home, home.with_name("copy"))


@pytest.fixture
def book(pair: tuple[Path, Path]) -> Iterator[Path]:
    """A built small book that a test may change; the next build reads what changed and no more."""
    home, copy = pair
    yield home
    shutil.rmtree(home)
    shutil.copytree(copy, home)


def fingerprint(folder: Path) -> dict[str, str]:
    files = (path for path in (folder / HTML).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def built(folder: Path) -> dict[str, str]:
    """Build, and say how each chapter came: run or cached."""
    done = build(folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    lines = re.findall(r"^(\S+) +(cached|[\d.]+ s)$", done.stdout, re.MULTILINE)
    return {name: "cached" if how == "cached" else "run" for name, how in lines}


def built_clean(folder: Path) -> dict[str, str]:
    """The files of a build that starts from nothing but the results of chapters and the pictures."""
    shutil.rmtree(folder / "_build" / "html")
    shutil.rmtree(folder / "_build" / ".doctrees")
    built(folder)
    return fingerprint(folder)


def test_it_says_what_it_did_in_a_few_lines(book: Path):
    edit(book / "chapters" / "index.md", ("# A small book", "# A short book"))
    done = build(book)
    *chapters, pages, last = done.stdout.splitlines()
    assert [line.split() for line in chapters] == [["deliveries", "cached"], ["groups", "cached"]]
    assert pages == "7 pages ..."
    assert last.endswith((book / HTML / "index.html").as_uri())
    assert (book / HTML / "index.html").is_file()
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def change_a_page(book: Path) -> None:
    (book / PAGE).write_text("changed by hand", encoding="utf-8")


def lose_a_page(book: Path) -> None:
    (book / PAGE).unlink()


def touch_nothing(book: Path) -> None:
    shutil.rmtree(book / "_build" / ".jupyter_cache")  # filled anew by each build that reads a page


@pytest.mark.parametrize(("damage", "looks"), [(touch_nothing, False), (change_a_page, True), (lose_a_page, True)])
def test_a_book_in_which_nothing_changed_is_left_as_it_is(book: Path, damage: Callable[[Path], None], looks: bool):
    damage(book)
    done = build(book)
    assert done.returncode == 0
    assert ("cached" in done.stdout) is looks
    assert ("Nothing has changed" in done.stdout) is not looks
    assert (book / HTML / "index.html").as_uri() in done.stdout.splitlines()[-1]


def test_a_cell_that_raises_fails_the_build_with_its_place(book: Path):
    edit(
        book / "chapters" / "deliveries.md", ("first, last =", 'raise RuntimeError("broken on purpose")\nfirst, last =')
    )
    done = build(book)
    assert done.returncode == 1
    first, *_, last = done.stderr.splitlines()
    assert first == "chapters/deliveries.md, code cell 1 (line 14)"
    assert last == "RuntimeError: broken on purpose"
    assert len(done.stderr.splitlines()) < 25


def test_a_warning_fails_the_build_each_time(book: Path):
    edit(
        book / "chapters" / "index.md",
        ("# A small book", "{numref}`no-such-exhibit`\n\n# A small book"),
        ("small-deliveries\n```", "small-deliverys\n```"),
    )
    for _ in range(2):
        done = build(book)
        assert done.returncode == 1
        assert "no-such-exhibit" in done.stderr
        assert "there is no exhibit 'small-deliverys'" in done.stderr
        assert done.stderr.splitlines()[-1] == "The book is not built. The messages above say why."


def test_a_chapter_with_a_fault_fails_the_build_and_is_no_stale_page(book: Path):
    edit(book / "chapters" / "groups.md", ("kernelspec:\n", "kernelspec: # the usual one\n"))
    done = build(book)
    assert done.returncode == 1
    assert "groups.md: its front matter needs 'kernelspec:'" in done.stderr


def test_a_number_that_no_chapter_has_fails_the_build_with_its_place(book: Path):
    """All of them at once, each with the line and the nearest name; in plain Jupyter Book too."""
    edit(book / "chapters" / "deliveries.md", ("`facts.total`", "`facts.totl`"), ("{numref}", "{eval}`total` {numref}"))
    edit(
        book / "chapters" / "index.md", ('one database, {eval}`facts["deliveries"].', 'two, {eval}`facts["deliverys"].')
    )
    for command in (["python", "-m", "companion", "book"], ["jupyter-book", "build", "."]):
        done = run(book, *command)
        assert done.returncode == 1
        assert "chapters/deliveries.md:27: There is no fact 'totl'. Did you mean 'total'?" in done.stderr
        assert "chapters/deliveries.md:27: {eval}`total` is neither {eval}`facts.name` nor" in done.stderr
        assert "chapters/index.md:3: There is no page 'deliverys'. Did you mean 'deliveries'?" in done.stderr


def test_a_number_that_another_chapter_no_longer_has_fails_each_build(book: Path):
    edit(book / "chapters" / "deliveries.md", ("facts(total=", "facts(in_all="), ("facts.total", "facts.in_all"))
    for _ in range(2):
        done = run(book, "jupyter-book", "build", ".")
        assert done.returncode == 1
        assert "chapters/index.md:3: There is no fact 'total'. Did you mean 'in_all'?" in done.stderr


def test_the_pages_follow_a_table_and_only_its_chapters_run(book: Path):
    before = fingerprint(book)
    assert "2,877" in (book / PAGE).read_text(encoding="utf-8")
    edit(book / DELIVERIES, (ROW, ROW.replace("300,", "1300,")))
    assert built(book) == {"deliveries": "run", "groups": "cached"}
    for page in (book / PAGE, book / HTML / "chapters" / "index.html"):
        text = page.read_text(encoding="utf-8")
        assert "3,877" in text, page
        assert "2,877" not in text, page
    edit(book / DELIVERIES, (ROW.replace("300,", "1300,"), ROW))
    assert built(book) == {"deliveries": "cached", "groups": "cached"}
    assert fingerprint(book) == before


def test_pages_that_show_what_others_have_follow_them(book: Path):
    """Also where nothing changes that every page shows, such as a title; then no other page is written."""
    other = book / HTML / "chapters" / "groups.html"
    written = other.stat().st_mtime_ns
    changes = (
        ("facts(total=f", "facts(total='about ' + f"),
        ("observed=bool(last > first)", "observed=bool(last < first)"),
    )
    edit(book / "chapters" / "deliveries.md", *changes)
    assert built(book) == {"deliveries": "run", "groups": "cached"}
    assert "about 2,877" in (book / HTML / "chapters" / "index.html").read_text(encoding="utf-8")
    ledger = (book / HTML / "chapters" / "evidence" / "claims.html").read_text(encoding="utf-8")
    assert re.search(r'<tr id="ledger-c074"[^>]* data-verdict="(\w+)"', ledger)[1] != "confirmed"
    assert other.stat().st_mtime_ns == written


def test_plain_jupyter_book_gives_the_same_pages_and_fails_alike(book: Path):
    before = fingerprint(book)
    shutil.rmtree(book / "_build")
    done = run(book, "jupyter-book", "build", ".")
    assert done.returncode == 0, done.stderr[-3000:]
    assert fingerprint(book) == before
    edit(book / "chapters" / "deliveries.md", ("first, last =", 'raise RuntimeError("on purpose")\nfirst, last ='))
    done = run(book, "jupyter-book", "build", ".")
    assert done.returncode != 0
    assert "chapters/deliveries.md, code cell 1 (line 14)" in done.stderr


def retitle(book: Path) -> None:
    edit(book / "chapters" / "groups.md", ("# How are", "# In which way are"))


def another_exhibit_before(book: Path) -> None:
    path = book / "chapters" / "deliveries.md"
    text = path.read_text(encoding="utf-8")
    cell = re.search(r"```\{code-cell\} ipython3\n:tags: \[hide-input\]\n\nexhibit\(.*?```\n", text, re.DOTALL)[0]
    path.write_text(
        text.replace(cell, cell.replace("small-deliveries", "more-deliveries") + "\n" + cell), encoding="utf-8"
    )


CHANGES: dict[str, Callable[[Path], None]] = {
    "a title, which other pages show": retitle,
    "the number of every later exhibit": another_exhibit_before,
    "the version, on every page": lambda book: edit(book / "CITATION.cff", ("version: ", "version: 9")),
    "a template that is filled when a page is read": lambda book: edit(
        book / "companion" / "book" / "templates" / "tables.md", ("{{", "Changed. {{")
    ),
    "a template that is filled when a page is written": lambda book: edit(
        book / "companion" / "book" / "templates" / "figure.html", ("<figure", "<!-- changed --><figure")
    ),
    "the description of a table, in the catalogue": lambda book: edit(
        book / "data" / "datapackage.json",
        ("U.S. Department of Defense groups of", "The U.S. Department of Defense groups of"),
    ),
    "a word that pages show": lambda book: edit(book / "companion" / "report.py", ('"own analysis"', '"own work"')),
    "the theme of charts": lambda book: edit(
        book / "companion" / "exhibits" / "theme.py", ('GREY = "#8A8A8A"', 'GREY = "#8B8B8B"')
    ),
    "a claim": lambda book: edit(book / "data" / "claims.csv", ("C075,", "C075,Changed: ")),
    "a page that goes": lambda book: (
        edit(book / "_toc.yml", ("      - file: chapters/groups\n", "")),
        edit(book / "chapters" / "deliveries.md", ("{numref}`small-groups`", "a table")),
        edit(book / "data" / "datapackage.json", ('"small-groups"', '"small-deliveries"')),
        (book / "chapters" / "groups.md").unlink(),
        None,
    )[-1],
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_the_pages_are_those_of_a_clean_build(book: Path, change: str):
    before = fingerprint(book)
    CHANGES[change](book)
    built(book)
    now = fingerprint(book)
    assert now != before
    assert now == built_clean(book)


DAMAGES: list[Callable[[Path], object]] = [
    lambda path: path.unlink(),
    lambda path: path.write_bytes(path.read_bytes()[:-9]),
    lambda path: path.write_bytes(b"\x00garbage"),
]


def test_whatever_befalls_what_was_kept_the_pages_are_right(book: Path):
    before = fingerprint(book)
    shutil.rmtree(book / "_build" / "html")
    shutil.rmtree(book / "_build" / ".doctrees")
    for folder in (STORE.name, PICTURES, ".jupyter_cache"):
        files = sorted(path for path in (book / "_build" / folder).rglob("*") if path.is_file())
        assert files
        for number, path in enumerate(files):
            DAMAGES[number % len(DAMAGES)](path)
    assert set(built(book).values()) == {"run"}
    assert fingerprint(book) == before


@pytest.mark.slow
def test_after_a_build_that_did_not_end_every_page_is_read(book: Path):
    before, kept = fingerprint(book), book / "_build" / ".doctrees"
    known = (kept / "environment.pickle").read_bytes()
    edit(book / DELIVERIES, (ROW, CHANGED))
    built(book)
    edit(book / DELIVERIES, (CHANGED, ROW))
    # As if the build had been killed as it read: Sphinx knows of the pages of before, and one was cut as it was kept.
    (kept / "environment.pickle").write_bytes(known)
    (kept / "chapters" / "index.doctree").write_bytes(b"")
    (kept / BEGUN).touch()
    built(book)
    assert fingerprint(book) == before
    assert not (kept / BEGUN).exists()


@pytest.mark.slow
def test_killed_at_any_moment_the_next_build_is_right(book: Path):
    expected = {ROW: fingerprint(book)}
    edit(book / DELIVERIES, (ROW, CHANGED))
    expected[CHANGED] = built_clean(book)
    row = CHANGED
    for number in range(20):
        other = ROW if row == CHANGED else CHANGED
        edit(book / DELIVERIES, (row, other))
        process = subprocess.Popen(
            [sys.executable, "-m", "companion", "book"],
            cwd=book,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(random.Random(number).uniform(0.5, 6))
        process.send_signal([signal.SIGKILL, signal.SIGINT][number % 2])
        process.wait()
        if number % 4 < 2:  # else the change stays
            edit(book / DELIVERIES, (other, row))
        else:
            row = other
        built(book)
        assert fingerprint(book) == expected[row], number
        assert not list((book / "_build").rglob(".*.part")), number


@pytest.mark.slow
def test_after_a_clock_was_set_back_the_pages_follow_their_files(book: Path):
    for path in book.rglob("*"):
        os.utime(path, (4_102_444_800, 4_102_444_800))
    built(book)
    edit(book / DELIVERIES, (ROW, ROW.replace("300,", "1300,")))
    edit(book / "chapters" / "index.md", ("# A small book", "# A short book"))
    edit(book / "_toc.yml", ('caption: "Deliveries"', 'caption: "What was delivered"'))
    edit(book / "companion" / "book" / "templates" / "figure.html", ("<figure", "<!-- changed --><figure"))
    assert built(book) == {"deliveries": "run", "groups": "cached"}
    now = fingerprint(book)
    assert now == built_clean(book)


EDITS: list[tuple[str, str, str]] = [
    (DELIVERIES, ROW, ROW.replace("300,", "400,")),
    (DELIVERIES, ROW, ROW.replace("300,", "500,")),
    ("chapters/deliveries.md", "In all, ", "Altogether, "),
    ("chapters/deliveries.md", "# Did deliveries rise?", "# Did they rise?"),
    ("chapters/deliveries.md", "mark_bar", "mark_line"),
    ("chapters/groups.md", "Five groups", "Some groups"),
    ("chapters/groups.md", "# How are", "# In which way are"),
    ("chapters/index.md", "[The deliveries]", "[Deliveries]"),
    ("companion/exhibits/theme.py", 'GREY = "#8A8A8A"', 'GREY = "#8B8B8B"'),
    ("companion/chapters/facts.py", ":,}", ":_}"),
    ("companion/report.py", '"own analysis"', '"own work"'),
    ("companion/book/templates/figure.html", "<figure", "<!-- changed --><figure"),
    ("companion/book/templates/tables.md", "{{", "Changed. {{"),
    ("CITATION.cff", "version: ", "version: 9"),
]


def wander(book: Path, steps: int, seed: int) -> None:
    """Make and undo changes at random; after each, the pages are those of a clean build."""
    chance, undone = random.Random(seed), {}
    for step in range(steps):
        file, old, new = chance.choice(EDITS)
        if file in undone and chance.random() < 0.6:
            (book / file).write_bytes(undone.pop(file))
        elif file not in undone:
            undone[file] = (book / file).read_bytes()
            edit(book / file, (old, new))
        built(book)
        other = book.with_name(f"{book.name}-clean")
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(
            book, other, ignore=shutil.ignore_patterns("html", ".doctrees", ".jupyter_cache", "jupyter_execute")
        )
        built(other)
        assert fingerprint(book) == fingerprint(other), (step, file, old, new)


@pytest.mark.slow
def test_after_random_changes_the_pages_are_those_of_a_clean_build(book: Path):
    wander(book, 12, seed=1)


@pytest.mark.slow
def test_two_clean_builds_of_the_whole_book_are_the_same(tmp_path: Path):
    one, other = copy_project(tmp_path / "one"), copy_project(tmp_path / "another plače" / "two")
    shutil.rmtree(other / "_build")  # here everything is made from nothing
    assert set(built(other).values()) == {"run"}
    built(one)
    assert fingerprint(one) == fingerprint(other)
