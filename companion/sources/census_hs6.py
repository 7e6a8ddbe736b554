"""Read monthly U.S. trade by six-digit code, copied row by row from answers of the Census trade API."""

import re

import pandas as pd

from companion.sources.census_hs2 import dollars
from companion.sources.comtrade import COLUMNS
from companion.sources.hs10 import CONSUMPTION, EXPORTS
from companion.sources.upstream import Row, SourceError, SourceFile, read_rows

MONTH, FLOW, CODE, COUNTRY = "year_month", "flow", "hs6", "cty_code"
# A flow, the column of its values, and their basis; general imports stand beside imports for consumption.
FLOWS = {"exports": ("export", "ALL_VAL_MO", EXPORTS), "imports": ("import", "CON_VAL_MO", CONSUMPTION)}
PARTNERS = {"5880": "Japan", "-": "World"}
SOURCE_ID = "census"


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is such a copy, by its column names."""
    return file.head.startswith(f"{MONTH},{FLOW},{CODE},")


def read(file: SourceFile) -> pd.DataFrame:
    """Read the trade with Japan and the world.

    Returns:
        One row per partner, flow, month and six-digit code, columns as in `comtrade.COLUMNS`, in current U.S. dollars:
        total exports, which contain re-exports, at FAS value, and imports for consumption at customs value. The answers
        do not name the edition of the HS ("HS").

    Raises:
        SourceError: a cell has no possible value, a country is unknown, or a figure stands there twice.
    """
    records, seen = [], set[tuple[str, ...]]()
    for row in read_rows(file, [MONTH, FLOW, CODE, COUNTRY, *(column for _, column, _ in FLOWS.values())]):
        flow, column, basis = FLOWS[row.choice(FLOW, FLOWS)]
        partner, code, period = PARTNERS[row.choice(COUNTRY, PARTNERS)], _code(row), _month(row)
        value = dollars(row, column)
        if value is None:
            raise row.wrong(column, "the cell is empty")
        if (partner, flow, period, code) in seen:
            raise row.wrong(CODE, f"the {flow}s of {code}, {partner}, {period} stand there twice")
        seen.add((partner, flow, period, code))
        records.append(
            ("United States", partner, flow, period, code, SOURCE_ID, int(period[:4]), "HS", basis, 1, value)
        )
    if not records:
        raise SourceError(f"{file.name}: there are no rows below the header. Download the file again.")
    return pd.DataFrame(records, columns=COLUMNS).astype({"year": int, "months": int, "value_usd": float})


def _code(row: Row) -> str:
    code = row.required(CODE)
    if not re.fullmatch(r"[0-9]{6}", code):
        raise row.wrong(CODE, f"{code!r} is not a code of six digits")
    return code


def _month(row: Row) -> str:
    found = re.fullmatch(r"((?:19|20)[0-9]{2})-(0[1-9]|1[0-2])", row.required(MONTH))
    if not found:
        raise row.wrong(MONTH, f"{row.text(MONTH)!r} is not a month such as '2024-01'")
    return found[1] + found[2]
