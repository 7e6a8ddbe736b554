"""Bad upstream files, one per kind of fault: each is refused with one message, and `data/` stays as it was.

Run as a program, this prints the table of the inputs and their messages.
"""

import contextlib
import hashlib
import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import ROOT, run
from test_defense import milex, record, top100
from test_janes import HEADER, RECORD, csv
from test_sipri import deal, deals, order, register
from test_trade import API, CODES, CUSTOMS, code
from test_trade import source as trade_csv

from companion.sources import SourceError, curated, walk
from companion.tables.recipes import LOCAL
from companion.tables.refresh import refresh

COLLECTION = "CTY_NAME,E_COMMODITY,COMM_LVL,time,ALL_VAL_MO"
UTO = "Commodity,Country,Time,Customs Value (Gen) ($US)"
UNKNOWN = r"no reader knows this file\. It begins with"
RATES = record(curated.EXCHANGE_RATES, "2022-01-01,Japan,114.8").content


def zipped(**files: bytes) -> bytes:
    """An archive of files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return target.getvalue()


def protected(archive: bytes) -> bytes:
    """An archive whose first member says that it needs a password."""
    local, central = archive.index(b"PK\x03\x04"), archive.index(b"PK\x01\x02")
    changed = bytearray(archive)
    changed[local + 6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


def twice(archive: bytes) -> bytes:
    """An archive with two members of one name."""
    return archive.replace(b"b.csv", b"a.csv")


def workbook_of(cells: int) -> bytes:
    """A workbook with one sheet of zeros."""
    sheet = b"<worksheet><sheetData>" + b'<row><c r="A1"><v>0</v></c></row>' * cells + b"</sheetData></worksheet>"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return target.getvalue()


Content = bytes | Callable[[], bytes]
TWO = register(order(years="2025"), order().replace("Israel", "China").replace("India", "Serbia")).content
CASES: list[tuple[str, str, Content, str]] = [
    (
        "wrong delimiter",
        "deals 2025-01-01.csv",
        deals(deal()).content.replace(b";", b"|"),
        UNKNOWN,
    ),
    ("cut file", "deals.txt", deals(deal(), deal()[:30]).content, r"The file is cut; export it again"),
    ("cut archive", "deals.zip", b"PK\x03\x04 cut", r"The archive is cut"),
    ("cut workbook", "milex.xlsx", milex().content[:2500], r"the workbook cannot be read"),
    ("renamed column", "register.csv", register(order()).content.replace(b"Recipient,", b"Buyer,", 1), UNKNOWN),
    ("text in a number", "deals.txt", deals(deal(number="four")).content, r"'four' is not a possible number"),
    (
        "negative value",
        "customs.csv",
        trade_csv(CUSTOMS, 'export,USA,"Scientific, Optical Inst",2009,-1').content,
        r"'-1' is not a possible value",
    ),
    ("impossible value", "hs2.csv", trade_csv(API["exports"], "JAPAN,90,OPTIC,2024-01,5.5").content, r"whole number"),
    ("year out of range", "deals.txt", deals(deal(year=1850)).content, r"1850 is not a year of delivery"),
    ("unknown weapon label", "deals.txt", deals(deal(label="stealth drone")).content, r"'stealth drone' is not known"),
    ("unknown HTS code", "codes.csv", trade_csv(CODES, code("8541.49")).content, r"'8541.49' is not a ten-digit code"),
    (
        "code of nine digits",
        "hs10.csv",
        trade_csv(COLLECTION, "JAPAN,903149400,HS10,2020-01,5").content,
        r"'903149400' is not a code of ten digits",
    ),
    (
        "duplicate key",
        "hs10.csv",
        trade_csv(COLLECTION, *["JAPAN,9031494000,HS10,2020-01,5"] * 2).content,
        r"stands there twice",
    ),
    (
        "month out of range",
        "hs10.csv",
        trade_csv(COLLECTION, "JAPAN,9031494000,HS10,2020-13,5").content,
        r"'2020-13' is not a month",
    ),
    ("damaged collection", "hs10.parquet", b"PAR1 cut", r"The file is cut or damaged"),
    (
        "negative dollars",
        "report.csv",
        trade_csv(UTO, '"9031494000 Coordinate",Japan,2024,-5').content,
        r"'-5' is not a possible value",
    ),
    ("workbook with another sheet", "milex.xlsx", milex(sheets={"Sheet1": []}).content, r"no sheet 'Constant'"),
    ("missing row", "milex.xlsx", milex(country="France").content, r"no row for"),
    ("renamed column in a workbook", "top100.xlsx", top100(year_column="Sales").content, r"no column like"),
    ("no rows", "rates.csv", RATES.partition(b"\n")[0] + b"\n", r"no rows below the header"),
    ("row with a stray comma", "rates.csv", RATES.rstrip() + b",x\n", r"4 fields where the header has 3"),
    ("archive with a password", "deals.zip", protected(zipped(deals_txt=deals(deal()).content)), r"needs a password"),
    ("archive of zeros", "deals.zip", lambda: zipped(deals_txt=bytes(300_000_000)), r"300,000,000 bytes out of"),
    ("archive in an archive", "deals.zip", zipped(a_zip=zipped(deals_txt=b"x")), r"an archive in an archive"),
    (
        "archive of many files",
        "many.zip",
        zipped(**{f"f{i}": b"" for i in range(1_001)}),
        r"1,001 files; at most 1,000",
    ),
    (
        "two files of one name in an archive",
        "two.zip",
        twice(zipped(a_csv=b"1", b_csv=b"2")),
        r"a\.csv is in the .* twice",
    ),
    ("damaged member of an archive", "bad.zip", zipped(a_csv=RATES * 50).replace(RATES[:4], b"zzzz", 1)[:-90], r"cut"),
    ("a line of 200 MB", "deals.txt", lambda: deals().content + b"x" * 200_000_000, r"more than 60 MB"),
    ("a cell of 1 MB", "rates.csv", RATES.rstrip() + b"x" * 1_000_000 + b"\n", r"larger than field limit"),
    (
        "stray quotation mark",
        "deals.txt",
        deals('"' + deal(), *[deal()] * 9_000).content,
        r"row \d+: field larger than",
    ),
    ("zero byte", "rates.csv", RATES.replace(b"114.8", b"114\0008"), r"row 2: a zero byte"),
    (
        "UTF-16 with a wrong value",
        "rates.csv",
        RATES.replace(b"114.8", b"x").decode().encode("utf-16"),
        r"'x' is not a num",
    ),
    ("Japanese encoding", "rates.csv", "Date;Country;レート".encode("cp932"), r"It begins with 'Date;Country;レート'"),
    ("semicolons", "rates.csv", RATES.replace(b",", b";"), r"has semicolons between its columns"),
    ("tabs", "rates.csv", RATES.replace(b",", b"\t"), r"has tabs between its columns"),
    ("decimal comma", "rates.csv", RATES.replace(b"114.8", b'"114,8"'), r"'114,8' is not a number; a comma may only"),
    ("web page", "rates.csv", b"<!DOCTYPE html><html>Sign in</html>", r"a web page"),
    ("workbook with a password", "milex.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99, r"a workbook with a password"),
    (
        "workbook of zeros",
        "milex.xlsx",
        lambda: workbook_of(4_000_000),
        r"a workbook of 1 sheets and 132,000,0\d\d bytes",
    ),
    ("empty file", "rates.csv", b"", r"the file is empty"),
    ("a day to come", "register 2099-12-31.csv", register(order()).content, r"which is still to come"),
    (
        "a day that is none",
        "register 2025-13-45.csv",
        register(order()).content,
        r"'2025-13-45' in the file name is not a day",
    ),
    ("register of two suppliers", "register 2026-07-14.csv", TWO, r"may be cut or a selection"),
    (
        "register of one supplier",
        "register 2026-07-14.csv",
        register(order()).content,
        r"holds israel to india, and a state",
    ),
    (
        "register without rows",
        "register 2026-07-14.csv",
        register().content,
        r"its table has a later state",
    ),
    ("records of Janes", "sensors.csv", csv(HEADER, RECORD).content, r"belongs into data/local/"),
    (
        "a value of a past year that changed",
        "rates.csv",
        RATES.replace(b"114.8", b"99"),
        r"exchange_rates: 1 row would change",
    ),
    ("UTF-32", "rates.csv", RATES.decode().encode("utf-32"), r"something other than text"),
    ("half a byte order mark", "rates.csv", b"\xef\xbb" + RATES, UNKNOWN),
    ("a column twice in a record", "rates.csv", RATES.replace(b"Country", b"Date", 1), UNKNOWN),
    (
        "two kinds of line ends",
        "hs10.csv",
        f"{COLLECTION}\r\nJAPAN,9031494000,HS10,2020-01,5\nJAPAN,9031494000,HS10,2020-02,5\r\n".encode(),
        r"lines do not all end alike",
    ),
    ("infinite rate", "rates.csv", RATES.replace(b"114.8", b"inf"), r"'inf' is not a possible value"),
    (
        "unknown area",
        "customs.csv",
        trade_csv(CUSTOMS, 'export,Atlantis,"Scientific, Optical Inst",2009,1').content,
        r"'Atlantis' is none of Grand Total, USA",
    ),
    (
        "unknown goods",
        "customs.csv",
        trade_csv(CUSTOMS, "export,USA,Toys,2009,1").content,
        r"no row for 'Scientific, Optical Inst' in column 'goods'",
    ),
    (
        "unknown flow",
        "customs.csv",
        trade_csv(CUSTOMS, 'both,USA,"Scientific, Optical Inst",2009,1').content,
        r"'both' is none of export, import",
    ),
    ("negative units", "deals.txt", deals(deal(number=-4)).content, r"'-4' is not a possible number"),
    (
        "text in a register's number",
        "register 2025-03-13.csv",
        register(order(number="ten")).content,
        r"row 2, column 'Number delivered': 'ten' is not a possible number",
    ),
    ("text in a workbook's cell", "milex.xlsx", milex(japan="much").content, r"row 3, column 2030: 'much' is not an"),
    ("negative revenue", "top100.xlsx", top100(arms=-1).content, r"row 3: -1 is not a revenue"),
    (
        "a code twice",
        "codes.csv",
        trade_csv(CODES, code(), code()).content,
        r"row 3, .*'8541.49.1050' stands there twice",
    ),
    ("a flag of 2", "codes.csv", trade_csv(CODES, code(flags="1,1,2,0")).content, r"'2' is none of 0, 1"),
    (
        "an archive's file with a path that leads out",
        "deals.zip",
        zipped(**{"../x_txt": deals(deal()).content}),
        r"156 rows would go",
    ),
    ("binary", "register.csv", bytes(range(256)) * 50, r"no reader knows this file"),
    ("no date", "register.csv", register(order()).content, r"header with the date of the export is missing"),
]


def problem_of(folder: Path) -> str:
    """The message with which a folder of upstream files is refused; empty where it is not."""
    try:
        refresh(folder)
    except SourceError as problem:
        return str(problem)
    return ""


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tables of their own: what should be refused is not tried on those of the working copy."""
    book = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "data", book / "data")
    with contextlib.chdir(book):
        yield


def fingerprint() -> str:
    files = sorted(path for path in Path("data").iterdir() if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@pytest.mark.parametrize(("fault", "name", "content", "message"), CASES, ids=[case[0] for case in CASES])
def test_a_bad_file_is_refused_and_nothing_changes(
    fault: str, name: str, content: bytes | Callable[[], bytes], message: str, tmp_path: Path
):
    before = fingerprint()
    (tmp_path / name).write_bytes(content() if callable(content) else content)
    problem = problem_of(tmp_path)
    assert name in problem, problem
    assert re.search(message, problem), problem
    assert len(re.findall(r"\w", message)) > 2, "a pattern that says something"
    assert len(problem.splitlines()) <= 2
    assert fingerprint() == before


UNKNOWN_CONTENTS = [b"", b"\x00\x01\x02", b"not a table at all", "日本".encode("utf-16")]
UNKNOWN_NAMES = ["empty.csv", "empty.xlsx", "empty.parquet", "empty.txt"]


@pytest.mark.parametrize("content", UNKNOWN_CONTENTS)
@pytest.mark.parametrize("name", UNKNOWN_NAMES)
def test_a_file_that_no_reader_knows_is_refused_by_name(name: str, content: bytes, tmp_path: Path):
    before = fingerprint()
    (tmp_path / name).write_bytes(content)
    assert f"{name}: {'no reader knows this file' if content else 'the file is empty'}" in problem_of(tmp_path)
    assert not any(recipe(list(walk(tmp_path))) for recipe in LOCAL.values())
    assert fingerprint() == before


def test_an_unknown_file_beside_known_ones_is_said_to_be_unused(copy_of_project: Path, tmp_path: Path):
    folder = tmp_path / "upstream"
    folder.mkdir()
    shutil.copy(ROOT / "data" / "programs.csv", folder)
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    result = run(copy_of_project, "python", "-m", "companion", "data", str(folder))
    assert result.returncode == 0, result.stderr
    assert "notes.csv: not used; no reader knows this file" in result.stdout
    assert "programs.csv" not in result.stdout


MEASURE = """
import re, sys, time; from pathlib import Path
from companion.sources import SourceError; from companion.tables.refresh import refresh
before = time.perf_counter()
try:
    refresh(Path(sys.argv[1]))
    said = "taken"
except SourceError as problem:
    said = " ".join(str(problem).split())
# Not getrusage(), which counts the memory of the process that started this one.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
print(f"{said} | {peak} | {time.perf_counter() - before:.1f}")
"""


def main() -> None:
    """Print what each bad input is answered with, the peak memory of the process in MB, and its seconds."""
    print("| input | answer | MB | seconds |\n| --- | --- | ---: | ---: |")
    unknown = [
        (f"unknown {i}", name, content, "") for i, content in enumerate(UNKNOWN_CONTENTS) for name in UNKNOWN_NAMES
    ]
    for fault, name, content, _ in [*CASES, *unknown]:
        with tempfile.TemporaryDirectory() as book, tempfile.TemporaryDirectory() as folder:
            shutil.copytree(ROOT / "data", Path(book, "data"))
            Path(folder, name).write_bytes(content() if callable(content) else content)
            print(f"| {fault} | {run(Path(book), 'python', '-c', MEASURE, folder).stdout.strip()} |", flush=True)


if __name__ == "__main__":
    main()
