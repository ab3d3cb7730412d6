"""Edited, cut and nested metrics.json: every command refuses it in words, or makes its reports."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from planrunner.errors import CannotRun, Misuse, PlanrunnerError, UsageError
from planrunner.formats import REPORT_FORMATS
from planrunner.report.charts.charts import PAPER, charts_of
from planrunner.report.formats.compare import (
    print_comparison,
    print_history,
    write_comparison_html,
    write_history_html,
)
from planrunner.report.formats.writers import produced_files
from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.comparison import compare
from planrunner.results.files.baseline import promote
from planrunner.results.files.directory import METRICS, SAMPLES, read_run
from planrunner.results.model import RunResult
from tests.support.fuzzing import bounded, fuzz
from tests.support.mutations import damaged, mutated_tree
from tests.support.run_directories import HOSTILE_NAMES, make_run_directory

VALUES = st.one_of(
    st.sampled_from([None, True, 0, -1, 1, 2**53, 10**30, -(10**18), 0.5, -0.1, 1e99, 1e300]),
    st.sampled_from(["", "x", "\x1b[2J", "\ud800", "</script>", "a\nb", "x" * 5_000, "=1+1", "\0"]),
    st.sampled_from([[], {}, [[]], [None], {"a": 1}, [0, 0], [1, -1], [10**9, 10**9]]),
    st.integers(),
    st.text(max_size=8),
)


@cache
def original(kind: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return a run's metrics.json as data, and its files."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        make_run_directory(path, names=NAMES[kind], seconds=6)
        files = {file.name: file.read_bytes() for file in path.iterdir()}
        return json.loads(files[METRICS]), files


NAMES = {"usual": ("GET /a", "GET /b", "POST /c"), "hostile": HOSTILE_NAMES}
TREES = st.sampled_from(sorted(NAMES)).map(lambda kind: original(kind)[0])


def as_bytes(tree: object) -> bytes:
    return json.dumps(tree, default=str).encode("utf-8")


@fuzz(
    st.one_of(
        mutated_tree(TREES, VALUES, slips=3).map(as_bytes),
        st.deferred(lambda: damaged([original("usual")[1][METRICS]], times=2)),
    ),
    examples=12,
)
def test_a_result_is_refused_in_words_or_reported(data: bytes, folder: Path) -> None:
    """Of a file that is read, every report, comparison, trend and baseline can be made."""
    files = original("usual")[1]
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path, sound = folder / METRICS, folder / "sound.json"
    path.write_bytes(data)
    sound.write_bytes(files[METRICS])

    with bounded(10):
        try:
            result = read_run(path)
        except (UsageError, CannotRun) as error:
            in_words(error)
            return
        for use in uses(result, read_run(sound), folder):
            try:
                use()
            except (UsageError, CannotRun) as error:
                in_words(error)


def uses(result: RunResult, sound: RunResult, folder: Path) -> list[Callable[[], object]]:
    console = open_console(io.StringIO(), width=80)
    return [
        lambda: print_summary(result, console),
        *(
            partial(produce, as_file())
            for report in REPORT_FORMATS.values()
            for _, produce in produced_files(report, result, folder / SAMPLES)
        ),
        lambda: charts_of(result, PAPER),
        lambda: compared(result, sound),
        lambda: compared(sound, result),
        lambda: print_history([sound, result], console),
        lambda: write_history_html([result, sound], io.StringIO()),
        lambda: promote(result, folder / "baseline.json"),
    ]


def as_file() -> io.TextIOWrapper:
    """Return what behaves as the files that reports are written to."""
    return io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace", newline="")


def compared(before: RunResult, after: RunResult) -> None:
    comparison = compare(before, after)
    print_comparison(comparison, open_console(io.StringIO(), width=80))
    write_comparison_html(comparison, (before, after), io.StringIO())


def in_words(error: PlanrunnerError) -> None:
    """Assert that an error is a sentence and not what Python says of its own code."""
    assert not isinstance(error, Misuse)
    assert error.message
    assert len(error.message) < 500
