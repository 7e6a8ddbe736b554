"""Links below a page: to its source; for chapters, to Binder and, for an edition, to Colab; and to the repository.

All but the first appear once `CITATION.cff` has a `repository-code`, the address of a repository on GitHub.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from companion.book.nodes import for_web
from companion.citation import Book, metadata
from companion.files.addresses import href
from companion.settings import changes_file


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("html-page-context", _add_links)


def links(book: Book, docname: str) -> dict[str, str]:
    """Services with the addresses that open a chapter there; none while there is no repository.

    Binder opens the source at the edition's tag, or the newest for a working copy. Colab reads notebooks only, so it
    opens the executed one that publishing an edition puts into a tag of its own.
    """
    if book.repository_code is None:
        return {}
    repository = "/".join(book.repository_code.rstrip("/").rsplit("/", 2)[1:])
    edition, version = changes_file(), book.version
    branch = f"v{version}" if edition else "HEAD"
    binder = f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{docname}.md"
    colab = f"https://colab.research.google.com/github/{repository}/blob/notebooks-v{version}/{docname}.ipynb"
    return {"Binder": binder, "Colab": colab} if edition else {"Binder": binder}


def _add_links(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if not for_web(app.builder) or doctree is None:
        return
    book = metadata(Path(app.srcdir))
    is_notebook = "kernelspec" in app.env.metadata[pagename]
    found = [(f"Run on {service}", url) for service, url in (links(book, pagename) if is_notebook else {}).items()]
    if repository := href(book.repository_code or ""):
        found += [("Repository", repository), ("Report an error", f"{repository.rstrip('/')}/issues/new")]
    source = ("Source of this page (.md)", context["pathto"](f"_sources/{context['sourcename']}", True))
    context["page_links"] = [{"text": text, "url": url} for text, url in [source, *found]]
