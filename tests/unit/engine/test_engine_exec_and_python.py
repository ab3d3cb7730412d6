"""Steps that leave the plan: functions of its hooks file, and commands."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import replace
from functools import partial

import pytest

from planrunner.clock import MonotonicClock
from planrunner.engine import Logged, run
from planrunner.errors import CannotRun
from planrunner.graph.run_graph import GroupNode
from planrunner.graph.steps import StepOrigin
from planrunner.protocols.python.functions import missing_modules
from tests.support import own_steps
from tests.support.graphs import (
    FakeTarget,
    closed,
    counts,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    user_class,
)
from tests.support.loads import counted
from tests.support.own_steps import command
from tests.support.remote_pools import run_fleet

HOOKS = """
import asyncio

def sign(key, size=1):
    return {"key": key, "size": size}

async def wait(seconds):
    await asyncio.sleep(seconds)
    return "waited"

def drawn(context):
    context.log(f"{context.names['user']['class']}")
    return context.random.random()

def block():
    asyncio.get_running_loop().stall(300_000_000)

def stand():
    asyncio.get_running_loop().stall(3_000_000_000)

def fail():
    raise ValueError("no good: s3cret")

class Mute(Exception):
    def __str__(self):
        raise RuntimeError

def mute():
    raise Mute
"""


@pytest.fixture
def call(tmp_path):
    """Return what calls a function of the hooks file."""
    path = tmp_path / "hooks.py"
    path.write_text(HOOKS)
    return partial(own_steps.call, hooks=path)


def run_steps(*steps, **parts):
    return run_graph(make_graph(user_class(task("t", *steps)), closed(1, 0.005), **parts))


def run_for_real(*steps, phase=None):
    """Commands take real time, which a virtual clock would not see pass."""
    target = FakeTarget()
    users = user_class(task("t", *steps))
    graph = make_graph(users, phase or counted(1, iterations=1))
    outcome = asyncio.run(
        run(graph, clients={"fake": target.open, **own_steps.OWN_CLIENTS}, clock=MonotonicClock())
    )
    return outcome, target


class TestPython:
    def test_a_function_gets_arguments_and_gives_a_value(self, call):
        """Values keep their types."""
        told = run_steps(call("sign", "signed", key="['a']", size="2"), request())

        assert told.target.scopes[-1]["signed"] == {"key": ["a"], "size": 2}

    def test_a_coroutine_is_awaited(self, call):
        """Other users go on meanwhile, and the time counts."""
        told = run_steps(call("wait", "done", seconds="3"), request())

        assert told.asked() == pytest.approx([3])
        assert told.target.scopes[-1]["done"] == "waited"

    def test_draws_come_from_the_users_stream(self, call):
        """The same in each run with the seed."""
        runs = [run_steps(call("drawn", "x"), request()) for _ in range(2)]

        first, second = (told.target.scopes[-1]["x"] for told in runs)
        assert first == second
        assert Logged(("Visitor",), 0) in runs[0].events

    def test_an_exception_ends_the_iteration(self, call):
        """As `error`, with its words, without the secrets in them."""
        told = run_steps(call("fail"), request(), secrets=("s3cret",))

        assert told.target.requests == 0
        assert counts(told.outcome, "failure", kind="iteration") == {"error": 5}
        assert counts(told.outcome, "request", "failure", "protocol") == {
            ("fail", "error", "python"): 5
        }
        notices = " ".join(told.outcome.notices)
        assert "`fail` raised ValueError: no good" in notices
        assert "(task `t`)" in notices
        assert "s3cret" not in notices

    def test_a_gate_on_the_group_around_it_has_no_data(self, call):
        """How long nothing took is no latency: of the group, the iteration or the requests."""
        inside = GroupNode("ingest", (call("fail"),))
        gates = ("p95 of group:ingest < 1s", "p95 of iteration < 1s", "p95 < 1s", "errors == 0")

        told = run_steps(inside, thresholds=gates)

        verdicts = [gate.judge(told.outcome.evidence).verdict for gate in told.outcome.gates]
        assert verdicts == ["no_data", "no_data", "no_data", "fail"]
        assert counts(told.outcome, "failure", kind="group") == {}

    def test_one_whose_error_has_no_words_ends_the_iteration(self, call):
        """`str` of an exception is code of the plan's author too."""
        told = run_steps(call("mute"))

        assert counts(told.outcome, "request", "failure") == {("mute", "error"): 5}

    def test_what_the_plan_does_not_measure_stays_so(self, call):
        """The step is in the block of an `on_start`, say."""
        step = replace(call("fail"), origin=StepOrigin("plan.yaml:7", measured=False))

        told = run_steps(step)

        assert counts(told.outcome, "request", "measured") == {("fail", False): 5}
        assert any("(task `t`, plan.yaml:7)" in notice for notice in told.outcome.notices)

    @pytest.mark.parametrize("run", [run_graph, lambda graph: run_fleet(graph, 2)])
    def test_one_that_blocks_is_named_where_it_made_the_generator_late(self, call, run):
        """Nothing but a function of the plan's own stood still."""
        users = user_class(task("t", call("block"), request()), wait=pause(0.5))
        outcome = run(make_graph(users, closed(2, 10))).outcome
        late, named = (*outcome.biased, *outcome.invalid)

        assert "the generator was up to" in late
        assert named.startswith(
            "the function `block` blocked everything else for up to 300 ms at a time"
        )
        assert "make it `async`" in named

    @pytest.mark.parametrize("run", [run_graph, lambda graph: run_fleet(graph, 2)])
    def test_a_busy_function_is_what_is_measured_and_not_a_late_generator(self, call, run):
        """Where nothing else is measured beside it."""
        steps = call("block", measured=True), call("block")
        graph = make_graph(user_class(task("t", *steps), wait=pause(0.5)), closed(2, 10))

        outcome = run(graph).outcome

        assert (*outcome.biased, *outcome.invalid) == ()

    def test_a_busy_function_is_no_fault_of_the_phase_after_it(self, call):
        """Nor before it, though a second may have something of both."""
        classes = (
            user_class(task("t", call("block", measured=True)), name="Busy"),
            user_class(task("t", request()), wait=pause(0.5), name="Sends"),
        )
        phases = [
            closed(1, 2.2, name=f"{number}", classes=[name], start_at=number * 2.25)
            for number, name in enumerate(["Busy", "Sends", "Busy"])
        ]

        outcome = run_graph(make_graph(classes, *phases)).outcome

        assert (*outcome.biased, *outcome.invalid) == ()

    def test_requests_beside_a_busy_function_are_late(self, call):
        """Their latencies include its time."""
        steps = call("block", measured=True), request()
        users = user_class(task("t", *steps), wait=pause(0.5))

        outcome = run_graph(make_graph(users, closed(2, 10))).outcome

        assert any("the generator was up to" in one for one in (*outcome.biased, *outcome.invalid))

    def test_one_that_blocks_for_long_is_told_anyway(self, call):
        """Whatever it does to the figures: it need not be in the loop."""
        graph = make_graph(user_class(task("t", call("stand", measured=True))), closed(1, 5))

        (notice,) = run_graph(graph).outcome.notices

        assert notice.startswith("`stand` blocked everything else for up to 3 s at a time")

    def test_one_that_is_quick_is_no_finding(self, call):
        """Nor is the time that a coroutine waits."""
        users = user_class(task("t", call("wait", seconds="3"), call("sign", key="1")))

        assert run_graph(make_graph(users, closed(2, 10))).outcome.biased == ()

    def test_a_file_that_cannot_be_imported_keeps_the_run_from_starting(self, tmp_path):
        """With what went wrong, and where; it is known before."""
        path = tmp_path / "hooks.py"
        path.write_text("import json\nimport nowhere_to_be_found.deep\ntry:\n import no\nexcept: 0")

        with pytest.raises(CannotRun, match=r" at hooks\.py:2: .*'nowhere_to_be_found'") as raised:
            run_steps(own_steps.call("sign", hooks=path))

        assert raised.value.hint.startswith("install what brings `nowhere_to_be_found`")
        missing = missing_modules(path.read_bytes(), (tmp_path,))
        assert list(missing) == [(2, "nowhere_to_be_found.deep")]


@pytest.mark.skipif(sys.platform == "win32", reason="commands of POSIX systems")
class TestExec:
    def test_output_becomes_a_value(self):
        """Without its last newline."""
        _, target = run_for_real(command("echo", "a b", target="out"), request())

        assert target.scopes[0]["out"] == "a b"

    def test_a_rendered_value_is_one_argument(self):
        """No shell reads it: nothing can be slipped in."""
        name = (lambda _: "x; echo y", ".txt")

        _, target = run_for_real(command("printf", "<%s>", name, target="out"), request())

        assert target.scopes[0]["out"] == "<x; echo y.txt>"

    def test_it_runs_beside_the_file_that_names_it(self, tmp_path):
        """Wherever planrunner was started."""
        _, target = run_for_real(command("pwd", target="out", directory=tmp_path), request())

        assert os.path.realpath(target.scopes[0]["out"]) == os.path.realpath(tmp_path)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("sh", "-c", "echo bad news >&2; exit 3"), "exited with status 3: bad news"),
            (("no-such-command-here",), "can't be run: No such file or directory"),
        ],
    )
    def test_a_command_that_fails_ends_the_iteration(self, words, said):
        """As `error`, with the last that it complained about."""
        outcome, target = run_for_real(command(*words), request())

        assert target.requests == 0
        assert set(counts(outcome, "failure", kind="iteration")) == {"error"}
        assert set(counts(outcome, "request", "failure", "protocol")) == {
            ("the command", "error", "exec")
        }
        assert any(said in notice for notice in outcome.notices)

    @pytest.mark.slow
    def test_a_command_that_takes_too_long_is_killed_with_its_children(self, tmp_path):
        """Nothing is left behind."""
        mark = tmp_path / "alive"
        script = f"(sleep 1; touch {mark}) & wait"

        outcome, _ = run_for_real(command("sh", "-c", script, timeout=0.2))

        time.sleep(1.2)
        assert not mark.exists()
        assert any("took longer than 200 ms" in notice for notice in outcome.notices)

    @pytest.mark.slow
    def test_the_end_of_the_graceful_stop_kills_it(self):
        """A command outlives no run."""
        began = time.monotonic()

        outcome, _ = run_for_real(command("sleep", "60"), phase=closed(1, 1, graceful_stop=0.05))

        assert time.monotonic() - began < 5
        assert outcome.counters.aborted == 1
