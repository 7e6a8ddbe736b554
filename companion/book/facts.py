"""Numbers in sentences: `{eval}` shows what the cells of a chapter handed to the prose.

JupyterLab evaluates the role in the kernel; the book takes the value from the outputs of the chapter.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.ext.glue.crossref import read_glue_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole

from companion.book.freshness import overviews
from companion.book.ledger import CHAPTERS
from companion.book.nodes import OverviewNode
from companion.chapters.facts import FACT, Facts, UnknownFactError, unknown


class FactNode(OverviewNode):
    """A place for a value that was not known when the page was read; `expression` says which."""


class Quote(SphinxRole):
    """`{eval}`: a value of this page, or of another, which is filled in when all pages have been read."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Show the value, or leave a place for it."""
        match, document = FACT.fullmatch(self.text), self.inliner.document
        if match and not match["page"] and "nb_renderer" in document:
            own = Facts.among(document["nb_renderer"].renderer.nb_client.glue_data.values())
            if match["name"] in vars(own):
                return [_text(getattr(own, match["name"]))], []
        return [FactNode(expression=self.text)], []


class Fill(SphinxPostTransform):
    """Puts the values of other pages into their places."""

    default_priority = 5  # before references are resolved

    def run(self, **kwargs: Any) -> None:
        """Replace each place by its value."""
        for node in list(self.document.findall(FactNode)):
            node.replace_self(_text(_value(self.env, self.env.docname, node["expression"])))


def setup(app: Sphinx) -> None:
    """Register the role, in the place of MyST-NB's own, which needs a running kernel."""
    app.setup_extension("myst_nb")
    app.add_role("eval", Quote(), override=True)
    app.add_post_transform(Fill)
    app.connect("env-updated", _check)


def _check(app: Sphinx, env: BuildEnvironment) -> None:
    """Refuse names that no chapter knows, all at once, while no page of this build is taken for read."""
    problems = []
    for page in overviews(env):
        for node in env.get_doctree(page).findall(FactNode):
            try:
                _value(env, page, node["expression"])
            except UnknownFactError as problem:
                problems.append(f"{page}.md:{_line(env, page, node['expression'])}: {problem}")
    if problems:
        raise ExtensionError("\n".join(problems))


def _value(env: BuildEnvironment, page: str, expression: str) -> str:
    match = FACT.fullmatch(expression)
    if not match:
        raise UnknownFactError(
            f'{{eval}}`{expression}` is neither {{eval}}`facts.name` nor {{eval}}`facts["page"].name`.'
        )
    if match["page"]:
        page = f"{CHAPTERS}{match['page']}"
        if page not in env.found_docs:
            pages = [name.removeprefix(CHAPTERS) for name in sorted(env.found_docs)]
            raise UnknownFactError(unknown("page", match["page"], pages))
    outputs = read_glue_cache(env.__dict__["mystnb_config"].output_folder, page)
    return str(getattr(Facts.among(outputs.values()), match["name"]))


def _line(env: BuildEnvironment, page: str, expression: str) -> int:
    """Where a page quotes something first; what Sphinx knows is where the paragraph begins."""
    lines = Path(env.doc2path(page)).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if f"{{eval}}`{expression}`" in line)


def _text(value: str) -> nodes.inline:
    return nodes.inline(value, value, classes=["pasted-text"])
