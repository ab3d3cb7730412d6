"""Environments that pick a profile: which one runs, why, and what is wrong with the others."""

from __future__ import annotations

import pytest

from planrunner.compiler.compile import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.explain.explain import explain_text
from planrunner.language.diagnostics import PlanError
from planrunner.plan.loader import load
from planrunner.plan.overrides import Changes

PLAN = """
name: shop
http: {base_url: "http://localhost:1"}
params: {area: {type: str, default: east}}
environments:
  staging: {area: north, profile: smoke}
  plain: {area: south}
users: {A: {tasks: [{get: "/${area}"}]}}
profiles:
  load: [{users: 2, hold: 1s}]
  smoke: [{users: 1, hold: 2s}]
"""


def graph_of(folder, text=PLAN, *, environment=None, profile=None, **changes):
    path = folder / "plan.yaml"
    path.write_text(text)
    plan = load(
        path, environ={}, environment=environment, changes=Changes(profile=profile, **changes)
    )
    return compile_plan(plan, selection=PlanSelection(profile=profile))


def faults_of(folder, text, **more):
    with pytest.raises(PlanError) as caught:
        graph_of(folder, text, **more)
    return [(f.span.line, f.message, f.hint) for f in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("environment", "profile", "runs", "why"),
    [
        (None, None, "load", "the first"),
        ("plain", None, "load", "the first"),
        ("staging", None, "smoke", "environment staging"),
        ("staging", "load", "load", "--profile"),
        (None, "smoke", "smoke", "--profile"),
    ],
)
def test_the_nearest_word_picks_the_profile(tmp_path, environment, profile, runs, why):
    """An option, else the environment, else the order of the plan; explain says which."""
    graph = graph_of(tmp_path, environment=environment, profile=profile)

    assert (graph.profile, graph.profile_reason) == (runs, why)
    assert f"of profile {runs} ({why})" in explain_text(graph)


def test_options_of_the_load_change_the_profile_that_runs(tmp_path):
    """And not the plan's first."""
    graph = graph_of(tmp_path, environment="staging", users="7")

    assert [phase.load.most_users for phase in graph.phases] == [7]


def test_the_profile_is_no_value_of_an_environment(tmp_path):
    """Expressions don't know it, and no suggestion names an environment that has it."""
    text = PLAN.replace("${area}", "${profile}")

    assert faults_of(tmp_path, text, environment="staging") == [
        (8, "unknown name `profile`", "names in scope: `area`")
    ]


def test_every_environment_is_checked(tmp_path):
    """Picked or not."""
    text = PLAN.replace("profile: smoke", "profile: smok").replace("south", "south, profile: 5")

    assert faults_of(tmp_path, text) == [
        (6, "no profile `smok`", "did you mean `smoke`?"),
        (7, "no profile `5`", "the plan has `load`, `smoke`"),
    ]


def test_a_profile_needs_profiles(tmp_path):
    """A plan with phases has none."""
    text = PLAN.split("profiles:", maxsplit=1)[0] + "phases: [{users: 1, hold: 1s}]\n"

    assert faults_of(tmp_path, text) == [(6, "no profile `smoke`", "the plan has no `profiles:`")]


def test_a_param_called_profile_keeps_its_values_where_there_are_no_profiles(tmp_path):
    """Such a plan means what it did; with profiles too, nobody could tell which was meant."""
    text = PLAN.replace("params: {area", "params: {profile: {type: str, default: x}, area")
    text = text.replace("${area}", "${profile}")
    phases = text.split("profiles:", maxsplit=1)[0] + "phases: [{users: 1, hold: 1s}]\n"

    assert graph_of(tmp_path, phases, environment="staging").params["profile"] == "smoke"
    [(line, message, _)] = faults_of(tmp_path, text)
    assert line == 6
    assert message == "`profile` is a param of this plan, and what picks one of its profiles"
