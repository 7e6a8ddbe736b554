"""Damaged upstream files: whatever is cut, doubled or overwritten, a reader gives a table or says what is wrong."""

from collections.abc import Callable

import pandas as pd
import pytest
from conftest import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_customs import ARTICLES, COUNTRIES, CUT, DRONES, MONTHLY, OF_2020, WHOLE
from test_defense import milex, record, top100
from test_eoir import PAYMENT, SENSOR, SOURCE
from test_eoir import csv as register_csv
from test_hs10 import CODE, collection, lines, months
from test_sipri import deal, deals, order, register
from test_trade import API, CODES, CUSTOMS, JAPAN, code
from test_trade import source as trade_csv

from companion.sources import (
    SourceError,
    SourceFile,
    census_hs2,
    csis_codes,
    curated,
    eoir_register,
    hs10,
    japan_customs,
    sipri,
    sipri_milex,
    sipri_top100,
    uas_groups,
)
from companion.tables.recipes import Built, comtrade, customs, defense, uas

GROUPS = (
    "group,source_id,max_gross_takeoff_weight_lb,normal_operating_altitude_ft,airspeed_kn,representative_systems,"
    'agrees_with_consensus,source_title,source_publisher,source_url,note\n1,psu,0-20,"<1,200 AGL",<100,,yes,a,b,c,d\n'
)
F35 = register(
    order(years="2015").replace("Heron,UAV", "F-35A Lightning-2,fighter"),
    order(number=0, years="").replace("Heron,UAV", "F-35A Lightning-2,fighter").replace("India,Israel", "Japan,China"),
)
# A recipe passes over a file that no reader recognizes, which a file in another encoding is.
RECIPES = {
    *("fighter_orders", "uas_deliveries", "japan_customs", "drones", "drones_by_country", "drones_in_articles"),
    *("subheading_cut", "subheading_months", "subheading_legacy"),
}
READERS: dict[str, tuple[Callable[[SourceFile], object], SourceFile]] = {
    "deals": (sipri.read_export, deals(deal(), deal(label="tank"), deal(designation="KSR-2; AS-5"))),
    "register": (sipri.read_export, register(order(), order(comment="two\nlines"), order(years=""))),
    "fighter_orders": (lambda file: defense.fighter_orders([file]), F35),
    "uas_deliveries": (lambda file: uas.uas_deliveries([file]), deals(deal(), deal(label="armed UAV"))),
    "milex": (lambda file: sipri_milex.read(file, ["Japan"]), milex()),
    "top100": (sipri_top100.read, top100()),
    "uas_groups": (uas_groups.read, SourceFile("groups.csv", GROUPS.encode())),
    "defense_budget": (curated.defense_budget, record(curated.DEFENSE_BUDGET, "2023,6.8,a,b,c,d,e,f")),
    "unmanned_budget": (curated.unmanned_budget, record(curated.UNMANNED_BUDGET, "FY2023-2027,1000,a,b,c,d,e,f")),
    "top100_press": (
        curated.top100_press,
        record(curated.TOP100_PRESS, "2023,39,MHI,3.89,a,b,c", "2023,65,KHI,,same,same,same"),
    ),
    "exchange_rates": (curated.exchange_rates, record(curated.EXCHANGE_RATES, "2022-01-01,Japan,114.8")),
    "hs2": (census_hs2.read, trade_csv(API["report"], '90 Optic,Japan,January 2024,"9,000"')),
    "hs10": (lambda file: hs10.read(file, [CODE]), lines(*months(3))),
    "hs10_parquet": (
        lambda file: hs10.read(file, [CODE]),
        SourceFile("trade.parquet", collection(months(3))),
    ),
    "codes": (csis_codes.read, trade_csv(CODES, code(), code("8541.49.1060"))),
    "customs": (japan_customs.read, trade_csv(CUSTOMS, *JAPAN)),
    "sensors": (eoir_register.read_sensors, register_csv(SENSOR, {})),
    "sensor_sources": (eoir_register.read_sources, register_csv(SOURCE, {})),
    "payments": (eoir_register.read_payments, register_csv(PAYMENT, {})),
    "japan_customs": (lambda file: customs.japan_customs_trade([file]), WHOLE),
    "drones": (lambda file: customs.drone_trade([file]), DRONES),
    "drones_by_country": (lambda file: customs.drone_trade([file]), COUNTRIES),
    "drones_in_articles": (lambda file: customs.drone_figures_reported([file]), ARTICLES),
    "subheading_cut": (lambda file: comtrade.subheading_trade([file]), CUT),
    "subheading_months": (lambda file: comtrade.subheading_trade([file]), MONTHLY),
    "subheading_legacy": (lambda file: comtrade.subheading_trade([file]), OF_2020),
}

PIECES = st.sampled_from(
    [b"", b",", b";", b'"', b"\n", b"\r\n", b"\x00", b"-1", b"1e999", b"nan", b"x", b"\xff\xfe", "外".encode()]
)
DAMAGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES), min_size=1, max_size=4)


def damaged(file: SourceFile, damages: list[tuple[float, int, bytes]]) -> SourceFile:
    """A copy with some stretches of bytes replaced by others."""
    content = file.content
    for place, length, piece in damages:
        at = int(place * len(content))
        content = content[:at] + piece + content[at + length :]
    return SourceFile(file.name, content)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=examples(150), derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(damages=DAMAGES)
def test_a_damaged_file_is_read_or_refused_with_its_name(name: str, damages: list[tuple[float, int, bytes]]):
    read, file = READERS[name]
    result: object
    try:
        result = read(damaged(file, damages))
    except SourceError as problem:
        result = str(problem)
    assert isinstance(result, pd.DataFrame | sipri.Export | Built | None) or file.name in str(result)


@pytest.mark.parametrize("name", READERS)
def test_the_whole_file_is_read(name: str):
    read, file = READERS[name]
    read(file)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, (_, file) in READERS.items()
        if not file.content.startswith(b"PK") and name not in {*RECIPES, "hs10", "hs10_parquet"}
    ],
)
def test_text_of_excel_is_read_like_any_other_and_wider_text_is_refused(name: str):
    read, file = READERS[name]
    text = file.content.decode("cp1252", errors="replace")
    assert repr(read(SourceFile(file.name, text.encode("utf-16")))) == repr(read(SourceFile(file.name, text.encode())))
    with pytest.raises(SourceError):
        read(SourceFile(file.name, text.encode("utf-32")))
