"""Tables on uncrewed aircraft."""

from companion.recipes.built import Built, only_one
from companion.sources import SourceFile, sipri
from companion.sources import uas_groups as groups


def uas_deliveries(files: list[SourceFile]) -> Built | None:
    """UAS and loitering munitions delivered, from every SIPRI export in the folder."""
    exports = [sipri.read_export(file) for file in files if sipri.recognizes(file)]
    if not any(export.complete for export in exports):
        return None
    rows = sipri.uas_deliveries(exports)
    states = sorted(set(zip(rows["vintage"], rows["exported"], strict=True)))
    return Built(rows, [sipri.source(exported, vintage) for vintage, exported in states])


def uas_groups(files: list[SourceFile]) -> Built | None:
    """The DoD UAS groups, one row per group and source."""
    record = only_one(files, groups.recognizes, "UAS groups")
    return Built(groups.read(record)) if record else None
