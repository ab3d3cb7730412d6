"""Damaged and edited files of raw samples: what is whole is read, and what is lost is said."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet
from hypothesis import strategies as st

from planrunner.cli.group import run
from planrunner.errors import CannotRun, UsageError
from planrunner.formats import REPORT_FORMATS, FormatSource
from planrunner.report.formats.writers import writer_of
from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.files.directory import SAMPLES, read_run
from planrunner.results.files.sample_blocks import seal
from planrunner.results.files.sample_reader import SampleReader
from tests.support.fuzzing import bounded, fuzz
from tests.support.mutations import damaged, mutated_tree
from tests.support.run_directories import make_killed_run_directory, make_run_directory

LINES = "samples.jsonl"
Rows = Counter[tuple[int, ...]]
"""Samples by their numbers: those that say which series and words they have can be renumbered."""


@dataclass(frozen=True)
class Original:
    """The files of a run by name, and the rows in its samples."""

    files: dict[str, bytes]
    rows: Rows


@cache
def original(*, is_killed: bool) -> Original:
    with TemporaryDirectory() as folder:
        path = Path(folder)
        make_killed_run_directory(path) if is_killed else make_run_directory(path, seconds=8)
        files = {file.name: file.read_bytes() for file in path.iterdir()}
        return Original(files, rows_of(SampleReader(path / SAMPLES)))


def rows_of(reader: SampleReader) -> Rows:
    return Counter(row[1:7] for row in reader.tuples())


@dataclass(frozen=True)
class Found:
    """What is found in a run's directory later.

    Attributes:
        is_forged: A hand edited the lines, and gave them checksums that hold.
    """

    files: dict[str, bytes]
    is_killed: bool
    is_forged: bool


VALUES = st.one_of(
    st.sampled_from([None, True, 0, -1, 1, 10**30, 0.5, "", "\ud800", "x", [], {}, [[]], {"a": 1}]),
    st.sampled_from(
        ["%s", "%d%", "=1", 10**18, 253_402_300_800 * 10**9, -(10**20), ["a"], [["a"]]]
    ),
    st.integers(),
    st.text(max_size=5),
)


@st.composite
def found_later(draw: st.DrawFn) -> Found:
    is_killed = draw(st.booleans())
    files = dict(original(is_killed=is_killed).files)
    rows, lines = files[SAMPLES], files[LINES]
    is_forged = draw(st.booleans())
    if is_forged:
        files[LINES] = draw(mutated_tree(st.just(entries(lines)), VALUES, slips=2).map(forged))
    elif draw(st.booleans()):
        files[LINES] = draw(damaged([lines], times=2))
    if draw(st.booleans()):
        files[SAMPLES] = draw(damaged([rows], times=3))
    if draw(st.integers(0, 3)) == 0:
        files["samples-1.bin"] = draw(damaged([rows], times=1))
        files["samples-1.jsonl"] = draw(damaged([lines], times=1))
    if draw(st.integers(0, 5)) == 0:
        del files[draw(st.sampled_from([SAMPLES, LINES]))]
    return Found(files, is_killed, is_forged)


def entries(lines: bytes) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in lines.splitlines()]
    for entry in found:
        del entry["crc"]
    return found


def forged(found: list[Any]) -> bytes:
    """Return edited lines with right checksums."""
    return b"".join(seal(entry).encode() + b"\n" for entry in found if isinstance(entry, dict))


def put(found: Found, run_directory: Path) -> Path:
    """Write what was found, and nothing else, into the directory."""
    shutil.rmtree(run_directory, ignore_errors=True)
    run_directory.mkdir()
    for name, data in found.files.items():
        (run_directory / name).write_bytes(data)
    return run_directory


@fuzz(found_later(), examples=30)
def test_damage_is_counted_and_said(found: Found, folder: Path) -> None:
    """No row is read that wasn't written, and none is missed in silence."""
    run_directory = put(found, folder / "run")

    with bounded(5), suppress(CannotRun, UsageError):
        reader = SampleReader(run_directory / SAMPLES)
        rows, loss = rows_of(reader), reader.loss(is_over=not found.is_killed)
        check_rows(rows, found, is_lossy=bool(loss))
        assert str(loss)
        check_reports(run_directory)


def check_rows(rows: Rows, found: Found, *, is_lossy: bool) -> None:
    written = original(is_killed=found.is_killed).rows
    files = sum(name.endswith(".bin") for name in found.files)

    assert rows <= Counter({row: number * files for row, number in written.items()})
    if not found.is_forged and not found.is_killed:
        assert is_lossy or rows.total() >= written.total()


def check_reports(run_directory: Path) -> None:
    """Assert that each report that lists samples has at most those that are read."""
    result = read_run(run_directory)
    print_summary(result, open_console(io.StringIO(), width=80))
    reader = SampleReader(run_directory / SAMPLES)
    most = rows_of(reader).total()
    for report in REPORT_FORMATS.values():
        for file in report.files if report.source is FormatSource.SAMPLES else ():
            out = io.BytesIO() if file.is_binary else io.StringIO(newline="")
            writer_of(file)(result, SampleReader(run_directory / SAMPLES), out)
            if file.name.endswith(".parquet"):
                assert pyarrow.parquet.read_metadata(out).num_rows <= most
                continue
            written = out.getvalue()
            text = written if isinstance(written, str) else written.decode()
            header, *lines = csv.reader(io.StringIO(text, newline=""))
            assert len(lines) <= most
            assert {len(line) for line in lines} <= {len(header)}


@fuzz(found_later(), examples=10)
def test_no_complete_report_is_replaced_by_less(found: Found, folder: Path) -> None:
    """`report RUN --format results.csv` of damaged samples leaves the one that is there."""
    run_directory = put(found, folder / "run")
    complete = run_directory / "results.csv"
    complete.write_text("what the run wrote")

    with bounded(5):
        code = run(["report", str(run_directory), "--format", "results.csv"])

    assert code in (0, 2, 3)
    assert code == 0 or complete.read_text() == "what the run wrote"
