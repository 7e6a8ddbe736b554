"""The house: each room uses what lies below it, and nothing above."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

LIBRARY = ROOT / "companion"
# From the ground up; the rooms of one floor do not know each other.
FLOORS = [
    {"errors", "report"},
    {"settings"},
    {"files"},
    {"sources"},
    {"prose"},
    {"tables"},
    {"exhibits", "claims"},
    {"charts"},
    {"chapters", "citation"},
    {"changes"},
    {"book"},
    {"editions"},
    {"__init__", "__main__"},
]
NAMED = re.compile(r"companion/[\w/]+\.(?:py|toml)")
HEIGHT = {room: height for height, floor in enumerate(FLOORS) for room in floor}


def room(module: str) -> str:
    """The room or the single module of the top that a module belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(path: Path) -> Iterator[str]:
    """The modules of the library that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "companion")
        elif isinstance(node, ast.ImportFrom) and node.module == "companion":
            yield from (f"companion.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("companion."):
            yield str(node.module)


def upward(files: list[Path]) -> list[str]:
    """Imports of something above, or beside on the same floor."""
    found = []
    for path in files:
        here = path.relative_to(LIBRARY).with_suffix("").parts[0]
        for module in imports(path):
            if (there := room(module)) != here and HEIGHT[there] >= HEIGHT[here]:
                found.append(f"{path.relative_to(LIBRARY)} imports {module}")
    return found


def test_no_room_uses_one_above_it():
    assert upward(sorted(LIBRARY.rglob("*.py"))) == []


def test_every_room_has_its_floor_and_few_modules_stand_outside_of_rooms():
    rooms = {path.relative_to(LIBRARY).with_suffix("").parts[0] for path in LIBRARY.rglob("*.py")}
    assert rooms == HEIGHT.keys()
    assert len(list(LIBRARY.glob("[a-z]*.py"))) <= 6


def test_the_files_that_messages_name_are_there():
    """A message that says what to change is of no use once the file has moved."""
    named = {name for path in LIBRARY.rglob("*.py") for name in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert len(named) > 3
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_no_code_imports_in_a_circle():
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in LIBRARY.rglob("*.py")
    }
    arrows = {name: set(top_level(path)) & modules.keys() for name, path in modules.items()}
    while leaves := {name for name, needs in arrows.items() if not needs & arrows.keys()}:
        arrows = {name: needs for name, needs in arrows.items() if name not in leaves}
    assert arrows == {}


def top_level(path: Path) -> Iterator[str]:
    """What a file imports as it is imported itself: modules, and modules of packages."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "companion":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            within = [name for name in names if (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()]
            yield from within if len(within) == len(names) else [*within, str(node.module)]


@pytest.mark.parametrize("line", ["from companion.book import nodes", "import companion.editions.freeze"])
def test_an_import_from_above_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str):
    folder = tmp_path / "companion" / "tables"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(line, encoding="utf-8")
    monkeypatch.setitem(globals(), "LIBRARY", tmp_path / "companion")
    assert upward([folder / "__init__.py"]) != []
