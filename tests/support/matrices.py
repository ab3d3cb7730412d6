"""Runs with a phase for each combination of a matrix, made by hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.recorded_values import MILLIONTHS, RecordedValues
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.results.aggregate import make_rows, make_totals
from planrunner.results.matrices.tables import make_scaling
from planrunner.results.model import JudgedSizes, Judgement, RunResult, Verdict
from planrunner.results.record import (
    AxisChoice,
    PhaseCombination,
    RequestPoints,
    SizeValue,
    make_series,
    make_stretches,
)
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.results import make_result

__all__ = ["make_load_run", "make_matrix_run"]

SIZES: Mapping[str, int] = {"small": 1_000, "medium": 10_000, "large": 100_000}

TimeOf = Callable[[str, str, int], float]
"""The milliseconds of a request in a format at a size."""


def _usual(request: str, form: str, rows: int) -> float:
    if request == "check":
        return 2 + rows / 20_000
    return rows / 100 if form == "csv" else 3 * (rows / 1000) ** 0.8


def make_matrix_run(
    time_of: TimeOf = _usual,
    *,
    sizes: Mapping[str, int] = SIZES,
    formats: tuple[str, ...] = ("csv", "parquet"),
    limit: str = "",
) -> RunResult:
    """Return a run of `ingestion` over cases and formats, with `import` that says how much it did.

    Args:
        time_of: How long a request takes.
        sizes: Rows of each case.
        formats: Of the other axis.
        limit: A threshold for the scalability, such as `< 1.3`; empty for none.
    """
    total, measured, combinations = Accumulated(), [], []
    for n, ((case, rows), form) in enumerate(product(sizes.items(), formats)):
        phase = f"ingestion[case={case},format={form}]"
        begin_ns = n * 10 * NS_PER_S
        deltas = {
            labels: _delta(labels, round(NS_PER_MS * time_of(labels.request, form, rows)), rows)
            for labels in (_labels(phase, "import"), _labels(phase, "check"))
        }
        if (case, form) == ("large", "csv"):
            slow = Histogram([2 * NS_PER_S])
            failed = replace(_labels(phase, "import"), status=500, failure="status")
            deltas[failed] = SeriesDelta(slow, slow)
        total.add(Snapshot(begin_ns, begin_ns + NS_PER_S, {}, deltas))
        measured.append(_counted(phase, begin_ns))
        axes = (AxisChoice("case", case), AxisChoice("format", form))
        numbers = (SizeValue("rows", float(rows)), SizeValue("limit", rows / 1000))
        combinations.append(PhaseCombination(phase, "ingestion", axes, numbers))
    rows_of_tables = make_rows(total, measured)
    return replace(
        make_result(),
        plan="imports",
        totals=make_totals(total, measured),
        rows=rows_of_tables,
        series=make_series(total.totals, started_ns=0),
        measured=make_stretches(measured, started_ns=0),
        combinations=tuple(combinations),
        scaling=make_scaling(rows_of_tables, combinations),
        judgements=_judgements(limit, [one.phase for one in combinations]),
        points=(),
        loads=(),
        task_mix=(),
    )


def _counted(phase: str, begin_ns: int) -> MeasuredTime:
    return MeasuredTime(phase, "", begin_ns, begin_ns + 10 * NS_PER_S, is_counted=True)


def _labels(phase: str, request: str) -> Labels:
    records = ("work",) if request == "import" else ()
    unit = "rows" if request == "import" else ""
    return Labels(
        request, "POST", phase, "", "Importer", "", status=200, records=records, work_unit=unit
    )


def _delta(labels: Labels, median_ns: int, rows: int) -> SeriesDelta:
    latency = Histogram([median_ns * percent // 100 for percent in (96, 98, 100, 102, 110)])
    measures = {"work": RecordedValues([rows * MILLIONTHS] * 5)} if labels.records else {}
    return SeriesDelta(latency, latency, measures=measures)


def _judgements(limit: str, phases: Sequence[str]) -> tuple[Judgement, ...]:
    if not limit:
        return ()
    sentence = f'scalability of import in phase "ingestion[format=csv]" over rows {limit}'
    operator, amount = limit.split()
    return (
        Judgement(
            sentence,
            Verdict.PASS,
            "1",
            amount,
            "plan.yaml:9:5",
            limit_amount=float(amount),
            operator=operator,
            unit="number",
            sizes=JudgedSizes("rows", ("import",), tuple(one for one in phases if "csv" in one)),
        ),
    )


def make_load_run(medians_ms: Mapping[str, float], *, seconds: int = 30) -> RunResult:
    """Return a run of `load` over users, one phase after the other, at 20 requests a second.

    Args:
        medians_ms: Of each number of users.
        seconds: Of each phase.
    """
    draw = random.Random(7)
    total, measured, combinations, points = Accumulated(), [], [], []
    for n, (users, median) in enumerate(medians_ms.items()):
        phase, begin = f"load[users={users}]", n * seconds
        measured.append(MeasuredTime(phase, "", begin * NS_PER_S, (begin + seconds) * NS_PER_S))
        axes = (AxisChoice("users", users),)
        combinations.append(
            PhaseCombination(phase, "load", axes, (SizeValue("users", float(users)),))
        )
        labels = replace(_labels(phase, "GET /"), records=(), work_unit="")
        for second in range(begin, begin + seconds):
            middle = median * draw.lognormvariate(0, 0.05) * NS_PER_MS
            values = [round(middle * draw.lognormvariate(0, 0.3)) for _ in range(20)]
            latency = Histogram(values)
            points.append((second + 1, *latency.percentiles((50, 95, 99))))
            delta = {labels: SeriesDelta(latency, latency)}
            total.add(Snapshot(second * NS_PER_S, (second + 1) * NS_PER_S, {}, delta))
    ends, *percentiles = map(tuple, zip(*points, strict=True))
    counts = (20,) * len(ends), (0,) * len(ends)
    return replace(
        make_result(),
        plan="loads",
        totals=make_totals(total, measured),
        rows=make_rows(total, measured),
        series=make_series(total.totals, started_ns=0),
        measured=make_stretches(measured, started_ns=0),
        combinations=tuple(combinations),
        request_points=tuple(
            RequestPoints(name, 1, ends, *counts, *percentiles) for name in ("", "GET /")
        ),
        points=(),
        loads=(),
        task_mix=(),
        judgements=(),
    )
