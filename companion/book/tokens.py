"""The variables of the book's style sheet, for what has no page to take them from: pictures, paper, e-readers."""

import re
from functools import cache
from pathlib import Path

SHEET = Path(__file__).parent / "static" / "tokens.css"
# A variable of the first rule, with its value or the one of a light page.
VARIABLE = re.compile(r"--([a-z0-9-]+): (?:light-dark\(([^,]+), [^)]+\)|([^;]+));")


@cache
def light() -> dict[str, str]:
    """The variables of a light page by their names, with "_" for "-"."""
    first_rule = SHEET.read_text(encoding="utf-8").partition("}")[0]
    return {name.replace("-", "_"): of_two or value for name, of_two, value in VARIABLE.findall(first_rule)}


def either(name: str) -> str:
    """The value of a variable with both its colors, of which the browser takes one."""
    return SHEET.read_text(encoding="utf-8").partition(f"--{name}: ")[2].partition(";")[0]
