"""The report as data, and the words in which the book judges it: closed lists, each in this place alone."""

from typing import Literal

REPORT_EXHIBITS = {
    "table-1": "Table 1",
    "figure-1": "Figure 1",
    "figure-2": "Figure 2",
    "figure-3": "Figure 3",
    "figure-4": "Figure 4",
}
# What each shows in the report, in our words.
REPORT_SHOWS = {
    "table-1": "Five groups of uncrewed aircraft by weight, altitude, and speed, from a U.S. Army roadmap of 2010.",
    "figure-1": "Exports of uncrewed aircraft and loitering munitions by country, 2000–2021; read as growing demand.",
    "figure-2": "U.S. trade in electro-optical sensors, with Japan and in all; read as near balance since 2009.",
    "figure-3": "Which Japanese companies make electro-optical and infrared sensors, from a licensed database.",
    "figure-4": "The prime contractors of Japan’s sensors, from the same database; Mitsubishi Heavy Industries leads.",
}
INSIGHTS = {
    "Policy 1": "More orders strain companies",
    "Policy 2": "Export reform is essential",
    "Policy 3": "Japan prefers its own designs",
    "Policy 4": "Early contact would help",
    "Economic 1": "Working together looks expensive",
    "Industrial 1": "Japan makes advanced parts",
    "Industrial 2": "Open systems could join the two industries",
}

# How an exhibit relates to the report's own.
Status = Literal["reproduced", "updated", "open-counterpart", "awaiting-data", "own"]
# A status has a word and a shape, never a color alone.
STATUSES = {
    "reproduced": ("●", "reproduced", "The report's source, in the state that the report used, or rebuilt to it."),
    "updated": ("◐", "updated", "The report's source, in a later state."),
    "open-counterpart": ("◇", "open counterpart", "Open data stand in for a source that could not be had."),
    "awaiting-data": (
        "○",
        "awaiting data",
        "The code is complete; it needs a file that a reader can obtain.",
    ),
    "own": ("◆", "own analysis", "Not in the report."),
}

# A verdict has a word and a shape, never a color alone.
VERDICTS = {
    "confirmed": ("✓", "The evidence agrees."),
    "refined": ("◐", "True with another scope, date, or size."),
    "contradicted": ("×", "The evidence says otherwise."),
    "inconsistent": ("≠", "It does not fit what the report says elsewhere."),
    "not tested": ("○", "No source was found that decides it."),
    "not testable": ("–", "No public evidence could decide it."),
}
HOLDING = ("confirmed", "refined")
DOUBTED = ("contradicted", "inconsistent")  # verdicts that say how certain they are
UNTESTED = ("not tested", "not testable")
CERTAINTIES = ("high", "medium", "low")
KINDS = {
    "computed": "The verdict follows from a value that the chapter computes.",
    "sourced": "A person judged it by the sources on its card.",
    "not testable": "It rests on what cannot be seen from outside.",
}
# The grades of sources: a word, and what it stands for.
GRADES = {
    "A": ("official", "an official document, or an institution’s own data"),
    "B": ("established", "established press, a trade journal, scholarly work, an archive, or a company"),
    "C": ("secondary", "a copy, a repost, a blog, or a secondary summary"),
}
# How an observed number is compared with the stated one; the rules are in `companion.claims.verdicts`.
COMPARISONS = ("equal", "about", "at least", "at most", "more than", "less than")
HOLDS = "holds"  # the comparison of a claim that a chapter finds true or false
DATED = "dated"  # the comparison of a claim that the date of an event decides
