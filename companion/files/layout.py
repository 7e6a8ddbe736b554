"""Where built files lie, below the folder of the pages: names that readers' links and programs rely on."""

EXHIBITS = "exhibits"
CLAIMS = "claims"
TABLES = "data"
CITATION = "citation"
CHANGES = "changes"
DOWNLOADS = "downloads"
PREVIEWS = "previews"
ABOUT = "edition.json"
FIRST_PAGE = "index.html"
MISSING_PAGE = "404.html"
# The builders of the other two forms, and folders beside that of the pages.
PRINT, EBOOK = "print", "ebook"
PACKAGE = "content.opf"  # what says which files an e-book has


def archive_name(version: str) -> str:
    """The name of an edition's archive without its ending, which is the folder inside it."""
    return f"companion-{version}"
