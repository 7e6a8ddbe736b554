"""Code beside what it makes: that of an exhibit in the exhibit, all other of a page in one fold at the page's end."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

from companion.book.nodes import TEMPLATES, exhibits_in, for_web, highlighted, leave


class CodeNode(nodes.General, nodes.Element):
    """The code of a page that is in no exhibit; `code` has it. Code is not searched, so it is no text of the page."""


class PlaceCode(SphinxTransform):
    """Takes the code of cells out of the text.

    An exhibit gets the code of its cell, and of the cells before it that show nothing and so prepare it. The first cell
    of a page prepares all of them: its code, and that of cells with something else to show, goes to the page's end.
    """

    default_priority = 850  # when the cells have their outputs

    def apply(self, **kwargs: Any) -> None:
        """Move the code of each cell."""
        preparing: list[str] = []
        others: list[str] = []
        cells = [cell for cell in self.document.findall(nodes.container) if "cell" in cell["classes"]]
        for number, cell in enumerate(cells):
            inputs = [part for part in cell.children if "cell_input" in part.get("classes", [])]  # type: ignore[attr-defined]
            preparing += [part.astext() for part in inputs]
            for part in inputs:
                cell.remove(part)
            if exhibits := exhibits_in(cell):
                exhibits[0]["code"], preparing = "\n\n".join(preparing), []
            elif cell.children or number == 0:
                others, preparing = [*others, *preparing], []
            if not cell.children:
                cell.parent.remove(cell)
        if others + preparing:
            next(self.document.findall(nodes.section)).append(CodeNode(code="\n\n".join(others + preparing)))


def setup(app: Sphinx) -> None:
    """Register the transform and the fold."""
    app.add_transform(PlaceCode)
    app.add_node(CodeNode, html=(_visit_code, leave))


def _visit_code(self: HTML5Translator, node: CodeNode) -> None:
    if for_web(self.builder):
        page = TEMPLATES.get_template("code.html")
        self.body.append(
            page.render(
                name="page-code", words="Show the other code of this page", code=highlighted(self.builder, node["code"])
            )
        )
    raise nodes.SkipNode
