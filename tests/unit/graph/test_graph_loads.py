"""What every load says of itself, whichever it is."""

from __future__ import annotations

import ast
import json
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from planrunner.engine.load_models import bound_phase
from planrunner.engine.load_models.base import Phase, PhaseContext
from planrunner.engine.load_models.user_pool import UserPool
from planrunner.explain.explain import explain_text
from planrunner.graph.loads import (
    LOAD_TYPES,
    AchievedLoad,
    Load,
    LoadModel,
    PhaseCounts,
    SearchLoad,
    ToolLoad,
)
from planrunner.graph.run_graph import PhaseNode
from planrunner.plan.models.load.workload import LoadKind
from planrunner.schedule.population import Share, seats
from planrunner.schedule.sharing import seat_owners
from planrunner.units import NS_PER_S
from planrunner.values import dataclass
from tests.support.graphs import closed, make_graph, pause, request, run_graph, task, user_class
from tests.support.loads import counted, open_phase, search
from tests.support.remote_pools import run_fleet

PHASES = {
    "closed": closed(4, 2),
    "open": open_phase(10, 2),
    "counted": counted(4, iterations=8, max_duration=2),
    "search of users": search("users", 2, 4, ["p95 < 1s"], plus=2, hold=2),
    "search of rates": search("rate", 5, 10, ["p95 < 1s"], plus=5, hold=2),
}
LOADS: dict[str, Load] = {
    **{name: phase.load for name, phase in PHASES.items()},
    "another tool": ToolLoad("k6", 2 * NS_PER_S),  # which workers don't run
}
SHARES = [Share("A", 3), Share("B", 1)]
COUNTS = PhaseCounts(
    lasted_ns=2 * NS_PER_S, is_paced=True, due=20, started=19, begun=8, users=4, failed_starts=0
)
QUESTIONS = [name for name in vars(LoadModel) if not name.startswith("_")]

every_load = pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)


def answers(load: Load) -> dict[str, object]:
    """Ask a load everything."""
    asked = {
        "words": lambda: [*load.words()],
        "as_json": load.as_json,
        "class_of_seats": lambda: load.class_of_seats(SHARES),
        "classes_with_users": lambda: load.classes_with_users(SHARES),
        "requests": lambda: load.requests(2, NS_PER_S),
        "achieved": lambda: load.achieved(COUNTS),
    }
    return {name: asked[name]() if name in asked else getattr(load, name) for name in QUESTIONS}


def test_every_load_is_among_the_examples() -> None:
    """A new load fails here first: what is below asks it everything."""
    assert {type(load) for load in LOADS.values()} == set(LOAD_TYPES)


@every_load
def test_every_question_has_an_answer(load: Load) -> None:
    """A load says what it is, how long it takes, and what it needs."""
    said = answers(load)

    assert set(said) == set(QUESTIONS)
    assert said["words"]
    assert json.loads(json.dumps(said["as_json"]))["model"] == load.kind
    assert load.planned_ns >= sum(duration_ns for _, duration_ns in load.spans) > 0
    assert (load.most_users > 0) != load.is_foreign
    assert isinstance(said["achieved"], AchievedLoad)
    assert said["classes_with_users"] == (set() if load.is_foreign else {"A", "B"})


@every_load
def test_a_load_is_made_of_users_or_of_arrivals(load: Load) -> None:
    """Either each user has a class from the start, or arrivals decide who starts."""
    seats = load.class_of_seats(SHARES)

    assert load.has_due_times == bool(load.peak_rate)
    assert len(seats) == (0 if load.has_due_times else load.most_users)


@every_load
def test_what_is_counted_says_from_what(load: Load) -> None:
    """A forecast of requests has its reason in words, and so has no other."""
    assert (load.requests(2, NS_PER_S) is not None) == bool(load.forecast_basis)


@every_load
def test_a_load_travels_to_a_worker(load: Load) -> None:
    """Pickled and back it is the same."""
    assert pickle.loads(pickle.dumps(load)) == load


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES)
def test_the_engine_runs_every_load(phase: PhaseNode, workers: int) -> None:
    """A run reports the load under its own name and unit."""
    user = user_class(task("get", request()), wait=pause(0.5))
    graph = make_graph(user, phase)
    told = run_graph(graph) if workers == 1 else run_fleet(graph, workers)
    (load,) = told.outcome.loads

    assert load.model == phase.load.kind
    assert load.unit in {"users", "iterations", "arrivals"}
    assert load.is_paced == phase.load.has_due_times


def test_plans_and_graphs_name_loads_alike() -> None:
    """What decides between models in a plan has the names that results show."""
    assert {load.kind for load in LOAD_TYPES} == {kind.value for kind in LoadKind}


def _asked_types(path: Path) -> set[str]:
    """Return the loads that a module tells from others, by `isinstance` or `match`."""
    names = {load.__name__ for load in LOAD_TYPES}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked = [
        node.args[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance"
    ] + [node.cls for node in ast.walk(tree) if isinstance(node, ast.MatchClass)]
    return {
        name.id
        for place in asked
        for name in ast.walk(place)
        if isinstance(name, ast.Name) and name.id in names
    }


@pytest.mark.slow
def test_nothing_branches_over_loads_but_what_runs_them() -> None:
    """One match says what runs a load; beside it, some ask whether users run it at all.

    Exporters write each load in the words of a tool that has its own kinds of them.
    """
    package = Path(__file__).resolve().parents[3] / "planrunner"
    asking = {
        path.relative_to(package).as_posix(): types
        for path in package.rglob("*.py")
        if (types := _asked_types(path) - {SearchLoad.__name__, ToolLoad.__name__})
    }

    assert asking == {
        "engine/load_models/bound_phase.py": {"ClosedLoad", "CountedLoad", "OpenLoad"},
        "exporters/jmx/load.py": {"ClosedLoad", "CountedLoad", "OpenLoad"},
        "exporters/loads.py": {"ClosedLoad", "CountedLoad", "OpenLoad"},
        "exporters/tools/k6_options.py": {"ClosedLoad", "CountedLoad", "OpenLoad"},
        "exporters/tools/locust_load.py": {"ClosedLoad", "CountedLoad", "OpenLoad"},
    }


# --- adding one ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueLoad(LoadModel):
    """Users who come one after the other, a second apart, and stay; in the source a file here."""

    kind: ClassVar[str] = "queue"

    users: int

    def words(self) -> Iterator[str]:
        yield f"a queue of {self.users} users"

    def as_json(self) -> dict[str, Any]:
        return {"model": self.kind, "users": self.users}

    @property
    def spans(self) -> tuple[tuple[str, int], ...]:
        return (("hold", self.users * NS_PER_S),)

    @property
    def most_users(self) -> int:
        return self.users

    def class_of_seats(self, shares: Sequence[Share]) -> tuple[str, ...]:
        return tuple(shares[seat].name for seat in seats(shares, self.users))

    def requests(self, per_iteration: float, pause_ns: float) -> None:
        return None

    def achieved(self, counts: PhaseCounts) -> AchievedLoad:
        return AchievedLoad("users", self.users, counts.users)


class QueuePhase(Phase):
    """Runs it; in the source a file of `engine/load_models`."""

    def __init__(self, context: PhaseContext, load: QueueLoad) -> None:
        super().__init__(context)
        self._share = context.worker.share
        self._classes = context.class_of_seats(load)  # type: ignore[arg-type]  # no name in `Load`

    async def _load(self, pool: UserPool) -> None:
        owners = seat_owners(self._classes, self._share.workers)
        for number, (name, owner) in enumerate(zip(self._classes, owners, strict=True)):
            await self._sleeper.until(self._context.begin_ns + number * NS_PER_S)
            if owner == self._share.worker:
                pool.start(name, number)
        await self._sleeper.until(self._timeline.ends_ns)

    def _is_hopeless(self, failed: int) -> bool:
        return failed == len(self._classes)


@pytest.mark.parametrize("workers", [1, 2])
def test_two_files_are_all_that_a_new_load_takes_of_graph_and_engine(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """`explain`, workers, samples and results ask the load and know no model by name."""
    load = QueueLoad(4)
    user = user_class(task("get", request()), wait=pause(1))
    graph = make_graph(user, PhaseNode("main", load, ("Visitor",)))  # type: ignore[arg-type]  # as above
    # In the source this is a case of the match.
    monkeypatch.setattr(bound_phase, "_model_of", lambda load, context: QueuePhase(context, load))

    words = explain_text(graph)
    told = run_graph(graph) if workers == 1 else run_fleet(graph, workers)

    (found,) = told.outcome.loads
    assert "a queue of 4 users" in words
    assert (found.model, found.unit, found.requested, found.achieved) == ("queue", "users", 4, 4)
    assert sum(total.count for total in told.outcome.total.totals.values()) > 0
