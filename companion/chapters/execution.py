"""Run chapters: each once, all cores at work, and only those that something changed for.

What a chapter gave is kept with the names of all that it read (`companion.files.inputs`). It is used again as long as
the chapter's code, everything that it read, the lock, the installed packages and Python are the same, and its file is
whole.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from companion.errors import CompanionError
from companion.files import inputs, keep, whole
from companion.files.inputs import LIBRARY, State

Say = Callable[[str], None]

STORE = Path("_build", ".executed")
MOST_SECONDS = 120  # for one chapter
KEPT = 20  # states of one chapter, so that going back to one of them runs nothing
CODE = re.compile(r"^(`{3,})\{code-cell\}.*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)


class ExecutionError(CompanionError):
    """Chapters that could not be run: the message has chapter, cell and traceback."""


@dataclass(frozen=True)
class Run:
    """What a chapter gave.

    Attributes:
        key: a digest of everything that the outputs follow from.
        seconds: how long the cells took.
        path: the file that keeps the outputs.
    """

    key: str
    seconds: float
    path: Path

    @property
    def outputs(self) -> list[list[dict[str, Any]]]:
        """The outputs of each code cell, as a notebook has them."""
        content = keep.read(self.path)
        assert content, "the file was whole when it was found"
        outputs: list[list[dict[str, Any]]] = json.loads(content.partition(b"\n")[2])
        return outputs


def execute(book: Path, chapters: Iterable[Path], say: Say = print) -> dict[Path, Run]:
    """Make sure that chapters have been run in the present state of all that they read.

    Args:
        book: the book's folder.
        chapters: Markdown notebooks below it.
        say: told each chapter with its seconds, or that it is cached.

    Returns:
        The run of each chapter.

    Raises:
        ExecutionError: a cell raised, a chapter took too long, or the process that ran it died.
    """
    book = book.resolve()
    whole.sweep(book / STORE)
    chapters = [chapter.resolve() for chapter in chapters]
    state, found = State(book), {}
    for chapter in chapters:
        if run := _find(chapter, state):
            found[chapter] = run
            say(f"{_name(chapter, book):28} cached")
    stale = [chapter for chapter in chapters if chapter not in found]
    if stale:
        found |= _run(book, sorted(stale, key=lambda chapter: _estimate(chapter, book), reverse=True), say)
    return {chapter: found[chapter] for chapter in chapters}


def _run(book: Path, chapters: list[Path], say: Say) -> dict[Path, Run]:
    """Run chapters in the warm process and keep what they gave."""
    (book / STORE).mkdir(parents=True, exist_ok=True)
    found, problems = {}, []
    # Named so that it is removed by the next run if this one is killed.
    with tempfile.TemporaryDirectory(prefix=".run-", suffix=f".{os.getpid()}.part", dir=book / STORE) as folder:
        jobs = {str(chapter): str(Path(folder, f"{number}.json")) for number, chapter in enumerate(chapters)}
        started = time.time_ns()
        for event in _reports(book, jobs):
            chapter, problem = Path(event["chapter"]), event["problem"]
            if event["unwritten"]:
                raise OSError(event["unwritten"], os.strerror(event["unwritten"]), jobs[event["chapter"]])
            result = {} if problem else json.loads(Path(jobs[event["chapter"]]).read_text(encoding="utf-8"))
            if "traceback" in result:
                problem = f"code cell {result['cell']}{_line(chapter, result['cell'])}\n{result['traceback']}"
            if problem:
                problems.append(f"{chapter.relative_to(book)}, {problem}")
                say(f"{_name(chapter, book):28} failed")
            else:
                found[chapter] = _keep(chapter, State(book), result, started)
                say(f"{_name(chapter, book):28} {result['seconds']:.1f} s")
    if problems:
        raise ExecutionError("\n\n".join(problems))
    return found


def _reports(book: Path, jobs: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Start the warm process and yield its reports, one for each job."""
    task = {
        "book": str(book),
        "jobs": [{"chapter": chapter, "target": target} for chapter, target in jobs.items()],
        "workers": os.cpu_count(),
        "most_seconds": MOST_SECONDS,
    }
    # The library that runs the chapters is the one that asks, whatever lies in the working folder (-P).
    path = os.pathsep.join(filter(None, [str(LIBRARY), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "companion.chapters.runner"],
        cwd=book,
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdin
    assert process.stdout
    try:
        with process.stdin as stdin:
            json.dump(task, stdin)
        done = 0
        for line in process.stdout:
            done += 1
            yield json.loads(line)
        if process.wait() or done < len(jobs):
            raise ExecutionError(f"The process that runs the chapters ended early (exit status {process.returncode}).")
    finally:
        process.kill()
        process.wait()


def _find(chapter: Path, state: State) -> Run | None:
    """The kept run of a chapter that fits the present state; None where there is none, or its file is damaged."""
    start = _start(chapter, state)
    for path in _kept(chapter, state.book):
        about = _about(path)
        if about and about["start"] == start and all(state.digest(n) == was for n, was in about["reads"].items()):
            return Run(_key(about), about["seconds"], path)
    return None


def _keep(chapter: Path, state: State, result: dict[str, Any], started: int) -> Run:
    """Keep what a chapter gave, unless something that it read was changed while it ran."""
    for name in result["reads"]:
        if state.changed_since(name, started):
            raise ExecutionError(f"{name} was changed while {chapter.name} ran. Build again.")
    about = {
        "start": _start(chapter, state),
        "reads": {name: state.digest(name) for name in result["reads"]},
        "seconds": result["seconds"],
    }
    key = _key(about)
    run = Run(key, about["seconds"], state.book / STORE / f"{_slug(chapter, state.book)}-{key[:16]}.json")
    keep.write(run.path, f"{json.dumps(about)}\n{json.dumps(result['outputs'])}".encode())
    for old in _kept(chapter, state.book)[KEPT:]:
        if old != run.path:  # the others may be dated in the future
            old.unlink()
    return run


def _kept(chapter: Path, book: Path) -> list[Path]:
    """The files of a chapter's runs, the newest first."""
    return keep.newest(book / STORE, f"{_slug(chapter, book)}-*.json")


def _about(path: Path) -> dict[str, Any] | None:
    """What a file of a run says of it; None where the file is not as it was written."""
    content = keep.read(path)
    if content is None:
        return None
    about: dict[str, Any] = json.loads(content.partition(b"\n")[0])
    return about


def _start(chapter: Path, state: State) -> str:
    """A digest of what a chapter's run starts from: its code, and the environment."""
    text = chapter.read_text(encoding="utf-8")
    front = text.partition("\n---\n")[0]
    code = [match[0] for match in CODE.finditer(text)]
    return inputs.digest("\n".join([*state.environment, _name(chapter, state.book), front, *code]))


def _key(about: dict[str, Any]) -> str:
    return inputs.digest(json.dumps([about["start"], about["reads"]], sort_keys=True))


def _name(chapter: Path, book: Path) -> str:
    """A chapter as a person names it, such as "uas/exporters"."""
    return chapter.relative_to(book).with_suffix("").as_posix().removeprefix("chapters/")


def _slug(chapter: Path, book: Path) -> str:
    return _name(chapter, book).replace("/", ".")


def _line(chapter: Path, cell: int) -> str:
    """Where a code cell stands in its file."""
    text = chapter.read_text(encoding="utf-8")
    starts = [match.start() for match in CODE.finditer(text)]
    return f" (line {text.count(chr(10), 0, starts[cell - 1]) + 1})" if len(starts) >= cell else ""


def _estimate(chapter: Path, book: Path) -> float:
    """How long a chapter may take: as before, or, where it has never run, by the length of its code."""
    for path in _kept(chapter, book):
        if about := _about(path):
            return float(about["seconds"])
    return sum(len(match[0]) for match in CODE.finditer(chapter.read_text(encoding="utf-8"))) / 10_000
