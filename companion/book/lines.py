"""Where lines of a page break: not in a date as 2026-11-22 or a designation as F-35A, but in a long name of code."""

import re

# What has no text to break: tags, elements whose content is no text of a line or stands as it is, and cells with dates.
LEFT_OUT = r'<(script|style|svg|pre|code|select)\b.*?</\1>|<[^>]*class="date">[^<]*|<[^>]*>'
WHOLE = r"(?<![\w-])(?:\d{4}(?:-\d\d){1,2}|[A-Z]{1,4}-\d+[A-Z]{0,2})(?![\w-])"
LONG = re.compile(r"\w{25,}")  # names that need more than a line on a phone
EITHER = re.compile(f"{LEFT_OUT}|({WHOLE})", re.DOTALL)


def keep_whole(html: str) -> str:
    """The HTML of a page, with dates and designations in elements that are kept in one line."""

    def marked(found: re.Match[str]) -> str:
        if found[1] == "code":
            return LONG.sub(lambda name: name[0].replace("_", "_<wbr>"), found[0])
        return f'<span class="whole">{found[2]}</span>' if found[2] else found[0]

    return EITHER.sub(marked, html)
