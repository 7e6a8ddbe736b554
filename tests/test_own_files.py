"""The reader's own files in `data/local/`: used where they are, said to be used, and never part of the public book."""

import os
from pathlib import Path
from unittest import mock

import duckdb
import nbformat
import pytest
from conftest import ROOT, run
from test_dataweb import FLOW, parameters, workbook

from companion import Exhibit, exhibit, local
from companion.chapters.execution import execute
from companion.chapters.notebooks import code_cells, exhibits_of, read_chapter
from companion.settings import LOCAL
from companion.sources import SourceError, SourceFile, dataweb, hs10
from companion.tables.own_files import report
from companion.tables.recipes import trade

# Invented: two codes of definition A, one that counts for exports only, one of no definition.
EXPORTS = "CTY_CODE,CTY_NAME,E_COMMODITY,COMM_LVL,time,ALL_VAL_MO"
IMPORTS = "CTY_CODE,CTY_NAME,I_COMMODITY,COMM_LVL,time,GEN_VAL_MO,CON_VAL_MO"
MONTHS = [f"2015-{month:02}" for month in range(1, 13)]


def collection(flow: str, *codes: str, value: int = 10, months: list[str] = MONTHS, partner: str = "JAPAN") -> bytes:
    header, extra = (EXPORTS, "") if flow == "export" else (IMPORTS, f",{value + 1}")
    rows = [f"5880,{partner},{code},HS10,{month},{value}{extra}" for code in codes for month in months]
    return "\n".join([header, *rows, ""]).encode()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv(LOCAL, str(folder))
    return folder


def test_the_tests_see_no_file_of_a_reader():
    assert local("eo_trade") is None
    assert local("janes_sensors") is None


def test_exports_and_imports_count_the_codes_of_their_flow(own: Path):
    (own / "a.csv").write_bytes(collection("export", "9031494000", "9011100000", "1234567890"))
    (own / "b.csv").write_bytes(collection("import", "9031494000", "9011100000", value=7))
    trade = local("eo_trade").query("definition == 'A'").set_index("flow")
    assert trade.loc["export", ["value_usd", "n_codes_with_trade", "months"]].tolist() == [240, 2, 12]
    # 9011.10.0000 is a code for exports alone, so what a file has of its imports does not count.
    assert trade.loc["import", ["value_usd", "n_codes_with_trade", "months"]].tolist() == [84, 1, 12]
    assert trade.loc["import", "valuation_basis"] == hs10.GENERAL
    assert trade["source_id"].unique().tolist() == ["census"]


def test_a_part_of_a_year_says_how_many_months_it_has(own: Path):
    (own / "a.csv").write_bytes(collection("export", "9031494000", months=MONTHS[:5]))
    assert local("eo_trade")["months"].unique().tolist() == [5]


def test_an_exhibit_of_own_files_names_them_as_its_source(own: Path):
    (own / "a.csv").write_bytes(collection("export", "9031494000"))
    frame = local("eo_trade")[["year", "value_usd"]]
    made = exhibit("x", frame, title="t", subtitle="s", alt="a", sources=["eo_trade@local"])
    assert [source["title"] for source in made.sources] == ["U.S. Census Bureau, International Trade API"]


def test_two_files_that_contradict_each_other_are_refused(own: Path):
    (own / "a.csv").write_bytes(collection("export", "9031494000"))
    (own / "b.csv").write_bytes(collection("export", "9031494000", value=11))
    with pytest.raises(
        SourceError, match=r"a\.csv and b\.csv differ on the exports of code 9031\.49\.4000, Japan, 2015"
    ):
        local("eo_trade")


def test_the_report_names_each_file_and_its_use(own: Path):
    (own / "a.csv").write_bytes(collection("export", "9031494000"))
    (own / "bad.csv").write_bytes(collection("export", "903149"))
    (own / "notes.csv").write_text("a,b\n1,2\n")
    (own / "janes-export.csv").write_text("Sensor,Maker,Prime Contractor\nEye-1,A,B\n")
    (own / "janes.toml").write_text('[columns]\nmanufacturer = ["Maker"]\n')
    lines = dict(line.split(": ", 1) for line in report())
    assert lines["a.csv"] == "used for eo_trade"
    assert lines["bad.csv"].startswith("cannot be used. bad.csv, row 2, column 'E_COMMODITY'")
    assert lines["janes-export.csv"] == "used for janes_sensors"
    assert lines["notes.csv"] == "no reader knows this file"
    assert "janes.toml" not in lines


def test_a_collection_of_another_country_agrees_with_a_sum_by_hand(sources: Path):
    """By definition and year: the reader with the recipe, and pandas on the whole file."""
    path = sources / "trade" / "hs10_format" / "4190data-combined.parquet"
    codes = trade.load("eo_codes")
    read = hs10.read(SourceFile(path.name, path), codes["hts10"], {"IRELAND": "Ireland"})
    whole = duckdb.read_parquet(str(path)).df()
    for definition in "abcd":
        chosen = codes[codes[f"definition_{definition}"] & (codes["csis_flow"] != "Import")]["hts10"]
        by_hand = whole[whole["E_COMMODITY"].isin(chosen.str.replace(".", ""))]
        by_hand = by_hand["ALL_VAL_MO"].astype(int).groupby(by_hand["time"].str[:4].astype(int)).sum()
        ours = read[read["hts10"].isin(chosen)].groupby("year")["value_usd"].sum()
        assert ours.to_dict() == by_hand.to_dict()
        assert len(ours) == 14
    assert read.groupby("year")["months"].first().to_dict() == dict.fromkeys(range(2013, 2026), 12) | {2026: 1}


def run_chapter(page: str, folder: Path, book: Path) -> dict[str, Exhibit]:
    """The exhibits of a chapter that is run with the files of a folder as the reader's own."""
    chapter = book / "chapters" / f"{page}.md"
    notebook = read_chapter(chapter)
    with mock.patch.dict(os.environ, {LOCAL: str(folder)}):
        run = execute(book, [chapter], lambda line: None)[chapter]
    for cell, outputs in zip(code_cells(notebook), run.outputs, strict=True):
        cell.outputs = [nbformat.from_dict(output) for output in outputs]
    return {exhibit.id: exhibit for exhibit in exhibits_of(notebook)}


def dataweb_files() -> dict[str, bytes]:
    """Exports and imports of two codes of definition A, 2008 to 2010, invented, as workbooks of DataWeb."""
    columns = ["Data Type", "HTS Number", "Description", "Country", 2008, 2009, 2010]
    files = {}
    for name, flow, measure, values in [
        ("exports.xlsx", "Total Exports", "FAS Value", (50, 90, 110)),
        ("imports.xlsx", "General Imports", "General Customs Value", (100, 100, 100)),
    ]:
        rows = [
            [measure, code, "invented", country, *(value * 1_000_000 * times for value in values)]
            for code in ("9031494000", "9014202000")
            for country, times in (("Japan", 1), ("World", 7))
        ]
        sheet = [[f"{flow}|Annual Data"], [dataweb.ROW_COUNT, len(rows)], columns, *rows]
        files[name] = workbook({measure: sheet, dataweb.PARAMETERS: parameters({FLOW: flow})}).content
    return files


@pytest.mark.usefixtures("warm")
def test_a_dataweb_file_draws_figure_2(own: Path, copy_of_project: Path):
    assert run_chapter("eoir/trade", own, copy_of_project)["figure-2"].status == "open-counterpart"
    for name, content in dataweb_files().items():
        (own / name).write_bytes(content)
    drawn = run_chapter("eoir/trade", own, copy_of_project)["figure-2"]
    assert drawn.status == "reproduced"
    assert [source["title"] for source in drawn.sources] == ["USITC DataWeb"]
    values = {(r["partner"], r["definition"], r["year"], r["measure"]): r["value_million_usd"] for r in drawn.rows}
    assert values["Japan", "A", 2010, "export"] == 220
    assert values["Japan", "A", 2008, "balance"] == -100
    assert values["World", "B", 2009, "import"] == 1400
    assert "1.10 times" in drawn.title


@pytest.mark.usefixtures("warm")
def test_a_janes_file_draws_figures_3_and_4(own: Path, copy_of_project: Path):
    before = run_chapter("eoir/industrial-base", own, copy_of_project)
    assert {before[name].status for name in ("figure-3", "figure-4")} == {"open-counterpart"}
    records = ["Eye-1,Invented A,Invented C", "Eye-2,Invented A,Invented D", "Eye-3,B,Invented C"]
    (own / "janes-export.csv").write_text("\n".join(["Sensor,Maker,Prime Contractor", *records, ""]))
    (own / "janes.toml").write_text('[columns]\nmanufacturer = ["Maker"]\n')
    drawn = run_chapter("eoir/industrial-base", own, copy_of_project)
    assert {drawn[name].status for name in ("figure-3", "figure-4")} == {"reproduced"}
    for name, first in {"figure-3": "Invented A", "figure-4": "Invented C"}.items():
        assert [source["title"] for source in drawn[name].sources] == ["Janes, export under the reader's own license"]
        assert first in drawn[name].title
        assert "2 of 3" in drawn[name].title
    # What the register says of Figure 4 is in it without such a file, and an exhibit of its own with one.
    assert before["figure-4"].absorbs == ["eoir-industry-definitions"]
    assert drawn["eoir-industry-definitions"].rows == before["figure-4"].rows
    unchanged = set(before) - {"figure-3", "figure-4"}
    assert {name: drawn[name].rows for name in unchanged} == {name: before[name].rows for name in unchanged}


def test_a_terminal_without_the_letters_of_a_file_s_name_still_gets_the_report(
    own: Path, monkeypatch: pytest.MonkeyPatch
):
    (own / "輸出.csv").write_text("a\n1\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    result = run(ROOT, "python", "-m", "companion", "local")
    assert (result.returncode, result.stderr) == (0, "")
    assert ".csv: no reader knows this file" in result.stdout
