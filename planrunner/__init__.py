"""planrunner: performance tests as reviewed YAML plans."""

from __future__ import annotations

__all__ = ["__version__"]

# A constant that hatch reads: `importlib.metadata` costs seven bare interpreter starts.
__version__ = "0.1.0"
