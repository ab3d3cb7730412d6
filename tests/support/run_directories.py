"""Whole run directories made from a seed: metrics.json and the raw samples that agree with it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from planrunner.metrics.book import SeriesBook
from planrunner.metrics.series import Labels
from planrunner.results.files.directory import METRICS, SAMPLES, UNFINISHED
from planrunner.results.files.metrics_json import write_metrics
from planrunner.results.files.recover import recover
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter, pack_row
from planrunner.results.loads import GeneratorFacts, PhaseLoad, Sustainable
from planrunner.results.model import RunResult, Validity, ValidityLevel
from planrunner.results.record import FailingSample, SearchStep, make_tracks
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.results import AWKWARD_NAMES, RESULTS

__all__ = ["HOSTILE_NAMES", "make_killed_run_directory", "make_run_directory"]

HOSTILE_NAMES: Final = ("=1+1", "@SUM(A1)", "-2+3", *AWKWARD_NAMES)
_NAMES: Final = ("GET /products", "GET /products/:id", "POST /cart")
_STARTED_UNIX_NS: Final = 1_795_262_400_000_000_000  # 2026-11-21T12:00:00Z
_WARMUP_S: Final = 4
_LEVEL: Final[dict[str, Any]] = {
    "requests_per_second": 49.8,
    "error_rate_percent": 2.5,
    "p95_ns": 21 * NS_PER_MS,
}


def make_run_directory(
    path: Path,
    *,
    names: Sequence[str] = _NAMES,
    seconds: int = 24,
    slower: float = 1.0,
    seed: int = 7,
    run_id: str = "20261121-120000-k7qf",
) -> RunResult:
    """Write a run's directory, as `execute` leaves it; the same arguments give the same bytes.

    Args:
        path: Made if it isn't there.
        names: Of the requests; each stands in its failures' words, tags and phases too.
        slower: What all latencies are multiplied with.
    """
    begun = _write_samples(path, names, seconds=seconds, slower=slower, seed=seed, run_id=run_id)
    found = recover(begun, SampleReader(path / SAMPLES))
    result = replace(
        found,
        points=tuple(replace(point, users=4 + point.second // 4) for point in found.points),
        ended_because="finished",
        validity=Validity(ValidityLevel.VALID),
        notices=begun.notices,
        **_facts(names, seconds),  # type: ignore[arg-type]
    )
    write_metrics(result, path / METRICS)
    return result


def make_killed_run_directory(path: Path) -> None:
    """Write what a run leaves that was killed: samples, and what was known when it began."""
    begun = _write_samples(path, _NAMES, seconds=8, slower=1, seed=7, run_id="20261121-120000-dead")
    known = replace(begun, rows=(), points=(), judgements=(), task_mix=(), exit_code=3)
    write_metrics(known, path / UNFINISHED)


def _write_samples(
    path: Path, names: Sequence[str], *, seconds: int, slower: float, seed: int, run_id: str
) -> RunResult:
    path.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    book = SeriesBook(0)
    writer = SampleWriter(path / SAMPLES, started_unix_ns=_STARTED_UNIX_NS)
    rows = []
    for second in range(seconds):
        for n, name in enumerate(names):
            for part in range(1 if n else 2 + 3 * second // seconds):
                labels = _labels(name, n, second)
                latency_ns = round((n % 5 + 2) * slower * 4e6 * draw.lognormvariate(0, 0.4))
                start_ns = second * NS_PER_S + (n * 61 + part * 431) % 900 * NS_PER_MS
                words = writer.message(f"status 503 of {name}") if labels.failure else ""
                row = pack_row(
                    book.series(labels).index,
                    *(start_ns, latency_ns, latency_ns - NS_PER_MS, latency_ns // 2),
                    *(500_000 if second == 0 else 0, 300 + n, words or 0),
                )
                rows.append((start_ns + latency_ns, row))
    for _, row in sorted(rows):
        writer.append(row)
    writer.flush(book.opened)
    writer.close()
    base = RESULTS["passing" if names == _NAMES else "awkward"]
    return replace(base, run_id=run_id, baseline="reports/shop/baseline.json")


def _labels(name: str, n: int, second: int) -> Labels:
    fails = n % 3 == 2 and second % 6 == 5
    return Labels(
        name,
        "POST" if n == 2 else "GET",
        phase="main" if len(name) < 20 else name,
        stage="hold",
        user="Visitor",
        task=name,
        tags=(("area", name),),
        status=503 if fails else 200,
        failure="status" if fails else "",
        warmup=second < _WARMUP_S,
    )


def _facts(names: Sequence[str], seconds: int) -> dict[str, object]:
    """What a run knows beside its samples; every field of metrics.json has something in it."""
    name = names[2]
    gauges = {
        f"service.{name}.cpu": [(s * NS_PER_S, 0.25 + s % 4 / 16) for s in range(seconds)],
        "service.shop.rss": [(s * NS_PER_S, 3e7 + 1e5 * s) for s in range(seconds)],
        "generator.loop_lag": [(s * NS_PER_S, 0.0005) for s in range(seconds)],
        "monitor.queue": [(s * NS_PER_S, float(s % 3)) for s in range(seconds)],
    }
    return {
        "labels": {"build": "1.4.2", name: name},
        "plan_text": f"name: shop stress\ndescription: |\n  {name}\n",
        "tracks": make_tracks(gauges, started_ns=0),
        "loads": (PhaseLoad("main", "open", "arrivals", 1000, 990, 10, 2, NS_PER_MS, NS_PER_MS),),
        "generator": GeneratorFacts(700_000, 0.31, 1, 2_000_000, 24, 1024),
        "search": (
            SearchStep("main", "rate", 50.0, held=True, **_LEVEL),
            SearchStep("main", "rate", 100.0, held=False, **_LEVEL, reason=f"p95 of {name}"),
        ),
        "sustainable": (
            Sustainable(
                *("main", "rate"),
                is_found=True,
                level=50.0,
                is_reached=True,
                text=f"50/s held; p95 of {name} broke at 100/s",
                broken_by="p95",
                broken_at=100.0,
            ),
        ),
        "failing_samples": (
            FailingSample(
                request=name,
                phase="main",
                kind="status",
                reason=f"status 503 of {name}",
                method="POST",
                status=503,
                second=5.5,
                latency_ns=71 * NS_PER_MS,
                sent=f"POST /cart HTTP/1.1\nAuthorization: ***\n\n{name}",
                received=f"HTTP/1.1 503 Service Unavailable\n\n{name}",
                tags={"area": name},
            ),
        ),
    }
