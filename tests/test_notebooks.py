"""The archive of notebooks: unpacked anywhere, the two commands of its README set up an environment and rerun all."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import nbformat
from conftest import ROOT, edit

from companion.chapters import chapter_paths, code_cells
from companion.editions.archive import write_runnable, write_zip


def in_a_shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who has never seen this project."""
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "PIP_CONFIG_FILE", "HOME") if name in os.environ}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_notebooks_run_anywhere_with_two_commands(tmp_path: Path):
    packed = tmp_path / "packed" / "notebooks"
    write_runnable(ROOT, packed)
    write_zip(packed, tmp_path / "notebooks.zip", ROOT)
    shutil.rmtree(packed)
    shutil.unpack_archive(tmp_path / "notebooks.zip", tmp_path / "an empty folder")
    folder = tmp_path / "an empty folder" / "notebooks"
    cells = [len(code_cells(nbformat.read(path, as_version=4))) for path in folder.rglob("chapters/**/*.ipynb")]
    assert len(cells) == len(chapter_paths(ROOT))

    set_up, rerun = re.findall(r"^    (.+)$", (folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    done = in_a_shell(folder, set_up)
    assert done.returncode == 0, done.stdout[-3000:]
    done = in_a_shell(folder, rerun)
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{sum(cells)} passed" in done.stdout

    edit(folder / "data" / "uas_deliveries.csv", (",2018,300,", ",2018,301,"))
    done = in_a_shell(folder, ".venv/bin/pytest chapters/uas/exporters.ipynb")
    assert done.returncode == 1
    assert "outputs differ" in done.stdout
