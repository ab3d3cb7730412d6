"""Steps that run others, change a user's lists, or end something; bound once for all users."""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate, islice
from typing import Final

from planrunner.engine.sharing.pools import NOTHING
from planrunner.engine.sharing.sharing import BarrierGate, SharedPool, Sharing
from planrunner.engine.steps.failures import kind_of_cut
from planrunner.engine.steps.step_failures import StepFailures
from planrunner.engine.steps.step_services import StepServices
from planrunner.engine.users.user_context import (
    Actor,
    IterationEnded,
    NeverBegun,
    Step,
    StepsStopped,
    run_steps,
)
from planrunner.graph.run_graph import (
    BarrierNode,
    CallNode,
    Evaluate,
    ForeachNode,
    HeaderNode,
    IfNode,
    LogNode,
    PopNode,
    PushNode,
    RepeatNode,
    SetNode,
    StopNode,
    StopWhat,
    SwitchNode,
    ThinkNode,
    WhileNode,
)
from planrunner.language.expressions.builtins.names import pool_in
from planrunner.language.expressions.values import EvaluationError, kind_of, to_text
from planrunner.protocols.base import FailureKind, Reply
from planrunner.units import write_duration

__all__ = [
    "bind_barrier",
    "bind_call",
    "bind_choose",
    "bind_foreach",
    "bind_group",
    "bind_header",
    "bind_if",
    "bind_log",
    "bind_pool_pop",
    "bind_pop",
    "bind_push",
    "bind_repeat",
    "bind_set",
    "bind_stop",
    "bind_switch",
    "bind_think",
    "bind_while",
    "in_turn",
    "only_when",
    "timed_by_itself",
    "timed_together",
]

_MOST_TEXT: Final = 16_000_000
"""Of a variable: one that is joined with itself, time after time, doubles each time."""

_ROUNDS_PER_TURN: Final = 256
"""Rounds of a loop after which others get a turn: in its steps, nothing might wait."""

_STEPS_PER_TURN: Final = 512
"""The same of a loop whose rounds aren't counted."""


def only_when(when: Evaluate | None, step: Step, failures: StepFailures) -> Step:
    """Return the step so that it runs only where a condition holds, if it has one."""
    if when is None:
        return step

    def step_if(user: Actor) -> Awaitable[Reply | None] | None:
        return step(user) if failures.evaluated(user, when) else None

    return step_if


def timed_by_itself(step: Step) -> Step:
    """Return the step so that nothing was due before: it is timed by itself."""

    def request(user: Actor) -> Awaitable[Reply | None] | None:
        user.due_ns = 0
        return step(user)

    return request


def in_turn(*steps: Step) -> Step:
    """Return several steps as one."""
    return partial(run_steps, steps=steps)


def bind_group(steps: Sequence[Step], record: Callable[[int, int, str], None]) -> Step:
    async def group(user: Actor) -> None:
        with timed_together(user, record):
            for step in steps:
                if (rest := step(user)) is not None:
                    await rest

    return group


@contextmanager
def timed_together(user: Actor, record: Callable[[int, int, str], None]) -> Iterator[None]:
    """Record what a user does meanwhile as a group."""
    began_ns, thought_ns = user.moment_ns, user.thought_ns
    before, user.failure = user.failure, ""
    is_sample = True
    try:
        yield
    except NeverBegun:  # the iteration is no sample, so nothing inside it is one
        is_sample = False
        raise
    except IterationEnded as ended:  # a step broke, so how long it took until then says nothing
        is_sample = ended.is_cut
        before = before if is_sample else ""
        raise
    except asyncio.CancelledError:  # cut, and be it while it was thinking
        user.failure = user.failure or kind_of_cut(user)
        raise
    finally:  # a group that was stopped or cancelled inside is a sample too
        if is_sample:
            took_ns = user.moment_ns - began_ns - (user.thought_ns - thought_ns)
            record(began_ns, took_ns, user.failure)
        user.failure = before or user.failure


def bind_call(node: CallNode, steps: Sequence[Step], failures: StepFailures) -> Step:
    arguments, target = node.arguments, node.target

    async def call(user: Actor) -> None:
        scope = user.scope
        values = {name: failures.evaluated(user, evaluate) for name, evaluate in arguments}
        for value in values.values():
            user.let_go(value)
        outside = {name: scope[name] for name in values if name in scope}
        scope.update(values)
        try:
            for step in steps:
                if (rest := step(user)) is not None:
                    await rest
        finally:
            for name in values:
                scope.pop(name, None)
            scope.update(outside)
        if target:
            scope[target] = {name: scope[name] for name in node.names if name in scope}

    return call


def bind_if(
    node: IfNode, then: Sequence[Step], otherwise: Sequence[Step], failures: StepFailures
) -> Step:
    condition, evaluated = node.condition, failures.evaluated

    async def branch(user: Actor) -> None:
        for step in then if evaluated(user, condition) else otherwise:
            if (rest := step(user)) is not None:
                await rest

    return branch


def bind_choose(choices: Sequence[tuple[int, Sequence[Step]]]) -> Step:
    bounds = tuple(accumulate(weight for weight, _ in choices))

    async def choose(user: Actor) -> None:
        _, steps = choices[bisect(bounds, user.rng.random() * bounds[-1])]
        for step in steps:
            if (rest := step(user)) is not None:
                await rest

    return choose


def bind_switch(
    node: SwitchNode,
    cases: Mapping[str, Sequence[Step]],
    otherwise: Sequence[Step],
    failures: StepFailures,
) -> Step:
    value, evaluated = node.value, failures.evaluated

    async def switch(user: Actor) -> None:
        found = evaluated(user, value)
        try:
            steps = cases.get(to_text(found), otherwise)
        except EvaluationError as error:
            raise failures.failed(user, str(error)) from error
        for step in steps:
            if (rest := step(user)) is not None:
                await rest

    return switch


def bind_repeat(node: RepeatNode, steps: Sequence[Step], failures: StepFailures) -> Step:
    times, evaluated = node.times, failures.evaluated
    size = max(1, len(steps))
    rounds = max(1, _STEPS_PER_TURN // size)
    turn = tuple(steps) * rounds  # gone through at once: a loop in a loop costs as much as a call

    async def repeat(user: Actor) -> None:
        left = evaluated(user, times)
        assert isinstance(left, int)  # the compiler sees to it
        while left > 0:
            for step in islice(turn, left * size):
                if (rest := step(user)) is not None:
                    await rest
            left -= rounds
            if left >= 0:
                await asyncio.sleep(0)

    return repeat


def bind_while(node: WhileNode, steps: Sequence[Step], failures: StepFailures) -> Step:
    condition, most, evaluated = node.condition, node.most, failures.evaluated

    async def loop(user: Actor) -> None:
        number = 0
        while evaluated(user, condition):
            if number == most:
                user.counters.endless[node.shown] += 1
                return
            number += 1
            for step in steps:
                if (rest := step(user)) is not None:
                    await rest
            if not number % _ROUNDS_PER_TURN:
                await asyncio.sleep(0)

    return loop


def bind_foreach(node: ForeachNode, steps: Sequence[Step], failures: StepFailures) -> Step:
    name, items = node.variable, node.items

    async def foreach(user: Actor) -> None:
        scope = user.scope
        for number, item in enumerate(_listed(user, items, node.shown, failures), 1):
            scope[name] = item
            for step in steps:
                if (rest := step(user)) is not None:
                    await rest
            if not number % _ROUNDS_PER_TURN:
                await asyncio.sleep(0)

    return foreach


def _listed(user: Actor, items: Evaluate, shown: str, failures: StepFailures) -> list[object]:
    """Return the items as a list that the steps of the loop can't change."""
    value = failures.evaluated(user, items)
    if isinstance(value, list | tuple | range | Mapping):
        return list(value)
    raise failures.failed(user, f"`{shown}` is {kind_of(value)}, not a list")


# -- the user itself ---------------------------------------------------------------------------


def bind_think(node: ThinkNode) -> Step:
    pause = node.pause

    def think(user: Actor) -> Awaitable[None]:
        return user.pause(user.drawer(pause)(), soundly=True)

    return think


def bind_set(node: SetNode, failures: StepFailures) -> Step:
    values, evaluated = node.values, failures.evaluated

    def set_values(user: Actor) -> None:
        scope = user.scope
        for name, evaluate in values:
            value = evaluated(user, evaluate)
            if isinstance(value, str) and len(value) > _MOST_TEXT:
                raise failures.failed(user, f"`{name}` would be a text larger than 16 MB")
            scope[name] = value
            user.let_go(value)

    return set_values


def bind_header(node: HeaderNode, failures: StepFailures) -> Step:
    values, evaluated = node.values, failures.evaluated

    def set_headers(user: Actor) -> None:
        for name, evaluate in values:
            value = None if evaluate is None else evaluated(user, evaluate)
            try:
                text = None if value is None else to_text(value)
                for session in user.sessions:
                    session.set_header(name, text)
            except EvaluationError as error:
                raise failures.failed(user, str(error)) from error

    return set_headers


# -- lists -------------------------------------------------------------------------------------


def bind_push(node: PushNode, sharing: Sharing, failures: StepFailures) -> Step:
    values = [
        (name, evaluate, sharing.pool(pool) if (pool := pool_in(name)) else None)
        for name, evaluate in node.values
    ]

    def push(user: Actor) -> None:
        for name, evaluate, pool in values:
            value = failures.evaluated(user, evaluate)
            user.let_go(value)
            try:
                if pool is None:
                    user.own_list(name).append(value)
                else:
                    pool.push(value)
            except EvaluationError as error:
                raise failures.failed(user, str(error)) from error

    return push


def bind_pop(node: PopNode, failures: StepFailures) -> Step:
    source, target = node.source, node.target
    position = _POSITIONS[node.which]

    def pop(user: Actor) -> None:
        try:
            items = user.own_list(source)
        except EvaluationError as error:
            raise failures.failed(user, str(error)) from error
        if not items:
            raise failures.failed(user, f"`{source}` is empty, so nothing can be taken out of it")
        item = items.pop(position(user, len(items)))
        if target:
            user.scope[target] = item

    return pop


def bind_pool_pop(node: PopNode, pool: SharedPool, failures: StepFailures) -> Step:
    """Return a step that takes an element out of a list of all users, and may wait for one."""
    target, which, wait_ns = node.target, node.which, node.wait_ns
    empty = f"`pool.{node.source}` is empty, so nothing can be taken out of it"
    if wait_ns:
        empty = f"`pool.{node.source}` was still empty after {write_duration(wait_ns)}"

    async def pop(user: Actor) -> None:
        draw = user.rng.random() if which == "random" else 0.0
        is_first = user.moment_ns == user.began_ns
        item = await pool.take(user, which, draw)
        if item is NOTHING and wait_ns:
            item = await pool.wait(user, which, draw, wait_ns)
        if item is NOTHING:
            if wait_ns and _is_to_end(user):
                raise NeverBegun if is_first else StepsStopped
            raise failures.failed(user, empty)
        if target:
            user.scope[target] = item

    return pop


def _is_to_end(user: Actor) -> bool:
    return user.sleeper.cut


def bind_barrier(node: BarrierNode, gate: BarrierGate, failures: StepFailures) -> Step:
    timeout_ns = node.timeout_ns

    async def barrier(user: Actor) -> None:
        if _is_to_end(user):
            return  # it only finishes its iteration, and waits for nobody
        is_first = user.moment_ns == user.began_ns
        passed = await gate.pass_with_others(user, timeout_ns)
        if not _is_to_end(user):
            if passed:
                return
            words = f"waited {write_duration(timeout_ns)} for {node.who}"
            raise failures.failed(user, words, kind=FailureKind.TIMEOUT)
        if is_first:
            raise NeverBegun

    return barrier


_POSITIONS: Final[Mapping[str, Callable[[Actor, int], int]]] = {
    "first": lambda _user, _count: 0,
    "last": lambda _user, count: count - 1,
    "random": lambda user, count: int(user.rng.random() * count),
}


# -- what reaches beyond the user --------------------------------------------------------------


def bind_log(node: LogNode, services: StepServices, failures: StepFailures) -> Step:
    text, write = node.text, services.log.write

    def log(user: Actor) -> None:
        value = failures.evaluated(user, text)
        try:
            write(to_text(value), user.scope)
        except EvaluationError as error:
            raise failures.failed(user, str(error)) from error

    return log


def bind_stop(node: StopNode, services: StepServices) -> Step:
    what = node.what

    def stop(user: Actor) -> None:
        if what is not StopWhat.ITERATION:
            user.sleeper.cut_short()
        if what is StopWhat.PHASE:
            services.stop_phase()
        elif what is StopWhat.PLAN:
            services.stop_plan()
        raise StepsStopped

    return stop
