"""Register all rooms of the book with Sphinx.

The book shows what chapters computed and never computes a number itself.
"""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from companion.book import (
    about,
    archives,
    builders,
    catalogue,
    citing,
    code,
    downloads,
    facts,
    freshness,
    front,
    glossary,
    launch,
    ledger,
    listing,
    nodes,
    pages,
    search,
    sharing,
    shell,
    tags,
    versions,
)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    catalogue.setup(app)
    runs = freshness.setup(app)
    nodes.setup(app)
    aside = nodes.while_others(app)
    about.setup(app)
    code.setup(app)
    facts.setup(app)
    downloads.setup(app, aside)
    ledger.setup(app)
    front.setup(app)
    glossary.setup(app)
    listing.setup(app)
    versions.setup(app)
    pages.setup(app)
    search.setup(app, aside)
    shell.setup(app, aside)
    archives.setup(app, runs)
    citing.setup(app)
    tags.setup(app)
    sharing.setup(app)
    launch.setup(app)
    builders.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
