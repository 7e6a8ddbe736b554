"""Record what the chapters give as the reference for the tests: what `make expected` does."""

import os
from collections import defaultdict
from typing import Any

import nbformat

from companion import settings
from companion.chapters.execution import Say, execute
from companion.chapters.notebooks import (
    Notebook,
    chapter_paths,
    claims_of,
    code_cells,
    exhibits_of,
    expected_path,
    read_chapter,
)
from companion.files import whole
from companion.settings import root
from companion.tables import alone, package, write_package


def record(say: Say = print) -> None:
    """Run every chapter and keep its code cells with their outputs as the reference for the tests.

    A reference without a chapter is removed, the data package learns which exhibits use each table, and `claims.csv`
    gets the verdicts that were computed. Review the change of `tests/expected/`: it is the list of numbers that
    changed.

    Args:
        say: told each chapter with its seconds, and each verdict that has turned.

    Raises:
        SourceError: a table is not as it was written, or breaks its schema; no chapter was run.
        ExecutionError: a chapter could not be run; no reference was changed.
    """
    from companion.tables.refresh import accept  # on demand: the checks need libraries that chapters do not

    accept(["claims"])  # authors write this table by hand; all others are checked with it
    # The reference is what everyone gets, without the reader's own files, and a verdict that has turned is recorded.
    os.environ |= settings.PUBLIC
    users = defaultdict[str, list[str]](list)
    verdicts: dict[str, str] = {}
    runs = execute(root(), chapter_paths(), say)
    for chapter, run in runs.items():
        cells = zip(code_cells(read_chapter(chapter)), run.outputs, strict=True)
        reference = nbformat.v4.new_notebook(cells=[_bare(*cell, number) for number, cell in enumerate(cells, start=1)])
        with whole.staged(expected_path(chapter)) as part:
            nbformat.write(reference, part)
        for exhibit in exhibits_of(reference):
            for table in exhibit.tables:
                users[table].append(exhibit.id)
        verdicts |= {claim.id: claim.verdict for claim in claims_of(reference) if claim.kind == "computed"}
    for stale in set((root() / "tests" / "expected").rglob("*.ipynb")) - {expected_path(chapter) for chapter in runs}:
        stale.unlink()
    _record_verdicts(verdicts, say)
    with alone(root()):
        content = package()
        for resource in content["resources"]:
            resource["exhibits"] = users[resource["name"]]
        write_package(root() / "data" / "datapackage.json", content)


def _record_verdicts(verdicts: dict[str, str], say: Say) -> None:
    """Write the verdicts of computed claims into their table; none for a claim that no chapter computes."""
    import pandas as pd

    from companion.sources import SourceFile
    from companion.tables.recipes import RECIPES, Built
    from companion.tables.refresh import replace

    files = [root() / "data" / name for name in ("claims.csv", "claim_sources.csv")]
    built = RECIPES["claims"]([SourceFile(file.name, file) for file in files])
    assert built, "the book has a table of claims"
    table = built.rows
    recorded = table["verdict"].mask(table["kind"] == "computed", table["claim_id"].map(verdicts))
    changes = pd.DataFrame({"was": table["verdict"], "now": recorded}).fillna("none").query("was != now")
    for index, was, now in changes.itertuples():
        say(f"{table.loc[index, 'claim_id']} ({table.loc[index, 'statement']}): {was} -> {now}")
    written = Built(table.assign(verdict=recorded))
    if written.csv != files[0].read_bytes():  # all tables would be checked once more, which takes seconds
        replace({"claims": written})


def _bare(cell: Notebook, outputs: list[dict[str, Any]], number: int) -> Notebook:
    """A code cell with its outputs and nothing that differs from run to run."""
    bare = nbformat.v4.new_code_cell(source=cell.source, execution_count=number, id=f"cell-{number}")
    bare.outputs = [nbformat.from_dict(output) for output in outputs]
    return bare
