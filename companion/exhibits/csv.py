"""An exhibit's data as CSV, the form in which readers take them home."""

from companion.exhibits.form import Exhibit
from companion.files.sheets import as_csv


def data_csv(exhibit: Exhibit) -> str:
    """The exhibit's data as CSV, one column per field."""
    names = [field["name"] for field in exhibit.fields]
    return as_csv(names, ([row.get(name) for name in names] for row in exhibit.rows))
