"""Timers that hold a rate: they shape the load of a thread group, not its steps."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.load.schedules import profile_stages
from planrunner.importers.formats.jmx.samplers.timers import milliseconds
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.importers.formats.jmx.texts.numbers import number_of

__all__ = ["shape_rate"]

_RATES: Final = ("ConstantThroughputTimer", "PreciseThroughputTimer", "VariableThroughputTimer")


def shape_rate(
    elements: Sequence[JmxElement],
    phase: Keys,
    user_class: Keys,
    resolver: JmxResolver,
    *,
    requests: Callable[[JmxElement], int],
    is_alone: bool,
) -> None:
    """Change a phase so that it keeps the rate of the timers in a thread group.

    `requests` says how many requests an iteration sends for each time that a timer waits.
    """
    timers = [one for one in elements if one.kind in _RATES]
    for number, timer in enumerate(timers):
        timer.settle()
        if number:
            timer.leave_out("a phase has one rate")
            timer.construct.left_out("a phase has one rate")
        elif timer.kind == "ConstantThroughputTimer":
            _constant(timer, phase, user_class, resolver, requests(timer), is_alone=is_alone)
        elif timer.kind == "PreciseThroughputTimer":
            _precise(timer, phase, resolver)
        else:
            _profile(timer, phase, resolver, requests(timer))


def _constant(
    timer: JmxElement,
    phase: Keys,
    user_class: Keys,
    resolver: JmxResolver,
    requests: int,
    *,
    is_alone: bool,
) -> None:
    mode = timer.take("calcMode", "0").strip()
    rate = number_of(timer, "throughput", resolver, 60)
    if rate.plain == 0:
        return
    if mode in ("", "0"):
        if rate.plain is None:
            timer.judge("throughput", "write `pace` with a time that is known")
            return
        user_class["pace"] = milliseconds(60_000 * max(requests, 1) / rate.plain)
        if requests > 1:
            timer.judge("calcMode", f"iterations are paced, {requests} requests each, not requests")
        return
    if "rate" in phase or "arrivals" in phase:
        timer.leave_out("arrivals have a rate of their own")
        timer.judge("throughput", "arrivals have a rate of their own")
        return
    if mode in ("1", "3") and not is_alone:
        timer.judge("calcMode", "each phase keeps this rate for itself")
    phase["throttle"] = (
        f"{_plain(rate.plain)}/m" if rate.plain is not None else f"${{{rate.code}}}/m"
    )


def _plain(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")


def _precise(timer: JmxElement, phase: Keys, resolver: JmxResolver) -> None:
    count = number_of(timer, "throughput", resolver, 60).plain
    period = number_of(timer, "throughputPeriod", resolver, 60).plain
    for name in ("duration", "exactLimit", "allowedThroughputSurplus", "batchSize"):
        timer.take(name)
    for name in ("batchThreadDelay", "randomSeed"):
        timer.take(name)
    if not count or not period or "rate" in phase or "arrivals" in phase:
        timer.judge("throughput", "write `throttle` beside `users`, or `rate`")
        return
    timer.judge("throughput", "requests are held to this rate, evenly, not at random times")
    phase["throttle"] = f"{_plain(count * 60 / period)}/m"


def _profile(timer: JmxElement, phase: Keys, resolver: JmxResolver, requests: int) -> None:
    rows = []
    for row in timer.entries("load_profile"):
        texts = [one.read().strip() for one in row.items][:3]
        row.construct.translated()
        if len(texts) == 3 and all(re.fullmatch(r"\d{1,9}(\.\d+)?", text) for text in texts):
            rows.append([float(text) for text in texts])
            continue
        for one in row.everything():
            one.construct.left_out("stages need numbers: write `stages`")
    del resolver
    if not rows:
        return
    users = phase.get("users")
    limit = next(iter(users.values())) if isinstance(users, dict) else users
    for key in ("users", "ramp_up", "hold", "stages", "iterations_per_user", "max_duration"):
        phase.pop(key, None)
    phase["stages"] = profile_stages(rows, "s", "s", max(requests, 1))
    if isinstance(limit, int) and limit:
        phase["max_users"] = max(limit, math.ceil(max(max(row[:2]) for row in rows) / 1000))
    if requests > 1:
        timer.construct.changed(
            f"iterations arrive at this rate, divided by the {requests} requests of each"
        )
