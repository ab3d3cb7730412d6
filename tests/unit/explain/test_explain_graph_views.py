"""What `explain` says of a plan, in words and as a graph, to the letter."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.explain.explain import class_counts, explain_text
from planrunner.explain.graph_views import graph_dot, graph_json, graph_mermaid, graph_text
from planrunner.graph import RunGraph
from planrunner.plan.loader import load
from planrunner.units import NS_PER_S
from tests.support.golden import check_golden
from tests.support.plans import compiled

PLAN = Path(__file__).resolve().parents[2] / "golden" / "explain" / "shop.yaml"
VIEWS = {
    "txt": explain_text,
    "graph.txt": graph_text,
    "graph.json": graph_json,
    "graph.mmd": graph_mermaid,
    "graph.dot": graph_dot,
}


@pytest.fixture(scope="module")
def shop() -> RunGraph:
    """A plan with most of what runs closed load over HTTP."""
    return compile_plan(load(PLAN, environ={}))


@pytest.mark.parametrize("ending", VIEWS)
def test_a_plan_is_shown_to_the_letter(shop: RunGraph, ending: str, *, update_golden: bool) -> None:
    """Whoever changes a view reads the difference."""
    text = VIEWS[ending](shop).replace(str(PLAN), PLAN.name)

    check_golden(f"explain/shop.{ending}", f"{text}\n", update=update_golden)


@pytest.mark.parametrize("ending", ["txt", "graph.json"])
def test_every_model_of_load_is_shown_to_the_letter(ending: str, *, update_golden: bool) -> None:
    """Rates, arrivals, iterations, a throttle and searches, in words and as data."""
    plan = PLAN.with_name("loads.yaml")
    text = VIEWS[ending](compile_plan(load(plan, environ={}))).replace(str(plan), plan.name)

    check_golden(f"explain/loads.{ending}", f"{text}\n", update=update_golden)


def test_views_are_the_same_for_the_same_plan(shop: RunGraph) -> None:
    """No set, address or clock gets into them."""
    again = compile_plan(load(PLAN, environ={}))

    assert [view(again) for view in VIEWS.values()] == [view(shop) for view in VIEWS.values()]


def test_drawn_graphs_name_only_nodes_that_they_have(shop: RunGraph) -> None:
    """An edge to nowhere would draw a node of its own."""
    nodes = set(re.findall(r"^  (\w+)\[", graph_mermaid(shop), re.MULTILINE))
    edges = re.findall(r"^  (\w+) --> (\w+)$", graph_mermaid(shop), re.MULTILINE)

    assert {end for edge in edges for end in edge} == nodes


def test_names_are_escaped_where_they_are_drawn() -> None:
    """A quote in a task's name ends no label."""
    graph = compiled("users: {A: {tasks: [{get: /, name: 'say \"hi\"'}]}}")

    assert '["say #quot;hi#quot;"]' in graph_mermaid(graph)
    assert r'[label="say \"hi\""]' in graph_dot(graph)
    assert json.loads(graph_json(graph))["users"][0]["tasks"][0]["name"] == 'say "hi"'


HOSTILE = "a,b; \n=1+1 \x1b[31m </script> `x` #quot; 🛒 " + "long" * 500


def test_hostile_names_stay_on_their_line() -> None:
    """They neither steer a terminal nor become markup of a drawing."""
    name = json.dumps(HOSTILE, ensure_ascii=False)
    graph = compiled(f"users: {{A: {{tasks: [{{get: /, name: {name}}}]}}}}")
    said, tree, mermaid, dot = (
        view(graph) for view in (explain_text, graph_text, graph_mermaid, graph_dot)
    )

    for text in (said, tree, mermaid, dot):
        assert "\x1b" not in text
        assert any(
            "a,b;" in line and line.rstrip('"];').endswith("longlong") for line in text.split("\n")
        )
    assert "#60;/script#62; #96;x#96; #35;quot;" in mermaid
    assert json.loads(graph_json(graph))["users"][0]["tasks"][0]["name"] == HOSTILE


def test_planned_time_is_that_of_the_phases() -> None:
    """Ramps and holds, without graceful stops."""
    graph = compiled("phases: [{users: 10, ramp_up: 5s, hold: 10s}, {users: 1, hold: 7s}]")

    assert graph.planned_ns == 22 * NS_PER_S


def test_planned_time_of_phases_side_by_side_is_that_of_the_longest() -> None:
    graph = compiled(
        "phases: [{users: 1, hold: 6s}, {users: 1, hold: 3s, start_at: 2s}, {users: 1, hold: 2s}]"
    )

    assert graph.planned_ns == 8 * NS_PER_S
    assert "load: 3 phases, 8s in all\n" in explain_text(graph)


def test_times_that_follow_from_a_rate_are_shown_to_the_millisecond() -> None:
    graph = compiled("phases: [{users: 7, spawn_rate: 3/s, hold: 2s}]")

    assert "ramp: 0 → 7 users over 2s333ms\n" in explain_text(graph)
    assert "333us" not in explain_text(graph) + graph_text(graph)


def test_users_are_counted_by_class_at_a_moment() -> None:
    """By the level: who starts at that very moment belongs to what comes then."""
    graph = compiled(
        "users: {A: {weight: 3, tasks: [{get: /}]}, B: {tasks: [{get: /}]}}",
        "phases: [{users: 8, ramp_up: 8s, hold: 2s}]",
    )
    [phase] = graph.phases

    seen = [class_counts(graph, phase, second * NS_PER_S) for second in (0, 4, 8, 10)]

    assert seen == [
        {"A": 0, "B": 0},
        {"A": 3, "B": 1},
        {"A": 6, "B": 2},
        {"A": 6, "B": 2},
    ]
