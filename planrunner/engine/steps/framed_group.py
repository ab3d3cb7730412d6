"""Groups of a protocol: something is sent before their steps, and after them or instead of that.

| the steps                                  | sent at the end | then                            |
|--------------------------------------------|-----------------|---------------------------------|
| reach their end                            | `after`         | what follows the group          |
| are left by a request that fails           | `instead`       | the same, unless `on_error` ends|
|                                            |                 | the iteration                   |
| end the iteration, are stopped or cancelled| `instead`       | that goes on                    |

What is sent is no sample, unless it fails: then it is one, under the name of the group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from planrunner.engine.recording.recorder import Site
from planrunner.engine.steps.failures import FailureRecorder
from planrunner.engine.steps.flow import timed_together
from planrunner.engine.steps.wires import Wires
from planrunner.engine.users.user_context import Actor, GroupLeft, Step, run_steps
from planrunner.graph.run_graph import GroupNode
from planrunner.protocols.base import Reply

__all__ = ["bind_framed_group"]


def bind_framed_group(
    node: GroupNode,
    steps: Sequence[Step],
    record: Callable[[int, int, str], None],
    wires: Wires,
    site: Site,
) -> Step:
    """Return a group as one step.

    Args:
        node: The group.
        steps: Its steps, bound.
        record: Records how long it took.
        wires: The open clients.
        site: Where failures of that go.
    """
    frame = node.frame
    assert frame is not None
    before, after, instead = (wires.bind(one) for one in (frame.before, frame.after, frame.instead))
    failures = FailureRecorder(site, after[0], node.origin.place)

    async def checked(user: Actor, what: tuple[int, Any]) -> None:
        reply = await _sent(user, what)
        if reply.failure is not None:
            await failures.failed(user, reply, reply.failure, reply.asked_ns, reply.detail, ())

    async def group(user: Actor) -> None:
        with timed_together(user, record):
            await checked(user, before)
            try:
                await run_steps(user, steps)
            except GroupLeft:
                await _sent(user, instead)
            except BaseException:
                await _sent(user, instead)
                raise
            else:
                await checked(user, after)

    return group


async def _sent(user: Actor, what: tuple[int, Any]) -> Reply:
    position, bound = what
    reply = await user.sends[position](bound, user.scope)
    user.moment_ns = reply.ended_ns
    return reply
