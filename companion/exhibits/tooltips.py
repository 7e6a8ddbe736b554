"""Tooltips: what a chart says of the mark under the pointer, in words and numbers as a person writes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from companion.exhibits.form import Record, decimals

PLACES = ("row", "y", "x", "color", "fill", "stroke", "shape", "fillOpacity", "size", "opacity", "detail", "text")
POINTS = {"point", "circle", "square", "tick"}
SILENT = {"text", "rule"}  # words say it already, and most rules are no data
PARTS = ("layer", "vconcat", "hconcat", "concat")


def fill(spec: Record, rows: Mapping[str, list[Record]], titles: Mapping[str, str]) -> None:
    """Give every mark a tooltip: the fields that it shows, each with its title and its numbers well written.

    A tooltip that the chart has itself keeps its fields; titles and formats are added where it has none. A field
    without a title is left out. A line has no place of its own for each value: where the chart has no points, invisible
    ones are laid over the line, so that the pointer finds the nearest.

    Args:
        spec: a Vega-Lite specification, which is changed.
        rows: the data by name.
        titles: of fields.
    """
    _Filler(rows, titles).fill(spec, {}, [])


@dataclass(frozen=True)
class _Filler:
    rows: Mapping[str, list[Record]]
    titles: Mapping[str, str]

    def fill(self, part: Record, encoding: Record, data: list[Record], *, has_points: bool = False) -> None:
        """Fill a part of a chart, which has what surrounds it unless it says otherwise."""
        if "data" in part:
            data = self.rows.get(part["data"].get("name"), [])
        encoding = encoding | part.get("encoding", {}) | part.get("facet", {})
        parts = [inner for key in PARTS for inner in part.get(key, [])]
        parts += [part["spec"]] if "spec" in part else []
        has_points |= any(_type(inner) in POINTS for inner in parts)
        for inner in parts:
            self.fill(inner, encoding, data, has_points=has_points)
        kind = _type(part)
        tips = self.tips(encoding, data) if kind else []
        if not tips or ("tooltip" not in encoding and (kind in SILENT or (kind == "line" and has_points))):
            return
        if kind == "line":
            part.get("encoding", {}).pop("tooltip", None)
            over = {"mark": {"type": "point", "opacity": 0, "size": 300}, "encoding": {"tooltip": tips}}
            part["layer"] = [{"mark": part.pop("mark")}, over]
        else:
            part.setdefault("encoding", {})["tooltip"] = tips

    def tips(self, encoding: Record, data: list[Record]) -> list[Record]:
        """The fields of a tooltip: those that the chart gives, or those that the mark shows and that have a title."""
        if given := encoding.get("tooltip"):
            return [self.tip(field, data) for field in (given if isinstance(given, list) else [given])]
        known = self.titles.keys() & (data[0].keys() if data else ())
        return [self.tip(field, data) for field in _shown(encoding) if field["field"] in known]

    def tip(self, field: Record, data: list[Record]) -> Record:
        """A field with its title and, for a number, its format."""
        name = field.get("field", "")
        more = {"title": self.titles[name]} if name in self.titles else {}
        if field.get("type") == "quantitative":
            numbers = [row[name] for row in data if isinstance(row.get(name), int | float)]
            more["format"] = "d" if _is_year(name) else f",.{decimals(numbers)}f"
        return more | field


def _type(part: Record) -> str | None:
    """The type of a part's mark; None where it has parts itself."""
    mark = part.get("mark")
    kind: str | None = mark["type"] if isinstance(mark, dict) else mark
    return kind


def _shown(encoding: Record) -> list[Record]:
    """The fields that a mark shows, each once: names and years first, then numbers."""
    channels = [encoding[place] for place in PLACES if "field" in encoding.get(place, {})]
    found: dict[str, Record] = {}
    for channel in channels:
        found.setdefault(
            channel["field"], {key: channel[key] for key in ("field", "type", "timeUnit") if key in channel}
        )
    return sorted(found.values(), key=lambda field: field["type"] == "quantitative" and not _is_year(field["field"]))


def _is_year(name: str) -> bool:
    return name.endswith("year")
