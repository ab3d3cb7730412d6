"""Whether a run's numbers can be trusted, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from planrunner.engine.coordinator.validity import (
    Doubts,
    doubts_of_clients,
    doubts_of_generator,
    doubts_of_health,
    doubts_of_loads,
    doubts_of_mix,
)
from planrunner.engine.recording.counters import Counters
from planrunner.engine.recording.generator_health import Health, HealthLog
from planrunner.protocols.base import Scope
from planrunner.protocols.telling_clients import ClientAccount
from planrunner.results.aggregate import TaskCount
from planrunner.results.loads import GeneratorFacts, PhaseLoad
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import Answer, closed, make_graph, request, run_graph, task, user_class
from tests.support.loads import counted, open_phase

ARRIVALS = PhaseLoad("peak", "open", "arrivals", 10_000, 10_000, is_paced=True)


def level(doubts: Doubts) -> str:
    return "invalid" if doubts.invalid else "biased" if doubts.biased else "valid"


def of_load(**changes: object) -> Doubts:
    doubts = Doubts()
    doubts_of_loads(doubts, [replace(ARRIVALS, **changes)])
    return doubts


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, "valid"),
        ({"dropped": 10}, "valid"),
        ({"dropped": 11}, "biased"),
        ({"dropped": 499}, "biased"),
        ({"dropped": 500}, "invalid"),
        ({"late": 100}, "valid"),
        ({"late": 101}, "biased"),
        ({"late": 1_001}, "invalid"),
        ({"late": 5_000, "model": "closed", "unit": "iterations"}, "biased"),
        ({"late": 5_000, "model": "closed", "unit": "iterations", "achieved": 9_500}, "invalid"),
        ({"dropped": 9_000, "late": 9_000, "model": "search", "unit": "iterations"}, "valid"),
    ],
)
def test_load_that_was_not_reached_makes_numbers_doubtful(
    changes: dict[str, object], found: str
) -> None:
    """One in a thousand dropped, one in a hundred late; ten or fifty times that is invalid."""
    assert level(of_load(**changes)) == found


def test_reasons_say_what_to_do() -> None:
    """In one sentence each, with the numbers."""
    (dropped,) = of_load(dropped=2_000).invalid
    (late,) = of_load(late=200, lateness_p99_ns=12 * NS_PER_MS).biased

    assert dropped.startswith("phase `peak` dropped 2,000 of 10,000 arrivals (20.0%)")
    assert dropped.endswith("raise `max_users`, or lower the rate")
    assert "p99 12 ms" in late
    assert late.endswith("lower the rate, or free its host")


def test_a_full_table_of_files_is_named() -> None:
    """It comes from the generator's process, so it is one of its facts."""
    doubts = Doubts()

    doubts_of_generator(doubts, GeneratorFacts(open_files=950, open_files_limit=1_000))

    assert "950 of 1,000 open files" in doubts.biased[0]


def test_long_collections_are_named_where_they_count() -> None:
    """They are facts in any case; while components run, they are what these do."""
    doubts, log = Doubts(), HealthLog()
    log.add(0, Health(0, 0.5, 1, 90 * NS_PER_MS), is_measured=False)
    log.add(1, Health(0, 0.5, 1, 80 * NS_PER_MS))

    doubts_of_health(doubts, log, Counters())

    assert log.facts().collection_ns == 90 * NS_PER_MS
    assert "stopped the generator for 80 ms" in doubts.biased[0]


def test_what_clients_know_of_themselves_biases_a_run() -> None:
    """Replies beyond the requests, and waiting that is no target's."""
    counters, doubts = Counters(), Doubts()
    counters.account("etcd", ClientAccount(0, 0, 0))
    counters.account("http", ClientAccount(3, 40, 1000))
    counters.account("http", ClientAccount(0, 21, 200))

    doubts_of_clients(doubts, counters)

    surplus, queued = doubts.biased
    assert surplus.startswith("replies that no request had asked for came on 3 http connections;")
    assert queued.startswith("http requests spent 5% of their latency waiting in their own client")
    assert doubts.invalid == []


def test_a_client_that_hardly_waits_biases_nothing() -> None:
    """Up to a twentieth of the latency."""
    counters, doubts = Counters(), Doubts()
    counters.account("http", ClientAccount(0, 50, 1000))

    doubts_of_clients(doubts, counters)

    assert doubts.biased == []


def test_a_task_mix_far_from_its_weights_is_named() -> None:
    """Beyond 5 %, and beyond what drawing by chance does to few picks of many runs."""
    doubts, few, short = Doubts(), Doubts(), Doubts()

    doubts_of_mix(doubts, [TaskCount("A", "x", 1, 700), TaskCount("A", "y", 1, 300)])
    doubts_of_mix(few, [TaskCount("A", "x", 1, 7), TaskCount("A", "y", 1, 3)])
    doubts_of_mix(short, [TaskCount("A", "x", 3, 58), TaskCount("A", "y", 1, 34)])

    assert doubts.biased[0].startswith("the tasks of `A` ran 20.0 % off their weights")
    assert (level(few), level(short)) == ("valid", "valid")


def test_chance_is_that_of_what_was_open() -> None:
    """A heavy task that never was leaves few draws between two light ones."""
    doubts = Doubts()
    refused = TaskCount("A", "x", 1000, 0, skipped=60)
    others = [TaskCount("A", "y", 3, 40, gained=45), TaskCount("A", "z", 1, 20, gained=15)]

    doubts_of_mix(doubts, [refused, *others])

    assert level(doubts) == "valid"


def test_a_share_that_next_gives_is_no_doubt() -> None:
    """Whatever the weights, which are those of the first pick."""
    doubts = Doubts()

    doubts_of_mix(
        doubts,
        [
            TaskCount("A", "x", 9, 500, gained=499.1, share=0.5),
            TaskCount("A", "y", 1, 500, gained=499.9, share=0.5),
        ],
    )

    assert level(doubts) == "valid"


@pytest.mark.parametrize(
    "counts",
    [
        [TaskCount("A", "x", 1, 300, skipped=400), TaskCount("A", "y", 1, 700)],
        [
            TaskCount("A", "x", 1, 300, skipped=400),
            TaskCount("A", "y", 1, 1100, gained=400),
        ],
        [TaskCount("A", "x", 1, 300, substituted=400), TaskCount("A", "y", 1, 1100, gained=400)],
    ],
    ids=["skip", "repick", "named"],
)
def test_what_needs_refuse_is_no_doubt(counts: list[TaskCount]) -> None:
    """Whether it is skipped, drawn again or replaced: the plan says so."""
    doubts = Doubts()

    doubts_of_mix(doubts, counts)

    assert level(doubts) == "valid"


def test_a_generator_that_is_busy_most_of_the_time_is_saturated() -> None:
    """A tenth of the seconds makes it doubtful, half of them useless."""
    some, most = HealthLog(), HealthLog()
    for second in range(10):
        some.add(second, Health(loop_lag_ns=0, cpu_share=1.0 if second < 3 else 0.2))
        most.add(second, Health(loop_lag_ns=NS_PER_S if second < 6 else 0, cpu_share=0.2))

    assert (bool(some.reasons()), some.was_saturated) == (True, False)
    assert (bool(most.reasons()), most.was_saturated) == (True, True)


def test_a_busy_processor_biases_latencies_even_while_arrivals_start_on_time() -> None:
    """The load is the one asked for, so it is not invalid; but replies were noticed late."""
    log = HealthLog()
    for second in range(10):
        log.add(second, Health(loop_lag_ns=0, cpu_share=0.95), is_on_time=True)

    assert log.reasons() == (
        "the generator's processor was over 90% busy in 10 of 10 seconds: it noticed replies late, "
        "and latencies include the delay; share the load among `--workers`, lower it, or add "
        "pauses",
    )
    assert not log.was_saturated


def test_a_busy_start_is_no_finding() -> None:
    """Opening connections and compiling take a second or two of a short run."""
    log = HealthLog()
    for second in range(6):
        log.add(second, Health(loop_lag_ns=0, cpu_share=1.0 if second < 2 else 0.3))

    assert (log.reasons(), log.was_saturated) == ((), False)


def test_a_late_warm_up_is_shown_and_makes_no_doubt() -> None:
    """No number has its requests; thresholds on the generator and its facts still see it."""
    log = HealthLog()
    for second in range(6):
        late = Health(loop_lag_ns=NS_PER_S if second < 3 else 0, cpu_share=1.0)
        log.add(second, late if second < 3 else Health(0, 0.2), is_measured=second >= 3)

    assert (log.reasons(), log.was_saturated, log.seconds) == ((), False, 3)
    assert log.facts().loop_lag_ns == NS_PER_S
    assert len(log.gauges()["generator.loop_lag"]) == 6


def slow(seconds: float, **more: object) -> object:
    return user_class(task("get", request(operation=Answer(int(seconds * NS_PER_S)))), **more)


def test_requested_and_achieved_load_of_each_model() -> None:
    """Users, arrivals, iterations, and iterations that a pace wanted."""
    told = run_graph(
        make_graph(
            [slow(1.9, name="A"), slow(1.9, name="P", pace_ns=NS_PER_S)],
            closed(3, 4, name="closed", classes=["A"]),
            open_phase(10, 2, name="open", classes=["A"], max_users=5),
            counted(2, iterations=5, name="counted", classes=["A"]),
            closed(1, 4.5, name="paced", classes=["P"]),
        )
    )
    loads = {load.phase: load for load in told.outcome.loads}

    assert [(x.unit, x.requested, x.achieved) for x in loads.values()] == [
        ("users", 3, 3),
        ("arrivals", 20, 6),
        ("iterations", 5, 5),
        ("iterations", 5, 3),
    ]
    assert loads["open"].dropped == 14
    assert loads["paced"].late == 2
    assert "dropped 14 of 20 arrivals" in told.outcome.invalid[0]


def test_a_closed_model_without_pace_says_what_a_stall_hid() -> None:
    """And one without a stall, or with a pace, says nothing."""

    def notices(stalled_ms: int, **more: object) -> list[str]:
        sent = count()

        def answer(_: Scope) -> Answer:
            return Answer(delay_ns=(stalled_ms if next(sent) == 60 else 10) * NS_PER_MS)

        program = user_class(task("get", request(operation=answer)), **more)
        told = run_graph(make_graph(program, closed(1, 3)))
        return [notice for notice in told.outcome.notices if "stalled" in notice]

    [notice] = notices(500)
    assert notice.startswith("the target stalled for 500 ms around second 2: phase `main` is a ")
    assert notices(10) == []
    assert notices(500, pace_ns=20 * NS_PER_MS) == []


def test_lateness_is_measured_from_the_due_time() -> None:
    """In virtual time nothing is ever late."""
    told = run_graph(make_graph(slow(0.1), open_phase(100, 5)))

    (load,) = told.outcome.loads
    assert (load.late, load.lateness_p99_ns, load.share) == (0, 0, 1.0)
