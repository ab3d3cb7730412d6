"""Regular expressions of a plan, matched in bounded time whatever the text."""
