"""Numbers for the prose: computed in a cell, quoted in a sentence, never typed."""

import ast
import difflib
import re
from collections.abc import Callable, Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

# What a sentence quotes. JupyterLab evaluates it in the kernel, so it is Python.
FACT = re.compile(r'facts(?:\["(?P<page>[\w/-]+)"\])?\.(?P<name>\w+)')
QUOTE = re.compile(rf"\{{eval\}}`{FACT.pattern}`")
# How MyST-NB, which reads them for the book, wants them in an output: shown nowhere, and named.
HIDDEN = "application/papermill.record/text/plain"


class UnknownFactError(AttributeError):
    """There is no such fact or no such chapter; the message names the nearest."""


class Facts:
    """The values that a chapter hands to its prose, as text: after ``facts(total=2877)``, ``facts.total`` is "2,877".

    A sentence quotes one with ``{eval}`facts.total` ``, and one of another chapter, named by its path below
    `chapters/`, with ``{eval}`facts["uas/exporters"].total` ``.
    """

    def __call__(self, **values: object) -> None:
        """Make values available to the prose of this chapter.

        Whole numbers get thousands separators; everything else is quoted as text, so round and name the unit here.
        A line break in a text is a space, as in Markdown.
        """
        from IPython.display import display

        for name, value in values.items():
            text = f"{value:,}" if isinstance(value, Integral) else " ".join(str(value).split())
            setattr(self, name, text)
            record = {"name": name, "mime_prefix": HIDDEN.removesuffix("text/plain")}
            display({HIDDEN: repr(text)}, raw=True, metadata={"scrapbook": record})

    def __getitem__(self, page: str) -> "Facts":
        """The facts of another chapter, as `make expected` last recorded them.

        Raises:
            UnknownFactError: there is no such chapter.
        """
        from companion.settings import root

        return recorded(page, root())

    def __getattr__(self, name: str) -> str:
        """Say that there is no fact of this name."""
        raise UnknownFactError(unknown("fact", name, vars(self)))

    @classmethod
    def among(cls, outputs: Iterable[dict[str, Any]]) -> "Facts":
        """The facts among the outputs of a chapter's cells."""
        facts = cls()
        for output in outputs:
            if record := output.get("metadata", {}).get("scrapbook"):
                (text,) = output["data"].values()
                setattr(facts, record["name"], ast.literal_eval(text))
        return facts


facts = Facts()


def recorded(page: str, book: Path) -> Facts:
    """The facts of a chapter as they were last recorded.

    Args:
        page: its path below `chapters/`, without ending.
        book: the book's folder.

    Raises:
        UnknownFactError: there is no such chapter.
    """
    import nbformat

    from companion.chapters.notebooks import chapter_paths, code_cells, expected_path

    folder = book / "chapters"
    pages = {path.relative_to(folder).with_suffix("").as_posix(): path for path in chapter_paths(book)}
    if page not in pages:
        raise UnknownFactError(unknown("chapter", page, pages))
    notebook = nbformat.read(expected_path(pages[page], book), as_version=4)
    return Facts.among(output for cell in code_cells(notebook) for output in cell.outputs)


def filled(text: str, own: Facts, of_page: Callable[[str], Facts]) -> str:
    """The Markdown of a chapter with the values in the places where it quotes them.

    Args:
        text: the Markdown.
        own: the facts of the chapter.
        of_page: gives the facts of another chapter.

    Raises:
        UnknownFactError: there is no such fact or no such chapter.
    """

    def value(quote: re.Match[str]) -> str:
        known = of_page(quote["page"]) if quote["page"] else own
        return str(getattr(known, quote["name"]))

    return QUOTE.sub(value, text)


def unknown(kind: str, name: str, names: Iterable[str]) -> str:
    """Say that something has no such name, and which name is the nearest."""
    near = difflib.get_close_matches(name, names, n=1, cutoff=0)
    return f"There is no {kind} {name!r}." + (f" Did you mean {near[0]!r}?" if near else "")
