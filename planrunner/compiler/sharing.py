"""What users share: pools, and the barriers at which they wait for each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.compiler.names.shared_names import SharedNames
from planrunner.graph.run_graph import (
    ALL_USERS,
    BarrierNode,
    PhaseNode,
    PoolNode,
    UserProgram,
    barriers_of,
)
from planrunner.language.diagnostics import Code
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.models.sharing import ValuePoolModel
from planrunner.plan.yaml.document import KeyOrValue, PlanPath
from planrunner.units import format_count

__all__ = ["check_sharing", "compile_pools"]

_DEFAULT_MOST: Final = 10_000

PhasePrograms = Iterable[tuple[PhaseNode, Sequence[UserProgram]]]


def compile_pools(
    work: Compilation, models: Mapping[str, ValuePoolModel], known: Known
) -> tuple[Known, SharedNames]:
    """Compile the pools, in file order; returns what is known with them as well."""
    pools: dict[str, PoolNode] = {}
    for name, model in models.items():
        where: PlanPath = ("pools", name)
        values = tuple(
            work.value(value, (*where, "values", index), work.constant_names).evaluate
            for index, value in enumerate(model.values or ())
        )
        most = work.settle(model.max, (*where, "max"), _DEFAULT_MOST)
        if len(values) > most:
            message = f"{format_count(len(values), 'value')} don't fit into a pool of {most:,}"
            hint = f"write `max: {len(values)}` or more"
            work.fault((*where, "values"), Code.CONFLICTING_KEYS, message, hint=hint, part="key")
        pools[name] = PoolNode(name, model.shared == "run", most, values)
    names = {name: pool.of_run for name, pool in pools.items()}
    return replace(known, pools=names), SharedNames(pools)


def check_sharing(
    work: Compilation, shared: SharedNames, model: PlanModel, phases: PhasePrograms
) -> None:
    """Note what is shared in vain, or for ever waited for."""
    _check_pools(work, shared, model)
    _check_barriers(work, shared, phases)


def _check_pools(work: Compilation, shared: SharedNames, model: PlanModel) -> None:
    """Note pools that are always empty, and those that nothing takes from."""
    read: dict[str, PlanPath] = {}
    for path, reference in references_in(model) if shared.pools else ():
        if reference.root == "pool" and reference.path:
            read.setdefault(str(reference.path[0]), path)
    for name, pool in shared.pools.items():
        used = shared.popped.get(name) or read.get(name)
        if used and not pool.values and name not in shared.pushed:
            message = f"the pool `{name}` is always empty: no step pushes to it"
            hint = f"add `push: {{pool.{name}: …}}` to what makes the values, or `values:` to it"
            part: KeyOrValue = "key" if name in shared.popped else "value"
            work.fault(used, Code.NEVER_RUNS, message, hint=hint, part=part)
        elif not used:
            does = "nothing takes from it" if name in shared.pushed else "no step uses it"
            work.notice(("pools", name), f"the pool `{name}`: {does}")


def _check_barriers(work: Compilation, shared: SharedNames, phases: PhasePrograms) -> None:
    """Note barriers that can't open in a phase that runs."""
    for phase, programs in phases if shared.barriers else ():
        first: dict[str, BarrierNode] = {}
        classes: dict[str, set[str]] = {}
        for program in programs:
            for barrier in barriers_of(program):
                other = first.setdefault(barrier.name, barrier)
                classes.setdefault(barrier.name, set()).add(program.name)
                if other.users != barrier.users:
                    _conflict(work, shared, other, barrier)
        for name, of in classes.items():
            where = shared.barriers[name, first[name].users]
            _check_barrier(work, where, first[name], (phase, programs), of)


def _conflict(
    work: Compilation, shared: SharedNames, first: BarrierNode, other: BarrierNode
) -> None:
    """Note that steps of one barrier wait for different numbers of users."""
    place = work.place(shared.barriers[first.name, first.users])
    message = f"the barrier `{first.name}` is for {other.who} here, and for {first.who} at {place}"
    hint = "give both the same `users`, or one of them another name"
    where = shared.barriers[other.name, other.users]
    work.fault(where, Code.CONFLICTING_KEYS, message, hint=hint)


def _check_barrier(
    work: Compilation,
    where: PlanPath,
    barrier: BarrierNode,
    load: tuple[PhaseNode, Sequence[UserProgram]],
    classes: set[str],
) -> None:
    phase, programs = load
    if barrier.users == ALL_USERS:
        if phase.load.has_due_times:
            message = f"phase `{phase.name}` has arrivals, so the number of `all` users is unknown"
            hint = "write a number of users, or use a phase with `users`"
            work.fault(where, Code.NOT_ALLOWED, message, hint=hint)
        return
    seats = phase.class_of_seats(programs)
    most = sum(name in classes for name in seats) if seats else phase.load.most_users
    if most < barrier.users:
        named = " and ".join(f"`{name}`" for name in sorted(classes))
        message = (
            f"a barrier for {barrier.who} can never open in phase `{phase.name}`: it has "
            f"{format_count(most, 'user')} of {named}"
        )
        hint = "write `users: all`, or give the phase more users"
        work.fault(where, Code.NEVER_RUNS, message, hint=hint)
