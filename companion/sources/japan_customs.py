"""Read Japan's trade by principal commodity and area, compiled from Japan Customs statistics on e-Stat."""

import pandas as pd

from companion.sources.upstream import SourceError, SourceFile, read_rows

COLUMNS = ["ex_im", "area", "goods", "year", "value_billion_yen"]
# Principal commodities that hold electro-optical goods; all others are left out.
COMMODITIES = {
    "Scientific, Optical Inst": "scientific and optical instruments",
    "Semiconductors Etc": "semiconductors etc.",
}
PARTNERS = {"USA": "USA", "Grand Total": "World"}
BASES = {"export": "FOB", "import": "CIF"}


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file is Japan's trade by principal commodity, by its column names."""
    return file.head.startswith(",".join(COLUMNS))


def read(file: SourceFile) -> pd.DataFrame:
    """Read the trade in the commodities that hold electro-optical goods.

    Returns:
        One row per Japan's export or import, partner, commodity and calendar year, in billion yen at current prices.

    Raises:
        SourceError: a cell has no possible value, or a commodity is missing.
    """
    rows = [
        {
            "flow": (flow := row.choice("ex_im", BASES)),
            "partner": PARTNERS[row.choice("area", PARTNERS)],
            "commodity": COMMODITIES[row.required("goods")],
            "year": row.year("year"),
            "valuation_basis": BASES[flow],
            "value_billion_yen": row.number("value_billion_yen"),
        }
        for row in read_rows(file, COLUMNS)
        if row.text("goods") in COMMODITIES
    ]
    found = {row["commodity"] for row in rows}
    for published, commodity in COMMODITIES.items():
        if commodity not in found:
            raise SourceError(
                f"{file.name}: no row for {published!r} in column 'goods'. If Japan Customs has renamed the commodity, "
                "give its new name in COMMODITIES of companion/sources/japan_customs.py."
            )
    return pd.DataFrame(rows).sort_values(["flow", "partner", "commodity", "year"], ignore_index=True)
