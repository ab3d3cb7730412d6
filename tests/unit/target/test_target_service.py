"""Services start before the load, stop after it, and never outlive planrunner."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from planrunner.errors import CannotRun
from planrunner.graph.run_graph import ReadyNode, ServiceNode
from planrunner.language.diagnostics import Span
from planrunner.language.patterns.pattern import compile_pattern
from planrunner.language.secrets import Masker
from planrunner.target import RunningService, ServiceContext, free_port, start_services

pytestmark = pytest.mark.slow

PYTHON = sys.executable
SERVE = "import http.server as h, sys; print('up', flush=True); h.test(port=int(sys.argv[1]))"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(60)"
)
WITH_CHILD = (
    "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; "
    "time.sleep(60)']); print('child', p.pid, flush=True); p.wait()"
)


def service(code: str, *arguments: str, log: str = "up", **fields: object) -> ServiceNode:
    """Return a service that runs Python code and is ready when it prints `log`."""
    node = ServiceNode(
        "api", "", 0, Span("plan.yaml", 1, 1, 1, 1),
        command=((PYTHON,), ("-u",), ("-c",), (code,), *((word,) for word in arguments)),
        directory=Path.cwd(),
        ready=ReadyNode(log=compile_pattern(log), every_ns=20_000_000, timeout_ns=10_000_000_000),
        grace_ns=2_000_000_000,
    )  # fmt: skip
    return replace(node, **fields)


async def no_fetch(_: object) -> str | None:
    raise AssertionError


def around(directory: Path, **environ: str) -> ServiceContext:
    return ServiceContext(
        directory, {"run": {"id": "r1"}}, {"PATH": os.environ["PATH"], **environ}, no_fetch
    )


def started(node: ServiceNode, directory: Path, *more: ServiceNode) -> list[int]:
    """Start services and stop them; returns their process ids."""

    async def use() -> list[int]:
        async with start_services([node, *more], around(directory)) as running:
            return [each.pid for each in running]

    return asyncio.run(use())


def is_gone(pid: int, within_s: float = 5) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.02)
                continue
        return True
    return False


def test_a_service_runs_inside_the_block_and_not_after(tmp_path: Path) -> None:
    """Its output stays in the directory of the run."""
    port = free_port()

    (pid,) = started(service(SERVE, str(port), port=port), tmp_path)

    assert is_gone(pid)
    assert (tmp_path / "api.log").read_text().startswith("up")


def test_what_it_is_told_is_rendered(tmp_path: Path) -> None:
    """Variables and arguments may speak of the run."""
    code = "import os, sys; print('up', os.environ['OWN'], sys.argv[1], flush=True); input()"
    node = service(
        "import time\n" + code.replace("input()", "time.sleep(9)"),
        environment=(("OWN", lambda scope: scope["run"]["id"]),),
    )
    node = replace(node, command=(*node.command, (lambda scope: scope["run"]["id"], "-x")))

    started(node, tmp_path)

    assert (tmp_path / "api.log").read_text() == "up r1 r1-x\n"


def test_the_whole_process_group_goes(tmp_path: Path) -> None:
    """What a service started itself ends with it."""
    started(service(WITH_CHILD, log="child"), tmp_path)

    child = int((tmp_path / "api.log").read_text().split()[1])
    assert is_gone(child)


def test_a_service_that_ignores_its_signal_is_killed(tmp_path: Path) -> None:
    """After its grace."""
    began = time.monotonic()

    (pid,) = started(service(STUBBORN, grace_ns=200_000_000), tmp_path)

    assert is_gone(pid)
    assert time.monotonic() - began < 5


def test_a_busy_port_is_said_with_its_holder(tmp_path: Path) -> None:
    """Nothing is started, and no stranger is ended."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotRun, match=rf"port {port} of service `api` is taken by .*pid"):
            started(service(SERVE, str(port), port=port), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_program_that_is_missing_is_said_with_its_package(tmp_path: Path) -> None:
    """Before anything is started, those that come first included."""
    missing = service("", command=(("no-such-program",),))

    with pytest.raises(CannotRun, match="needs the program `no-such-program`") as failed:
        started(service(SERVE), tmp_path, missing)

    assert "install `no-such-program`" in failed.value.hint
    with pytest.raises(CannotRun) as failed:
        asyncio.run(_without_path(service("", command=(("etcd",),)), tmp_path))
    assert failed.value.hint == "apt-get install etcd-server"


@pytest.mark.parametrize(
    ("program", "words", "hint"),
    [
        ("./none", "needs the program `{}/none`, which does not exist", "correct `run`"),
        (
            "bin/plain",
            "can't be started: `{}/bin/plain` is not executable",
            "run `chmod +x {}/bin/plain`",
        ),
    ],
)
def test_a_path_that_is_no_program_is_said(
    tmp_path: Path, program: str, words: str, hint: str
) -> None:
    """Relative ones begin at the service's directory."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "plain").touch()
    node = service("", command=((program,),), directory=tmp_path)

    with pytest.raises(CannotRun) as failed:
        started(node, tmp_path)

    assert failed.value.message == f"service `api` {words.format(tmp_path)}"
    assert failed.value.hint.startswith(hint.format(tmp_path))


async def _without_path(node: ServiceNode, directory: Path) -> None:
    empty = ServiceContext(directory, {}, {"PATH": str(directory)}, no_fetch)
    async with start_services([node], empty):
        pass


def test_a_service_that_ends_at_once_is_said_with_its_last_lines(tmp_path: Path) -> None:
    """There is no need to wait for its time to be over."""
    with pytest.raises(CannotRun, match="ended with exit code 3") as failed:
        started(service("print('no database'); raise SystemExit(3)"), tmp_path)

    assert failed.value.message.endswith("\n  no database")


def test_a_service_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    """The message says what was waited for and what it printed."""
    node = service("import time; print('warming up'); time.sleep(60)", log="ready now")
    ready = replace(node.ready, timeout_ns=300_000_000)

    with pytest.raises(CannotRun, match="was not ready within 300 ms: nothing matches") as failed:
        started(replace(node, ready=ready), tmp_path)

    assert "warming up" in failed.value.message


def test_a_service_that_dies_says_so(tmp_path: Path) -> None:
    """The run ends with that as its reason."""

    async def use() -> str:
        async with start_services([service(STUBBORN)], around(tmp_path)) as running:
            api: RunningService = running[0]
            os.kill(api.pid, signal.SIGKILL)
            return await asyncio.wait_for(api.until_it_ends(), 5)

    assert asyncio.run(use()).startswith("service `api` was killed by signal 9 during the run")


def test_a_service_whose_supervisor_is_killed_is_stopped_all_the_same(tmp_path: Path) -> None:
    """As long as planrunner lives: the run ends, and nothing stays."""
    scratch = tmp_path / "scratch" / "api"

    async def use() -> tuple[int, str]:
        node = service(STUBBORN, scratch=scratch)
        async with start_services([node], around(tmp_path)) as (api,):
            supervisor = psutil.Process(api.pid).parent()
            assert supervisor is not None
            supervisor.kill()
            return api.pid, await asyncio.wait_for(api.until_it_ends(), 5)

    pid, words = asyncio.run(use())

    assert words.startswith("service `api` lost its supervisor during the run")
    assert is_gone(pid)
    assert not scratch.parent.exists()


SECRETS = Masker(["hunter2", "first line\nsecond line\n"])


def printed(directory: Path, code: str, log: str) -> bytes:
    """Return what is kept of the output of a service that waits after these statements."""
    node = service(f"import sys, time\nout = sys.stdout.buffer\n{code}\ntime.sleep(60)", log=log)

    async def run() -> None:
        async with start_services([node], replace(around(directory), masker=SECRETS)):
            pass

    asyncio.run(run())
    return (directory / "api.log").read_bytes()


def test_what_it_prints_is_kept_without_secrets(tmp_path: Path) -> None:
    """Those of several lines too; bytes that are no text, and ends of lines, stay what they are."""
    code = (
        r"out.write(b'up hunter2\r\n\xff HUNTER2\nsecond line\n'); out.flush();"
        r"print('err hunter2', file=sys.stderr); out.write(b'no end: hunter2'); out.flush()"
    )

    log = printed(tmp_path, code, log="err")

    assert log == b"up ***\r\n\xff ***\n***\nerr ***\nno end: ***"
    assert [path.name for path in tmp_path.iterdir()] == ["api.log"]


def test_a_secret_that_comes_in_pieces_is_never_written(tmp_path: Path) -> None:
    """Programs flush their buffers wherever they are full: a line waits for its end."""
    code = (
        "out.write(b'up\\nhun'); out.flush(); time.sleep(0.2);"
        "out.write(b'ter2\\nthen\\n'); out.flush()"
    )

    assert printed(tmp_path, code, log="then") == b"up\n***\nthen\n"


def test_much_output_arrives_whole(tmp_path: Path) -> None:
    """In order, up to the last line, although all of it is looked at."""
    code = "for i in range(20000): out.write(b'line %d hunter2\\n' % i)\nout.flush()"

    log = printed(tmp_path, code, log="line 19999 ")

    assert log.splitlines() == [b"line %d ***" % number for number in range(20000)]


def test_its_own_directory_goes_with_it(tmp_path: Path) -> None:
    """A database leaves nothing behind."""
    scratch = tmp_path / "scratch" / "api"
    code = f"open({str(scratch / 'file')!r}, 'w').close(); print('up'); input()"
    node = service(code.replace("input()", "import time; time.sleep(60)"), scratch=scratch)

    started(node, tmp_path)

    assert not scratch.exists()


def test_nothing_survives_a_planrunner_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL closes the supervisor's pipe: service, children and directory go."""
    plan = tmp_path / "plan.yaml"
    program = tmp_path / "program.py"
    program.write_text(WITH_CHILD.replace("; p = ", "\np = ").replace("; print", "\nprint"))
    words = shlex.join([PYTHON, "-u", str(program)])
    plan.write_text(
        "name: killed\n"
        f'services: {{api: {{run: "{words} ${{services.api.dir}}",'
        " ready: {log: child}, stop: {grace: 1s}}}\n"
        "users: {A: {wait: 1s, steps: [{think: 100ms}]}}\n"
        "stages: [{duration: 60s, users: 1}]\n"
    )
    out = tmp_path / "out"
    command = [PYTHON, "-m", "planrunner", "execute", str(plan), "--out", str(out), "--quiet"]
    with subprocess.Popen(command) as parent:
        log = out / "api.log"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (log.exists() and log.read_text()):
            time.sleep(0.05)
        child = int(log.read_text().split()[1])
        service_pid = psutil.Process(child).ppid()
        scratch = Path(psutil.Process(service_pid).cmdline()[-1])
        assert scratch.is_dir()
        parent.kill()

    assert is_gone(service_pid)
    assert is_gone(child)
    deadline = time.monotonic() + 5
    while scratch.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not scratch.exists()
