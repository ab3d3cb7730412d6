"""Timers: each pauses before every sampler in its scope, one after the other."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.scope import JmxScope
from planrunner.importers.formats.jmx.texts.functions import JmxResolver

__all__ = ["milliseconds", "pauses", "seconds"]

_YEAR: Final = 365 * 86_400_000
_NUMBER: Final = re.compile(r"\s*(\d{1,12})(?:\.\d+)?\s*")


def milliseconds(number: float) -> str:
    """Return a duration as people write it."""
    whole = min(round(number), _YEAR)
    if whole and whole % 60_000 == 0:
        return f"{whole // 60_000}m"
    if whole and whole % 1000 == 0:
        return f"{whole // 1000}s"
    return f"{whole}ms"


def seconds(number: float) -> str:
    """Return a duration of seconds as people write it."""
    return milliseconds(number * 1000)


def pauses(scope: JmxScope, resolver: JmxResolver) -> Iterator[DraftStep]:
    """Yield what happens before a sampler: constant pauses together, then the others."""
    constant: tuple[float, JmxElement] | None = None
    others: list[DraftStep] = []
    for timer in scope.timers:
        timer.settle()
        number = _constant(timer) if timer.kind == "ConstantTimer" else None
        if number is None:
            others += _others(timer, resolver)
        elif number:
            constant = (number + (constant[0] if constant else 0), timer)
    others = [one for one in others if one.body.get("think") != "0ms"]
    if constant is not None:
        origin = constant[1].construct.place
        yield DraftStep({"think": milliseconds(constant[0])}, origin=origin)
    yield from others


def _constant(timer: JmxElement) -> float | None:
    found = _NUMBER.fullmatch(timer.take("ConstantTimer.delay", "0") or "0")
    return float(found[1]) if found else None


def _others(timer: JmxElement, resolver: JmxResolver) -> Iterator[DraftStep]:
    if timer.kind == "SyncTimer":
        yield DraftStep(_barrier(timer, resolver), origin=timer.construct.place)
        return
    pause = _pause(timer, resolver)
    if pause is not None:
        yield DraftStep({"think": pause}, origin=timer.construct.place)


def _pause(timer: JmxElement, resolver: JmxResolver) -> str | None:
    """Return the pause of a timer; None, judged, where a plan can't say it."""
    if timer.kind not in ("ConstantTimer", *_SHAPES):
        timer.leave_out("its script computes a pause: write `think` with a distribution")
        for one in timer.constructs():
            one.left_out("its script computes a pause: write `think` with a distribution")
        return None
    delay = _number(timer, "ConstantTimer.delay", resolver)
    if timer.kind == "ConstantTimer":
        return delay
    spread = _number(timer, "RandomTimer.range", resolver)
    return _SHAPES[timer.kind](delay or "0ms", spread or "0ms")


def _number(timer: JmxElement, name: str, resolver: JmxResolver) -> str | None:
    """Return a property in milliseconds; None, judged, where it isn't known before the run."""
    found = timer.get(name)
    if found is None or not found.text.strip():
        return None
    construct = found.construct
    text = found.read().strip()
    number = _NUMBER.fullmatch(text)
    if number:
        return milliseconds(float(number[1]))
    if "${" not in text:
        construct.left_out("it is not a number of milliseconds: write `think: 1s`")
        return None
    value = resolver.expression(text, construct)
    if value.is_static and value.kind == "int":
        return f"${{{value.code}}}ms"
    drawn = re.fullmatch(r"rand\.int\((\d+), (\d+)\)", value.code)
    if drawn:
        return f"{drawn[1]}ms..{drawn[2]}ms" if int(drawn[1]) < int(drawn[2]) else f"{drawn[1]}ms"
    construct.left_out("a pause must be known before the run: write `think` with a range")
    return None


def _uniform(delay: str, spread: str) -> str:
    low, high = _plain(delay), _plain(spread)
    if low is None or high is None:
        return f"{delay}..{spread}" if low == 0 else delay
    return f"{milliseconds(low)}..{milliseconds(low + high)}" if high else milliseconds(low)


def _gaussian(delay: str, spread: str) -> str:
    return f"normal({delay}, {spread})" if _plain(spread) != 0 else delay


def _poisson(delay: str, spread: str) -> str:
    low, high = _plain(delay), _plain(spread)
    if low is None or high is None or not high:
        return delay
    return f"normal({milliseconds(low + high)}, {milliseconds(max(math.sqrt(high), 1))})"


_SHAPES: Final = {
    "UniformRandomTimer": _uniform,
    "RandomTimer": _uniform,
    "GaussianRandomTimer": _gaussian,
    "PoissonRandomTimer": _poisson,
}


def _plain(duration: str) -> float | None:
    found = re.fullmatch(r"(\d+)(ms|s|m)", duration)
    return int(found[1]) * {"ms": 1, "s": 1000, "m": 60_000}[found[2]] if found else None


def _barrier(timer: JmxElement, resolver: JmxResolver) -> Keys:
    size = timer.take("groupSize", "0").strip() or "0"
    limit = timer.take("timeoutInMs", "0").strip() or "0"
    users: object = "all"
    if "${" in size:
        construct = timer.properties["groupSize"].construct
        value = resolver.expression(size, construct)
        if value.is_static and value.kind == "int":
            users = f"${{{value.code}}}"
        else:
            construct.changed("it waits for all users: the number must be known before the run")
    elif size.isdigit() and int(size) > 0:
        users = int(size)
        threads = resolver.variables.threads
        if threads is not None and users > threads:
            timer.construct.suspicious("it waits for more users than there are: it never opens")
            users = "all"
    keys: Keys = {"name": timer.name or "barrier", "users": users}
    if limit.isdigit() and int(limit):
        keys["timeout"] = milliseconds(int(limit))
    return {"barrier": keys}
