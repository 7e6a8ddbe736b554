"""Exhibits: a table or a figure of a chapter, with everything a reader needs to trust, reuse and cite it."""

import json
import re
from collections.abc import Sequence
from typing import get_args

import altair as alt
import pandas as pd

from companion.exhibits import theme, tooltips
from companion.exhibits.form import DATASET, HIGHLIGHTED, TEXTS, Exhibit, Record
from companion.files.addresses import BETWEEN
from companion.report import REPORT_EXHIBITS, Status
from companion.tables import describe, is_table
from companion.tables.own_files import local_sources

theme.enable()


def exhibit(
    id: str,
    content: alt.TopLevelMixin | pd.DataFrame,
    *,
    title: str,
    subtitle: str,
    alt: str,
    sources: list[str | tuple[str, pd.DataFrame]],
    status: Status = "own",
    note: str = "",
    table: pd.DataFrame | None = None,
    columns: dict[str, str] | None = None,
    choices: dict[str, list[str] | dict[str, dict[str, str]]] | None = None,
    highlight: dict[str, str] | None = None,
    absorbs: Sequence[str] = (),
) -> Exhibit:
    """Show a chart or a table as an exhibit of the book.

    Args:
        id: a name that stays; the report's own exhibits are table-1 and figure-1 to figure-4.
        content: an Altair chart without a title, or a data frame for a table.
        title: the finding, one line. A line break in a text is a space, as in Markdown.
        subtitle: what is measured, the unit and the period.
        alt: the finding and the numbers that carry it, for a reader who cannot see the picture.
        sources: tables it is computed from; "name@vintage" where only one vintage is used, "name@local" where the table
            is made from the reader's own files. A table in which each row names its own source stands with the rows
            that are used, as in ("programs", rows): their publishers are the sources. None for an exhibit on the book
            itself.
        status: how it relates to the report's own exhibit; "own" where the report has none.
        note: what a reader must know to read it right.
        table: the data shown beside a chart and offered for download; the chart's own data if not given.
        columns: titles of columns that the source tables do not describe, and of fields that tooltips show. A name that
            is one word needs none.
        choices: columns of the chart's data and of the table, each with the values that a reader can choose between;
            the first is what is published, and what the texts above describe. The picture shows the rows with that
            value. A value can have its `label`, and what differs of `title`, `subtitle`, `alt` and `note`; without a
            title, its heading says what is shown and finds nothing. A name that is no column is a parameter that the
            chart's expressions use, as one for its scale; the data and the title stay. Where two choices have the same
            text, that of the later one is shown.
        highlight: one column of the chart's data, and which of its names stands out as published. A reader can pick
            another one; the chart colors it by `charts.highlight(column, charts.PICKED, color)`.
        absorbs: ids of earlier exhibits that this one took the place of. References, addresses and frames of other
            pages that name them lead here.

    Raises:
        ValueError: the description is incomplete or contradicts itself; the message says what to add.
    """
    for name in (id, *absorbs):
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise ValueError(f"Exhibit {name!r}: an id has lower-case letters, digits and hyphens, as in 'figure-1'.")
    if status not in get_args(Status):
        raise ValueError(f"Exhibit {id!r}: status {status!r} is none of {', '.join(get_args(Status))}.")
    if (status == "own") != (id not in REPORT_EXHIBITS):
        raise ValueError(f"Exhibit {id!r}: the status is 'own' if and only if the report has no such exhibit.")
    title, subtitle, alt, note = (" ".join(text.split()) for text in (title, subtitle, alt, note))
    for name, text in {"title": title, "subtitle": subtitle, "alt": alt}.items():
        if not text:
            raise ValueError(f"Exhibit {id!r}: {name} is empty.")
    chart = None if isinstance(content, pd.DataFrame) else content
    frame = content if chart is None else (chart.data if table is None else table)
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"Exhibit {id!r}: the chart has no data frame of its own. Pass table=.")
    tables = sorted({_name_of(source).partition("@")[0] for source in sources})
    public = filter(is_table, tables)  # a table made from licensed files is not described
    known = {field["name"]: field["title"] for table in public for field in describe(table)["schema"]["fields"]}
    titles = known | (columns or {})
    fields = _fields(id, frame, titles)
    rows = json.loads(frame.to_json(orient="records", double_precision=6))
    spec = None if chart is None else _spec(chart, frame)
    if spec:
        tooltips.fill(spec, spec["datasets"] | {DATASET: rows}, titles | {f["name"]: f["title"] for f in fields})
    chosen = [
        _choice(id, name, values, spec=spec, rows=rows, titles=titles, subtitle=subtitle)
        for name, values in (choices or {}).items()
    ]
    picked = _highlight(id, highlight, spec=spec, rows=rows, titles=titles) if highlight else None
    return Exhibit(
        id=id,
        title=title,
        subtitle=subtitle,
        alt=alt,
        status=status,
        reproduces=REPORT_EXHIBITS.get(id),
        note=note,
        sources=_sources(id, sources),
        tables=tables,
        fields=fields,
        rows=rows,
        spec=spec,
        choices=chosen,
        highlight=picked,
        absorbs=list(absorbs),
    )


def _spec(chart: alt.TopLevelMixin, frame: pd.DataFrame) -> Record:
    """The chart as Vega-Lite. Data that the exhibit's table holds already is named, not repeated."""
    spec: Record = chart.to_dict()
    del spec["$schema"]  # JupyterLab's own Vega-Lite draws it; downloads name the version again
    if chart.data is frame:
        name = spec["data"]["name"]
        del spec["datasets"][name]
        spec = json.loads(json.dumps(spec).replace(json.dumps({"name": name}), json.dumps({"name": DATASET})))
    return spec | {"datasets": spec.get("datasets", {})}


def _choice(
    id: str,
    name: str,
    values: list[str] | dict[str, dict[str, str]],
    *,
    spec: Record | None,
    rows: list[Record],
    titles: dict[str, str],
    subtitle: str,
) -> Record:
    """What a reader can choose, checked; the chart, which is changed, shows the first of it."""
    if spec is None or len(values) < 2:
        raise ValueError(f"Exhibit {id!r}: choices= takes columns of a chart, each with two values or more.")
    in_table = {row.get(name) for row in rows}
    of_picture = in_table == {None} and re.search(rf"\b{re.escape(name)} ===? ", json.dumps(spec))
    options: list[Record] = []
    for value in values:
        own = dict(values[value]) if isinstance(values, dict) else {}
        if unknown := own.keys() - {"label", *TEXTS}:
            raise ValueError(
                f"Exhibit {id!r}: the choice {value!r} has {min(unknown)!r}, which is no text of an exhibit."
            )
        label = own.setdefault("label", str(value))
        if options and not of_picture:  # the texts of the exhibit are those of the first
            own.setdefault("title", f"{subtitle} ({label})")
            own.setdefault("alt", f"{own['title']}. The numbers are in the table.")
        options.append({"value": value} | {key: " ".join(text.split()) for key, text in own.items()})
    shown = spec["datasets"] | {DATASET: rows}
    filtered = _filter(spec, f"datum[{json.dumps(name)}] == {name}", name, shown)
    # What belongs to one view alone, such as a rule, has data with one of the values.
    of_chart = {row.get(name) for data in filtered for row in shown[data]}
    if not (of_picture and not filtered) and (of_chart != {*values} or in_table != {*values}):
        raise ValueError(f"Exhibit {id!r}: column {name!r} of chart and table has not just the values {list(values)}.")
    spec["params"] = [*spec.get("params", []), {"name": name, "value": options[0]["value"]}]
    return {"field": name, "title": titles.get(name, name.capitalize()), "options": options}


def _highlight(
    id: str, highlight: dict[str, str], *, spec: Record | None, rows: list[Record], titles: dict[str, str]
) -> Record:
    """What a reader can have stand out, the published name first; the chart, which is changed, begins with it."""
    ((column, published), *more) = highlight.items()
    if more or spec is None or not re.search(rf"=== {HIGHLIGHTED}\b", json.dumps(spec)):
        raise ValueError(f"Exhibit {id!r}: highlight= takes one column of a chart that colors charts.PICKED.")
    names = sorted({row[column] for row in rows if row.get(column) is not None})
    if published not in names:
        raise ValueError(f"Exhibit {id!r}: column {column!r} of the table has no {published!r} to highlight.")
    spec["params"] = [*spec.get("params", []), {"name": HIGHLIGHTED, "value": published}]
    return {"title": titles[column], "names": [published, *(name for name in names if name != published)]}


def _filter(part: Record, condition: str, column: str, data: dict[str, list[Record]]) -> set[str]:
    """Have each part of a chart that has data with a column show the rows that fit; return the names of the data."""
    name = part.get("data", {}).get("name")
    found = {name} if name and column in (data[name] or [{}])[0] else set()
    if found:
        part["transform"] = [{"filter": condition}, *part.get("transform", [])]
    inner = [part["spec"]] if "spec" in part else []
    for place in tooltips.PARTS:
        inner += part.get(place, [])
    return found.union(*(_filter(each, condition, column, data) for each in inner))


def _name_of(source: str | tuple[str, pd.DataFrame]) -> str:
    return source if isinstance(source, str) else source[0]


def _sources(id: str, sources: list[str | tuple[str, pd.DataFrame]]) -> list[Record]:
    """The upstream sources of tables, of one vintage where a name says so, or of the rows that are given."""
    found: list[Record] = []
    for source in sources:
        table, _, vintage = _name_of(source).partition("@")
        if vintage == "local":
            found += local_sources(table)
            continue
        of_table = describe(table)["sources"]
        if not isinstance(source, str):
            found += _cited(id, source[1], read=max(entry["accessed"] for entry in of_table))
            continue
        chosen = [entry for entry in of_table if not vintage or entry.get("vintage") == vintage]
        if not chosen:
            vintages = sorted({entry.get("vintage", "") for entry in of_table})
            raise ValueError(f"Exhibit {id!r}: table {table!r} has no vintage {vintage!r}; it has {vintages}.")
        found += chosen
    found = [{key: value for key, value in source.items() if key != "vintage"} for source in found]
    return [source for i, source in enumerate(found) if source not in found[:i]]


def _cited(id: str, rows: pd.DataFrame, read: str) -> list[Record]:
    """The pages that rows cite: those of the publisher that most rows cite come first."""
    columns = ["source_publisher", "source_url", "source_title"]
    if missing := [column for column in columns if column not in rows]:
        raise ValueError(f"Exhibit {id!r}: the rows in sources= have no column {missing[0]!r}. Pass rows of the table.")
    publishers = rows["source_publisher"].map(rows["source_publisher"].value_counts())
    pages = rows.assign(n=publishers).sort_values("n", ascending=False, kind="stable")[columns].drop_duplicates()
    return [
        {"title": who, "path": url, "page": page, "accessed": read}
        for who, urls, page in pages.itertuples(index=False)
        for url in urls.split(BETWEEN)
    ]


def _fields(id: str, frame: pd.DataFrame, titles: dict[str, str]) -> list[Record]:
    """Name, title and type of each column."""
    fields = []
    for name, dtype in frame.dtypes.items():
        title = titles.get(str(name), str(name).capitalize() if str(name).isalpha() else None)
        if title is None:
            raise ValueError(f"Exhibit {id!r}: column {name!r} has no title. Pass columns={{{name!r}: '...'}}.")
        kind = "integer" if pd.api.types.is_integer_dtype(dtype) else "string"
        kind = "number" if pd.api.types.is_float_dtype(dtype) else kind
        kind = "boolean" if pd.api.types.is_bool_dtype(dtype) else kind
        if name == "year" or (kind == "integer" and str(name).endswith("_year")):
            kind = "year"  # written without a thousands separator
        fields.append({"name": str(name), "title": title, "type": kind})
    return fields
