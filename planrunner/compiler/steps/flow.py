"""Steps that steer others: loops, branches, polls, calls, stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.compiler.settings_block import of_http
from planrunner.compiler.steps.connections import opened_by
from planrunner.compiler.steps.inherited import refuse_pause
from planrunner.compiler.steps.naming import renamed
from planrunner.compiler.steps.requests import must_be_given, with_words
from planrunner.compiler.steps.shared_steps import compile_barrier, compile_pop, compile_push
from planrunner.compiler.steps.walk import StepWalk, reads_of_reply
from planrunner.graph.steps import (
    CallNode,
    ChooseNode,
    Evaluate,
    ForeachNode,
    GroupFrame,
    GroupNode,
    IfNode,
    LogNode,
    OnError,
    ParallelNode,
    PollNode,
    RepeatNode,
    StepNode,
    StopNode,
    StopWhat,
    SwitchNode,
    WhileNode,
)
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.fields.text import lower_value
from planrunner.language.fields.types import Deferred
from planrunner.plan.models.actions import FlowCall
from planrunner.plan.models.steps import FlowModel, StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols import registry
from planrunner.units import NS_PER_S

__all__ = ["compiler_of"]

_EVERY_NS: Final = NS_PER_S
_POLL_TIMEOUT_NS: Final = 30 * NS_PER_S
_MOST_ROUNDS: Final = 1000

_LaterNames = frozenset[str]
_CompileStep = Callable[[StepWalk, StepModel, PlanPath, Evaluate | None, _LaterNames], StepNode]


# -- steps around steps ------------------------------------------------------------------------


def _group(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    assert model.group is not None
    steps = walk.steps(model.do or (), (*path, "do"), later)
    on_error = None if model.on_error is None else OnError(model.on_error)
    return GroupNode(model.group, steps, when, measured=walk.measured, on_error=on_error)


def _protocol_group(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    """Compile a group that sends something around its steps."""
    assert model.protocol_group is not None
    action, given = model.protocol_group
    found = registry.group(action)
    assert found is not None
    plugin, group = found
    where = (*path, action)
    block = walk.blocks.of(plugin)
    must_be_given(walk, block, action, path)
    if action in walk.around:
        message = f"`{action}` can't be inside another one"
        walk.work.fault(where, Code.NOT_ALLOWED, message, hint="end the first one", part="key")
    around, walk.around = walk.around, (*walk.around, action)
    steps = walk.steps(given.do, (*where, "do"), later)
    walk.around = around
    sent = (with_words(one, plugin, {}) for one in group.compile(block.defaults))
    frame = GroupFrame(action, *sent)
    on_error = None if given.on_error is None else OnError(given.on_error)
    name = given.name or action
    return GroupNode(name, steps, when, measured=walk.measured, on_error=on_error, frame=frame)


def _if(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    assert model.if_ is not None
    condition = walk.work.expression(model.if_, (*path, "if"), walk.known).evaluate
    branches = [(("then",), model.then or ()), (("else",), model.else_ or ())]
    then, otherwise = _branches(walk, branches, path, later)
    return IfNode(condition, model.if_.source, then, otherwise, when)


def _choose(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    weights = [
        walk.work.settle(choice.weight, (*path, "choose", index, "weight"), 1)
        for index, choice in enumerate(model.choose or ())
    ]
    steps = _branches(walk, [*model.inside()], path, later)
    return ChooseNode(tuple(zip(weights, steps, strict=True)), when)


def _switch(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    value = model.switch
    assert value is not None
    evaluate = walk.work.expression(value, (*path, "switch"), walk.known).evaluate
    cases = dict.fromkeys(model.cases or {}, ())
    steps = _branches(walk, [*model.inside()], path, later)
    found = dict(zip(cases, steps, strict=True))
    otherwise = found.pop(_ELSE, ())
    return SwitchNode(evaluate, value.source, tuple(found.items()), otherwise, when)


_ELSE: Final = "else"


def _branches(
    walk: StepWalk,
    branches: Sequence[tuple[PlanPath, Sequence[StepModel]]],
    path: PlanPath,
    later: _LaterNames,
) -> list[tuple[StepNode, ...]]:
    """Compile lists of which one runs; any may have been on the way of what follows."""
    before = after = walk.known
    compiled = []
    for keys, steps in branches:
        walk.known = before
        compiled.append(walk.steps(steps, (*path, *keys), later))
        after = after.joined(walk.known)
    walk.known = after
    return compiled


def _repeat(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    times, where = model.repeat, (*path, "repeat")
    evaluate: Evaluate
    if isinstance(times, Deferred):
        shown = times.text.source
        evaluate = _whole_number(walk.work.value(times.text, where, walk.known).evaluate, shown)
    else:
        shown = str(times)
        count = times or 0
        evaluate = lambda _: count  # noqa: E731 - a closure like those of expressions
    return RepeatNode(evaluate, shown, _rounds(walk, model, path, later), when)


def _whole_number(evaluate: Evaluate, shown: str) -> Evaluate:
    def whole_number(scope: dict[str, object]) -> int:
        value = evaluate(scope)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        raise EvaluationError(f"`{shown}` is not a whole number from 0, so nothing is repeated")

    return whole_number


def _while(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    condition = model.while_
    assert condition is not None
    walk.known = _after_a_round(walk, model)
    evaluate = walk.work.expression(condition, (*path, "while"), walk.known).evaluate
    most = walk.work.settle(model.max, (*path, "max"), _MOST_ROUNDS)
    later |= reads_of_reply(condition)
    steps = _rounds(walk, model, path, later)
    return WhileNode(evaluate, condition.source, most, steps, when)


def _foreach(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    loop, where = model.foreach, (*path, "foreach")
    assert loop is not None
    evaluate: Evaluate = _nothing
    if walk.work.check_all(loop, where, walk.known):
        lowered = walk.work.attempt(lambda: loop.items.lower(walk.work.constants), where, None)
        evaluate = _nothing if lowered is None else lowered.evaluate
    walk.write_as(loop.variable, where)
    steps = _rounds(walk, model, path, later)
    return ForeachNode(loop.variable, evaluate, loop.items.source, steps, when)


def _nothing(_: dict[str, object]) -> None:
    return None


def _rounds(
    walk: StepWalk, model: StepModel, path: PlanPath, later: _LaterNames
) -> tuple[StepNode, ...]:
    """Compile the body of a loop: each step of it is on the way to all others."""
    walk.known = _after_a_round(walk, model)
    body = model.do or []
    return walk.steps(body, (*path, "do"), later.union(*map(reads_of_reply, body)))


def _after_a_round(walk: StepWalk, model: StepModel) -> Known:
    """Return what is known when the body of a loop has run once."""
    return walk.known.joined(_written_in(walk, model.do or ()))


def _written_in(walk: StepWalk, models: Sequence[StepModel]) -> Known:
    """Return what steps may have set, and what their requests leave behind."""
    left = Known(frozenset())
    for model in models:
        left = left.joined(_left_by(model))
        for _, steps in model.inside():
            left = left.joined(_written_in(walk, steps))
        if model.called:
            left = left.joined(_written_by(walk, model.called))
    return left


def _written_by(walk: StepWalk, flow: str) -> Known:
    """Return the same of a flow, which is looked at once however often it is called."""
    known = walk.flows.left_behind
    if flow not in known:
        known[flow] = Known(frozenset())  # that a flow calls itself is another fault
        called = walk.flows.models.get(flow)
        known[flow] = _written_in(walk, () if called is None else called.do)
    return known[flow]


def _left_by(model: StepModel) -> Known:
    """Return what one step leaves behind."""
    left = Known(frozenset())
    names = {*(model.set_ or ())}
    for request in (model.operation, None if model.poll is None else model.poll.operation):
        if request is not None:
            names |= {*request.extracted, request.target}
            if not request.is_silent:
                left = left.after_request(request.reply_names)
            left = replace(left, connections=left.connections | opened_by(request))
    if model.pop is not None:
        names.add(model.pop.target)
    if model.foreach is not None:
        names.add(model.foreach.variable)
    if model.call is not None:
        names.add(model.call.target)
    return replace(left, variables=frozenset(names - {""}))


# -- requests ----------------------------------------------------------------------------------


def _poll(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    poll, until = model.poll, model.until
    assert poll is not None
    assert until is not None
    work = walk.work
    inside = (*path, "poll")
    own_when = None
    if poll.when is not None:
        own_when = work.expression(poll.when, (*inside, "when"), walk.known).evaluate
    every_ns = work.settle(model.every, (*path, "every"), _EVERY_NS)
    timeout_ns = work.settle(model.timeout, (*path, "timeout"), _POLL_TIMEOUT_NS)
    refuse_pause(work, poll, inside, "`every:` says how long the user waits between attempts")
    request = walk.request(poll, inside, own_when, later | reads_of_reply(until))
    request = renamed(walk, replace(request, reads_reply=True), model.name, (*path, "name"))
    condition = work.expression(until, (*path, "until"), walk.known).evaluate
    return PollNode(request, condition, until.source, every_ns, timeout_ns, when)


def _parallel(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    """Compile requests that don't see each other's replies, as none is there before another."""
    before, after = walk.known, walk.known
    requests = []
    for index, step in enumerate(model.parallel or ()):
        walk.known = before
        where = (*path, "parallel", index)
        own_when = None
        if step.when is not None:
            own_when = walk.work.expression(step.when, (*where, "when"), before).evaluate
        refuse_pause(walk.work, step, where, "write `pause:` beside `parallel:`")
        _must_not_be_framed(walk, step, where)
        requests.append(walk.request(step, where, own_when, later))
        after = after.joined(walk.known)
    walk.known = after
    return ParallelNode(tuple(requests), when, walk.pause_after(model, path))


def _must_not_be_framed(walk: StepWalk, step: StepModel, path: PlanPath) -> None:
    """Note a fault for a request that would be outside of its protocol's group, in a lane."""
    if (request := step.operation) is None:
        return
    for action in walk.around:
        if action.startswith(f"{request.plugin.name}."):
            message = f"steps of `{action}` can't be sent side by side"
            hint = "write them one after the other"
            walk.work.fault(path, Code.NOT_ALLOWED, message, hint=hint)


# -- the rest ----------------------------------------------------------------------------------


def _call(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: _LaterNames
) -> StepNode:
    call, where = model.call, (*path, "call")
    assert call is not None
    name, flow = call.flow, walk.flows.models.get(call.flow)
    place = where if not call.arguments and not call.target else (*where, "flow")
    if flow is None:
        known = list(walk.flows.models)
        hint = suggest(name, known) or "flows: " + (", ".join(known) or "none")
        walk.work.fault(place, Code.UNKNOWN_NAME, f"unknown flow `{name}`", hint=hint)
        return CallNode(name, (), when=when)
    if name in walk.calling:
        cycle = " → ".join((*walk.calling[walk.calling.index(name) :], name))
        walk.work.fault(place, Code.REFERENCE_CYCLE, f"flows call each other in a circle: {cycle}")
        return CallNode(name, (), when=when)
    arguments = _arguments(walk, call, flow, where)
    before, written, work = walk.known, set(walk.written), walk.work
    walk.written.clear()
    walk.calling = (*walk.calling, name)
    around, outer = walk.blocks, walk.arguments
    walk.arguments = _known_arguments(walk, call, flow)
    hidden = {name for name, _ in arguments}
    walk.known, walk.work = walk.known.having(hidden).hiding(hidden), work.hiding(hidden)
    walk.blocks = around.within(of_http(flow.http), ("flows", name))
    steps = walk.steps(flow.do, ("flows", name, "do"), later)
    walk.blocks, walk.arguments, walk.work = around, outer, work
    walk.calling = walk.calling[:-1]
    own = walk.written - hidden
    walk.written = own | written
    walk.known = walk.known.without(hidden, but=before)
    if call.target:
        walk.write_as(call.target, (*where, "as"))
    return CallNode(name, steps, arguments, call.target, tuple(sorted(own)), when=when)


def _arguments(
    walk: StepWalk, call: FlowCall, flow: FlowModel, path: PlanPath
) -> tuple[tuple[str, Evaluate], ...]:
    """Return the value of each argument: the call's own, or the flow's."""
    args = flow.args or {}
    for name in call.arguments:
        if name not in args:
            given = ", ".join(args) or "none"
            hint = suggest(name, list(args)) or f"arguments of `{call.flow}`: {given}"
            message = f"`{call.flow}` has no argument `{name}`"
            walk.work.fault((*path, name), Code.UNKNOWN_NAME, message, hint=hint, part="key")
    found = []
    for name, default in args.items():
        where: PlanPath = ("flows", call.flow, "args", name)
        if name not in walk.known.params:  # of which it hides one in the flow
            walk.must_be_free(name, where)
        value, known = default, walk.known
        if name in call.arguments:
            where, value = (*path, name), call.arguments[name]
        found.append((name, walk.work.value(value, where, known).evaluate))
    return tuple(found)


def _known_arguments(walk: StepWalk, call: FlowCall, flow: FlowModel) -> Mapping[str, object]:
    """Return the arguments whose values are known in the flow, those of its callers included."""
    args = flow.args or {}
    known = {name: value for name, value in walk.arguments.items() if name not in args}
    for name, default in args.items():
        value = call.arguments.get(name, default)
        roots = {reference.root for _, reference in references_in(value)}
        if not roots & walk.work.secrets and roots <= walk.arguments.keys() | walk.work.constants:
            constants = {**walk.work.constants, **walk.arguments}
            lowered = walk.work.attempt(partial(lower_value, value, constants), (), None)
            if lowered is not None and lowered.is_constant:
                known[name] = lowered.value
    written = _written_by(walk, call.flow).variables
    return {name: value for name, value in known.items() if name not in written}


def _log(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, _: _LaterNames
) -> StepNode:
    assert model.log is not None
    text = walk.work.value(model.log, (*path, "log"), walk.known).evaluate
    return LogNode(text, model.log.source, when)


def _stop(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, _: _LaterNames
) -> StepNode:
    what = StopWhat(model.stop or "iteration")
    if what is StopWhat.PHASE and not walk.has_phase:
        hint = "`stop: plan` ends the run before any load"
        walk.work.fault((*path, "stop"), Code.NOT_ALLOWED, "no phase runs here", hint=hint)
    return StopNode(what, when)


_COMPILERS: Final[Mapping[str, _CompileStep]] = {
    "push": compile_push,
    "pop": compile_pop,
    "barrier": compile_barrier,
    "group": _group,
    "if": _if,
    "choose": _choose,
    "switch": _switch,
    "repeat": _repeat,
    "while": _while,
    "foreach": _foreach,
    "poll": _poll,
    "parallel": _parallel,
    "call": _call,
    "log": _log,
    "stop": _stop,
}
"""What compiles a step, by its action: walk, step, its place, its `when`, what is read later."""


def compiler_of(model: StepModel) -> _CompileStep | None:
    """Return what compiles a step that steers others; None for a step that doesn't."""
    return _COMPILERS.get(model.action) if model.protocol_group is None else _protocol_group
