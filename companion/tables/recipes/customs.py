"""Tables from customs statistics by code: Japan's imports of the report's goods, and trade in drones."""

import re
from dataclasses import dataclass

import pandas as pd

from companion.sources import SourceError, SourceFile, curated, japan_customs_codes, usa_trade_online_cuts
from companion.sources.hs10 import dotted
from companion.tables import load
from companion.tables.recipes.built import Built, only_one, same_rows


@dataclass(frozen=True)
class Group:
    """One of the report's groups of goods, as Japan's nine-digit codes hold it.

    Attributes:
        name: of the group.
        hts10: the codes of the report's basket, definition A, whose goods are in it.
        scope: how the Japanese codes meet them: "same" subheading, "near" (somewhat more goods), or "much wider".
        hs9: Japan's codes, one after the other where they changed.
    """

    name: str
    hts10: tuple[str, ...]
    scope: str
    hs9: tuple[str, ...]


GROUPS = [
    Group("Wafer inspection instruments", ("9031.41.0000",), "same", ("903141000",)),
    Group("Stereoscopic microscopes", ("9011.10.0000",), "same", ("901110000",)),
    Group("Microscopes for photography", ("9011.20.0000",), "same", ("901120000",)),
    Group("Rangefinders", ("9015.10.0000",), "same", ("901510000",)),
    Group("Photogrammetric instruments", ("9015.40.0000",), "same", ("901540000",)),
    Group("Light-sensing tubes", ("8540.89.0060",), "near", ("854089000",)),
    Group("Light-sensing chips", ("8541.40.6050", "8541.40.7080", "8541.40.9500"), "near", ("854140090",)),
    Group(
        "Navigation instruments",
        ("9014.20.2000",),
        "much wider",
        ("901420000", "901420010", "901420011", "901420019", "901420090", "901420091", "901420099"),
    ),
    Group("Surveying instruments", ("9015.80.2000",), "much wider", ("901580000", "901580010", "901580090")),
    Group("Optical measuring instruments", ("9031.49.4000",), "much wider", ("903149000", "903149010", "903149090")),
    # Before the HS of 1996 wafer inspection had no subheading of its own, and much of it stood elsewhere.
    Group("Optical measuring instruments before 1996", (), "forerunner", ("903140000",)),
]
OF_CODE = {code: group for group in GROUPS for code in group.hs9}
# Since the HS of 2022, what 8541.40 had besides light-emitting diodes and solar cells stands in 8541.49.
SUBHEADINGS = {code[:6] for code in OF_CODE} - {"903140"} | {"854149"}
DRONES = re.compile(r"8806(2[12349]|9[12349])\d+")
# Of codes 8806.21 to 8806.29 and 8806.91 to 8806.99, by their last digit; HS 2022.
WEIGHTS = {"1": "to 250 g", "2": "250 g to 7 kg", "3": "7 to 25 kg", "4": "25 to 150 kg", "9": "over 150 kg"}
CONTROLS = {"2": "remote-controlled alone", "9": "other"}


def japan_customs_trade(files: list[SourceFile]) -> Built | None:
    """Japan's imports of the report's goods from the United States and from all countries, by nine-digit code and year.

    Returns:
        One row per partner, code and whole year; "World" is the sum over the countries of the files that have several.

    Raises:
        SourceError: two files disagree, or one cannot be read.
    """
    used = [f for f in files if japan_customs_codes.recognizes(f) and japan_customs_codes.has_countries(f)]
    parts = [(file, japan_customs_codes.read(file, OF_CODE)) for file in used]
    parts = [(file, rows.query("flow == 'import' and months == 12")) for file, rows in parts]
    parts = [(file, rows) for file, rows in parts if len(rows)]
    if not parts:
        return None
    rows = pd.concat([rows.assign(file=file.name, several=rows["country"].nunique() > 1) for file, rows in parts])
    key = ["year", "hs9", "country"]
    figures = rows.sort_values("several", ascending=False).drop_duplicates(
        [*key, "unit", "quantity", "value_thousand_yen"]
    )
    if len(twice := figures[figures.duplicated(key, keep=False)].sort_values(key)):
        one, other = twice.iloc[0], twice.iloc[1]
        raise SourceError(
            f"{one['file']} and {other['file']} differ on code {one['hs9']}, country {one['country']}, {one['year']}. "
            "Leave one state of the figures in the folder."
        )
    whole = figures[figures["several"]].assign(partner="World")
    american = figures[figures["country"] == japan_customs_codes.UNITED_STATES].assign(partner="United States")
    keys = ["partner", "year", "hs9", "valuation_basis", "unit"]
    sums = pd.concat([american, whole]).groupby(keys, as_index=False)
    table = sums.agg(
        countries=("country", "nunique"), quantity=("quantity", "sum"), value_thousand_yen=("value_thousand_yen", "sum")
    )
    groups = table["hs9"].map(OF_CODE)
    table["group"] = groups.map(lambda group: group.name)
    table["scope"] = groups.map(lambda group: group.scope)
    table["hts10"] = groups.map(lambda group: " ".join(group.hts10))
    order = ["partner", "hs9", "year"]
    columns = [*order, "group", "scope", "hts10", "valuation_basis", "countries", "unit", "quantity"]
    table = table[[*columns, "value_thousand_yen"]].sort_values(order, ignore_index=True)
    return Built(table, [file for file, _ in parts], covers=same_rows(table, order))


def eo_code_imports(files: list[SourceFile]) -> Built | None:
    """U.S. imports of a year by ten-digit code, in the codes of the four definitions.

    Returns:
        One row per partner, year and code with imports, in current U.S. dollars.

    Raises:
        SourceError: the file cannot be read, or there are two.
    """
    cut = only_one(files, usa_trade_online_cuts.recognizes, "U.S. imports by ten-digit code")
    if cut is None:
        return None
    codes = load("eo_codes").query("definition_a or definition_b or definition_c or definition_d")["hts10"]
    rows = usa_trade_online_cuts.read(cut)
    rows["hts10"] = rows["hts10"].map(dotted)
    rows = rows[rows["hts10"].isin(codes)].assign(valuation_basis=usa_trade_online_cuts.BASIS)
    key = ["partner", "year", "hts10"]
    table = rows[[*key, "valuation_basis", "value_usd"]].sort_values(key, ignore_index=True)
    return Built(table, [cut], covers=same_rows(table, key))


def drone_trade(files: list[SourceFile]) -> Built | None:
    """Trade in drones, HS 8806: U.S. imports of a year by code and origin, Japan's trade with the world by month.

    Returns:
        One row per reporter, flow, partner, period and code: `value` in the unit of `unit`, and the number of aircraft
        where the statistics tell it. A month without trade has no row.

    Raises:
        SourceError: a file cannot be read, or two give the same figure.
    """
    parts, used = [], []
    for file in files:
        if usa_trade_online_cuts.recognizes_countries(file):
            rows = usa_trade_online_cuts.read_countries(file)
            rows = rows.rename(columns={"hts10": "code", "value_usd": "value"}).assign(
                reporter="United States",
                flow="import",
                period=rows["year"].astype(str),
                valuation_basis=usa_trade_online_cuts.BASIS,
                unit="USD",
                aircraft=None,
            )
        elif japan_customs_codes.recognizes(file) and not japan_customs_codes.has_countries(file):
            rows = japan_customs_codes.read_months(file, _ALL_DRONES)
            rows = rows.rename(columns={"hs9": "code", "value_thousand_yen": "value"}).assign(
                reporter="Japan",
                partner="World",
                period=rows["year"].astype(str) + "-" + rows["month"].map("{:02d}".format),
                unit="thousand JPY",
                aircraft=rows["quantity"].where(rows["unit"] == "NO"),
            )
        else:
            continue
        if len(rows := rows[rows["code"].map(lambda code: bool(DRONES.fullmatch(code)))]):
            parts.append(rows.assign(file=file.name))
            used.append(file)
    if not parts:
        return None
    table = pd.concat(parts)
    key = ["reporter", "flow", "partner", "period", "code"]
    if len(twice := table[table.duplicated(key, keep=False)].sort_values(key)):
        one, other = twice.iloc[0], twice.iloc[1]
        raise SourceError(
            f"{one['file']} and {other['file']} both have the {one['flow']}s of {one['code']}, {one['partner']}, "
            f"{one['period']}. Leave one of them in the folder."
        )
    table["weight"] = table["code"].str[5].map(WEIGHTS)
    table["control"] = table["code"].str[4].map(CONTROLS)
    table["aircraft"] = table["aircraft"].astype("Int64")
    columns = [*key, "weight", "control", "valuation_basis", "unit", "value", "aircraft"]
    table = table[columns].sort_values(key, ignore_index=True)
    return Built(table, used, covers=same_rows(table, key))


# Japan's statistics divide none of the subheadings.
_ALL_DRONES = {f"8806{control}{weight}000" for control in CONTROLS for weight in WEIGHTS}


def drone_figures_reported(files: list[SourceFile]) -> Built | None:
    """Figures on trade in drones that the press and a think tank report, from a record with the address of each.

    Returns:
        One row per figure: a number, and in `qualifier` what stands before it, as "more than".

    Raises:
        SourceError: a value has no number, or a cell is empty.
    """
    record = only_one(files, lambda file: curated.recognizes(file, curated.DRONE_FIGURES), "reported figures on drones")
    return Built(curated.drone_figures(record), [record]) if record else None
