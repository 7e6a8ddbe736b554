"""The SIPRI reader on small exports of every form, whole and broken."""

import gc
import weakref

import pytest

from companion.sources import SourceError, SourceFile
from companion.sources.sipri import read_export, recognizes
from companion.tables.recipes.uas import deliveries_by_vintage, uas_deliveries

DEALS = (
    "SIPRI Transfers Database\n\n\n Database search results for buyer 'All Countries' and seller  '{supplier}' "
    "and the years from {years} - (created: {day})\n\n"
    "Deal ID;Seller;Buyer;Designation;Description;Armament category;Order date;Order date is estimate;"
    "Numbers delivered;Numbers delivered is estimate;Delivery year;Delivery year is estimate;Status;SIPRI estimate;"
    "TIV deal unit;TIV delivery values;Local production\n"
)
REGISTER = (
    "Recipient,Supplier,Year of order, ,Number ordered, ,Weapon designation,Weapon description,Number delivered, ,"
    "Year(s) of delivery,status,Comments,SIPRI TIV per unit,SIPRI TIV for total order,SIPRI TIV of delivered weapons\n"
)


def deals(
    *rows: str, years: str = "2000 to 2021", day: str = "01-08-2022", supplier: str = "All Countries"
) -> SourceFile:
    text = DEALS.format(years=years, day=day, supplier=supplier) + "\n".join(rows) + "\n"
    return SourceFile("deals.txt", text.encode())


def deal(
    number: object = 4, year: int = 2015, label: str = "UAV", designation: str = "Heron", local: str = "No"
) -> str:
    return f"1;Israel;India;{designation};{label};Aircraft;2014;No;{number};Yes;{year};No;New;1;1;1;{local}"


def register(*rows: str, name: str = "trade-register_2025-03-13.csv") -> SourceFile:
    return SourceFile(name, (REGISTER + "\n".join(rows) + "\n").encode("cp1252"))


def order(number: object = 10, years: str = "2015; 2016; 2017", comment: str = "") -> str:
    return f"India,Israel,2014,,10,,Heron,UAV,{number},?,{years},New,{comment},1,10,10"


def test_two_spellings_of_a_label_are_one_category():
    rows = uas_deliveries([deals(deal(label="armed UAV"), deal(label="armed uav"))]).rows
    assert rows[["category", "label", "units"]].to_numpy().tolist() == [["armed", "armed uav", 8]]


def test_other_weapons_are_left_out():
    assert uas_deliveries([deals(deal(), deal(label="tank"))]).rows["label"].tolist() == ["uav"]


def test_a_deal_keeps_its_estimate_and_local_production():
    row = uas_deliveries([deals(deal(local="Yes"))]).rows.iloc[0]
    assert (row["units"], row["units_estimated"], row["units_local_production"]) == (4, 4, 4)


def test_a_register_s_number_is_split_evenly_and_says_so():
    rows = read_export(register(order())).deliveries
    assert rows["units"].sum() == pytest.approx(10)
    assert rows["year_method"].unique().tolist() == ["even-split"]
    assert rows["local"].isna().all()


def test_a_register_s_single_year_is_exact():
    assert read_export(register(order(years="2015"))).deliveries["year_method"].tolist() == ["exact"]


def test_a_comment_with_a_line_break_is_mended():
    assert read_export(register(order(comment="first line\nsecond line"))).deliveries["units"].sum() == 10


def test_a_designation_with_a_semicolon_is_mended():
    row = read_export(deals(deal(designation="KSR-2; AS-5"))).deliveries.iloc[0]
    assert row["designation"] == "KSR-2; AS-5"


def test_a_vintage_is_completed_with_the_newest_earlier_export():
    new = read_export(deals(deal(5, 2012), years="2010 to 2021", day="01-08-2022"))
    old = read_export(deals(deal(7, 2008), deal(9, 2012), years="2001 to 2019", day="09-03-2020"))
    older = read_export(deals(deal(1, 2008), years="1998 to 2007", day="12-03-2019"))
    for exports in ([new, old, older], [older, old, new]):  # the order of files does not matter
        table = deliveries_by_vintage(exports).query("vintage == '2022-08'")
        assert table[["exported", "year", "units"]].to_numpy().tolist() == [
            ["2020-03-09", 2008, 7],
            ["2022-08-01", 2012, 5],
        ]


def test_an_export_of_one_supplier_makes_no_vintage():
    one = read_export(deals(deal(), supplier="Israel", day="17-09-2022"))
    everything = read_export(deals(deal()))
    assert deliveries_by_vintage([one, everything])["vintage"].unique().tolist() == ["2022-08"]


def test_a_register_without_header_of_one_supplier_makes_no_vintage():
    assert not read_export(register(order(), order(years="2018"))).complete
    assert read_export(register(order(), order().replace("Israel", "China").replace("India", "Serbia"))).complete


def test_the_form_of_july_2026_is_read_and_one_supplier_makes_no_vintage():
    text = (
        "Transfers of major conventional arms from {}   to All countries . Deals with deliveries made for the year "
        "range '2000' to '2025' \nData generated: 14 Jul 2026 2:55:04 PM\n"
    )
    rows = REGISTER.replace("Number delivered", "Deliveries in the Year Range") + order(10, "2015") + "\n"
    one, everything = (
        read_export(SourceFile("register.csv", (text.format(supplier) + rows).encode()))
        for supplier in ("Israel", "All countries")
    )
    assert (one.deliveries["units"].sum(), one.vintage, one.first_year) == (10, "2026-07", 2000)
    assert (one.complete, everything.complete) == (False, True)
    assert uas_deliveries([SourceFile("register.csv", (text.format("Israel") + rows).encode())]) is None


def test_renamed_suppliers_and_types_carry_their_newer_name():
    text = deal(designation="Bayraktar TB2", label="armed UAV").replace("Israel", "Turkey")
    row = read_export(deals(text)).deliveries.iloc[0]
    assert (row["supplier"], row["designation"]) == ("Turkiye", "Bayraktar TB-2")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            deals(deal(label="stealth drone")),
            r"deals.txt, row 7: the weapon label 'stealth drone' is not known.*CATEGORIES",
        ),
        (deals(deal(number="four")), r"deals.txt, row 7, column 'Numbers delivered': 'four' is not a possible number"),
        (deals(deal(number="")), r"deals.txt, row 7: years of delivery and no number delivered"),
        (deals(deal(number=-4)), r"row 7, column 'Numbers delivered': '-4' is not a possible number"),
        (deals(deal(), deal()[:30]), r"deals.txt: the last row has 6 fields.*cut"),
        (
            register(order().replace(",2014,", ",soon,")),
            r"row 2, column 'Year of order': 'soon' is not a possible number",
        ),
        (register(order() + ",extra"), r"row 2: 17 fields where the header has 16"),
        (register(order(), name="register.csv"), r"register.csv: SIPRI's header with the date.*Put the date"),
        (
            SourceFile("x.txt", deals(deal()).content.replace(b"Local production", b"Made locally")),
            r"x.txt: column 'Local production' is missing",
        ),
    ],
)
def test_a_bad_file_is_named_with_the_place_and_the_remedy(file: SourceFile, message: str):
    with pytest.raises(SourceError, match=message):
        uas_deliveries([file])


def test_an_export_is_read_once_and_forgotten_with_its_file():
    file = register(order())
    export = read_export(file)
    assert read_export(file) is export
    left = weakref.ref(export)
    del file, export
    gc.collect()
    assert left() is None


def test_a_file_without_column_names_is_refused():
    with pytest.raises(SourceError, match=r"notes.txt: no line of SIPRI column names"):
        read_export(SourceFile("notes.txt", b"hello"))


def test_only_sipri_exports_are_recognized():
    assert recognizes(deals(deal()))
    assert recognizes(register(order()))
    assert not recognizes(SourceFile("other.csv", b"country,year,value\n"))
