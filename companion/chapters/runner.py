"""The warm process that runs chapters: it imports the libraries once and forks a worker for each chapter.

`companion.chapters.execution` starts it and talks to it. A worker has a shell of IPython's own, the one that a
Jupyter kernel has too, and keeps what the cells show; only the sockets between a kernel and its client are left out.
The tests compare every output with that of a fresh kernel, since nbval uses one.
"""

import gc
import io
import json
import multiprocessing
import os
import sys
import time
from collections import deque
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TextIO

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from companion.chapters.notebooks import code_cells, read_chapter
from companion.files import inputs

# The exit status of a worker that could not write its result: this, and the number of the system's error.
UNWRITTEN = 100

Output = dict[str, Any]
Job = dict[str, str]  # "chapter": its Markdown file; "target": where its outputs go


class _Publisher(DisplayPublisher):
    """Keeps what is displayed."""

    def publish(
        self,
        data: Output,
        metadata: Output | None = None,
        *,
        transient: Output | None = None,
        update: bool = False,
        **_: object,
    ) -> None:
        """Keep an output, or change those that were displayed under the same name."""
        self.shell.flush()
        name = (transient or {}).get("display_id")
        content = {"data": data, "metadata": metadata or {}}
        if update:
            for output in self.shell.named.get(name, []):
                output.update(content)
            return
        self.shell.outputs.append({"output_type": "display_data", **content})
        if name:
            self.shell.named.setdefault(name, []).append(self.shell.outputs[-1])

    def clear_output(self, wait: bool = False) -> None:
        """Drop what the cell has shown so far."""
        self.shell.flush()
        self.shell.outputs.clear()


class _Hook(DisplayHook):
    """Keeps the value of a cell's last line."""

    def write_output_prompt(self) -> None:
        """Write no prompt."""

    def write_format_data(self, format_dict: Output, md_dict: Output | None = None) -> None:
        """Keep the value in all its forms."""
        self.shell.flush()
        content = {"data": format_dict, "metadata": md_dict or {}, "execution_count": self.shell.number}
        self.shell.outputs.append({"output_type": "execute_result", **content})

    def finish_displayhook(self) -> None:
        """Write no end of line."""


class CellError(Exception):
    """A cell raised: its number, counted from one, and the traceback."""


class Shell(InteractiveShell):
    """A shell that keeps the outputs of each cell as a notebook does."""

    displayhook_class = _Hook
    display_pub_class = _Publisher

    def __init__(self, **settings: object) -> None:
        """Start with nothing run, and no history on disk."""
        self.outputs: list[Output] = []
        self.named: dict[str, list[Output]] = {}
        self.number = 0
        self.traceback = ""
        self.streams = {name: io.StringIO() for name in ("stdout", "stderr")}
        config = Config(HistoryManager={"hist_file": ":memory:"}, InteractiveShell={"colors": "nocolor"})
        super().__init__(config=config, **settings)

    def run(self, cells: list[str]) -> list[list[Output]]:
        """Run cells and return the outputs of each, as they stand in a notebook.

        Raises:
            CellError: a cell raised.
        """
        kept: list[list[Output]] = []
        with redirect_stdout(self.streams["stdout"]), redirect_stderr(self.streams["stderr"]):
            for self.number, source in enumerate(cells, start=1):
                self.outputs = []
                result = self.run_cell(source, store_history=True)
                if not result.success:
                    raise CellError(self.number, self.traceback)
                self.flush()
                kept.append(self.outputs)  # a later cell may change what is displayed here
        outputs: list[list[Output]] = json.loads(json.dumps(kept))
        return outputs

    def flush(self) -> None:
        """Keep what was printed since something was last displayed; a kernel sends it just so."""
        for name, stream in self.streams.items():
            if text := stream.getvalue():
                self.outputs.append({"output_type": "stream", "name": name, "text": text})
                stream.seek(0)
                stream.truncate()

    def _showtraceback(self, etype: object, evalue: object, stb: list[str]) -> None:
        self.traceback = "\n".join(stb)


def _work(job: Job, book: Path) -> None:
    """Run one chapter, in a process of its own, and write what it gave."""
    chapter = Path(job["chapter"])
    cells = [cell.source for cell in code_cells(read_chapter(chapter))]
    os.chdir(chapter.parent)
    sys.path[0:0] = [""]  # a notebook finds modules beside it
    started = time.perf_counter()
    result: dict[str, Any] = {}
    with inputs.watching(book) as reads:
        try:
            result["outputs"] = Shell.instance().run(cells)  # the shell to which display() turns
        except CellError as problem:
            result["cell"], result["traceback"] = problem.args
    result["seconds"] = round(time.perf_counter() - started, 3)
    result["reads"] = sorted(reads | inputs.modules() | {"companion/chapters/runner.py"})
    try:
        Path(job["target"]).write_text(json.dumps(result), encoding="utf-8")
    except OSError as problem:
        sys.exit(UNWRITTEN + (problem.errno or 0))


def run(book: Path, jobs: list[Job], workers: int, most_seconds: float, report: TextIO) -> None:
    """Run chapters, so many at a time, and report each that has ended with a line of JSON.

    Args:
        book: the book's folder.
        jobs: the chapters, those that take longest first.
        workers: how many run at a time.
        most_seconds: how long a chapter may take.
        report: where the lines go: `chapter`; `problem`, a text, or null for a chapter that wrote its result; and
            `unwritten`, the number of the system's error if the result could not be written, or null.
    """
    fork = multiprocessing.get_context("fork")
    waiting = deque(jobs)
    running: dict[int, tuple[BaseProcess, Job, float]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.popleft()
            process: BaseProcess = fork.Process(target=_work, args=(job, book))
            process.start()
            running[process.sentinel] = (process, job, time.monotonic())
        ended = set(wait(list(running), timeout=1))
        late = {sentinel for sentinel, (*_, start) in running.items() if time.monotonic() - start > most_seconds}
        for sentinel in [sentinel for sentinel in running if sentinel in ended | late]:
            process, job, _ = running.pop(sentinel)
            problem = None
            if sentinel not in ended:
                process.kill()
                problem = f"took more than {most_seconds:g} seconds"
            process.join()
            if process.exitcode and not problem:
                problem = f"ended without a result (exit status {process.exitcode})"
            unwritten = max((process.exitcode or 0) - UNWRITTEN, 0) or None
            report.write(json.dumps({"chapter": job["chapter"], "problem": problem, "unwritten": unwritten}) + "\n")
            report.flush()


def _warm_up(chapter: Path) -> None:
    """Do once what every chapter would do first, and keep the collector from touching, so copying, what is shared."""
    import altair as alt
    import pandas as pd

    code_cells(read_chapter(chapter))  # loads a reader of Markdown, and compiles what it checks notebooks by
    _hash_schemas_once()
    frame = pd.DataFrame({"year": [2020, 2021], "who": ["a", "b"]}).query("year > 2000").groupby("who").sum()
    alt.Chart(frame.reset_index()).mark_bar().encode(x="year:Q", y="who:N").to_dict()
    Shell.instance()
    gc.disable()
    gc.freeze()


def _hash_schemas_once() -> None:
    """Have Altair keep how it finds the class of a schema: it hashes hundreds of them for each channel of a chart."""
    from altair.utils.schemapi import _FromDict

    build, found = _FromDict.__init__, {}

    def use(self: Any, wrapper_classes: Iterable[type]) -> None:
        classes = tuple(wrapper_classes)
        if classes not in found:
            build(self, classes)
            found[classes] = self.class_dict
        self.class_dict = found[classes]

    _FromDict.__init__ = use  # type: ignore[method-assign]


def main() -> None:
    """Take a task from the standard input: `book`, `jobs`, `workers`, `most_seconds`; report to the standard output."""
    # What a library prints by itself must not get among the reports.
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    task = json.load(sys.stdin)
    _warm_up(Path(task["jobs"][0]["chapter"]))
    run(Path(task["book"]), task["jobs"], task["workers"], task["most_seconds"], report)


if __name__ == "__main__":
    main()
