"""Tables on electro-optical and infrared sensors."""

from companion.sources import SourceFile
from companion.sources import eoir_register as register
from companion.tables.recipes.built import Built, only_one


def eoir_sensors(files: list[SourceFile]) -> Built | None:
    """The register's sensors, one row each."""
    records = only_one(files, register.recognizes_sensors, "sensor records")
    return Built(register.read_sensors(records), [records]) if records else None


def eoir_sensor_sources(files: list[SourceFile]) -> Built | None:
    """The sources of the register's sensors, one row per sensor and source."""
    sources = only_one(files, register.recognizes_sources, "sources of sensor records")
    return Built(register.read_sources(sources), [sources]) if sources else None


def eoir_payments(files: list[SourceFile]) -> Built | None:
    """Payments for sensors, one row per line of an official payee list."""
    ledger = only_one(files, register.recognizes_payments, "payments for sensors")
    return Built(register.read_payments(ledger), [ledger]) if ledger else None
