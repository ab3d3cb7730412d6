"""Scenarios of a script → phases, each with the function that it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from fractions import Fraction
from typing import Any, Final

from planrunner.importers.draft import Keys
from planrunner.importers.reading.quantities import per_second, read_seconds, seconds
from planrunner.values import dataclass

__all__ = ["NotALoad", "ReadScenario", "read_scenario"]

_DEFAULT_MAX: Final = "10m"


class NotALoad(Exception):  # noqa: N818 - reads as the sentence it stands for
    """A scenario that no phase says."""


@dataclass(slots=True)
class ReadScenario:
    """A scenario: its name, the function that it runs, and the keys of its phase.

    Attributes:
        is_open: It starts iterations at a rate.
        users: How many users there are, where the phase says a number.
        losses: What of it is left out, by key.
        tags: Of all of its requests.
    """

    name: str
    function: str
    keys: Keys
    is_open: bool = False
    losses: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


K6ScenarioOptions = Mapping[str, Any]
_COMMON: Final = frozenset(
    {
        *("executor", "exec", "startTime", "gracefulStop", "env", "tags", "stages", "vus"),
        *("duration", "iterations", "maxDuration", "rate", "timeUnit", "preAllocatedVUs"),
        *("maxVUs", "startVUs", "startRate", "gracefulRampDown", "options"),
    }
)


def read_scenario(name: str, options: K6ScenarioOptions) -> ReadScenario:
    """Return a scenario as a phase.

    Raises:
        NotALoad: No phase says it.
    """
    executor = str(options.get("executor", ""))
    read = _EXECUTORS.get(executor)
    if read is None:
        raise NotALoad(f"the executor `{executor}` has no counterpart: choose users or a rate")
    keys: Keys = {"name": name}
    made = ReadScenario(name, str(options.get("exec", "default")), keys)
    made.is_open = executor.endswith("arrival-rate")
    read(options, keys)
    start = read_seconds(options.get("startTime", 0))
    if start:
        keys["start_at"] = seconds(start)
    graceful = read_seconds(options.get("gracefulStop", "30s"))
    if graceful is not None and graceful != 30:
        keys["graceful_stop"] = seconds(graceful)
    for key in options:
        if key not in _COMMON:
            made.losses[key] = f"`{key}` of a scenario has no counterpart"
    return made


def _time(value: object, what: str) -> str:
    found = read_seconds(value)
    if found is None:
        raise NotALoad(f"{what} of `{value}` is not a time")
    return seconds(found)


def _whole(value: object, default: int = 1) -> int:
    if value is None:
        return default
    try:
        return max(0, int(float(str(value))))
    except ValueError:
        raise NotALoad(f"`{value}` is not a number") from None


def _constant_users(options: K6ScenarioOptions, keys: Keys) -> None:
    keys["users"] = max(1, _whole(options.get("vus")))
    keys["hold"] = _time(options.get("duration"), "a duration")


def _ramping_users(options: K6ScenarioOptions, keys: Keys) -> None:
    begin = _whole(options.get("startVUs"))
    if begin:
        keys["from"] = begin
    keys["stages"] = _stages(options, _whole, "users")


def _stages(options: K6ScenarioOptions, level: Callable[[object], object], key: str) -> list[Keys]:
    listed = options.get("stages")
    if not isinstance(listed, list) or not listed:
        raise NotALoad("stages that only the run knows: write them as `stages`")
    made: list[Keys] = []
    for one in listed:
        if not isinstance(one, dict):
            raise NotALoad("a stage that is not an object")
        made.append(
            {"duration": _time(one.get("duration"), "a stage"), key: level(one.get("target", 0))}
        )
    if all(one["duration"] == "0s" for one in made):
        raise NotALoad("stages that take no time: k6 ends at once")
    return made


def _rate(value: object, options: K6ScenarioOptions) -> str:
    unit = read_seconds(options.get("timeUnit", "1s")) or Fraction(1)
    try:
        return per_second(Fraction(str(value)) / unit)
    except ValueError:
        raise NotALoad(f"`{value}` is not a rate") from None


def _most_users(options: K6ScenarioOptions, keys: Keys) -> None:
    most = options.get("maxVUs", options.get("preAllocatedVUs"))
    if most is not None:
        keys["max_users"] = max(1, _whole(most))


def _constant_rate(options: K6ScenarioOptions, keys: Keys) -> None:
    keys["rate"] = _rate(options.get("rate"), options)
    keys["hold"] = _time(options.get("duration"), "a duration")
    _most_users(options, keys)


def _ramping_rate(options: K6ScenarioOptions, keys: Keys) -> None:
    begin = options.get("startRate", 0)
    if begin:
        keys["from"] = _rate(begin, options)
    keys["stages"] = _stages(options, lambda one: _rate(one, options), "rate")
    _most_users(options, keys)


def _each_iterations(options: K6ScenarioOptions, keys: Keys) -> None:
    keys["users"] = max(1, _whole(options.get("vus")))
    keys["iterations_per_user"] = max(1, _whole(options.get("iterations")))
    _longest(options, keys)


def _shared_iterations(options: K6ScenarioOptions, keys: Keys) -> None:
    keys["users"] = max(1, _whole(options.get("vus")))
    keys["iterations"] = max(1, _whole(options.get("iterations")))
    _longest(options, keys)


def _longest(options: K6ScenarioOptions, keys: Keys) -> None:
    longest = options.get("maxDuration")
    if longest is not None and _time(longest, "a duration") != _DEFAULT_MAX:
        keys["max_duration"] = _time(longest, "a duration")


_EXECUTORS: Final[dict[str, Callable[[K6ScenarioOptions, Keys], None]]] = {
    "constant-vus": _constant_users,
    "ramping-vus": _ramping_users,
    "constant-arrival-rate": _constant_rate,
    "ramping-arrival-rate": _ramping_rate,
    "per-vu-iterations": _each_iterations,
    "shared-iterations": _shared_iterations,
}
