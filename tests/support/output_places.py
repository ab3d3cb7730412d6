"""Where outputs send in tests, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

__all__ = ["SECRET", "Fault", "Place"]

SECRET: Final = "hunter22"
"""Stands in the settings of outputs that can have a secret."""


class Fault(StrEnum):
    """What may be wrong with the place that an output sends to."""

    ABSENT = "nothing listens"
    DEAF = "accepts, and says nothing"
    FULL = "takes nothing more"
    REFUSING = "wrong credentials"
    FLAKY = "answers 503 twice, then takes it"


@dataclass(slots=True)
class Place:
    """Where an output sends.

    Attributes:
        settings: Of the output, as `make` gets them.
        counts: Returns how many requests have arrived, by name.
    """

    settings: dict[str, Any]
    counts: Callable[[], dict[str, int]] = dict
