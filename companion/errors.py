"""What goes wrong, in a way that a person can do something about."""


class CompanionError(Exception):
    """A command stops with this message, without a traceback; it says what is wrong and what to do."""
