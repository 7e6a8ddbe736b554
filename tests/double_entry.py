"""The book's headline numbers a second time, from the tables with the standard library alone.

A part of the book is a function that reads the tables as its sentences say, and not as its chapters compute. What it
returns fills the slots of `headlines.txt`: `{drones.units}` is the `units` of the function `drones`. Numbers are
exact fractions; `write` rounds them, once. Shares lie between 0 and 1; dates and years are text.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import groupby, pairwise
from math import floor
from pathlib import Path
from string import Formatter

Row = Mapping[str, str]
Tables = dict[str, list[dict[str, str]]]
Number = Fraction | int | str

WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
PLACES = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September"]
MONTHS += ["October", "November", "December"]

MHI = "Mitsubishi Heavy Industries"


def read_tables(folder: Path) -> Tables:
    """Read every table of a folder as rows of text."""
    tables = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            tables[path.stem] = list(csv.DictReader(file))
    return tables


def numbers(tables: Tables) -> dict[str, Number]:
    """All numbers, by the name of their function and their own."""
    return {f"{part.__name__}.{name}": value for part in PARTS for name, value in part(tables).items()}


def slots(sentence: str, values: Mapping[str, Number]) -> list[tuple[str, str, str]]:
    """Cut a sentence at its slots: the text before each, its name, and its number as it is to be written.

    A slot says after a colon how: ".1" with one decimal, "00" in full hundreds, "%" or "%.1" in percent, "word" or
    "Word" (one to nine), "place" (first to ninth), "day", "month" or "year" of a date.
    """
    return [
        (text, name or "", write(values[name], spec or "") if name else "")
        for text, name, spec, _ in Formatter().parse(sentence)
    ]


def write(value: Number, spec: str) -> str:
    """Write a number as in a sentence; a half is rounded up."""
    if isinstance(value, str):
        if not spec:
            return value
        year, month, day = [*value.split("-"), "", ""][:3]
        named = [day.lstrip("0") if spec == "day" else "", MONTHS[int(month) - 1] if month and spec != "year" else ""]
        return " ".join(filter(None, [*named, year]))
    if spec in ("word", "Word"):
        word = WORDS[int(value)] if value < len(WORDS) else str(value)
        return word.capitalize() if spec == "Word" else word
    if spec == "place":
        return PLACES[int(value) - 1] if value <= len(PLACES) else f"{value}th"
    if spec == "00":
        return write(100 * floor(Fraction(value) / 100 + Fraction(1, 2)), "")
    scale, digits = 100 if "%" in spec else 1, int(spec.strip("%.") or 0)
    whole, rest = divmod(floor(abs(Fraction(value)) * scale * 10**digits + Fraction(1, 2)), 10**digits)
    return ("-" if value < 0 else "") + f"{whole:,}" + (f".{rest:0{digits}}" if digits else "")


def where(rows: Iterable[dict[str, str]], **cells: str | tuple[str, ...]) -> list[dict[str, str]]:
    """Rows whose cells have these texts; of several texts, one."""
    wanted = {column: (text,) if isinstance(text, str) else text for column, text in cells.items()}
    return [row for row in rows if all(row[column] in texts for column, texts in wanted.items())]


def between(rows: Iterable[dict[str, str]], first: int, last: int, column: str = "year") -> list[dict[str, str]]:
    """Rows of these years; rows without a year are left out."""
    return [row for row in rows if row[column] and first <= int(row[column]) <= last]


def newest(rows: list[dict[str, str]], column: str) -> list[dict[str, str]]:
    """Rows with the highest text of a column."""
    return where(rows, **{column: max(row[column] for row in rows)})


def total(rows: Iterable[Row], column: str) -> Fraction:
    return sum((Fraction(row[column] or 0) for row in rows), Fraction(0))


def sums(rows: Iterable[Row], key: str, column: str) -> dict[str, Fraction]:
    """The sum of a column for each text of another."""
    result: dict[str, Fraction] = defaultdict(Fraction)
    for row in rows:
        result[row[key]] += Fraction(row[column] or 0)
    return dict(result)


def series(rows: Iterable[Row], column: str, year: str = "year") -> dict[int, Fraction]:
    """A column by year; years without a value are left out."""
    return {int(row[year]): Fraction(row[column]) for row in rows if row[column]}


def place(amounts: Mapping[str, Fraction | int], name: str) -> int:
    """The place of a name by its amount; names with equal amounts share one."""
    return 1 + sum(amount > amounts.get(name, 0) for amount in amounts.values())


def level_with(amounts: Mapping[str, Fraction | int], name: str) -> list[str]:
    """The other names with the same amount."""
    return sorted(other for other, amount in amounts.items() if amount == amounts.get(name) and other != name)


def longest_run(years: Iterable[int]) -> list[int]:
    """The longest run of years without a gap."""
    runs = groupby(enumerate(sorted(years)), lambda pair: pair[1] - pair[0])
    return max(([year for _, year in run] for _, run in runs), key=len)


def listed(words: Iterable[str]) -> str:
    *head, last = words
    return f"{', '.join(head)}{',' * (len(head) > 1)} and {last}" if head else last


def amounts_in(text: str) -> list[Fraction]:
    """The numbers that stand in a text."""
    return [Fraction(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]


def drones(tables: Tables) -> dict[str, Number]:
    """Deliveries of uncrewed aircraft: the report's state and years, and what SIPRI made of them later."""
    every = tables["uas_deliveries"]
    states = sorted({row["vintage"] for row in every})
    report, now = (between(where(every, vintage=state), 2000, 2021) for state in ("2022-08", states[-1]))
    units, by_year = total(report, "units"), sums(report, "year", "units")
    by_exporter, by_role = sums(report, "supplier", "units"), sums(report, "category", "units")
    leader, peak = (max(amounts, key=amounts.__getitem__) for amounts in (by_exporter, by_year))
    types = sums(where(report, year=peak), "designation", "units")
    largest = max(types, key=types.__getitem__)
    falls = [later < earlier for earlier, later in pairwise(by_year[str(year)] for year in range(2000, 2022))]
    earlier = [total(between(where(every, vintage=state), 2000, 2018), "units") for state in states]
    returning = [row for row in report if row["category"] != "one-way attack"]
    return {
        "named_exporters": len(by_exporter.keys() - {"unknown supplier(s)"}),
        "unnamed": "deliveries" if by_exporter.get("unknown supplier(s)") else "no deliveries",
        "units": units,
        "leader": leader,
        "leader_share": by_exporter[leader] / units,
        "leader_share_returning": sums(returning, "supplier", "units")[leader] / total(returning, "units"),
        "falls": sum(falls),
        "steps": len(falls),
        "peak": peak,
        "peak_units": by_year[peak],
        "largest": largest,
        "largest_units": types[largest],
        "largest_share": types[largest] / by_year[peak],
        "estimated": total(report, "units_estimated") / units,
        **{f"from_{start}": total(between(report, start, start + 4), "units") for start in (2000, 2005, 2010, 2015)},
        "reconnaissance": by_role["reconnaissance"] / units,
        "armed": by_role["armed"] / units,
        "one_way": by_role["one-way attack"] / units,
        "states": len(states),
        "newest": states[-1],
        "highest_count": max(earlier),
        "newest_count": earlier[-1],
        "american_place": place(by_exporter, "United States"),
        "american_place_now": place(sums(now, "supplier", "units"), "United States"),
        "from_japan": "some" if where(every, supplier="Japan") else "none",
    }


def weapons(tables: Tables) -> dict[str, Number]:
    """Armed and one-way types in SIPRI's newest export."""
    every = newest(tables["uas_deliveries"], "vintage")
    last = max(int(row["year"]) for row in every)
    by_year = {year: sums(between(every, year, year), "category", "units") for year in range(2000, last + 1)}
    outnumbered = {year for year, units in by_year.items() if 2 * units["reconnaissance"] < sum(units.values())}
    one_way, abroad = (
        where(every, category="one-way attack"),
        between(where(every, supplier="United States"), 2022, last),
    )
    of_report = where(tables["uas_deliveries"], vintage="2022-08", category="one-way attack")
    recent, american = between(one_way, 2022, last), where(abroad, category="one-way attack")
    shahed = total((row for row in recent if "Shahed-136" in row["designation"]), "units")
    after, american_units = total(recent, "units"), total(american, "units")

    def exporting(first: int, last: int) -> int:
        return len({row["supplier"] for row in between(one_way, first, last) if Fraction(row["units"])})

    return {
        "last": str(last),
        "since": str(next(year for year in by_year if outnumbered >= {*range(year, last + 1)})),
        "state": every[0]["vintage"],
        "before": total(between(one_way, 2000, 2021), "units"),
        "before_report": total(between(of_report, 2000, 2021), "units"),
        "after": after,
        "estimated": "all" if total(recent, "units_estimated") == after else "not all",
        "american": american_units / after,
        "shahed": shahed / after,
        "both": (american_units + shahed) / after,
        "early_exporters": exporting(2000, 2004),
        "late_exporters": exporting(2020, 2025),
        "american_abroad": total(abroad, "units"),
        "american_other": total(abroad, "units") - american_units,
        "american_types": len({row["designation"] for row in american}),
        "armed": total(between(where(every, category="armed"), 2000, last), "units"),
    }


def groups(tables: Tables) -> dict[str, Number]:
    """The five groups by which the Department of Defense sorts uncrewed aircraft."""
    limits = where(tables["uas_groups"], source_id="consensus")
    readings = [row for row in tables["uas_groups"] if row["source_id"] != "consensus"]
    pages = Counter(row["source_id"] for row in readings)
    differing = [row for row in readings if row["differs_from_consensus"]]
    given, agreed = amounts_in(differing[0]["differs_from_consensus"])
    of_group = {row["group"]: row for row in limits}
    heavy = total([of_group["4"]], "weight_min_lb")
    light = [row["group"] for row in limits if row["weight_max_lb"] and Fraction(row["weight_max_lb"]) <= heavy]
    return {
        "groups": len(limits),
        "pounds": heavy,
        "feet": total([of_group["5"]], "altitude_min_ft"),
        "light": f"{min(light)} to {max(light)}",
        "heavy": listed(sorted(of_group.keys() - {*light})),
        "pages": len(pages),
        "whole_pages": sum(count == len(limits) for count in pages.values()),
        "differing": len(differing),
        "differing_group": differing[0]["group"],
        "given": given,
        "agreed": agreed,
    }


def plan(tables: Tables) -> dict[str, Number]:
    """Japan's plan for uncrewed systems, its requests, and what the yen was worth."""
    sheet = tables["unmanned_budget_japan"]
    planned = where(sheet, status="plan")[0]
    billion, spent = (Fraction(row["amount_jpy_billion"]) for row in (planned, *where(sheet, status="budgeted total")))
    requests = series(where(sheet, status="request"), "amount_jpy_billion", "first_fiscal_year")
    asked = [row for row in tables["defense_budget_japan"] if row["status"].startswith("request")]
    whole = series(asked, "amount_jpy_trillion", "fiscal_year")
    adopted = [row for row in tables["defense_budget_japan"] if row not in asked]
    rates = where(tables["exchange_rates"], country="Japan")
    worth = {row["period"]: billion / Fraction(row["currency_per_usd"]) for row in rates}
    latest = max(row["period"] for row in where(rates, frequency="monthly"))
    return {
        "billion": billion,
        "trillion": billion / 1000,
        "first": planned["first_fiscal_year"],
        "last": planned["last_fiscal_year"],
        "yearly": billion / 5,
        "spent": spent,
        "spent_share": spent / billion,
        "time_share": Fraction(3, 5),
        "spent_yearly": spent / 3,
        "budget_2023": total(where(sheet, status="budget", first_fiscal_year="2023"), "amount_jpy_billion"),
        "request_2024": requests[2024],
        "request": requests[2026],
        "request_rise": requests[2026] / requests[2025],
        **{f"request_share_{year}": amount / 1000 / whole[year] for year, amount in requests.items()},
        "budget": Fraction(newest(adopted, "fiscal_year")[-1]["amount_jpy_trillion"]),
        "budget_year": newest(adopted, "fiscal_year")[-1]["fiscal_year"],
        "worth_adopted": worth["2022-12"],
        "worth_published": worth["2024-08"],
        "worth_2023": worth["2023"],
        "worth_latest": worth[latest],
        "latest": latest,
    }


def spending(tables: Tables) -> dict[str, Number]:
    """Japan's military spending by SIPRI, in its newest release and in that of 2024, which the report could see."""
    every = where(tables["military_spending"], country="Japan")
    japan, then = newest(every, "release"), where(every, release="2024")
    real, share = series(japan, "constant_usd_million"), series(japan, "gdp_share_percent")
    real_then, share_then = series(then, "constant_usd_million"), series(then, "gdp_share_percent")
    last, above = max(real), {year for year, percent in share.items() if percent > 1}
    under = longest_run(share.keys() - above)
    limited = {year: percent for year, percent in share_then.items() if 1976 <= year <= 2013}
    releases = [series(where(every, release=name), "gdp_share_percent") for name in {row["release"] for row in every}]
    disputed = [year for year in sorted(share) if len({of[year] > 1 for of in releases if year in of}) > 1]
    steps = {}
    for release in ("2024", "2025"):
        yen = series(where(every, release=release), "local_currency_million")
        steps[release] = "rose" if yen[2022] > yen[2021] else "fell"
    fiscal = {year: yen / 10**6 for year, yen in series(japan, "local_currency_fiscal_million").items()}
    near = longest_run(year for year, yen in fiscal.items() if Fraction("4.65") <= yen < Fraction("5.15"))
    return {
        **{f"step_{release}": step for release, step in steps.items()},
        "last": str(last),
        "rise": real[last] / real[2022] - 1,
        "rise_from_2021": real[last] / real[2021] - 1,
        "low": "low" if real[2022] < min(real[2021], real[2023]) else "usual",
        "rise_before": real[2022] / real[2000] - 1,
        "rise_then": real_then[2023] / real_then[2021] - 1,
        "years_before": 2022 - 2000,
        "from_1970_to_2000": real[2000] / real[1970],
        "from_1970_to_2020": real[2020] / real[1970],
        "limited_least": min(limited.values()),
        "limited_most": max(limited.values()),
        "limited_furthest": str(max(limited, key=lambda year: abs(limited[year] - 1))),
        "share_2013": share_then[2013],
        "above": len(above),
        "years": len(share),
        "last_early": str(under[0] - 1),
        "under_from": str(under[0]),
        "under_to": str(under[-1]),
        "first_late": str(under[-1] + 1),
        "disputed": listed(map(str, disputed)),
        "near": len(near),
        "near_least": min(fiscal[year] for year in near),
        "near_most": max(fiscal[year] for year in near),
        "fiscal": fiscal[max(fiscal)],
        "fiscal_year": str(max(fiscal)),
    }


def companies(tables: Tables) -> dict[str, Number]:
    """Japanese companies among the hundred largest arms producers."""
    every = tables["top100_japan"]
    sheets = [row for row in every if row["total_revenue_usd_million"] and row["evidence"] == "SIPRI workbook"]
    latest = sorted(newest(sheets, "year"), key=lambda row: int(row["rank"]))
    lists: dict[str, set[str]] = defaultdict(set)
    for row in every:
        lists[row["year"]].add(row["company"])
    four = {MHI, "Kawasaki Heavy Industries", "Fujitsu", "IHI"}
    same, always = sorted(year for year, names in lists.items() if names == four), set.intersection(*lists.values())
    leader = [int(row["rank"]) for row in where(every, company=MHI)]
    ihi = max(where(every, company="IHI"), key=lambda row: row["year"])
    dollars = sums(where(every, company=tuple(always)), "year", "arms_revenue_usd_million")
    rates = series(where(tables["exchange_rates"], country="Japan", frequency="annual"), "currency_per_usd", "period")
    yen = {year: amount * rates[int(year)] for year, amount in dollars.items()}
    spent = newest(where(tables["military_spending"], country="Japan"), "release")
    nominal, constant = series(spent, "local_currency_million"), series(spent, "constant_usd_million")
    real = {year: amount / nominal[int(year)] * constant[int(year)] for year, amount in yen.items()}

    def share(row: Row) -> Fraction:
        return Fraction(row["arms_revenue_usd_million"]) / Fraction(row["total_revenue_usd_million"])

    def rise(amounts: dict[str, Fraction]) -> Fraction:
        early, late = (sum(amounts[str(year)] for year in range(start, start + 5)) for start in (2008, 2018))
        return Fraction(late) / early - 1

    return {
        "year": latest[0]["year"],
        "listed": len(latest),
        "ranks": listed(row["rank"] for row in latest),
        "least_share": min(map(share, latest)),
        "most_share": max(map(share, latest)),
        "most_share_ever": max(share(row) for row in sheets if len(where(sheets, company=row["company"])) > 1),
        "lists": len(lists),
        "same": len(same),
        "same_years": listed(same),
        "always": listed(sorted(always)),
        "number_always": len(always),
        "ihi_rank": ihi["rank"],
        "ihi_year": ihi["year"],
        "ihi_absent": listed(sorted({row["year"] for row in every if row["year"] > ihi["year"]})),
        "best_rank": min(leader),
        "worst_rank": max(leader),
        "rise_dollars": rise(dollars),
        "rise_yen": rise(yen),
        "rise_real": rise(real),
    }


def imports(tables: Tables) -> dict[str, Number]:
    """Arms of foreign design that Japan received, by SIPRI's measure of volume (TIV)."""
    every = tables["arms_imports_japan"]
    volume, local = "tiv_million", "tiv_local_production_million"

    def american(rows: list[dict[str, str]]) -> Fraction:
        return total(where(rows, supplier="United States"), volume) / total(rows, volume)

    def built(rows: list[dict[str, str]]) -> Fraction:
        return total(rows, local) / total(rows, volume)

    years = [int(row["year"]) for row in every if Fraction(row[volume])]
    recent, before = between(every, 2000, 2023), between(every, 1950, 1999)
    defenses, sensors = (where(every, category=name) for name in ("Air defence systems", "Sensors"))
    licensed = {int(row["year"]) for row in where(every, supplier="United States") if Fraction(row[local])}
    decades = {start: between(sensors, start, start + 9) for start in range(1950, 2020, 10)}
    by_decade = {start: total(rows, volume) for start, rows in decades.items()}
    peak = max(by_decade, key=by_decade.__getitem__)
    others = [amount for start, amount in by_decade.items() if start != peak and start >= min(years)]
    lengths = {start: start + 10 - max(start, min(years)) for start in decades}
    earlier = [amount / lengths[start] for start, amount in by_decade.items() if start < peak]
    return {
        "first": str(min(years)),
        "last": str(max(years)),
        "american": american(every),
        "american_least": Fraction(
            floor(100 * min(american(between(every, d, d + 9)) for d in range(1950, 2030, 10))), 100
        ),
        "american_defenses": american(defenses),
        "american_missiles": american(where(every, category="Missiles")),
        "american_sensors": american(sensors),
        "built": built(every),
        "built_1960s": built(between(every, 1960, 1969)),
        "built_2020s": built(between(every, 2020, 2023)),
        "built_recent": built(recent),
        "built_before": built(before),
        "built_aircraft": built(where(recent, category="Aircraft")),
        "built_defenses": built(between(defenses, 2000, 2023)),
        "licensed_years": len(licensed),
        "licensed_first": str(min(licensed)),
        "licensed_last": str(max(licensed)),
        "sensors_peak": f"{peak}s",
        "sensors_most": by_decade[peak],
        "sensors_most_yearly": by_decade[peak] / 10,
        "sensors_least_other": min(others),
        "sensors_most_other": max(others),
        "sensors_least_earlier": min(earlier),
        "sensors_most_earlier": max(earlier),
        "sensors_built": built(sensors),
        "sensors_built_most": max(map(built, decades.values())),
        **{f"sensors_built_{start}s": built(rows) for start, rows in decades.items()},
    }


def sensors(tables: Tables) -> dict[str, Number]:
    """The open register of sensors, and those of them that are fielded or ordered."""
    every = tables["eoir_sensors"]
    core = where(every, tier="core")
    known, unknown = [row for row in core if row["manufacturer"]], where(core, manufacturer="")
    contracted = [row for row in core if row["prime_contractor"]]
    top = Counter(row["manufacturer"] for row in known).most_common(3)
    air, sea, land = (where(core, platform_type=kind) for kind in ("air", "sea", "land"))
    japanese, american = (where(core, manufacturer_country=name) for name in ("Japan", "United States"))
    seen = [row for row in american if row in sea or row["platform"].startswith(("F-2 ", "F-35"))]
    mode, recent, maritime = (
        Counter(row["production_mode"] for row in core),
        between(core, 2020, 2026, "start_year"),
        where(core, service="MSDF"),
    )
    vehicles = [row for row in where(land, service="GSDF") if not re.search("SAM|missile", row["platform"])]
    own = where(core, platform="OH-1 observation helicopter") + vehicles
    own_maker = Counter(row["manufacturer"] for row in own if row["manufacturer"])
    image = "imaging|camera|FLIR|thermal|TV|night|goggles|sight|periscope|mast|turret|reconnaissance|aperture|IRST"
    words = [(row["sensor_type"], row["platform_type"]) for row in every]
    images = [kind for kind, _ in words if re.search(image, kind)]
    points = [(kind, on) for kind, on in words if re.search("missile warning|countermeasure|IRST", kind)]
    warning = [(kind, on) for kind, on in points if kind not in images]
    lasers = [kind for kind, _ in words if re.search("rangefinder|designator", kind) and kind not in images]
    uncrewed = [row for row in every if re.search("RQ-4|MQ-9|ScanEagle|[Uu]nmanned", row["platform"])]
    payees = Counter(row["prime_contractor"].split(" (")[0] for row in contracted)
    builders = Counter(
        name.split(" (")[0] for row in core if row["platform_prime"] for name in row["platform_prime"].split(" / ")
    )
    return {
        "every": len(every),
        "core": len(core),
        "leader": top[0][0],
        "leader_makes": top[0][1],
        "known": len(known),
        "unknown": len(unknown),
        "unknown_contractor_too": len(where(unknown, prime_contractor="")),
        "top": listed(name for name, _ in top),
        "top_makes": sum(count for _, count in top),
        "japanese": len(japanese),
        "japanese_known": len([row for row in japanese if row["manufacturer"]]),
        "japanese_licensed": len(where(japanese, production_mode="licensed production")),
        "japanese_own": len(where(japanese, production_mode="indigenous")),
        "one_publisher": len(where(core, n_publishers="1")),
        "official": len(where(core, best_source_grade="A")),
        "contracted": len(contracted),
        "mitsubishi_corporation": str(len(where(contracted, prime_contractor="Mitsubishi Corporation"))),
        "american": len(american),
        "american_seen": len(seen),
        "american_aiming": len([row for row in american if re.search("target|fire control", row["sensor_type"])]),
        "own": mode["indigenous"],
        "imported": mode["import"],
        "licensed": mode["licensed production"],
        "mode_stated": len(where(core, production_mode_basis="stated")),
        "recent": len(recent),
        "recent_own": len(where(recent, production_mode="indigenous")),
        "recent_sea": len(where(recent, platform_type="sea")),
        "air": len(air),
        "sea": len(sea),
        "land": len(land),
        "flying": "More than half" if 2 * len(air) > len(core) else "Not more than half",
        "maritime": len(maritime),
        "maritime_sea": len(where(maritime, platform_type="sea")),
        "maritime_air": len(where(maritime, platform_type="air")),
        "air_known": len([row for row in air if row["manufacturer"]]),
        "air_japanese": len([row for row in where(air, manufacturer_country="Japan") if row["manufacturer"]]),
        "home": len(own),
        "home_own": len(where(own, production_mode="indigenous")),
        "home_known": own_maker.total(),
        "home_maker": own_maker.most_common(1)[0][0],
        "home_makes": own_maker.most_common(1)[0][1],
        "image": len(images) - len(points) + len(warning),
        "warning": len(warning),
        "warning_on": "aircraft" if {on for _, on in warning} == {"air"} else "several platforms",
        "warning_ultraviolet": len([kind for kind, _ in warning if "UV" in kind]),
        "image_and_warning": len(points) - len(warning),
        "unsaid": len(every) - len(images) - len(warning) - len(lasers),
        "carried": len(where(every, tier="soldier")),
        "uncrewed": len(uncrewed),
        "uncrewed_imported": len(where(uncrewed, production_mode="import", manufacturer_country="United States")),
        "mhi_by_contract": place(payees, MHI),
        "level_by_contract": listed(level_with(payees, MHI)),
        "mhi_by_builder": place(builders, MHI),
        "level_by_builder": listed(level_with(builders, MHI)),
    }


def payments(tables: Tables) -> dict[str, Number]:
    """Payments for sensors that are fielded or ordered, in billion yen."""
    core = {row["sensor_id"]: row for row in where(tables["eoir_sensors"], tier="core")}
    paid = [row | core[row["sensor_id"]] for row in tables["eoir_payments"] if row["sensor_id"] in core]
    without_f35 = [row for row in paid if "F-35" not in row["platform"]]
    crewed = [row for row in without_f35 if not re.search("UAV|unmanned", row["platform"])]
    single = [row for row in paid if row["bundled"] == "False" or row["bundled_doubtful"] == "True"]
    kinds = ("manufacturer", "prime_contractor", "platform_prime")
    readings: list[Mapping[str, Fraction | int]] = [
        *(
            Counter(name.split(" (")[0] for row in core.values() for name in row[kind].split(" / ") if name)
            for kind in kinds
        ),
        Counter(row["payee_group"].split(" (")[0] for row in paid),
        *(sums(rows, "payee_group", "amount_mjpy") for rows in (paid, single, without_f35, crewed)),
    ]
    leader, without = (max(amounts, key=amounts.__getitem__) for amounts in (readings[4], readings[6]))

    def at_sea(rows: list[dict[str, str]]) -> list[tuple[Fraction, Fraction]]:
        """Payments at sea in the first five years and in the six after, and their shares of all."""
        halves = [between(rows, *years, "fiscal_year") for years in ((2014, 2018), (2019, 2024))]
        sums_at_sea = [total(where(half, platform_type="sea"), "amount_mjpy") for half in halves]
        return [(amount, amount / total(half, "amount_mjpy")) for amount, half in zip(sums_at_sea, halves, strict=True)]

    early, late = at_sea(paid)
    drones = where(paid, sensor_id="AIR-SCANEAGLE")
    bought = [row for row in drones if re.search("購入|取得|乙類", row["project_ja"])]  # buy, acquire, equipment
    years = sorted({row["fiscal_year"] for row in bought})
    return {
        "leader": leader,
        "leader_without_f35": without,
        "readings": len(readings),
        "readings_led": sum(place(amounts, leader) == 1 for amounts in readings),
        "sea_early": early[0] / 5 / 1000,
        "sea_late": late[0] / 6 / 1000,
        "sea_rise": (late[0] / 6) / (early[0] / 5) - 1,
        "sea_share_early": early[1],
        "sea_share_late": late[1],
        "sea_share_early_crewed": at_sea(crewed)[0][1],
        "sea_share_late_crewed": at_sea(crewed)[1][1],
        "drones_years": len(years),
        "drones_first": years[0],
        "drones_last": years[-1],
        "drones": total(bought, "amount_mjpy") / 1000,
        "drones_before": total(between(bought, 2018, 2023, "fiscal_year"), "amount_mjpy") / 1000,
    }


def events(tables: Tables) -> dict[str, Number]:
    """Dates of events, by the source that the book uses, and spans between them."""
    used = sorted(where(tables["policy_timeline"], used="True"), key=lambda row: row["date"])
    dates = {row["event_id"].replace("-", "_"): row["date"] for row in used}

    def months(first: str, last: str) -> Fraction:
        """Months from one date to another; a day counts a thirtieth."""
        (a, b, c), (d, e, f) = ((*map(int, dates[name].split("-")), 1, 1)[:3] for name in (first, last))
        return (d - a) * 12 + e - b + Fraction(f - c, 30)

    launch = int(dates["replicator_2023"][:4]) * 12 + int(dates["replicator_2023"][5:7]) - 1
    ends = [f"{month // 12}-{month % 12 + 1:02}" for month in (launch + 18, launch + 24)]
    return {
        **dates,
        "years_of_limits": floor(months("export_limit_1976", "transfer_principles_2014") / 12),
        "years_of_ceiling": int(dates["one_percent_ceiling_ends_1986"][:4])
        - int(dates["one_percent_ceiling_1976"][:4]),
        "exceptions": listed(dates[name][:4] for name in ("technology_exception_1983", "export_guidelines_2011")),
        "months_to_sale": months("nss_2022", "pac3_contract_2024"),
        "window_opens": ends[0],
        "window_closes": ends[1],
        "drones_months": months("cca_selection_2024", "cca_production_2026"),
    }


def programs(tables: Tables) -> dict[str, Number]:
    """What sources say of the programs; the first amount of a statement is the one that the book quotes."""
    used = where(tables["programs"], used="True")

    def item(program: str, attribute: str, number: str = "1") -> dict[str, str]:
        return where(used, program=program, attribute=attribute, item_no=number)[0]

    american, japanese = amounts_in(item("SM-3 Block IIA", "cost")["value"])
    makers = where(used, program=("CCA", "Replicator"), attribute="lead contractors")
    return {
        "interceptor_share": japanese / (american + japanese),
        "interceptor_late": item("GPI", "status", "2")["as_of"],
        "interceptor_target": item("GPI", "target")["value"].split(" the ")[-1],
        "makers": len(makers) if all("(United States)" in row["value"] for row in makers) else 0,
        "interceptor_year": item("SM-3 Block IIA", "cost")["as_of"],
        "drones_planned": amounts_in(item("CCA", "quantity")["value"])[0],
        "fighter_in_service": str(amounts_in(item("GCAP", "target")["value"])[0]),
        "fighter_said": item("GCAP", "target")["as_of"],
        "fighter_contract": amounts_in(item("GCAP", "cost", "2")["value"])[0],
    }


def trade(tables: Tables) -> dict[str, Number]:
    """U.S. trade in electro-optical goods, in dollars."""
    codes = where(tables["eo_codes"], definition_a="True")
    value = {f"{row['partner']} {row['definition']}": Fraction(row["value_usd"]) for row in tables["eo_trade"]}
    japans = [value[f"Japan {name}"] / value[f"World {name}"] for name in "ABCD"]
    codes_of_groups = {"854089", "854149", "901110", "901120", "901510", "901540", "903141"}
    whole = where(tables["subheading_trade"], months="12")
    wafers = where(whole, hs6="903141")
    sold = where(wafers, reporter="United States", partner="World", flow="export", year="2024")
    ratios = {}
    for country in ("Japan", "United States"):
        rows = where(wafers, reporter=country, partner="World", source_id="comtrade-classic")
        for name, first in (("ratio", 2020), ("ratio_five", 2016)):
            years = between(rows, first, 2020)
            exports, imports = (total(where(years, flow=flow), "value_usd") for flow in ("export", "import"))
            ratios[f"{name}_{country.split()[-1].lower()}"] = exports / imports
    american, japanese = (
        series(where(wafers, reporter=reporter, partner=partner, flow=flow), "value_usd")
        for reporter, partner, flow in (("United States", "Japan", "export"), ("Japan", "United States", "import"))
    )
    gaps = [japanese[year] / american[year] - 1 for year in japanese]
    mirrored_imports = where(
        wafers, reporter="United States", partner="Japan", flow="import", source_id="comtrade-legacy"
    )
    chips = where(whole, reporter="United States", partner="Japan", hs6="854149", year="2024")
    chips_sold, chips_bought = (total(where(chips, flow=flow), "value_usd") for flow in ("export", "import"))
    bought = where(whole, reporter="United States", partner="Japan", year="2024", source_id="usa-trade-online")
    bought = where(bought, hs6=tuple(codes_of_groups))
    rates = series(where(tables["exchange_rates"], country="Japan", frequency="annual"), "currency_per_usd", "period")
    customs = where(tables["japan_customs_trade"], partner="United States", scope=("same", "near"))

    def mirrored(year: int, rows: list[dict[str, str]]) -> Fraction:
        """U.S. exports of a year as Japan's customs count them, in million dollars."""
        return total(where(rows, year=str(year)), "value_thousand_yen") / 1000 / rates[year]

    inspected = where(customs, hs9="903141000")
    seen, wafers_seen = ({year: mirrored(year, rows) for year in (2007, 2009, 2020)} for rows in (customs, inspected))
    monthly = where(tables["hs_chapter_trade"], preferred="True")

    def dollars(flow: str, chapter: str, partner: str = "Japan", year: str = "2025") -> Fraction:
        """The trade of a whole year; zero where a month is missing."""
        rows = where(monthly, flow=flow, hs_chapter=chapter, partner=partner)
        rows = [row for row in rows if row["month"].startswith(year)]
        return total(rows, "value_usd") if len(rows) == 12 else Fraction(0)

    def shares(flow: str) -> list[tuple[str, Fraction]]:
        """Japan's share of trade in chapter 90, in whole years."""
        years = sorted({row["month"][:4] for row in monthly})
        world = {year: dollars(flow, "90", "World", year) for year in years}
        return [(year, dollars(flow, "90", year=year) / amount) for year, amount in world.items() if amount]

    exported, imported = shares("export"), shares("import")
    return {
        "codes": len(codes),
        "codes_both": len(where(codes, csis_flow=("Both", "Import"))),
        "codes_late": len(where(codes, first_year="1996")),
        "codes_85": len([row for row in codes if row["hts10"].startswith("85")]),
        "share_a": japans[0],
        "share_least": min(japans),
        "imports_a": value["Japan A"] / 10**6,
        "imports_b": value["Japan B"] / 10**6,
        "wafers": total(sold, "value_usd") / 10**9,
        **ratios,
        "gap_least": min(gaps),
        "gap_most": max(gaps),
        "open_year": listed(sorted({row["year"] for row in tables["eo_trade"]})),
        "open_in_part_first": min(row["year"] for row in mirrored_imports),
        "open_in_part_last": max(row["year"] for row in mirrored_imports),
        "chips_ratio": chips_sold / chips_bought,
        "chips_of_bought": chips_bought / total(bought, "value_usd"),
        **{f"seen_{year}": amount for year, amount in seen.items()},
        "wafers_of_sold": wafers_seen[2020] / seen[2020],
        "wafers_of_fall": (wafers_seen[2007] - wafers_seen[2009]) / (seen[2007] - seen[2009]),
        "exports_90": dollars("export", "90") / 10**9,
        "imports_90": dollars("import", "90") / 10**9,
        "ratio_90": dollars("export", "90") / dollars("import", "90"),
        "ratio_85": dollars("export", "85") / dollars("import", "85"),
        "export_year": exported[-1][0],
        "export_share": exported[-1][1],
        "import_year": imported[-1][0],
        "import_share": imported[-1][1],
        "import_year_first": imported[0][0],
        "import_share_first": imported[0][1],
    }


def drones_at_customs(tables: Tables) -> dict[str, Number]:
    """Trade in uncrewed aircraft as customs count it."""
    american, japanese = (where(tables["drone_trade"], reporter=name) for name in ("United States", "Japan"))
    by_origin = sums((row for row in american if row["partner"] != "World"), "partner", "value")
    whole = sum(by_origin.values())
    press = where(tables["drone_figures_reported"], what="U.S. imports of civilian drones from China")
    reported = {row["period"]: Fraction(row["value"]) for row in press}
    months = sorted({row["period"] for row in japanese})
    bought, sold = (total(where(japanese, flow=flow), "value") for flow in ("import", "export"))
    return {
        "year": american[0]["period"],
        "china": by_origin["China"] / whole,
        "malaysia": by_origin["Malaysia"] / whole,
        "china_million": by_origin["China"] / 10**6,
        "china_press_2023": reported["2023-01..2023-11"],
        "china_press_2024": reported["2024-01..2024-11"],
        "months": len(months),
        "months_of": months[0][:4],
        "bought": bought / 10**6,
        "sold": sold / 10**6,
    }


def fighters(tables: Tables) -> dict[str, Number]:
    """F-35 aircraft ordered from the United States and delivered, by state of SIPRI's database."""
    every = tables["fighter_orders"]
    states = sorted({row["vintage"] for row in every})
    closest, newest_state = max(state for state in states if state < "2024-08"), states[-1]
    delivered = {state: sums(where(every, vintage=state), "recipient", "delivered") for state in states}
    listing = sorted({row["vintage"] for row in where(every, open_orders="True")})
    ordered = {state: sums(where(every, vintage=state), "recipient", "ordered") for state in listing}
    since = {state: place(delivered[state], "Japan") for state in states if state >= closest}
    turns = [state for before, state in pairwise(since) if since[before] != since[state]]
    last, held = ordered[newest_state], {amounts["Japan"] for amounts in ordered.values()}
    return {
        "ordered": last["Japan"],
        "ordered_where": "every SIPRI register that lists open orders" if len(held) == 1 else "none",
        "ordered_place": place(last, "Japan"),
        "ordered_first": ordered[listing[0]]["Japan"],
        "ordered_place_first": place(ordered[listing[0]], "Japan"),
        "first": listing[0],
        "closest": closest,
        "delivered_places": listed(
            f"{PLACES[since[state] - 1]} in {write(state, 'month')}" for state in (closest, *turns)
        ),
        "delivered_tied": "each time"
        if all(level_with(delivered[state], "Japan") for state in since)
        else "not always",
        "delivered_place_closest": since[closest],
        "delivered_level_closest": listed(level_with(delivered[closest], "Japan")),
        "delivered_place": since[newest_state],
        "delivered_level": listed(level_with(delivered[newest_state], "Japan")),
        "most_ordered": max(last, key=last.__getitem__),
        "most_delivered": max(delivered[newest_state], key=delivered[newest_state].__getitem__),
    }


def book(tables: Tables) -> dict[str, Number]:
    """The book itself: its tables, without the three that measure it, and how long it runs."""
    shown = {name: rows for name, rows in tables.items() if name not in ("build_times", "growth", "run_times")}
    chapters = tables["run_times"]
    cold = where(tables["build_times"], what="cold build")[0]
    return {
        "tables": len(shown),
        "rows": sum(map(len, shown.values())),
        "chapters": len(chapters),
        "cells": int(total(chapters, "code_cells")),
        "measured": chapters[0]["measured_on"],
        "seconds": total(chapters, "seconds"),
        "slowest": max(Fraction(row["seconds"]) for row in chapters),
        "cold": Fraction(cold["seconds_median"]),
        "cold_ratio": Fraction(cold["ratio"]),
    }


PARTS: list[Callable[[Tables], dict[str, Number]]] = [
    *(drones, weapons, groups, plan, spending, companies, imports),
    *(sensors, payments, events, programs, trade, drones_at_customs, fighters, book),
]
