"""The table of sensor records that a reader's own Janes export makes. It is never committed."""

from pathlib import PurePath

from companion.sources import SourceFile, janes
from companion.tables.recipes.built import Built, only_one

EXPORT = "sensor records of Janes"


def janes_sensors(files: list[SourceFile]) -> Built | None:
    """The records of the one Janes export, read with the mapping `janes.toml` where there is one.

    Returns:
        One row per record.
    """
    mapping = janes.read_mapping(only_one(files, _is_mapping, "the columns of a Janes export"))
    # A file that bears the name of Janes is read in any case, so that its user learns which columns it lacks.
    export = only_one(files, lambda file: janes.recognizes(file, mapping), EXPORT) or only_one(files, _is_named, EXPORT)
    if export is None:
        return None
    source = {"title": "Janes, export under the reader's own license", "path": "https://www.janes.com"}
    return Built(janes.read(export, mapping), [export], [{**source, "version": export.name}])


def _is_mapping(file: SourceFile) -> bool:
    return PurePath(file.name).name.lower() == "janes.toml"


def _is_named(file: SourceFile) -> bool:
    return "janes" in file.name.lower() and PurePath(file.name).suffix.lower() in {".csv", ".xlsx"}
