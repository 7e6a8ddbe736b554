"""Readers: one module per upstream format, each from the publisher's file to tidy rows.

A reader knows one format. It knows nothing of tables, chapters or charts.
"""

from companion.sources.files import SourceError, SourceFile, walk

__all__ = ["SourceError", "SourceFile", "walk"]
