"""Whether configurations had the same load: without that none of them is better than another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.results.loads import PhaseLoad
from planrunner.results.model import RunResult
from planrunner.units import NS_PER_S, format_count, format_duration

__all__ = ["differing_words", "load_differences"]

_NEAR: Final = 0.05
"""Arrivals are drawn, and a phase ends with its last second: so much is no other load."""

_NONE: Final = "none"


def load_differences(runs: Sequence[RunResult], names: Sequence[str]) -> list[str]:
    """Return how the load of runs differs, each a sentence; none where it is the same."""
    return list(_differences(runs, names))


def differing_words(what: str, values: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Yield a sentence on what differs, if it does."""
    if len(set(values)) > 1:
        told = ", ".join(f"`{name}` {value}" for name, value in zip(names, values, strict=True))
        yield f"{what}: {told}"


def _differences(runs: Sequence[RunResult], names: Sequence[str]) -> Iterator[str]:
    plans = [f"ran `{run.plan}`" for run in runs]
    if len(set(plans)) > 1:
        yield from differing_words("the plans differ", plans, names)
        return
    if _has_changed(runs):
        yield "the plan changed between the runs"
    profiles = [f"`{run.profile}`" if run.profile else _NONE for run in runs]
    yield from differing_words("the profiles differ", profiles, names)
    phases = list(dict.fromkeys(load.phase for run in runs for load in run.loads))
    for phase in phases:
        loads = [next((one for one in run.loads if one.phase == phase), None) for run in runs]
        yield from _load_words(phase, loads, names)
    yield from _duration_words(runs, names)


def _has_changed(runs: Sequence[RunResult]) -> bool:
    if len({run.plan_text for run in runs if run.plan_text}) > 1:
        return True
    hashes: dict[tuple[tuple[str, str], ...], set[str]] = {}
    for run in runs:
        hashes.setdefault(tuple(sorted(run.params.items())), set()).add(run.plan_hash)
    return any(len(found) > 1 for found in hashes.values())


def _load_words(
    phase: str, loads: Sequence[PhaseLoad | None], names: Sequence[str]
) -> Iterator[str]:
    models = [_NONE if one is None else one.model for one in loads]
    yield from differing_words(f"the load of phase `{phase}` differs", models, names)
    found = [one for one in loads if one is not None]
    if len(set(models)) > 1 or found[0].model == "search":
        return
    amounts = [one.requested for one in found]
    if found[0].has_arrivals and _are_near(amounts):
        return
    shown = [format_count(one.requested, one.unit.removesuffix("s")) for one in found]
    yield from differing_words(f"the load of phase `{phase}` differs", shown, names)


def _duration_words(runs: Sequence[RunResult], names: Sequence[str]) -> Iterator[str]:
    """Yield where measured time differs, but for phases that last as long as their work does."""
    each = [_seconds(run) for run in runs]
    for part in dict.fromkeys(part for one in each for part in one):
        seconds = [one.get(part, 0.0) for one in each]
        if not _are_near(seconds):
            phase, stage = part
            where = f"phase `{phase}`" + (f", stage `{stage}`" if stage else "")
            shown = [format_duration(round(one * NS_PER_S)) if one else _NONE for one in seconds]
            yield from differing_words(f"the measured time of {where} differs", shown, names)


def _seconds(run: RunResult) -> Mapping[tuple[str, str], float]:
    counted = {load.phase for load in run.loads if load.model == "counted"}
    found: dict[tuple[str, str], float] = {}
    for part in run.measured:
        if part.phase not in counted:
            key = part.phase, part.stage
            found[key] = found.get(key, 0.0) + (part.end_ns - part.start_ns) / NS_PER_S
    return found


def _are_near(amounts: Sequence[float]) -> bool:
    return max(amounts) - min(amounts) <= _NEAR * max(amounts)
