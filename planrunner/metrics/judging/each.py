"""Judges several things by themselves and names the worst: those of `each`, or lines of sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeVar

from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.amounts import Unit, format_amount
from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.judge import Gate
from planrunner.metrics.judging.measure import JudgedSpan, is_member, measure
from planrunner.metrics.judging.singles import (
    names_of_singles,
    nouns_of_singles,
    threshold_of_single,
)
from planrunner.metrics.judging.verdict import Observation, SingleObservation, Verdict
from planrunner.metrics.measures import LATENCY
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import SeriesDelta, SeriesTotal, Snapshot
from planrunner.metrics.thresholds.model import Metric, Operator, SizeLine, Threshold
from planrunner.metrics.thresholds.selector import Selector, SelectorKind

__all__ = ["AnyGate", "EachGate", "ScalabilityGate", "gate_of", "judge"]

_AT_THE_END: Final = (
    Verdict.FAIL,
    Verdict.NO_DATA,
    Verdict.WARN,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
# What has no samples yet may still have some.
_MEANWHILE: Final = (
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.PASS,
    Verdict.NO_DATA,
    Verdict.NOT_APPLICABLE,
)
_HELD_AGAINST: Final = (Verdict.FAIL, Verdict.NO_DATA, Verdict.WARN)
_MOST_NAMED: Final = 20

SomeSeries = TypeVar("SomeSeries", SeriesDelta, SeriesDelta | SeriesTotal)


def judge(
    threshold: Threshold, evidence: Evidence, snapshots: Iterable[Snapshot] = ()
) -> Observation:
    """Judge a threshold of a run that is over.

    Args:
        threshold: From a compiled plan.
        evidence: The whole run's.
        snapshots: Its intervals, in order; only windows and the growth of latencies need them.
    """
    gate = gate_of(threshold)
    for snapshot in snapshots:
        gate.add(snapshot, evidence)
    return gate.judge(evidence)


def gate_of(threshold: Threshold) -> AnyGate:
    """Return what judges a threshold during one run."""
    metric = threshold.metric
    if isinstance(metric, Metric) and metric.agg.is_of_sizes:
        return ScalabilityGate(threshold, metric)
    if isinstance(metric, Metric) and metric.each is not None:
        return EachGate(threshold, metric, metric.each)
    return Gate(threshold)


class EachGate:
    """A threshold of `each` during one run: a gate for every single one.

    Those that the run is meant to have are there from the start, so that one which never ran is
    found to have no data; others follow when their first sample does.
    """

    def __init__(self, threshold: Threshold, metric: Metric, each: Selector) -> None:
        self.threshold = threshold
        self._metric = metric
        self._each = each
        self._whole = Gate(threshold)
        self._gates = {name: self._new(name) for name in threshold.singles}
        self._names: dict[Labels, tuple[str, ...]] = {}
        # Computed names are judged one by one; the name as it is written has no samples then.
        self._templates: set[str] = set()
        self._is_of_requests = each.terms[0].kind is SelectorKind.REQUEST
        # A share of `each` is one of everything: of the others each has to know the number.
        self._needs_rest = metric.agg.is_share and metric.among is not each

    @property
    def unit(self) -> Unit:
        """The unit in which the observed amounts are compared with the limit."""
        return self._whole.unit

    def _new(self, name: str) -> Gate:
        return Gate(threshold_of_single(self.threshold, name))

    def add(self, snapshot: Snapshot, evidence: Evidence) -> None:
        """Take in one interval; `evidence` is the run's at its end. In order of time."""
        if self.threshold.not_applicable or not self._whole.keeps_intervals:
            return
        parts = self._parts(snapshot.deltas, evidence)
        for name, gate in self._gates.items():
            gate.add(replace(snapshot, deltas=parts.get(name, {})), evidence)

    def check(self, evidence: Evidence) -> Observation | None:
        """Return the observation that must abort the run, None while it may go on."""
        if self.threshold.abort is None or self.threshold.not_applicable:
            return None
        found = self._ask(evidence, Gate.check)
        return self._together(found, _MEANWHILE) if found else None

    def next_end_ns(self, evidence: Evidence, now_ns: int) -> int | None:
        """Return when, after now, there is next more to abort the run for than in any second."""
        ends = (gate.next_end_ns(evidence, now_ns) for gate in self._gates.values())
        return min((end_ns for end_ns in ends if end_ns is not None), default=None)

    def standing(self, evidence: Evidence) -> Observation:
        """Return how the threshold stands while the run goes on; no data yet breaks nothing."""
        return self._combined(evidence, Gate.standing, _MEANWHILE)

    def judge(self, evidence: Evidence) -> Observation:
        """Return what came of the threshold, now that the run is over."""
        return self._combined(evidence, Gate.judge, _AT_THE_END)

    def _combined(
        self,
        evidence: Evidence,
        question: Callable[[Gate, Evidence], Observation],
        order: Sequence[Verdict],
    ) -> Observation:
        if self.threshold.not_applicable:
            return self._whole.judge(evidence)
        found = self._ask(evidence, question)
        if found:
            return self._together(found, order)
        return question(self._whole, replace(evidence, series={}))

    def _ask(
        self, evidence: Evidence, question: Callable[[Gate, Evidence], Observation | None]
    ) -> list[SingleObservation]:
        """Ask every gate; each sees its own samples alone."""
        parts = self._parts(evidence.series, evidence)
        found = []
        for name, gate in self._gates.items():
            answer = question(gate, replace(evidence, series=parts.get(name, {})))
            if answer is not None and not (
                answer.verdict is Verdict.NO_DATA and self._may_lack(name)
            ):
                found.append(SingleObservation(name, answer))
        return found

    def _may_lack(self, name: str) -> bool:
        """Whether no data of it is nothing to hold against it.

        It is one that the compiler left out because it can't have what is judged, or the template
        of names that did come.
        """
        if self._is_of_requests and name in self._templates:
            return True
        is_of_some = self._metric.measure != LATENCY or self._metric.agg.is_of_expectations
        return is_of_some and name not in self.threshold.singles

    def _parts(
        self, series: Mapping[Labels, SomeSeries], evidence: Evidence
    ) -> dict[str, dict[Labels, SomeSeries]]:
        """Return what belongs to each of them, and add those that nobody knew of."""
        parts: dict[str, dict[Labels, SomeSeries]] = {}
        for labels, samples in series.items():
            for name in self._names_of(labels, evidence):
                parts.setdefault(name, {})[labels] = samples
        for name in parts:
            if name not in self._gates:
                self._gates[name] = self._new(name)
        if self._needs_rest:
            self._add_rest(parts, series, evidence)
        return parts

    def _add_rest(
        self,
        parts: dict[str, dict[Labels, SomeSeries]],
        series: Mapping[Labels, SomeSeries],
        evidence: Evidence,
    ) -> None:
        """Give each the number of what is of others, under the labels of one of these."""
        metric, among = self._metric, self._metric.among
        counts = {
            labels: samples.count
            for labels, samples in series.items()
            if is_member(metric, labels, evidence) and (among is None or among.picks(labels))
        }
        total = sum(counts.values())
        for name in self._gates:
            own = parts.setdefault(name, {})
            rest = total - sum(counts.get(labels, 0) for labels in own)
            other = next((labels for labels in counts if labels not in own), None)
            if other is not None:
                zeros = Histogram.of_zeros(rest)
                own[other] = SeriesDelta(zeros, zeros)

    def _names_of(self, labels: Labels, evidence: Evidence) -> tuple[str, ...]:
        names = self._names.get(labels)
        if names is None:
            if not is_member(self._metric, labels, evidence):
                return ()
            names = self._names[labels] = names_of_singles(self._metric, labels)
            if names and labels.template != labels.request:
                self._templates.add(labels.template)
        return names

    def _together(self, found: list[SingleObservation], order: Sequence[Verdict]) -> Observation:
        """Return one observation of all: the worst one's, and which ones broke it."""
        ranked = sorted(found, key=lambda one: self._rank(one, order))
        worst = ranked[0]
        seen = worst.found
        shown = f"{seen.observed} ({worst.name})" if seen.observed else ""
        if all(one.found.verdict is Verdict.NOT_APPLICABLE for one in ranked):
            return replace(seen, singles=tuple(ranked))
        reason = "; ".join(filter(None, (self._judged(ranked), seen.reason, self._empty(ranked))))
        return replace(seen, observed=shown, reason=reason, singles=tuple(ranked))

    def _rank(
        self, one: SingleObservation, order: Sequence[Verdict]
    ) -> tuple[int, bool, float, str]:
        """Return what the worst one has least of."""
        beside = _beside_limit(one.found)
        match self.threshold.op:
            case Operator.LESS | Operator.AT_MOST:
                distance = -beside
            case Operator.GREATER | Operator.AT_LEAST:
                distance = beside
            case _:
                distance = -abs(beside - 1)
        return order.index(one.found.verdict), not _has_data(one), distance, one.name

    def _judged(self, ranked: Sequence[SingleObservation]) -> str:
        """Say how many broke it and which, the worst first."""
        judged = [one for one in ranked if _has_data(one)]
        broken = [one for one in judged if one.found.verdict in (Verdict.FAIL, Verdict.WARN)]
        nouns = nouns_of_singles(self._each)
        if broken:
            named = _listed([f"{one.name} {one.found.observed}" for one in broken])
            return f"broken by {len(broken)} of {len(judged)} {nouns}: {named}"
        if len(judged) < 2 or not _has_data(ranked[0]):
            return ""
        return f"the worst of {len(judged)} {nouns}"

    def _empty(self, ranked: Sequence[SingleObservation]) -> str:
        """Name those that lack data, if that is held against them."""
        empty = [one for one in ranked if one.found.verdict in _HELD_AGAINST and not _has_data(one)]
        if not empty:
            return ""
        named = _listed([one.name for one in empty])
        return f"no data of {len(empty)} of {len(ranked)} {nouns_of_singles(self._each)}: {named}"


class ScalabilityGate:
    """How time grows against a size, during one run: every line of sizes by itself.

    Of neighbouring sizes n₁ < n₂ with the medians t₁ and t₂ it is (t₂/t₁) / (n₂/n₁), the worst: 1
    is linear, and a quadratic algorithm has n₂/n₁.
    """

    keeps_intervals = False

    def __init__(self, threshold: Threshold, metric: Metric) -> None:
        self.threshold = threshold
        self._metric = metric
        self._gate = Gate(threshold)
        self._median = replace(metric, agg=AGGREGATIONS["med"], size=None)

    @property
    def unit(self) -> Unit:
        """The unit in which the observed amount is compared with the limit."""
        return self._gate.unit

    def add(self, snapshot: Snapshot, evidence: Evidence) -> None:
        """Take in one interval; what is needed of it is in the run's totals."""

    def check(self, evidence: Evidence) -> Observation | None:
        """Return the observation that must abort the run, None while it may go on."""
        if self.threshold.abort is None or self.threshold.not_applicable:
            return None
        found = self.standing(evidence)
        return found if found.verdict is Verdict.FAIL else None

    def next_end_ns(self, evidence: Evidence, now_ns: int) -> int | None:
        """Return None: no moment has more to abort the run for than any second."""

    def standing(self, evidence: Evidence) -> Observation:
        """Return how the threshold stands while the run goes on; no data yet breaks nothing."""
        return self._combined(evidence, _MEANWHILE, over=False)

    def judge(self, evidence: Evidence) -> Observation:
        """Return what came of the threshold, now that the run is over."""
        return self._combined(evidence, _AT_THE_END, over=True)

    def _combined(self, evidence: Evidence, order: Sequence[Verdict], *, over: bool) -> Observation:
        if self.threshold.not_applicable:
            return self._gate.judge(evidence)
        found = [
            SingleObservation(line.name, self._gate.decided(self._line(line, evidence), over=over))
            for line in self.threshold.lines
        ]
        if not found:
            nothing = Observation(
                Verdict.NO_DATA, self._metric.agg.missing, self.threshold.value.shown
            )
            return self._gate.decided(nothing, over=over)
        found.sort(key=lambda one: self._rank(one, order))
        seen = found[0].found
        if not found[1:]:
            return seen
        shown = f"{seen.observed} ({found[0].name})" if seen.observed else ""
        broken = [one for one in found if one.found.verdict in _HELD_AGAINST]
        reason = f"the worst of {len(found)} combinations"
        if broken:
            named = _listed([f"{one.name} {one.found.observed}" for one in broken])
            reason = f"broken by {len(broken)} of {len(found)} combinations: {named}"
        reason = "; ".join(filter(None, (reason, seen.reason)))
        return replace(seen, observed=shown, reason=reason, singles=tuple(found))

    def _rank(self, one: SingleObservation, order: Sequence[Verdict]) -> tuple[int, float, str]:
        amount = one.found.amount or 0
        is_upper = self.threshold.op in (Operator.LESS, Operator.AT_MOST)
        return order.index(one.found.verdict), -amount if is_upper else amount, one.name

    def _line(self, line: SizeLine, evidence: Evidence) -> Observation:
        value, name = self.threshold.value, self._metric.size.name if self._metric.size else ""
        medians = [(size, self._median_of(phases, evidence)) for size, phases in line.points]
        missing = [f"{size:,.10g}" for size, median in medians if not median]
        if missing:
            reason = f"no samples where {name} is {_listed(missing)}"
            return Observation(Verdict.NO_DATA, "no samples", value.shown, reason)
        growths = [
            ((t2 or 0) / (t1 or 1) / (n2 / n1), n1, n2) for (n1, t1), (n2, t2) in pairwise(medians)
        ]
        is_upper = self.threshold.op in (Operator.LESS, Operator.AT_MOST)
        amount, smaller, larger = max(growths) if is_upper else min(growths)
        holds = self.threshold.op.holds(amount, value.amount)
        return Observation(
            Verdict.PASS if holds else Verdict.FAIL,
            format_amount(amount, self.unit),
            value.shown,
            _step_words(name, smaller, larger),
            limit_amount=value.amount,
            amount=amount,
        )

    def _median_of(self, phases: Sequence[str], evidence: Evidence) -> float | None:
        scope = replace(self._metric.scope, chosen=frozenset(phases))
        metric = replace(self._median, scope=scope)
        view = JudgedSpan(evidence, evidence.series, evidence.time_of(scope))
        found = measure(metric, Unit.DURATION, view)
        return None if found is None else found.amount


AnyGate = Gate | EachGate | ScalabilityGate


def _step_words(name: str, smaller: float, larger: float) -> str:
    per = "/s" if name == "rate" else ""
    return f"{name} from {smaller:,.10g}{per} to {larger:,.10g}{per}"


def _has_data(one: SingleObservation) -> bool:
    return one.found.amount is not None or one.found.window_ns is not None


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f", and {more} more" if more > 0 else "")


def _beside_limit(found: Observation) -> float:
    """Return the amount as a share of its limit: limits differ where a baseline gives them."""
    if found.amount is None:
        return 0
    return found.amount / found.limit_amount if found.limit_amount else found.amount
