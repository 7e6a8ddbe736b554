"""Style sheets cut down to what pages use: a rule stays where each name in one of its selectors is on some page.

Names are those of elements, classes and ids. What a selector says besides, such as states and relations, is not looked
at, so that nothing goes that could take effect. Names that scripts add stand in the scripts as words.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import tinycss2
from tinycss2.ast import AtRule, Node, QualifiedRule

TAG = re.compile(r"<([a-zA-Z][\w-]*)")
NAMES = re.compile(r"""\s(?:class|id)="([^"]*)\"""")
WORD = re.compile(r"[\w-]+")
READ = re.compile(r"var\(\s*(--[\w-]+)")
SET = re.compile(r"""(?<=[{;])\s*(--[\w-]+)\s*:(?:"[^"]*"|'[^']*'|[^;{}"'])*(?:;|(?=\}))""")  # texts may hold a ";"
EMPTY = re.compile(r"[^{}@]*\{\s*\}")
MOTION = re.compile(r"@keyframes ([\w-]+)")
GROUPS = {"media", "supports"}  # rules that hold rules
# Letters come from the system.
DROPPED = {"font-face", "import", "charset"}


def names_in(files: Iterable[Path]) -> frozenset[str]:
    """The names of elements, classes and ids in pages, and all words of scripts."""
    found: set[str] = {"html", "body", "*"}
    for file in files:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".js":
            found.update(WORD.findall(text))
        else:
            found.update(TAG.findall(text))
            for names in set(NAMES.findall(text)):
                found.update(names.split())
    return frozenset(found)


def used(sheet: str, names: frozenset[str]) -> str:
    """The rules of a style sheet that can apply where there are these names.

    Args:
        sheet: the text of the style sheet.
        names: of elements, classes and ids.
    """
    rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
    return "\n".join(_without_variables(list(_used(rules, names)))) + "\n"


def _used(rules: Iterable[Node], names: frozenset[str]) -> Iterator[str]:
    for rule in rules:
        if isinstance(rule, QualifiedRule):
            kept = [text for text, needed in _selectors(rule.prelude) if needed <= names]
            if kept and (content := _compact(rule.content)):
                yield f"{','.join(kept)}{{{content}}}"
        elif isinstance(rule, AtRule) and rule.lower_at_keyword in GROUPS and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if parts := list(_used(inner, names)):
                yield f"@{rule.lower_at_keyword} {_compact(rule.prelude)}{{{''.join(parts)}}}"
        elif isinstance(rule, AtRule) and rule.lower_at_keyword not in DROPPED:
            yield _compact([rule])


def _selectors(prelude: list[Node]) -> Iterator[tuple[str, set[str]]]:
    """The selectors of a rule, each as text and with the names that it needs; what is in brackets needs none."""
    part: list[Node] = []
    for token in [*prelude, None]:
        if token is not None and token != ",":
            part.append(token)
            continue
        needed, before = set(), ""
        for item in part:
            if item.type == "hash" or (item.type == "ident" and before != ":"):
                needed.add(item.value)
            before = item.value if item.type == "literal" else ""
        yield _compact(part), needed
        part = []


def _compact(tokens: list[Node]) -> str:
    text = tinycss2.serialize([token for token in tokens if token.type != "comment"])
    return re.sub(r"[ \t\n]+", " ", text).strip()  # in a text, a space that breaks no line is another character


def _without_variables(rules: list[str]) -> list[str]:
    """The rules without variables that none of them reads, and without motions that none of them starts."""
    still = [rule for rule in rules if not MOTION.match(rule)]
    started = " ".join(still)
    text = "\n".join([*still, *(rule for rule in rules if (found := MOTION.match(rule)) and found[1] in started)])
    while True:
        read = set(READ.findall(text))
        shorter = SET.sub(lambda found, read=read: found[0] if found[1] in read else "", text)  # type: ignore[misc]
        if shorter == text:
            return [rule for rule in text.split("\n") if not EMPTY.fullmatch(rule)]
        text = shorter
