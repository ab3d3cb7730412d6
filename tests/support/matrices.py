"""Runs with a phase for each combination of a matrix, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

from planrunner.metrics.histogram import Histogram
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.recorded_values import MILLIONTHS, RecordedValues
from planrunner.metrics.series import Labels
from planrunner.metrics.snapshot import Accumulated, SeriesDelta, Snapshot
from planrunner.results.aggregate import make_rows, make_totals
from planrunner.results.matrices.tables import make_scaling
from planrunner.results.model import Judgement, RunResult, Verdict
from planrunner.results.record import AxisChoice, PhaseCombination, make_series, make_stretches
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.results import make_result

__all__ = ["make_matrix_run"]

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
        numbers = {"rows": float(rows), "limit": rows / 1000}
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
        judgements=_judgements(limit),
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


def _judgements(limit: str) -> tuple[Judgement, ...]:
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
        ),
    )
