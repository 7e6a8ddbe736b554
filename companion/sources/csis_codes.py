"""Read the record of electro-optical HTS codes: CSIS's classification, four definitions, and imports of 2024."""

import re

import pandas as pd

from companion.sources.census_hs2 import dollars
from companion.sources.upstream import Row, SourceFile, read_rows

DEFINITIONS = {  # definition: its column in the record
    "definition_a": "def_A_strict_sensors",
    "definition_b": "def_B_sensors_hs6_closed",
    "definition_c": "def_C_all_EO_dual",
    "definition_d": "def_D_ATP03_current",
}
YEARS = {"first_year": "concordance_minyear", "last_year": "concordance_maxyear"}
IMPORTS_YEAR = 2024
IMPORTS = {"Japan": "imports_2024_japan_usd", "World": "imports_2024_world_usd"}


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is the record of codes, by its column names."""
    return file.head.startswith("hts10,description,csis_flow,")


def read(file: SourceFile) -> pd.DataFrame:
    """Read the codes with their definitions.

    Returns:
        One row per ten-digit HTS code, dots as CSIS writes them. Imports are in current U.S. dollars, imports for
        consumption at customs value; an empty value is a code without trade or not in force, never zero.

    Raises:
        SourceError: a code, flag, year or value has no known form, or a code stands there twice.
    """
    columns = ["hts10", "description", "csis_flow", "csis_tier", "csis_armsdual", "code_in_usatrade_import_list"]
    found: set[str] = set()
    rows = [
        {
            "hts10": _code(row, found),
            "description": row.required("description"),
            "csis_flow": row.choice("csis_flow", ["Both", "Export", "Import"]),
            "tier": row.text("csis_tier"),
            "arms_dual": row.text("csis_armsdual"),
            **{name: row.choice(column, "01") == "1" for name, column in DEFINITIONS.items()},
            **{name: row.year(column) if row.text(column) else None for name, column in YEARS.items()},
            "on_import_list": row.choice("code_in_usatrade_import_list", ["no", "yes"]) == "yes",
            **{column: dollars(row, column) for column in IMPORTS.values()},
        }
        for row in read_rows(file, [*columns, *DEFINITIONS.values(), *YEARS.values(), *IMPORTS.values()])
    ]
    whole = dict.fromkeys([*YEARS, *IMPORTS.values()], "Int64")
    return pd.DataFrame(rows).astype(whole).sort_values("hts10", ignore_index=True)


def _code(row: Row, found: set[str]) -> str:
    code = row.required("hts10")
    if not re.fullmatch(r"\d{4}\.\d\d\.\d{4}", code):
        raise row.wrong("hts10", f"{code!r} is not a ten-digit code such as '8541.49.1050'")
    if code in found:
        raise row.wrong("hts10", f"{code!r} stands there twice")
    found.add(code)
    return code
