"""YAML text to a checked plan with positions.

What callers need is here; each is imported when it is asked for, as the models take their time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from planrunner.plan.bundle import Bundle
    from planrunner.plan.loader import CheckedPlan, InvalidPlan, load, load_bundle
    from planrunner.plan.overrides import Changes
    from planrunner.plan.params.resolve import ParamSources

__all__ = [
    "Bundle",
    "Changes",
    "CheckedPlan",
    "InvalidPlan",
    "ParamSources",
    "load",
    "load_bundle",
]

_HOMES: Final = {"Bundle": "bundle", "Changes": "overrides", "ParamSources": "params.resolve"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'loader')}"), name)
