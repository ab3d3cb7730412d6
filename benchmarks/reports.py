"""Question 12: what reports of ten million samples cost."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.processes import Outcome, run
from benchmarks.questions import COMMAND
from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.results.files.directory import METRICS, SAMPLES
from planrunner.results.files.metrics_json import write_metrics
from planrunner.results.files.samples import SampleWriter, pack_row
from planrunner.units import NS_PER_MS, NS_PER_S

SAMPLE_COUNT = 10_000_000
SECONDS, REQUESTS, WORKERS = 7_200, 50, 2
SECONDS_OF_INTERVAL = 10
"""Of which the result is made: such a run has an interval of 16 s for each point of its charts."""

FROM_METRICS = ("report.html", "junit.xml", "summary.md")
OF_SAMPLES = {"results.csv": 1_500_000, "parquet": 3_000_000, "jtl": 300_000}
"""Files with a row for each sample, and how many a second of a processor are the target."""

OF_WORKERS = "results.csv"


def reports(rounds: int, seconds: int) -> dict:
    """Seconds and peak memory of reports from metrics.json, and rows a second of raw samples."""
    del seconds
    raw: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        one, split = Path(folder) / "one", Path(folder) / "two"
        samples_in_metrics = _write_result(one)
        shutil.copytree(one, split)
        _write_samples_of(one, workers=1)
        _write_samples_of(split, workers=WORKERS)
        for number in range(min(rounds, 3)):
            for name, directory, formats in (
                ("from metrics.json", one, FROM_METRICS),
                *((name, one, (name,)) for name in OF_SAMPLES),
                (f"{OF_WORKERS} of {WORKERS} workers", split, (OF_WORKERS,)),
            ):
                made = _report(directory, formats)
                found = {"cpu_s": round(made.cpu_s, 2), "peak_mb": round(made.peak_bytes / 1e6)}
                raw.setdefault(name, []).append(found)
                print(f"  round {number + 1}: {name:27} {found}", flush=True)
    took, peak = ({name: median(one[what] for one in found) for name, found in raw.items()}
                  for what in ("cpu_s", "peak_mb"))  # fmt: skip
    first, *others = took
    summary = [
        f"report.html, junit.xml and summary.md of {samples_in_metrics:,} samples from "
        f"metrics.json: {took[first]:.1f} s of CPU, {peak[first]:.0f} MB (target 5 s, 300 MB)",
        *(
            f"{name}: {SAMPLE_COUNT / took[name]:,.0f} rows per second of CPU, {peak[name]:.0f} MB "
            f"(target {OF_SAMPLES.get(name, 300_000):,})"
            for name in others
        ),
    ]
    return {"summary": summary, "rounds": raw}


def _report(directory: Path, formats: tuple[str, ...]) -> Outcome:
    wanted = [part for name in formats for part in ("--format", name)]
    for name in formats:
        (directory / name).unlink(missing_ok=True)  # whose pages the system would free meanwhile
    outcome = run([COMMAND, "report", str(directory), *wanted], cpu=1)
    if outcome.exit_code:
        raise RuntimeError(outcome.output + outcome.errors)
    return outcome


def _write_result(directory: Path) -> int:
    """Write what a run of two hours with fifty requests came to; returns its samples."""
    from tests.support.long_run import make_long_run  # noqa: PLC0415 - needs the tests beside it

    directory.mkdir()
    result = make_long_run(
        seconds=SECONDS,
        every=SECONDS_OF_INTERVAL,
        requests=REQUESTS,
        factor=5 * SECONDS_OF_INTERVAL,
    )
    write_metrics(result, directory / METRICS)
    return result.totals.total_requests


def _write_samples_of(directory: Path, *, workers: int) -> None:
    """Write its samples."""
    first = SampleWriter(directory / SAMPLES, started_unix_ns=0)
    others = [first.beside(number).open() for number in range(1, workers)]
    for number, writer in enumerate((first, *others)):
        _write_samples(writer, SAMPLE_COUNT // workers, seed=number)


def _write_samples(writer: SampleWriter, count: int, *, seed: int) -> None:
    draw, book = random.Random(seed), SeriesBook()
    for number in range(REQUESTS):
        book.series(Labels(f"GET /items/{number:02}", "GET", "main", "hold", "Browser", "browse"))
    apart_ns = SECONDS * NS_PER_S // count
    latencies = [draw.randrange(NS_PER_MS, 50 * NS_PER_MS) for _ in range(10_000)]
    for number in range(count):
        latency_ns = latencies[number % len(latencies)]
        row = (number % REQUESTS, number * apart_ns, latency_ns, latency_ns, latency_ns // 2, 0)
        writer.append(pack_row(*row, 2_048, 0))
        if number % 100_000 == 0:
            writer.flush(book.opened)
    writer.flush(book.opened)
    writer.close()
