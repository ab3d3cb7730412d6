"""Finds what writes a report format; a writer is imported by the runs that write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, TextIO, assert_never, cast

from planrunner.formats import FormatFile, FormatSource, ReportFormat
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.model import RunResult

__all__ = ["Produce", "WriteResult", "WriteSamples", "produced_files", "writer_of"]

WriteResult = Callable[[RunResult, TextIO], object]
"""Writes a file of a format that is made of a result alone."""

WriteSamples = Callable[[RunResult, SampleReader, IO[Any]], object]
"""Writes a file of a format that needs each sample: a text, or bytes."""

Produce = Callable[[TextIO], object]

_UNFIT: Final = re.compile(r"[^\w.-]+")
_MOST_LETTERS: Final = 50


def produced_files(
    report: ReportFormat, result: RunResult, samples: Path
) -> Iterator[tuple[str, Produce]]:
    """Yield the names of a format's files, each with what writes it; those of phases last.

    Args:
        report: The format.
        result: The run.
        samples: Where its samples are, if they were kept.
    """
    for file in report.files:
        match report.source:
            case FormatSource.RESULT:
                yield file.name, partial(cast("WriteResult", writer_of(file)), result)
            case FormatSource.SAMPLES:
                yield file.name, partial(_write_samples, file, result, samples)
            case _ as unreachable:
                assert_never(unreachable)
    for phase, shown in _phases(result):
        for file in report.files:
            if file.phase_name:
                write = partial(writer_of(file), result, phase=phase)
                yield file.phase_name.format(phase=shown), write


def _phases(result: RunResult) -> Iterator[tuple[str, str]]:
    """Yield each phase of a run with several, and its name as a file can have it."""
    names = list(dict.fromkeys(part.phase for part in result.measured))
    taken: set[str] = set()
    for name in names if len(names) > 1 else ():
        word = shown = _UNFIT.sub("-", name).strip("-")[:_MOST_LETTERS] or "phase"
        number = 1
        while shown.lower() in taken:  # on some systems, case makes no other file
            number += 1
            shown = f"{word}-{number}"
        taken.add(shown.lower())
        yield name, shown


def writer_of(file: FormatFile) -> Callable[..., object]:
    """Import and return what writes a file: a `WriteResult` or a `WriteSamples`."""
    module, _, function = file.writer.partition(":")
    found: Callable[..., object] = getattr(import_module(module), function)
    return found


def _write_samples(file: FormatFile, result: RunResult, samples: Path, out: TextIO) -> None:
    write = cast("WriteSamples", writer_of(file))
    write(result, SampleReader(samples), out.buffer if file.is_binary else out)
