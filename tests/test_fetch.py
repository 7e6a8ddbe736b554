"""Fetching trade from a local server that speaks as the Census API does, whole, broken and unwilling.

All values are invented.
"""

import base64
import hashlib
import json
import os
import shutil
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
import urllib3
from conftest import edit
from test_hs10 import parquet

from companion import load
from companion.sources import SourceFile, fetch, hs10, walk
from companion.sources.fetch import FetchError
from companion.tables.recipes import trade

SECRET = "0123456789abcdef0123456789abcdef01234567"
THIS_YEAR = date.today().year
CODES = load("eo_codes")["hts10"]
HEADINGS = CODES.str[:4].nunique()
NAMES = {"5880": "JAPAN", "-": "TOTAL FOR ALL COUNTRIES"}
# Code, month and value by flow and country; 8541.49.9999 is no code of the book.
TRADE = {
    ("exports", "5880"): [("8541491050", "01", 100), ("8541491050", "02", 20), ("8541499999", "02", 7)],
    ("exports", "-"): [("8541491050", "01", 127123456789)],
    ("imports", "5880"): [("9013804000", "12", 1), ("8541491050", "03", 40)],
    ("imports", "-"): [("8541491050", "03", 400)],
}
KEY_PAGE = (
    '<html style="font-size: 14px;">\n\n<head>\n    <title>{} Key</title>\n</head><body>A valid key</body></html>'
)

Table = list[list[str | None]]
Trouble = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One connection to the stand-in for the Census API."""

    protocol_version = "HTTP/1.1"
    server: "Census"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/missing_key.html":
            return self.send(200, KEY_PAGE.format("Missing"), "text/html")
        self.server.asked.append({"path": address.path} | dict(parse_qsl(address.query)))
        trouble = self.server.trouble.get(len(self.server.asked), self.server.trouble.get(0, Handler.answer))
        return trouble(self)

    def answer(self) -> None:
        table = self.table()
        if len(table) == 1:
            return self.send(204, "")
        # The Census Bureau writes one row per line.
        return self.send(200, "[" + ",\n".join(json.dumps(row) for row in table) + "]")

    def table(self) -> Table:
        """The answer to the question: columns asked for, then the columns of the question itself."""
        question = self.server.asked[-1]
        flow, code = question["path"].split("/")[-2], next(name for name in question if name.endswith("_COMMODITY"))
        year = question["time"][5:9]
        header = [*question["get"].split(","), "COMM_LVL", "CTY_CODE", code, "time"]
        rows = [
            {"CTY_CODE": question["CTY_CODE"], "CTY_NAME": NAMES[question["CTY_CODE"]], "COMM_LVL": "HS10"}
            | {code: hts10, "time": f"{year}-{month}", "CON_VAL_MO": str(value + 1)}
            | dict.fromkeys(["ALL_VAL_MO", "GEN_VAL_MO"], str(value))
            for hts10, month, value in TRADE[flow, question["CTY_CODE"]]
            if hts10.startswith(question[code].rstrip("*")) and int(year) not in self.server.empty_years
        ]
        return [[*header], *[[row[column] for column in header] for row in rows]]

    def send(self, status: int, body: str | bytes, kind: str = "application/json", **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        headers = {"Content_Type": kind, "Content_Length": str(len(content))} | headers
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


class Census(ThreadingHTTPServer):
    """The stand-in: what was asked, and the trouble it makes at the nth request, or at each one under 0."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, str]] = []
        self.trouble: dict[int, Trouble] = {}
        self.empty_years: set[int] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def census() -> Iterator[Census]:
    with Census() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "local"


@pytest.fixture(autouse=True)
def key_that_never_shows(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[None]:
    monkeypatch.setenv("CENSUS_API_KEY", SECRET)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    caplog.set_level("DEBUG")
    yield
    logged = [record.getMessage() for record in caplog.get_records("call")]
    shown = [*capfd.readouterr(), *logged, *(p.read_text("latin-1") for p in tmp_path.rglob("*") if p.is_file())]
    assert not any(SECRET in text for text in shown)


def fetched(census: Census, folder: Path, first: int = 2013, last: int = 2013, **options: bool) -> list[str]:
    """Fetch, and return the report."""
    lines: list[str] = []
    fetch.fetch_census(
        folder, CODES, first, last, address=census.address, pause=0, backoff=0.001, say=lines.append, **options
    )
    print("\n".join(lines))
    return lines


def refused(function: Callable[[], object]) -> str:
    """The message that something fails with; its traceback goes to the output."""
    with pytest.raises(FetchError) as caught:
        function()
    print("".join(traceback.format_exception(caught.value)))
    return str(caught.value)


def files(folder: Path) -> list[str]:
    """What was saved; beside it, a record says when."""
    return sorted(path.name for path in folder.rglob("*") if path.name != fetch.RECORD)


def read(path: Path) -> list[list[object]]:
    table = hs10.read(SourceFile(path.name, path), CODES)
    return table[["flow", "partner", "year", "hts10", "valuation_basis", "months", "value_usd"]].to_numpy().tolist()


def altered(change: Callable[[Table], object]) -> Trouble:
    """The honest answer with a change; questions without an answer stay so."""

    def answer(handler: Handler) -> None:
        table = handler.table()
        if len(table) == 1:
            return handler.answer()
        change(table)
        return handler.send(200, json.dumps(table))

    return answer


def cell(column: str, value: str | None) -> Trouble:
    """The honest answer with another value in the second row, in each column of that name."""

    def change(table: Table) -> None:
        for place, name in enumerate(table[0]):
            if name == column:
                table[2][place] = value

    return altered(change)


def cut(handler: Handler) -> None:
    handler.send(200, '[["CTY_CODE"', Content_Length="9999")
    handler.close_connection = True


def cut_in_chunks(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b'c\r\n[["CTY_CODE"\r\n')
    handler.close_connection = True


def closed(handler: Handler) -> None:
    handler.close_connection = True


def test_trade_goes_from_the_api_to_the_reader(census: Census, folder: Path):
    lines = fetched(census, folder, 2013, 2014)
    assert files(folder) == sorted(
        f"census-{flow}-{partner}-{year}.csv"
        for flow in ("exports", "imports")
        for partner in ("japan", "world")
        for year in (2013, 2014)
    )
    basis = "total exports, FAS value"
    assert read(folder / "census-exports-japan-2014.csv") == [
        ["export", "Japan", 2014, "8541.49.1050", basis, 2, 120],
    ]
    assert read(folder / "census-exports-world-2013.csv") == [
        ["export", "World", 2013, "8541.49.1050", basis, 1, 127123456789],
    ]
    basis = "general imports, customs value"
    assert read(folder / "census-imports-japan-2013.csv") == [
        ["import", "Japan", 2013, "8541.49.1050", basis, 2, 40],
    ]
    assert lines[:3] == [
        "1 of 8: exports to Japan, 2013, 3 rows",
        "2 of 8: exports to Japan, 2014, 3 rows",
        "3 of 8: exports to the world, 2013, 1 rows",
    ]
    assert lines[4] == "5 of 8: imports from Japan, 2013, 2 rows"
    assert lines[-1].startswith(f"Files saved in {folder}: 8. The next `make book` uses them.")


def test_a_saved_file_has_the_columns_of_the_api_in_order(census: Census, folder: Path):
    fetched(census, folder)
    assert (folder / "census-exports-japan-2013.csv").read_bytes() == (
        b"CTY_CODE,CTY_NAME,E_COMMODITY,COMM_LVL,time,ALL_VAL_MO\n"
        b"5880,JAPAN,8541491050,HS10,2013-01,100\n"
        b"5880,JAPAN,8541491050,HS10,2013-02,20\n"
        b"5880,JAPAN,8541499999,HS10,2013-02,7\n"
    )
    assert (folder / "census-imports-world-2013.csv").read_bytes() == (
        b"CTY_CODE,CTY_NAME,I_COMMODITY,COMM_LVL,time,GEN_VAL_MO,CON_VAL_MO\n"
        b"-,TOTAL FOR ALL COUNTRIES,8541491050,HS10,2013-03,400,401\n"
    )


def test_the_recipe_sums_the_saved_files(census: Census, folder: Path):
    fetched(census, folder, 2013, 2014)
    built = trade.eo_trade(list(walk(folder)))
    assert built is not None
    rows = built.rows.query("definition == 'A' and year == 2014").set_index(["flow", "partner"])["value_usd"]
    assert rows.to_dict() == {
        ("export", "Japan"): 120,
        ("export", "World"): 127123456789,
        ("import", "Japan"): 40,
        ("import", "World"): 400,
    }


def test_the_questions_are_those_that_the_api_documents(census: Census, folder: Path):
    fetched(census, folder)
    assert len(census.asked) == 4 * HEADINGS
    assert census.asked[0] == {
        "path": "/exports/hs",
        "get": "CTY_CODE,CTY_NAME,E_COMMODITY,ALL_VAL_MO",
        "COMM_LVL": "HS10",
        "CTY_CODE": "5880",
        "E_COMMODITY": "8443*",
        "time": "from 2013-01 to 2013-12",
        "key": SECRET,
    }
    last = census.asked[-1]
    assert (last["path"], last["get"]) == ("/imports/hs", "CTY_CODE,CTY_NAME,I_COMMODITY,GEN_VAL_MO,CON_VAL_MO")
    assert (last["CTY_CODE"], last["I_COMMODITY"]) == ("-", "9031*")


def test_a_failed_run_is_continued_where_it_stopped(census: Census, folder: Path):
    census.trouble[3 * HEADINGS + 5] = lambda handler: handler.send(400, "error: something", "text/plain")
    message = refused(lambda: fetched(census, folder, 2013, 2014))
    assert f"Files saved in {folder} before this: 3. Run the command again" in message
    assert len(files(folder)) == 3
    asked = len(census.asked)
    lines = fetched(census, folder, 2013, 2014)
    assert len(census.asked) - asked == 5 * HEADINGS
    assert lines[2:4] == [
        "3 of 8: exports to the world, 2013, already there",
        "4 of 8: exports to the world, 2014, 1 rows",
    ]
    assert len(files(folder)) == 8


def test_years_that_may_be_revised_are_asked_for_again(census: Census, folder: Path):
    fetched(census, folder, THIS_YEAR - 2, THIS_YEAR)
    asked = len(census.asked)
    lines = fetched(census, folder, THIS_YEAR - 2, THIS_YEAR)
    assert len(census.asked) - asked == 2 * 4 * HEADINGS
    assert [line.endswith("already there") for line in lines[:3]] == [True, False, False]


def test_a_file_fetched_while_its_year_was_new_is_asked_for_once_more(census: Census, folder: Path):
    fetched(census, folder)
    record = json.loads((folder / fetch.RECORD).read_text(encoding="utf-8"))
    assert record["census-exports-japan-2013.csv"]["day"] == date.today().isoformat()
    record["census-exports-japan-2013.csv"]["day"] = "2014-12-01"
    (folder / fetch.RECORD).write_text(json.dumps(record), encoding="utf-8")
    assert [line.endswith("already there") for line in fetched(census, folder)[:4]] == [False, True, True, True]
    assert all(line.endswith("already there") for line in fetched(census, folder)[:4])


@pytest.mark.parametrize("moment", [(2014, 12, 1), (THIS_YEAR + 5, 1, 1)])
def test_the_times_of_files_say_nothing(census: Census, folder: Path, moment: tuple[int, int, int]):
    fetched(census, folder, THIS_YEAR - 3, THIS_YEAR - 1)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    for path in copy.iterdir():
        os.utime(path, (time.mktime((*moment, 0, 0, 0, 0, 0, -1)),) * 2)
    assert [line.endswith("already there") for line in fetched(census, copy, THIS_YEAR - 3, THIS_YEAR - 1)[:3]] == [
        True,
        True,
        False,
    ]


def test_a_file_that_is_not_what_was_fetched_is_asked_for_again(census: Census, folder: Path):
    fetched(census, folder)
    edit(folder / "census-exports-japan-2013.csv", (",100\n", ",101\n"))
    (folder / "census-exports-world-2013.csv").rename(folder / "census-exports-world-2014.csv")
    found = [line.endswith("already there") for line in fetched(census, folder, 2013, 2014)[:4]]
    assert found == [False, False, False, False]


def test_every_file_is_asked_for_again_if_told_so(census: Census, folder: Path):
    fetched(census, folder)
    asked = len(census.asked)
    fetched(census, folder, refresh=True)
    assert len(census.asked) - asked == 4 * HEADINGS


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(lambda handler: handler.send(429, "", Retry_After="0"), id="asked too often"),
        pytest.param(lambda handler: handler.send(500, "oops"), id="500"),
        pytest.param(lambda handler: handler.send(503, "", Retry_After="0"), id="503"),
        cut,
        cut_in_chunks,
        closed,
    ],
)
def test_a_passing_trouble_is_overcome(census: Census, folder: Path, trouble: Trouble):
    census.trouble[8] = trouble
    fetched(census, folder)
    assert len(census.asked) == 4 * HEADINGS + 1
    assert census.asked[7] == census.asked[8]
    assert read(folder / "census-exports-japan-2013.csv")[0][-1] == 120


def test_the_client_waits_as_long_as_the_server_asks(census: Census, folder: Path):
    census.trouble[1] = lambda handler: handler.send(429, "", Retry_After="1")
    start = time.monotonic()
    fetched(census, folder)
    assert time.monotonic() - start > 1


def test_the_client_pauses_between_requests(census: Census, folder: Path):
    start = time.monotonic()
    fetch.fetch_census(folder, CODES, 2013, 2013, address=census.address, pause=0.01, backoff=0)
    assert time.monotonic() - start > 4 * HEADINGS * 0.01


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (lambda handler: handler.send(429, ""), "too many 429 error responses"),
        (lambda handler: handler.send(503, ""), "too many 503 error responses"),
        (cut, "could not be reached: .*IncompleteRead"),
        (closed, "could not be reached: .*closed connection"),
    ],
)
def test_a_lasting_trouble_is_told(census: Census, folder: Path, trouble: Trouble, message: str):
    census.trouble[0] = trouble
    with pytest.raises(FetchError, match=f"{census.address}/exports/hs .*{message}"):
        fetched(census, folder)
    assert len(census.asked) == 6
    assert files(folder) == []


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        (
            lambda handler: handler.send(400, "error: unknown variable 'ALL_VAL'\n", "text/plain"),
            "exports to Japan, 2013, heading 8443: the Census Bureau answers 400: error: unknown variable 'ALL_VAL'\n",
        ),
        (lambda handler: handler.send(404, "gone", "text/plain"), "answers 404: gone"),
        (
            lambda handler: handler.send(302, "", Location="/missing_key.html"),
            "does not accept the key in CENSUS_API_KEY (Missing Key).",
        ),
        (
            lambda handler: handler.send(200, KEY_PAGE.format("Invalid"), "text/html"),
            "does not accept the key in CENSUS_API_KEY (Invalid Key).",
        ),
        (
            lambda handler: handler.send(200, "<html>We will be back</html>", "text/html"),
            "not a table in JSON, or is cut. It begins with '<html>We will be back</html>'.",
        ),
        (lambda handler: handler.send(200, '[["CTY_CODE","CTY_NA'), "not a table in JSON, or is cut"),
        (lambda handler: handler.send(200, "[]"), "not a table in JSON"),
        (lambda handler: handler.send(200, "{}"), "not a table in JSON"),
        (lambda handler: handler.send(200, '{"error": 1}'), "not a table in JSON"),
        (lambda handler: handler.send(200, "7"), "not a table in JSON"),
        (altered(lambda table: table[1].append("8")), "not a table in JSON"),
        (
            altered(lambda table: table[0].__setitem__(3, "TOTAL_VAL_MO")),
            "2013, heading 8541: column 'ALL_VAL_MO' is missing. The answer has: CTY_CODE, CTY_NAME, E_COMMODITY, "
            "TOTAL_VAL_MO, COMM_LVL, time. If the Census Bureau has renamed it, give its new name in FLOWS of ",
        ),
        (
            cell("ALL_VAL_MO", "(D)"),
            "2013, heading 8541: row 2 of the answer, column 'ALL_VAL_MO': '(D)' is not a whole number of dollars",
        ),
        (cell("ALL_VAL_MO", "-20"), "'-20' is not a whole number of dollars, zero or more"),
        (cell("ALL_VAL_MO", "2e1"), "'2e1' is not a whole number"),
        (cell("ALL_VAL_MO", ""), "'' is not a whole number"),
        (cell("ALL_VAL_MO", None), "row 2 of the answer, column 'ALL_VAL_MO'"),
        (altered(lambda table: table[1].pop()), "not a table in JSON"),
        (cell("time", "2014-02"), "column 'time': '2014-02' is not a month of 2013"),
        (cell("time", "2013-13"), "column 'time': '2013-13' is not a month of 2013"),
        (cell("CTY_CODE", "5700"), "'5700' is not the code of the partner, '5880'"),
        (cell("CTY_NAME", "CHINA"), "'CHINA' is not a known name of the partner 'Japan'"),
        (cell("COMM_LVL", "HS6"), "'HS6' is not the level 'HS10'"),
        (cell("E_COMMODITY", "854149"), "'854149' is not a code of ten digits that begins with 8541"),
        (cell("E_COMMODITY", "9013200000"), "'9013200000' is not a code of ten digits that begins with 8541"),
        (cell("time", "2013-01"), "code 8541491050, 2013-01 stands twice in the answer"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(census: Census, folder: Path, trouble: Trouble, message: str):
    census.trouble[0] = trouble
    told = refused(lambda: fetched(census, folder))
    assert message in told
    assert files(folder) == []


def test_an_answer_that_repeats_the_key_is_told_without_it(census: Census, folder: Path):
    census.trouble[1] = lambda handler: handler.send(400, f"error: key={SECRET}", "text/plain")
    census.trouble[2] = lambda handler: handler.send(200, f"{handler.path}, is not what we have", "text/plain")
    assert "error: key=(key)" in refused(lambda: fetched(census, folder))
    assert "not a table in JSON" in refused(lambda: fetched(census, folder))


def test_the_key_is_not_in_what_a_debugger_shows():
    assert SECRET not in repr(fetch.TradeAPI("", SECRET, 0, urllib3.PoolManager()))


def test_a_year_without_data_is_told_and_not_saved(census: Census, folder: Path):
    census.empty_years = {2014}
    lines = fetched(census, folder, 2013, 2014)
    assert lines[1] == "2 of 8: exports to Japan, 2014, no data, nothing saved"
    assert not any("2014" in name for name in files(folder))
    assert len(files(folder)) == 4


def test_a_year_that_has_no_data_any_more_keeps_its_file(census: Census, folder: Path):
    fetched(census, folder)
    census.empty_years = {2013}
    fetched(census, folder, refresh=True)
    assert len(files(folder)) == 4


def test_a_server_that_is_not_there_is_told(census: Census, folder: Path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        census.server_port = nobody.getsockname()[1]
        message = refused(lambda: fetched(census, folder))
    assert message.startswith(f"{census.address}/exports/hs could not be reached: ")
    assert message.endswith(f"Files saved in {folder} before this: 0. Run the command again to go on from there.")


@pytest.mark.parametrize("key", [None, "", " "])
def test_without_a_key_the_message_says_where_to_ask(
    census: Census, folder: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
):
    monkeypatch.delenv("CENSUS_API_KEY")
    if key is not None:
        monkeypatch.setenv("CENSUS_API_KEY", key)
    with pytest.raises(FetchError, match=r"https://api\.census\.gov/data/key_signup\.html and .*CENSUS_API_KEY"):
        fetched(census, folder)
    assert census.asked == []


@pytest.mark.parametrize(("first", "last"), [(2012, 2014), (2014, 2013), (2014, THIS_YEAR + 1)])
def test_years_that_the_api_does_not_have_are_refused(census: Census, folder: Path, first: int, last: int):
    with pytest.raises(FetchError, match=f"The API has the years 2013 to {THIS_YEAR}; {first} to {last} is no span"):
        fetched(census, folder, first, last)
    assert census.asked == []


def test_a_file_that_cannot_be_written_whole_is_not_there(
    census: Census, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def half(_: pd.DataFrame, path: Path, **__: object) -> None:
        path.write_text("CTY_CODE,CTY_NA")
        assert list(walk(folder)) == []
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", half)
    assert "No space left on device" in refused(lambda: fetched(census, folder))
    assert files(folder) == []


class Proxy(ThreadingHTTPServer):
    """A proxy that passes on requests by HTTP, refuses tunnels for HTTPS, and remembers both."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), PassOn)
        self.passed: list[tuple[str, str, str | None]] = []


class PassOn(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        self.server.passed.append(("GET", self.path.partition("?")[0], self.headers["Proxy-Authorization"]))
        answer = urllib3.request("GET", self.path)
        self.send_response(answer.status)
        self.end_headers()
        self.wfile.write(answer.data)

    def do_CONNECT(self) -> None:
        self.server.passed.append(("CONNECT", self.path, self.headers["Proxy-Authorization"]))
        self.send_error(403)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_requests_go_by_way_of_the_proxy(
    census: Census, proxy: Proxy, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")
    fetched(census, folder)
    assert len(census.asked) == 4 * HEADINGS
    assert proxy.passed[0] == ("GET", f"{census.address}/exports/hs", None)
    assert len(proxy.passed) == 4 * HEADINGS


def test_a_proxy_is_told_name_and_password(census: Census, proxy: Proxy, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", f"user:p%40ss@127.0.0.1:{proxy.server_port}")
    fetched(census, folder)
    assert proxy.passed[0][2] == "Basic " + base64.b64encode(b"user:p@ss").decode()


def test_a_server_that_needs_no_proxy_is_asked_directly(
    census: Census, proxy: Proxy, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("no_proxy", "example.org,127.0.0.1")
    fetched(census, folder)
    assert proxy.passed == []


def test_an_https_address_has_the_proxy_of_its_own(proxy: Proxy, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.server_port}")
    with pytest.raises(FetchError, match=r"https://mirror.invalid/file could not be reached: .*Tunnel .*403"):
        fetch.fetch_mirrors(folder, CODES, address="https://mirror.invalid/file", backoff=0.001)
    assert {passed[:2] for passed in proxy.passed} == {("CONNECT", "mirror.invalid:443")}


def test_a_proxy_of_an_unknown_kind_is_named(census: Census, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(FetchError, match=r"The proxy for http addresses, socks5://127.0.0.1:1, is of no kind"):
        fetched(census, folder)


def mirrored(country: str = "JAPAN", **columns: list[str]) -> bytes:
    """A small file in the form of the mirror."""
    rows = {
        "CTY_NAME": [country] * 2,
        "ALL_VAL_MO": ["100", "20"],
        "E_COMMODITY": ["8541491050", "8541491050"],
        "E_COMMODITY_SDESC": ["INVENTED"] * 2,
        "COMM_LVL": ["HS10"] * 2,
        "time": ["2013-01", "2014-02"],
        "CTY_CODE": ["5880"] * 2,
    }
    return parquet(rows | columns)


def fetched_from_mirror(census: Census, folder: Path, **options: bool) -> list[str]:
    lines: list[str] = []
    fetch.fetch_mirrors(folder, CODES, address=f"{census.address}/mirror", backoff=0.001, say=lines.append, **options)
    return lines


def serve(census: Census, content: bytes, **headers: str) -> None:
    census.trouble[0] = lambda handler: handler.send(200, content, **headers)


def test_the_mirror_is_saved_as_it_is(census: Census, folder: Path):
    serve(census, mirrored())
    lines = fetched_from_mirror(census, folder)
    assert lines[0].startswith("1 of 1: exports to Japan, 2013 to 2014, 1 electro-optical codes, SHA-256 ")
    assert "Imports, and trade with the world, come from the Census API alone." in lines[1]
    assert (folder / "mirror-exports-japan.parquet").read_bytes() == mirrored()
    assert [row[-1] for row in read(folder / "mirror-exports-japan.parquet")] == [100, 20]
    assert fetched_from_mirror(census, folder)[0] == "1 of 1: exports to Japan, already there"
    assert len(census.asked) == 1
    fetched_from_mirror(census, folder, refresh=True)
    assert len(census.asked) == 2
    assert hashlib.sha256(mirrored()).hexdigest() in lines[0]


def test_a_mirror_that_gives_another_file_than_before_is_refused(census: Census, folder: Path):
    serve(census, mirrored())
    fetched_from_mirror(census, folder)
    serve(census, mirrored(ALL_VAL_MO=["100", "21"]))
    with pytest.raises(FetchError, match=r"another file than on \d{4}-\d\d-\d\d, when its SHA-256 was [0-9a-f]{64}\."):
        fetched_from_mirror(census, folder, refresh=True)
    assert (folder / "mirror-exports-japan.parquet").read_bytes() == mirrored()


@pytest.mark.parametrize(
    ("content", "headers", "message"),
    [
        (
            mirrored()[:-1],
            {"Content_Length": str(len(mirrored())), "Connection": "close"},
            "broke off: .*more expected",
        ),
        (mirrored()[:-1], {}, "mirror-exports-japan.parquet: .* cut or damaged.* Nothing was saved"),
        (b"version https://git-lfs.github.com/spec/v1\n", {}, "no columns of trade by ten-digit code"),
        (mirrored(country="IRELAND"), {}, "a file of other trade than exports to Japan"),
        (mirrored(ALL_VAL_MO=["1", "x"]), {}, "row 2, column 'ALL_VAL_MO': 'x' is not a whole number"),
    ],
)
def test_a_mirror_that_cannot_be_used_is_refused(
    census: Census, folder: Path, content: bytes, headers: dict[str, str], message: str
):
    serve(census, content, **headers)
    with pytest.raises(FetchError, match=message):
        fetched_from_mirror(census, folder)
    assert files(folder) == []


def test_a_mirror_that_is_gone_is_told(census: Census, folder: Path):
    census.trouble[0] = lambda handler: handler.send(404, "404: Not Found", "text/plain")
    with pytest.raises(FetchError, match=f"{census.address}/mirror answers 404"):
        fetched_from_mirror(census, folder)
    assert files(folder) == []


def test_a_mirror_that_cannot_be_written_is_told(census: Census, folder: Path):
    serve(census, mirrored())
    folder.write_text("a file where the folder should be")
    with pytest.raises(FetchError, match=r"mirror-exports-japan.parquet cannot be written: .* Nothing was saved"):
        fetched_from_mirror(census, folder)


def test_the_mirror_and_the_api_are_not_mixed(census: Census, folder: Path):
    fetched(census, folder)
    with pytest.raises(FetchError, match="exports to Japan from the Census API, which are newer"):
        fetched_from_mirror(census, folder)
    for path in folder.glob("*.csv"):
        path.unlink()
    serve(census, mirrored())
    fetched_from_mirror(census, folder)
    with pytest.raises(FetchError, match=r"mirror-exports-japan.parquet has exports to Japan .* Remove it"):
        fetched(census, folder)
