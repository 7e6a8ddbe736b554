"""The Sphinx extension of the book: draws exhibits and claims, keeps the cache honest, writes files for reuse.

It shows what chapters computed and never computes a number itself.
"""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from companion.book import (
    catalogue,
    citing,
    claims,
    editions,
    facts,
    files,
    freshness,
    launch,
    nodes,
    pages,
    printed,
    tags,
)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    catalogue.setup(app)
    freshness.setup(app)
    nodes.setup(app)
    facts.setup(app)
    files.setup(app)
    claims.setup(app)
    editions.setup(app)
    pages.setup(app)
    citing.setup(app)
    tags.setup(app)
    launch.setup(app)
    printed.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
