"""Build the book in a folder of its own, in every form that an edition has, with nothing but that folder's files.

`build` is a step on the way to a new edition. `archive_again` makes a whole archive with the code that a folder holds,
so that an edition can be checked long after the library has changed.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from companion import settings
from companion.citation import metadata
from companion.editions import EditionError

LAST_LINES = 40
# How the library of an edition is asked for its archive. This stays: later versions ask so, too.
ASSEMBLE = ("-m", "companion", "assemble")
# The same for version 0.1.0, which has no such command.
ASSEMBLE_BEFORE = """
import sys
from pathlib import Path
from companion.editions.archive import assemble, write_zip

changes, target = map(Path, sys.argv[1:])
folder = target.with_suffix("")
assemble(Path.cwd(), changes, folder, lambda text: print(text, flush=True))
write_zip(folder, target, folder)
"""


def build(folder: Path, builder: str = "html", changes: Path | None = None) -> Path:
    """Build the book of a folder, warnings being errors.

    Args:
        folder: a copy of the project; its own library is used.
        builder: the name of a Sphinx builder: "html", or one of those in `companion.book.builders`.
        changes: what changed in the numbers since the edition before, for an edition; None for a working copy.

    Returns:
        The folder with what was built.

    Raises:
        EditionError: the build failed; the message has the end of its output.
    """
    environment = os.environ | {
        "PYTHONPATH": str(folder),
        "SOURCE_DATE_EPOCH": str(int(metadata(folder).moment.timestamp())),
        **settings.PUBLIC,
        settings.EDITION: str(changes.resolve()) if changes else "",
        "PYTHONUTF8": "1",  # whatever the locale
    }
    choice = [] if builder == "html" else ["--builder", "custom", "--custom-builder", builder]
    result = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going", *choice],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        lines = "\n".join(result.stdout.splitlines()[-LAST_LINES:])
        raise EditionError(f"The book could not be built ({builder}). The end of the output:\n{lines}")
    return folder / "_build" / builder


def archive_again(
    folder: Path,
    target: Path,
    changes: Path,
    *,
    say: Callable[[str], None],
    python: Path = Path(sys.executable),
) -> None:
    """Make the archive of an edition with the library in its own folder.

    Args:
        folder: a copy of the project; its code is run, and it is built in.
        target: the archive to write, `companion-<version>.zip`.
        changes: what changed since the edition before, as it was frozen; an edition from 0.2.0 on tells it anew.
        say: told what that library says.
        python: the Python of the environment whose packages it uses.

    Raises:
        EditionError: its code stopped.
    """
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONUTF8": "1", **settings.PUBLIC}

    def run(*arguments: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [python, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )

    with run(*ASSEMBLE, "--help") as asked:
        asked.communicate()
    if asked.returncode:
        arguments: list[str | Path] = ["-c", ASSEMBLE_BEFORE, changes, target]
    else:
        arguments = [*ASSEMBLE, target]
    last = ""
    with run(*arguments) as process:
        assert process.stdout, "it is a pipe"
        for line in process.stdout:
            last = line.rstrip() or last
            say(line.rstrip())
    if process.returncode:
        raise EditionError(
            f"The edition's own code stopped: {last}\nIf it misses packages that it was made with, unpack its archive, "
            "make an environment there (python3 -m venv .venv && .venv/bin/pip install -r requirements.txt), and name "
            "its Python: --python .venv/bin/python"
        )
