"""Double entry: what the built pages say in their headlines, against numbers that were computed a second time.

A headline is the title of an exhibit, the observed value of a card, or a key point of a page; those of the front page
are its findings. `double_entry.py` computes, `headlines.txt` has the sentences.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest
from double_entry import Number, Tables, numbers, read_tables, slots, where, write

HERE = Path(__file__).parent
LISTS = ("Key points", "What the data show")
# Words below ten count as numbers, but for "one" and "first", which mostly are none; those in a name (F-35) or a link
# to an exhibit do not.
NUMBER = re.compile(
    r"(?<![\w-])(?<!Exhibit )\d|\b(two|three|four|five|six|seven|eight|nine|second|third|fourth|fifth|half|twice)\b",
    re.IGNORECASE,
)


class Headline(NamedTuple):
    """A headline with the page where it stands and what the sentences call it: an id, or the page for a key point."""

    place: str
    page: str
    text: str


class Reader(HTMLParser):
    """Reads a page's text, and the items of the first list below one of the titles in `LISTS`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._read: list[str] = []
        self._items: list[list[str]] = [[]]
        self._depth: int | None = None  # lists that are open since the title; None before it and after its list
        self._hidden = False
        self.feed(page)
        self.text = " ".join("".join(self._read).split())
        self.items = [text for item in self._items if (text := " ".join("".join(item).split()))]

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden = tag in ("script", "style")
        if self._depth is not None and tag == "ul":
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if self._depth and tag == "li":
            self._items.append([])
        if self._depth and tag == "ul":
            self._depth = self._depth - 1 or None

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self._read.append(data)
        if self._depth:
            self._items[-1].append(data)
        if data.strip() in LISTS:
            self._depth = 0


@pytest.fixture(scope="session")
def headlines(html: Path) -> list[Headline]:
    """All headlines of the built book; each stands in its page's visible text."""
    chapters = html / "chapters"
    pages = {
        file.relative_to(chapters).with_suffix("").as_posix(): Reader(file.read_text(encoding="utf-8"))
        for file in sorted(chapters.rglob("*.html"))
    }
    found = [Headline(page, page, item) for page, read in pages.items() for item in read.items]
    kinds = [("exhibits", "chapter", "title"), ("claims", "page", "observed")]
    for index, address, text in kinds:
        for entry in json.loads((html / index / "index.json").read_text(encoding="utf-8")):
            page = re.sub(r"^chapters/|\.html.*", "", entry[address])
            if entry[text]:
                assert entry[text] in pages[page].text, (page, entry["id"], entry[text])
                found.append(Headline(entry["id"], page, entry[text]))
    return found


@pytest.fixture(scope="session")
def tables() -> Tables:
    return read_tables(HERE.parent / "data")


@pytest.fixture(scope="session")
def values(tables: Tables) -> dict[str, Number]:
    return numbers(tables)


def sentences() -> Iterator[tuple[str, str]]:
    """The sentences with slots, each with the place where it stands."""
    for line in (HERE / "headlines.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            place, _, sentence = line.partition(": ")
            yield place, sentence


def compare(headlines: list[Headline], values: Mapping[str, Number]) -> tuple[list[str], dict[Headline, str]]:
    """What differs, and of each headline the text that no sentence covers."""
    differences: list[str] = []
    rest = {headline: headline.text for headline in headlines}
    for place, sentence in sentences():
        parts = slots(sentence, values)
        # The computed number is tried first: ".+?" alone would end at the first comma or point within it.
        pattern = re.compile(
            "".join(re.escape(text) + (f"({re.escape(number)}|.+?)" if name else "") for text, name, number in parts)
        )
        there = [headline for headline in headlines if headline.place == place]
        for headline in there:
            if not (match := (pattern.search if place == headline.page else pattern.fullmatch)(headline.text)):
                continue
            rest[headline] = rest[headline].replace(match[0], "")
            computed = [(name, number) for _, name, number in parts if name]
            differences.extend(
                f"{headline.page} ({place}): “{match[0]}” has {said} where the tables give {number} ({name})."
                for said, (name, number) in zip(match.groups(), computed, strict=True)
                if said != number
            )
            break
        else:
            pages = {headline.page for headline in there} or {"no page"}
            differences.append(
                f"{', '.join(pages)} ({place}): nothing reads “{''.join(text + number for text, _, number in parts)}”. "
                "If the headline was worded anew, its line in tests/headlines.txt follows."
            )
    return differences, rest


def test_headlines_have_the_numbers_that_come_out_a_second_time(
    headlines: list[Headline], values: dict[str, Number]
) -> None:
    differences, _ = compare(headlines, values)
    if differences:
        pytest.fail("\n".join(differences), pytrace=False)


def test_headlines_without_a_second_computation_are_said(
    headlines: list[Headline], values: dict[str, Number], say: list[str]
) -> None:
    _, rest = compare(headlines, values)
    with_number = [headline for headline in headlines if NUMBER.search(headline.text)]
    left = [headline for headline in with_number if NUMBER.search(rest[headline])]
    computed = sum(bool(NUMBER.search(number)) for _, line in sentences() for _, _, number in slots(line, values))
    places = ", ".join(sorted({headline.place for headline in left}))
    say.append(
        f"Double entry: {computed} numbers computed a second time, in {len(with_number) - len(left)} of "
        f"{len(with_number)} headlines that have one. {len(left)} have a number that is not: {places}."
    )
    assert computed >= 400
    assert len(left) < len(with_number) / 8, places


class Change(NamedTuple):
    """A cell of a table that is changed, and the page and number that are then wrong."""

    table: str
    row: dict[str, str]
    column: str
    cell: str
    page: str
    number: str


@pytest.mark.parametrize(
    "change",
    [
        Change("uas_deliveries", {"vintage": "2022-08", "supplier": "Israel"}, "units", "999", "index", "drones.units"),
        Change(
            "policy_timeline", {"event_id": "nss-2022"}, "date", "2022-12-17", "industry/overview", "events.nss_2022"
        ),
        Change("eoir_sensors", {"manufacturer": "NEC"}, "manufacturer", "", "eoir/industrial-base", "sensors.known"),
        Change(
            "exchange_rates", {"period": "2024-08"}, "currency_per_usd", "99", "introduction", "plan.worth_published"
        ),
        Change(
            "japan_customs_trade",
            {"partner": "United States", "hs9": "903141000", "year": "2007"},
            "value_thousand_yen",
            "1000000",
            "eoir/trade",
            "trade.seen_2007",
        ),
        Change(
            "fighter_orders",
            {"recipient": "Japan", "vintage": "2026-05"},
            "ordered",
            "1",
            "industry/partnerships",
            "fighters.ordered",
        ),
    ],
    ids=lambda change: change.table,
)
def test_a_changed_cell_is_named_with_page_and_number(
    headlines: list[Headline], tables: Tables, values: dict[str, Number], change: Change
) -> None:
    changed = tables | {change.table: [dict(row) for row in tables[change.table]]}
    where(changed[change.table], **change.row)[0][change.column] = change.cell
    others = numbers(changed)
    new = {*compare(headlines, others)[0]} - {*compare(headlines, values)[0]}
    assert values[change.number] != others[change.number]
    assert any(said.startswith(f"{change.page} (") and f"({change.number})" in said for said in new), new


def test_a_number_and_a_word_that_a_page_changes_are_named(
    headlines: list[Headline], values: dict[str, Number]
) -> None:
    title = next(headline for headline in headlines if headline.place == "figure-1")
    share = write(values["drones.leader_share"], "%")
    for old, new, said in (
        (share, "99", f"has 99 where the tables give {share}"),
        ("delivered", "sold", "nothing reads"),
    ):
        changed = [title._replace(text=title.text.replace(old, new)) if line == title else line for line in headlines]
        assert any(d.startswith(f"{title.page} (figure-1): ") and said in d for d in compare(changed, values)[0])


def test_the_second_computation_shares_nothing_with_the_first() -> None:
    tree = ast.parse((HERE / "double_entry.py").read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (Fraction(373, 2), "", "187"),
        (Fraction(1, 8), "%", "13"),
        (Fraction(-1, 40), "%.1", "-2.5"),
        (Fraction("2.75"), ".1", "2.8"),
        (16333, "", "16,333"),
        (16333, "00", "16,300"),
        (250, "00", "300"),
        (9, "Word", "Nine"),
        (10, "word", "10"),
        (4, "place", "fourth"),
        ("2024-03-01", "day", "1 March 2024"),
        ("2024-03-01", "month", "March 2024"),
        ("2024-03", "day", "March 2024"),
        ("1967", "day", "1967"),
        ("2024-03", "year", "2024"),
        ("Israel", "", "Israel"),
    ],
)
def test_numbers_are_rounded_once_and_halves_up(value: Number, spec: str, text: str) -> None:
    assert write(value, spec) == text
