"""Links that open a chapter as a notebook on Binder and, for an edition, on Colab; and links to the repository.

They appear once `CITATION.cff` has a `repository-code`, the address of a repository on GitHub.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from companion.book.nodes import for_web
from companion.citation import Book, metadata
from companion.settings import changes_file


def setup(app: Sphinx) -> None:
    """Connect to Sphinx, after the theme has made its own buttons."""
    app.connect("config-inited", _link_repository)
    app.connect("html-page-context", _add_buttons, priority=502)


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


def _link_repository(app: Sphinx, config: Config) -> None:
    if repository := metadata(Path(app.srcdir)).repository_code:
        config["html_theme_options"] |= {
            "repository_url": repository,
            "use_repository_button": True,
            "use_issues_button": True,
        }


# The theme's own buttons would copy each notebook beside its page, without outputs where these come from the cache.
def _add_buttons(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    is_notebook = "kernelspec" in app.env.metadata[pagename]
    services = links(metadata(Path(app.srcdir)), pagename)
    if not for_web(app.builder) or not is_notebook or not services:
        return
    logos = {"Binder": "logo_binder.svg", "Colab": "logo_colab.png"}
    buttons = [
        {
            "type": "link",
            "text": service,
            "tooltip": f"Open this chapter on {service}",
            "icon": f"_static/images/{logos[service]}",
            "url": url,
        }
        for service, url in services.items()
    ]
    group = {"type": "group", "tooltip": "Run this chapter", "icon": "fas fa-rocket", "label": "launch-buttons"}
    context["header_buttons"].insert(0, group | {"buttons": buttons})
