"""Make the build see everything that a chapter's numbers depend on.

Jupyter Book re-runs a chapter when its code changes, and not when a table, this library or a pinned package does.
A digest of these in the kernelspec, which is part of the cache's key, closes the gap: change a table and the chapters
run again, put it back and they come from the cache. A second digest makes Sphinx write every page again when the way
that exhibits are drawn changes.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from companion.editions import changes_file
from companion.own_files import folder


def setup(app: Sphinx) -> None:
    """Connect to Sphinx. The config value makes Sphinx read every page again when the digest changes."""
    app.add_config_value("companion_inputs", "", "env", str)
    app.add_config_value("companion_drawing", "", "html", str)
    app.add_config_value("companion_changes", "", "env", str)
    app.connect("config-inited", _take_digest)
    app.connect("source-read", _add_digest)


def inputs_digest(root: Path) -> str:
    """SHA-256 of every file that can change a chapter's outputs: tables, the reader's own, this library, the lock."""
    # What chapters cannot use: the drawing of the book, and what makes editions of it.
    library = [p for p in (root / "companion").rglob("*") if not {"book", "editions"} & {*p.relative_to(root).parts}]
    own = folder()
    # Tables are the files of data/ itself; what lies below it is the reader's own.
    files = [root / "requirements.txt", *(root / "data").glob("*"), *library, *(own.rglob("*") if own else [])]
    return _digest(root, files)


def _digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in files if p.is_file() and "__pycache__" not in p.parts):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{os.path.relpath(path, root)} {content}\n".encode())
    return digest.hexdigest()


def _take_digest(app: Sphinx, config: Config) -> None:
    root = Path(app.srcdir)
    config["companion_inputs"] = inputs_digest(root)
    drawing = [*(root / "companion" / "book").rglob("*"), *(root / "companion" / "editions").rglob("*")]
    config["companion_drawing"] = _digest(root, [root / "CITATION.cff", *drawing])
    changes = changes_file()
    config["companion_changes"] = changes.read_text(encoding="utf-8") if changes else ""


def _add_digest(app: Sphinx, docname: str, source: list[str]) -> None:
    line = f"kernelspec:\n  inputs_sha256: {app.config.companion_inputs}\n"
    source[0] = source[0].replace("kernelspec:\n", line, 1)
