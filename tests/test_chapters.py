"""The chapters: every code cell compared with its reference, numbers from code, words our own."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median

import nbformat
import pytest
from conftest import PAGES, ROOT, edit, run, soup

from companion.chapters.facts import QUOTE
from companion.chapters.notebooks import (
    StaleReferenceError,
    chapter_paths,
    code_cells,
    expected_path,
    is_notebook,
    read_chapter,
    with_reference,
)
from companion.chapters.record import record

REPORT = ROOT.parent / "shared" / "report.md"
EXPORTERS = Path("chapters/uas/exporters.md")
ROW = "2022-08,2022-08-01,Poland,Warmate,one-way attack,loitering munition,2018,300,"
# What a person may type: years, dates, and the names of groups, exhibits, weapons, laws, tariff codes and licenses.
TYPED = re.compile(
    r"\b\d{1,2} (?:January|February|March|April|May|June|July|August|September|October|November|December) \d{4}\b"
    r"|\b(?:FY)?(?:19|20)\d\d(?:s|(?:-\d\d){1,2})?\b|\b[Gg]roups? \d(?:(?:,| to| and| from) (?:[Gg]roup )?\d)*"
    r"|\b(?:Figures?|Tables?|Insights?|Article|Case) \d(?:(?:,| to| and) \d)*"
    r"|\b(?:HS )?[Cc]hapters? \d\d(?:(?:,| and) \d\d)*|\b(?:heading|HS) \d{4}(?:\.\d\d)?\b"
    r"|\b\d{4}\.\d\d(?:\.\d{4})?\b|\bHS-?\d+\b"
    r"|\bVega-Lite \d\b|\bSHA-256\b|\bPython 3\.\d+\b|\b0\.\d\.\d\b|^(?:#+ )?\d\. |= 100\b"
    r"|\bBSD-3-Clause\b|\bCC BY 4\.0\b|\b[A-Z][A-Za-z]*[-/]\d+[A-Z]*s?\b|\bTop 100\b"
    r"|\bL3Harris\b|\bType \d+\b|\bF\d{3}\b",
    re.MULTILINE,
)


def prose(page: Path) -> str:
    """A page without front matter, code, roles, link targets and math."""
    text = re.sub(r"\A---\n.*?\n---\n", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"^(```+).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(
        r"^:::.*$|^:[a-z-]+:.*$", "", text, flags=re.MULTILINE
    )  # the fences of cards and notes, not their text
    return re.sub(r"\{[a-z:]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)", " ", text)


def test_every_code_cell_of_every_chapter_is_compared(copy_of_project: Path):
    listing = run(copy_of_project, "pytest", "chapters", "--collect-only", "-q").stdout
    compared = re.findall(r"^(chapters/.*\.md)::", listing, flags=re.MULTILINE)
    chapters = [path.relative_to(ROOT) for path in chapter_paths()]
    assert chapters
    for chapter in chapters:
        cells = code_cells(read_chapter(ROOT / chapter))
        assert cells
        assert compared.count(chapter.as_posix()) == len(cells), chapter


def test_no_chapter_is_outside_the_book_and_no_reference_without_a_chapter():
    assert {page for page in PAGES if is_notebook(page)} == set(chapter_paths())
    references = set((ROOT / "tests" / "expected").rglob("*.ipynb"))
    assert references == {expected_path(chapter) for chapter in chapter_paths()}


def test_no_cell_skips_its_comparison():
    for chapter in chapter_paths():
        for cell in code_cells(read_chapter(chapter)):
            assert not {t for t in cell.metadata.get("tags", []) if "nbval" in t or "raises" in t}, chapter
            assert "NBVAL" not in cell.source, chapter


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_number_is_typed_in_prose(page: Path):
    typed = [line for line in TYPED.sub("", prose(page)).splitlines() if re.search(r"\d", line)]
    assert not typed, "take the number from the code: facts(name=...) and {eval}`facts.name`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_number_is_quoted_in_the_one_way(page: Path):
    """The one that the notebook shows too."""
    text = page.read_text(encoding="utf-8")
    assert "{glue" not in text
    assert len(re.findall(r"\{eval", text)) == len(list(QUOTE.finditer(text)))


def typed_in_exhibits(code: str) -> list[str]:
    """The typed parts of the texts of exhibits that have a digit; what stands in braces is computed."""
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    exhibits = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "exhibit"]
    texts = [k.value for call in exhibits for k in call.keywords if k.arg in {"title", "subtitle", "alt", "note"}]
    parts = [node for text in texts for node in ast.walk(text) if isinstance(node, ast.Constant)]
    computed = [node for text in texts for node in ast.walk(text) if isinstance(node, ast.FormattedValue)]
    in_braces = {id(node) for value in computed for node in ast.walk(value)}
    typed = [part.value for part in parts if isinstance(part.value, str) and id(part) not in in_braces]
    words = [" ".join(text.split()) for text in typed]
    return [text for text in words if re.search(r"\d", TYPED.sub("", text))]


def test_no_number_is_typed_in_the_texts_of_an_exhibit():
    for chapter in chapter_paths():
        for cell in code_cells(read_chapter(chapter)):
            typed = typed_in_exhibits(cell.source)
            assert not typed, f"{chapter.name}: take the numbers from the data, as in f'{{n}} sensors'"


def test_a_typed_number_in_an_exhibit_is_found():
    call = 'exhibit("x", t, title=f"{n} of the F-35 in 2024-08", subtitle="s", alt=ALT, note="")'
    assert typed_in_exhibits(call.replace("ALT", '"of 12 companies"')) == ["of 12 companies"]
    assert typed_in_exhibits(call.replace("ALT", """f"{n} of {x['2']:.1f} in HS chapter 90\"""")) == []
    assert typed_in_exhibits(call.replace("ALT", 'f"{n} of " + f"{n} in 3 rows"')) == ["in 3 rows"]


def rounded_early(code: str) -> list[str]:
    """What a cell rounds before a sentence or an exhibit does: a column, a number, or a text read back as a number.

    A whole number that goes into words, as in `in_words(round(x))`, is at its end.
    """
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    in_words = {id(part) for call in calls if getattr(call.func, "id", "") == "in_words" for part in call.args}
    found = []
    for call in calls:
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        parts = [node for part in call.args for node in ast.walk(part)]
        written = any(isinstance(node, ast.FormattedValue) and node.format_spec for node in parts)
        if (name == "round" and id(call) not in in_words) or (name in {"float", "int", "to_numeric"} and written):
            found.append(ast.unparse(call))
    return found


def test_no_number_comes_from_rounded_ones():
    """Chapters divide first; sentences, titles, and exhibits round last."""
    for chapter in chapter_paths():
        for cell in code_cells(read_chapter(chapter)):
            assert not rounded_early(cell.source), f"{chapter.name}: let the text or the exhibit round"


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("level = (spending / 1000).round(1)", ["(spending / 1000).round(1)"]),
        ("share = round(a / b, 2) * c", ["round(a / b, 2)"]),
        ("x = float(f'{a / b:.1f}') * c", ["float(f'{a / b:.1f}')"]),
        ("years = in_words(round(a / b)) + f'{c:.1f}'", []),
        ("years = in_words(round(a) / b)", ["round(a)"]),
    ],
)
def test_a_number_that_is_rounded_early_is_found(code: str, found: list[str]):
    assert rounded_early(code) == found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_ten_words_in_a_row_are_the_report_s(page: Path):
    if not REPORT.is_file():
        pytest.skip("the report is not at hand")

    report = REPORT.read_text(encoding="utf-8")
    names = runs(
        "Building a Mutually Complementary Supply Chain between Japan and the United States: Pathways to Deepening "
        "Japan-U.S. Defense Equipment and Technology Cooperation"
    ).union(*(runs(heading) for heading in headings(report)))
    copied = (runs(prose(page)) & runs(report)) - names
    assert not copied, [" ".join(run) for run in copied]


def runs(text: str) -> set[tuple[str, ...]]:
    """Every ten words in a row."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {tuple(words[i : i + 10]) for i in range(len(words) - 9)}


def headings(report: str) -> list[str]:
    """The report's headings; some are set in italics, not as headings."""
    found = re.findall(r"^(?:#{3,4} (.+)|_([A-Z][A-Z ()]+)_)$", report, flags=re.MULTILINE)
    return [marked or italic for marked, italic in found]


def test_every_heading_of_the_report_has_its_chapter():
    if not REPORT.is_file():
        pytest.skip("the report is not at hand")
    page = ROOT / "chapters" / "evidence" / "map.md"
    rows = [line.strip("| ").split(" | ") for line in page.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    parts = "\n".join(re.split(r"[:,*]", row[0].strip("*"))[0].strip().lower() for row in rows)
    for heading in headings(REPORT.read_text(encoding="utf-8")):
        assert re.split(r"[:,]", heading)[0].lower() in parts, heading
    for row in rows[2:]:
        for link in re.findall(r"\]\(([^)]+)\)", row[-1]):
            assert (page.parent / link).resolve() in {path.resolve() for path in PAGES}, link


def without_outputs(reference: nbformat.NotebookNode) -> None:
    next(cell for cell in reference.cells if cell.outputs).outputs = []


def never_run(reference: nbformat.NotebookNode) -> None:
    reference.cells[1].execution_count = None


def without_a_cell(reference: nbformat.NotebookNode) -> None:
    del reference.cells[1]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_a_cell, "the code has changed since its outputs were recorded"),
        (never_run, "the reference of code cell 2 was never run"),
        (None, "has no reference outputs"),
    ],
)
def test_a_damaged_reference_is_refused(
    copy_of_project: Path, damage: Callable[[nbformat.NotebookNode], None] | None, message: str
):
    chapter = copy_of_project / EXPORTERS
    path = expected_path(chapter, copy_of_project)
    reference = nbformat.read(path, as_version=4)
    path.unlink()
    if damage:
        damage(reference)
        nbformat.write(reference, path)
    with pytest.raises(StaleReferenceError, match=message):
        with_reference(chapter, copy_of_project)


def test_a_chapter_with_another_number_or_output_fails_by_name(copy_of_project: Path):
    """A changed table, an output without reference, and a reference that is missing, which is told in a sentence."""
    edit(copy_of_project / "data" / "uas_deliveries.csv", (ROW, ROW.replace("300,", "301,")))
    path = expected_path(copy_of_project / "chapters" / "uas" / "classification.md", copy_of_project)
    reference = nbformat.read(path, as_version=4)
    without_outputs(reference)
    nbformat.write(reference, path)
    expected_path(copy_of_project / "chapters" / "insights.md", copy_of_project).unlink()
    chapters = [str(EXPORTERS), "chapters/uas/classification.md", "chapters/insights.md"]
    result = run(copy_of_project, "pytest", *chapters, "-q", "--continue-on-collection-errors")
    assert result.returncode != 0
    assert re.search(r"FAILED chapters/uas/exporters\.md::Cell 1", result.stdout), result.stdout[-3000:]
    assert re.search(r"FAILED chapters/uas/classification\.md::Cell \d", result.stdout)
    assert "insights.md has no reference outputs" in result.stdout
    assert "StaleReferenceError" not in result.stdout


def test_recorded_outputs_are_the_committed_ones(copy_of_project: Path, monkeypatch: pytest.MonkeyPatch):
    """`make expected` on unchanged chapters changes nothing, also in a copy in another place."""
    kept = [copy_of_project / "tests" / "expected", copy_of_project / "data"]
    files = sorted(path for folder in kept for path in folder.rglob("*") if path.is_file())
    before = {path: path.read_bytes() for path in files}
    for path in kept[0].rglob("*.ipynb"):
        path.unlink()
    monkeypatch.chdir(copy_of_project)
    record(lambda line: None)
    after = {path: path.read_bytes() for path in files}
    assert [path.name for path in files if before[path] != after[path]] == []


def test_every_threat_has_a_test_that_exists():
    page = (ROOT / "chapters" / "evidence" / "threats.md").read_text(encoding="utf-8")
    threats = re.findall(r"^\| \*\*(.+?)\.\*\* [^|]+ \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    named = dict(re.findall(r"^- \*\*(.+?):\*\* (.+)$", page, re.MULTILINE))
    assert len(threats) >= 9
    assert threats == [*named]
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    defined = {*re.findall(r"^def (test_\w+)\(", tests, re.MULTILINE)}
    for threat, names in named.items():
        assert {*re.findall(r"`(\w+)`", names)} <= defined, threat
        assert re.fullmatch(r"(`\w+`(, )?)+", names), threat


# Names, and parts of names, that need no explanation.
NO_ACRONYMS = {"AB", "BSD", "BY", "CC", "CHANGELOG", "DIR", "II", "IIA", "NORA", "SHA", "SHIELD", "TV", "USA"}
NO_ACRONYMS |= {"BAT", "NTV"}


def test_every_acronym_of_the_prose_is_in_the_glossary():
    glossary = (ROOT / "chapters" / "evidence" / "glossary.md").read_text(encoding="utf-8")
    known = set(re.findall(r"[A-Z][A-Z/]+", glossary)) | NO_ACRONYMS
    for page in PAGES:
        text = re.sub(r"<[^>]*>|https?://\S+|\b[A-Z]+-\d\w*|\b[A-Z]{2}-\w+", " ", prose(page))
        unknown = set(re.findall(r"\b[A-Z]{2,}(?:/[A-Z]{2,})?\b", text)) - known
        assert not unknown, (page.name, unknown)


def test_the_code_of_cells_stands_in_their_exhibits_and_at_the_end_of_the_page(html: Path):
    """And no line of it is lost, or stands there twice."""
    page = soup(html / "chapters" / "uas" / "exporters.html")
    folds = page.find_all("details", class_="code-fold")
    exhibits = page.find_all("figure", class_="exhibit")
    assert [fold.find_parent("figure") for fold in folds if "exhibit-code" in fold["class"]] == exhibits
    assert folds[-1]["class"] == ["page-code", "code-fold"]
    shown = sorted(line for fold in folds for line in fold.pre.get_text().splitlines() if line.strip())
    cells = code_cells(read_chapter(ROOT / "chapters" / "uas" / "exporters.md"))
    assert shown == sorted(line for cell in cells for line in cell.source.splitlines() if line.strip())
    assert "load(" in page.find(id="figure-1").find("details", class_="exhibit-code").get_text()
    assert "import altair" in folds[-1].get_text()


def test_an_exhibit_is_made_in_few_lines():
    """Half of the cells with an exhibit have at most 22 lines, and no line of code is longer than a page is wide."""
    cells = [cell.source for page in chapter_paths(ROOT) for cell in code_cells(read_chapter(page))]
    lines = [len(code.splitlines()) for code in cells if "exhibit(" in code]
    assert median(lines) <= 22
    assert [line for code in cells for line in code.splitlines() if len(line) > 100] == []
