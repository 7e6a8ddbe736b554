"""Make the build see everything that a page depends on, and run no chapter twice.

Before Sphinx reads a page, the chapters that something changed for are run, all cores at work, and their outputs are
put into the cache in which Jupyter Book looks for them. The cache is filled anew for the pages that are read, so what
it held before, whole or not, is never shown.

A page is read again when its state changes: its text, the run of its chapter, or, for a page that is written from a
template, all that the template was filled with. It is written again as well when something changes that pages show of
each other.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import read_myst_markdown_notebook
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from companion import settings
from companion.book import pictures
from companion.book.contents import contents
from companion.book.glossary import meanings
from companion.book.nodes import OverviewNode
from companion.chapters.execution import ExecutionError, Run, execute
from companion.chapters.notebooks import code_cells, is_notebook
from companion.exhibits.form import CHART_MIME, Exhibit
from companion.files import inputs
from companion.files.inputs import LIBRARY, State
from companion.tables import finish_interrupted

logger = logging.getLogger(__name__)

KERNEL = "kernelspec:\n"
PAGES, SHARED = "companion_pages", "companion_shared"
BEGUN = ".begun"  # a file beside what Sphinx keeps of the pages, as long as a build is under way
# No page is made with what reads upstream files and makes tables of them, or with what starts a build.
OTHERS = (
    "companion/sources/",
    "companion/tables/recipes/",
    "companion/tables/refresh.py",
    "companion/book/build.py",
    "companion/book/seal.py",
)


@dataclass
class Page:
    """What is remembered of a page that was read.

    Attributes:
        state: a digest of all that it was made from.
        inputs: the names of what it was made from besides its text and its chapter, as `files.inputs` has them.
        overview: whether it shows what other pages have.
    """

    state: str = ""
    inputs: set[str] = field(default_factory=set)
    overview: bool = False


class Freshness:
    """What one build knows of the state of its pages."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.runs: dict[str, Run] = {}
        self.read: set[str] = set()

    def run_chapters(
        self, app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
    ) -> list[str]:
        """Run the chapters that something changed for; return the pages that are no longer as they were last read."""
        for page in removed:  # Sphinx would leave them in the book
            for built in (f"{page}.html", f"_sources/{page}.md"):
                Path(app.outdir, built).unlink(missing_ok=True)
        paths = {page: Path(env.doc2path(page)).resolve() for page in sorted(env.found_docs)}
        chapters = {page: path for page, path in paths.items() if is_notebook(path)}
        try:
            runs = execute(Path(app.srcdir), chapters.values(), logger.info)
        except ExecutionError as problem:
            raise ExtensionError(str(problem)) from None
        self.runs = {page: runs[path] for page, path in chapters.items()}
        self.state = State(Path(app.srcdir))
        pages = _pages(env)
        return [page for page in paths if page in pages and self._state_of(env, page) != pages[page].state]

    def hand_over(self, app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
        """Put the outputs of the chapters that will be read where Jupyter Book looks for them, and nothing else."""
        self.read = set(pages)
        pictures.begin_to_draw(exhibit for run in self.runs.values() for exhibit in _charts(run))
        cache = _empty_cache(Path(env.__dict__["mystnb_config"].execution_cache_path))
        for page in sorted(self.read & self.runs.keys()):
            path, run = Path(env.doc2path(page)), self.runs[page]
            notebook = read_myst_markdown_notebook(_with_key(page, path.read_text(encoding="utf-8"), run))
            notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}  # as a kernel says
            notebook.cells = code_cells(notebook)  # the others are not kept
            for number, (cell, outputs) in enumerate(zip(notebook.cells, run.outputs, strict=True), start=1):
                cell.execution_count, cell.outputs = number, [NotebookNode(output) for output in outputs]
            bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": run.seconds})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)

    def add_key(self, app: Sphinx, page: str, source: list[str]) -> None:
        """Make the key of a chapter's run a part of what Jupyter Book finds its outputs by."""
        if page in self.runs:
            source[0] = _with_key(page, source[0], self.runs[page])

    def remember(self, app: Sphinx, doctree: nodes.document) -> None:
        """Remember in which state a page was read, and whether it shows what other pages have."""
        page = page_of(app.env)
        page.state = self._state_of(app.env, app.env.docname)
        page.overview = any(isinstance(node, OverviewNode) for node in doctree.findall())

    def write_again(self, app: Sphinx, env: BuildEnvironment) -> Iterable[str]:
        """The pages to write although they were not read: all of them, or those that show what other pages have."""
        before, now = getattr(env, SHARED, None), _shared(env)
        setattr(env, SHARED, now)
        if before != now:
            return env.found_docs
        return overviews(env) if self.read else []

    def _state_of(self, env: BuildEnvironment, page: str) -> str:
        parts = [inputs.file_digest(Path(env.doc2path(page)))]
        parts += [self.runs[page].key] if page in self.runs else []
        parts += [f"{name} {self.state.digest(name)}" for name in sorted(_pages(env)[page].inputs)]
        return inputs.digest("\n".join(parts))


def setup(app: Sphinx) -> Freshness:
    """Connect to Sphinx. A change of an "env" value makes it read every page, of an "html" value write every page."""
    app.add_config_value("companion_reading", "", "env", str)
    app.add_config_value("companion_changes", "", "env", str)
    app.add_config_value("companion_drawing", "", "html", str)
    app.connect("config-inited", _forget)
    app.connect("config-inited", _take_digests)
    freshness = Freshness()
    app.connect("env-get-outdated", freshness.run_chapters)
    app.connect("env-before-read-docs", _begin)
    app.connect("env-before-read-docs", freshness.hand_over)
    app.connect("source-read", freshness.add_key)
    app.connect("doctree-read", freshness.remember)
    app.connect("env-get-updated", freshness.write_again, priority=900)  # exhibits have their numbers by then
    app.connect("env-purge-doc", lambda app, env, page: _pages(env).pop(page, None))
    app.connect("env-merge-info", _merge)
    app.connect("build-finished", _end, priority=999)
    return freshness


def _forget(app: Sphinx, config: Config) -> None:
    """After a build that did not end, read all pages: those that it read are not those that Sphinx knows of."""
    if Path(app.doctreedir, BEGUN).exists():
        shutil.rmtree(app.doctreedir)
        Path(app.doctreedir).mkdir()


def _begin(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
    Path(app.doctreedir, BEGUN).touch()


def _end(app: Sphinx, exception: Exception | None) -> None:
    if exception is None:
        Path(app.doctreedir, BEGUN).unlink(missing_ok=True)


def _charts(run: Run) -> list[Exhibit]:
    """The charts among the outputs of a chapter."""
    contents = [output.get("data", {}).get(CHART_MIME) for outputs in run.outputs for output in outputs]
    exhibits = [Exhibit.from_output(content) for content in contents if content]
    return [exhibit for exhibit in exhibits if exhibit]


def overviews(env: BuildEnvironment) -> list[str]:
    """The pages that show what other pages have."""
    return sorted(page for page in env.found_docs if _pages(env)[page].overview)


def page_of(env: BuildEnvironment) -> Page:
    """What is remembered of the page that is being read."""
    return _pages(env).setdefault(env.docname, Page())


def _pages(env: BuildEnvironment) -> dict[str, Page]:
    pages: dict[str, Page] = env.__dict__.setdefault(PAGES, {})
    return pages


def _merge(app: Sphinx, env: BuildEnvironment, pages: Iterable[str], other: BuildEnvironment) -> None:
    """Take over what another process remembers of the pages that it has read."""
    _pages(env).update({page: _pages(other)[page] for page in pages})


def _empty_cache(folder: Path) -> Any:
    """A new cache of executed notebooks in the place of the one that is there."""
    if folder.name != ".jupyter_cache":  # whatever a setting says, nothing else is ever removed
        raise ExtensionError(f"{folder} is not where Jupyter Book keeps its cache of executed notebooks.")
    shutil.rmtree(folder, ignore_errors=True)
    return get_cache(folder)


def _shared(env: BuildEnvironment) -> str:
    """A digest of what pages show of others: titles, their order, numbers of exhibits, targets, words and meanings."""
    std = env.domaindata["std"]
    parts: list[dict[Any, Any]] = [
        {page: title.astext() for page, title in env.titles.items()},
        vars(contents(env)),
        env.toc_fignumbers,
        meanings(env),
        *(std[name] for name in ("labels", "anonlabels", "objects", "terms")),
        {page: [claim.id for claim in claims] for page, claims in env.domaindata["claim"].get("cards", {}).items()},
    ]
    return inputs.digest("\n".join(repr(_ordered(part)) for part in parts))


def _ordered(part: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """What a dictionary holds, in an order that does not turn with the pages that were read last."""
    return sorted((name, _ordered(value) if isinstance(value, dict) else value) for name, value in part.items())


def _with_key(page: str, text: str, run: Run) -> str:
    front, end, rest = text.partition("\n---\n")
    if front.count(KERNEL) != 1:
        raise ExtensionError(f"{page}.md: its front matter needs 'kernelspec:' once, on a line without anything else.")
    return front.replace(KERNEL, f"{KERNEL}  inputs_sha256: {run.key}\n") + end + rest


def _take_digests(app: Sphinx, config: Config) -> None:
    book = Path(app.srcdir)
    finish_interrupted(book)  # Jupyter Book may have been started without a command of this library
    library = sorted(path for path in (LIBRARY / "companion").rglob("*") if path.is_file())
    names = {path.relative_to(LIBRARY).as_posix(): path for path in library if "__pycache__" not in path.parts}
    code = {name: path for name, path in names.items() if name.endswith(".py") and not name.startswith(OTHERS)}
    drawing = {name: path for name, path in names.items() if not name.endswith(".py")} | {"": book / "CITATION.cff"}
    config["companion_reading"] = inputs.digest("\n".join([*State(book).environment, *_lines(code)]))
    config["companion_drawing"] = inputs.digest("\n".join(_lines(drawing)))
    changes = settings.changes_file()
    config["companion_changes"] = changes.read_text(encoding="utf-8") if changes else ""


def _lines(files: dict[str, Path]) -> list[str]:
    return [f"{name} {inputs.file_digest(path)}" for name, path in files.items()]
