"""Claims: statements of the report, the rules of their verdicts, and their form in notebooks."""
