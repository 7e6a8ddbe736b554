"""Which scripts a page may run: the files of the book, and one text that its layout writes into pages; nothing else.

The policy is a part of each page, since a page is also read from a folder, without a server. It allows that text by its
hash and not whatever stands in a page, so that a script that came in with data would not run.
"""

import base64
import hashlib
from collections.abc import Iterable

TAG = '<meta http-equiv="Content-Security-Policy" content="{}" />'


def policy(scripts: Iterable[str]) -> str:
    """The policy of a page as a tag, with the texts of scripts that may stand in it."""
    inline = " ".join(map(allowed, scripts))
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' {inline}",
        "style-src": "'self' 'unsafe-inline'",  # charts set styles
        "img-src": "'self' data:",
        "form-action": "'self'",
        "base-uri": "'none'",
    }
    content = "; ".join(f"{name} {value}" for name, value in rules.items())
    return TAG.format(content)


def allowed(script: str) -> str:
    """How a policy names a script whose text is known."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
