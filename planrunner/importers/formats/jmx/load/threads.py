"""Thread groups → how many users there are, and when."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.jmx.elements import JmxElement, JmxProperty
from planrunner.importers.formats.jmx.load.schedules import (
    open_model,
    profile_stages,
    staircase,
    trapezoids,
)
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.importers.formats.jmx.texts.numbers import JmxNumber, number_of, plain
from planrunner.values import dataclass

__all__ = ["JmxLoad", "is_group", "load_of"]

_LONG: Final = "24h"


@dataclass(slots=True)
class JmxLoad:
    """The load of a thread group.

    Attributes:
        users: None where the phase's other keys say it.
        phase: The other keys of the phase.
        user_class: Keys of the class.
        aborts: The first failure ends the test.
    """

    users: int | str | None
    phase: Keys
    user_class: Keys = field(default_factory=dict)
    loops: int | str | None = None
    aborts: bool = False


def is_group(element: JmxElement) -> bool:
    """Say whether an element has threads."""
    return element.kind in _KINDS


def load_of(group: JmxElement, resolver: JmxResolver, requests: int) -> JmxLoad:
    """Return the load of a thread group; `requests` is how many an iteration sends."""
    group.settle()
    load = _KINDS[group.kind](group, resolver, requests)
    fate = group.take("ThreadGroup.on_sample_error", "continue")
    on_error = {"startnextloop": "stop_iteration", "stopthread": "stop_user"}.get(fate)
    if on_error:
        load.user_class["on_error"] = on_error
    load.aborts = fate in ("stoptest", "stoptestnow")
    same = group.take("ThreadGroup.same_user_on_next_iteration", "true").strip().lower()
    if same == "false":
        load.user_class["session"] = "iteration"
    return load


def _threads(group: JmxElement, resolver: JmxResolver, requests: int) -> JmxLoad:
    users = number_of(group, "ThreadGroup.num_threads", resolver, 1)
    ramp = number_of(group, "ThreadGroup.ramp_time", resolver, 0)
    duration = number_of(group, "ThreadGroup.duration", resolver, 0)
    delay = number_of(group, "ThreadGroup.delay", resolver, 0)
    scheduled = group.flag("ThreadGroup.scheduler") and duration.plain != 0
    loops = _loops(group, resolver)
    resolver.variables.threads = users.plain
    if users.plain == 0 or (loops is not None and loops.plain == 0):
        group.construct.changed("JMeter runs nothing of it; here one user runs it once")
        return JmxLoad(1, {"iterations_per_user": 1}, loops=0)
    phase: Keys = {}
    if group.flag("ThreadGroup.scheduler") and delay.plain != 0:
        phase["start_at"] = delay.duration()
    if loops is None and scheduled and _is_cut(ramp, duration, users):
        reached = (users.plain or 1) * (duration.plain or 1) / (ramp.plain or 1)
        phase["stages"] = f"{duration.duration()}:{max(round(reached), 1)}"
        return JmxLoad(None, phase)
    if ramp.plain != 0 and users.plain != 1:
        phase["ramp_up"] = ramp.duration()
    if loops is None:
        _judge_short(group, ramp, duration, resolver)
        phase["hold"] = _hold(
            group, duration, ramp, scheduled=scheduled, has_ramp="ramp_up" in phase
        )
        return JmxLoad(users.whole, phase)
    phase["iterations_per_user"] = loops.whole
    if scheduled:
        phase["max_duration"] = duration.duration()
    elif loops.plain is None or loops.plain * requests > 15 or (ramp.plain or 999) > 300:
        phase["max_duration"] = _LONG
    return JmxLoad(users.whole, phase, loops=loops.whole)


def _is_cut(ramp: JmxNumber, duration: JmxNumber, users: JmxNumber) -> bool:
    """Say whether the test ends before all threads have started."""
    return (
        ramp.plain is not None
        and duration.plain is not None
        and users.plain is not None
        and ramp.plain >= duration.plain
    )


def _judge_short(
    group: JmxElement, ramp: JmxNumber, duration: JmxNumber, resolver: JmxResolver
) -> None:
    """Say it where params are such that the test ends before all threads have started."""
    params = resolver.variables.plan.params
    up, end = ramp.at_first(params), duration.at_first(params)
    if up is not None and end is not None and up > end:
        group.judge(
            "ThreadGroup.duration", "all users start before the phase ends; JMeter ends it before"
        )


def _hold(
    group: JmxElement, duration: JmxNumber, ramp: JmxNumber, *, scheduled: bool, has_ramp: bool
) -> str:
    if scheduled:
        return duration.minus(ramp if has_ramp else plain(0)).duration()
    why = "it runs until it is stopped manually: say how long in `hold`"
    for one in group.constructs():
        if one.words in ("LoopController.loops", "LoopController.continue_forever"):
            one.needs_you(why)
            break
    else:
        group.construct.needs_you(why)
    return "10m"


def _loops(group: JmxElement, resolver: JmxResolver) -> JmxNumber | None:
    """Return how often each thread runs; None for ever."""
    controller = group.get("ThreadGroup.main_controller")
    if controller is None:
        return plain(1)
    forever = False
    loops: JmxNumber | None = plain(1)
    for one in controller.everything():
        if one is controller:
            one.construct.translated()
        elif one.name == "LoopController.continue_forever":
            forever = one.read().strip().lower() == "true"
        elif one.name == "LoopController.loops":
            loops = _loop_count(group, one, resolver)
    if forever and controller.below("LoopController.loops") is None:
        return None
    return loops


def _loop_count(group: JmxElement, one: JmxProperty, resolver: JmxResolver) -> JmxNumber | None:
    text = one.read().strip()
    if text.startswith("-"):
        return None
    if text.isdigit():
        return plain(int(text))
    group.properties.setdefault("LoopController.loops", one)
    found = number_of(group, "LoopController.loops", resolver, 1)
    if found.plain is None:
        spec = resolver.variables.plan.params.get(found.code)
        default = spec.spec.get("default") if spec and isinstance(spec.spec, dict) else None
        if isinstance(default, int) and default < 0:
            return None
    return found


def _concurrency(group: JmxElement, resolver: JmxResolver, _requests: int) -> JmxLoad:
    unit = "s" if group.take("Unit", "M").strip().upper() == "S" else "m"
    target = number_of(group, "TargetLevel", resolver, 1)
    ramp = number_of(group, "RampUp", resolver, 0)
    steps = number_of(group, "Steps", resolver, 0)
    hold = number_of(group, "Hold", resolver, 0)
    _limits(group, "Iterations")
    group.take("LogFilename")
    group.take("ThreadGroup.main_controller")
    known = [one.plain for one in (target, ramp, steps, hold)]
    if steps.plain and steps.plain > 1 and ramp.plain != 0:
        if all(one is not None for one in known):
            levels, ramps, count, holds = (float(one or 0) for one in known)
            return JmxLoad(None, {"stages": staircase(levels, ramps, int(count), holds, unit, "")})
        group.judge("Steps", "users start evenly over the ramp-up, not in steps")
    phase: Keys = {"ramp_up": ramp.duration(unit)} if ramp.plain != 0 else {}
    return JmxLoad(
        target.whole, {**phase, "hold": hold.duration(unit) if hold.plain != 0 else "1s"}
    )


def _arrivals(group: JmxElement, resolver: JmxResolver, _requests: int) -> JmxLoad:
    unit = "s" if group.take("Unit", "M").strip().upper() == "S" else "m"
    target = number_of(group, "TargetLevel", resolver, 1)
    ramp = number_of(group, "RampUp", resolver, 0)
    hold = number_of(group, "Hold", resolver, 0)
    steps = number_of(group, "Steps", resolver, 0)
    limit = number_of(group, "ConcurrencyLimit", resolver, 1000)
    _limits(group, "Iterations")
    group.take("LogFilename")
    group.take("ThreadGroup.main_controller")
    known = [one.plain for one in (target, ramp, steps, hold)]
    phase: Keys = {}
    if steps.plain and steps.plain > 1 and ramp.plain and None not in known:
        levels, ramps, count, holds = (float(one or 0) for one in known)
        phase["stages"] = staircase(levels, ramps, int(count), holds, unit, f"/{unit}")
    else:
        rate = (
            f"{target.plain:g}/{unit}" if target.plain is not None else f"${{{target.code}}}/{unit}"
        )
        phase["rate"] = rate
        if ramp.plain != 0:
            phase["ramp_up"] = ramp.duration(unit)
        phase["hold"] = hold.duration(unit) if hold.plain != 0 else "1s"
    phase["arrivals"] = "poisson"
    phase["max_users"] = limit.whole or 1000
    return JmxLoad(None, phase)


def _limits(group: JmxElement, name: str) -> None:
    if group.peek(name).strip() not in ("", "0", "-1"):
        group.judge(name, "users go on until the time is up: write `iterations`")


def _free_arrivals(group: JmxElement, resolver: JmxResolver, _requests: int) -> JmxLoad:
    unit = "s" if group.take("Unit", "M").strip().upper() == "S" else "m"
    rows = _rows(group, "Schedule", 3)
    limit = number_of(group, "ConcurrencyLimit", resolver, 1000)
    _limits(group, "Iterations")
    group.take("LogFilename")
    group.take("ThreadGroup.main_controller")
    phase: Keys = (
        {"stages": profile_stages(rows, unit, unit, 1)} if rows else {"rate": "1/s", "hold": "1m"}
    )
    return JmxLoad(None, {**phase, "arrivals": "poisson", "max_users": limit.whole or 1000})


def _stepping(group: JmxElement, resolver: JmxResolver, _requests: int) -> JmxLoad:
    group.entries("ThreadGroup.main_controller")
    for one in group.entries("ThreadGroup.main_controller"):
        one.construct.translated()
    users = number_of(group, "ThreadGroup.num_threads", resolver, 1)
    names = (
        *("Threads initial delay", "Start users count", "Start users count burst"),
        *("Start users period", "Stop users count", "Stop users period", "flighttime", "rampUp"),
    )
    numbers = [number_of(group, name, resolver, 0).plain for name in names]
    if users.plain is None or None in numbers:
        for name in names:
            group.judge(name, "users start at once: steps need numbers, write `stages`")
        return JmxLoad(users.whole, {"hold": "10m"})
    delay, count, burst, period, stop, stop_period, flight, ramp = (
        int(one or 0) for one in numbers
    )
    return JmxLoad(
        None,
        {
            "stages": trapezoids(
                _batches(
                    int(users.plain),
                    (delay, count, burst, period, ramp),
                    (flight, stop, stop_period),
                )
            )
        },
    )


def _batches(
    users: int, start: tuple[int, int, int, int, int], end: tuple[int, int, int]
) -> list[tuple[float, float, float, float, float]]:
    """Return the batches that start together, each as a row of an Ultimate Thread Group."""
    delay, count, burst, period, ramp = start
    flight, stop, stop_period = end
    sizes: list[int] = []
    left = users
    while left > 0 and len(sizes) < 200:
        size = min(left, (burst if burst and not sizes else count) or users)
        sizes.append(size)
        left -= size
    top = delay + period * (len(sizes) - 1) + ramp + flight
    rows = []
    for number, size in enumerate(sizes):
        begin = delay + number * period
        rows.append([float(size), float(begin), float(ramp), float(top - begin - ramp), 0.0])
    # the last ones to start are the first to stop
    gone = 0
    for row in reversed(rows):
        batch = gone // (stop or users)
        gone += int(row[0])
        row[3] += batch * stop_period
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def _ultimate(group: JmxElement, _resolver: JmxResolver, _requests: int) -> JmxLoad:
    for one in group.entries("ThreadGroup.main_controller"):
        one.construct.translated()
    rows = _rows(group, "ultimatethreadgroupdata", 5)
    if not rows:
        return JmxLoad(1, {"hold": "1m"})
    return JmxLoad(
        None, {"stages": trapezoids([(row[0], row[1], row[2], row[3], row[4]) for row in rows])}
    )


def _rows(group: JmxElement, name: str, width: int) -> list[list[float]]:
    """Return the rows of a table of numbers; one with anything else is left out."""
    found = []
    for row in group.entries(name):
        texts = [one.read().strip() for one in row.items][:width]
        row.construct.translated()
        if len(texts) == width and all(re.fullmatch(r"\d{1,9}(\.\d+)?", text) for text in texts):
            found.append([float(text) for text in texts])
            continue
        for one in row.everything():
            one.construct.left_out("stages need numbers: write them in `stages`")
    return found


def _open(group: JmxElement, _resolver: JmxResolver, _requests: int) -> JmxLoad:
    prop = group.get("OpenModelThreadGroup.schedule")
    text = prop.read() if prop is not None else ""
    group.take("OpenModelThreadGroup.random_seed")
    group.take("ThreadGroup.main_controller")
    phase = open_model(text)
    if phase is None:
        if prop is not None:
            prop.construct.left_out('its schedule is more than stages: write `stages: "1m:50/s"`')
        phase = {"rate": "1/s", "hold": "1m"}
    return JmxLoad(None, phase)


_ReadJmxLoad = Callable[[JmxElement, JmxResolver, int], JmxLoad]

_KINDS: Final[dict[str, _ReadJmxLoad]] = {
    "ThreadGroup": _threads,
    "SetupThreadGroup": _threads,
    "PostThreadGroup": _threads,
    "ConcurrencyThreadGroup": _concurrency,
    "ArrivalsThreadGroup": _arrivals,
    "FreeFormArrivalsThreadGroup": _free_arrivals,
    "SteppingThreadGroup": _stepping,
    "UltimateThreadGroup": _ultimate,
    "OpenModelThreadGroup": _open,
}
