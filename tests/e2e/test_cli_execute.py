"""`planrunner execute`: from a plan to reports, verdict and exit code, against a real server."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.http_servers import HttpServer, Request, Wire, serve
from tests.support.plans import Ended, PlanProject, plan_text, running

SHORT = "phases: [{users: 2, iterations: 40}]"
LONG = "phases: [{users: 2, hold: 60s, graceful_stop: 10s}]"


def interrupted(project: PlanProject, target: HttpServer, *signals: signal.Signals) -> Ended:
    """Send signals to a run that has begun, the second one 300 ms after the first."""
    process = project.spawn("execute", "plan.yaml")
    while not target.requests and process.poll() is None:
        time.sleep(0.02)
    for number in signals:
        time.sleep(0.3)
        process.send_signal(number)
    return project.end(process)


def test_a_run_writes_its_reports_and_passes(project: PlanProject, target: HttpServer) -> None:
    """The whole path, from YAML to verdict."""
    project.write({"plan.yaml": plan_text("name: Front Page!", SHORT, url=target.url)})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 0
    assert {Path(name).name for name in ended.files} >= {
        "metrics.json",
        "results.csv",
        "report.html",
    }
    [directory] = {Path(name).parent for name in ended.files}
    assert directory.parent == Path("reports/front-page")
    totals = ended.metrics["totals"]
    assert totals["total_requests"] == totals["successful_requests"] > 0
    assert str(directory / "metrics.json") in ended.out
    assert "GET /" in ended.out


def test_raw_samples_and_totals_tell_the_same(project: PlanProject, target: HttpServer) -> None:
    """One row a sample."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--out", "out")

    assert len(ended.rows) == ended.metrics["totals"]["total_requests"]
    assert {row["endpoint"] for row in ended.rows} == {"GET /"}


def test_a_broken_threshold_is_exit_1(project: PlanProject, target: HttpServer) -> None:
    """And its judgement is shown."""
    project.write({"plan.yaml": plan_text(SHORT, "thresholds: [p95 < 1us]", url=target.url)})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert "p95 < 1us" in ended.out
    assert ended.metrics["exit_code"] == 1


def test_a_warning_is_exit_0(project: PlanProject, target: HttpServer) -> None:
    """A warning says so and fails nothing."""
    text = plan_text(SHORT, "thresholds: [{warn: p95 < 1us, fail: p95 < 10s}]", url=target.url)
    project.write({"plan.yaml": text})

    assert project.run("execute", "plan.yaml").code == 0


IDLE = (
    "users: {A: {weight: 9, tasks: [{get: /}]}, B: {tasks: [{get: /b}]}}",
    SHORT,
    "thresholds: ['p95 of \"GET /b\" < 1s']",
)


def test_a_threshold_that_does_not_apply_is_named_and_fails_nothing(
    project: PlanProject, target: HttpServer
) -> None:
    """A class that was left out sends nothing, and was not meant to."""
    project.write({"plan.yaml": plan_text(*IDLE, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--user", "A")

    assert ended.code == 0
    assert "class B not selected" in ended.out


def test_a_threshold_on_a_class_that_got_no_user_has_no_data(
    project: PlanProject, target: HttpServer
) -> None:
    """Nobody left it out: the run fails, and summary and validate name the class."""
    project.write({"plan.yaml": plan_text(*IDLE, url=target.url)})

    ended = project.run("execute", "plan.yaml")
    checked = project.run("validate", "plan.yaml")

    assert ended.code == 1
    assert "no data" in ended.out
    assert "user class `B` gets none of the" in " ".join(ended.out.split())
    assert checked.code == 0
    assert "user class `B` gets none of the" in checked.out


def test_no_sample_is_a_failure(project: PlanProject, target: HttpServer) -> None:
    """Nothing was measured, so nothing was shown to hold."""
    text = plan_text(
        "users: {A: {tasks: [{get: /, weight: 100000}, {get: /rare}]}}",
        "seed: 1",
        SHORT,
        "thresholds: ['p95 of \"GET /rare\" < 1s']",
        url=target.url,
    )
    project.write({"plan.yaml": text})

    assert project.run("execute", "plan.yaml").code == 1


@pytest.mark.slow
def test_two_runs_never_share_a_directory(project: PlanProject, target: HttpServer) -> None:
    """Not even in the same second."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

    first = project.run("execute", "plan.yaml", "--quiet")
    second = project.run("execute", "plan.yaml", "--quiet")

    assert (first.code, second.code) == (0, 0)
    assert not {Path(name).parent for name in first.files} & {
        Path(name).parent for name in second.files
    }


def test_a_directory_with_something_in_it_is_refused(
    project: PlanProject, target: HttpServer
) -> None:
    """An earlier run is never written over; nothing is sent."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url), "out/metrics.json": "mine"})

    ended = project.run("execute", "plan.yaml", "--out", "out")

    assert (ended.code, ended.files) == (3, {})
    assert "the report directory `out` is not empty" in ended.err
    assert (project.directory / "out/metrics.json").read_text() == "mine"
    assert target.connections == 0


def test_an_empty_directory_is_taken(project: PlanProject, target: HttpServer) -> None:
    """`--out $(mktemp -d)`."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})
    (project.directory / "out").mkdir()

    assert project.run("execute", "plan.yaml", "--out", "out").code == 0


def test_report_dir_is_the_run_directory_itself(project: PlanProject, target: HttpServer) -> None:
    """With params and the run's id in it; relative to the current directory."""
    project.write(
        {
            "plans/plan.yaml": plan_text(
                "params: {where: {type: str, default: nightly}}",
                SHORT,
                'report: {dir: "out/${where}-${run.id}", formats: [metrics.json]}',
                url=target.url,
            )
        }
    )

    ended = project.run("execute", "plans/plan.yaml")

    [name] = ended.files
    assert name == f"out/nightly-{ended.metrics['run_id']}/metrics.json"


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        ("metrics.json", {"metrics.json"}),
        ("report.html", {"metrics.json", "report.html"}),
    ],
)
def test_formats_choose_the_reports(
    project: PlanProject, target: HttpServer, formats: str, names: set[str]
) -> None:
    """metrics.json is always there."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--out", "out", "--formats", formats)

    assert {Path(name).name for name in ended.files} == names


def test_quiet_says_nothing(project: PlanProject, target: HttpServer) -> None:
    """The exit code is the answer; errors are still errors."""
    project.write({"plan.yaml": plan_text(SHORT, "thresholds: [p95 < 1us]", url=target.url)})

    ended = project.run("execute", "plan.yaml", "--quiet")

    assert (ended.code, ended.out, ended.err) == (1, "", "")
    assert project.run("execute", "none.yaml", "--quiet").err != ""


@pytest.mark.slow
def test_the_seed_is_shown_and_can_be_given_back(project: PlanProject, target: HttpServer) -> None:
    """A drawn one too, so that any run can be repeated."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

    drawn = project.run("execute", "plan.yaml", "--out", "a")
    seed = drawn.metrics["seed"]
    assert str(seed) in drawn.out.replace(",", "")
    given = project.run("execute", "plan.yaml", "--out", "b", "--seed", str(seed))
    assert given.metrics["seed"] == seed


def test_a_secret_is_shown_nowhere(
    project: PlanProject, target: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither on the console nor in any file."""
    monkeypatch.setenv("TOKEN_OF_TEST", "hunter2secret")
    project.write(
        {
            "plan.yaml": plan_text(
                "params: {token: {type: str, secret: true, env: TOKEN_OF_TEST}}",
                'users: {A: {tasks: [{get: "/?t=${token}", expect: {contains: "${token}"}}]}}',
                SHORT,
                url=target.url,
            )
        }
    )

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert b"hunter2secret" not in ended.out.encode() + ended.err.encode()
    for path in ended.files.values():
        assert b"hunter2secret" not in path.read_bytes(), path.name


@pytest.mark.slow
def test_piped_output_has_no_colours_and_no_live_view(
    project: PlanProject, target: HttpServer
) -> None:
    """Logs of CI are read as text."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

    ended = project.run_apart("execute", "plan.yaml")

    assert ended.code == 0
    assert "\x1b" not in ended.out + ended.err
    assert "\r" not in ended.out + ended.err


@pytest.mark.slow
def test_json_on_stdout_is_one_document(project: PlanProject, target: HttpServer) -> None:
    """That of metrics.json, and nothing else; words for people go to stderr."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

    ended = project.run_apart("execute", "plan.yaml", "--json", "--out", "run")

    assert ended.code == 0
    assert ended.out == (project.directory / "run" / "metrics.json").read_text("utf-8")
    assert json.loads(ended.out)["totals"]["total_requests"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("term", "moves"), [("dumb", False), ("xterm", True)])
def test_a_dumb_terminal_gets_lines(
    project: PlanProject, target: HttpServer, term: str, *, moves: bool
) -> None:
    """It can't move its cursor: a frame for each second would fill the screen."""
    stages = "stages: [{duration: 1200ms, users: 2}]"
    project.write({"plan.yaml": plan_text(stages, url=target.url)})
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "planrunner", "execute", "plan.yaml"]
    root = Path(__file__).parents[2]
    environ = {**os.environ, "TERM": term, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        command, cwd=project.directory, env=environ, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # how a terminal says that nobody writes any more
            while piece := os.read(ours, 65_536):
                shown += piece
    os.close(ours)

    assert process.returncode == 0
    assert b"PASS" in shown
    assert (b"\x1b[" in shown) is moves


@pytest.mark.slow
def test_no_color_is_obeyed(project: PlanProject, target: HttpServer) -> None:
    """Even where colours are forced otherwise."""
    project.write({"plan.yaml": plan_text(SHORT, url=target.url)})

    ended = project.run_apart(
        "execute", "plan.yaml", env={"NO_COLOR": "1", "TERM": "xterm-256color"}
    )

    assert "\x1b[3" not in ended.out


@pytest.mark.slow
def test_a_reader_that_goes_away_changes_no_verdict(
    project: PlanProject, target: HttpServer
) -> None:
    """`planrunner execute … | head -1` still writes its reports and exits as it should."""
    project.write({"plan.yaml": plan_text(SHORT, "thresholds: [p95 < 1us]", url=target.url)})

    process = project.spawn("execute", "plan.yaml")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()

    assert process.wait(30) == 1
    process.stderr.close()
    assert "Traceback" not in err
    assert list(project.directory.rglob("metrics.json"))


@pytest.mark.slow
def test_a_reader_of_progress_that_goes_away_does_not_end_the_run(
    project: PlanProject, target: HttpServer
) -> None:
    """`2>&1 | head -1`, with a run that outlives its reader."""
    text = plan_text("stages: [{duration: 2500ms, users: 1}]", url=target.url)
    project.write({"plan.yaml": text})

    process = project.spawn("execute", "plan.yaml")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stderr.close()
    out = process.stdout.read()

    assert process.wait(30) == 0
    process.stdout.close()
    assert "GET /" in out


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_reports_are_written(
    project: PlanProject, target: HttpServer, number: signal.Signals
) -> None:
    """Exit 130; what was measured until then is kept."""
    project.write({"plan.yaml": plan_text(LONG, url=target.url)})

    ended = interrupted(project, target, number)

    assert ended.code == 130
    assert ended.metrics["totals"]["total_requests"] > 0
    assert number.name in ended.metrics["ended_because"]
    assert {"results.csv", "report.html"} <= {Path(name).name for name in ended.files}
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_a_second_signal_does_not_wait_for_users(project: PlanProject) -> None:
    """The first one waits for iterations that run; the second one cuts them."""

    async def hang(_: Request, wire: Wire) -> None:
        await wire.hang()

    with running(serve(hang)) as server:
        project.write({"plan.yaml": plan_text(LONG, url=server.url)})
        ended = interrupted(project, server, signal.SIGINT, signal.SIGINT)

    assert ended.code == 130
    assert ended.metrics["duration_seconds"] < 5


@pytest.mark.slow
def test_a_demo_target_of_the_plan_is_started_and_stopped(project: PlanProject) -> None:
    """Nothing else is needed for a first run."""
    project.write(
        {
            "plan.yaml": plan_text(
                "services: {shop: {demo: shop}}",
                'http: {base_url: "${services.shop.url}"}',
                "users: {A: {tasks: [{get: /products}]}}",
                SHORT,
            )
        }
    )

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 0
    assert json.dumps(ended.metrics)
