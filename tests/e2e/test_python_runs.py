"""Runs that a Python program starts: results, errors, threads, event loops, interrupts."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

import planrunner
from planrunner.results.model import ValidityLevel
from planrunner.runner import ResultLost
from tests.support.http_servers import HttpServer, always, closed_port, reply, serve
from tests.support.plans import running

COUNTED = [{"name": "main", "users": 3, "iterations": 30}]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are written below the current directory."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)


def plan_for(target: HttpServer, **more: object) -> planrunner.Plan:
    sections: dict[str, object] = {
        "name": "shop",
        "http": {"base_url": target.url},
        "users": {"Visitor": {"tasks": [{"get": "/products"}, {"get": "/cart"}]}},
        "phases": COUNTED,
        "seed": 7,
    }
    return planrunner.Plan(**{**sections, **more})


def test_a_result_has_every_figure(target: HttpServer) -> None:
    """As numbers that can be compared."""
    result = planrunner.run(plan_for(target, thresholds=["p95 < 5s"]), labels={"build": 12})

    products = result.requests["GET /products"]
    assert result.passed, result.explain()
    assert result.total.count == 30 == sum(one.count for one in result.requests.values())
    assert timedelta(0) < products.min <= products.p50 <= products.p95 <= products.max
    assert products.p95.ms == pytest.approx(1000 * products.p95.s)
    assert result.phases["main"].requests["GET /cart"].count + products.count == 30
    assert result.users["Visitor"].statuses == {"200": 30}
    assert [(one.threshold, one.verdict) for one in result.thresholds] == [("p95 < 5s", "pass")]
    assert (result.failures, result.seed, result.labels) == ((), 7, {"build": "12"})
    assert result.validity.level in ValidityLevel
    assert result.duration < timedelta(minutes=1)
    assert result.started.tzinfo is not None


def test_a_broken_threshold_is_a_result_and_no_exception(target: HttpServer) -> None:
    """Which says why in words."""
    result = planrunner.run(plan_for(target, thresholds=["p95 < 1us"]))

    assert (result.passed, result.exit_code) == (False, 1)
    assert "FAIL" in result.explain()
    assert "p95 < 1us" in result.explain()


@pytest.mark.slow
def test_failures_are_counted_with_their_first_samples() -> None:
    """By request and kind."""
    with running(serve(always(reply(500, b"no")))) as target:
        result = planrunner.run(plan_for(target))

    assert [(one.request, one.kind) for one in result.failures] == [
        (one.request, "status") for one in result.failures
    ]
    assert sum(one.count for one in result.failures) == 30 == result.total.failed
    assert result.total.error_rate == 100
    assert result.failures[0].samples[0].status == 500
    assert result.failures[0].reason


def test_a_run_is_the_same_from_its_directory(target: HttpServer) -> None:
    """And comparing it with itself finds no change."""
    result = planrunner.run(plan_for(target), out="reports/first", formats=["report.html"])

    again = planrunner.load("reports/first")

    assert result.directory == Path("reports/first").absolute()
    assert again.raw == result.raw
    assert planrunner.load("reports/first/metrics.json").raw == result.raw
    assert not planrunner.compare(result, "reports/first").is_worse
    assert sorted(path.name for path in result.directory.iterdir()) == [
        "metrics.json",
        "report.html",
    ]


def test_series_have_their_whole_distribution(target: HttpServer) -> None:
    """So any percentile can be asked for."""
    result = planrunner.run(plan_for(target))

    series = [one for one in result.series if one.labels.kind == "request"]
    assert sum(one.count for one in series) == 30
    assert series[0].min <= series[0].percentile(12.5) <= series[0].percentile(100)
    with pytest.raises(ValueError, match="not between 0 and 100"):
        series[0].percentile(101)


def test_the_keywords_are_the_options_of_the_command(target: HttpServer, tmp_path: Path) -> None:
    """By their names, with Python's values."""
    path = tmp_path / "plan.yaml"
    path.write_text(
        "name: p\nparams: {n: {type: int, default: 1}, base: {type: url}}\n"
        'http: {base_url: "${base}"}\nusers:\n  A: {tasks: [{get: /a, tags: [x]}, {get: /b}]}\n'
        "  B: {tasks: [{get: /c}]}\nprofiles:\n  one: [{name: p1, users: 1, iterations: 1}]\n"
        '  two:\n    - {name: p2, users: "${n}", iterations: 20}\n    - {name: p3, users: 1, '
        "hold: 1h}\n",
        "utf-8",
    )

    result = planrunner.run(
        path,
        params={"n": 2, "base": target.url},
        profile="two",
        phase="p2",
        user=["A"],
        skip_tag="x",
        override={"profiles.two.p2.iterations": 6},
        seed=3,
        formats=[],
        strict=True,
    )

    assert (list(result.phases), list(result.requests)) == (["p2"], ["GET /b"])
    assert (result.total.count, result.seed, result.profile) == (6, 3, "two")


@pytest.mark.parametrize(
    ("keywords", "argument"),
    [
        ({"users": "x"}, "users: error[invalid-value]"),
        ({"rate": "abc"}, "rate: error[invalid-unit]"),
        ({"hold": "soon"}, "hold: error[invalid-unit]"),
        ({"override": {"phases.nope.users": 1}}, "override: error[unknown-name]"),
        ({"params": {"foo": 1}}, "`params`: no param `foo`"),
        ({"phase": "nope"}, "phase: error[empty-selection]"),
    ],
)
def test_an_invalid_value_names_the_argument(
    target: HttpServer, keywords: dict[str, object], argument: str
) -> None:
    """And no option of the command."""
    with pytest.raises(planrunner.PlanError) as failed:
        planrunner.run(plan_for(target), **keywords)  # type: ignore[arg-type]

    assert argument in str(failed.value)
    assert "--" not in str(failed.value)


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"workers": 0}, planrunner.UsageError, "workers: `0` is not a number of workers"),
        ({"seed": -1}, planrunner.UsageError, "seed: `-1` is negative"),
        ({"formats": ["report.htm"]}, planrunner.UsageError, "no report format `report.htm`"),
        ({"allow_read": "/"}, planrunner.UsageError, "allow_read needs no_exec"),
        ({"profil": "a"}, TypeError, "did you mean `profile`"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(
    target: HttpServer, keywords: dict[str, object], error: type[Exception], words: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(error, match=words):
        planrunner.run(plan_for(target), **keywords)  # type: ignore[arg-type]

    assert not Path("reports").exists()


def test_nobody_there_is_an_exception_that_says_so() -> None:
    """With its hint, and nothing is left of the run."""
    plan = planrunner.Plan(
        http={"base_url": f"http://127.0.0.1:{closed_port()}"},
        users={"Visitor": {"tasks": [{"get": "/"}]}},
        phases=COUNTED,
    )

    with pytest.raises(planrunner.CannotRun, match="nothing answers") as failed:
        planrunner.run(plan)

    assert "hint: start the target" in str(failed.value)
    assert not Path("reports").exists()


@pytest.mark.slow
def test_works_inside_a_running_event_loop(target: HttpServer) -> None:
    """Blocking or awaited, several side by side."""

    async def main() -> list[planrunner.Result]:
        blocking = planrunner.run(plan_for(target))
        awaited = await asyncio.gather(*(planrunner.run_async(plan_for(target)) for _ in range(2)))
        return [blocking, *awaited]

    results = asyncio.run(main())

    assert [one.total.count for one in results] == [30, 30, 30]
    assert len({one.directory for one in results}) == 3


@pytest.mark.slow
def test_two_threads_may_run_at_once(target: HttpServer) -> None:
    """With services and workers of their own."""
    plan = plan_for(
        target,
        services={"shop": {"demo": "shop"}},
        http={"base_url": "${services.shop.url}"},
        users={"Visitor": {"tasks": [{"get": "/products"}]}},
    )

    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(planrunner.run, plan, workers=1 + n % 2) for n in range(4)]
        results = [one.result() for one in runs]

    assert [(one.passed, one.total.count) for one in results] == [(True, 30)] * 4


def test_prints_nothing_and_leaves_signals_alone(
    target: HttpServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever happens."""
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    threads = threading.active_count()

    planrunner.run(plan_for(target, thresholds=["p95 < 1us"]))
    with pytest.raises(planrunner.PlanError):
        planrunner.run(planrunner.Plan())

    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
    assert capfd.readouterr() == ("", "")
    assert threading.active_count() == threads


@pytest.mark.slow
def test_a_cancelled_call_ends_the_run_with_its_reports(target: HttpServer) -> None:
    """As a timeout does."""
    plan = plan_for(target, phases=[{"users": 1, "hold": "1h"}])

    async def main() -> None:
        async with asyncio.timeout(1.5):
            await planrunner.run_async(plan, out="ended")

    with pytest.raises(TimeoutError):
        asyncio.run(main())

    ended = planrunner.load("ended")
    assert (ended.passed, ended.ended_because) == (False, "the caller was cancelled")
    assert ended.total.count > 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_an_interrupt_ends_the_run_with_its_reports(target: HttpServer) -> None:
    """And goes on to the caller."""
    code = (
        "import planrunner, pathlib, threading, os, signal, time\n"
        "def kill():\n"
        "    while not pathlib.Path('ended/unfinished.json').exists(): time.sleep(.05)\n"
        "    time.sleep(.3)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=kill, daemon=True).start()\n"
        f"planrunner.run(planrunner.Plan(http={{'base_url': {target.url!r}}}, "
        "users={'V': {'tasks': [{'get': '/'}]}}, phases=[{'users': 1, 'hold': '1h'}]), "
        "out='ended')\n"
    )
    root = str(Path(planrunner.__file__).parents[1])

    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "KeyboardInterrupt\nthe run was ended; its reports are in" in ended.stderr
    result = planrunner.load("ended")
    assert (result.exit_code, result.ended_because) == (130, "interrupted")


@pytest.mark.slow
def test_shows_itself_in_a_notebook(target: HttpServer) -> None:
    """Verdict, thresholds, requests and charts, and nothing that a name could break out of."""
    plan = plan_for(target, name="<b>shop</b>", phases=[{"users": 1, "hold": "3s"}])

    result = planrunner.run(plan)
    shown = result._repr_html_()

    assert "PASS" in shown
    assert "GET /products" in shown
    assert shown.count("<svg") == 2
    assert "<b>shop" not in shown
    assert "<script" not in shown
    assert planrunner.compare(result, result)._repr_html_().startswith("<div>")


def test_an_unknown_name_says_which_there_are(target: HttpServer) -> None:
    """As a typo would otherwise cost a look into the report."""
    result = planrunner.run(plan_for(target))

    with pytest.raises(KeyError, match="did you mean `GET /products`"):
        _ = result.requests["GET /product"]


def test_a_table_needs_a_library(target: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says which."""
    result = planrunner.run(plan_for(target))
    for name in ("pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(planrunner.PackageMissing, match="needs pandas or polars"):
        result.to_dataframe()
    with pytest.raises(planrunner.PackageMissing, match="needs polars"):
        result.to_dataframe(library="polars")
    with pytest.raises(planrunner.UsageError, match="no table `request`"):
        result.to_dataframe("request")  # type: ignore[arg-type]


class Frames:
    """Stands for pandas."""

    DataFrame = staticmethod(list)


@pytest.mark.slow
@pytest.mark.parametrize("table", ["requests", "phases", "seconds", "thresholds", "series"])
def test_every_table_has_rows_alike(
    target: HttpServer, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """So that each column has one type."""
    monkeypatch.setitem(sys.modules, "pandas", Frames)
    result = planrunner.run(plan_for(target))

    rows = result.to_dataframe(table)  # type: ignore[arg-type]

    assert rows
    assert {tuple(row) for row in rows} == {tuple(rows[0])}


@pytest.mark.slow
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_libraries_take_a_table(
    target: HttpServer, library: Literal["pandas", "polars"]
) -> None:
    """With numbers in its columns, and durations in seconds."""
    pytest.importorskip(library)
    result = planrunner.run(plan_for(target))

    table = result.to_dataframe(library=library)

    assert table.shape[0] == len(result.requests) * 2  # over the run, and in the phase
    assert type(table).__module__.startswith(library)
    assert table["count"].sum() == 60
    assert table["p95"].max() == max(one.p95.s for one in result.requests.values())


def test_a_lost_result_is_in_the_exception() -> None:
    """As what was measured can't be measured again."""
    assert issubclass(ResultLost, planrunner.CannotRun)
    assert planrunner.ResultLost is ResultLost
