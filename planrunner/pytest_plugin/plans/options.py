"""What `--perf-size` and `--perf-iterations` mean for a plan: a case, and counts of its phases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from planrunner.plan.yaml.document import read
from planrunner.python.keywords import RunKeywords

__all__ = ["cases_of", "keywords_of"]


def keywords_of(config: pytest.Config, path: str) -> RunKeywords:
    """Return the keywords with which `planrunner.run` does what the options ask for.

    Sizes pick the cases of these names where a matrix of the plan has cases; iterations replace
    those of phases that count them. Neither means anything for the rest of a plan.

    Raises:
        PlanError: The plan can't be read.
    """
    sizes: tuple[str, ...] | None = config.getoption("perf_size")
    iterations: int | None = config.getoption("perf_iterations")
    keywords: RunKeywords = {}
    if sizes is None and iterations is None:
        return keywords
    phases = dict(_phases(read(path).data))
    if sizes is not None and (cases := cases_of(path, sizes)):
        keywords["case"] = cases
    if iterations is not None:
        keywords["override"] = {
            f"{place}.{key}": iterations
            for place, phase in phases.items()
            for key in ("iterations", "iterations_per_user")
            if key in phase
        }
    return keywords


def cases_of(path: str, sizes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sizes to pick as cases; none where no matrix of the plan has cases.

    Of several sizes, those that the plan lacks are left out, unless it lacks them all.

    Raises:
        PlanError: The plan can't be read.
    """
    matrices = [phase.get("matrix") for _, phase in _phases(read(path).data)]
    known = [one["case"] for one in matrices if isinstance(one, dict) and "case" in one]
    names = [name for one in known if isinstance(one, list) for name in one]
    return (tuple(size for size in sizes if size in names) or sizes) if known else ()


def _phases(data: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the phases of a plan that need not be valid, by their place as an override has it."""
    if not isinstance(data, dict):
        return
    lists = {"phases": data.get("phases")}
    if isinstance(profiles := data.get("profiles"), dict):
        lists.update({f'profiles."{name}"': found for name, found in profiles.items()})
    for place, found in lists.items():
        for index, phase in enumerate(found if isinstance(found, list) else ()):
            if isinstance(phase, dict):
                yield f"{place}.{index}", phase
