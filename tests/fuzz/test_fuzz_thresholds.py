"""Sentences of thresholds: read, printed and measured, or refused at a place."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from planrunner.errors import UsageError
from planrunner.metrics.judging.each import gate_of
from planrunner.metrics.judging.evidence import Evidence
from planrunner.metrics.thresholds import (
    Metric,
    ThresholdSyntaxError,
    describe,
    parse_threshold,
)
from planrunner.results.files.baseline import measure_in
from planrunner.results.model import RunResult
from planrunner.results.record import measured_of, read_series
from tests.support.fuzzing import bounded, fuzz
from tests.support.mutations import mutated_text
from tests.support.run_directories import make_run_directory

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "plans").glob("*.yaml"),
    *(ROOT / "tests" / "golden" / "explain").glob("*.yaml"),
]
OPERATOR = re.compile(
    r"(?:^ *- |`)['\"]?([a-z][^`\n#]* (?:<|<=|>|>=|==|!=) [^`\n#]*)", re.MULTILINE
)
SENTENCES = sorted(
    {found for path in WRITTEN for found in OPERATOR.findall(path.read_text("utf-8"))}
)
# fmt: off
PIECES = [
    *"<>=!(),\"'\\:.*%#-+ \0\n", "p95", "p99.999999", "p100", "p0", "avg", "rate", "ratio(",
    "share", " of ", " in ", " over ", " for ", " and ", " or ", " not ", " windows", " in a row",
    ", abort", " after ", " phase ", " stage ", "profile ", "task:", "tag:a=", "status:5*",
    "status:", "group:", "iteration", "baseline", "% of baseline", "500ms", "0s", "1e9s",
    "99999999999999999999h", "-1", "1%", "5/s", "1 MB", "service.a.rss", "generator.loop_lag",
    "ttfb", "sum of ", "max ", "\u00b5s", "\N{NO-BREAK SPACE}", "\ud7ff", "share of ", " among ",
    "each ", "each request", "each phase", "each group", " except ", "phase:a", " for 30s",
    " for 3 windows", '"GET /*"', "/^GET .*/", "/(a|b)/", "/a{9}{9}/", "/", "\\/", "request",
]
# fmt: on
RUNS: dict[Path, RunResult] = {}


@fuzz(mutated_text(SENTENCES, PIECES, slips=4) | st.text(max_size=30), examples=150)
def test_a_sentence_is_a_threshold_or_is_refused_at_a_place(text: str, folder: Path) -> None:
    """What reads is printed so that it reads as the same, is put in words, judged and measured."""
    if folder not in RUNS:
        RUNS.clear()
        RUNS[folder] = make_run_directory(folder / "run", seconds=6)

    with bounded(2):
        try:
            found = parse_threshold(text)
        except ThresholdSyntaxError as error:
            assert 0 <= error.offset <= len(text)
            assert error.length >= 1
            assert error.message
            return

        run = RUNS[folder]
        evidence = Evidence(read_series(run.series), measured_of(run.measured))
        assert parse_threshold(str(found)) == found
        assert describe(found)
        assert gate_of(replace(found, singles=("a", "GET /"))).judge(evidence).verdict
        if isinstance(found.metric, Metric) and found.metric.agg.has_baseline:
            with suppress(UsageError):
                measure_in(run)(found.metric)
