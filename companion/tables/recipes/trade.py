"""Tables on trade in electro-optical goods and the product groups around them."""

from types import ModuleType

import pandas as pd

from companion.sources import (
    SourceError,
    SourceFile,
    census_hs2,
    csis_codes,
    dataweb,
    hs10,
    japan_customs,
    usa_trade_online,
)
from companion.tables import load
from companion.tables.recipes.built import Built, OlderStateError, only_one, same_rows

# A source of trade by ten-digit code, and the reader of its files.
READERS: dict[str, ModuleType] = {"census": hs10, "dataweb": dataweb, "usa-trade-online": usa_trade_online}
SOURCES = {
    "census": ("U.S. Census Bureau, International Trade API", "https://api.census.gov/data/timeseries/intltrade.html"),
    "dataweb": ("USITC DataWeb", "https://dataweb.usitc.gov/"),
    "usa-trade-online": ("USA Trade Online, U.S. Census Bureau", "https://usatrade.census.gov/"),
}
CARRIER = "https://github.com/redzone67/g/blob/42f5a141a1149428d729cd91f666543a80e69816"
# The record of codes carries the imports of one year from these two reports.
OF_RECORD = "usa-trade-online-2024"
RECORD_SOURCES = [
    {
        "title": (
            f"USA Trade Online, Standard Report - Imports, 2024, {partner}; U.S. Census Bureau, carried by redzone67/g"
        ),
        "path": f"{CARRIER}/{name}",
        "version": "2025-04-03",
        "vintage": OF_RECORD,
    }
    for partner, name in [("world", "Imports_1.xlsx"), ("Japan", "Imports_4.xlsx")]
]
# A code that CSIS lists for one flow does not count in the other.
OTHER_FLOW = {"export": "Import", "import": "Export"}


def eo_codes(files: list[SourceFile]) -> Built | None:
    """The HTS codes of electro-optical goods and the definitions that they belong to."""
    codes = _codes(files)
    if codes is None:
        return None
    return Built(
        codes.drop(columns=[*csis_codes.IMPORTS.values()]), [file for file in files if csis_codes.recognizes(file)]
    )


def eo_trade(files: list[SourceFile]) -> Built | None:
    """U.S. trade in electro-optical goods by definition, from every file of trade by ten-digit code in the folder.

    The definitions come from the record of codes in the folder, otherwise from the table `eo_codes`.

    Returns:
        One row per flow, partner, year, definition, basis and source: the sum of the codes that were traded, in current
        U.S. dollars. `months` is the number of months of the year that the source covers.

    Raises:
        SourceError: two files of one source disagree, or a file cannot be read.
    """
    codes = _codes(files)
    parts = [] if codes is None else [_imports_of_the_record(codes)]
    definitions = load("eo_codes") if codes is None else codes
    for source_id, reader in READERS.items():
        found = [
            reader.read(file, definitions["hts10"]).assign(source_id=source_id, file=file.name)
            for file in files
            if reader.recognizes(file)
        ]
        if found:
            parts.append(_joined(pd.concat(found)))
    by_code = pd.concat(parts) if parts else pd.DataFrame()
    if by_code.empty:
        return None
    keys = ["flow", "partner", "year", "valuation_basis", "source_id", "months"]
    sums = []
    for definition in csis_codes.DEFINITIONS:
        for flow, other_flow in OTHER_FLOW.items():
            chosen = definitions.loc[definitions[definition] & (definitions["csis_flow"] != other_flow), "hts10"]
            traded = by_code[(by_code["flow"] == flow) & by_code["hts10"].isin(chosen)]
            values = traded.groupby(keys, as_index=False)["value_usd"].agg(["size", "sum"])
            sums.append(values.assign(definition=definition[-1].upper()))
    table = pd.concat(sums).rename(columns={"size": "n_codes_with_trade", "sum": "value_usd"})
    order = ["flow", "partner", "year", "definition", "valuation_basis", "source_id"]
    table = table[[*order, "months", "n_codes_with_trade", "value_usd"]].sort_values(order, ignore_index=True)
    sources = [] if codes is None else RECORD_SOURCES
    for source_id in sorted(set(table["source_id"]) & set(SOURCES)):
        title, path = SOURCES[source_id]
        years = table.loc[table["source_id"] == source_id, "year"]
        version = f"years {years.min()} to {years.max()}"
        sources = [*sources, {"title": title, "path": path, "version": version, "vintage": source_id}]
    readers = [csis_codes, *READERS.values()]
    used = [file for file in files if any(reader.recognizes(file) for reader in readers)]
    return Built(table, used, sources, "source_id", same_rows(table, order))


def hs_chapter_trade(files: list[SourceFile]) -> Built | None:
    """Monthly U.S. trade by HS chapter, from the four files that together cover it."""
    found = [only_one(files, report.recognizes, f"HS chapters ({report.source_id})") for report in census_hs2.REPORTS]
    parts = [census_hs2.read(file) for file in found if file]
    if not parts:
        return None
    if len(parts) < len(found):
        raise OlderStateError(
            f"it needs {len(found)} files of the Census Bureau and DataWeb, and {len(parts)} are here"
        )
    rows = pd.concat(parts)
    rows.insert(rows.columns.get_loc("value_usd"), "preferred", ~rows.duplicated(census_hs2.KEY, keep="last"))
    return Built(rows.sort_values([*census_hs2.KEY, "source_id"], ignore_index=True), [file for file in found if file])


def optical_instruments_trade(files: list[SourceFile]) -> Built | None:
    """Japan's trade in the commodity groups that hold electro-optical goods."""
    record = only_one(files, japan_customs.recognizes, "Japan's trade by principal commodity")
    return Built(japan_customs.read(record), [record]) if record else None


def _codes(files: list[SourceFile]) -> pd.DataFrame | None:
    record = only_one(files, csis_codes.recognizes, "electro-optical HTS codes")
    return csis_codes.read(record) if record else None


def _imports_of_the_record(codes: pd.DataFrame) -> pd.DataFrame:
    """The imports that the record of codes carries, in the form of trade by ten-digit code."""
    parts = [
        pd.DataFrame({"hts10": codes["hts10"], "value_usd": codes[column]})
        .dropna()  # a code without a value gives no sum, and no zero either
        .assign(partner=partner)
        for partner, column in csis_codes.IMPORTS.items()
    ]
    return pd.concat(parts).assign(
        flow="import",
        year=csis_codes.IMPORTS_YEAR,
        valuation_basis=hs10.CONSUMPTION,
        months=12,
        source_id=OF_RECORD,
    )


def _joined(rows: pd.DataFrame) -> pd.DataFrame:
    """The trade of several files of one source; the same figure may stand in two of them, but only one value."""
    keys = [column for column in hs10.COLUMNS if column != "value_usd"]
    rows = rows.drop_duplicates([*keys, "value_usd"]).sort_values(keys)
    twice = rows[rows.duplicated(keys[:-1], keep=False)]
    if len(twice):
        one, other = twice.iloc[0], twice.iloc[1]
        raise SourceError(
            f"{one['file']} and {other['file']} differ on the {one['flow']}s of code {one['hts10']}, {one['partner']}, "
            f"{one['year']}. Leave the newer file in the folder."
        )
    return rows
