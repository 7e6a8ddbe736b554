"""The sensor register: its readers on small files, whole and broken, and what the real register says of itself."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from companion import load
from companion.sources import SourceError, SourceFile, walk
from companion.sources import eoir_register as register
from companion.tables.recipes import eoir

SENSOR = {
    "sensor_id": "AIR-B",
    "sensor_designation": "HAQ-9",
    "sensor_type": "EO/IR turret",
    "platform": "patrol aircraft",
    "platform_type": "air",
    "service": "MSDF",
    "manufacturer": "",
    "manufacturer_country": "",
    "prime_contractor": "Fujitsu",
    "platform_prime": "",
    "platform_prime_basis": "",
    "production_mode": "unknown",
    "production_mode_basis": "",
    "status": "fielded",
    "start_year": "2015",
    "tier": "core",
    "confidence": "stated",
    "manufacturer_confidence": "inferred",
    "prime_confidence": "stated",
    "best_source_grade": "A",
    "n_sources": "2",
    "n_publishers": "1",
    "ledger_total_mjpy": "12.5",
    "notes": "",
}
SOURCE = {
    "sensor_id": "AIR-B",
    "source_no": "1",
    "source_title": "Review sheet",
    "source_publisher": "Ministry of Defense (Japan)",
    "source_url": "https://www.mod.go.jp/sheet.xls",
    "source_grade": "A",
    "retrieved_via": "public web page",
    "claim_fiscal_year": "",
    "supporting_fact": "Names the payee.",
}
PAYMENT = {
    "sensor_id": "AIR-B",
    "tier": "core",
    "in_register": "yes",
    "fiscal_year": "2020",
    "sheet_year": "2021",
    "payee_group": "Fujitsu",
    "payee_ja": "富士通株式会社",
    "item_ja": "光波装置",
    "amount_mjpy": "12.5",
    "bundled": "no",
    "project_ja": "哨戒機",
    "sheet_url": "https://www.mod.go.jp/sheet.xls",
    "via": "github.com/judgit/data data/2021/1.json",
    "anomaly": "",
}


def csv(row: dict[str, str], *changes: dict[str, str]) -> SourceFile:
    """A file with one row for each change of `row`."""
    return SourceFile("record.csv", pd.DataFrame([row | change for change in changes]).to_csv(index=False).encode())


def test_each_file_is_recognized_by_its_columns_alone():
    files = [csv(row, {}) for row in (SENSOR, SOURCE, PAYMENT)]
    kinds = [register.recognizes_sensors, register.recognizes_sources, register.recognizes_payments]
    assert [[recognizes(file) for file in files] for recognizes in kinds] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_sensors_are_sorted_and_leave_out_what_other_tables_say():
    rows = register.read_sensors(csv(SENSOR, {}, {"sensor_id": "AIR-A", "start_year": ""}))
    assert rows["sensor_id"].tolist() == ["AIR-A", "AIR-B"]
    assert rows["start_year"].isna().tolist() == [True, False]
    assert rows["manufacturer"].isna().all()
    assert "ledger_total_mjpy" not in rows


def test_sources_are_numbered_in_numeric_order():
    rows = register.read_sources(csv(SOURCE, {"source_no": "10"}, {"source_no": "9", "claim_fiscal_year": "2020"}))
    assert rows["source_no"].tolist() == [9, 10]
    assert rows["claim_fiscal_year"].isna().tolist() == [False, True]


def test_a_lead_keeps_its_identifier_but_points_to_no_sensor():
    rows = register.read_payments(csv(PAYMENT, {}, {"sensor_id": "MUN-X", "in_register": "no"}))
    assert rows["ledger_id"].tolist() == ["AIR-B", "MUN-X"]
    assert rows["sensor_id"].isna().tolist() == [False, True]


def test_payments_alike_are_kept_apart_in_any_order_of_the_file():
    changes = [{"amount_mjpy": "3"}, {}, {}, {"fiscal_year": "2019"}]
    rows = register.read_payments(csv(PAYMENT, *changes))
    assert rows[["fiscal_year", "line_no", "amount_mjpy"]].to_numpy().tolist() == [
        [2019, 1, 12.5],
        [2020, 1, 3],
        [2020, 2, 12.5],
        [2020, 3, 12.5],
    ]
    assert register.read_payments(csv(PAYMENT, *reversed(changes))).equals(rows)


@pytest.mark.parametrize(
    ("label", "doubtful"),
    [
        ("赤外線探知装置", True),
        ("赤外線探知装置 他2件", False),
        ("赤外線カメラ部品 外", False),
        ("赤外線センサ等", False),
        ("解析役務(外中舷搭載形態)", True),
        ("衛星の研究・開発", False),
    ],
)
def test_infrared_in_a_label_is_no_word_for_other_items(label: str, doubtful: bool):
    rows = register.read_payments(csv(PAYMENT, {"item_ja": label, "bundled": "yes"}))
    assert rows["bundled_doubtful"].tolist() == [doubtful]
    assert not register.read_payments(csv(PAYMENT, {"item_ja": label}))["bundled_doubtful"].any()


@pytest.mark.parametrize(
    ("read", "file", "message"),
    [
        (register.read_sensors, csv(SENSOR, {"tier": ""}), r"record.csv, row 2, column 'tier': the cell is empty"),
        (
            register.read_sensors,
            csv(SENSOR, {"start_year": "c. 2015"}),
            r"column 'start_year': 'c. 2015' is not a year",
        ),
        (register.read_sensors, csv(SENSOR, {"n_sources": "two"}), r"column 'n_sources': 'two' is not a number"),
        (register.read_sources, csv(SOURCE, {}, {"source_no": ""}), r"row 3, column 'source_no': the cell is empty"),
        (register.read_payments, csv(PAYMENT, {"amount_mjpy": ""}), r"column 'amount_mjpy': the cell is empty"),
        (register.read_payments, csv(PAYMENT, {"amount_mjpy": "-1"}), r"column 'amount_mjpy': '-1' is not a possible"),
        (register.read_payments, csv(PAYMENT, {"bundled": "maybe"}), r"column 'bundled': 'maybe' is none of no, yes"),
        (register.read_payments, csv({"sensor_id": "AIR-B"}, {}), r"column 'in_register' is missing"),
    ],
)
def test_a_bad_file_is_named_with_the_place(read: Callable[[SourceFile], pd.DataFrame], file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        read(file)


def test_a_folder_without_the_register_makes_no_table():
    assert [recipe([]) for recipe in (eoir.eoir_sensors, eoir.eoir_sensor_sources, eoir.eoir_payments)] == [None] * 3


def test_the_register_has_the_counts_it_claims():
    sensors = load("eoir_sensors")
    assert sensors["tier"].value_counts().to_dict() == {
        "core": 49,
        "soldier": 18,
        "rd": 15,
        "warning": 9,
        "munition": 8,
        "nonjsdf": 1,
    }
    assert sensors["best_source_grade"].value_counts().to_dict() == {"A": 71, "C": 15, "B": 14}
    assert (sensors["n_publishers"] >= 2).sum() == 40


def test_every_sensor_s_sources_are_those_that_it_counts():
    sensors = load("eoir_sensors").set_index("sensor_id")
    sources = load("eoir_sensor_sources").groupby("sensor_id")
    assert len(load("eoir_sensor_sources")) == 232
    assert sources.size().equals(sensors["n_sources"].astype(int))
    assert sources["source_publisher"].nunique().equals(sensors["n_publishers"].astype(int))
    assert sources["source_grade"].min().equals(sensors["best_source_grade"])
    assert sources["source_grade"].first().equals(sensors["best_source_grade"])
    assert sources["source_no"].max().equals(sensors["n_sources"])


def test_a_basis_stands_exactly_where_it_has_something_to_support():
    sensors = load("eoir_sensors")
    assert (sensors["production_mode_basis"].isna() == (sensors["production_mode"] == "unknown")).all()
    assert (sensors["platform_prime_basis"].isna() == sensors["platform_prime"].isna()).all()
    claimed = sensors["manufacturer_confidence"].where(sensors["manufacturer"].notna(), sensors["prime_confidence"])
    assert (sensors["confidence"] == claimed).all()


def test_the_payments_have_the_known_totals():
    payments = load("eoir_payments")
    assert len(payments) == 531
    assert payments["amount_mjpy"].sum() == pytest.approx(556_524.61768)
    assert payments.dropna(subset="sensor_id")["amount_mjpy"].sum() == pytest.approx(493_267.58968)
    groups = payments.groupby("payee_group")["amount_mjpy"].sum()
    assert groups["Mitsubishi Electric"] == pytest.approx(284_747.03632)
    assert groups["Kawasaki Heavy Industries"] == pytest.approx(98_710.495)
    assert groups["Fujitsu"] == pytest.approx(39_071.852)
    assert payments["anomaly"].notna().sum() == 3


def test_a_sheet_reports_the_year_before_its_own():
    payments = load("eoir_payments")
    assert (payments["sheet_year"] == payments["fiscal_year"] + 1).all()
    assert payments["fiscal_year"].agg(["min", "max"]).tolist() == [2014, 2024]


def test_five_leads_stand_outside_the_register():
    payments = load("eoir_payments")
    leads = payments[payments["sensor_id"].isna()]
    assert (len(leads), leads["ledger_id"].nunique()) == (34, 5)
    assert not set(leads["ledger_id"]) & set(load("eoir_sensors")["sensor_id"])
    known = payments.dropna(subset="sensor_id")
    assert (known["sensor_id"] == known["ledger_id"]).all()


def test_every_infrared_label_counts_as_bundled_upstream():
    """The finding behind `bundled_doubtful`: not one label with 赤外線 (infrared) passes as unbundled."""
    payments = load("eoir_payments")
    assert payments[payments["item_ja"].str.contains("赤外")]["bundled"].all()
    assert payments["bundled"].sum() == 164
    assert payments["bundled_doubtful"].sum() == 57


def test_only_two_pairs_of_payments_are_alike():
    payments = load("eoir_payments").drop(columns="line_no")
    assert payments[payments.duplicated()][["ledger_id", "fiscal_year"]].to_numpy().tolist() == [
        ["LAND-JGVSV3", 2014],
        ["LAND-JGVSV3", 2015],
    ]


def test_the_record_agrees_with_its_ledger_and_its_sources(sources: Path):
    """What the tables leave out of the record can be had from the other two tables."""
    files = list(walk(sources))
    records = pd.concat(_raw(file) for file in files if register.recognizes_sensors(file)).set_index("sensor_id")
    ledger = next(_raw(file) for file in files if register.recognizes_payments(file))
    built = eoir.eoir_payments(files)
    assert built is not None
    payments = built.rows.groupby("sensor_id")["amount_mjpy"]
    lines = payments.size().reindex(records.index, fill_value=0)
    assert (lines == records["ledger_lines"]).all()
    assert (payments.sum().reindex(records.index) - records["ledger_total_mjpy"]).abs().max() < 0.0501
    assert records["ledger_total_mjpy"].isna().equals(lines == 0)
    known = ledger[ledger["in_register"] == "yes"]
    assert (known["tier"].to_numpy() == records["tier"][known["sensor_id"]].to_numpy()).all()
    assert set(ledger[ledger["in_register"] == "no"]["tier"]) == {"lead"}
    origins = eoir.eoir_sensor_sources(files)
    assert origins is not None
    best = origins.rows.query("source_no == 1").set_index("sensor_id").reindex(records.index)
    for column in ("source_title", "source_publisher", "source_url", "supporting_fact"):
        assert (best[column] == records[column]).all(), column


def _raw(file: SourceFile) -> pd.DataFrame:
    return pd.read_csv(BytesIO(file.content))
