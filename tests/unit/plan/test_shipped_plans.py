"""What the shipped plans promise to contain, so that no task gets lost while they are edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.graph import RunGraph
from planrunner.graph.loads.closed import ClosedLoad
from planrunner.graph.steps import ThinkNode
from planrunner.plan.loader import load

PLANS = Path(__file__).parents[3] / "plans"

# Each class with its wait, and each of its tasks with weight and tags.
PLATFORM = {
    ("PlatformUser", "1s..3s"): {
        "health": (3, "health"),
        "list workspaces": (5, "workspaces read"),
        "create workspace": (2, "workspaces write"),
        "list workflows": (4, "workflows read"),
        "create workflow": (2, "workflows write"),
        "execution status": (3, "execution read"),
        "trigger execution": (1, "execution write"),
        "search": (2, "knowledge read"),
        "add knowledge": (1, "knowledge write"),
    },
    ("AdminUser", "2s..5s"): {
        "metrics": (2, "admin monitoring"),
        "audit log": (1, "admin monitoring"),
        "users": (1, "admin"),
        "costs": (1, "admin cost"),
    },
    ("HeavyUser", "5s..10s"): {
        "generate project": (1, "heavy generation"),
        "search large dataset": (1, "heavy search"),
        "analyze codebase": (1, "heavy analysis"),
    },
}


SERVICES = {
    "PkdUser": ["/", "/docs", "/v1/masterlist", "/v1/dsclist", "/v1/crl"],
    "DocumentUser": ["/", "/api/health", "/api/ping", "/docs"],
    "UiUser": ["/", "/health", "/docs"],
}


def graph_of(name: str, profile: str | None = None, **params: str) -> RunGraph:
    plan = load(PLANS / f"{name}.yaml", environ=params)
    return compile_plan(plan, selection=PlanSelection(profile=profile))


def test_the_platform_has_each_task_with_its_weight_tags_and_wait() -> None:
    """Sixteen tasks in three classes of equal weight."""
    users = graph_of("platform").users

    found = {
        (user.name, user.wait.words if user.wait else ""): {
            task.name: (task.weight, {key for key, _ in task.tags}) for task in user.tasks
        }
        for user in users
    }

    assert {user.weight for user in users} == {1}
    assert found == {
        key: {name: (weight, set(tags.split())) for name, (weight, tags) in tasks.items()}
        for key, tasks in PLATFORM.items()
    }


def test_a_user_of_a_service_requests_its_paths_in_order_with_a_pause_after_each() -> None:
    """The pause is 100 ms: ten users make less than 100 requests a second."""
    users = {user.name: user for user in graph_of("services-load").users}

    for name, paths in SERVICES.items():
        [task] = users[name].tasks
        requests, pauses = task.steps[::2], task.steps[1::2]
        assert [str(step.subject).partition("GET ")[2] for step in requests] == paths
        assert [step.pause.words for step in pauses if isinstance(step, ThinkNode)] == (
            ["100ms"] * len(paths)
        )


@pytest.mark.parametrize(("users", "seconds"), [("100", "300"), ("5", "1")])
def test_stress_rises_in_ten_equal_steps(users: str, seconds: str) -> None:
    """From no user to MAX_USERS, over RAMP_UP seconds."""
    graph = graph_of("services-load", "stress", MAX_USERS=users, RAMP_UP=seconds)
    [phase] = graph.phases
    assert isinstance(phase.load, ClosedLoad)

    steps = [stage for stage in phase.load.stages if stage.duration_ns]

    assert [stage.level for stage in steps] == [int(users) * n // 10 for n in range(1, 11)]
    assert {stage.duration_ns for stage in steps} == {int(seconds) * 10**8}
    assert phase.load.planned_ns == int(seconds) * 10**9


def test_all_tests_of_the_services_are_those_of_the_other_profiles() -> None:
    """Quick, load and stress, one after the other."""
    everything = graph_of("services-load", "all").phases
    alone = [graph_of("services-load", name).phases for name in ("quick", "load", "stress")]

    assert [(phase.name, phase.load) for phase in everything] == [
        (phase.name, phase.load) for [phase] in alone
    ]
