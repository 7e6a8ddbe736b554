"""Running chapters: as a fresh kernel does, each once, and again when something that it read has changed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import FRONT, edit
from nbclient import NotebookClient

from companion import settings
from companion.chapters import execution
from companion.chapters.execution import STORE, ExecutionError, execute
from companion.chapters.notebooks import code_cells, read_chapter
from companion.files.inputs import LIBRARY

pytestmark = pytest.mark.usefixtures("warm")
TABLES = {
    "gdp": {"name": "gdp", "path": "gdp.csv", "schema": {"fields": [{"name": "n", "type": "integer"}]}},
    "other": {"name": "other", "path": "other.csv", "schema": {"fields": [{"name": "n", "type": "integer"}]}},
}
# Everything that a cell can show, and what one cell leaves to the next.
SHOWING = [
    "import sys\nprint('one')\nprint('two', file=sys.stderr)\nprint('three')\n5",
    "from IPython.display import HTML, clear_output, display\nh = display('a', display_id='x')\ndisplay(HTML('b'))",
    "h.update('c')\n_",
    "print('gone')\nclear_output()\nawait __import__('asyncio').sleep(0)\nout = 'é'\nout;",
    "import pandas as pd\npd.DataFrame({'n': [1, None]})",
    "from myst_nb import glue\nglue('name', 'value', display=False)\n__name__, out, Out[1]",
    "%%capture\nprint('nothing')",
]


def chapter(book: Path, name: str, *cells: str, prose: str = "") -> Path:
    path = book / "chapters" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    code = "\n\n".join(f"```{{code-cell}} ipython3\n{cell}\n```" for cell in cells)
    path.write_text(f"{FRONT}# A page\n\n{prose}\n\n{code}\n", encoding="utf-8")
    return path


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book of two tables and no chapter yet, in a folder that scripts seldom think of."""
    folder = tmp_path / "a book’s föld€r"
    (folder / "data").mkdir(parents=True)
    for name in TABLES:
        (folder / "data" / f"{name}.csv").write_text("n\n1\n")
    package = {"name": "tables", "resources": list(TABLES.values())}
    (folder / "data" / "datapackage.json").write_text(json.dumps(package))
    (folder / "requirements.txt").write_text("pandas==3\n")
    monkeypatch.setenv(settings.LOCAL, "data/local")
    return folder


def run(book: Path, *chapters: Path) -> tuple[list[list], dict[str, str]]:
    """The outputs of the first chapter, and what was said of each."""
    lines: list[str] = []
    runs = execute(book, chapters, lines.append)
    said = {name: "cached" if how == "cached" else "run" for name, how in (line.split(None, 1) for line in lines)}
    return runs[chapters[0].resolve()].outputs, said


def test_outputs_are_those_of_a_fresh_kernel(book: Path):
    page = chapter(book, "showing", *SHOWING)
    notebook = read_chapter(page)
    NotebookClient(notebook, resources={"metadata": {"path": str(page.parent)}}).execute()
    kernel = json.loads(nbformat.writes(notebook))["cells"]
    ours = read_chapter(page)
    for cell, outputs in zip(code_cells(ours), run(book, page)[0], strict=True):
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
    shown = [cell for cell in json.loads(nbformat.writes(ours))["cells"] if cell["cell_type"] == "code"]
    for one, other in zip(shown, (cell for cell in kernel if cell["cell_type"] == "code"), strict=True):
        assert one["outputs"] == other["outputs"], one["source"]
    assert [len(cell["outputs"]) for cell in shown] == [3, 2, 1, 0, 1, 2, 0]


def test_a_chapter_runs_again_when_what_it_read_has_changed_and_only_then(book: Path):
    one = chapter(book, "part/one", "from companion import load\nload('gdp')['n'].sum()")
    two = chapter(book, "two", "from pathlib import Path\nPath('../data/other.csv').read_text()")
    assert run(book, one, two)[1] == {"part/one": "run", "two": "run"}
    assert run(book, one, two)[1] == {"part/one": "cached", "two": "cached"}

    (book / "data" / "gdp.csv").write_text("n\n2\n")
    outputs, said = run(book, one, two)
    assert said == {"part/one": "run", "two": "cached"}
    assert outputs[0][0]["data"]["text/plain"] == "np.int64(2)"

    (book / "data" / "other.csv").write_text("n\n3\n")
    assert run(book, one, two)[1] == {"part/one": "cached", "two": "run"}

    (book / "data" / "gdp.csv").write_text("n\n1\n")
    outputs, said = run(book, one, two)
    assert said == {"part/one": "cached", "two": "cached"}, "put back, it needs no run"
    assert outputs[0][0]["data"]["text/plain"] == "np.int64(1)"

    edit(one, ("# A page", "# Another title"))
    assert run(book, one, two)[1] == {"part/one": "cached", "two": "cached"}, "its text is not its code"
    edit(one, (".sum()", ".max()"))
    assert run(book, one, two)[1] == {"part/one": "run", "two": "cached"}
    (book / "requirements.txt").write_text("pandas==4\n")
    assert run(book, one, two)[1] == {"part/one": "run", "two": "run"}


def test_the_description_of_a_table_counts_for_those_who_read_it(book: Path):
    one = chapter(book, "one", "from companion.tables import describe\ndescribe('gdp')['path']")
    two = chapter(book, "two", "from companion.tables import package\nlen(package()['resources'])")
    run(book, one, two)
    path = book / "data" / "datapackage.json"
    package = json.loads(path.read_text())
    package["resources"][1]["title"] = "Another"
    path.write_text(json.dumps(package))
    assert run(book, one, two)[1] == {"one": "cached", "two": "run"}
    package["resources"][0]["title"] = "GDP"
    path.write_text(json.dumps(package))
    assert run(book, one, two)[1] == {"one": "run", "two": "run"}


def test_the_reader_s_own_files_count_for_those_who_ask_for_them(book: Path, monkeypatch: pytest.MonkeyPatch):
    one = chapter(book, "one", "from companion import local\nlocal('janes_sensors') is None")
    two = chapter(book, "two", "1 + 1")
    assert run(book, one, two)[0][0][0]["data"]["text/plain"] == "True"
    own = book / "own files"
    own.mkdir()
    (own / "janes-export.csv").write_text("Sensor,Manufacturer,Prime Contractor\nEye-1,A,B\n")
    monkeypatch.setenv(settings.LOCAL, "own files")  # a relative folder is one of the book's
    outputs, said = run(book, one, two)
    assert said == {"one": "run", "two": "cached"}
    assert outputs[0][0]["data"]["text/plain"] == "False"
    (own / "notes.txt").write_text("more")
    assert run(book, one, two)[1] == {"one": "run", "two": "cached"}


def test_a_module_of_the_library_counts_for_those_who_load_it(book: Path):
    library = shutil.copytree(LIBRARY / "companion", book / "companion")
    (library / "extra.py").write_text("VALUE = 1\n")
    chapter(book, "one", "from companion.extra import VALUE\nVALUE")
    chapter(book, "two", "1 + 1")
    code = (
        "from pathlib import Path; from companion.chapters.execution import execute;"
        "print([r.outputs[0][0]['data']['text/plain'] for r in execute(Path(), [Path('chapters/one.md'),"
        "Path('chapters/two.md')]).values()])"
    )

    def said() -> list[str]:
        done = subprocess.run([sys.executable, "-c", code], cwd=book, capture_output=True, encoding="utf-8", check=True)
        return done.stdout.splitlines()

    assert said()[-1] == "['1', '2']"
    (library / "extra.py").write_text("VALUE = 7\n")
    *lines, shown = said()
    assert shown == "['7', '2']"
    assert [line.split()[0] for line in lines if "cached" in line] == ["two"]
    edit(library / "files" / "inputs.py", ('"""What a chapter', '"""  What a chapter'))
    assert not [line for line in said() if "cached" in line], "every chapter is run with this module"


DAMAGES = {
    "deleted": lambda path: path.unlink(),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-20]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 9),
    "another value": lambda path: path.write_bytes(path.read_bytes().replace(b'"42"', b'"43"')),
    "another version": lambda path: path.write_text('{"version": 9}\n'),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_result_is_not_used(book: Path, damage: str):
    page = chapter(book, "one", "6 * 7")
    run(book, page)
    (path,) = (book / STORE).glob("one-*.json")
    assert b'"42"' in path.read_bytes()
    DAMAGES[damage](path)
    if damage == "a folder":
        with pytest.raises(OSError, match="directory"):
            run(book, page)
        path.rmdir()
    outputs, said = run(book, page)
    assert said == {"one": "run"}
    assert outputs[0][0]["data"]["text/plain"] == "42"
    assert run(book, page)[1] == {"one": "cached"}


def test_a_failing_cell_is_told_with_chapter_cell_line_and_traceback_and_nothing_else(book: Path):
    good = chapter(book, "good", "1")
    bad = chapter(book, "part/bad", "x = 1", "def deeper():\n    raise RuntimeError('broken on purpose')\n\ndeeper()")
    with pytest.raises(ExecutionError) as caught:
        run(book, bad, good)
    first, *traceback = str(caught.value).splitlines()
    line = bad.read_text(encoding="utf-8").partition("def deeper")[0].count("\n")
    assert first == f"chapters/part/bad.md, code cell 2 (line {line})"
    assert traceback[-1] == "RuntimeError: broken on purpose"
    assert len(traceback) < 25
    assert "\x1b" not in str(caught.value)
    assert "companion" not in "".join(traceback)
    assert run(book, good)[1] == {"good": "cached"}, "what ran is kept"
    edit(bad, ("    raise RuntimeError('broken on purpose')", "    (return"))
    with pytest.raises(ExecutionError, match=r"code cell 2(.|\n)*SyntaxError"):
        run(book, bad)


def test_a_worker_that_dies_or_never_ends_is_told(book: Path, monkeypatch: pytest.MonkeyPatch):
    dead = chapter(book, "dead", "import os\nos._exit(3)")
    with pytest.raises(ExecutionError, match=r"dead\.md, ended without a result \(exit status 3\)"):
        run(book, dead)
    endless = chapter(book, "endless", "import time\ntime.sleep(300)")
    monkeypatch.setattr(execution, "MOST_SECONDS", 0.5)
    with pytest.raises(ExecutionError, match=r"endless\.md, took more than 0\.5 seconds"):
        run(book, endless)
    assert not list((book / STORE).iterdir()), "nothing is left behind"


def test_what_changes_while_a_chapter_runs_is_not_kept(book: Path):
    write = "from pathlib import Path\nfrom companion import load\nload('gdp')\nPath('../data/gdp.csv').write_text('n')"
    with pytest.raises(ExecutionError, match=r"data/gdp\.csv was changed while one\.md ran"):
        run(book, chapter(book, "one", write))


def test_an_old_state_is_dropped_when_there_are_many(book: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(execution, "KEPT", 2)
    page = chapter(book, "one", "0")
    for number in range(4):
        edit(page, (f"\n{number}\n", f"\n{number + 1}\n"))
        run(book, page)
    assert len(list((book / STORE).glob("one-*.json"))) == 2
    edit(page, ("\n4\n", "\n3\n"))
    assert run(book, page)[1] == {"one": "cached"}


def test_files_that_are_dated_in_the_future_change_nothing(book: Path, monkeypatch: pytest.MonkeyPatch):
    """They come with a clock that was set back."""
    monkeypatch.setattr(execution, "KEPT", 1)
    page, table = (
        chapter(book, "one", "from companion import load\nint(load('gdp')['n'].sum())"),
        book / "data" / "gdp.csv",
    )
    later = (4_102_444_800, 4_102_444_800)
    for value in (1, 2, 3):
        table.write_text(f"n\n{value}\n")
        for path in (page, table, *(book / STORE).glob("*.json")):
            os.utime(path, later)
        outputs, ran = run(book, page)
        assert ran["one"] != "cached"
        assert outputs[0][0]["data"]["text/plain"] == str(value)
        assert run(book, page)[1] == {"one": "cached"}


# Slow to load, and of use to some command, and to no chapter.
NOT_LOADED = {
    "companion": ["altair", "pandas", "sphinx", "IPython"],
    "companion.exhibits.exhibit, companion.claims.claim, companion.chapters.facts, companion.tables.own_files": [
        *(
            "rfc3987_syntax",
            "lark",
            "pyarrow",
            "openpyxl",
            "duckdb",
            "sphinx",
            "jupytext",
            "frictionless",
            "resvg",
            "py_mini_racer",
            "fontTools",
        ),
        *("companion.sources", "companion.tables.recipes", "companion.book"),
    ],
    "companion.book.extension": [
        "altair",
        "pandas",
        "resvg",
        "py_mini_racer",
        "fontTools",
        "citeproc",
        "companion.sources",
        "companion.tables.recipes",
    ],
    "companion.editions.freeze": ["altair", "pandas", "sphinx", "docutils", "myst_nb", "companion.sources"],
}


@pytest.mark.parametrize("module", NOT_LOADED)
def test_no_process_loads_what_it_does_not_use(module: str):
    code = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout
    assert not set(NOT_LOADED[module]) & set(loaded.split())
    assert "companion.settings" in loaded or module == "companion"
