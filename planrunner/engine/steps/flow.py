"""Steps that run others, change a user's lists, or end something; bound once for all users."""

from __future__ import annotations

import asyncio
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Final

from planrunner.engine.steps.step_failures import StepFailures
from planrunner.engine.steps.step_services import StepServices
from planrunner.engine.users.user_context import (
    Actor,
    IterationEnded,
    NeverBegun,
    Step,
    StepsStopped,
)
from planrunner.graph.run_graph import (
    CallNode,
    Evaluate,
    ForeachNode,
    IfNode,
    LogNode,
    PopNode,
    PushNode,
    RepeatNode,
    StopNode,
    StopWhat,
    SwitchNode,
    WhileNode,
)
from planrunner.language.expressions.values import EvaluationError, kind_of, to_text

__all__ = [
    "bind_call",
    "bind_choose",
    "bind_foreach",
    "bind_group",
    "bind_if",
    "bind_log",
    "bind_pop",
    "bind_push",
    "bind_repeat",
    "bind_stop",
    "bind_switch",
    "bind_while",
    "ending_on_error",
]

_ROUNDS_PER_TURN: Final = 256
"""Rounds of a loop after which others get a turn: in its steps, nothing might wait."""


def bind_group(steps: Sequence[Step], record: Callable[[int, int, str], None]) -> Step:
    async def group(user: Actor) -> None:
        began_ns, thought_ns = user.moment_ns, user.thought_ns
        before, user.failure = user.failure, ""
        is_sample = True
        try:
            for step in steps:
                await step(user)
        except NeverBegun:  # the iteration is no sample, so nothing inside it is one
            is_sample = False
            raise
        except IterationEnded as ended:  # a step broke, so how long it took until then says nothing
            is_sample = ended.is_cut
            before = before if is_sample else ""
            raise
        finally:  # a group that was stopped or cancelled inside is a sample too
            if is_sample:
                took_ns = user.moment_ns - began_ns - (user.thought_ns - thought_ns)
                record(began_ns, took_ns, user.failure)
            user.failure = before or user.failure

    return group


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
                await step(user)
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
            await step(user)

    return branch


def bind_choose(choices: Sequence[tuple[int, Sequence[Step]]]) -> Step:
    bounds = tuple(accumulate(weight for weight, _ in choices))

    async def choose(user: Actor) -> None:
        _, steps = choices[bisect(bounds, user.rng.random() * bounds[-1])]
        for step in steps:
            await step(user)

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
            await step(user)

    return switch


def bind_repeat(node: RepeatNode, steps: Sequence[Step], failures: StepFailures) -> Step:
    times, evaluated = node.times, failures.evaluated

    async def repeat(user: Actor) -> None:
        count = evaluated(user, times)
        assert isinstance(count, int)  # the compiler sees to it
        for number in range(1, count + 1):
            for step in steps:
                await step(user)
            if not number % _ROUNDS_PER_TURN:
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
                await step(user)
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
                await step(user)
            if not number % _ROUNDS_PER_TURN:
                await asyncio.sleep(0)

    return foreach


def _listed(user: Actor, items: Evaluate, shown: str, failures: StepFailures) -> list[object]:
    """Return the items as a list that the steps of the loop can't change."""
    value = failures.evaluated(user, items)
    if isinstance(value, list | tuple | range | Mapping):
        return list(value)
    raise failures.failed(user, f"`{shown}` is {kind_of(value)}, not a list")


# -- lists -------------------------------------------------------------------------------------


def bind_push(node: PushNode, failures: StepFailures) -> Step:
    values = node.values

    async def push(user: Actor) -> None:
        for name, evaluate in values:
            value = failures.evaluated(user, evaluate)
            user.let_go(value)
            try:
                user.own_list(name).append(value)
            except EvaluationError as error:
                raise failures.failed(user, str(error)) from error

    return push


def bind_pop(node: PopNode, failures: StepFailures) -> Step:
    source, target = node.source, node.target
    position = _POSITIONS[node.which]

    async def pop(user: Actor) -> None:
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


_POSITIONS: Final[Mapping[str, Callable[[Actor, int], int]]] = {
    "first": lambda _user, _count: 0,
    "last": lambda _user, count: count - 1,
    "random": lambda user, count: int(user.rng.random() * count),
}


# -- what reaches beyond the user --------------------------------------------------------------


def bind_log(node: LogNode, services: StepServices, failures: StepFailures) -> Step:
    text, write = node.text, services.log.write

    async def log(user: Actor) -> None:
        value = failures.evaluated(user, text)
        try:
            write(to_text(value), user.scope)
        except EvaluationError as error:
            raise failures.failed(user, str(error)) from error

    return log


def ending_on_error(step: Step, origin: str, quit_user: Callable[[Actor], None] | None) -> Step:
    """Return a step that sends requests, and ends the iteration if one of them fails.

    Args:
        step: A request, or requests that belong together.
        origin: Where it stands: `plan.yaml:12`; empty where nobody knows.
        quit_user: Called with the user who fails and stops altogether; None if it goes on.
    """

    async def request(user: Actor) -> None:
        before, user.failure = user.failure, ""
        try:
            await step(user)
        finally:
            failure = user.failure
            user.failure = before or failure
        if failure:
            if quit_user is not None:
                quit_user(user)
                user.sleeper.cut_short()
            raise IterationEnded(user.words, origin)

    return request


def bind_stop(node: StopNode, services: StepServices) -> Step:
    what = node.what

    async def stop(user: Actor) -> None:
        if what is not StopWhat.ITERATION:
            user.sleeper.cut_short()
        if what is StopWhat.PHASE:
            services.stop_phase()
        elif what is StopWhat.PLAN:
            services.stop_plan()
        raise StepsStopped

    return stop
