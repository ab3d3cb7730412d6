"""An execution of Taurus → the keys of a phase."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.nodes import SourceEntry, SourceNode
from planrunner.importers.reading.documents import leave_out, suspect
from planrunner.importers.reading.quantities import per_second, read_seconds, seconds
from planrunner.values import dataclass

__all__ = ["TaurusExecution", "phase_keys"]

_OF_SCENARIO: Final = frozenset(
    {"keepalive", "timeout", "think-time", "store-cookie", "store-cache", "default-address"}
)
_OTHER: Final = ("locations", "locations-weighted", "distributed", "files", "provisioning")


@dataclass(slots=True, eq=False)
class TaurusExecution:
    """One execution.

    Attributes:
        default: The tool that runs it where it names none.
        is_cloud: BlazeMeter's machines run it.
        runs_all: All classes of the plan run in it.
        user_class: That runs in it; empty where nothing of its scenario is left.
    """

    node: SourceNode
    default: str = "jmeter"
    is_cloud: bool = False
    user_class: str = ""
    runs_all: bool = False

    @property
    def executor(self) -> str:
        """The tool that runs it."""
        found = self.node.get("executor")
        return found.text() if found is not None else self.default


def phase_keys(one: TaurusExecution) -> Keys:
    """Return the load of an execution; judges its keys."""
    node = one.node
    node.take_whole("executor")
    where = "cloud" if one.is_cloud else "local"
    users = int(_number(node, "concurrency", where) or 1)
    hold, ramp = _number(node, "hold-for", where), _number(node, "ramp-up", where)
    iterations, steps = _number(node, "iterations", where), _number(node, "steps", where)
    throughput = _number(node, "throughput", where)
    keys: Keys = {"users": max(1, users)}
    lasts = (hold or Fraction(0)) + (ramp or Fraction(0))
    if iterations or not lasts:
        keys["iterations_per_user"] = max(1, int(iterations or 1))
        keys |= {"ramp_up": seconds(ramp)} if ramp else {}
        keys |= {"max_duration": seconds(lasts)} if lasts else {}
    elif ramp and steps and steps > 1:
        keys = {"stages": _stairs(users, ramp, hold or Fraction(0), int(steps))}
    elif not hold:
        keys = {"stages": [{"duration": seconds(lasts), "users": max(1, users)}]}
    else:
        keys |= {"ramp_up": seconds(ramp)} if ramp else {}
        keys["hold"] = seconds(hold)
    if throughput and "iterations_per_user" not in keys:
        keys["throttle"] = per_second(throughput)
    delay = _number(node, "delay", where)
    if delay:
        keys["start_at"] = seconds(delay)
    _judge_rest(node, is_cloud=one.is_cloud)
    return keys


def _stairs(users: int, ramp: Fraction, hold: Fraction, steps: int) -> list[Keys]:
    """Return stages that jump from step to step, and hold the last one."""
    stages: list[Keys] = []
    for step in range(1, min(steps, 100) + 1):
        level = max(1, round(users * step / steps))
        last = hold if step == steps else Fraction(0)
        stages += [
            {"duration": "0s", "users": level},
            {"duration": seconds(ramp / steps + last), "users": level},
        ]
    return stages


def _value(node: SourceNode, key: str, where: str) -> tuple[SourceEntry, object] | None:
    """Return a value; of several places (`{local: 1, cloud: 50}`) that of the one that runs it."""
    entry = node.entry(key)
    if entry is None:
        return None
    entry.construct.translated()
    if not entry.node.is_mapping:
        return entry, entry.node.scalar
    entry.node.whole()
    found = entry.node.get(where)
    return entry, found.scalar if found is not None else None


def _number(node: SourceNode, key: str, where: str) -> Fraction | None:
    found = _value(node, key, where)
    if found is None:
        return None
    entry, value = found
    default = re.fullmatch(r"\$\{__P\([^,()]+,\s*([\d.]+)\s*\)\}", str(value))
    number = read_seconds(default[1] if default else value)
    if default is not None:
        entry.construct.needs_you("it was a property: make a param of it where it should vary")
    elif number is None and value is not None:
        entry.construct.needs_you(f"write the number that was `{value}`")
    return number


def _judge_rest(node: SourceNode, *, is_cloud: bool) -> None:
    """Judge the other keys; those of BlazeMeter's machines do nothing in a local run."""
    for one in node.entries or []:
        if one.construct.fate is not None or one.key in ("script", "requests"):
            continue
        if one.key in _OF_SCENARIO:
            suspect(one, "Taurus reads it in the scenario: here it has no effect")
        elif one.key not in _OTHER:
            _leave_out_unjudged(one, "a setting of the tool that ran it")
        elif is_cloud:
            leave_out(one, "one machine runs it: see `--workers` and `--cluster`")
        else:
            one.construct.translated()
            one.node.whole()


def _leave_out_unjudged(entry: SourceEntry, instead: str) -> None:
    for one in (entry, *entry.node.below()):
        if one.construct.fate is None:
            one.construct.left_out(instead)
