"""Exhibits: a table or a figure of a chapter, with its form in notebooks and the theme of the charts."""
