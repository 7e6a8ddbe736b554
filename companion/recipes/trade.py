"""Tables on trade in electro-optical goods and the product groups around them."""

import pandas as pd

from companion.recipes.built import Built, only_one
from companion.sources import SourceFile, census_hs2, csis_codes, japan_customs


def eo_codes(files: list[SourceFile]) -> Built | None:
    """The HTS codes of electro-optical goods and the definitions that they belong to."""
    codes = _codes(files)
    return None if codes is None else Built(codes.drop(columns=[*csis_codes.IMPORTS.values()]))


def eo_trade(files: list[SourceFile]) -> Built | None:
    """U.S. trade in electro-optical goods by definition: the sums of the codes that have a value."""
    codes = _codes(files)
    if codes is None:
        return None
    imported = codes[codes["csis_flow"] != "Export"]
    sums = []
    for partner, column in csis_codes.IMPORTS.items():
        for definition in csis_codes.DEFINITIONS:
            values = imported.loc[imported[definition], column].dropna()
            if values.empty:  # codes without a value give no sum, and no zero either
                continue
            sums.append(
                {
                    "flow": "import",
                    "partner": partner,
                    "year": csis_codes.IMPORTS_YEAR,
                    "definition": definition[-1].upper(),
                    "valuation_basis": "imports for consumption, customs value",
                    "n_codes_with_trade": len(values),
                    "value_usd": values.sum(),
                }
            )
    return Built(pd.DataFrame(sums))


def hs_chapter_trade(files: list[SourceFile]) -> Built | None:
    """Monthly U.S. trade by HS chapter, from the four files that together cover it."""
    found = [only_one(files, report.recognizes, f"HS chapters ({report.source_id})") for report in census_hs2.REPORTS]
    whole = [file for file in found if file]
    if len(whole) < len(found):  # a part of the files would cut the table
        return None
    rows = pd.concat([census_hs2.read(file) for file in whole])
    rows.insert(rows.columns.get_loc("value_usd"), "preferred", ~rows.duplicated(census_hs2.KEY, keep="last"))
    return Built(rows.sort_values([*census_hs2.KEY, "source_id"], ignore_index=True))


def optical_instruments_trade(files: list[SourceFile]) -> Built | None:
    """Japan's trade in the commodity groups that hold electro-optical goods."""
    record = only_one(files, japan_customs.recognizes, "Japan's trade by principal commodity")
    return Built(japan_customs.read(record)) if record else None


def _codes(files: list[SourceFile]) -> pd.DataFrame | None:
    record = only_one(files, csis_codes.recognizes, "electro-optical HTS codes")
    return csis_codes.read(record) if record else None
