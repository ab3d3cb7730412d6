"""What a collector has gathered → a result and the files of a run directory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from planrunner.compiler.compile import slug_of
from planrunner.errors import UsageError
from planrunner.formats import METRICS_JSON
from planrunner.metrics.judging.each import gate_of
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.judging.measured import MeasuredTime
from planrunner.metrics.snapshot import Snapshot
from planrunner.metrics.thresholds import Threshold
from planrunner.results.aggregate import make_rows, make_totals, make_whole
from planrunner.results.changes import EarlierKind
from planrunner.results.exit_codes import ExitCode
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.baseline import measure_in, read_baseline
from planrunner.results.files.directory import METRICS, make_run_directory
from planrunner.results.files.metrics_json import read_metrics, write_metrics
from planrunner.results.files.past_runs import find_previous
from planrunner.results.matrices.tables import make_scaling
from planrunner.results.model import Row, RunResult, Validity, ValidityLevel
from planrunner.results.record import (
    ComponentFigures,
    FailingSample,
    PhaseCombination,
    make_series,
    make_stretches,
)
from planrunner.results.request_history import RunSums
from planrunner.runner.build_result import judgement_of, machine_facts, written_time
from planrunner.runner.report_files import check_formats, is_of_samples, report_files
from planrunner.units import NS_PER_S

__all__ = ["CollectedRun"]


class CollectedRun:
    """The run that a collector fills; its directory is made at once.

    Args:
        name: What the plan of a run is.
        out: The directory; None for a new one below `reports`.
        labels: What reports call the run, by name.
        formats: The reports to write.
        thresholds: What it is judged by.
        phases: When each part of it lasts, by the run's clock; one phase `main` if left out.
        baseline: What it is compared with; None for the promoted baseline of its name.

    Raises:
        CannotRun: The directory can't be made, or has files of an earlier run.
        UsageError: There is no such report, or it needs raw samples, or the baseline is broken.
    """

    def __init__(  # noqa: PLR0913 - all but the name are keywords
        self,
        name: str,
        *,
        out: Path | None,
        labels: Mapping[str, object],
        formats: Sequence[str],
        thresholds: Sequence[Threshold],
        phases: Sequence[MeasuredTime] = (),
        baseline: RunResult | None = None,
    ) -> None:
        check_formats(formats)
        for one in filter(is_of_samples, formats):
            raise UsageError(
                f"formats: `{one}` is made of raw samples, which a collector doesn't keep",
                hint="choose others, such as report.html or junit.xml",
            )
        self.name = name
        self._labels = {str(key): str(value) for key, value in labels.items()}
        self._formats = tuple(formats)
        self._started = datetime.now(UTC)
        self._run_id = os.urandom(3).hex()
        self._baseline = Path("reports") / slug_of(name) / "baseline.json"
        self._before = read_baseline(self._baseline) if baseline is None else baseline
        self._values_before = None if self._before is None else measure_in(self._before)
        self._phases = tuple(phases)
        time = self._started.strftime("%Y%m%dT%H%M%SZ")
        usual = Path("reports") / slug_of(name) / f"{time}-{self._run_id}"
        self.directory = make_run_directory(out or usual).absolute()
        self._sums = RunSums(0)
        self._gates = [gate_of(threshold) for threshold in thresholds]

    def add(self, snapshot: Snapshot) -> None:
        """Add an interval, in order of time; the run's clock starts at 0."""
        self._sums.add(snapshot)
        evidence = self._evidence(snapshot.end_ns)
        for gate in self._gates:
            gate.add(snapshot, evidence)

    def whole(self, end_ns: int) -> Row:
        """Return what all intervals that were added have come to."""
        return make_whole(self._sums.total.totals, self._measured(end_ns))

    def _evidence(self, end_ns: int) -> Evidence:
        return Evidence(
            series=self._sums.total.totals,
            measured=self._measured(end_ns),
            baseline=self._values_before,
        )

    def _measured(self, end_ns: int) -> tuple[MeasuredTime, ...]:
        """Return the measured time until now."""
        if not self._phases:
            return (MeasuredTime("main", "hold", 0, end_ns, is_counted=True),)
        begun = (phase for phase in self._phases if phase.start_ns < end_ns)
        return tuple(replace(phase, end_ns=min(phase.end_ns, end_ns)) for phase in begun)

    def finish(
        self,
        end_ns: int,
        failing: Sequence[FailingSample],
        *,
        notices: Sequence[str] = (),
        components: Sequence[ComponentFigures] = (),
        combinations: Sequence[PhaseCombination] = (),
    ) -> RunResult:
        """Write metrics.json and the reports, and return what they show.

        Args:
            end_ns: Of the run, by its clock.
            failing: What failed.
            notices: What else is to be known about it.
            components: Whether the times of requests are stable, where that was judged.
            combinations: The phases that are of a matrix.

        Raises:
            CannotRun: One can't be written.
        """
        result = self._result(end_ns, failing, notices)
        result = replace(
            result,
            components=tuple(components),
            combinations=tuple(combinations),
            scaling=make_scaling(result.rows, combinations, result.judgements),
        )
        baseline = self._before
        before = find_previous(self.directory, result) if baseline is None else baseline
        if before is not None:
            from planrunner.results.earlier import make_earlier  # noqa: PLC0415 - imports statistics

            kind = EarlierKind.PREVIOUS if baseline is None else EarlierKind.BASELINE
            if (earlier := make_earlier(before, result, kind)) is not None:
                result = replace(result, earlier=(earlier,))
        write_metrics(result, self.directory / METRICS)
        result = read_metrics(self.directory / METRICS)  # `report` makes the same bytes later
        for name in self._formats:
            if name == METRICS_JSON:
                continue
            for file, produce in report_files(name, result, self.directory):
                with atomic_text_file(self.directory / file) as out:
                    produce(out)
        return result

    def _result(
        self, end_ns: int, failing: Sequence[FailingSample], notices: Sequence[str]
    ) -> RunResult:
        sums, measured = self._sums, self._measured(end_ns)
        evidence = self._evidence(end_ns)
        judgements = tuple(judgement_of(gate, evidence, 0) for gate in self._gates)
        is_broken = any(one.verdict.fails_the_run for one in judgements)
        return RunResult(
            run_id=self._run_id,
            plan=self.name,
            plan_path="",
            plan_hash=hashlib.sha256(self.name.encode()).hexdigest(),
            profile="",
            seed=0,
            started=written_time(self._started),
            duration_seconds=end_ns / NS_PER_S,
            ended_because="finished",
            exit_code=ExitCode.THRESHOLD_FAILED if is_broken else ExitCode.OK,
            totals=make_totals(sums.total, measured),
            aborted=0,
            unmeasured=0,
            warmup=0,
            rows=make_rows(sums.total, measured),
            points=sums.history.points(),
            judgements=judgements,
            validity=Validity(ValidityLevel.VALID),
            task_mix=(),
            params={},
            host=machine_facts(),
            notices=tuple(notices),
            baseline=str(self._baseline),
            measured=make_stretches(measured, started_ns=0),
            request_points=sums.requests.points(),
            progress=sums.running.progress(),
            series=make_series(sums.total.totals, started_ns=0),
            failing_samples=tuple(failing),
            labels=self._labels,
        )
