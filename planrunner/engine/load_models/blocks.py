"""Steps that run once, with one user that belongs to no phase: preflight, setup, teardown."""

from __future__ import annotations

from typing import Final

from planrunner.engine.load_models.user_pool import WorkerContext
from planrunner.engine.scheduling.timeline import Timeline
from planrunner.engine.steps.binder import Binder, StepPlace
from planrunner.engine.users.user_context import Actor
from planrunner.engine.users.virtual_user import user_stream
from planrunner.engine.users.visitor import RETRY_NS, run_once
from planrunner.graph.run_graph import Block, ClosedLoad, OnFail, PhaseNode, Stage
from planrunner.language.expressions.builtins.random_draws import Rand

__all__ = ["once_timeline", "run_block"]

MOST_TRIES: Final = 10
"""Of a block with `on_fail: retry`, which no end of a phase would stop."""


def once_timeline(name: str, now_ns: int) -> Timeline:
    """Return a timeline without any measured time, for samples under the phase `name`."""
    phase = PhaseNode(name, ClosedLoad((Stage("", 0, 1),)), ())
    return Timeline(phase, now_ns)


async def run_block(name: str, block: Block, *, context: WorkerContext, binder: Binder) -> str:
    """Run a block to its end; returns what failed, in words, or nothing.

    What it set of the block's names is seen by every user that starts afterwards, and by teardown,
    also when it failed: what was made before that has to be taken away.
    """
    rng = user_stream(context.seed, name, "", 0)
    actor = Actor(
        clock=context.clock,
        scope={**context.scope, "rand": Rand(rng)},
        sessions=context.sessions.open(),
        rng=rng,
        counters=context.counters,
    )
    steps = binder.steps(block.steps, StepPlace(""))
    tries = MOST_TRIES if block.on_fail is OnFail.RETRY else 1
    try:
        while not await run_once(actor, steps):
            tries -= 1
            if not tries:
                return actor.words
            context.counters.retries += 1
            await context.clock.sleep_until(context.clock.now_ns() + RETRY_NS)
    finally:
        names = (*block.names, *actor.lasting)
        context.scope |= {name: actor.scope[name] for name in names if name in actor.scope}
        for session in actor.sessions:
            await session.close()
    return ""
