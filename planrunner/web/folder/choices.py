"""What a person chose for a run, as a browser sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from planrunner.compiler.load.selection import PlanSelection
from planrunner.values import dataclass
from planrunner.web.server.run_routes import ApiError

__all__ = ["PlanChoices", "choices_of"]

_LISTS: Final = ("phases", "cases", "users", "tasks", "tags", "skip_tags")
_MOST_WORKERS: Final = 256


@dataclass(frozen=True, slots=True)
class PlanChoices:
    """The same that the command line may say.

    Attributes:
        params: Values as `--set` takes them.
        selection: What runs of the plan.
        seed: None for the plan's, or one that is drawn.
        labels: Of the run.
    """

    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: str | None = None
    selection: PlanSelection = field(default_factory=PlanSelection)
    seed: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    workers: int = 1
    tolerate: int = 0


def choices_of(data: object) -> PlanChoices:
    """Read what was sent; what it leaves out is the plan's.

    Raises:
        ApiError: It is something else.
    """
    found = _mapping(data, "choices")
    known = {"params", "profile", "environment", "seed", "labels", "workers", "tolerate"}
    known |= set(_LISTS)
    if unknown := sorted(found.keys() - known):
        raise ApiError(400, f"`choices` has no `{unknown[0]}`")
    lists = {name: _texts(found.get(name), name) for name in _LISTS}
    return PlanChoices(
        params=_text_mapping(found.get("params"), "params"),
        environment=_text(found.get("environment"), "environment"),
        selection=PlanSelection(profile=_text(found.get("profile"), "profile"), **lists),
        seed=_number(found.get("seed"), "seed", least=0),
        labels=_text_mapping(found.get("labels"), "labels"),
        workers=_number(found.get("workers"), "workers", least=1, most=_MOST_WORKERS) or 1,
        tolerate=_number(found.get("tolerate"), "tolerate", least=0, most=_MOST_WORKERS) or 0,
    )


def _mapping(data: object, name: str) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ApiError(400, f"`{name}` is not an object")
    return data


def _text_mapping(data: object, name: str) -> dict[str, str]:
    found = _mapping(data, name)
    if not all(isinstance(value, str) for value in found.values()):
        raise ApiError(400, f"each value of `{name}` is a text")
    return found


def _text(data: object, name: str) -> str | None:
    if data in (None, ""):
        return None
    if not isinstance(data, str):
        raise ApiError(400, f"`{name}` is a text")
    return data


def _texts(data: object, name: str) -> tuple[str, ...]:
    if data is None:
        return ()
    if not isinstance(data, list) or not all(isinstance(one, str) for one in data):
        raise ApiError(400, f"`{name}` is a list of texts")
    return tuple(data)


def _number(data: object, name: str, *, least: int, most: int | None = None) -> int | None:
    if data is None:
        return None
    is_number = isinstance(data, int) and not isinstance(data, bool)
    if not is_number or data < least or (most is not None and data > most):  # type: ignore[operator]  # a number
        upto = "" if most is None else f" to {most}"
        raise ApiError(400, f"`{name}` is a whole number from {least}{upto}")
    return data  # type: ignore[return-value]  # as above
