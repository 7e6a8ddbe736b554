"""The form of an exhibit in a notebook: one output that describes itself.

It is standard: a figure is a Vega-Lite specification whose `usermeta` holds the description, a table is a Frictionless
tabular data resource. JupyterLab shows both by itself; the book draws them with `companion.book`. Whoever reads them
back needs neither pandas nor Altair.
"""

import itertools
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from companion.files import outputs
from companion.report import Status

Record = dict[str, Any]

# JupyterLab knows Vega-Lite 5; Altair 6 writes version 6, of which the charts here use what version 5 has too.
CHART_MIME = "application/vnd.vegalite.v5+json"
TABLE_MIME = "application/vnd.dataresource+json"
DATASET = "exhibit"
HIGHLIGHTED = "picked"  # the parameter of a chart with the name that stands out
PUBLISHED = "published"  # the name of the view that a reader sees first
TEXTS = ("title", "subtitle", "alt", "note")  # what an exhibit says of itself, and a view of it in its own words
# The present form. A later one has another number if it means something else by a name that this one has. What is new
# gets a default, with which the forms before are read. Version 0.1.0 wrote this form without its number.
FORM = 1


def decimals(numbers: Iterable[float]) -> int:
    """Decimals for all numbers of a column: none where all are whole, two where all are small ratios, otherwise one."""
    numbers = list(numbers)
    if all(float(number).is_integer() for number in numbers):
        return 0
    small = max(map(abs, numbers)) < 10 and any(round(number, 1) != number for number in numbers)
    return 2 if small else 1


def slug(value: object) -> str:
    """A value that a reader can choose, as in addresses and names of files."""
    return "-".join(re.findall(r"[a-z0-9.]+", str(value).lower()))


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """One exhibit, complete: description, data, and for a figure its Vega-Lite specification.

    What has no default here is in every form, and nothing can be said of an exhibit without it.

    Attributes:
        id: name in addresses and references, such as "figure-1".
        title: the finding, one line.
        subtitle: what is measured, the unit and the period.
        alt: the finding and the numbers that carry it, for a reader who cannot see the picture.
        status: how the exhibit relates to the report's own.
        reproduces: the report's exhibit, such as "Figure 1"; None for one of our own.
        note: what a reader must know to read it right; may be empty.
        sources: upstream sources, each with title, address and version or date of access.
        tables: names of the tables in `data/` that it is computed from.
        fields: the columns of its data, with name, title and type.
        rows: its data, one record per row.
        spec: Vega-Lite specification of the picture; None for a table.
        choices: what a reader can choose to see, each choice with `field`, the column in which the views differ or a
            parameter of the picture alone, its `title`, and `options`, which have `value`, `label` and texts of their
            own, the published one first. Empty where there is one view.
        highlight: what a reader can have stand out: `title` of the column, and its `names`, the published one first.
            None where there is nothing to pick.
        absorbs: ids of exhibits that it took the place of; what led to them leads to it.
        form: the form that it was written in.
    """

    id: str
    title: str
    subtitle: str = ""
    alt: str = ""
    status: Status = "own"
    reproduces: str | None = None
    note: str = ""
    sources: list[Record] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    fields: list[Record]
    rows: list[Record]
    spec: Record | None = None
    choices: list[Record] = field(default_factory=list)
    highlight: Record | None = None
    absorbs: list[str] = field(default_factory=list)
    form: int = FORM

    def views(self) -> "dict[str, Exhibit]":
        """What a reader can choose to see, each an exhibit, by its name in addresses; the published view comes first.

        Of several choices, each view has one option of each: a later choice has the last word on a text.
        """
        if not self.choices or self.spec is None:
            return {}
        columns = {column["name"] for column in self.fields}
        found = {}
        published = [choice["options"][0] for choice in self.choices]
        for options in itertools.product(*(choice["options"] for choice in self.choices)):
            chosen = {choice["field"]: option["value"] for choice, option in zip(self.choices, options, strict=True)}
            texts = {key: option[key] for option in options for key in TEXTS if key in option}
            rows = [row for row in self.rows if all(row[name] == chosen[name] for name in columns & chosen.keys())]
            params = [p | {"value": chosen.get(p["name"], p["value"])} for p in self.spec["params"]]
            view = replace(self, rows=rows, spec=self.spec | {"params": params}, choices=[], **texts)
            others = [slug(own["value"]) for own, first in zip(options, published, strict=True) if own != first]
            found["_".join(others) or PUBLISHED] = view
        return found

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Record:
        about = {name: value for name, value in vars(self).items() if name not in {"rows", "spec", "fields", "alt"}}
        for name in ("absorbs", "choices", "highlight"):
            if not about[name]:
                del about[name]
        if self.spec is None:
            import pandas as pd  # the pages of the book are made without it

            frame = pd.DataFrame(self.rows).rename(columns={f["name"]: f["title"] for f in self.fields})
            return {
                TABLE_MIME: {
                    "name": self.id,
                    "title": self.title,
                    "description": self.alt,
                    "schema": {"fields": self.fields},
                    "data": self.rows,
                    "exhibit": about,
                },
                "text/html": frame.to_html(index=False, na_rep="", border=0),
                "text/plain": self.alt,
            }
        described = {
            **self.spec,
            "title": {"text": textwrap.wrap(self.title, 68), "subtitle": textwrap.wrap(self.subtitle, 90)},
            "description": self.alt,
            "datasets": {**self.spec["datasets"], DATASET: self.rows},
            "usermeta": {"exhibit": {**about, "fields": self.fields}},
        }
        return {CHART_MIME: described, "text/plain": self.alt}

    @classmethod
    def from_output(cls, content: Record) -> Self | None:
        """Read an exhibit back from a notebook's output, of whatever form; None where the output is not an exhibit.

        Raises:
            OutputError: the output lacks what every exhibit has.
        """
        parts: Record
        if about := content.get("exhibit"):
            parts = {"fields": content.get("schema", {}).get("fields"), "rows": content.get("data")}
        elif about := content.get("usermeta", {}).get("exhibit"):
            spec = {key: value for key, value in content.items() if key not in {"title", "description", "usermeta"}}
            datasets = dict(content.get("datasets", {}))
            parts = {"rows": datasets.pop(DATASET, None), "spec": spec | {"datasets": datasets}}
        else:
            return None
        return outputs.read(cls, {**about, "alt": content.get("description"), **parts})
