"""What the README says of speed is what was measured."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys

import pytest

from benchmarks import coordinator
from benchmarks.metered import Meter, Timed, is_told
from benchmarks.processes import pinned, run
from benchmarks.readme import RESULTS, ROOT, table, with_table
from benchmarks.run import QUESTIONS
from benchmarks.simulated_workers import simulate
from benchmarks.told_seconds import MeteredSecond, Part, extra_ns, pairs_of, shares
from benchmarks.turns import CPU_OF_REQUEST, Figures, in_turns, quiet_rounds
from planrunner.metrics.histogram import Histogram
from planrunner.units import NS_PER_MS, NS_PER_S


def test_the_readme_quotes_the_committed_results() -> None:
    """`python benchmarks/readme.py` writes its table; `make bench` does so too."""
    page = (ROOT / "README.md").read_text("utf-8")

    assert page == with_table(page)
    assert table() in page


def test_an_answer_has_its_question_machine_and_every_round() -> None:
    """A ratio can be made again from the raw numbers."""
    for path in RESULTS.glob("*.json"):
        answer = json.loads(path.read_text("utf-8"))
        assert answer["question"] == path.stem
        assert answer["measured"]
        assert answer["machine"]["processors"] >= 1
        assert answer["summary"]
        raw = answer.keys() - {"question", "measured", "machine", "summary"}
        assert any(isinstance(answer[key], dict | list) and answer[key] for key in raw)


def test_a_timed_task_does_what_it_does_without_a_meter() -> None:
    """It waits, gets values and errors, and what its steps took is known."""

    async def work() -> str:
        await asyncio.sleep(0)
        done = await asyncio.gather(asyncio.sleep(0, 1), _fail(), return_exceptions=True)
        sum(range(10_000))
        return f"{done[0]} {done[1]}"

    async def run() -> tuple[str, bool]:
        cut = asyncio.create_task(Timed(asyncio.sleep(9), meter))
        answer = await asyncio.create_task(Timed(work(), meter))
        cut.cancel()
        await asyncio.wait([cut])
        return answer, cut.cancelled()

    meter = Meter()

    assert asyncio.run(run()) == ("1 no", True)
    assert meter.own_ns > meter.longest_ns > 0


async def _fail() -> None:
    raise ValueError("no")


def test_outputs_are_told_of_one_of_two_seconds() -> None:
    """Which of them comes first has no period."""
    pairs = [(is_told(n), is_told(n + 1)) for n in range(0, 16, 2)]

    assert all(first != second for first, second in pairs)
    assert [first for first, _ in pairs] == [True, False, False, True, False, True, True, False]


def metered(
    cpu_ms: int, first_cpu_ms: int, own_ms: int = 0, *, told: bool = False
) -> MeteredSecond:
    """Return a second of 1,000 requests, 100 of them in its first part."""
    parts = [
        Part(cpu_ns * NS_PER_MS, own_ms * NS_PER_MS, 0, 0, requests)
        for cpu_ns, requests in ((cpu_ms, 1_000), (first_cpu_ms, 100))
    ]
    return MeteredSecond(told, 0, parts[0], parts[1], Histogram())


@pytest.mark.parametrize("slower", [1, 3])
def test_what_outputs_cost_is_found_on_a_busy_machine(slower: int) -> None:
    """10 ms in the first part of a second: also where the other second was three times as slow."""
    warm_up = [metered(1, 1)] * 2
    told, other = metered(1_010, 110, 9, told=True), metered(1_000 * slower, 100 * slower)
    runs = [[*warm_up, *(told, other, other, told) * 4]]

    pairs = pairs_of(runs)

    assert len(pairs) == 8
    assert all(pair == (told, other) for pair in pairs)
    assert extra_ns(pairs[0]) == pytest.approx(0.01 * NS_PER_S)
    assert shares(runs) == (
        "+1.00% (+1.00% to +1.00%) by comparison, "
        "+0.90% (+0.90% to +0.90%) by the clock of its own steps, 0.90% on average"
    )


def test_simulated_workers_report_every_second() -> None:
    """And the coordinator counts all that they have sent."""
    found = simulate(workers=3, series=10, seconds=4)

    assert (found["seconds"], found["sent"], found["lost"]) == (4, 3 * 10 * 20 * 4, 0)
    assert len(found["cpu_ms"]) == 5


def test_a_worker_more_is_the_slope_of_the_cheapest_seconds() -> None:
    """What others on the machine add to some seconds doesn't show."""
    runs = [simulated(workers, 10 + 2 * workers) for workers in (*coordinator.WORKERS, 64, 1)]

    costs, memory, grown = coordinator.summarise(runs)

    assert costs == (
        "2.0 ms of CPU a second of the run for a worker with 500 series: "
        "0.01 s with 1, 0.03 s with 8, 0.14 s with 64, 0.52 s with 256 "
        "(target 0.25 s with 64), and 32 KB from each (target 40)"
    )
    assert memory == ("with 64 workers 90 MB after 4 s, 90 MB after 4 s; 0 of 10,000 requests lost")
    assert grown.startswith("with 1 worker 60 MB after 600 s, 120 MB after 1200 s: nothing of")


def simulated(workers: int, ms: int) -> dict[str, object]:
    """Return a run whose first and last parts count nothing, with one disturbed second."""
    cpu_ms = [0, ms, 3 * ms, ms + 1, 0]
    facts = {"workers": workers, "series": 500, "seconds": 4}
    peaks_mb = list(range(10, 130, 10))
    sums = {"peak_mb": 90, "peaks_mb": peaks_mb, "sent": 1_000, "kb": 31.6, "lost": 0}
    return {**facts, "cpu_ms": cpu_ms, **sums}


def test_a_round_in_which_a_generator_waited_for_others_is_made_again() -> None:
    """A ratio is that of the same time, and the median of the rounds that count."""
    waits = iter([0.0, 0.5, 0.02, 0.03, 0.0, 0.0])
    costs = iter([1.0, 9.0, 1.0, 3.0, 4.0, 2.0])

    def measure(_: str) -> Figures:
        return {"cpu": next(costs), "waited": next(waits)}

    found = in_turns(["ours", "theirs"], 2, measure)

    assert found.counted == {
        "ours": [{"cpu": 3.0, "waited": 0.03}, {"cpu": 4.0, "waited": 0.0}],
        "theirs": [{"cpu": 1.0, "waited": 0.02}, {"cpu": 2.0, "waited": 0.0}],
    }
    assert found.left_out["theirs"] == [{"cpu": 9.0, "waited": 0.5}]
    assert round(found.ratio("cpu", "ours", "theirs"), 6) == 2.5
    assert found.said == [
        "rounds left out: 1, as a generator waited for others over 10% of its time"
    ]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="of Linux alone")
def test_a_process_knows_how_long_it_waited_for_another() -> None:
    """Two on one processor wait for each other; one alone doesn't."""
    cpu = min(os.sched_getaffinity(0))
    busy = [sys.executable, "-c", "while True: pass"]
    some = [sys.executable, "-c", "sum(range(2_000_000))"]
    with subprocess.Popen(pinned(busy, cpu)) as other:
        try:
            waited = run(some, cpu=cpu).waited
        finally:
            other.kill()

    assert 0.1 < waited < 1


def test_rounds_in_which_others_used_the_processor_are_left_out() -> None:
    """All of a round, also what did not wait itself; where no round was quiet, that is said."""
    raw = {
        "ours": [{"p50": 1.0, "waited": 0.0}, {"p50": 2.0, "waited": 0.0}],
        "theirs": [{"p50": 3.0, "waited": 0.2}, {"p50": 4.0, "waited": 0.1}],
    }

    found = quiet_rounds(raw)

    assert found.counted == {name: [second] for name, (_, second) in raw.items()}
    assert found.left_out == {name: [first] for name, (first, _) in raw.items()}
    busy = quiet_rounds({name: [first] for name, (first, _) in raw.items()})
    assert busy.counted == {name: [first] for name, (first, _) in raw.items()}
    assert busy.said[0].startswith("no round was quiet")


def test_whoever_takes_less_is_named_as_ahead() -> None:
    """Beside each peer that took part."""
    raw = {
        name: [{CPU_OF_REQUEST: cost, "waited": 0.0}]
        for name, cost in (("ours", 3.0), ("k9", 2.0), ("k6", 30.0))
    }

    beside = quiet_rounds(raw).cpu_beside("ours", {"k9": "k9's", "k6": "k6's", "ab": "ab's"})

    assert beside == ", 1.50 × k9's (ahead of us), 0.10 × k6's"


def test_every_question_is_described() -> None:
    """The README of the benchmarks has a row for each, and for no other."""
    page = (ROOT / "benchmarks" / "README.md").read_text("utf-8")

    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == [
        name.partition("-")[0] for name in QUESTIONS
    ]
