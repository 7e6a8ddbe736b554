"""Where built files lie, below the folder of the pages: names that readers' links and programs rely on."""

EXHIBITS = "exhibits"
CLAIMS = "claims"
TABLES = "data"
CITATION = "citation"
CHANGES = "changes"
DOWNLOADS = "downloads"
PREVIEWS = "previews"
ABOUT = "edition.json"


def archive_name(version: str) -> str:
    """The name of an edition's archive without its ending, which is the folder inside it."""
    return f"companion-{version}"
