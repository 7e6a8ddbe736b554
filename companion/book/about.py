"""What stands behind an exhibit: for each table it is computed from, how it was made, what to know, and its terms."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from companion.book import freshness
from companion.book.nodes import exhibits_in
from companion.exhibits.form import Exhibit
from companion.files import inputs
from companion.tables import describe, is_table, read_rows


class Describe(SphinxTransform):
    """Gives each exhibit of a page what the data package says of its tables."""

    default_priority = 850  # when the cells have their outputs

    def apply(self, **kwargs: Any) -> None:
        """Describe the tables of each exhibit, and have the page read again when that changes."""
        with inputs.watching(Path(self.env.srcdir)) as names:
            for node in exhibits_in(self.document):
                node["about"] = tables_of(node["exhibit"])
        freshness.page_of(self.env).inputs |= names


def tables_of(exhibit: Exhibit) -> list[dict[str, Any]]:
    """The tables of an exhibit that are part of the book, each with the corrections of the sources it is made from.

    A table made from the reader's own files is not described, so it is not here.
    """
    found = []
    for name in filter(is_table, exhibit.tables):
        table = describe(name)
        titles = {source["title"] for source in table["sources"]}
        corrected = (
            [row for row in read_rows("corrections") if row["source"] in titles] if table.get("upstream") else []
        )
        found.append({**table, "corrections": corrected})
    return found


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(Describe)
