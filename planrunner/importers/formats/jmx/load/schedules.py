"""Tables and texts of plug-ins that shape the load → stages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from planrunner.importers.draft import Keys

__all__ = ["open_model", "profile_stages", "staircase", "trapezoids"]

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MOST: Final = 400


def staircase(target: float, ramp: float, steps: int, hold: float, unit: str, per: str) -> str:
    """Return stages that jump to a level in equal steps, then keep it."""
    steps = min(steps, _MOST)
    stages = []
    for number in range(1, steps + 1):
        level = f"{_level(target * number / steps, per)}{per}"
        stages += [f"0s:{level}", f"{_seconds(ramp / steps * _UNITS[unit])}:{level}"]
    if hold:
        stages.append(f"{_seconds(hold * _UNITS[unit])}:{_level(target, per)}{per}")
    return ", ".join(stages)


def trapezoids(rows: Sequence[tuple[float, float, float, float, float]]) -> str:
    """Return stages for rows of threads, delay, start-up, hold and shutdown, all added up."""
    times = {0.0}
    for _, delay, up, hold, down in rows[:_MOST]:
        times |= {delay, delay + up, delay + up + hold, delay + up + hold + down}
    ordered = sorted(times)
    stages = []
    level = 0
    for before, now in zip([0.0, *ordered], ordered, strict=False):
        arriving = round(sum(_height(row, now, after=False) for row in rows))
        leaving = round(sum(_height(row, now, after=True) for row in rows))
        if now > before:
            stages.append(f"{_seconds(now - before)}:{arriving}")
            level = arriving
        if leaving != level and (leaving or now < ordered[-1]):
            stages.append(f"0s:{leaving}")
            level = leaving
    return ", ".join(stages) or "1s:1"


def _height(row: tuple[float, float, float, float, float], at: float, *, after: bool) -> float:
    """Return how many threads of a row run just before or just after a time."""
    threads, begin, up, hold, down = row
    top, end = begin + up, begin + up + hold
    if at < begin or (at == begin and not after):
        return 0.0
    if at < top:
        return threads * (at - begin) / up
    if at < end or (at == end and (down or not after)):
        return threads
    if at < end + down:
        return threads * (end + down - at) / down
    return 0.0


def profile_stages(rows: Sequence[Sequence[float]], per: str, unit: str, requests: int) -> str:
    """Return stages for rows of start rate, end rate and duration."""
    stages: list[str] = []
    level = 0.0
    for start, end, duration in rows[:_MOST]:
        if start != level:
            stages.append(f"0s:{_level(start / requests, '/')}/{per}")
        stages.append(f"{_seconds(duration * _UNITS[unit])}:{_level(end / requests, '/')}/{per}")
        level = end
    return ", ".join(stages)


def open_model(schedule: str) -> Keys | None:
    """Return the phase of an Open Model Thread Group; None if its schedule says more."""
    plain = re.sub(r"/\*.*?\*/|//[^\n]*", "", schedule, flags=re.DOTALL)
    calls = re.findall(r"(\w+)\s*\(([^()]*)\)", plain)
    if re.sub(r"\w+\s*\([^()]*\)|[\s,;]", "", plain):
        return None
    try:
        stages = [stage for number in range(len(calls)) for stage in _open_stages(calls, number)]
    except ValueError:
        return None
    if all(one.startswith("0s:") for one in stages):
        return None
    is_random = any(name == "random_arrivals" for name, _ in calls)
    return {"stages": ", ".join(stages), **({"arrivals": "poisson"} if is_random else {})}


def _open_stages(calls: list[tuple[str, str]], number: int) -> list[str]:
    """Return the stages of one call of a schedule.

    Raises:
        ValueError: It is none that a plan has.
    """
    name, argument = calls[number]
    before = next((_rate(text) for one, text in reversed(calls[:number]) if one == "rate"), 0.0)
    if name == "rate":
        is_jump = number == 0 or calls[number - 1][0] in ("rate", "pause")
        return [f"0s:{_level(_rate(argument), '/')}/s"] if is_jump else []
    if name not in ("random_arrivals", "even_arrivals", "pause"):
        raise ValueError(name)
    seconds = _seconds(_duration(argument))
    level = f"{_level(before, '/')}/s"
    if name == "pause":
        return ["0s:0/s", f"{seconds}:0/s", f"0s:{level}"]
    following = calls[number + 1 : number + 2]
    end = _rate(following[0][1]) if following and following[0][0] == "rate" else before
    return [f"{seconds}:{_level(end, '/')}/s"]


def _rate(text: str) -> float:
    found = re.fullmatch(r"\s*([\d.]+)\s*(?:/|per)\s*(\d*)\s*([a-z]+)\s*", text)
    if found is None:
        raise ValueError(text)
    return float(found[1]) / (float(found[2] or 1) * _unit(found[3]))


def _duration(text: str) -> float:
    parts = re.findall(r"([\d.]+)\s*([a-z]+)", text.lower())
    if not parts:
        raise ValueError(text)
    return sum(float(number) * _unit(unit) for number, unit in parts)


def _unit(word: str) -> float:
    """Return a unit of time in seconds."""
    names = {
        1.0: ("s", "sec", "second", "seconds"),
        60.0: ("m", "min", "minute", "minutes"),
        3600.0: ("h", "hour", "hours"),
        86400.0: ("d", "day", "days"),
        0.001: ("ms",),
    }
    for size, words in names.items():
        if word in words:
            return size
    raise ValueError(word)


def _level(number: float, per: str) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".") if per else str(round(number))


def _seconds(number: float) -> str:
    whole = round(number * 1000)
    for name, each in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if whole and whole % each == 0:
            return f"{whole // each}{name}"
    return f"{whole}ms" if whole else "0s"
