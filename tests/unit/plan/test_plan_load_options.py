"""`--users`, `--rate` and `--hold` on every shape of load: the shape stays, its size changes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.compiler import compile_plan
from planrunner.compiler.load.selection import PlanSelection
from planrunner.graph.loads import ClosedLoad, CountedLoad, Load, OpenLoad, SearchLoad
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import PlanError, render
from planrunner.plan.bundle import Bundle
from planrunner.plan.load_options.levels import in_proportion
from planrunner.plan.loader import load, load_bundle
from planrunner.plan.overrides import Changes
from planrunner.plan.params.resolve import ParamSources
from planrunner.schedule.population import Share, seats
from planrunner.units import NS_PER_S, parse_rate, write_rate

ROOT = Path(__file__).resolve().parents[3]
PLANS = sorted([*(ROOT / "plans").glob("*.yaml"), *(ROOT / "tests/examples").glob("*.yaml")])

HEAD = """\
name: load
http: {base_url: "http://127.0.0.1:1"}
params:
  n: {type: int, default: 3}
  r: {type: rate, default: 4/s}
  d: {type: duration, default: 2s}
users:
  A: {weight: 3, tasks: [{get: /}]}
  B: {tasks: [{get: /b}]}
"""


def compiled(text: str, **changes: Any) -> RunGraph:
    sources = ParamSources({}, None, {}, changes=Changes(**changes))
    plan = load_bundle(Bundle("plan.yaml", {"plan.yaml": text}), sources)
    return compile_plan(
        plan, selection=PlanSelection(changes.get("profile"), changes.get("phases", ()))
    )


def phase(keys: str, head: str = HEAD, **changes: Any) -> Any:
    """Return the load of the one phase of a plan; its fields are those of its own kind."""
    [node] = compiled(f"{head}phases: [{{{keys}}}]", **changes).phases
    return node.load


def refused(keys: str, head: str = HEAD, **changes: Any) -> str:
    with pytest.raises(PlanError) as failed:
        phase(keys, head, **changes)
    return "\n".join(map(render, failed.value.diagnostics))


def shape(load: Load) -> list[Any]:
    """Return the levels of a load, and how long it takes to get to each."""
    match load:
        case ClosedLoad():
            return [(stage.duration_ns / NS_PER_S, stage.level) for stage in load.stages]
        case OpenLoad():
            return [(stage.duration_ns / NS_PER_S, write_rate(stage.rate)) for stage in load.stages]
        case _:
            return [load.most_users]


# -- every shape ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("users: 2, hold: 1s", [(0, 10), (1, 10)]),
        ('users: "${n}", hold: 1s, ramp_up: 3s', [(3, 10), (1, 10)]),
        ('stages: "1s:5, 1s:${n}, 2s:0"', [(1, 10), (1, 6), (2, 0)]),
        ('stages: [{duration: 1s, users: "${n}"}, {duration: 0s, users: 1}]', [(1, 10), (0, 4)]),
        ("users: 50, from: 25, ramp_up: 1s, hold: 1s", [(0, 5), (1, 10), (1, 10)]),
        ("users: 5, from: 50, ramp_up: 1s, hold: 1s", [(0, 10), (1, 1), (1, 1)]),
        ('from: "${n}", stages: "1s:1, 1s:2"', [(0, 10), (1, 4), (1, 7)]),
        ("stages: [{duration: 1s, from: 20, users: 10}]", [(0, 10), (1, 5)]),
        ("users: 2, iterations: 9", [10]),
        ("users: {A: 4, B: 1}, iterations_per_user: 9", [10]),
        ("search: {vary: users, from: 1, to: 99, step: +1, hold: 1s, slo: [p95 < 1s]}", [10]),
    ],
)
def test_users_are_the_most_that_a_phase_has(keys: str, expected: list[Any]) -> None:
    """Expressions are worked out first; a phase keeps its ramp, its stages and its times."""
    assert shape(phase(keys, users="10")) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("users: {A: 3, B: 1}, hold: 1s", {"A": 8, "B": 2}),
        ('users: {A: "${n}", B: "${2 * n}"}, hold: 1s', {"A": 3, "B": 7}),
        ('users: {A: "${n}", B: 0}, hold: 1s', {"A": 10, "B": 0}),
        ("users: {A: 3, B: 1}, from: 2, ramp_up: 1s, hold: 1s", {"A": 8, "B": 2}),
        ('users: {A: "${n}"}, hold: 1s', {"A": 10}),
        ('users: {B: "${n}", A: 3}, iterations: 5', {"A": 5, "B": 5}),
        ('params: {n: 9}, users: {A: "${n}", B: 1}, hold: 1s', {"A": 9, "B": 1}),
    ],
)
def test_a_mapping_of_users_keeps_its_proportion(keys: str, expected: dict[str, int]) -> None:
    """By Sainte-Laguë, with the numbers of the plan as weights; a phase's own params count."""
    assert dict(phase(keys, users="10").exact) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("rate: 3/s, hold: 1s", [(0, "10/s"), (1, "10/s")]),
        ('rate: "${r}", hold: 1s', [(0, "10/s"), (1, "10/s")]),
        ('stages: "1s:5/s, 1s:20/m"', [(1, "10/s"), (1, "40/m")]),
        ('from: 1/s, stages: "1s:3/s"', [(0, "200/m"), (1, "10/s")]),
        (
            'stages: [{duration: 1s, rate: "${r}"}, {duration: 1s, rate: 1/s}]',
            [(1, "10/s"), (1, "150/m")],
        ),
    ],
)
def test_a_rate_is_the_highest_of_a_phase(keys: str, expected: list[Any]) -> None:
    assert shape(phase(keys, rate="10/s")) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("rate: {A: 2/s, B: 1/s}, hold: 1s", {"A": Fraction(20, 3), "B": Fraction(10, 3)}),
        ('rate: {A: "${n}/s", B: "${r}"}, hold: 1s', {"A": Fraction(30, 7), "B": Fraction(40, 7)}),
        ("rate: {A: 30/m, B: 0/s}, hold: 1s", {"A": Fraction(10), "B": Fraction(0)}),
    ],
)
def test_a_mapping_of_rates_is_split_exactly(keys: str, expected: dict[str, Fraction]) -> None:
    """Thirds are no decimals, and their sum is what was asked for all the same."""
    load = phase(keys, rate="10/s")

    per_second = {name: Fraction(rate.count * NS_PER_S, rate.per_ns) for name, rate in load.exact}
    assert per_second == expected
    assert load.stages[0].rate == parse_rate("10/s")


def test_a_rate_is_the_highest_that_a_search_tries() -> None:
    search = "search: {vary: rate, from: 1/s, to: 99/s, step: +1/s, hold: 1s, slo: [p95 < 1s]}"

    assert phase(search, rate="10/s").steps.last == 10


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('users: 2, hold: "${d}", ramp_up: 3s', [(3, 2), (9, 2)]),
        ("rate: 1/s, hold: 1s", [(0, "1/s"), (9, "1/s")]),
        ('stages: "1s:5, 2s:5, 0s:0"', [(3, 5), (6, 5), (0, 0)]),
        ('stages: [{duration: "${d}", users: 5}, {duration: 1s, users: 1}]', [(6, 5), (3, 1)]),
        ('stages: "1s:5/s, 2s:5/s"', [(3, "5/s"), (6, "5/s")]),
    ],
)
def test_hold_is_how_long_a_level_or_all_stages_last(keys: str, expected: list[Any]) -> None:
    """A ramp beside `hold` comes on top, as it does in the plan."""
    assert shape(phase(keys, hold="9s")) == expected


def test_stages_last_exactly_as_long_as_asked_for() -> None:
    """What does not divide is not lost."""
    load = phase('stages: "1s:5, 1s:5, 1s:0"', hold="10s")

    assert sum(stage.duration_ns for stage in load.stages) == 10 * NS_PER_S


def test_hold_is_that_of_each_level_of_a_search() -> None:
    search = "search: {vary: users, from: 1, to: 9, step: +1, hold: 1s, slo: [p95 < 1s]}"

    assert phase(search, hold="9s").hold_ns == 9 * NS_PER_S


def test_classes_with_counts_of_their_own_are_split_too() -> None:
    """Such a plan need not write `users` in its phases."""
    head = HEAD.replace("weight: 3", "count: 4").replace("B: {", "B: {count: 2, ")

    assert dict(phase("hold: 1s", head, users="3").exact) == {"A": 2, "B": 1}
    assert dict(phase("iterations: 5", head, users="12").exact) == {"A": 8, "B": 4}


def test_phases_that_are_used_twice_change_once() -> None:
    text = f'{HEAD}profiles:\n  q: [{{stages: "1s:2, 1s:4"}}]\n  all: [use: q, use: q]\n'

    graph = compiled(text, profile="all", users="6", hold="8s")

    assert [shape(node.load) for node in graph.phases] == [[(4, 3), (4, 6)]] * 2


def test_phases_beside_each_other_change_alike() -> None:
    """Each by what it has; a phase without such a level stays as it is."""
    text = f"{HEAD}phases: [{{users: 2, hold: 1s}}, {{name: s, rate: 1/s, hold: 1s, start_at: 1s}}]"

    first, beside = compiled(text, users="5", hold="7s").phases

    assert shape(first.load) == [(0, 5), (7, 5)]
    assert shape(beside.load) == [(0, "1/s"), (7, "1/s")]


@given(
    parts=st.dictionaries(st.sampled_from("abcde"), st.integers(0, 40), min_size=1),
    whole=st.integers(0, 500),
)
def test_a_split_is_that_of_so_many_users_by_weight(parts: dict[str, int], whole: int) -> None:
    """In whole turns of the weights or without."""
    weights = {name: part for name, part in parts.items() if part}
    if not weights:
        return
    order = seats([Share(name, weight) for name, weight in weights.items()], whole)
    taken = [list(weights)[seat] for seat in order]
    exact = {name: Fraction(part) for name, part in parts.items()}

    split = in_proportion("users", exact, Fraction(whole))

    assert sum(split.values()) == whole
    assert split == {name: taken.count(name) for name in parts}


# -- what can't be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "changes", "said"),
    [
        ("rate: 1/s, hold: 1s", {"users": "5"}, "hint: they have arrivals in place of users"),
        ("users: 1, hold: 1s", {"rate": "5/s"}, "hint: a closed model takes `--users`"),
        (
            "users: 1, iterations: 5",
            {"hold": "5s"},
            "hint: a counted phase ends with its iterations: "
            "use `--override phases.0.iterations=100`",
        ),
        ("rate: 1/s, hold: 1s", {"spawn_rate": "5"}, "hint: it needs a phase with `users`"),
        ('stages: "1s:5"', {"spawn_rate": "5"}, "`--stages` replaces them"),
        ("users: 1, iterations: 5", {"stages": "1s:5"}, "has `users` and a given time"),
        ("users: 1, hold: 1s", {"users": "ten"}, "`ten` is not a whole number"),
        ("users: 1, hold: 1s", {"users": "[5]"}, "`[5]` is not a number of users"),
        ("users: 1, hold: 1s", {"users": "0"}, "no user ever starts"),
        ("users: {A: 1}, hold: 1s", {"users": "0"}, "no user ever starts"),
        ('stages: "1s:5"', {"users": "0"}, "no user ever starts"),
        ("rate: {A: 1/s}, hold: 1s", {"rate": "0/s"}, "no iteration ever starts"),
        ("users: {A: 1}, hold: 1s", {"users": "9999999999"}, "more than a machine can run"),
        ("rate: {A: 1/s}, hold: 1s", {"rate": "5"}, "error[invalid-unit]: `5` is not a rate"),
        ('stages: "1s:5"', {"hold": "soon"}, "error[invalid-unit]: `soon` is not a duration"),
        (
            "users: 1, hold: 30s, warmup: 5s",
            {"hold": "4s"},
            "make it shorter, such as with `--override phases.0.warmup=0s`",
        ),
        ('users: {A: "${nope}"}, hold: 1s', {"users": "5"}, "`--users` needs a number here: "),
        ("users: {A: -1}, hold: 1s", {"users": "5"}, "`-1` is too small"),
        ("users: {A: }, hold: 1s", {"users": "5"}, "error["),
        ("stages: [soon]", {"users": "5"}, "error["),
        ("stages: 5", {"hold": "5s"}, "error["),
    ],
)
def test_what_a_load_option_can_not_do_is_said(
    keys: str, changes: dict[str, str], said: str
) -> None:
    """With what to use, or with the fault of the plan that is in the way."""
    assert said in refused(keys, **changes)


# -- every plan ----------------------------------------------------------------------------


def runs() -> Iterator[Any]:
    for file in PLANS:
        model = load(file, environ={}).model
        for profile in model.profile_names() or (None,):
            yield pytest.param(file, profile, id=f"{file.parent.name}/{file.stem}-{profile}")


@cache
def loads_of(file: Path, profile: str | None) -> list[Load]:
    """Return the loads of a plan's phases as it has them."""
    graph = compile_plan(load(file, environ={}), selection=PlanSelection(profile=profile))
    return [node.load for node in graph.phases]


@pytest.mark.slow  # all of them together: each of the rules is tested above
@pytest.mark.parametrize(("file", "profile"), list(runs()))
@pytest.mark.parametrize("option", ["users", "rate", "hold", "stages", "spawn_rate"])
def test_every_plan_runs_under_another_load(file: Path, profile: str | None, option: str) -> None:
    """Or says which option its load takes."""
    value = {"users": "40", "rate": "30/s", "hold": "90s", "stages": "90s:3", "spawn_rate": "2"}
    changes = Changes(
        profile=profile,
        **{option: value[option]},  # type: ignore[arg-type]
    )
    loads = loads_of(file, profile)
    try:
        plan = load(file, environ={}, changes=changes)
    except PlanError as error:
        [fault] = error.diagnostics
        assert fault.hint
        assert not any(map(TAKES[option], loads)) or any(map(REFUSES[option], loads)), render(fault)
        return
    graph = compile_plan(plan, selection=PlanSelection(profile=profile))
    after = [node.load for node in graph.phases]

    changed = [load for old, load in zip(loads, after, strict=True) if TAKES[option](old)]
    assert changed
    for found in changed:
        assert REACHED[option](found), found


def highest(load: Any) -> Any:
    if isinstance(load, SearchLoad):
        return load.steps.last
    return max(stage.rate.per_second for stage in load.stages)


def lasts(load: Any) -> int:
    if isinstance(load, SearchLoad):
        return int(load.hold_ns)
    stages = load.stages if load.stages[0].name not in ("ramp", "hold") else load.stages[-1:]
    return sum(stage.duration_ns for stage in stages)


TAKES = {
    "users": lambda load: (
        isinstance(load, ClosedLoad | CountedLoad)
        or (isinstance(load, SearchLoad) and load.vary == "users")
    ),
    "rate": lambda load: (
        isinstance(load, OpenLoad) or (isinstance(load, SearchLoad) and load.vary == "rate")
    ),
    "hold": lambda load: not isinstance(load, CountedLoad),
    "stages": lambda load: isinstance(load, ClosedLoad) and not load.exact,
    "spawn_rate": lambda load: (
        isinstance(load, CountedLoad)
        or (isinstance(load, ClosedLoad) and load.stages[0].name == "ramp")
    ),
}
REFUSES = {
    **dict.fromkeys(TAKES, lambda _: False),
    "stages": lambda load: isinstance(load, ClosedLoad) and bool(load.exact),
}
REACHED = {
    "users": lambda load: load.most_users == 40,
    "rate": lambda load: highest(load) == 30,
    "hold": lambda load: lasts(load) == 90 * NS_PER_S,
    "stages": lambda load: shape(load) == [(90, 3)],
    "spawn_rate": lambda load: load.population[0].duration_ns == load.most_users * NS_PER_S // 2,
}
