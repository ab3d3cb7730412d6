"""Profiles that use others: each one exists, none comes back to itself, and all stay readable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from planrunner.compiler.compilation import Compilation
from planrunner.language.diagnostics import Code, suggest
from planrunner.plan.models.load.profiles import MOST_USED
from planrunner.plan.models.load.workload import PhaseModel
from planrunner.plan.yaml.document import PlanPath

__all__ = ["check_uses"]

Profiles = Mapping[str, Sequence[PhaseModel]]


def check_uses(work: Compilation, profiles: Profiles) -> None:
    """Note a fault for each `use` that gives no phases, or more than anybody can read."""
    uses = list(_uses(profiles))
    if not uses:
        return
    before = len(work.faults)
    for path, _, used in uses:
        if used not in profiles:
            hint = suggest(used, list(profiles)) or "profiles: " + ", ".join(profiles)
            work.fault(path, Code.UNKNOWN_NAME, f"no profile is called `{used}`", hint=hint)
    graph: dict[str, set[str]] = {name: set() for name in profiles}
    for _, name, used in uses:
        graph[name].add(used)
    from graphlib import CycleError, TopologicalSorter  # noqa: PLC0415 - few plans have profiles

    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        _fault_of_circle(work, uses, error.args[1])
        return
    if len(work.faults) == before:
        _check_length(work, profiles, order)


def _uses(profiles: Profiles) -> Iterator[tuple[PlanPath, str, str]]:
    """Yield the place of each `use`, the profile that has it and the one that it names."""
    for name, phases in profiles.items():
        for index, phase in enumerate(phases):
            if phase.use is not None:
                yield ("profiles", name, index, "use"), name, phase.use


def _fault_of_circle(
    work: Compilation, uses: Sequence[tuple[PlanPath, str, str]], circle: Sequence[str]
) -> None:
    # Each is used by the next, and the first is the last.
    users = list(reversed(circle))
    edges = list(pairwise(users))
    # Begin where the file does: that is what its author reads first.
    path, first, _ = next(use for use in uses if (use[1], use[2]) in edges)
    turn = users.index(first)
    words = " → ".join([*users[turn:-1], *users[:turn], first])
    message = f"profile `{first}` uses itself: {words}"
    work.fault(path, Code.NOT_ALLOWED, message, hint="leave out one `use` of this circle")


def _check_length(work: Compilation, profiles: Profiles, order: Sequence[str]) -> None:
    """Note a fault at the first profile that comes to too many phases; `order` is bottom up."""
    entries: dict[str, int] = {}
    for name in order:
        used = [phase.use for phase in profiles[name] if phase.use is not None]
        inside = sum(entries[one] for one in used)
        entries[name] = len(profiles[name]) + inside
        if len(used) + inside > MOST_USED:  # as `unfold` counts
            message = f"profile `{name}` uses over {MOST_USED:,} phases"
            hint = "let it use each profile a few times at most"
            work.fault(("profiles", name), Code.TOO_COMPLEX, message, hint=hint, part="key")
            return
