"""Where a value of a plan comes from."""

from __future__ import annotations

from planrunner.values import dataclass

__all__ = ["ValueOrigin"]


@dataclass(frozen=True, slots=True)
class ValueOrigin:
    """A key of a plan, and what gave it its value.

    Attributes:
        key: With its section: `http.timeout`.
        source: A place in a file, an option, an environment.
        value: As people may see it; empty where it has no short form.
    """

    key: str
    source: str
    value: str = ""
