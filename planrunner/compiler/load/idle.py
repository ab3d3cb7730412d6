"""Classes that take part in a phase and get none of its users: known before it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from planrunner.graph.run_graph import PhaseNode, UserProgram
from planrunner.units import format_count

__all__ = ["idle_notices"]


def idle_notices(
    phases: Iterable[tuple[PhaseNode, Sequence[UserProgram]]],
) -> Iterator[str]:
    """Name the classes that get no user although nobody left them out, phase by phase."""
    for phase, programs in phases:
        shares = [program.share for program in programs]
        idle = phase.load.classes_asked_for(shares) - phase.load.classes_with_users(shares)
        names = [f"`{program.name}`" for program in programs if program.name in idle]
        if names:
            yield (
                f"user class{'es' if len(names) > 1 else ''} {', '.join(names)} "
                f"{'get' if len(names) > 1 else 'gets'} none of the {_shared(phase)} of phase "
                f"`{phase.name}`; plan more of them, or a greater `weight`"
            )


def _shared(phase: PhaseNode) -> str:
    load = phase.load
    if load.has_due_times:
        return "arrivals"
    return format_count(load.most_users, "user")
