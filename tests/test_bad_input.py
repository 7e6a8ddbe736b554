"""Bad upstream files, one per kind of fault: each is refused with one message, and `data/` stays as it was.

Run as a program, this prints the table of the inputs and their messages.
"""

import hashlib
import re
import tempfile
from pathlib import Path

import pytest
from conftest import run
from test_defense import milex, record, top100
from test_sipri import deal, deals, order, register
from test_trade import API, CODES, CUSTOMS, JAPAN, code
from test_trade import source as trade_csv

from companion.settings import root
from companion.sources import SourceError, curated, walk
from companion.tables.recipes import LOCAL
from companion.tables.refresh import refresh

COLLECTION = "CTY_NAME,E_COMMODITY,COMM_LVL,time,ALL_VAL_MO"
UTO = "Commodity,Country,Time,Customs Value (Gen) ($US)"
UNKNOWN = r"no reader knows this file\. It begins with"
RATES = record(curated.EXCHANGE_RATES, "2022-01-01,Japan,114.8").content
CASES: list[tuple[str, str, bytes, str]] = [
    (
        "wrong delimiter",
        "deals 2031-01-01.csv",
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
    ("no date", "register.csv", register(order()).content, r"header with the date of the export is missing"),
]


def problem_of(folder: Path) -> str:
    """The message with which a folder of upstream files is refused; empty where it is not."""
    try:
        refresh(folder)
    except SourceError as problem:
        return str(problem)
    return ""


def fingerprint() -> str:
    files = sorted(path for path in (root() / "data").iterdir() if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


@pytest.mark.parametrize(("fault", "name", "content", "message"), CASES, ids=[case[0] for case in CASES])
def test_a_bad_file_is_refused_and_nothing_changes(fault: str, name: str, content: bytes, message: str, tmp_path: Path):
    before = fingerprint()
    (tmp_path / name).write_bytes(content)
    problem = problem_of(tmp_path)
    assert name in problem, problem
    assert {pattern for *_, pattern in CASES if re.search(pattern, problem)} == {message}, problem
    assert "\n" not in problem
    assert fingerprint() == before


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"not a table at all", "日本".encode("utf-16")])
@pytest.mark.parametrize("name", ["empty.csv", "empty.xlsx", "empty.parquet", "empty.txt"])
def test_a_file_that_no_reader_knows_is_refused_by_name(name: str, content: bytes, tmp_path: Path):
    before = fingerprint()
    (tmp_path / name).write_bytes(content)
    assert f"{name}: no reader knows this file" in problem_of(tmp_path)
    assert not any(recipe(list(walk(tmp_path))) for recipe in LOCAL.values())
    assert fingerprint() == before


def test_an_unknown_file_beside_known_ones_is_said_to_be_unused(copy_of_project: Path, tmp_path: Path):
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "customs.csv").write_bytes(trade_csv(CUSTOMS, *JAPAN).content)
    (folder / "notes.csv").write_text("a,b\n1,2\n")
    result = run(copy_of_project, "python", "-m", "companion", "data", str(folder))
    assert result.returncode == 0, result.stderr
    assert "notes.csv: not used; no reader knows its form" in result.stdout
    assert "customs.csv" not in result.stdout


def main() -> None:
    """Print what each bad input is answered with."""
    for fault, name, content, _ in CASES:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, name).write_bytes(content)
            print(f"| {fault} | {problem_of(Path(folder))} |")


if __name__ == "__main__":
    main()
