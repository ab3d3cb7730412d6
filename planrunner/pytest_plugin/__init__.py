"""Plans and components as tests of pytest; what tests are annotated with has its name here."""

from __future__ import annotations

TYPE_CHECKING = False  # the one of `typing` costs an import
if TYPE_CHECKING:
    from planrunner.pytest_plugin.components.component_call import MeasuredComponent
    from planrunner.pytest_plugin.components.perf import Perf
    from planrunner.pytest_plugin.plans.runs import PlanRuns

__all__ = ["MeasuredComponent", "Perf", "PlanRuns"]

_HOMES = {
    "MeasuredComponent": "components.component_call",
    "Perf": "components.perf",
    "PlanRuns": "plans.runs",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
