"""Binds the steps of a plan to their place in a phase: one coroutine function per step.

Requests, the hot path, have a module of their own: `requests`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import assert_never

from planrunner.engine.recording.recorder import PhaseRecorder, Site, SpanRecorder
from planrunner.engine.steps.failures import ending_on_error
from planrunner.engine.steps.flow import (
    bind_barrier,
    bind_call,
    bind_choose,
    bind_foreach,
    bind_group,
    bind_header,
    bind_if,
    bind_log,
    bind_pool_pop,
    bind_pop,
    bind_push,
    bind_repeat,
    bind_set,
    bind_stop,
    bind_switch,
    bind_think,
    bind_while,
    in_turn,
    only_when,
    timed_by_itself,
)
from planrunner.engine.steps.framed_group import bind_framed_group
from planrunner.engine.steps.functions.places import FunctionPlace, Groups, SharedByPlaces
from planrunner.engine.steps.observer import StepObserver
from planrunner.engine.steps.parallel import bind_parallel
from planrunner.engine.steps.poll import bind_poll
from planrunner.engine.steps.requests import (
    Attempt,
    JudgeReply,
    SendAttempt,
    measured_request,
    request_attempt,
)
from planrunner.engine.steps.step_failures import StepFailures, silent_step
from planrunner.engine.steps.step_services import StepServices
from planrunner.engine.steps.wires import Wires
from planrunner.engine.users.bound_task import BoundTask, limit_steps
from planrunner.engine.users.user_context import Actor, NeverBegun, Step
from planrunner.graph.run_graph import (
    BarrierNode,
    CallNode,
    ChooseNode,
    ForeachNode,
    FunctionNode,
    GroupNode,
    HeaderNode,
    IfNode,
    LogNode,
    OnError,
    ParallelNode,
    PollNode,
    PopNode,
    PushNode,
    RepeatNode,
    RequestNode,
    SetNode,
    StepNode,
    StopNode,
    SwitchNode,
    TaskProgram,
    ThinkNode,
    WhileNode,
)
from planrunner.language.expressions.values import to_text
from planrunner.metrics.series import Labels, Tags, merge_tags
from planrunner.protocols.base import Reply, Scope
from planrunner.schedule.turns import Turns
from planrunner.values import dataclass

__all__ = ["Binder", "StepPlace", "throttled", "throttled_attempt"]


@dataclass(frozen=True, slots=True)
class StepPlace:
    """Where in the plan a step stands: the part of its labels that comes from around it."""

    user: str
    task: str = ""
    groups: tuple[str, ...] = ()
    tags: Tags = ()
    on_error: OnError = OnError.CONTINUE


class Binder:
    """Binds steps for one phase.

    Args:
        recorder: Where samples go.
        wires: The open clients.
        services: What steps do to the run.
        turns: The cap on the phase's requests; None, the usual case, costs them nothing.
        observer: Sees what users do; None under load.
    """

    def __init__(
        self,
        recorder: PhaseRecorder,
        wires: Wires,
        services: StepServices,
        turns: Turns | None = None,
        observer: StepObserver | None = None,
    ) -> None:
        self._turns = turns
        self._observer = observer
        self._recorder = recorder
        self._wires = wires
        self._services = services

    def task(self, program: TaskProgram, user: str) -> BoundTask:
        place = StepPlace(user, program.name, tags=program.tags, on_error=program.on_error)
        steps = self.steps(program.steps, place)
        if program.timeout_ns:
            steps = (limit_steps(steps, program.timeout_ns, program.place),)
        labels = self._labels("request", f"needs {program.name}", "needs", place)
        needs = StepFailures(Site(self._recorder, labels), program.place)
        timeline, is_warmup = self._recorder.timeline, self._recorder.is_warmup
        return BoundTask(
            program,
            steps,
            self._spans("iteration", "", place),
            check=needs.evaluated,
            counts_at=lambda moment_ns: not is_warmup and not timeline.at(moment_ns).warmup,
        )

    def steps(self, nodes: Sequence[StepNode], place: StepPlace) -> tuple[Step, ...]:
        bound: list[Step] = []
        for node in nodes:
            if isinstance(node, CallNode) and node.is_plain:
                bound += self.steps(node.steps, place)  # as if its steps stood here
            else:
                failures = self._failures(node, place)
                step = only_when(node.when, self._unconditional(node, place, failures), failures)
                if self._observer is not None:
                    step = self._observer.guarded(node, step)
                bound.append(step)
        return tuple(bound)

    def _unconditional(self, node: StepNode, place: StepPlace, failures: StepFailures) -> Step:
        """Return a step with what errors of it do and the pause after it, whatever its `when`."""
        if isinstance(node, RequestNode) and node.naming is not None:
            return self._named_by_users(
                node, failures, lambda named: self._unconditional(named, place, failures)
            )
        step = self._step(node, place, failures)
        if isinstance(node, RequestNode | PollNode | ParallelNode) and not _is_silent(node):
            step = self._heeding_errors(step, node, place)
        if self._observer is not None:
            step = self._observer.step(node, step)
        if isinstance(node, RequestNode | ParallelNode) and node.pause is not None:
            return in_turn(step, *self.steps((node.pause,), place))
        return step

    def _named_by_users(
        self, node: RequestNode, failures: StepFailures, bind: Callable[[RequestNode], Step]
    ) -> Step:
        """Return a request with a computed name: each name has a step, bound when it first comes.

        So a request costs one look at its name more than one whose name is constant.
        """
        naming, template, name_for = node.naming, node.template, self._recorder.book.request_name
        assert naming is not None
        steps: dict[str, Step] = {}

        def request(user: Actor) -> Awaitable[Reply | None] | None:
            text = to_text(failures.evaluated(user, naming.evaluate))
            step = steps.get(text)
            if step is None:
                name = name_for(template, text)
                step = steps.get(name)
                if step is None:
                    step = steps[name] = bind(replace(node, name=name, naming=None))
            return step(user)

        return request

    def _spans(
        self, kind: str, name: str, place: StepPlace, *, measured: bool = True
    ) -> SpanRecorder:
        """Return what records the iterations or a group of this place."""
        labels = replace(self._labels(kind, name, "", place), measured=measured)
        return SpanRecorder(Site(self._recorder, labels))

    def _step(  # noqa: C901, PLR0911, PLR0912 - a table
        self, node: StepNode, place: StepPlace, failures: StepFailures
    ) -> Step:
        match node:
            case RequestNode() if node.is_silent:
                return silent_step(node, failures, *self._wires.bind(node.exchange))
            case RequestNode():
                return self._request(node, place)
            case ThinkNode():
                return bind_think(node)
            case SetNode():
                return bind_set(node, failures)
            case PushNode():
                return bind_push(node, self._services.sharing, failures)
            case PopNode():
                if not node.is_pool:
                    return bind_pop(node, failures)
                return bind_pool_pop(node, self._services.sharing.pool(node.source), failures)
            case BarrierNode():
                gate = self._services.sharing.gate(self._recorder.phase, node)
                return bind_barrier(node, gate, failures)
            case HeaderNode():
                return bind_header(node, failures)
            case GroupNode():
                return self._group(node, place)
            case IfNode():
                then, otherwise = self.steps(node.then, place), self.steps(node.otherwise, place)
                return bind_if(node, then, otherwise, failures)
            case ChooseNode():
                return bind_choose([(w, self.steps(inner, place)) for w, inner in node.choices])
            case SwitchNode():
                cases = {key: self.steps(inner, place) for key, inner in node.cases}
                return bind_switch(node, cases, self.steps(node.otherwise, place), failures)
            case RepeatNode():
                return bind_repeat(node, self.steps(node.steps, place), failures)
            case WhileNode():
                return bind_while(node, self.steps(node.steps, place), failures)
            case ForeachNode():
                return bind_foreach(node, self.steps(node.steps, place), failures)
            case PollNode():
                return self._poll(node, place)
            case ParallelNode():
                lanes = replace(place, on_error=OnError.CONTINUE)  # it ends when all have ended
                return bind_parallel(self.steps(node.requests, lanes))
            case CallNode():
                return bind_call(node, self.steps(node.steps, place), failures)
            case LogNode():
                return bind_log(node, self._services, failures)
            case StopNode():
                return bind_stop(node, self._services)
            case FunctionNode():
                from planrunner.engine.steps.functions.bind import bind_function  # noqa: PLC0415 - of Python's tasks alone

                return bind_function(node, self._function(node, place), failures)
            case _ as unreachable:
                assert_never(unreachable)

    def _function(self, node: FunctionNode, place: StepPlace) -> FunctionPlace:
        def within(groups: Groups) -> StepPlace:
            return replace(place, groups=(*place.groups, *groups))

        def bind(request: RequestNode, groups: Groups) -> Step:
            inside = within(groups)
            return self._unconditional(request, inside, self._failures(request, inside))

        def open_record(groups: Groups) -> Callable[[int, int, str], None]:
            *around, name = groups
            return self._spans(
                "group", name, within(tuple(around)), measured=node.origin.measured
            ).record

        admit = self._recorder.book.request_name
        shared = SharedByPlaces(node, place.user, bind, open_record, admit, self._services.log)
        return FunctionPlace(shared)

    def _heeding_errors(self, step: Step, node: StepNode, place: StepPlace) -> Step:
        """Return a step that sends something so that it does what `on_error` says there."""
        if place.on_error is OnError.CONTINUE:
            return step
        key = self._recorder.phase, place.user

        def quit_user(user: Actor) -> None:
            user.counters.quits[key] += 1

        stops = place.on_error is OnError.STOP_USER
        return ending_on_error(step, node, quit_user if stops else None, place.on_error)

    def _failures(self, node: StepNode, place: StepPlace) -> StepFailures:
        """Return what records that a step failed before it sent anything, or sends nothing."""
        if isinstance(node, RequestNode):
            site = self._site(node, place)
        else:
            is_task = isinstance(node, FunctionNode) and place.task
            label = place.task if is_task else node.label
            labels = self._labels("request", label, node.action, place)
            site = Site(self._recorder, replace(labels, measured=node.origin.measured))
        return StepFailures(site, node.origin.place)

    def _request(self, node: RequestNode, place: StepPlace) -> Step:
        exchange = node.exchange
        site = self._site(node, place)
        position, bound = self._wires.bind(exchange)
        node = self._learning(node)
        step = measured_request(node, site, position, bound)
        if exchange.has_batches:
            step = timed_by_itself(step)
        return step if self._turns is None else throttled(step, self._turns)

    def _learning(self, node: RequestNode) -> RequestNode:
        """Return the request so that what it extracts is masked before anything is said of it."""
        exchange, learn = node.exchange, self._services.log.mask.learn
        if not exchange.secrets:
            return node

        def learn_secrets(_: Reply, scope: Scope) -> None:
            for name in exchange.secrets:
                learn(scope.get(name))

        # After each, as the next one may fail.
        extractors = (each for one in exchange.extractors for each in (one, learn_secrets))
        return replace(node, exchange=replace(exchange, extractors=tuple(extractors)))

    def _site(self, node: RequestNode, place: StepPlace) -> Site:
        exchange = node.exchange
        if exchange.is_streamed is not False and self._recorder.samples is not None:
            self._recorder.samples.expect_streams()
        around = tuple(tag for tag in place.tags if tag[0] not in node.untagged)
        place = replace(place, tags=around) if node.untagged else place
        protocol = exchange.protocol.partition(":")[0]
        labels = replace(
            self._labels("request", node.name, exchange.method, place, tags=node.tags),
            template=node.template,
            # What a step breaks is told, measured or not.
            measured=node.measured or (node.is_silent and node.origin.measured),
            protocol=protocol,
            expectations=exchange.expectations,
            records=tuple(one.word for one in node.records),
            work_unit=node.work_unit,
        )
        return Site(
            self._recorder,
            labels,
            exchange.accept,
            status_text=exchange.status_text,
            stated_status=exchange.expected[0] if exchange.states_status else "",
            measures=self._recorder.measures.get(protocol, ()) if node.measured else (),
            ends_iterations=exchange.is_step,
        )

    def _poll(self, node: PollNode, place: StepPlace) -> Step:
        request = node.request
        inside = replace(place, groups=(*place.groups, request.name))
        failures = self._failures(request, inside)

        def attempts(request: RequestNode) -> Step:
            return bind_poll(node, self._attempt(request, inside))

        if request.naming is None:
            step = attempts(request)
        else:
            step = self._named_by_users(request, failures, attempts)
        step = only_when(request.when, step, failures)
        record = self._spans("group", request.name, place, measured=request.measured).record
        return bind_group((step,), record)

    def _attempt(self, request: RequestNode, place: StepPlace) -> Attempt:
        attempt = request_attempt(
            self._learning(request),
            self._site(request, place),
            *self._wires.bind(request.exchange),
        )
        if self._turns is not None:
            attempt = throttled_attempt(attempt, self._turns)
        return attempt if self._observer is None else self._observer.attempt(request, attempt)

    def _group(self, node: GroupNode, place: StepPlace) -> Step:
        on_error = node.on_error or place.on_error
        inside = replace(place, groups=(*place.groups, node.name), on_error=on_error)
        record = self._spans("group", node.name, place, measured=node.measured).record
        if node.frame is None:
            return bind_group(self.steps(node.steps, inside), record)
        steps = self.steps(node.steps, replace(inside, on_error=OnError.LEAVE_GROUP))
        step = bind_framed_group(
            node, steps, record, self._wires, self._site(node.as_request, place)
        )
        return self._heeding_errors(step, node, inside)

    def _labels(
        self, kind: str, name: str, method: str, place: StepPlace, *, tags: Tags = ()
    ) -> Labels:
        return Labels(
            request=name,
            method=method,
            kind=kind,
            phase=self._recorder.phase,
            stage="",
            user=place.user,
            task=place.task,
            groups=place.groups,
            tags=merge_tags(place.tags, tags),
        )


def _is_silent(node: StepNode) -> bool:
    return isinstance(node, RequestNode) and node.is_silent


def throttled(step: Step, turns: Turns) -> Step:
    """Return the request step, sent no sooner than its turn comes."""

    async def request(user: Actor) -> Reply | None:
        await _wait(user, turns)
        rest = step(user)
        return None if rest is None else await rest

    return request


def throttled_attempt(attempt: Attempt, turns: Turns) -> Attempt:
    """Return what `poll` sends again and again, each time no sooner than its turn comes."""

    async def request(user: Actor, send: SendAttempt, judge: JudgeReply) -> None:
        await _wait(user, turns)
        await attempt(user, send, judge)

    return request


async def _wait(user: Actor, turns: Turns) -> None:
    """Wait for a turn; the wait is neither latency nor time of a group.

    Raises:
        NeverBegun: The user was told to stop before its iteration had sent anything.
    """
    asked_ns = user.clock.now_ns()
    due_ns = turns.take(asked_ns)
    if due_ns <= asked_ns:
        return
    is_first = user.moment_ns == user.began_ns
    await user.sleeper.until(due_ns, soundly=not is_first)
    if is_first and user.sleeper.cut and user.clock.now_ns() < due_ns:
        user.moment_ns = user.clock.now_ns()
        raise NeverBegun
    user.waited(asked_ns)
