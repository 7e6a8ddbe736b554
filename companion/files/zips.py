"""Zip files of which the same content always gives the same bytes."""

import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

UNIX = 3  # the system that the entries name, whichever writes them
FILE = 0o100644  # and the permissions: a file to be read by all


def write_zip(target: Path, members: Iterable[tuple[str, bytes]], moment: datetime, stored: str = "") -> None:
    """Write a zip file.

    Args:
        target: the file to write.
        members: name and content of each entry, in the order in which they are to stand.
        moment: when every entry was changed, from 1980 on, in even seconds.
        stored: the name of an entry that is not to be compressed, if there is one.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            entry.create_system, entry.external_attr = UNIX, FILE << 16
            archive.writestr(entry, content, zipfile.ZIP_STORED if name == stored else zipfile.ZIP_DEFLATED)
