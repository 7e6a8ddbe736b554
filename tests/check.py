"""The author's loop, `make check`: every output of every chapter, the book, and the tests that the change can affect.

What changed is what differs from the last commit. A change of the library affects the tests that import the module,
directly or not; a change of a page, a table or a template affects the tests that read pages, for that page.
"""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from companion import settings
from companion.book.build import build
from companion.chapters.execution import execute
from companion.chapters.notebooks import chapter_paths, code_cells, with_reference
from companion.errors import CompanionError

ROOT = Path(__file__).resolve().parents[1]
# What pages are made from, besides the modules of the library; and how a test says that it reads them.
PAGES = (
    "chapters/",
    "data/",
    "_config.yml",
    "_toc.yml",
    "CITATION.cff",
    "companion/book/templates",
    "companion/book/static",
)
READS_PAGES = re.compile(r"\bhtml: Path|\bPAGES\b|\bmark\.runs\b")


def changed_files() -> list[str]:
    """The files that differ from the last commit, new ones included."""
    commands = (["diff", "--name-only", "HEAD"], ["ls-files", "--others", "--exclude-standard"])
    said = [subprocess.run(["git", *c], cwd=ROOT, capture_output=True, encoding="utf-8", check=True) for c in commands]
    return sorted({line for done in said for line in done.stdout.splitlines()})


def modules_of(path: Path) -> set[Path]:
    """A Python file and every file of the project that it imports, directly or not."""
    found, waiting = set(), [path]
    while waiting:
        if (file := waiting.pop()) not in found:
            found.add(file)
            waiting += imports_of(file)
    return found


@cache
def imports_of(path: Path) -> list[Path]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    places = [ROOT / folder / name.replace(".", "/") for name in names for folder in ("", "tests")]
    return [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]


def differing_outputs() -> list[str]:
    """The cells whose outputs are not the recorded ones, each as the tests name it."""
    differing = []
    for chapter, run in execute(ROOT, chapter_paths(ROOT), lambda line: None).items():
        try:
            cells = code_cells(with_reference(chapter, ROOT))
        except CompanionError as problem:
            differing.append(str(problem))
            continue
        name = chapter.relative_to(ROOT)
        pairs = zip(cells, run.outputs, strict=True)
        differing += [f"{name}::Cell {n}" for n, (cell, outputs) in enumerate(pairs) if cell.outputs != outputs]
    return differing


def main() -> int:
    """Check what the change can affect; the exit status says whether it is right."""
    os.environ |= settings.PUBLIC
    changed = changed_files()
    try:
        build(ROOT, lambda line: None)  # runs the chapters while it loads what makes pages
        differing = differing_outputs()
    except CompanionError as problem:
        print(problem, file=sys.stderr)
        return 1
    if differing:
        print("These outputs are not the recorded ones:", *differing, "`make expected` records them.", sep="\n")
        return 1
    print("Every output of every chapter is the recorded one.")
    code = {ROOT / name for name in changed if name.endswith(".py")}
    pages = [name for name in changed if name.startswith(PAGES)]
    tests = [
        path
        for path in sorted((ROOT / "tests").glob("test_*.py"))
        if (code and modules_of(path) & code) or (pages and READS_PAGES.search(path.read_text(encoding="utf-8")))
    ]
    print(f"{len(changed)} files changed; {len(tests)} files of tests can be affected.", flush=True)
    if not tests:
        return 0
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(os.cpu_count()), "-m", "not slow"]
    if not code:
        command += ["--pages", ",".join(pages)]
    done = subprocess.run([*command, *map(str, tests)], cwd=ROOT, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
