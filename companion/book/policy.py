"""Which scripts a page may run: the files of the book, and what its theme writes into pages; nothing else.

The policy is a part of each page, since a page is also read from a folder, without a server. It allows the known texts
of the theme by their hashes and not whatever stands in a page, so that a script that came in with data would not run.
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.jinja2glue import BuiltinTemplateLoader

from companion.book.nodes import after_writing

TAG = '<meta http-equiv="Content-Security-Policy" content="{}" />'
START = '<meta charset="utf-8" />'
INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
KNOWN = re.compile(
    r"""
    \s*document\.documentElement\.dataset\.mode\ =\ localStorage\.getItem\("mode"\)\ \|\|\ "\w*";
    \s*document\.documentElement\.dataset\.theme\ =\ localStorage\.getItem\("theme"\)\ \|\|\ "\w*";\s*
    | let\ toggle(HintShow|HintHide|OpenOnPrint)\ =\ '[\w ]*';
    | var\ togglebuttonSelector\ =\ '[\w., ]*';
    | DOCUMENTATION_OPTIONS\.(pagename\ =\ '[\w/.-]*'|search_as_you_type\ =\ (true|false));
    | \s*//\ Activate\ the\ search\ field\ on\ page\ load
      \s*let\ searchInput\ =\ document\.querySelector\("form\.bd-search\ input"\);
      \s*if\ \(searchInput\)\ \{
      \s*searchInput\.focus\(\);
      \s*searchInput\.select\(\);
      \s*console\.log\("\[PST\]:\ Set\ focus\ on\ search\ field\."\);
      \s*\}\s*
    """,
    re.VERBOSE,
)
HANDLERS = ("toggleFullScreen()", "window.print()")  # of the theme's buttons


class Templates(BuiltinTemplateLoader):
    """Sphinx's templates; each page gets its policy."""

    def render(self, template: str, context: dict[str, Any]) -> str:  # type: ignore[override]
        """Fill a template."""
        page = super().render(template, context)
        known = [script for script in INLINE.findall(page) if KNOWN.fullmatch(script)]
        return page.replace(START, f"{START}\n    {policy(known)}", 1)


def policy(scripts: Iterable[str]) -> str:
    """The policy of a page as a tag, with the texts of scripts that may stand in it."""
    inline = " ".join(dict.fromkeys(map(allowed, scripts)))
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' {inline} 'unsafe-hashes' {' '.join(map(allowed, HANDLERS))}",
        "style-src": "'self' 'unsafe-inline'",  # charts set styles
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",  # the search reads the pages that it found
        "form-action": "'self'",
        "base-uri": "'none'",
    }
    content = "; ".join(f"{name} {value}" for name, value in rules.items())
    return TAG.format(content)


def allowed(script: str) -> str:
    """How a policy names a script, or what an attribute runs, whose text is known."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def setup(app: Sphinx) -> None:
    """Have pages rendered with their policy."""
    app.connect("config-inited", _take_over)
    after_writing(app, _forward)


def _take_over(app: Sphinx, config: Config) -> None:
    config["template_bridge"] = f"{__name__}.{Templates.__name__}"


def _forward(app: Sphinx) -> None:
    """Write the page that leads to the first one, which Jupyter Book would write without a policy."""
    first = app.builder.get_target_uri(app.config.root_doc)
    text = f"""{TAG.format("default-src 'none'")}\n<meta http-equiv="Refresh" content="0; url={first}" />\n"""
    Path(app.outdir, "index.html").write_text(text, encoding="utf-8")
