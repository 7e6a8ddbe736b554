"""Cells of upstream files, files inside archives, and files as they are written: whole, and the same every time."""

import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from companion.files import whole, zips
from companion.sources import Row, SourceError, SourceFile, walk


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("68", 68),
        (" 6.8 ", 6.8),
        ("1e3", 1000),
        ("1,234", 1234),
        ("12,345,678", 12345678),
        ("1,234.5", 1234.5),
        ("-1,234", -1234),
        ("", None),
    ],
)
def test_a_comma_between_groups_of_three_digits_is_no_part_of_a_number(text: str, number: float | None):
    assert Row("a.csv", 2, {"value": text}).number("value", minimum=-1e9) == number


@pytest.mark.parametrize("text", ["6,8", "0,75", "1,23,456", "1234,567", ",5", "5,", "1,234,56", "1.234,5", "1,2345"])
def test_a_comma_at_another_place_is_refused(text: str):
    """Continental Europe writes 6,8 for 6.8, which is not 68."""
    with pytest.raises(
        SourceError, match=r"^a.csv, row 2, column 'value': '.*' is not a number; a comma .*Correct the"
    ):
        Row("a.csv", 2, {"value": text}).number("value")


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(f"{name}.csv", content)
    return path


def test_members_of_an_archive_are_files_in_order(tmp_path: Path):
    archive(tmp_path / "a.zip", second=b"2", first=b"1" * 10_000)
    (tmp_path / "b.csv").write_bytes(b"3")
    files = list(walk(tmp_path))
    assert [(f.name, len(f.content)) for f in files] == [
        ("a.zip/first.csv", 10_000),
        ("a.zip/second.csv", 1),
        ("b.csv", 1),
    ]
    assert files[0].head == "1" * 4096
    for file in files:
        with file.on_disk() as path:
            assert path.read_bytes() == file.content
        assert path.exists() == (file.name == "b.csv")


def test_a_copy_on_disk_goes_with_an_error_too():
    with pytest.raises(KeyError), SourceFile("a.csv", b"1").on_disk() as path:
        raise KeyError
    assert not path.exists()


@pytest.mark.parametrize("fault", ["damaged", "locked"])
def test_a_member_that_cannot_be_unpacked_is_named(fault: str, tmp_path: Path):
    path = archive(tmp_path / "a.zip", whole=b"ok", wrong=bytes(range(256)) * 50)
    content = bytearray(path.read_bytes())
    if fault == "damaged":
        start = content.index(b"wrong.csv") + len("wrong.csv")
        content[start + 5 : start + 100] = b"\xff" * 95
    else:  # a password is a flag in both headers
        for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            content[content.rindex(header) + offset] |= 1
    path.write_bytes(content)
    if fault == "locked":  # which is known before anything is read
        with pytest.raises(SourceError, match=r"^a\.zip/wrong\.csv: needs a password\. Unpack the archive"):
            list(walk(tmp_path))
        return
    whole, wrong = walk(tmp_path)
    assert whole.content == b"ok"
    for use in (lambda: wrong.content, lambda: wrong.on_disk().__enter__()):
        with pytest.raises(SourceError, match=r"^a\.zip/wrong\.csv: .*Unpack the archive, or download it again\.$"):
            use()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "new" / "a.txt"
    whole.write(path, "one\n")
    with suppress(KeyError), whole.staged(path) as part:
        part.write_text("half")
        assert path.read_bytes() == b"one\n"
        raise KeyError
    with whole.staged(path) as part:
        part.write_bytes(b"two")
    assert [(file.name, file.read_bytes()) for file in path.parent.iterdir()] == [("a.txt", b"two")]


def test_a_zip_of_the_same_files_has_the_same_bytes(tmp_path: Path):
    members = {"mimetype": b"one", "z/\u00e9.txt": b"2" * 10_000, "a.txt": b""}
    written = []
    for name in ("a.zip", "b.zip"):
        zips.write_zip(tmp_path / name, members.items(), datetime(2027, 3, 1, tzinfo=UTC), stored="mimetype")
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == members
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == [*members]
    assert {(entry.date_time, entry.create_system, entry.external_attr >> 16) for entry in entries} == {
        ((2027, 3, 1, 0, 0, 0), 3, 0o100644)
    }
    assert [entry.compress_type for entry in entries] == [zipfile.ZIP_STORED, *[zipfile.ZIP_DEFLATED] * 2]
    assert written[0][30:38] == b"mimetype", "an e-reader looks for its name there"
