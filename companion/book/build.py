"""Build the working copy of the book: what `make book` does, in a few lines of output.

`jupyter-book build .` gives the same pages; this runs the chapters first, says what it does, and shows of Jupyter
Book's own output the warnings and errors alone.
"""

import contextlib
import gc
import os
import re
import shutil
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

from companion.book import seal
from companion.chapters.execution import Say, execute
from companion.chapters.notebooks import chapter_paths, page_paths
from companion.errors import CompanionError
from companion.files import whole
from companion.files.layout import FIRST_PAGE

# What a page is made from; the rest of the project does not change it.
WATCHED = ("chapters", "data", "companion", "_config.yml", "_toc.yml", "CITATION.cff", "requirements.txt")
POLICY = rb'<meta http-equiv="Content-Security-Policy"[^>]*>'


class BuildError(CompanionError):
    """The book could not be built; what went wrong was printed as it happened."""


def build(book: Path, say: Say = print) -> Path:
    """Build the pages of a book, warnings being errors.

    Args:
        book: the book's folder.
        say: told each chapter with its seconds, the pages, and the address to open.

    Returns:
        The page to open.

    Raises:
        ExecutionError: a chapter could not be run.
        BuildError: a page could not be made, or something on it deserves a warning.
    """
    page = book / "_build" / "html" / FIRST_PAGE
    started, state = time.perf_counter(), seal.made_from(book)
    if seal.holds(book, state):
        say(f"Nothing has changed since the book was built: {page.as_uri()}")
        return page
    seal.lift(book)
    gc.disable()  # imports and doctrees make millions of objects that stay until the end
    # Meanwhile, since the process that runs the chapters is busy with one core at first.
    meanwhile = Thread(target=import_module, args=["companion.book.extension"])
    meanwhile.start()
    try:
        execute(book, chapter_paths(book), say)
    finally:
        meanwhile.join()
    pages = len(page_paths(book))
    say(f"{pages} pages ...")
    import jupyter_book.sphinx as engine
    from jupyter_book.cli.main import build as jupyter_book
    from sphinx.util.console import nocolor

    engine.handle_exception = _tell

    if not sys.stderr.isatty():
        nocolor()
    try:
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
            jupyter_book.main([str(book), "-q", "-W", "-n", "--keep-going"], standalone_mode=False)
    except (RuntimeError, SystemExit) as problem:  # after an error, and after a warning
        try:
            _raise_if_of_the_system(book, problem)
        finally:
            # Sphinx takes a page with a warning for read; a second build would skip it, and pass.
            shutil.rmtree(book / "_build" / ".doctrees", ignore_errors=True)
        raise BuildError("The book is not built. The messages above say why.") from None
    finally:
        gc.freeze()  # else it would look through them now, and once more as the process ends
        gc.enable()
    seal.put(book, state)
    say(f"The book is built, in {time.perf_counter() - started:.0f} s: {page.as_uri()}")
    return page


def _of_the_system(problem: BaseException | None) -> OSError | None:
    """The error of the system that another one follows from, such as a full disk; None if there is none."""
    while problem:
        if isinstance(problem, OSError):
            return problem
        problem = problem.__cause__
    return None


def _raise_if_of_the_system(book: Path, problem: BaseException) -> None:
    """Raise what stopped a build if it was an error of the system, also one that Sphinx took for a mere warning."""
    if error := _of_the_system(problem):
        raise error from None
    probe = book / "_build" / ".probe"
    whole.write(probe, bytes(100_000))
    probe.unlink()


def _tell(app: Any, arguments: Any, problem: BaseException, stream: TextIO) -> None:
    """Print what stopped Sphinx; the command tells an error of the system."""
    from sphinx.cmd.build import handle_exception

    if not _of_the_system(problem):
        handle_exception(app, arguments, problem, stream)


def watch(book: Path, port: int, say: Say = print) -> None:
    """Serve the book, build it again on each change, and reload the page in the browser; until it is interrupted.

    Args:
        book: the book's folder.
        port: where the pages are served.
        say: told the address.
    """
    from livereload import Server

    class Pages(Server.SFH):
        """Sends pages without their policy, which would not let the script run that reloads them."""

        def write(self, chunk: bytes) -> None:
            super().write(re.sub(POLICY, lambda tag: b" " * len(tag[0]), chunk))

    def rebuild() -> None:
        # A process of its own: the library may be what has changed.
        subprocess.run([sys.executable, "-m", "companion", "book"], cwd=book, check=False)

    rebuild()
    server = Server()
    server.SFH = Pages
    for name in WATCHED:
        server.watch(str(book / name), rebuild)
    say(f"Serving http://localhost:{port}/chapters/index.html; stop with Ctrl-C")
    server.serve(port=port, root=str(book / "_build" / "html"))
