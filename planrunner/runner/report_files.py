"""The files of a run: raw samples while it lasts, reports when it has ended or later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from io import BufferedIOBase, TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from planrunner.engine.stop import Stop
from planrunner.errors import CannotRun, Interrupted, UsageError
from planrunner.formats import METRICS_JSON, REPORT_FORMATS, FormatSource, partial_words
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import suggest
from planrunner.plan.format_packages import need_package
from planrunner.report.formats.writers import Produce, produced_files
from planrunner.results.changes import EarlierKind, EarlierRun
from planrunner.results.files.atomic import atomic_text_file
from planrunner.results.files.directory import METRICS, SAMPLES, UNFINISHED
from planrunner.results.files.metrics_json import read_metrics, write_metrics
from planrunner.results.files.past_runs import find_previous
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, parse_keep
from planrunner.results.model import RunResult
from planrunner.units import format_count

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = [
    "check_formats",
    "is_of_samples",
    "open_samples",
    "report_files",
    "samples_path",
    "write_reports",
    "written_files",
]


def samples_path(graph: RunGraph, directory: Path, *, is_watched: bool) -> Path | None:
    """Return where raw samples go; None when nobody wants any.

    Args:
        graph: Says which reports are made of them.
        directory: Of the run.
        is_watched: Whether an output wants them.
    """
    is_wanted = is_watched or any(map(is_of_samples, graph.report.formats))
    return directory / SAMPLES if is_wanted and parse_keep(graph.report.samples) else None


def open_samples(graph: RunGraph, path: Path | None, started: datetime) -> SampleWriter | None:
    """Return what writes raw samples there; None for nowhere."""
    if path is None:
        return None
    return SampleWriter(
        path,
        started_unix_ns=int(started.timestamp() * 1e6) * 1000,
        keep=parse_keep(graph.report.samples),
        seed=graph.seed,
    )


def check_formats(names: Iterable[str]) -> None:
    """Refuse a report that there is not, or that can't be written here.

    Raises:
        UsageError: One is unknown.
        PackageMissing: One needs an extra that is not installed.
    """
    known = tuple(REPORT_FORMATS)
    for name in names:
        if name not in known:
            hint = suggest(name, known) or "formats: " + ", ".join(known)
            raise UsageError(f"no report format `{name}`", hint=hint)
        need_package(name)


class _AbandonableFile(TextIOBase):
    """A text file that refuses further writes once it has been given up.

    Attributes:
        buffer: The file of bytes below it, which does the same.
    """

    def __init__(self, file: TextIO, is_given_up: Callable[[], bool]) -> None:
        self._file = file
        self._is_given_up = is_given_up
        self.buffer = _AbandonableBytes(file, is_given_up)

    def write(self, text: str) -> int:
        _go_on(self._is_given_up)
        return self._file.write(text)


class _AbandonableBytes(BufferedIOBase):
    """The file of bytes below such a text file."""

    def __init__(self, file: TextIO, is_given_up: Callable[[], bool]) -> None:
        self._file = file
        self._is_given_up = is_given_up

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        _go_on(self._is_given_up)
        return self._file.buffer.write(data)


def _go_on(is_given_up: Callable[[], bool]) -> None:
    if is_given_up():
        raise Interrupted("interrupted while reports were written")


def write_reports(
    graph: RunGraph,
    result: RunResult,
    directory: Path,
    stop: Stop,
    is_given_up: Callable[[], bool] = lambda: False,
    *,
    baseline: RunResult | None = None,
) -> RunResult:
    """Write the reports that the plan asks for, metrics.json with them; return what they show.

    They compare the run with its baseline; without one, with the run before it.

    A report that can't be written becomes a notice in metrics.json, and so does what is missing
    from those that are made of samples.

    Raises:
        CannotRun: metrics.json can't be written.
        Interrupted: It was given up; what was whole by then is kept.
    """

    def keep(result: RunResult) -> None:
        stop.settle(result.exit_code, partial(write_metrics, result, directory / METRICS))

    # Before all others: whatever happens to them, the run is kept. Once more when one of them
    # has left a notice.
    result = replace(result, notices=(*result.notices, *_sample_notices(graph, directory)))
    keep(result)
    earlier = _earlier(result, directory, baseline)
    if earlier is not None:
        result = replace(result, earlier=(earlier,))
        keep(result)
    result = read_metrics(directory / METRICS)  # so that `report` makes the same bytes later
    with suppress(OSError):
        (directory / UNFINISHED).unlink(missing_ok=True)
    notices = []
    # What lists samples takes longest, and can be made again best.
    for name in sorted(graph.report.formats, key=is_of_samples):
        if name == METRICS_JSON or (is_of_samples(name) and not (directory / SAMPLES).exists()):
            continue
        for file, produce in report_files(name, result, directory):
            try:
                with atomic_text_file(directory / file) as out:
                    produce(cast("TextIO", _AbandonableFile(out, is_given_up)))  # writing is all
            except (CannotRun, UsageError) as error:  # no room for it, or samples are broken
                notices.append(error.message)
    if notices:
        result = replace(result, notices=(*result.notices, *notices))
        keep(result)
    return result


def _earlier(result: RunResult, directory: Path, baseline: RunResult | None) -> EarlierRun | None:
    kind = EarlierKind.PREVIOUS if baseline is None else EarlierKind.BASELINE
    before = find_previous(directory, result) if baseline is None else baseline
    if before is None:
        return None
    from planrunner.results.earlier import make_earlier  # noqa: PLC0415 - imports statistics

    return make_earlier(before, result, kind)


def written_files(graph: RunGraph, directory: Path) -> list[Path]:
    """Return the reports of a run, in their order, but those of single phases."""
    names = [
        file.name
        for name in graph.report.formats
        if name != METRICS_JSON
        for file in REPORT_FORMATS[name].files
    ]
    return [
        directory / METRICS,
        *(directory / name for name in names if (directory / name).exists()),
    ]


def report_files(name: str, result: RunResult, directory: Path) -> Iterator[tuple[str, Produce]]:
    """Yield the file names of a format, each with what writes it."""
    return produced_files(REPORT_FORMATS[name], result, directory / SAMPLES)


def _sample_notices(graph: RunGraph, directory: Path) -> Iterator[str]:
    """Say what reports that are made of samples lack."""
    words = partial_words(graph.report.formats, graph.report.samples)
    if words and not any(notice.endswith(words) for notice in graph.notices):
        yield words
    if not (directory / SAMPLES).exists() or not any(map(is_of_samples, graph.report.formats)):
        return
    with suppress(CannotRun, UsageError):  # whoever writes these reports says so
        reader = SampleReader(directory / SAMPLES)
        if loss := reader.loss(is_over=True):
            yield str(loss)
        if unreported := reader.left_out():
            yield (
                f"{format_count(unreported, 'sample')} that lost workers wrote after their last "
                "report are in their files of raw samples, and in no report"
            )


def is_of_samples(name: str) -> bool:
    """Whether a format lists samples."""
    return REPORT_FORMATS[name].source is FormatSource.SAMPLES
