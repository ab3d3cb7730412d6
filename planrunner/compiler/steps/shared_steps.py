"""Steps that change lists, the user's or shared ones, and those that wait for other users."""

from __future__ import annotations

from typing import Final

from planrunner.compiler.names.known_names import pool_hint
from planrunner.compiler.steps.walk import StepWalk
from planrunner.graph.shared_steps import ALL_USERS
from planrunner.graph.steps import BarrierNode, Evaluate, PopNode, PushNode, StepNode
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.builtins.names import pool_in
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.units import NS_PER_S

__all__ = ["compile_barrier", "compile_pop", "compile_push"]

_BARRIER_TIMEOUT_NS: Final = 30 * NS_PER_S


def compile_push(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, _: frozenset[str]
) -> StepNode:
    values = []
    for name, value in (model.push or {}).items():
        where = (*path, "push", name)
        if pool := pool_in(name):
            if _is_pool(walk, pool, where):
                walk.shared.pushed.add(pool)
        else:
            walk.must_exist(name, where)
        values.append((name, walk.work.value(value, where, walk.known).evaluate))
    return PushNode(tuple(values), when)


def compile_pop(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, _: frozenset[str]
) -> StepNode:
    pop = model.pop
    assert pop is not None
    where = (*path, "pop", pop.source)
    pool = pool_in(pop.source)
    if not pool:
        walk.must_exist(pop.source, where)
    elif _is_pool(walk, pool, where):
        walk.shared.popped.setdefault(pool, where)
        if not walk.has_phase and not walk.shared.pools[pool].of_run:
            message = f"each worker has a pool `{pool}` of its own, and none runs this"
            hint = f"let the run have it: `pools: {{{pool}: {{shared: run}}}}`"
            walk.work.fault(where, Code.NOT_ALLOWED, message, hint=hint, part="key")
    wait_ns = walk.work.settle(pop.wait, (*path, "pop", "wait"), 0)
    if pop.target:
        walk.write_as(pop.target, (*path, "pop", "as"))
    return PopNode(
        pool or pop.source, pop.which, pop.target, when, is_pool=bool(pool), wait_ns=wait_ns
    )


def _is_pool(walk: StepWalk, name: str, where: PlanPath) -> bool:
    """Note a fault unless the plan has the pool."""
    pools = walk.shared.pools
    if name in pools:
        return True
    hint = pool_hint(name, pools)
    walk.work.fault(where, Code.UNKNOWN_NAME, f"unknown pool `{name}`", hint=hint, part="key")
    return False


def compile_barrier(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, _: frozenset[str]
) -> StepNode:
    barrier, where = model.barrier, (*path, "barrier")
    assert barrier is not None
    work = walk.work
    written = barrier.users
    users = ALL_USERS if written == "all" else work.settle(written, (*where, "users"), 1)
    if not walk.has_phase or walk.known.after_iterations:
        message = "no users wait for each other here"
        hint = "write the barrier in `on_start`, `tasks` or `steps` of a user class"
        work.fault(where, Code.NOT_ALLOWED, message, hint=hint, part="key")
    walk.shared.barriers.setdefault((barrier.name, users), (*where, "users"))
    timeout_ns = work.settle(barrier.timeout, (*where, "timeout"), _BARRIER_TIMEOUT_NS)
    return BarrierNode(barrier.name, users, timeout_ns, when)
