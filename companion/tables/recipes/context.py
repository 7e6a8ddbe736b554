"""Tables on the context: policy events, programs, the report's claims, and the size of economies."""

import pandas as pd

from companion.sources import SourceError, SourceFile, compiled, curated, world_bank
from companion.tables.recipes.built import Built, only_one, same_rows


def policy_timeline(files: list[SourceFile]) -> Built | None:
    """Dated events, one row per event and source."""
    record = only_one(files, lambda file: curated.recognizes(file, list(compiled.TIMELINE)), "policy events")
    return Built(compiled.policy_timeline(record), [record]) if record else None


def programs(files: list[SourceFile]) -> Built | None:
    """What is known of the programs, one row per program, attribute, and item."""
    record = only_one(files, lambda file: curated.recognizes(file, list(compiled.PROGRAM_FACTS)), "facts on programs")
    return Built(compiled.programs(record), [record]) if record else None


def claims(files: list[SourceFile]) -> Built | None:
    """The report's claims, one row each, judged with their sources at hand.

    Raises:
        SourceError: the folder has claims without a file of their sources.
    """
    record = only_one(files, lambda file: curated.recognizes(file, list(compiled.CLAIMS)), "claims")
    if not record:
        return None
    sources = only_one(files, _has_claim_sources, "sources of claims")
    if not sources:
        raise SourceError(f"{record.name}: claims are read with their sources. Put claim_sources.csv beside the file.")
    return Built(compiled.claims(record, sources), [record, sources])


def claim_sources(files: list[SourceFile]) -> Built | None:
    """The sources of claims, one row per claim and source."""
    record = only_one(files, _has_claim_sources, "sources of claims")
    return Built(compiled.claim_sources(record), [record]) if record else None


def _has_claim_sources(file: SourceFile) -> bool:
    return curated.recognizes(file, list(compiled.CLAIM_SOURCES))


def gdp(files: list[SourceFile]) -> Built | None:
    """Gross domestic product of five countries, from every file in the folder; the files may not contradict.

    Returns:
        One row per country and year, in current U.S. dollars.

    Raises:
        SourceError: two rows give different values for one country and year.
    """
    records = [file for file in files if world_bank.recognizes(file)]
    if not records:
        return None
    keys = ["country", "year"]
    table = pd.concat(world_bank.gdp(file).assign(file=file.name) for file in records)
    table = table.drop_duplicates([*keys, "gdp_current_usd"]).sort_values(keys, ignore_index=True)
    twice = table[table.duplicated(keys, keep=False)]
    if len(twice):
        one, other = twice.iloc[0], twice.iloc[1]
        raise SourceError(
            f"{one['file']} and {other['file']}: {one['country']} {one['year']} has a gross domestic product of "
            f"{one['gdp_current_usd']:.15g} and of {other['gdp_current_usd']:.15g}. Leave the newer file in the folder."
        )
    return Built(table.drop(columns="file"), records, covers=same_rows(table, keys))
