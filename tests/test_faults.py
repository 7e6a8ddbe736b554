"""What can go wrong around a command: it is killed, the disk is full, a folder is read-only, a person interrupts it."""

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from conftest import ROOT, edit, run
from test_build import DELIVERIES, ROW
from test_refresh import NEW, new_export

import companion.__main__ as command_line
from companion.chapters.execution import STORE

__all__ = ["new_export"]  # a fixture

# Runs something once whole, and then twenty times killed and run again; says each time what it has done, and waits.
KILLED = """
import os, random, sys, time, traceback

{work}
def begin():
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child

def report(what):
    print(what, file=sys.__stdout__, flush=True)
    sys.stdin.readline()

for _ in range(2):  # what is loaded the first time is not timed
    reset()
    started = time.monotonic()
    assert os.waitpid(begin(), 0)[1] == 0
longest = time.monotonic() - started
report("whole")
for number in range({kills}):
    reset()
    child = begin()
    time.sleep(random.Random(number).uniform(0, longest))
    os.kill(child, 9)
    os.waitpid(child, 0)
    report("killed")
    assert os.waitpid(begin(), 0)[1] == 0
    report("again")
"""


def kill_often(folder: Path, work: str, kills: int = 20) -> Iterator[str]:
    """Yield "whole", and then "killed" and "again" in turn.

    Args:
        folder: where it is run.
        work: Python code of two functions, `reset` and `work`.
        kills: how often.
    """
    with subprocess.Popen(
        [sys.executable, "-c", KILLED.format(work=textwrap.dedent(work), kills=kills)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdin
        assert process.stdout
        for what in ["whole", *["killed", "again"] * kills]:
            assert process.stdout.readline() == f"{what}\n"
            yield what
            process.stdin.write("\n")
            process.stdin.flush()


def fingerprint(*folders: Path) -> dict[Path, str]:
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def leftovers(folder: Path) -> list[str]:
    """What was begun: files and folders with a name that only unfinished ones have."""
    marks = (".staging", ".committed", ".partial")
    return [str(path) for path in folder.rglob(".*") if path.name in marks or path.suffix == ".part"]


EXPECTED = """
import shutil
from companion.chapters import record

def reset():
    shutil.rmtree("_build/.executed")
    for path in record.root().glob("tests/expected/**/*.ipynb"):
        path.unlink()

def work():
    record.record(lambda line: None)
"""


@pytest.mark.slow
def test_killed_at_random_moments_the_outputs_can_be_recorded_again(small_book: Path, tmp_path: Path):
    book = shutil.copytree(small_book, tmp_path / "book")
    kept = book / "tests" / "expected", book / "data"
    for what in kill_often(book, EXPECTED):
        if what == "whole":
            before = fingerprint(*kept)
            assert {path.name for path in before} > {"deliveries.ipynb", "groups.ipynb", "claims.csv"}
        elif what == "again":
            assert fingerprint(*kept) == before
            assert leftovers(book) == []


@contextmanager
def small_disk(folder: Path, free: int) -> Iterator[None]:
    """Put a folder on a disk of its own that has so many bytes left."""
    copy = folder.with_name(f"{folder.name}-before")
    folder.mkdir(exist_ok=True)
    folder.rename(copy)
    folder.mkdir()
    room = sum(path.stat().st_size + 4096 for path in copy.rglob("*")) + 50_000_000
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        shutil.copytree(copy, folder, dirs_exist_ok=True)
        disk = os.statvfs(folder)
        (folder / "filler").write_bytes(bytes(disk.f_bavail * disk.f_frsize - free))
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def book(small_book: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small_book, tmp_path / "book")


def with_all_tables(book: Path) -> None:
    """Give the small book the others, for a refresh, which looks for each."""
    shutil.copytree(ROOT / "data", book / "data", dirs_exist_ok=True)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that a command says in its failure; there is no traceback before it."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "traceback" not in done.stdout + done.stderr
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "disk", "free"),
    [
        ("data", "data", 50_000),
        ("expected", "_build", 4096),
        ("expected", "tests", 0),
        pytest.param("book", "_build", 4096, marks=pytest.mark.slow),  # full where `expected` finds it full
        ("book", "_build", 400_000),
    ],
)
def test_a_full_disk_is_told_in_a_sentence(book: Path, new_export: Path, command: str, disk: str, free: int):
    if command == "data":
        with_all_tables(book)
    data = fingerprint(book / "data")
    if command == "book":
        shutil.rmtree(book / "_build" / "html")
        if free < 100_000:
            shutil.rmtree(book / "_build" / STORE.name)
    if command == "expected" and disk == "_build":
        shutil.rmtree(book / "_build" / STORE.name)
    if disk == "tests":
        shutil.rmtree(book / "tests")
    with small_disk(book / disk, free):
        arguments = [str(new_export), "--replace", NEW] if command == "data" else []
        last = said(run(book, "python", "-m", "companion", command, *arguments))
        assert last.startswith(str(book)), last
        assert last.endswith(f": {command_line.HINDERED[errno.ENOSPC]}")
        assert leftovers(book) == []
        (book / disk / "filler").unlink()
        assert fingerprint(book / "data") == data


@pytest.mark.parametrize("command", ["data", "expected", "book"])
def test_a_folder_for_reading_only_is_told_in_a_sentence(book: Path, new_export: Path, command: str):
    if command == "data":
        with_all_tables(book)
    edit(book / DELIVERIES, (ROW, ROW.replace("300,", "301,")))
    with ExitStack() as stack:
        for options in (["--bind", book], ["-o", "remount,bind,ro"]):
            if subprocess.run(["mount", *options, book], capture_output=True, check=False).returncode:
                pytest.skip("a folder can be mounted for reading only by root alone")
            stack.callback(subprocess.run, ["umount", "--lazy", book], check=False)
        arguments = [str(new_export)] if command == "data" else []
        last = said(run(book, "python", "-m", "companion", command, *arguments, *["--replace", NEW] * bool(arguments)))
    assert last.startswith(str(book)), last
    assert last.endswith(f": {command_line.HINDERED[errno.EROFS]}")


def ended(monkeypatch: pytest.MonkeyPatch, work: Callable[[object], None]) -> int:
    """Run a command that does something else; return its exit status."""
    monkeypatch.setattr(command_line, "_local", work)
    monkeypatch.setattr(sys, "argv", ["companion", "local"])
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    return command_line.main()


@pytest.mark.parametrize("number", command_line.HINDERED)
def test_what_hinders_a_command_is_told_with_the_file(
    number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def hindered(arguments: object) -> None:
        raise OSError(number, os.strerror(number), "a file")

    assert ended(monkeypatch, hindered) == 1
    assert capsys.readouterr().err == f"a file: {command_line.HINDERED[number]}\n"


@pytest.mark.parametrize("problem", [OSError(errno.EIO, "broken", "a file"), PermissionError(), KeyError("a bug")])
def test_any_other_error_keeps_its_traceback(problem: Exception, monkeypatch: pytest.MonkeyPatch):
    def fail(arguments: object) -> None:
        raise problem

    with pytest.raises(type(problem)):
        ended(monkeypatch, fail)


def test_an_interrupted_command_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def interrupted(question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert ended(monkeypatch, lambda arguments: print(command_line._agreed("Run it?"))) == 130
    assert capsys.readouterr().err == "\n"


def test_a_question_without_an_answer_is_answered_with_no(monkeypatch: pytest.MonkeyPatch):
    def ended_input(question: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", ended_input)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert not command_line._agreed("Run it?")
