"""The sections that a file of defaults may have."""

from __future__ import annotations

from typing import Final

__all__ = ["SECTIONS"]

SECTIONS: Final = ("params", "http", "thresholds", "report", "outputs", "notify", "cases")
"""Those that plans don't have (yet) are unknown here too."""
