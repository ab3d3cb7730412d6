"""What configurations are called: as short as tells them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from planrunner.errors import UsageError
from planrunner.formats import METRICS_JSON
from planrunner.results.model import RunResult

__all__ = ["configuration_names", "differing_values"]


def configuration_names(runs: Sequence[RunResult], paths: Sequence[Path]) -> list[str]:
    """Return what each run is called.

    A directory that the user named is its name; the others are called by the params and labels in
    which they differ, and by their directories where those are all alike.

    Args:
        runs: In order.
        paths: Of their directories, or of what was promoted from them.

    Raises:
        UsageError: Two paths are the same.
    """
    places = [path.absolute() for path in paths]
    for n, place in enumerate(places):
        if place in places[:n]:
            raise UsageError(f"`{paths[n]}` is named twice", hint="name each run once")
    by_values = [
        ", ".join(f"{name}={value}" for name, value in values.items())
        for values in differing_values(runs)
    ]
    is_named = all(run.run_id not in path.name for run, path in zip(runs, places, strict=True))
    if not is_named and len(set(by_values)) == len(runs):
        return by_values
    return _distinct([_parts(place) for place in places])


def differing_values(runs: Sequence[RunResult]) -> list[Mapping[str, str]]:
    """Return the params of each run, and then its labels, that are not the same in all."""
    each = [{**run.labels, **run.params} for run in runs]
    order = dict.fromkeys(name for run in runs for name in (*run.params, *run.labels))
    differing = [name for name in order if len({one.get(name) for one in each}) > 1]
    return [{name: one[name] for name in differing if name in one} for one in each]


def _parts(place: Path) -> tuple[str, ...]:
    if place.name == METRICS_JSON:
        place = place.parent
    return (*place.parent.parts, place.name.removesuffix(".json"))


def _distinct(parts: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the ends of paths, with as many of their folders as tell all apart."""
    for count in range(1, max(map(len, parts))):
        ends = ["/".join(one[-count:]) for one in parts]
        if len(set(ends)) == len(ends):
            return ends
    return ["/".join(one) for one in parts]
