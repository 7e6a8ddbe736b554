"""The reader of large collections of trade by ten-digit code: every form, every fault with its row, bounded memory.

All values are invented.
"""

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from companion.sources import SourceError, SourceFile, hs10, walk

CODE, OTHER = "9031.49.4000", "8541.49.1050"
HEADER = "CTY_CODE,CTY_NAME,E_COMMODITY,COMM_LVL,time,ALL_VAL_MO"
GOOD = "5880,JAPAN,9031494000,HS10,2020-01,5"
FLAWED = [
    (GOOD.replace("JAPAN", ""), "column 'CTY_NAME': '' is not the name of a country"),
    (GOOD.replace("JAPAN", "JA\0PAN"), r"column 'CTY_NAME': 'JA\\x00PAN' is not the name of a country"),
    (GOOD.replace("JAPAN", '"JA\nPAN"'), r"column 'CTY_NAME': 'JA\\nPAN' is not the name of a country"),
    (GOOD.replace("HS10", "HS1O"), "column 'COMM_LVL': 'HS1O' is not a level such as 'HS10'"),
    (GOOD.replace("4000", "400"), "column 'E_COMMODITY': '903149400' is not a code of ten digits"),
    (GOOD.replace("4000", "400X"), "column 'E_COMMODITY': '903149400X' is not a code of ten digits"),
    (GOOD.replace("-01", "-13"), "column 'time': '2020-13' is not a month such as '2013-01'"),
    (GOOD.replace("-01", "-1"), "column 'time': '2020-1' is not a month"),
    (GOOD.replace(",5", ","), "column 'ALL_VAL_MO': '' is not a whole number of dollars, zero or more"),
    (GOOD.replace(",5", ",NULL"), "column 'ALL_VAL_MO': 'NULL' is not a whole number of dollars"),
    (GOOD.replace(",5", ",-5"), "column 'ALL_VAL_MO': '-5' is not a whole number of dollars"),
    (GOOD.replace(",5", ",5.5"), "column 'ALL_VAL_MO': '5.5' is not a whole number of dollars"),
    (GOOD.replace(",5", ", 5"), "column 'ALL_VAL_MO': ' 5' is not a whole number of dollars"),
    (GOOD.replace(",5", ",1e3"), "column 'ALL_VAL_MO': '1e3' is not a whole number of dollars"),
    (GOOD.replace(",5", ',"6,8"'), "column 'ALL_VAL_MO': '6,8' is not a whole number of dollars"),
    (GOOD.replace(",5", "," + "9" * 30), "column 'ALL_VAL_MO': '9{30}' is not a whole number of dollars"),
    (GOOD.rpartition(",")[0], "Expected Number of Columns: 6 Found: 5"),
    (GOOD + ",7", "Expected Number of Columns: 6 Found: 7"),
    (GOOD.replace("JAPAN", '"JAPAN'), "unterminated quote"),
    (GOOD.replace("JAPAN", '"JAPAN"X'), "unterminated quote"),
    (GOOD.replace("JAPAN", "C\udcd4TE D'IVOIRE"), "not utf-8"),
]


def lines(
    *rows: str, header: str = HEADER, end: str = "\n", before: bytes = b"", name: str = "trade.csv"
) -> SourceFile:
    return SourceFile(name, before + (end.join([header, *rows]) + end).encode(errors="surrogateescape"))


def months(count: int, year: int = 2020) -> list[str]:
    return [GOOD.replace("2020-01", f"{year}-{month:02}") for month in range(1, count + 1)]


def parquet(columns: dict[str, list[object]], types: str = "*") -> bytes:
    """The content of a Parquet file; `types` is what is selected of the columns."""
    frame = pd.DataFrame(columns)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        database.register("frame", frame)
        database.sql(f"SELECT {types} FROM frame").write_parquet(f"{folder}/x")
        return Path(folder, "x").read_bytes()


def collection(rows: Iterable[str], types: str = "*") -> bytes:
    """Rows as in a CSV file, as a Parquet file."""
    cells = [row.split(",") for row in rows]
    return parquet(dict(zip(HEADER.split(","), map(list, zip(*cells, strict=True)), strict=True)), types)


def read(file: SourceFile) -> list[list[object]]:
    assert hs10.recognizes(file)
    return (
        hs10.read(file, [CODE, OTHER])[["flow", "partner", "year", "hts10", "months", "value_usd"]].to_numpy().tolist()
    )


def refused(file: SourceFile) -> str:
    with pytest.raises(SourceError) as problem:
        hs10.read(file, [CODE])
    assert "\n" not in str(problem.value)
    return str(problem.value)


WHOLE = [["export", "Japan", 2020, CODE, 12, 60]]


@pytest.mark.parametrize(
    "file",
    [
        lines(*months(12)),
        lines(*months(12), end="\r\n"),
        lines(*months(12), before=b"\xef\xbb\xbf"),
        SourceFile("trade.csv", lines(*months(12)).content.rstrip()),
        lines(*[",".join(f'"{cell}"' for cell in row.split(",")) for row in months(12)]),
        lines(*[f'{row},"a, ""b""\nc"' for row in months(12)], header=f"{HEADER},E_COMMODITY_SDESC"),
        lines(*[f"{row},{row[-1]}" for row in months(12)], header=f"{HEADER},ALL_VAL_MO"),
        lines(*[row.replace(",5", ",00000000000000000005") for row in months(12)]),
        lines(*[row.replace("-", ",") for row in months(12)], header=HEADER.replace("time", "YEAR,MONTH")),
        lines(*[row.replace("JAPAN", "Japan") for row in months(12)]),
        lines(*months(12), name="trade.csv.gz"),
        SourceFile("trade.parquet", collection(months(12))),
        SourceFile("trade.parquet", collection(months(12), "* REPLACE (ALL_VAL_MO::INTEGER AS ALL_VAL_MO)")),
        SourceFile("trade.parquet", collection(months(12), "* REPLACE (ALL_VAL_MO::DOUBLE AS ALL_VAL_MO)")),
        SourceFile("trade.parquet", collection(months(12), "* REPLACE (ALL_VAL_MO::DECIMAL(18,2) AS ALL_VAL_MO)")),
        SourceFile("trade.parquet", collection(months(12), "* REPLACE (E_COMMODITY::BIGINT AS E_COMMODITY)")),
        SourceFile("trade.parquet", collection(months(12), "* REPLACE (encode(CTY_NAME) AS CTY_NAME)")),
    ],
)
def test_every_form_gives_the_same_sums(file: SourceFile):
    assert read(file) == WHOLE


def test_only_the_codes_level_and_partners_asked_for_count():
    ireland, unknown = GOOD.replace("JAPAN", "IRELAND"), GOOD.replace("9031494000", "1234567890")
    rows = [
        *months(2),
        ireland,
        unknown.replace("-01", "-07"),
        "5880,JAPAN,903149,HS6,2020-09,7",
        "-,World,-,-,2020-01,9",
    ]
    # A month counts as covered where any code has a value.
    assert read(lines(*rows)) == [["export", "Japan", 2020, CODE, 3, 10]]


def test_no_row_is_an_empty_table_with_the_same_types():
    for file in (lines(), lines(GOOD.replace("JAPAN", "IRELAND"))):
        empty = hs10.read(file, [CODE])
        assert len(empty) == 0
        assert empty.dtypes.equals(hs10.read(lines(GOOD), [CODE]).dtypes)


def test_sums_keep_every_digit():
    largest = GOOD.replace(",5", "," + "9" * 15)
    rows = [largest.replace("-01", f"-{month:02}") for month in range(1, 13)]
    assert read(lines(*rows))[0][-1] == 12 * (10**15 - 1)


@pytest.mark.parametrize(("row", "message"), FLAWED)
def test_a_flawed_row_is_named(row: str, message: str):
    problem = refused(lines(*months(3), row, *months(2, 2021)))
    assert re.match(rf"trade\.csv, row 5[,:].*{message}.*ownload it again\.$", problem), problem


@pytest.mark.parametrize(("row", "message"), [flaw for flaw in FLAWED if "column '" in flaw[1] and '"' not in flaw[0]])
def test_a_flawed_row_of_parquet_is_named(row: str, message: str):
    problem = refused(SourceFile("trade.parquet", collection([*months(3), row])))
    assert re.match(rf"trade\.parquet, row 4, {message}", problem), problem


def test_an_empty_cell_of_parquet_is_named():
    for column in ("CTY_NAME", "COMM_LVL", "E_COMMODITY", "time", "ALL_VAL_MO"):
        empty = collection([*months(1), GOOD], f"* REPLACE (CASE WHEN time <> '2020-01' THEN {column} END AS {column})")
        assert f"trade.parquet, row 1, column '{column}': None is not" in refused(SourceFile("trade.parquet", empty))


def test_blank_lines_and_texts_of_two_lines_do_not_shift_the_row():
    """As a spreadsheet numbers them: a blank line is a row, and a text of two lines is in one."""
    header = f"{HEADER},E_COMMODITY_SDESC"
    rows = ["", f'{GOOD},"a\nb"', "", GOOD.replace(",5", ",x") + ",c"]
    assert "row 5, column 'ALL_VAL_MO': 'x'" in refused(lines(*rows, header=header))
    assert "row 5: Expected Number" in refused(lines(*rows[:-1], GOOD, header=header))
    assert "row 5, column 'E_COMMODITY'" in refused(lines(*rows[:-1], rows[1], header=header))


def test_a_row_far_below_is_named(tmp_path: Path):
    """Beyond the pieces in which DuckDB reads a file, in several threads."""
    path = tmp_path / "trade.csv"
    country = GOOD.replace("JAPAN", "IRELAND") + "\n"
    path.write_text(HEADER + "\n" + country * 400_000 + GOOD.replace(",5", ",x") + "\n" + country * 400_000)
    assert "trade.csv, row 400002, column 'ALL_VAL_MO': 'x'" in refused(SourceFile(path.name, path))
    path.write_text(HEADER + "\n" + country * 800_000 + GOOD[:-2] + "\n")
    assert "trade.csv, row 800002: Expected Number of Columns: 6 Found: 5" in refused(SourceFile(path.name, path))


def test_of_several_flaws_the_first_is_named():
    rows = [GOOD, GOOD.replace(",5", ",x"), GOOD.replace("-01", "-13")]
    assert "row 3, column 'ALL_VAL_MO'" in refused(lines(*rows))
    assert "row 3, column 'time'" in refused(lines(*rows[::2], rows[1]))


def test_a_double_is_named_with_both_rows():
    for file, rows in ((lines(*months(3), GOOD), (5, 2)), (SourceFile("a", collection([*months(3), GOOD])), (4, 1))):
        problem = refused(file)
        assert f"{file.name}, row {rows[0]}, column 'E_COMMODITY': code 9031494000, JAPAN, 2020-01 stands" in problem
        assert f"there twice, first in row {rows[1]}. Remove the double, or download the file again." in problem


def test_a_missing_column_is_named():
    assert "column 'CTY_NAME' is missing" in refused(lines(GOOD, header=HEADER.replace("CTY_NAME", "COUNTRY")))
    assert "column 'YEAR' is missing" in refused(lines(GOOD, header=HEADER.replace("time", "month")))
    whole = collection([GOOD], "* EXCLUDE time")
    assert "trade.parquet: column 'YEAR' is missing" in refused(SourceFile("trade.parquet", whole))


def test_lines_that_end_in_two_ways_are_refused_not_guessed():
    mixed = lines(*months(3)).content + lines(*months(2, 2021), end="\r\n").content.partition(b"\r\n")[2]
    assert refused(SourceFile("trade.csv", mixed)).startswith("trade.csv: ")


@pytest.mark.parametrize("cut", [5, 9, 60, 300, -1, -8, -60])
def test_a_cut_parquet_file_is_refused_by_name(cut: int):
    file = SourceFile("trade [1].parquet", collection(months(12))[:cut])
    for use in (hs10.recognizes, lambda file: hs10.read(file, [CODE])):
        with pytest.raises(SourceError, match=r"^trade \[1\]\.parquet: [^/\n]*The file is cut or damaged; download it"):
            use(file)


def test_damaged_pages_of_parquet_are_refused_by_name():
    content = collection(months(12))
    place = content.index(b"JAPAN")
    damaged = content[: place - 12] + b"\xff" * 12 + content[place:]
    assert refused(SourceFile("trade.parquet", damaged)).endswith("The file is cut or damaged; download it again.")


@pytest.mark.parametrize("name", ["a[1].csv", "*.csv", "a?.csv", "a b's.csv", "輸出 é.csv", "year=2013.csv"])
@pytest.mark.parametrize("folder", ["time=2013-01", "[ab]*"])
def test_a_name_stands_for_that_file_alone(name: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    inside = tmp_path / folder
    inside.mkdir()
    for other in ("a1.csv", "ab.csv"):
        (inside / other).write_bytes(lines(*months(12, 2021)).content)
    (inside / name).write_bytes(lines(*months(12)).content)
    assert read(SourceFile(name, inside / name)) == WHOLE
    monkeypatch.chdir(inside)
    assert read(SourceFile(name, Path(name))) == WHOLE


def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for temporary files."""
    place = folder / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.mark.parametrize("content", [lines(*months(12)).content, collection(months(12))], ids=["csv", "parquet"])
def test_a_member_of_an_archive_is_read_and_leaves_nothing_behind(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/trade [1].csv", content)
        archive.writestr("deep/wrong", content[:-20])
    place = temporary(tmp_path, monkeypatch)
    whole, wrong = walk(tmp_path)
    assert read(whole) == WHOLE
    with pytest.raises(SourceError, match=r"^a\.zip/deep/wrong"):
        hs10.read(wrong, [CODE])
    assert list(place.iterdir()) == []


def test_nothing_is_left_behind_after_a_flaw_and_nothing_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place, here = temporary(tmp_path, monkeypatch), tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    refused(lines(GOOD.replace(",5", ",x")))
    assert read(lines(*months(12))) == WHOLE
    assert [*place.iterdir(), *here.iterdir()] == []


def test_too_little_memory_is_not_called_a_damaged_file(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(hs10.DATABASE, "memory_limit", "1MB")
    assert "too little memory or disk space" in refused(lines(*months(12)))


def test_no_extension_is_ever_loaded_or_installed():
    with hs10._scanned(lines(GOOD)) as (database, _):
        for setting in ("autoinstall_known_extensions", "autoload_known_extensions"):
            assert database.execute(f"SELECT current_setting('{setting}')").fetchone() == (False,)
        wheel = "SELECT extension_name FROM duckdb_extensions() WHERE install_mode = 'STATICALLY_LINKED' AND loaded"
        assert {("parquet",)} <= set(database.execute(wheel).fetchall())


PEAK = """
import resource, sys; from pathlib import Path
from companion.sources import SourceError, SourceFile, hs10, walk
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for file in walk(Path(sys.argv[1])):
    hs10.read(file, ["9031.49.4000"])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_large_member_of_an_archive_is_never_whole_in_memory(tmp_path: Path):
    """A member of 640 MB, which the archive holds in 2 MB."""
    country = (GOOD.replace("JAPAN", "IRELAND") + "\n").encode() * 10_000
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("trade.csv", "w", force_zip64=True) as member,
    ):
        member.write(lines(GOOD).content)
        for _ in range(640_000_000 // len(country)):
            member.write(country)
    done = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path], capture_output=True, encoding="utf-8", check=True, env=dict(os.environ)
    )
    assert int(done.stdout) < 300
