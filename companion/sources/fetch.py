"""Fetch U.S. trade by ten-digit code from its publisher or a mirror: what `make fetch-trade` does.

The publisher is the U.S. Census Bureau, whose International Trade API has exports and imports, Japan and the world,
from January 2013 on, and asks for a key. A mirror needs no key, but only one could be verified, and it has exports to
Japan alone: see `fetch_mirrors`.

A file is saved whole and checked, or not at all, and a run that breaks off is continued by the next one.
"""

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

import pandas as pd
from urllib3 import BaseHTTPResponse, PoolManager, ProxyManager, Retry, Timeout, make_headers
from urllib3.exceptions import HTTPError, LocationParseError, MaxRetryError, ProxySchemeUnknown, ResponseError
from urllib3.util import parse_url

from companion.errors import CompanionError
from companion.files import whole
from companion.sources import SourceError, SourceFile, hs10

CENSUS = "https://api.census.gov/data/timeseries/intltrade"
KEY = "CENSUS_API_KEY"
SIGN_UP = "https://api.census.gov/data/key_signup.html"
FIRST_YEAR = 2013
# The Census Bureau's codes of the partners.
COUNTRIES = {"Japan": "5880", "World": "-"}

MIRROR = (
    "https://raw.githubusercontent.com/tradewartracker/us-exports-hs10/"
    "acb20b8266853eb63a66cdc3640b2c3c31a63694/data/exports-hs10/5880data-combined.parquet"
)
MIRROR_FILE = "mirror-exports-japan.parquet"
CHUNK = 1 << 20
# Beside the files: for each, the day on which it was fetched, and the SHA-256 that it had then. Times of files do not
# survive a copy.
RECORD = "fetched.json"


class FetchError(CompanionError, RuntimeError):
    """A file cannot be fetched: the message says which, why, and what to do."""


@dataclass(frozen=True)
class Flow:
    """Exports or imports, and the names of their columns in the API."""

    name: str
    towards: str
    code: str
    values: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """The columns of a saved file."""
        return ["CTY_CODE", "CTY_NAME", self.code, "COMM_LVL", "time", *self.values]


FLOWS = [
    Flow("exports", "to", "E_COMMODITY", ("ALL_VAL_MO",)),
    Flow("imports", "from", "I_COMMODITY", ("GEN_VAL_MO", "CON_VAL_MO")),
]


@dataclass(frozen=True)
class Collection:
    """The trade of one flow, partner and year, which becomes one file."""

    flow: Flow
    partner: str
    year: int

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"census-{self.flow.name}-{self.partner.lower()}-{self.year}.csv"

    @property
    def title(self) -> str:
        """What it is, for the report."""
        partner = "the world" if self.partner == "World" else self.partner
        return f"{self.flow.name} {self.flow.towards} {partner}, {self.year}"


@dataclass(frozen=True)
class TradeAPI:
    """The International Trade API at an address, with a key, asked politely."""

    address: str
    key: str = field(repr=False)
    pause: float
    pool: PoolManager

    def ask(self, collection: Collection, heading: str) -> pd.DataFrame:
        """The trade of one collection in all ten-digit codes of a four-digit heading.

        Returns:
            One row per code and month, columns as in `Flow.columns`, all texts; no rows where there is no data.

        Raises:
            FetchError: the API cannot be reached, refuses the question or the key, or gives an answer of another form.
        """
        flow, country = collection.flow, COUNTRIES[collection.partner]
        question = {
            "get": ",".join(["CTY_CODE", "CTY_NAME", flow.code, *flow.values]),
            "COMM_LVL": "HS10",
            "CTY_CODE": country,
            flow.code: f"{heading}*",
            "time": f"from {collection.year}-01 to {collection.year}-12",
            "key": self.key,
        }
        time.sleep(self.pause)
        answer = _get(self.pool, f"{self.address}/{flow.name}/hs", question)
        # An answer may repeat the question.
        text = answer.data.decode("utf-8", errors="replace").replace(self.key, "(key)")
        # A page about the key may come with any status, also as a success.
        if page := re.search(r"<title>\s*((?:Missing|Invalid) Key)", text):
            raise FetchError(
                f"The Census Bureau does not accept the key in {KEY} ({page[1]}). A new key works once the link in the "
                f"mail that brought it was opened. Ask for one at {SIGN_UP}"
            )
        what = f"{collection.title}, heading {heading}"
        if answer.status == 204:
            return pd.DataFrame(columns=flow.columns)
        if answer.status != 200:
            raise FetchError(f"{what}: the Census Bureau answers {answer.status}: {' '.join(text[:300].split())}")
        return _checked(text, what, flow, self._rules(collection, heading))

    @staticmethod
    def _rules(collection: Collection, heading: str) -> dict[str, tuple[str, str]]:
        """What the cells of each column match, and how to name that."""
        country = COUNTRIES[collection.partner]
        names = [re.escape(name) for name, partner in hs10.PARTNERS.items() if partner == collection.partner]
        return {
            "CTY_CODE": (re.escape(country), f"the code of the partner, {country!r}"),
            "CTY_NAME": (f"(?i:{'|'.join(names)})", f"a known name of the partner {collection.partner!r}"),
            collection.flow.code: (f"{heading}[0-9]{{6}}", f"a code of ten digits that begins with {heading}"),
            "COMM_LVL": ("HS10", "the level 'HS10'"),
            "time": (f"{collection.year}-(0[1-9]|1[0-2])", f"a month of {collection.year}"),
            **dict.fromkeys(collection.flow.values, ("[0-9]+", "a whole number of dollars, zero or more")),
        }


def fetch_census(
    folder: Path,
    codes: Iterable[str],
    first: int = FIRST_YEAR,
    last: int | None = None,
    *,
    refresh: bool = False,
    address: str = CENSUS,
    pause: float = 0.2,
    backoff: float = 1,
    say: Callable[[str], None] = print,
) -> None:
    """Fetch the trade in electro-optical codes from the Census API: one CSV per flow, partner and year.

    Whole headings are asked for, as many as the codes lie in. The key comes from the environment variable
    `CENSUS_API_KEY` and goes nowhere but to the API. Files that were fetched before stay, and are not asked for again.
    Those fetched when their year was one of the newest two are, as the Census Bureau still revises these years, and
    those that are no longer what was fetched. The proxy is that of the environment or of the system. After a change of
    the codes, `refresh` brings those that the files do not have.

    Args:
        folder: where to save, `data/local` in the book; made where it does not exist.
        codes: the ten-digit codes that are wanted, as in `eo_codes`.
        first: the first year, 2013 or later.
        last: the last year; this year where it is not given.
        refresh: whether to ask for every file again.
        address: where the API is.
        pause: seconds before each request.
        backoff: seconds that the waits after failed requests grow from.
        say: takes each line of the report.

    Raises:
        FetchError: there is no key, or a request failed for good. Files saved before stay.
    """
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise FetchError(
            f"The Census Bureau asks for a key. Ask for one, free of charge, at {SIGN_UP} and put it into the "
            f"environment variable {KEY}."
        )
    this_year = date.today().year
    last = this_year if last is None else last
    if not FIRST_YEAR <= first <= last <= this_year:
        raise FetchError(f"The API has the years {FIRST_YEAR} to {this_year}; {first} to {last} is no span of these.")
    if (folder / MIRROR_FILE).exists():
        raise FetchError(
            f"{folder / MIRROR_FILE} has exports to Japan in an older state. Remove it, then run the command again."
        )
    headings = sorted({code[:4] for code in codes})
    years = range(first, last + 1)
    collections = [Collection(flow, partner, year) for flow in FLOWS for partner in COUNTRIES for year in years]
    api = TradeAPI(address, key, pause, _pool(address, backoff))
    saved = 0
    try:
        for number, collection in enumerate(collections, 1):
            path = folder / collection.file
            if not refresh and _is_final(path, collection.year):
                outcome = "already there"
            else:
                rows = pd.concat([api.ask(collection, heading) for heading in headings])
                outcome = "no data, nothing saved"
                if len(rows):
                    with whole.staged(path) as staged:
                        rows.to_csv(staged, index=False, lineterminator="\n")
                    _record(path)
                    saved += 1
                    outcome = f"{len(rows):,} rows"
            say(f"{number} of {len(collections)}: {collection.title}, {outcome}")
    except (FetchError, OSError) as problem:
        raise FetchError(
            f"{problem}\nFiles saved in {folder} before this: {saved}. Run the command again to go on from there."
        ) from None
    say(
        f"Files saved in {folder}: {saved}. The next `make book` uses them. Years that the Census Bureau still revises "
        "are fetched anew in each run."
    )


def fetch_mirrors(
    folder: Path,
    codes: Iterable[str],
    *,
    refresh: bool = False,
    address: str = MIRROR,
    backoff: float = 1,
    say: Callable[[str], None] = print,
) -> None:
    """Fetch U.S. exports to Japan by ten-digit code from a public mirror of the Census API: one Parquet file.

    The mirror is https://github.com/tradewartracker/us-exports-hs10 at one commit. What is verified: a notebook of the
    repository records how it asks the API, and that the file for Japan had 912,084 rows, to January 2026; the file of
    another country at this commit has the columns of the API. What is not offered: exports to the world, as the same
    notebook records that there is no such combined file, and imports, as the column names of the monthly files in
    https://github.com/ruhl0029/us-import-data could not be verified. The hash of the file for Japan could not be had
    beforehand either: the one that it has when it is first fetched is recorded, and a later fetch is held to it.

    Args:
        folder: where to save, `data/local` in the book; made where it does not exist.
        codes: the ten-digit codes that are wanted, as in `eo_codes`.
        refresh: whether to fetch the file again.
        address: where the file is.
        backoff: seconds that the waits after failed requests grow from.
        say: takes each line of the report.

    Raises:
        FetchError: the file cannot be fetched, is not what it should be, or is another than before. Nothing was saved.
    """
    path = folder / MIRROR_FILE
    if any(folder.glob("census-exports-japan-*.csv")):
        raise FetchError(f"{folder} has exports to Japan from the Census API, which are newer. Nothing is fetched.")
    if path.exists() and not refresh:
        say("1 of 1: exports to Japan, already there")
    else:
        try:
            with _get(_pool(address, backoff), address, preload=False) as answer, whole.staged(path) as staged:
                if answer.status != 200:
                    raise FetchError(f"{address} answers {answer.status}.")
                with staged.open("wb") as stream:
                    for chunk in answer.stream(CHUNK):  # fails where the file is shorter than announced
                        stream.write(chunk)
                trade = hs10.read(SourceFile(MIRROR_FILE, staged), [*codes])
                if set(zip(trade["flow"], trade["partner"], strict=True)) != {("export", "Japan")}:
                    raise FetchError(f"{address} is a file of other trade than exports to Japan.")
                before, digest = _recorded(folder).get(MIRROR_FILE), _sha256(staged)
                if before and before["sha256"] != digest:
                    raise FetchError(
                        f"{address} gives another file than on {before['day']}, when its SHA-256 was "
                        f"{before['sha256']}. It is {digest} now, although the address is that of one commit. Nothing "
                        f"was saved. To take the new file, remove {path} and {folder / RECORD}."
                    )
            _record(path)
        except HTTPError as problem:
            raise FetchError(f"{address} broke off: {problem}. Nothing was saved; run the command again.") from None
        except OSError as problem:
            raise FetchError(f"{path} cannot be written: {problem}. Nothing was saved.") from None
        except SourceError as problem:
            raise FetchError(f"{problem} Nothing was saved.") from None
        span = f"{trade['year'].min()} to {trade['year'].max()}"
        say(f"1 of 1: exports to Japan, {span}, {trade['hts10'].nunique()} electro-optical codes, SHA-256 {digest}")
    say(
        f"Saved in {folder}. The next `make book` uses it. Imports, and trade with the world, come from the Census API "
        "alone."
    )


def _pool(address: str, backoff: float) -> PoolManager:
    """The network client. It waits and asks again where the network or the server fails, also in mid-answer.

    Raises:
        FetchError: the proxy for the address is of no kind that the client knows.
    """
    # Its log messages contain whole addresses, and with them the key.
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)
    retries = Retry(
        total=5,
        backoff_factor=backoff,
        status_forcelist={429, 500, 502, 503, 504},
        allowed_methods={"GET"},
        respect_retry_after_header=True,
    )
    timeout, target, proxies = Timeout(connect=15, read=120), parse_url(address), getproxies()
    proxy = proxies.get(target.scheme or "", proxies.get("all"))
    if not proxy or proxy_bypass(target.netloc or ""):
        return PoolManager(retries=retries, timeout=timeout)
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    try:
        login = parse_url(proxy).auth
        headers = make_headers(proxy_basic_auth=unquote(login)) if login else None
        return ProxyManager(proxy, proxy_headers=headers, retries=retries, timeout=timeout)
    except (ProxySchemeUnknown, LocationParseError):
        raise FetchError(
            f"The proxy for {target.scheme} addresses, {proxy.rpartition('@')[2]}, is of no kind that is known here. "
            f"Give one that begins with http:// in the environment variable {target.scheme}_proxy."
        ) from None


def _get(
    pool: PoolManager, address: str, question: dict[str, str] | None = None, preload: bool = True
) -> BaseHTTPResponse:
    """One answer, read whole if `preload`; its address with the question, which has the key, is in no message."""
    try:
        return pool.request("GET", address, fields=question, preload_content=preload)
    except HTTPError as error:
        reason = error.reason if isinstance(error, MaxRetryError) else error
        problem = "gives no answer that can be used" if isinstance(reason, ResponseError) else "could not be reached"
        raise FetchError(f"{address} {problem}: {reason}.") from None


def _checked(text: str, what: str, flow: Flow, rules: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """The rows of an answer, which is a list of lists of which the first has the column names.

    Raises:
        FetchError: the answer has another form, a column is missing, or a cell has no possible value.
    """
    try:
        answer = json.loads(text)
        header, rows = answer[0], answer[1:]
        # Columns that stand in the question, too, come twice.
        table = pd.DataFrame([dict(zip(header, row, strict=True)) for row in rows], columns=list(dict.fromkeys(header)))
    except (ValueError, TypeError, LookupError):
        start = " ".join(text[:80].split())
        raise FetchError(f"{what}: the answer is not a table in JSON, or is cut. It begins with {start!r}.") from None
    missing = [column for column in flow.columns if column not in table]
    if missing:
        raise FetchError(
            f"{what}: column {missing[0]!r} is missing. The answer has: {', '.join(map(str, table.columns))}. If the "
            "Census Bureau has renamed it, give its new name in FLOWS of companion/sources/fetch.py."
        )
    table = table[flow.columns].astype(str)
    for column, (pattern, meaning) in rules.items():
        wrong = table[~table[column].str.fullmatch(pattern).fillna(False).astype(bool)]
        if len(wrong):
            row, value = wrong.index[0] + 1, wrong[column].iloc[0]
            raise FetchError(f"{what}: row {row} of the answer, column {column!r}: {value!r} is not {meaning}.")
    twice = table[table.duplicated([flow.code, "time"])]
    if len(twice):
        code, month = twice[[flow.code, "time"]].iloc[0]
        raise FetchError(f"{what}: code {code}, {month} stands twice in the answer.")
    return table.sort_values([flow.code, "time"])


def _is_final(path: Path, year: int) -> bool:
    """Tell whether a file is there as it was fetched, after its year was one of the newest two."""
    known = _recorded(path.parent).get(path.name)
    return (
        known is not None
        and path.exists()
        and date.fromisoformat(known["day"]).year > year + 1
        and known["sha256"] == _sha256(path)
    )


def _recorded(folder: Path) -> dict[str, dict[str, str]]:
    """The day and the SHA-256 of each file that was fetched into a folder."""
    path = folder / RECORD
    if not path.exists():
        return {}
    try:
        content: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise FetchError(f"{path} is damaged. Remove it, and everything is fetched anew.") from None
    return content


def _record(path: Path) -> None:
    """Note when a file was fetched, and what it is."""
    about = {"day": date.today().isoformat(), "sha256": _sha256(path)}
    with whole.staged(path.parent / RECORD) as staged:
        content = json.dumps(_recorded(path.parent) | {path.name: about}, indent=1, sort_keys=True)
        staged.write_text(content + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
