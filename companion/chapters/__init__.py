"""Chapters: found, run, recorded, and checked. A chapter is one section of the report as a notebook."""
