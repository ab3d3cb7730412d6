"""The commented plan that `planrunner init` writes."""

from __future__ import annotations

from importlib import resources

__all__ = ["starter_plan"]


def starter_plan() -> str:
    """Return the text of a plan to start from; it runs as it is."""
    return resources.files("planrunner.plan").joinpath("starter.yaml").read_text(encoding="utf-8")
