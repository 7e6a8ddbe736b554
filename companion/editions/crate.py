"""The archive's description for repositories: an RO-Crate, which names the parts, their makers, and their terms."""

import json
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.entity import Entity
from rocrate.rocrate import ROCrate

from companion.citation import Author, doi_address, metadata

DOWNLOADED = {
    ".pdf": ("The book as PDF", "application/pdf"),
    ".epub": ("The book as EPUB", "application/epub+zip"),
    "-notebooks.zip": ("The notebooks with everything they need to run", "application/zip"),
    "-tables.zip": ("The tables with their description", "application/zip"),
    "-exhibits.zip": ("The exhibits: data, pictures and specifications", "application/zip"),
}


def write_crate(folder: Path) -> None:
    """Describe the folder of an archive in `ro-crate-metadata.json`, from its citation data and its data package."""
    book = metadata(folder)
    released = str(book.date_released)
    crate = ROCrate(version="1.1")
    crate.name, crate.description = book.title, book.abstract
    crate.datePublished = released
    root = crate.root_dataset
    root["version"] = book.version
    root["license"] = _flat([_license(crate, name) for name in book.license])
    root["author"] = _flat([_author(crate, author, number) for number, author in enumerate(book.authors, start=1)])
    links = {"identifier": doi_address(book), "codeRepository": book.repository_code, "url": book.url}
    for property, link in links.items():
        if link:
            root[property] = link
    for path, name, kind in (
        ("html/", "The book as pages; open index.html", "text/html"),
        ("notebooks/", "The chapters as executed notebooks", "application/x-ipynb+json"),
        ("chapters/", "The chapters as MyST Markdown", "text/markdown"),
        ("companion/", "The library that the chapters and the book use", "text/x-python"),
    ):
        crate.add_directory(dest_path=path, properties={"name": name, "encodingFormat": kind})
    for path, name, kind in (
        ("CITATION.cff", "How to cite the book", "application/yaml"),
        ("requirements.txt", "The exact versions of all packages", "text/plain"),
        ("changes.json", "What changed in the numbers since the edition before", "application/json"),
    ):
        crate.add_file(dest_path=path, properties={"name": name, "encodingFormat": kind})
    for file in sorted((folder / "html" / "downloads").iterdir()):
        name, kind = next(what for ending, what in DOWNLOADED.items() if file.name.endswith(ending))
        crate.add_file(dest_path=f"html/downloads/{file.name}", properties={"name": name, "encodingFormat": kind})
    _add_tables(crate, folder)
    text = json.dumps(crate.metadata.generate(), indent=2, ensure_ascii=False, sort_keys=True)
    (folder / "ro-crate-metadata.json").write_text(text + "\n", encoding="utf-8")


def _add_tables(crate: ROCrate, folder: Path) -> None:
    package = json.loads((folder / "data" / "datapackage.json").read_text(encoding="utf-8"))
    tables = [
        crate.add_file(
            dest_path=f"data/{resource['path']}",
            properties={
                "name": resource["title"],
                "description": resource["description"],
                "encodingFormat": "text/csv",
                "conditionsOfAccess": resource["terms"],
                "contentSize": str((folder / "data" / resource["path"]).stat().st_size),
                "isBasedOn": _flat(sorted({source["title"] for source in resource["sources"]})),
            },
        )
        for resource in package["resources"]
    ]
    data = crate.add_directory(dest_path="data/", properties={"name": "The tables, with their description"})
    data["hasPart"] = tables


def _flat(values: list[Any]) -> Any:
    """Several values as a list, a single one as itself, as RO-Crate asks."""
    return values[0] if len(values) == 1 else values


def _license(crate: ROCrate, name: str) -> Entity:
    properties = {"@type": "CreativeWork", "name": name, "description": f"The license with the SPDX identifier {name}"}
    return crate.add(ContextEntity(crate, f"https://spdx.org/licenses/{name}", properties=properties))


def _author(crate: ROCrate, author: Author, number: int) -> Entity:
    properties = {"@type": "Organization" if author.name else "Person", "name": author.full_name}
    return crate.add(ContextEntity(crate, author.orcid or f"#author-{number}", properties=properties))
