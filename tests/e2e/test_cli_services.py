"""Services around a run, through the command line: the right exit code, the reason, no debris."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from urllib.parse import unquote

import psutil
import pytest

from planrunner.target import free_port
from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import Ended, PlanProject, running

pytestmark = pytest.mark.slow

PYTHON = shlex.quote(sys.executable)  # as a word of `run:`
SERVER = """\
import http.server, itertools, os, signal, sys, time

port, mode = int(sys.argv[1]), sys.argv[2]
print("first line of", mode, flush=True)
if mode == "never":
    time.sleep(60)
open(sys.argv[3], "a").write(f"{mode} {os.getpid()}\\n")

class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        if mode == "dies" and next(answered) == 9:
            print("out of memory", flush=True)
            os._exit(7)
    def log_message(self, *_):
        pass

answered = itertools.count()
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer)
print("listens", flush=True)
server.serve_forever()
"""


def plan(*services: str, hold: str = "300ms", more: str = "") -> str:
    """Return a plan with these services, whose load goes to the last of them."""
    last = services[-1].split(":")[0].strip(" {")
    lines = [
        "name: services",
        "services:",
        *(f"  {service}" for service in services),
        f'http: {{base_url: "${{services.{last}.url}}"}}',
        "users: {A: {wait: 10ms, steps: [{get: /}]}}",
        f"phases: [{{users: 1, hold: {hold}, graceful_stop: 1s}}]",
        dedent(more),
    ]
    return "\n".join(lines) + "\n"


def service(name: str, mode: str = "serves", *keys: str, port: object = "auto") -> str:
    run = f'run: "{PYTHON} server.py ${{services.{name}.port}} {mode} started"'
    stop = "stop: {grace: 1s}"
    return f"{name}: {{{', '.join((run, f'port: {port}', stop, *keys))}}}"


@pytest.fixture
def execute(project: PlanProject) -> Callable[..., Ended]:
    """Run a plan, and make sure that none of its services is left."""

    def run(text: str, *arguments: str) -> Ended:
        project.write({"plan.yaml": text, "server.py": SERVER})
        ended = project.run_apart("execute", "plan.yaml", "--out", "out", *arguments)
        assert "Traceback" not in ended.err
        assert not left_in(project.directory)
        return ended

    return run


def left_in(directory: Path, within_s: float = 5) -> list[list[str]]:
    """Return the processes that still work in a directory when there was time to end."""
    deadline = time.monotonic() + within_s
    while found := [p.info["cmdline"] for p in _working_in(directory)]:
        if time.monotonic() > deadline:
            return found
        time.sleep(0.05)
    return []


def _working_in(directory: Path) -> list[psutil.Process]:
    own = os.getpid()
    return [
        process
        for process in psutil.process_iter(["cwd", "cmdline", "status"])
        if process.info["cwd"] == str(directory)
        and process.info["status"] != psutil.STATUS_ZOMBIE
        and process.pid != own
    ]


def test_services_run_for_as_long_as_the_load(execute: Callable[..., Ended]) -> None:
    """Ports are chosen, output is kept, and processor and memory are judged."""
    judged = """
        thresholds:
          - error_rate == 0
          - max of service.api.rss < 1GB
          - growth of service.api.rss < 100MB
          - monitor.box.rss > 1MB
        monitors: {box: {host: [cpu, rss]}}
    """

    ended = execute(plan(service("api", "serves", "monitor: [rss]"), hold="2500ms", more=judged))

    assert ended.code == 0, ended.out + ended.err
    assert [row["verdict"] for row in ended.metrics["judgements"]] == ["pass"] * 4
    assert "first line of serves" in ended.files["out/api.log"].read_text()
    tracks = {track["name"] for track in ended.metrics["tracks"]}
    assert {"service.api.rss", "monitor.box.cpu"} <= tracks


def test_what_uses_too_much_fails_the_run(execute: Callable[..., Ended]) -> None:
    """A gauge is judged as anything else is."""
    limits = "thresholds: [max of service.api.rss < 1MB]"

    ended = execute(plan(service("api", "serves", "monitor: [rss]"), hold="1200ms", more=limits))

    assert ended.code == 1
    assert ended.metrics["judgements"][0]["verdict"] == "fail"


def test_a_prometheus_server_is_asked_beside_the_load(execute: Callable[..., Ended]) -> None:
    """The query goes as it is written, with what it reads of the plan; its values are judged."""
    answers = iter(range(100, 1000, 50))

    async def respond(_: Request, wire: Wire) -> None:
        result = [{"metric": {}, "value": [0, str(next(answers))]}]
        data = {"status": "success", "data": {"resultType": "vector", "result": result}}
        await wire.send(reply(200, json.dumps(data).encode()))

    with running(serve(respond)) as prometheus:
        judged = f"""
            params: {{job: {{type: str, default: api}}}}
            monitors:
              heap:
                prometheus: "{prometheus.url}"
                query: 'heap{{job="${{job}}"}}'
                every: 200ms
            thresholds: [max of monitor.heap < 1000, monitor.heap > 100, growth of monitor.heap > 1]
        """
        ended = execute(plan(service("api"), hold="2500ms", more=judged))

    assert ended.code == 0, ended.out + ended.err
    assert {row["verdict"] for row in ended.metrics["judgements"]} == {"pass"}
    asked = {unquote(request.target) for request in prometheus.requests}
    assert asked == {'/api/v1/query?query=heap{job="api"}'}
    assert "monitor.heap" in {track["name"] for track in ended.metrics["tracks"]}


def test_a_prometheus_server_that_is_not_there_is_a_notice(execute: Callable[..., Ended]) -> None:
    """The load goes on; only a threshold on it fails, for want of data."""
    nobody = f"http://127.0.0.1:{free_port()}"
    more = f"""
        monitors: {{heap: {{prometheus: "{nobody}", query: heap, every: 100ms}}}}
        thresholds: [error_rate == 0, monitor.heap < 1000]
    """

    ended = execute(plan(service("api"), hold="500ms", more=more))

    assert [row["verdict"] for row in ended.metrics["judgements"]] == ["pass", "no_data"]
    assert "`monitor.heap` was never measured: the query gave no value" in ended.metrics["notices"]
    assert ended.code == 1


def test_workers_share_the_services(execute: Callable[..., Ended]) -> None:
    """One coordinator starts, watches and stops them, however many processes make the load."""
    judged = "thresholds: [error_rate == 0, max of service.api.rss < 1GB]"
    text = plan(service("api", "serves", "monitor: [rss]"), hold="1500ms", more=judged)

    ended = execute(text.replace("{users: 1,", "{users: 4,"), "--workers", "2")

    assert ended.code == 0, ended.out + ended.err
    assert len(ended.files["started"].read_text().splitlines()) == 1


def test_a_service_comes_up_after_those_it_needs(
    project: PlanProject, execute: Callable[..., Ended]
) -> None:
    """Whatever the order in the plan."""
    services = (
        service("web", "web", "needs: [api]"),
        service("db", "db"),
        service("api", "api", "needs: [db]"),
    )

    ended = execute(plan(*services))

    assert ended.code == 0, ended.out + ended.err
    started = (project.directory / "started").read_text().splitlines()
    assert [line.split()[0] for line in started] == ["db", "api", "web"]


def test_a_service_that_dies_ends_the_run(execute: Callable[..., Ended]) -> None:
    """Exit 3 with the reason and what it printed last, and reports of what was measured."""
    ended = execute(plan(service("api", "dies"), hold="30s"))

    assert ended.code == 3
    reason = ended.metrics["ended_because"]
    assert reason.startswith("service `api` ended with exit code 7 during the run")
    assert "out of memory" in reason
    assert ended.metrics["totals"]["successful_requests"] > 5
    assert "ended with exit code 7" in ended.out
    assert "out of memory" in ended.out


def test_a_program_that_is_not_installed_is_exit_3(execute: Callable[..., Ended]) -> None:
    """Said with what to install, before anything else is started."""
    ended = execute(plan(service("api"), "web: {run: no-such-program, port: auto}"))

    assert (ended.code, ended.out, ended.files) == (3, "", {})
    assert "service `web` needs the program `no-such-program`, which is not installed" in ended.err
    assert "hint: install `no-such-program`" in ended.err


@pytest.mark.parametrize("run", ["no-such-program", "/bin/false", "./broken.sh"])
def test_a_service_that_cannot_start_leaves_no_empty_folder(
    project: PlanProject, execute: Callable[..., Ended], run: str
) -> None:
    """Nor an empty log, or the folders that were made for its run."""
    broken = project.directory / "broken.sh"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)

    ended = execute(plan(f"web: {{run: {run}, port: auto}}"))

    left = {path.name for path in project.directory.rglob("*")}
    assert ended.code == 3
    assert left == {"plan.yaml", "server.py", "broken.sh"}


def test_a_port_that_is_taken_is_exit_3(execute: Callable[..., Ended]) -> None:
    """Said with who holds it; who holds it goes on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = execute(plan(service("api", port=port)))

    assert (ended.code, ended.out, ended.files) == (3, "", {})
    assert f"port {port} of service `api` is taken by" in ended.err
    assert f"(pid {os.getpid()})" in ended.err


def test_a_service_that_is_not_ready_in_time_is_exit_3(execute: Callable[..., Ended]) -> None:
    """Its output stays, and its end is shown."""
    never = service("api", "never", "ready: {log: ^listens, timeout: 400ms, every: 50ms}")

    ended = execute(plan(service("db"), never))

    assert (ended.code, ended.out) == (3, "")
    assert "service `api` was not ready within 400 ms: nothing matches `^listens`" in ended.err
    assert "  first line of never" in ended.err
    assert "hint: its whole output is in " in ended.err
    assert set(ended.files) == {"out/api.log", "out/db.log", "started"}


def test_a_reply_that_is_not_the_expected_one_is_not_ready(execute: Callable[..., Ended]) -> None:
    """The reason is the last reply."""
    ready = (
        'ready: {get: "${services.api.url}/", expect: {status: 204}, timeout: 400ms, every: 50ms}'
    )

    ended = execute(plan(service("api", "serves", ready)))

    assert ended.code == 3
    assert "was not ready within 400 ms: status 200" in ended.err


def started_pids(project: PlanProject, count: int, within_s: float = 20) -> list[int]:
    """Wait until some services have come up."""
    file = project.directory / "started"
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            lines = file.read_text().splitlines()
            if len(lines) == count:
                return [int(line.split()[1]) for line in lines]
        time.sleep(0.05)
    raise AssertionError


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_run_stops_its_services(
    project: PlanProject, number: signal.Signals
) -> None:
    """Exit 130, with reports."""
    text = plan(service("db"), service("api"), hold="60s")
    project.write({"plan.yaml": text, "server.py": SERVER})
    process = project.spawn("execute", "plan.yaml", "--out", "out")
    started_pids(project, 2)
    time.sleep(0.7)

    process.send_signal(number)
    ended = project.end(process)

    assert ended.code == 130
    assert ended.metrics["totals"]["failed_requests"] == 0
    assert not left_in(project.directory)


def test_an_interrupt_while_services_come_up_stops_them(project: PlanProject) -> None:
    """Those that are up and the one that is coming; nothing was measured, so nothing is kept."""
    text = plan(service("db"), service("api", "never", "ready: {log: listens}"), hold="60s")
    project.write({"plan.yaml": text, "server.py": SERVER})
    process = project.spawn("execute", "plan.yaml", "--out", "out")
    started_pids(project, 1)
    time.sleep(0.5)

    process.send_signal(signal.SIGINT)
    ended = project.end(process)

    assert ended.code == 130
    assert not (project.directory / "out").exists()
    assert not left_in(project.directory)


def test_nothing_survives_when_planrunner_is_killed(project: PlanProject) -> None:
    """No process, no port: SIGKILL leaves no time to tidy up, so somebody else does."""
    port = free_port()
    text = plan(service("db"), service("api", port=port), hold="60s")
    project.write({"plan.yaml": text, "server.py": SERVER})
    with project.spawn("execute", "plan.yaml", "--out", "out") as process:
        started_pids(project, 2)
        process.kill()

    assert not left_in(project.directory)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port))


def test_what_is_left_of_a_killed_run_tells_no_secret(
    project: PlanProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Output is masked before it is written, and no list of processes shows what is masked."""
    program = (
        "import os, sys, time\n"
        "open('started', 'a').write(f'talks {os.getpid()}\\n')\n"
        "while True:\n"
        "    print('token is', os.environ['DEMO_TOKEN'], flush=True)\n"
        "    time.sleep(0.001)\n"
    )
    text = (
        "name: talkative\n"
        "params: {token: {type: str, env: AUDIT_TOKEN, secret: true}}\n"
        f'services: {{api: {{run: "{PYTHON} program.py", ready: {{log: "token is"}},\n'
        '                 env: {DEMO_TOKEN: "${token}"}, stop: {grace: 1s}}}\n'
        "users: {A: {wait: 1s, steps: [{think: 100ms}]}}\n"
        "phases: [{users: 1, hold: 60s}]\n"
    )
    monkeypatch.setenv("AUDIT_TOKEN", "sword-fish")
    project.write({"plan.yaml": text, "program.py": program})
    log = project.directory / "out" / "api.log"
    with project.spawn("execute", "plan.yaml", "--out", "out") as process:
        (talks,) = started_pids(project, 1)
        _wait_for(log, 20)
        supervisor = psutil.Process(talks).parent()
        assert supervisor is not None
        assert "sword" not in " ".join(supervisor.cmdline())
        assert "sword" not in log.read_text()
        process.kill()

    assert not left_in(project.directory)
    *lines, last = log.read_text().splitlines()
    assert set(lines) == {"token is ***"}
    # The service may be killed between two pieces of a line.
    assert "token is ***".startswith(last)


def _wait_for(log: Path, lines: int, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            if len(log.read_text().splitlines()) >= lines:
                return
        time.sleep(0.02)
    raise AssertionError
