"""Find upstream files in a folder, whatever they are called and wherever they lie."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class SourceError(ValueError):
    """An upstream file cannot be read: the message names file, row, column and what to do."""


@dataclass(frozen=True)
class SourceFile:
    """One upstream file: its name, for messages, and its content as published."""

    name: str
    content: bytes

    @property
    def text(self) -> str:
        """The content as text. SIPRI writes UTF-8 in some years and Windows-1252 in others."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.content.decode("cp1252", errors="replace")

    @property
    def head(self) -> str:
        """The first lines, enough to recognize a format."""
        return SourceFile(self.name, self.content[:4096]).text


def walk(folder: Path) -> Iterator[SourceFile]:
    """Yield every file below `folder`, members of zip archives included, in a fixed order."""
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder. Give the folder that holds the upstream files.")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                for member in sorted(m.filename for m in archive.infolist() if not m.is_dir()):
                    yield SourceFile(f"{path.name}/{member}", archive.read(member))
        else:
            yield SourceFile(path.name, path.read_bytes())
