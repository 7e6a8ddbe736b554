"""Which forms of files the readers know, so that a file that none of them knows can be named."""

from companion.sources import (
    SourceFile,
    census_hs2,
    compiled,
    comtrade,
    csis_codes,
    curated,
    dataweb,
    eoir_register,
    hs10,
    japan_customs,
    sipri,
    sipri_milex,
    sipri_top100,
    uas_groups,
    usa_trade_online,
    world_bank,
)

FORMS = [
    *(module.recognizes for module in (census_hs2, comtrade, csis_codes, dataweb, hs10, japan_customs, sipri)),
    *(module.recognizes for module in (sipri_milex, sipri_top100, uas_groups, usa_trade_online, world_bank)),
    eoir_register.recognizes_sensors,
    eoir_register.recognizes_sources,
    eoir_register.recognizes_payments,
]
RECORDS = [
    curated.DEFENSE_BUDGET,
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
