"""Run results for the tests of reports: one for each thing that a report must cope with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planrunner.results.model import (
    AchievedTask,
    Judgement,
    Point,
    Row,
    RunResult,
    Totals,
    Validity,
    ValidityLevel,
    Verdict,
)
from planrunner.results.record import (
    BrokenExpectation,
    Buckets,
    CallFacts,
    ComponentFigures,
    ExpectationCount,
    SeriesRecord,
)

__all__ = [
    "AWKWARD_NAMES",
    "RESULTS",
    "make_large",
    "make_result",
    "make_row",
    "make_series",
]

_NS_PER_MS = 1_000_000
_KINDS = (
    *("dns", "connect", "tls", "timeout", "reset"),
    *("protocol", "too_large", "status", "expect", "extract"),
)
_MS = {"min": 1, "avg": 12, "p50": 10, "p90": 20, "p95": 25, "p99": 40, "p99.9": 70, "max": 81}

AWKWARD_NAMES = (
    "GET /a,b;c?q=\"quoted\"&x='1'",
    "GET /line\nbreak\r\nand\ttab",
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>",
    "GET /🛒/👩‍👩‍👧/日本語/値段",
    "GET /שלום/עולם and مرحبا",
    "GET /\u202egnp.live\u2066 reversed",
    "GET /" + "long" * 500,
    "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b0m GET /escape\x00",
    "GET /${user.id} [bold]markup[/bold] :smile: {{ 7 * 7 }}",
    "GET /half\ud83d",
    "",
)


def make_row(
    name: str,
    *,
    by: str = "request",
    phase: str = "",
    count: int = 1000,
    failures: Mapping[str, int] | None = None,
    slower: int = 1,
    statuses: Mapping[str, int] | None = None,
) -> Row:
    """Make a row whose latencies are `slower` times those of the fastest; 0 for none at all."""
    failures = failures or {}
    latency_ns = {key: ms * slower * _NS_PER_MS if count else 0 for key, ms in _MS.items()}
    return Row(
        by=by,
        name=name,
        phase=phase,
        count=count,
        failed=sum(failures.values()),
        failures=failures,
        statuses={"200": count} if statuses is None else statuses,
        seconds=20.0,
        requests_per_second=count / 20,
        latency_ns=latency_ns,
        service_ns={key: value * 9 // 10 for key, value in latency_ns.items()},
        received_bytes=count * 321,
        sent_bytes=count * 123,
        connects=20,
        retries=0,
    )


def make_series(
    name: str,
    *,
    status: int = 0,
    status_name: str = "",
    failure: str = "",
    count: int,
    warmup: bool = False,
    expectations: int = 0,
    broken: tuple[BrokenExpectation, ...] = (),
) -> SeriesRecord:
    """Make a series of requests that took 10 ms each."""
    return SeriesRecord(
        request=name,
        method="GET",
        kind="request",
        phase="main",
        stage="hold",
        user="Visitor",
        task="",
        warmup=warmup,
        measured=True,
        status=status,
        failure=failure,
        groups=(),
        tags=(),
        received_bytes=0,
        sent_bytes=0,
        connects=0,
        retries=0,
        latency=Buckets(10, 10, 10 * count, (1, count)),
        status_name=status_name,
        expectations=expectations,
        broken=broken,
    )


def make_result(**changes: object) -> RunResult:
    """Make a passing run of a small shop, with `changes` to its fields."""
    requests = [
        make_row("GET /products", count=4210),
        make_row("GET /products/:id", count=2815, slower=2),
        make_row("GET /search", count=512, slower=4),
        make_row("POST /cart", count=402, statuses={"201": 402}),
        make_row("POST /checkout", count=398, slower=3, statuses={"201": 398}),
    ]
    rows = [
        make_row("main", by="phase", count=8337),
        make_row("ramp", by="stage", phase="main", count=337),
        make_row("hold", by="stage", phase="main", count=8000),
        *requests,
        *(replace(row, phase="main") for row in requests),
        make_row("Browser", by="user", count=7000),
        make_row("Buyer", by="user", count=1337),
        make_row("read", by="tag", count=7537),
        make_row("write", by="tag", count=800),
    ]
    result = RunResult(
        run_id="20261121-120000-k7qf",
        plan="shop stress",
        plan_path="plans/stress.yaml",
        plan_hash="sha256:4be1",
        profile="",
        seed=42,
        started="2026-11-21T12:00:00.000Z",
        duration_seconds=21.5,
        ended_because="finished",
        exit_code=0,
        totals=Totals(8337, 8337, 0, 0.0123, 0.0254, 406.7, 0.0),
        aborted=0,
        unmeasured=0,
        warmup=184,
        rows=tuple(rows),
        points=(_point(1, users=10, requests=184),),
        judgements=(
            _judged("error_rate < 1%", "0 %", "1 %", line=63),
            _judged("p95 < 250ms", "25.4 ms", "250 ms", line=64),
            _judged("p99 < 250ms", "40 ms", "250 ms", line=65, level="warn", pair=1),
            _judged("p99 < 1s", "40 ms", "1 s", line=65, pair=1),
            _judged('p95 of "GET /products/:id" in phase main < 200ms', "50 ms", "200 ms", line=66),
            _judged("throughput > 20/s", "407/s", "20/s", line=67),
        ),
        validity=Validity(ValidityLevel.VALID),
        task_mix=(
            _mix("Browser", "GET /products", 3, 20.0, 20.1),
            _mix("Browser", "look at a product", 10, 66.7, 66.4),
            _mix("Browser", "search", 2, 13.3, 13.5),
        ),
        params={"users": "20", "hold": "20s", "token": "***"},
        host={"python": "3.11.2", "cpus": "2"},
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def _judged(
    threshold: str,
    observed: str,
    limit: str,
    *,
    verdict: Verdict = Verdict.PASS,
    line: int = 63,
    reason: str = "",
    level: str = "fail",
    pair: int = 0,
) -> Judgement:
    place = f"plans/stress.yaml:{line}:5"
    return Judgement(threshold, verdict, observed, limit, place, reason, level, pair)


def _point(second: int, *, users: int, requests: int) -> Point:
    return Point(
        second=second,
        phase="main",
        warmup=second <= 1,
        users=users,
        requests=requests,
        failed=0,
        p50_ns=10 * _NS_PER_MS,
        p95_ns=25 * _NS_PER_MS,
        p99_ns=40 * _NS_PER_MS,
    )


def _mix(user: str, task: str, weight: int, declared: float, share: float) -> AchievedTask:
    return AchievedTask(
        user=user,
        task=task,
        weight=weight,
        declared_percent=declared,
        share_percent=share,
        runs=round(share * 10),
        skipped=0,
        substituted=0,
        mix_error_percent=0.3,
    )


def _failing() -> RunResult:
    kinds = {kind: 1 + n * n for n, kind in enumerate(_KINDS)}
    return make_result(
        exit_code=1,
        totals=Totals(5000, 4698, 302, 0.2, 0.75, 250.0, 6.04),
        rows=(
            make_row("main", by="phase", count=5000, failures=kinds, slower=10),
            make_row("GET /fine", count=2000),
            make_row("GET /slow", count=1000, slower=30),
            make_row(
                "POST /broken",
                failures=kinds,
                slower=10,
                statuses={"0": 100, "201": 708, "404": 150, "500": 42},
            ),
            make_row("GET /flaky", failures={"timeout": 7}, slower=20),
        ),
        judgements=(
            _judged("throughput > 20/s", "250/s", "20/s"),
            _judged("p99 < 250ms", "1.2 s", "250 ms", verdict=Verdict.WARN, level="warn", pair=1),
            _judged("p99 < 1s", "1.2 s", "1 s", verdict=Verdict.FAIL, pair=1),
            _judged("p90 < 250ms", "300 ms", "250 ms", verdict=Verdict.WARN, level="warn", pair=2),
            _judged("p90 < 1s", "300 ms", "1 s", pair=2),
            _judged("error_rate < 1%", "6.04 %", "1 %", verdict=Verdict.FAIL),
            _judged(
                'p95 of "POST /broken" and not tag:"known to be slow" in phase main stage hold '
                "over 10s for 3 windows < 500ms",
                "750 ms",
                "500 ms",
                verdict=Verdict.FAIL,
            ),
            _judged("p95 of tag:rare < 1s", "no samples", "1 s", verdict=Verdict.NO_DATA),
            _judged(
                "p95 in phase soak < 1s",
                "",
                "1 s",
                verdict=Verdict.NOT_APPLICABLE,
                reason="this run doesn't select phase `soak`",
            ),
            _judged("p99.9 < 30s", "2.1 s", "30 s", reason="n too small for p99.9: 400 samples"),
        ),
        notices=("no baseline file: make one with `planrunner execute --save-baseline`",),
        expectations=(
            ExpectationCount("GET /fine", "status 200", 2000, 0),
            ExpectationCount("POST /broken", "status 201", 708, 192),
            ExpectationCount("POST /broken", "json $.id", 658, 50),
            ExpectationCount("POST /broken", "header etag", 0, 708, is_soft=True),
        ),
    )


def _awkward() -> RunResult:
    rows = [
        make_row(name, failures={"status": 3} if n % 2 else {}, slower=1 + n)
        for n, name in enumerate(AWKWARD_NAMES)
    ]
    evil = AWKWARD_NAMES[7]
    return make_result(
        plan=f"awkward {AWKWARD_NAMES[2]} {evil}",
        profile="pro\x1bfile",
        run_id="run-\u202eid",
        ended_because=f"stopped\n{evil}",
        exit_code=1,
        rows=(*rows, make_row(AWKWARD_NAMES[2], by="tag"), make_row(evil, by="phase")),
        judgements=tuple(
            _judged(f'p95 of "{name}" < 1s', evil, "1 s", verdict=Verdict.FAIL, reason=evil)
            for name in AWKWARD_NAMES
        ),
        validity=Validity(ValidityLevel.INVALID, (f"reason {evil} {AWKWARD_NAMES[2]}",)),
        task_mix=(_mix(AWKWARD_NAMES[2], evil, 1, 100.0, 100.0),),
        params={AWKWARD_NAMES[2]: evil},
        host={evil: AWKWARD_NAMES[2]},
        notices=(f"notice {evil} {AWKWARD_NAMES[2]}",),
        expectations=tuple(
            ExpectationCount(name, f"body contains {name}", 1, n % 2)
            for n, name in enumerate(AWKWARD_NAMES)
        ),
    )


def _empty() -> RunResult:
    return make_result(
        exit_code=1,
        totals=Totals(0, 0, 0, 0.0, 0.0, 0.0, 0.0),
        warmup=0,
        rows=(),
        points=(),
        judgements=(Judgement("error_rate < 1%", Verdict.NO_DATA, "no samples", "1 %", place=""),),
        task_mix=(),
        params={},
        host={},
    )


def _interrupted() -> RunResult:
    return make_result(
        exit_code=130,
        ended_because="interrupted by Ctrl-C after 7 s",
        duration_seconds=7.2,
        aborted=11,
        unmeasured=40,
    )


def _biased() -> RunResult:
    reasons = (
        "the generator was late: p99 lateness 12 ms; lower the rate or add processes",
        "3 users were stopped because their on_start failed; see the failures of `POST /login`",
    )
    return make_result(
        validity=Validity(ValidityLevel.BIASED, reasons),
        judgements=(Judgement("error_rate < 1%", Verdict.PASS, "0 %", "1 %", place=""),),
        notices=("HTTP_PROXY is set and was ignored; set http.proxy to use it",),
    )


def _components() -> RunResult:
    few = "the median is known to ± 3.1 % only"
    busy = "other work keeps 2.5 of 2 processors busy"
    return make_result(
        components=(
            ComponentFigures("parse", "main", 1000, 1_520_000, 31_000, stable=True),
            ComponentFigures(
                "ingest",
                "main",
                50,
                48_000_000,
                2_500_000,
                stable=False,
                reasons=(few, busy),
                needed=130,
            ),
        ),
        calls=(
            CallFacts("parse", "thread, in batches", 41, 1_000_000, 12),
            CallFacts("ingest", "process", 56_500, 50, 3, cpu_ns=46_000_000, peak_rss=34_100_000),
        ),
    )


def make_large(requests: int = 50, phases: int = 3) -> RunResult:
    """Make a run with every table full: `requests` requests in each of `phases` phases."""
    names = [f"GET /api/v2/customers/${{customer}}/orders/{n:02}/items" for n in range(requests)]
    failures = {"status": 12, "timeout": 3}
    rows = [
        make_row(name, phase=phase, failures=failures if n % 9 == 0 else {}, slower=1 + n % 7)
        for phase in ("", *(f"phase {k}" for k in range(1, phases + 1)))
        for n, name in enumerate(names)
    ]
    judgements = tuple(
        _judged(f'p95 of "{name}" < 1s', "25 ms", "1 s", line=60 + n)
        for n, name in enumerate(names[:20])
    )
    return make_result(
        totals=Totals(50_000, 49_910, 90, 0.03, 0.1, 2500.0, 0.18),
        rows=tuple(rows),
        judgements=judgements,
    )


RESULTS: Mapping[str, RunResult] = {
    "passing": make_result(),
    "failing": _failing(),
    "awkward": _awkward(),
    "empty": _empty(),
    "interrupted": _interrupted(),
    "biased": _biased(),
    "components": _components(),
}
