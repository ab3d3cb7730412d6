"""The load of a locustfile: a shape for the phases, and a judge for the thresholds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import ceil
from typing import Final

from planrunner.exporters.contract import ExportRequest
from planrunner.exporters.limits import written_thresholds
from planrunner.exporters.loads import LoadLoss, judge_loads, lost_around, users_of_class
from planrunner.exporters.scripts.sections import ScriptWriter
from planrunner.graph.run_graph import (
    ClosedLoad,
    CountedLoad,
    OpenLoad,
    PhaseNode,
    UserProgram,
)
from planrunner.loss.ledger import Fate
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds import Threshold
from planrunner.metrics.thresholds.model import Metric, Operator, ThresholdLevel
from planrunner.units import NS_PER_MS, NS_PER_S

__all__ = ["class_sizes", "is_counted", "pace_s", "write_judge", "write_load"]

_CLAIM_SHARED: Final = '''\
ITERATIONS = {}  # of all users
taken = count(1)


def claim(user):
    """Begin an iteration; the user ends when none is left."""
    if next(taken) > ITERATIONS:
        raise StopUser
'''
_CLAIM_OWN: Final = '''\
ITERATIONS = {}  # of each user


def claim(user):
    """Begin an iteration; the user ends when it has had all of them."""
    user.taken = getattr(user, "taken", 0) + 1
    if user.taken > ITERATIONS:
        raise StopUser
'''
_UNTIL_DONE: Final = '''\
class LoadShape(LoadTestShape):
    """{0} users, until their iterations are done."""

    def tick(self):
        now = self.get_run_time()
        is_done = now > {1} and not self.get_current_user_count()
        return None if is_done or now > {2} else ({0}, {3})
'''
_IN_STAGES: Final = """\
    def tick(self):
        now, before, level = self.get_run_time(), 0, 0
        for until, users{0} in self.stages:
            if now < until:
                level += (users - level) * (now - before) / (until - before)
                return ceil(level), {1}{0}
            before, level = until, users
        return None
"""


def is_counted(request: ExportRequest) -> bool:
    """Whether users end with their iterations."""
    return len(request.phases) == 1 and isinstance(request.phases[0].load, CountedLoad)


def class_sizes(request: ExportRequest, program: UserProgram) -> Iterator[tuple[str, int]]:
    """Yield the attribute that says how many of all users a class has."""
    phase = request.phases[0]
    if len(request.classes) == 1 or isinstance(phase.load, OpenLoad):
        if len(request.classes) > 1:
            yield "weight", program.weight
        return
    users = users_of_class(request.graph, phase, phase.load.most_users)
    if getattr(phase.load, "exact", ()):
        yield ("fixed_count" if len(request.phases) == 1 else "weight"), users[program.name]
    elif program.count is not None:
        yield "fixed_count", program.count
    else:
        yield "weight", program.weight


def pace_s(request: ExportRequest) -> Fraction | int:
    """Return from when to when users begin, where arrivals are due; 0 where none are."""
    rates = [one for phase in request.phases for _, one in _rates(phase) if one]
    return max(1, ceil(1 / min(rates))) if rates else 0


def _rates(phase: PhaseNode) -> Iterator[tuple[int, Fraction]]:
    """Yield for how long there are how many arrivals a second, where a phase has arrivals."""
    if isinstance(phase.load, OpenLoad):
        for stage in phase.load.stages:
            yield stage.duration_ns, Fraction(stage.rate.count * NS_PER_S, stage.rate.per_ns)


# -- shape


def write_load(writer: ScriptWriter) -> None:
    """Write the shape of the load, and judge the phases."""
    request = writer.request
    judge_loads(request, lambda phase: _losses(request, phase))
    if is_counted(request):
        load = request.phases[0].load
        assert isinstance(load, CountedLoad)
        users = load.users if load.per_user else min(load.users, load.iterations)
        claim = _CLAIM_OWN if load.per_user else _CLAIM_SHARED
        _put(writer, claim.format(load.per_user or load.iterations) + "\n\n")
        ramp_s, most_s = load.ramp_ns / NS_PER_S, load.max_duration_ns / NS_PER_S
        rate = f"{users / ramp_s:g}" if ramp_s else str(users)
        _put(writer, _UNTIL_DONE.format(users, f"{ramp_s + 0.5:g}", f"{most_s:g}", rate))
        return
    stages = [*_stages(request)]
    named = len({one[2] for one in stages}) > 1
    with writer.indented("class LoadShape(LoadTestShape):", ""):
        writer.line('"""Moves linearly from each number of users to the next."""')
        writer.line()
        with writer.indented("stages = [", "]"):
            writer.line("# seconds from the start, users then" + (", classes" if named else ""))
            for until_ns, users, classes in stages:
                more = f", [{', '.join(classes)}]" if named else ""
                writer.line(f"({until_ns / NS_PER_S:g}, {users}{more}),")
        writer.line()
    most = max((users for _, users, _ in stages), default=1) or 1
    _put(writer, _IN_STAGES.format(", classes" if named else "", most))


def _stages(request: ExportRequest) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield until when the load moves to how many users, and of which classes."""
    now_ns, pace = 0, pace_s(request)
    for phase in request.phases:
        load = phase.load
        if isinstance(load, OpenLoad):
            moves = [(lasting_ns, ceil(rate * pace)) for lasting_ns, rate in _rates(phase)]
        elif isinstance(load, ClosedLoad | CountedLoad):
            moves = [(stage.duration_ns, stage.level) for stage in load.population]
        else:
            moves = []
        for lasting_ns, users in moves:
            now_ns += lasting_ns
            yield now_ns, users, phase.classes


def _put(writer: ScriptWriter, text: str) -> None:
    writer.lines += text.rstrip("\n").split("\n") + [""] * text.endswith("\n\n\n")


def _losses(request: ExportRequest, phase: PhaseNode) -> Iterator[LoadLoss]:
    load = phase.load
    if not isinstance(load, ClosedLoad | CountedLoad | OpenLoad):
        yield LoadLoss("Locust has no such load", fate=Fate.LEFT_OUT)
    if isinstance(load, CountedLoad) and not is_counted(request):
        words = "beside other phases it ends with its time; export it with `--phase`"
        yield LoadLoss(words, ("iterations", "iterations_per_user"))
    if isinstance(load, OpenLoad):
        words = f"for each arrival there is a user, who begins every {pace_s(request)} s"
        yield LoadLoss(words, ("rate", "stages"))
    if len(request.phases) > 1:
        yield LoadLoss("its users go on from the phase before", ("name",))
    if phase.start_at_ns is not None:
        yield LoadLoss("phases run one after the other", ("start_at",))
    yield from lost_around(phase)


# -- thresholds

_JUDGE: Final = '''\
@events.quitting.add_listener
def judge(environment, **_):
    """Make the exit code say whether every threshold holds; one without requests does not."""
    stats = environment.stats
    thresholds = {
LIMITS
    }
    environment.process_exit_code = 0
    for words, (entry, holds) in thresholds.items():
        if not entry.num_requests or not holds(entry):
            print(f"threshold broken: {words}")
            environment.process_exit_code = 1
'''
_OF_ENTRY: Final = {
    "avg": "avg_response_time",
    "min": "min_response_time",
    "max": "max_response_time",
    "med": "median_response_time",
    "error_rate": "fail_ratio",
    "throughput": "total_rps",
    "count": "num_requests",
    "errors": "num_failures",
}
_OPERATORS: Final = {one: str(one) for one in Operator}


def write_judge(writer: ScriptWriter, series: Mapping[str, tuple[str, str]]) -> None:
    """Write what judges the thresholds; those that Locust has no numbers for are left out.

    Args:
        writer: Has written the requests.
        series: What Locust calls the requests: name and method, by their names in the plan.
    """
    lines: list[str] = []
    literal = writer.language.literal
    why = "Locust has no such number; judge its results yourself"
    for threshold, code, construct in written_thresholds(
        writer.request, lambda one: _judged(one, series, literal), why
    ):
        if threshold.abort is not None:
            construct.changed("it is judged at the end, and aborts nothing")
        lines.append(f"{literal(threshold.text)}: {code},")
    if writer.request.graph.default_threshold:
        lines.append('"error_rate < 1%": (stats.total, lambda entry: entry.fail_ratio < 0.01),')
    if lines:
        listed = "\n".join(f"        {line}" for line in lines)
        _put(writer, _JUDGE.replace("LIMITS", listed))
        writer.line()


def _judged(
    one: Threshold, series: Mapping[str, tuple[str, str]], literal: Callable[[object], str]
) -> str | None:
    """Return code of an entry and what must hold of it; None where Locust has no number."""
    metric = one.metric
    if one.level is ThresholdLevel.WARN or one.value.of_baseline:
        return None
    if not isinstance(metric, Metric) or metric.scope.terms:
        return None
    if metric.window or metric.among or metric.size:
        return None
    entry, value = _entry(metric, series, literal), _value(metric)
    if entry is None or value is None:
        return None
    limit = one.value.amount / NS_PER_MS if _is_time(metric) else one.value.amount
    return f"({entry}, lambda entry: {value} {_OPERATORS[one.op]} {limit:g})"


def _is_time(metric: Metric) -> bool:
    return metric.agg.word in ("avg", "min", "max", "med", "p")


def _value(metric: Metric) -> str | None:
    word = metric.agg.word
    if _is_time(metric) and metric.measure != LATENCY:
        return None
    if word == "p":
        return f"entry.get_response_time_percentile({metric.argument / 100:g})"
    return f"entry.{_OF_ENTRY[word]}" if word in _OF_ENTRY else None


def _entry(
    metric: Metric, series: Mapping[str, tuple[str, str]], literal: Callable[[object], str]
) -> str | None:
    if metric.selector is None:
        return "stats.total"
    terms = tuple(metric.selector.terms)
    if len(terms) != 1 or str(metric.selector) != str(terms[0]):
        return None
    term = terms[0]
    if term.form is not NameForm.NAME or term.kind.value != "request" or term.name not in series:
        return None
    name, method = series[term.name]
    return f"stats.get({literal(name)}, {literal(method)})"
