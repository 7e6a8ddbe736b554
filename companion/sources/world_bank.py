"""Read the World Bank's gross domestic product in current U.S. dollars, as the public data set `gdp` carries it."""

import pandas as pd

from companion.sources.upstream import SourceFile, read_rows

COLUMNS = ["Country Name", "Country Code", "Year", "Value"]
COUNTRIES = {
    "AUS": "Australia",
    "CHN": "China",
    "JPN": "Japan",
    "KOR": "South Korea",
    "USA": "United States",
}
# Below every value of these countries since 1960. A file of another indicator has the same columns.
MINIMUM = 1e9


def recognizes(file: SourceFile) -> bool:
    """Tell whether a file has the columns of a World Bank indicator."""
    return file.head.partition("\n")[0].strip() == ",".join(COLUMNS)


def gdp(file: SourceFile) -> pd.DataFrame:
    """Read the gross domestic product of five countries; a year without a value is absent.

    Returns:
        One row per country and year, in current U.S. dollars.

    Raises:
        SourceError: a cell has no possible value, as in a file of another indicator.
    """
    rows = [
        {
            "country": COUNTRIES[row.required("Country Code")],
            "year": row.year("Year"),
            "gdp_current_usd": row.number("Value", minimum=MINIMUM),
        }
        for row in read_rows(file, COLUMNS)
        if row.text("Country Code") in COUNTRIES
    ]
    return pd.DataFrame(rows, columns=["country", "year", "gdp_current_usd"]).dropna()
