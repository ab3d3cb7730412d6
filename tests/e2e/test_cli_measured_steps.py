"""Functions and commands as what a plan measures."""

from __future__ import annotations

import json
import sys

import pytest

from tests.support.plans import PlanProject

COMPONENTS = """
import asyncio
import sys
import time


def ingest(rows):
    return {"rows": rows}


async def wait(seconds):
    await asyncio.sleep(seconds)
    return "waited"


def fail():
    raise ValueError("no good")


def leave():
    sys.exit(3)


def forever():
    while True:
        time.sleep(0.01)


def block():
    time.sleep(0.03)


class Later:
    def __await__(self):
        yield from asyncio.sleep(0.001).__await__()
        return "waited"


def promise():
    return Later()


def items():
    yield 1


def say():
    print("not a result")


def abort():
    raise KeyboardInterrupt


def babble():
    raise ValueError("x" * 5_000_000)


async def hold():
    await asyncio.sleep(0)
    time.sleep(0.6)


async def late():
    try:
        await asyncio.sleep(5)
    except asyncio.CancelledError:
        return "anyway"
"""

ISOLATED = """
import os
import signal


def own(size):
    return {"pid": os.getpid(), "kept": len(bytearray(size))}


def vanish():
    os._exit(7)


def shoot():
    os.kill(os.getpid(), signal.SIGKILL)


def unfit():
    return lambda: None


class Later:
    def __await__(self):
        yield
        return "waited"


def promise():
    return Later()


def load():
    raise RuntimeError("not here")


class Trap:
    def __reduce__(self):
        return (load, ())


def trap():
    return Trap()


def talk():
    print("this is no message")
    return 1


def fork():
    os.fork()
    return os.getpid()


def forever():
    while True:
        pass
"""

PLAN = """
name: components
users:
  A:
    steps: [{steps}]
phases: [{{users: 1, {load}}}]
thresholds: [{thresholds}]
"""


def write(
    project: PlanProject, *steps: str, load: str = "iterations: 3", thresholds: str = ""
) -> None:
    thresholds = thresholds or "error_rate == 0"
    text = PLAN.format(steps=", ".join(steps), load=load, thresholds=thresholds)
    project.write({"plan.yaml": text, "components.py": COMPONENTS, "isolated.py": ISOLATED})


@pytest.mark.slow
def test_a_function_of_a_module_is_a_sample_under_its_name(project: PlanProject) -> None:
    """And what it returns is there for later steps."""
    write(
        project,
        "{python: {call: 'components:ingest', args: {rows: 7}, as: loaded}, measure: true, "
        "work: loaded.rows, unit: rows, record: {seven: loaded.rows == 7}}",
        "{python: {call: 'components:wait', args: {seconds: 0.001}}, name: wait, measure: true}",
        "{python: {call: 'components:ingest', args: {rows: 1}, inline: true}, name: inline, "
        "measure: true, expect: {time: < 1s}, tags: [quick]}",
        "{python: {call: 'components:ingest', args: {rows: 1}}}",
        "{if: loaded.rows == 7, then: [{log: right}]}",
        thresholds="p95 of wait < 5s, count == 9, count of tag:quick == 3, "
        "sum work of 'components:ingest' == 21, avg of metric.seven == 100%",
    )

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 0
    found = sorted((row["endpoint"], row["status_code"]) for row in ended.rows)
    names = ("components:ingest", "inline", "wait")
    assert found == [(name, "OK") for name in names for _ in range(3)]
    assert "right" in ended.out + ended.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (
            "{python: 'components:fail', %s}",
            "error",
            "`components:fail` raised ValueError: no good",
        ),
        ("{python: 'components:leave', %s}", "error", "raised SystemExit: 3"),
        (
            "{python: {call: 'components:forever', timeout: 30ms}, %s}",
            "timeout",
            "took longer than 30 ms",
        ),
        (
            "{python: {call: 'components:block', inline: true}, timeout: 10ms, %s}",
            "timeout",
            "took longer than 10 ms",
        ),
        (
            "{python: {call: 'components:wait', args: {seconds: 9}, timeout: 20ms}, %s}",
            "timeout",
            "took longer than 20 ms",
        ),
    ],
)
def test_one_that_does_not_return_is_a_failure_and_ends_the_iteration(
    project: PlanProject, step: str, kind: str, words: str
) -> None:
    """The run goes on, and ends, whatever the function does."""
    write(project, step % "measure: true", "{log: never}")

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert [row["kind"] for row in ended.rows] == [kind] * 3
    assert words in " ".join(ended.out.split())
    assert "never" not in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("way", ["", ", inline: true", ", batch: 3", ", batch: 3, inline: true"])
@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        ("abort", "error", "raised KeyboardInterrupt (user"),
        ("babble", "error", "raised ValueError: xxx"),
        ("late", "timeout", "took longer than 20 ms"),
    ],
)
def test_whatever_it_raises_is_its_own_failure(
    project: PlanProject, way: str, function: str, kind: str, words: str
) -> None:
    """And not the end of the run; nor are its words the whole report."""
    limit = "20ms" if kind == "timeout" else "9s"
    step = f"{{python: {{call: 'components:{function}', timeout: {limit}{way}}}, measure: true}}"
    write(project, step, load="iterations: 1")

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert [row["kind"] for row in ended.rows] == [kind]
    assert words in " ".join(ended.out.split())
    assert len(ended.out) < 9000


@pytest.mark.slow
@pytest.mark.parametrize("way", ["", ", inline: true", ", isolate: process"])
def test_what_a_plain_function_returns_to_be_awaited_is(project: PlanProject, way: str) -> None:
    """Its time is part of the sample; a batch would only make promises."""
    module = "isolated" if "process" in way else "components"
    call = f"call: '{module}:promise', as: x{way}"
    write(
        project,
        f"{{python: {{{call}}}, measure: true, expect: {{time: < 9s}}}}",
        "{log: 'got ${x}'}",
        f"{{python: {{{call}, batch: 2}}, name: batch, measure: true}}",
        load="iterations: 1",
    )

    ended = project.run("execute", "plan.yaml")

    assert "got waited" in ended.out + ended.err
    assert "a batch of it needs an `async def`" in " ".join(ended.out.split())
    assert sorted(row["kind"] for row in ended.rows) == ["", "error"]


def test_a_generator_is_refused(project: PlanProject) -> None:
    """A call of it does nothing, so nothing would be measured."""
    write(project, "{python: 'components:items', measure: true}")

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 2
    assert "plan.yaml:5: `components:items` is a generator" in ended.err


@pytest.mark.parametrize("more", [[], ["--once"]])
def test_what_it_prints_is_no_part_of_the_results(project: PlanProject, more: list[str]) -> None:
    """It goes to the standard error."""
    write(project, "{python: 'components:say', measure: true}", load="iterations: 1")

    ended = project.run("execute", "plan.yaml", "--json", *more)

    assert ended.code == 0
    assert "not a result" in ended.err
    assert all(json.loads(line) for line in (ended.out.splitlines() if more else [ended.out]))


@pytest.mark.slow
def test_a_coroutine_that_holds_the_loop_is_named(project: PlanProject) -> None:
    """Though it awaits something before."""
    write(project, "{python: 'components:hold', measure: true}", load="iterations: 1")

    ended = project.run("execute", "plan.yaml")

    words = " ".join(ended.out.split())
    assert "`components:hold` blocked everything else for up to 6" in words


@pytest.mark.slow
def test_a_thread_that_goes_on_is_told(project: PlanProject) -> None:
    """It can't be stopped, and the end of the run doesn't wait for it."""
    step = "{python: {call: 'components:forever', timeout: 20ms}, measure: true}"
    write(project, step, load="iterations: 2")

    ended = project.run("execute", "plan.yaml")

    words = " ".join(ended.out.split())
    assert "2 calls of `components:forever` went on after the time was up" in words


def test_a_function_that_is_not_there_is_said_at_its_place(project: PlanProject) -> None:
    """Nothing is imported: a plan that is checked may be a stranger's."""
    write(project, "{python: 'components:ingst', measure: true}")
    project.write({"components.py": "raise SystemExit\ndef ingest(): ...\n"})

    ended = project.run("validate", "plan.yaml")

    assert ended.code == 2
    assert "plan.yaml:5:22: error[unknown-name]: `components` has no function `ingst`" in ended.err
    assert "did you mean `ingest`?" in ended.err


def test_what_only_importing_tells_is_said_before_the_load(project: PlanProject) -> None:
    """With the place of the step, as a fault of the plan."""
    write(project, "{python: 'math:sqroot', measure: true}")

    assert project.run("validate", "plan.yaml").code == 0
    ended = project.run("execute", "plan.yaml")

    assert ended.code == 2
    assert "plan.yaml:5: `math` has no function `sqroot`" in ended.err
    assert "did you mean `sqrt`?" in ended.err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="workers of POSIX systems")
def test_it_is_a_fault_of_the_plan_for_several_workers_too(project: PlanProject) -> None:
    """None of them is to blame."""
    write(project, "{python: 'math:sqroot', measure: true}")

    ended = project.run("execute", "plan.yaml", "--workers", "2")

    assert ended.code == 2
    assert "error: plan.yaml:5: `math` has no function `sqroot`" in ended.err
    assert "did you mean `sqrt`?" in ended.err


@pytest.mark.slow
def test_a_module_is_that_of_the_plan_and_read_anew(project: PlanProject) -> None:
    """A file that has changed since the last run in the same process is another one."""
    write(project, "{python: {call: 'components:ingest', args: {rows: 1}, as: x}, measure: true}")
    assert project.run("execute", "plan.yaml").code == 0
    project.write({"components.py": "def ingest(rows):\n    raise RuntimeError('2')\n"})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert "raised RuntimeError: 2" in " ".join(ended.out.split())


@pytest.mark.skipif(sys.platform == "win32", reason="commands of POSIX systems")
class TestCommands:
    @pytest.mark.slow
    def test_a_command_is_a_sample_with_its_exit_code(self, project: PlanProject) -> None:
        """One that is expected is no failure, and what it prints is there for later steps."""
        write(
            project,
            "{exec: {run: 'sh -c \"echo $WORD; exit 3\"', env: {WORD: hi}, as: said}, "
            "measure: true, name: three, expect: {status: [0, 3], contains: hi}}",
            "{if: said == 'hi', then: [{log: right}]}",
        )

        ended = project.run("execute", "plan.yaml")

        assert ended.code == 0
        found = [(row["endpoint"], row["status_code"]) for row in ended.rows]
        assert found == [("three", "3")] * 3
        assert "right" in ended.out + ended.err

    def test_one_that_exits_with_0_has_a_status(self, project: PlanProject) -> None:
        """It is not what reports take for no reply."""
        write(project, "{exec: 'true', measure: true}", thresholds="count of status:0 == 3")

        ended = project.run("execute", "plan.yaml")

        assert ended.code == 0
        assert [row["status_code"] for row in ended.rows] == ["OK"] * 3

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("run", "kind", "status", "words"),
        [
            ("sh -c 'echo no >&2; exit 4'", "status", "4", "exited with status 4: no"),
            ("sh -c 'kill -9 $$'", "status", "137", "was killed by SIGKILL (status 137)"),
            ("no-such-command-here", "error", "0", "can't be run"),
            ("sleep 9", "timeout", "0", "took longer than 50 ms"),
        ],
    )
    def test_any_other_end_is_a_failure(
        self, project: PlanProject, run: str, kind: str, status: str, words: str
    ) -> None:
        """With the last that it complained about."""
        write(project, f'{{exec: "{run}", measure: true, timeout: 50ms}}', load="iterations: 1")

        ended = project.run("execute", "plan.yaml")

        assert ended.code == 1
        assert [(row["kind"], row["status_code"]) for row in ended.rows] == [(kind, status)]
        assert words in " ".join(ended.out.split())


@pytest.mark.parametrize("step", ["{python: 'json:loads', measure: true}", "{exec: 'true'}"])
def test_a_strangers_plan_runs_none_of_them(project: PlanProject, step: str) -> None:
    """Measured or not."""
    write(project, step)

    ended = project.run("validate", "plan.yaml", "--no-exec")

    assert ended.code == 2
    assert "is refused: with --no-exec" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("way", ["inline: true", "inline: false"])
def test_a_batch_is_a_sample_with_the_time_of_one_call(project: PlanProject, way: str) -> None:
    """How many calls there were is kept, and reports say what an empty one costs."""
    write(
        project,
        f"{{python: {{call: 'components:ingest', args: {{rows: 1}}, batch: 40, {way}}}, "
        "name: small, measure: true}",
        thresholds="sum calls of small == 120, p95 of small < 1s, max calls of small == 40",
    )

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 0
    (facts,) = ended.metrics["calls"]
    assert facts["request"] == "small"
    assert facts["how"] == ("inline" if "true" in way else "thread") + ", in batches"
    assert facts["calls"] == 120
    assert 0 < facts["empty_ns"] < 1_000_000
    assert "empty call" in ended.out
    (page,) = (path for name, path in ended.files.items() if name.endswith("report.html"))
    assert "Calls of components" in page.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("load", ["iterations: 3", "hold: 1s"])
def test_the_work_of_a_batch_is_that_of_all_its_calls(project: PlanProject, load: str) -> None:
    """The latency and what is recorded are of one, so the rate is that of the function."""
    write(
        project,
        "{python: {call: 'components:ingest', args: {rows: 1}, batch: 40, inline: true}, "
        "name: small, measure: true, work: 7, record: {n: 2}}",
        thresholds="min work of small == 280, max of metric.n == 2, min calls of small == 40",
        load=load,
    )

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 0
    row = next(row for row in ended.metrics["rows"] if row["by"] == "request")
    assert row["work"] == 280 * row["count"]
    took = 1 if "hold" in load else 40 * row["count"] * row["service_ns"]["avg"] / 1e9
    assert row["work_per_second"] == pytest.approx(row["work"] / took, rel=0.1)


@pytest.mark.slow
def test_a_batch_of_its_own_size_is_found_before_the_first_sample(project: PlanProject) -> None:
    """As many calls as make a millisecond."""
    write(
        project,
        "{python: {call: 'components:ingest', args: {rows: 1}, batch: auto, inline: true}, "
        "name: small, measure: true}",
        thresholds="min calls of small > 100, p95 of small < 1ms",
    )

    assert project.run("execute", "plan.yaml").code == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX systems")
class TestIsolated:
    def test_each_user_has_a_process_of_its_own(self, project: PlanProject) -> None:
        """What it takes of processor and memory is measured."""
        write(
            project,
            "{python: {call: 'isolated:own', args: {size: 30000000}, isolate: process, as: found}, "
            "name: own, measure: true, record: {pid: found.pid}}",
            "{python: {call: 'isolated:own', args: {size: 1}, isolate: process}, name: little, "
            "measure: true}",
            thresholds="min peak_rss of own > 30MB, p95 cpu of own < 9s, stddev of metric.pid < 1",
        )

        ended = project.run("execute", "plan.yaml")

        assert ended.code == 0
        own, little = ended.metrics["calls"]
        assert own["how"] == little["how"] == "process"
        assert own["peak_rss"] > 30_000_000
        assert own["cpu_ns"] > 0

    @pytest.mark.parametrize(
        ("function", "keys", "kind", "words"),
        [
            ("vanish", "", "error", "its process ended with status 7"),
            ("shoot", "", "error", "its process was killed by signal 9"),
            ("unfit", "as: x", "error", "returned what can't leave its process"),
            ("forever", "timeout: 50ms", "timeout", "took longer than 50 ms"),
            ("trap", "as: x", "error", "can't be read here: `pickle` raised RuntimeError"),
        ],
    )
    def test_one_that_dies_is_a_failure_and_the_next_call_has_another(
        self, project: PlanProject, function: str, keys: str, kind: str, words: str
    ) -> None:
        """The run goes on."""
        extra = f", {keys}" if keys else ""
        write(
            project,
            f"{{python: {{call: 'isolated:{function}', isolate: process{extra}}}, measure: true}}",
            load="iterations: 2",
        )

        ended = project.run("execute", "plan.yaml")

        assert ended.code == 1
        assert [row["kind"] for row in ended.rows] == [kind] * 2
        assert words in " ".join(ended.out.split())

    @pytest.mark.parametrize("function", ["talk", "fork", "unfit"])
    def test_what_it_does_beside_its_result_disturbs_nothing(
        self, project: PlanProject, function: str
    ) -> None:
        """It may print and fork, and return what nobody asks for."""
        write(
            project,
            f"{{python: {{call: 'isolated:{function}', isolate: process}}, measure: true}}",
        )

        ended = project.run("execute", "plan.yaml")

        assert ended.code == 0
        assert len(ended.rows) == 3

    def test_a_function_with_a_context_can_not_be_there(self, project: PlanProject) -> None:
        """The names of users are in this process."""
        write(project, "{python: {call: 'own:it', isolate: process}, measure: true}")
        project.write({"own.py": "def it(context): ...\n"})

        ended = project.run("execute", "plan.yaml")

        assert ended.code == 2
        assert "plan.yaml:5: `own:it` has a parameter `context`" in ended.err
