"""The book: the Sphinx extension that makes pages of what chapters computed, and the command that builds them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


def setup(app: "Sphinx") -> "ExtensionMetadata":
    """Register the extension with Sphinx."""
    # Imported on demand: a build that finds everything as it was needs none of it.
    from companion.book import extension

    return extension.setup(app)
