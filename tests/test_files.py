"""Cells of upstream files, files inside archives, and files as they are written: whole, and the same every time."""

import csv
import io
import os
import stat
import subprocess
import sys
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from companion.files import whole, zips
from companion.files.sheets import as_csv
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


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-x", "-1+1", "-", "-1\n", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"]
)
def test_a_cell_that_a_spreadsheet_would_run_is_marked_as_text(cell: str):
    """In Japanese spreadsheets the wide signs begin a formula too."""
    written = list(csv.reader(io.StringIO(as_csv(["a"], [[cell]]), newline="")))
    assert written == [["a"], [f"'{cell}".replace("\r", "\n")]]


@pytest.mark.parametrize("cell", ["", "a=1", " =1", "-5", "-5.25", -5, -0.5, 1e-9, True, "–5"])
def test_a_number_and_any_other_text_stays_as_it_is(cell: object):
    """A number below zero too, also where the column holds texts: a spreadsheet reads it as that number."""
    assert list(csv.reader(io.StringIO(as_csv(["a", "b"], [[cell, None]]))))[1] == [str(cell), ""]


def test_a_zip_of_the_same_files_has_the_same_bytes(tmp_path: Path):
    members = {"mimetype": b"one", "z/\u00e9.txt": b"2" * 10_000, "a.txt": b""}
    written = []
    for name in ("a.zip", "b.zip"):
        zips.write_zip(tmp_path / name, members.items(), datetime(2027, 3, 1, tzinfo=UTC), stored=("mimetype",))
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


def test_what_a_killed_process_left_is_removed_and_what_a_running_one_writes_stays(tmp_path: Path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left, folder = (tmp_path / f".{name}.{int(dead.stdout)}.part" for name in ("a.txt", "run-x"))
    left.touch()
    (folder / "inside").mkdir(parents=True)
    kept = {tmp_path / name for name in (f".a.txt.{os.getppid()}.part", "a.part", ".b.part", ".c.x.part", "a.txt")}
    for path in kept:
        path.touch()
    whole.write(tmp_path / "a.txt", "new")
    assert {*tmp_path.iterdir()} == kept


def test_an_error_without_a_name_gets_that_of_the_file(tmp_path: Path):
    with pytest.raises(OSError, match=r"No space.*a\.txt"), whole.staged(tmp_path / "a.txt"):
        raise OSError(28, "No space left on device")


def entries(path: Path, *names: str, kind: int = stat.S_IFREG) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (kind | 0o644) << 16
            opened.writestr(entry, b"12345")
    return path


OUT = "leads out of the folder"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a/../../b",), OUT),
        (("../b",), OUT),
        (("/b",), OUT),
        (("C:/b",), OUT),
        (("a\\..\\b",), OUT),
        (("a//b",), OUT),
        (("./b",), OUT),
        (("a\x1bb",), OUT),
        (("b" * 256,), OUT),
        (("b", "b"), "another entry"),
        (("b", "B"), "another entry"),
        (("b/é", "b/e\u0301"), "another entry"),
        (("b", "b/c"), "another entry"),
    ],
)
def test_an_archive_with_an_odd_name_is_refused_and_nothing_is_unpacked(
    tmp_path: Path, names: tuple[str, ...], message: str
):
    path = entries(tmp_path / "x.zip", "ok.txt", *names)
    with pytest.raises(zips.ArchiveError) as caught:
        zips.unpack(path, tmp_path / "in" / "out")
    assert str(caught.value).startswith(f"x.zip, {names[-1]!r}: ")
    assert message in str(caught.value)
    assert [file.name for file in tmp_path.rglob("*")] == ["x.zip"]


def test_an_archive_with_a_link_a_password_or_a_wrong_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good = entries(tmp_path / "x.zip", "ok.txt")
    zips.unpack(good, tmp_path / "good")
    assert (tmp_path / "good" / "ok.txt").read_bytes() == b"12345"
    link = entries(tmp_path / "link.zip", "b", kind=stat.S_IFLNK)
    with pytest.raises(zips.ArchiveError, match=r"^link\.zip, 'b': it is a link"):
        zips.unpack(link, tmp_path / "out")
    for at, value, message in ((8, 1, "'ok.txt': it needs a password"), (24, 9, "5 bytes where 9"), (24, 3, "CRC")):
        content = bytearray(good.read_bytes())
        content[content.index(b"PK\x01\x02") + at] = value
        (tmp_path / "bad.zip").write_bytes(content)
        with pytest.raises(zips.ArchiveError, match=rf"^bad\.zip, 'ok\.txt'.*{message}|^bad\.zip, {message}"):
            zips.unpack(tmp_path / "bad.zip", tmp_path / "out" / str(value))
    monkeypatch.setattr(zips, "MOST_UNPACKED", 4)
    with pytest.raises(zips.ArchiveError, match="would take 5 bytes"):
        zips.unpack(good, tmp_path / "large")
