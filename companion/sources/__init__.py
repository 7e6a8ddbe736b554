"""Readers: one module per upstream format, each from the publisher's file to tidy rows.

A reader knows one format. It knows nothing of tables, chapters or charts.
"""

from companion.sources.upstream import Row, SourceError, SourceFile, read_rows, walk

__all__ = ["Row", "SourceError", "SourceFile", "read_rows", "walk"]
