"""Which forms of files the readers know, so that a file that none of them knows can be named."""

from companion.sources import (
    SourceFile,
    census_hs2,
    census_hs6,
    compiled,
    comtrade,
    csis_codes,
    curated,
    dataweb,
    eoir_register,
    hs10,
    japan_customs,
    japan_customs_codes,
    sipri,
    sipri_milex,
    sipri_top100,
    uas_groups,
    usa_trade_online,
    usa_trade_online_cuts,
    world_bank,
)

FORMS = [
    *(module.recognizes for module in (census_hs2, comtrade, csis_codes, dataweb, hs10, japan_customs, sipri)),
    *(module.recognizes for module in (census_hs6, japan_customs_codes, usa_trade_online_cuts)),
    usa_trade_online_cuts.recognizes_countries,
    *(module.recognizes for module in (sipri_milex, sipri_top100, uas_groups, usa_trade_online, world_bank)),
    eoir_register.recognizes_sensors,
    eoir_register.recognizes_sources,
    eoir_register.recognizes_payments,
]
RECORDS = [
    curated.DEFENSE_BUDGET,
    curated.DRONE_FIGURES,
    curated.EXCHANGE_RATES,
    curated.TOP100_PRESS,
    curated.UNMANNED_BUDGET,
    list(compiled.TIMELINE),
    list(compiled.PROGRAM_FACTS),
    list(compiled.CLAIMS),
    list(compiled.CLAIM_SOURCES),
]


def is_known(file: SourceFile) -> bool:
    """Tell whether a reader of the tables knows the form of a file."""
    return any(recognizes(file) for recognizes in FORMS) or any(curated.recognizes(file, names) for names in RECORDS)


def told(file: SourceFile) -> str:
    """What is wrong with a file that no reader knows, as far as its first lines tell."""
    start = file.head.lstrip("\ufeff").partition("\n")[0].strip()
    if not file.head:
        return "the file is empty; download it again"
    if _starts(file, b"\xd0\xcf\x11\xe0"):
        return "a workbook with a password, or of Excel before 2007; save it as .xlsx without a password"
    if start.lower().startswith(("<!doctype", "<html")):
        return "a web page, perhaps one that asks to sign in; download the file itself"
    for name, delimiter in (("semicolons", ";"), ("tabs", "\t"), ("bars", "|")):
        if start.count(delimiter) > 1 and is_known(SourceFile(file.name, file.head.replace(delimiter, ",").encode())):
            return f"it has {name} between its columns, and its form has commas; save it with commas"
    shown = repr(start[:80]) if start.isprintable() else "something other than text"
    return (
        f"no reader knows this file. It begins with {shown}. Compare its column names, delimiter, and encoding with a "
        "file as its publisher gives it, or download it again"
    )


def _starts(file: SourceFile, magic: bytes) -> bool:
    with file.open() as stream:
        return stream.read(len(magic)) == magic
