"""Commands in threads of their own: how long they took in truth, and what is left of them."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from pathlib import Path

import pytest

from planrunner.clock import MonotonicClock
from planrunner.protocols.base import FailureKind
from planrunner.protocols.exec.clients.client import ExecClient
from planrunner.protocols.exec.clients.process import run_command
from planrunner.protocols.exec.command import CommandEnd, CommandFailedError
from planrunner.units import NS_PER_S

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="commands of POSIX systems")


async def run(script: str, *, limit: float = 20.0, directory: Path = Path()) -> CommandEnd:
    return await run_command(
        ["sh", "-c", script],
        now=time.perf_counter_ns,
        directory=directory,
        timeout_ns=round(limit * NS_PER_S),
    )


def gone(pid: int) -> bool:
    """Whether a process has ended, but for its entry in the table."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while not (is_gone := gone(pid)) and time.monotonic() < deadline:
        time.sleep(0.005)
    return is_gone


@pytest.mark.slow
def test_the_time_of_a_command_is_not_that_of_a_late_loop() -> None:
    """The thread sees its end while the loop does something else."""

    async def main() -> CommandEnd:
        running = asyncio.create_task(run("sleep 0.01"))
        await asyncio.sleep(0)
        time.sleep(1)  # noqa: ASYNC251 - a late loop
        return await running

    ended = asyncio.run(main())

    assert 0.01 < (ended.ended_ns - ended.began_ns) / NS_PER_S < 0.9


@pytest.mark.slow
def test_a_late_loop_makes_no_timeout_of_a_short_command() -> None:
    """And a long one has one, even if nobody looked in time."""

    async def main(script: str) -> CommandEnd:
        running = asyncio.create_task(run(script, limit=0.4))
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - a late loop
        return await running

    assert asyncio.run(main("true")).status == 0
    with pytest.raises(CommandFailedError) as failed:
        asyncio.run(main("sleep 0.5"))
    assert failed.value.kind is FailureKind.TIMEOUT


def test_output_may_be_no_text() -> None:
    """It stays bytes."""
    ended = asyncio.run(run(r"printf '\000\377\n'"))

    assert ended.output == b"\0\xff\n"


def test_nobody_answers_what_it_asks() -> None:
    """It reads the end of a file."""
    ended = asyncio.run(run("read x; echo $?"))

    assert ended.output == b"1\n"


@pytest.mark.slow
def test_output_without_end_is_thrown_away() -> None:
    """It takes no memory; the end of the complaints is kept."""
    with pytest.raises(CommandFailedError, match="printed more than 1 MB"):
        asyncio.run(run("head -c 100000000 /dev/zero"))
    ended = asyncio.run(run("head -c 9000000 /dev/zero >&2; (echo; echo last) >&2; exit 3"))
    assert ended.words == "exited with status 3: last"
    assert len(ended.complaints) <= 65_536


def test_what_it_leaves_in_the_background_ends_with_it() -> None:
    """Though it keeps the pipe open, nobody waits for it."""
    ended = asyncio.run(run("sleep 100 & echo $!"))

    assert (ended.ended_ns - ended.began_ns) / NS_PER_S < 10
    assert wait_until_gone(int(ended.output))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="setsid")
def test_one_that_left_the_group_and_keeps_the_pipe_is_not_waited_for() -> None:
    """A service that was started so may live on."""
    ended = asyncio.run(run("setsid sleep 3 & echo here"))

    assert ended.output == b"here\n"


@pytest.mark.parametrize("end", ["timeout", "cancel"])
def test_a_command_that_is_not_waited_for_is_killed_with_all_it_started(
    tmp_path: Path, end: str
) -> None:
    """They are gone when the user goes on."""
    script = "sleep 100 & echo $! > inner; echo $$ > outer; wait"

    async def main() -> None:
        running = asyncio.create_task(
            run(script, limit=0.2 if end == "timeout" else 50, directory=tmp_path)
        )
        while end == "cancel" and not (tmp_path / "outer").is_file():
            await asyncio.sleep(0.005)
        if end == "cancel":
            running.cancel()
        with pytest.raises((CommandFailedError, asyncio.CancelledError)):
            await running

    asyncio.run(main())

    for pid in tmp_path.iterdir():
        assert wait_until_gone(int(pid.read_text() or 0))


def test_one_that_is_cancelled_before_it_began_does_not_stay() -> None:
    """The thread may just be starting it."""

    async def main() -> None:
        running = asyncio.create_task(run("sleep 100"))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 50


def test_nothing_stays_open() -> None:
    """Neither descriptors nor threads, whether it ran or not."""

    async def main() -> None:
        for _ in range(5):
            await run("true")
            with pytest.raises(CommandFailedError):
                await run("true", directory=Path("no such folder"))

    asyncio.run(main())
    descriptors, threads = len(list(Path("/dev/fd").iterdir())), threading.active_count()
    asyncio.run(main())

    deadline = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(list(Path("/dev/fd").iterdir())) == descriptors
    assert threading.active_count() <= threads, "one of before may have ended meanwhile"


@pytest.mark.parametrize(
    ("signal", "words"),
    [("KILL", "was killed by SIGKILL (status 137)"), ("TERM", "was killed by SIGTERM")],
)
def test_a_signal_is_named(signal: str, words: str) -> None:
    """With the status that shells have for it."""
    assert words in asyncio.run(run(f"kill -{signal} $$")).words


@pytest.mark.parametrize(
    ("mode", "words"),
    [(None, "can't be run: No such file or directory"), (0o644, "can't be run: Permission denied")],
)
def test_what_is_no_command_says_why(tmp_path: Path, mode: int | None, words: str) -> None:
    """It isn't there, or not executable."""
    program = tmp_path / "program"
    if mode is not None:
        program.write_text("#!/bin/sh\n")
        program.chmod(mode)
    with pytest.raises(CommandFailedError) as failed:
        asyncio.run(
            run_command(
                [str(program)], now=time.perf_counter_ns, directory=tmp_path, timeout_ns=NS_PER_S
            )
        )
    assert str(failed.value) == words


def test_an_empty_command_is_what_starting_one_takes() -> None:
    """Less than one that does something, and measured once."""
    client = ExecClient(MonotonicClock())

    cost = client.cost_of(None)  # type: ignore[arg-type]  # it is the same for all

    assert cost is not None
    assert 0 < cost.empty_ns < NS_PER_S
    assert client.cost_of(None) is cost  # type: ignore[arg-type]


def test_a_system_without_an_empty_command_has_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made up for it."""
    monkeypatch.setenv("PATH", "")

    assert ExecClient(MonotonicClock()).cost_of(None) is None  # type: ignore[arg-type]
