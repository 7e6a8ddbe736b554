"""Read the open register of electro-optical and infrared sensors: its records, their sources, and the payments."""

import re
from collections.abc import Callable

import pandas as pd

from companion.sources.upstream import Row, SourceFile, read_rows

Cell = Callable[[Row, str], object]

# 外 says "others" at the end of a label, and nothing of the kind in infrared, overseas, abroad, outer stations.
NOT_OTHERS = re.compile("赤外|海外|国外|外中舷")
OTHERS = re.compile("他|ほか|外|等")


def _number(row: Row, column: str) -> float | None:
    """A number that may not be empty."""
    row.required(column)
    return row.number(column)


def _year_if_any(row: Row, column: str) -> int | None:
    """A year; None where the cell is empty."""
    return row.year(column) if row.text(column) else None


def _yes(row: Row, column: str) -> bool:
    """A yes or a no."""
    return row.choice(column, ["yes", "no"]) == "yes"


SENSORS: dict[str, Cell] = {
    "sensor_id": Row.required,
    "sensor_designation": Row.required,
    "sensor_type": Row.required,
    "platform": Row.required,
    "platform_type": Row.required,
    "service": Row.required,
    "manufacturer": Row.text,
    "manufacturer_country": Row.text,
    "prime_contractor": Row.text,
    "platform_prime": Row.text,
    "platform_prime_basis": Row.text,
    "production_mode": Row.required,
    "production_mode_basis": Row.text,
    "status": Row.required,
    "start_year": _year_if_any,
    "tier": Row.required,
    "confidence": Row.required,
    "manufacturer_confidence": Row.required,
    "prime_confidence": Row.required,
    "best_source_grade": Row.required,
    "n_sources": _number,
    "n_publishers": _number,
    "notes": Row.text,
}
SOURCES: dict[str, Cell] = {
    "sensor_id": Row.required,
    "source_no": _number,
    "source_title": Row.required,
    "source_publisher": Row.required,
    "source_url": Row.required,
    "source_grade": Row.required,
    "retrieved_via": Row.required,
    "claim_fiscal_year": _year_if_any,
    "supporting_fact": Row.required,
}
PAYMENTS: dict[str, Cell] = {
    "sensor_id": Row.required,
    "in_register": _yes,
    "fiscal_year": Row.year,
    "sheet_year": Row.year,
    "payee_group": Row.required,
    "payee_ja": Row.required,
    "item_ja": Row.required,
    "amount_mjpy": _number,
    "bundled": _yes,
    "project_ja": Row.required,
    "sheet_url": Row.required,
    "via": Row.required,
    "anomaly": Row.text,
}


def recognizes_sensors(file: SourceFile) -> bool:
    """Tell whether a file holds the register's records, by its column names."""
    return file.head.startswith("sensor_id,sensor_designation,")


def recognizes_sources(file: SourceFile) -> bool:
    """Tell whether a file holds the sources of the register's records, by its column names."""
    return file.head.startswith("sensor_id,source_no,")


def recognizes_payments(file: SourceFile) -> bool:
    """Tell whether a file is the ledger of payments, by its column names."""
    return file.head.startswith("sensor_id,tier,in_register,")


def read_sensors(file: SourceFile) -> pd.DataFrame:
    """Read the records, without what the two other files say again (best source, lines and total of the ledger).

    Returns:
        One row per sensor.

    Raises:
        SourceError: a cell is empty that may not be, or holds no number or year where one belongs.
    """
    return _read(file, SENSORS).sort_values("sensor_id", ignore_index=True)


def read_sources(file: SourceFile) -> pd.DataFrame:
    """Read the sources of the records.

    Returns:
        One row per sensor and source; source 1 is the best.

    Raises:
        SourceError: a cell is empty that may not be, or holds no number or year where one belongs.
    """
    return _read(file, SOURCES).sort_values(["sensor_id", "source_no"], ignore_index=True)


def read_payments(file: SourceFile) -> pd.DataFrame:
    """Read the payments and number the lines of each sensor and year, because two pairs of lines are alike.

    Returns:
        One row per line of a payee list, amounts in million yen. `ledger_id` is the ledger's identifier; `sensor_id`
        is the same for a sensor of the register and empty for a lead that did not make it into the register.
        `bundled_doubtful` marks lines that count as bundled although their label names no other item: the only
        外 ("others") in them belongs to another word, most often 赤外線 (infrared).

    Raises:
        SourceError: a cell is empty that may not be, or holds no number, year, yes or no where one belongs.
    """
    rows = _read(file, PAYMENTS).rename(columns={"sensor_id": "ledger_id"})
    rows["sensor_id"] = rows["ledger_id"].where(rows["in_register"])
    rows["bundled_doubtful"] = rows["bundled"] & rows["item_ja"].map(_only_seems_to_name_others)
    columns = ["ledger_id", "fiscal_year", "sensor_id", *list(PAYMENTS)[3:]]
    columns.insert(columns.index("bundled") + 1, "bundled_doubtful")
    rows = rows[columns].sort_values(columns, ignore_index=True)
    rows.insert(2, "line_no", rows.groupby(["ledger_id", "fiscal_year"]).cumcount() + 1)
    return rows


def _only_seems_to_name_others(label: str) -> bool:
    """Tell whether a label has words with 外 in another sense, and no word for other items."""
    return bool(NOT_OTHERS.search(label)) and not OTHERS.search(NOT_OTHERS.sub("", label))


def _read(file: SourceFile, columns: dict[str, Cell]) -> pd.DataFrame:
    """The named columns of a file, each read in its own way."""
    rows = [{column: read(row, column) for column, read in columns.items()} for row in read_rows(file, columns)]
    return pd.DataFrame(rows, columns=list(columns))
