"""From the plan's words about load to exact numbers."""

from __future__ import annotations

import pytest

from planrunner.compiler.load.selection import PlanSelection
from planrunner.graph.run_graph import PhaseNode, Stage
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.plans import compiled, findings

TWO = "users: {A: {weight: 3, tasks: [{get: /}]}, B: {tasks: [{get: /}]}}"


def phase(text: str, *more: str) -> PhaseNode:
    """Compile a plan with one phase and return it."""
    [node] = compiled(f"phases: [{text}]", *more).phases
    return node


def stages(text: str) -> list[tuple[str, int, int]]:
    return [
        (stage.name, stage.duration_ns // NS_PER_MS, stage.level)
        for stage in phase(text).load.stages
    ]


@pytest.mark.parametrize(
    ("text", "ramp_ms"),
    [
        ("{users: 100, spawn_rate: 10/s, hold: 1m}", 10_000),
        ("{users: 100, spawn_rate: 30/m, hold: 1m}", 200_000),
        ("{users: 100, ramp_up: 25s, hold: 1m}", 25_000),
        ("{users: 100, hold: 1m}", 0),
    ],
)
def test_a_ramp_ends_when_the_level_is_reached(text: str, ramp_ms: int) -> None:
    """100 users at 10/s take 10 s; without a ramp all start at once; hold comes on top."""
    assert stages(text) == [("ramp", ramp_ms, 100), ("hold", 60_000, 100)]


def test_a_ramp_whose_length_is_no_whole_number_is_never_too_short() -> None:
    """7 users at 3/s: the ramp rounds up, so that the last user starts within it."""
    ramp, _ = phase("{users: 7, spawn_rate: 3/s, hold: 1s}").load.stages

    assert ramp.duration_ns == -(-7 * NS_PER_S // 3)


def test_stages_have_their_names_or_numbers() -> None:
    """Reports and thresholds call them so."""
    text = "{stages: [{duration: 1s, users: 5}, {name: peak, duration: 2s, users: 5}]}"
    assert stages(text) == [("1", 1000, 5), ("peak", 2000, 5)]

    assert stages('{stages: "2m:200, 5m:200, 0s:10, 2m:0"}') == [
        ("1", 120_000, 200),
        ("2", 300_000, 200),
        ("3", 0, 10),
        ("4", 120_000, 0),
    ]


def test_stages_at_the_top_are_one_phase() -> None:
    """The short form of the smallest plan."""
    [node] = compiled("stages: [{duration: 3s, users: 4}]").phases

    assert (node.name, node.load.stages) == ("main", (Stage("1", 3 * NS_PER_S, 4),))


def test_a_mapping_of_users_is_exact() -> None:
    """Each class gets its number, in file order, and classes left out get nobody."""
    node = phase("{users: {B: 3, A: 10}, spawn_rate: 13/s, hold: 1s}", TWO)

    assert node.load.exact == (("A", 10), ("B", 3))
    assert [stage.level for stage in node.load.stages] == [13, 13]
    assert phase("{users: {B: 3}, hold: 1s}", TWO).classes == ("B",)


def test_an_exact_class_must_exist() -> None:
    """A typo would silently send no load of that class."""
    [found] = findings("phases: [{users: {Aa: 10}, hold: 1s}]", TWO)

    assert found == ("unknown-name", "Aa", "unknown user class `Aa`", "did you mean `A`?")


def test_users_are_split_by_weight() -> None:
    """Sainte-Laguë, in the order in which they start."""
    graph = compiled("phases: [{users: 8, hold: 1s}]", TWO)

    seats = graph.phases[0].class_of_seats(graph.users)
    assert "".join(seats) == "AABAAABA"


def test_counted_classes_are_filled_first() -> None:
    """They have exactly their number, whatever the level."""
    users = "users: {A: {weight: 9, tasks: [{get: /}]}, Admin: {count: 1, tasks: [{get: /}]}}"
    graph = compiled("phases: [{users: 3, hold: 1s}]", users)

    assert graph.phases[0].class_of_seats(graph.users) == ("Admin", "A", "A")


def test_a_class_that_gets_no_user_is_known() -> None:
    """It is wanted and runs nowhere, which validate and the run give notice of."""
    users = "users: {A: {weight: 9, tasks: [{get: /}]}, B: {tasks: [{get: /}]}}"
    graph = compiled("phases: [{users: 3, hold: 1s}]", users)

    assert graph.phases[0].load.classes_with_users([user.share for user in graph.users]) == {"A"}


def test_users_that_no_class_takes_are_a_fault() -> None:
    """With counts alone the level can't exceed their sum."""
    users = "users: {A: {count: 2, tasks: [{get: /}]}}"
    [found] = findings("phases: [{users: 5, hold: 1s}]", users)

    assert found == (
        "no-load",
        "5",
        "3 of 5 users belong to no class: every class has its own `count`",
        "write `users: 2`, or give a class a `weight`",
    )


@pytest.mark.parametrize(
    ("section", "marked", "message"),
    [
        ("phases: [{users: 0, hold: 1s}]", "0", "no user ever starts"),
        ("phases: [{users: {A: 0}, hold: 1s}]", "{A: 0}", "no user ever starts"),
        ("phases: [{users: 5, hold: 0s}]", "5", "the phase takes no time"),
        ("stages: [{duration: 1s, users: 0}]", "[{duration: 1s, users: 0}]", "no user ever starts"),
    ],
)
def test_a_load_that_is_none_is_a_fault(section: str, marked: str, message: str) -> None:
    """A run without load would pass whatever its thresholds say."""
    [found] = findings(section)

    assert (found.code, found.marked, found.message) == ("no-load", marked, message)


@pytest.mark.parametrize(("value", "shown"), [("-5", "int"), ("2.5", "float")])
def test_numbers_of_users_from_params_are_checked_once(value: str, shown: str) -> None:
    """The finding is about the value; that nobody would start is no second one."""
    found = findings(
        f"params: {{n: {{type: {shown}, default: {value}}}}}",
        'phases: [{users: "${n}", hold: 1s}]',
    )

    assert [(item.code, item.marked) for item in found] == [("invalid-unit", '"${n}"')]


def test_load_is_computed_from_params() -> None:
    """Expressions give numbers; durations stay exact."""
    node = compiled(
        "params: {n: {type: int, default: 4}, d: {type: duration, default: 1m30s}}",
        'phases: [{users: "${n * 2}", ramp_up: "${d / 3}", hold: "${d}", warmup: "${d}"}]',
    ).phases[0]

    assert [(stage.level, stage.duration_ns) for stage in node.load.stages] == [
        (8, 30 * NS_PER_S),
        (8, 90 * NS_PER_S),
    ]
    assert node.warmup_ns == 90 * NS_PER_S


def test_what_a_run_is_told_to_leave_is_30_seconds() -> None:
    """Unless the phase says otherwise."""
    assert phase("{users: 1, hold: 1s}").graceful_stop_ns == 30 * NS_PER_S
    assert phase("{users: 1, hold: 1s, graceful_stop: 0s}").graceful_stop_ns == 0


def test_unnamed_phases_are_numbered() -> None:
    """`main`, `main-2` …; a name that is taken is passed over."""
    load = "users: 1, hold: 1s"
    text = f"phases: [{{{load}}}, {{name: main-2, {load}}}, {{{load}}}, {{name: x, {load}}}]"

    assert [node.name for node in compiled(text).phases] == ["main", "main-2", "main-3", "x"]


def test_phases_of_a_profile_have_its_name() -> None:
    """The first profile runs unless another one is chosen."""
    profiles = """
    profiles:
      smoke: [{users: 1, hold: 1s}, {users: 2, hold: 1s}]
      load: [{users: 9, hold: 1s}]
    """

    assert [node.name for node in compiled(profiles).phases] == ["smoke", "smoke-2"]
    load = compiled(profiles, selection=PlanSelection(profile="load"))
    assert [node.name for node in load.phases] == ["load"]
    [found] = findings(profiles, selection=PlanSelection(profile="laod"))
    assert (found.code, found.hint) == ("empty-selection", "did you mean `load`?")


@pytest.mark.parametrize("value", ["1s..3s", "normal(2s, 500ms)", "exponential(1s)"])
def test_waits_are_drawn_from_what_the_plan_says(value: str) -> None:
    """A pause keeps its kind."""
    [user] = compiled(f"users: {{A: {{wait: '{value}', tasks: [{{get: /}}]}}}}").users

    assert user.wait is not None
    assert user.wait.first in (NS_PER_S, 2 * NS_PER_S)


@pytest.mark.parametrize(
    "phase",
    [
        "{users: 7, hold: 1s}",
        "{users: 7, iterations: 20}",
        "{stages: [{duration: 1s, users: 2}, {duration: 1s, users: 7}]}",
        "{search: {vary: users, from: 1, to: 7, step: +1, hold: 1s, slo: [p95 < 1s]}}",
    ],
)
def test_counts_that_a_phase_cannot_meet_are_a_fault(phase: str) -> None:
    """`count` is exactly so many users, and a phase that never has them can't run the plan."""
    users = "users: {A: {count: 5, tasks: [{get: /}]}, B: {count: 5, tasks: [{get: /}]}}"
    [found] = findings(f"phases: [{phase}]", users)

    assert found.message == (
        "`count` asks for exactly 10 users (5 `A` + 5 `B`), and the phase has 7"
    )


@pytest.mark.parametrize(
    ("phase", "shared"),
    [
        ("{users: 10, hold: 1s}", "10 users"),
        ("{users: 1, iterations: 20}", "1 user"),
        ("{rate: 10/s, hold: 1s}", "arrivals"),
        ("{search: {vary: users, from: 1, to: 7, step: +1, hold: 1s, slo: [p95 < 1s]}}", "7 users"),
    ],
)
def test_classes_that_get_none_of_a_phases_users_are_named(phase: str, shared: str) -> None:
    """Their weights are too small for so few, which their author can't see from the plan."""
    tasks = "tasks: [{get: /}]"
    users = f"users: {{A: {{weight: 98, {tasks}}}, B: {{{tasks}}}, C: {{{tasks}}}}}"
    graph = compiled(f"phases: [{phase}]", users)

    assert graph.notices == (
        f"user classes `B`, `C` get none of the {shared} of phase `main`; plan more of them, or a "
        "greater `weight`",
    )


COUNTED = "users: {A: {count: 2, tasks: [{get: /}]}, B: {count: 3, tasks: [{get: /b}]}}"


@pytest.mark.parametrize(
    "load",
    [
        "phases: [{hold: 1s}]",
        "phases: [{ramp_up: 1s, hold: 1s}]",
        "phases: [{iterations_per_user: 2}]",
        "profiles: {smoke: [{hold: 1s}]}",
    ],
)
def test_classes_that_all_have_a_count_are_users_enough(load: str) -> None:
    """There is no other answer than their sum."""
    phase = compiled(COUNTED, load).phases[0]

    assert (phase.load.most_users, phase.load.exact) == (5, (("A", 2), ("B", 3)))


def test_a_phase_may_leave_counted_classes_out() -> None:
    """Then those that run are all that it has."""
    phase = compiled(COUNTED, "phases: [{hold: 1s, only: {users: [B]}}]").phases[0]

    assert phase.load.most_users == 3


def test_a_class_with_a_weight_needs_users_to_share() -> None:
    """As before."""
    users = "users: {A: {count: 2, tasks: [{get: /}]}, B: {tasks: [{get: /b}]}}"

    [found] = findings(users, "phases: [{hold: 1s}]")

    assert (found.code, found.message) == (
        "missing-key",
        "the phase does not say how much load to send",
    )


@pytest.mark.parametrize(
    ("plan", "of_class", "wanted"),
    [
        ("", "", None),
        ("session: iteration", "", "iteration"),
        ("session: user", "session: iteration", "iteration"),
        ("session: iteration", "http: {timeout: 1s}", "iteration"),
        ("session: iteration", "http: {session: user}", "user"),
        ("session: user", "http: {session: user}, session: iteration", "iteration"),
    ],
)
def test_what_is_nearest_to_the_class_says_what_a_visitor_is(
    plan: str, of_class: str, wanted: str | None
) -> None:
    """Its own key, its settings, those of the plan; else the model of load."""
    graph = compiled(
        f"http: {{base_url: 'http://127.0.0.1:1', {plan}}}",
        f"users: {{A: {{{of_class + ', ' if of_class else ''}tasks: [{{get: /}}]}}}}",
    )

    assert graph.users[0].session == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "{from: 50, stages: '10s:100, 5s:100'}",
            [("1", 0, 50), ("1", 10_000, 100), ("2", 5_000, 100)],
        ),
        (
            "{stages: [{duration: 1s, users: 5}, {duration: 2s, from: 20, users: 10}]}",
            [("1", 1_000, 5), ("2", 0, 20), ("2", 2_000, 10)],
        ),
        (
            "{users: 100, from: 20, ramp_up: 30s, hold: 1m}",
            [("ramp", 0, 20), ("ramp", 30_000, 100), ("hold", 60_000, 100)],
        ),
        (
            "{users: 100, from: '${10 * 2}', spawn_rate: 8/s, hold: 1m}",
            [("ramp", 0, 20), ("ramp", 10_000, 100), ("hold", 60_000, 100)],
        ),
    ],
)
def test_a_stage_or_a_phase_may_begin_at_a_level(
    text: str, wanted: list[tuple[str, int, int]]
) -> None:
    """With a jump, as k6's `startVUs`."""
    assert stages(text) == wanted


def test_rates_may_begin_at_a_level_too() -> None:
    """As k6's `startRate`, and in the middle."""
    node = phase(
        "{from: 50/s, stages: [{duration: 10s, rate: 100/s}, "
        "{duration: 5s, from: 2/s, rate: 4/s}, {duration: 5s, rate: 0/s}]}"
    )

    found = [
        (stage.name, stage.duration_ns // NS_PER_S, stage.rate.per_second)
        for stage in node.load.stages
    ]
    assert found == [("1", 0, 50), ("1", 10, 100), ("2", 0, 2), ("2", 5, 4), ("3", 5, 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{rate: 100/s, from: 10/s, hold: 1m}", "`from` has no effect beside a constant `rate`"),
        ("{users: 10, from: 5, hold: 1m}", "`from` has no effect beside a constant `users`"),
        ("{from: 5/s, users: 10, ramp_up: 5s, hold: 1m}", "`from: 5/s` can't be combined with"),
        ("{stages: [{duration: 1s, from: 5, rate: 9/s}]}", "`from: 5` can't be combined with"),
        (
            "{from: 1, stages: [{duration: 1s, from: 5, users: 9}]}",
            "the first stage has a `from` of its own",
        ),
        ("{users: 9, from: 2, iterations: 10}", "`from` can't be combined with `iterations`"),
        (
            "{users: 9, ramp_up: 5m, iterations: 10, max_duration: 1m}",
            "the ramp takes 5m, and the phase ends after 1m",
        ),
    ],
)
def test_a_level_to_begin_at_needs_something_that_moves(text: str, message: str) -> None:
    """And is of the kind that moves."""
    assert any(message in fault.message for fault in findings(f"phases: [{text}]"))


def test_loops_may_have_a_ramp() -> None:
    """JMeter's threads, ramp and loops."""
    node = phase("{users: 135, ramp_up: 30s, iterations_per_user: 4}")

    assert (node.load.ramp_ns, node.load.total) == (30 * NS_PER_S, 540)
    assert [name for name, _ in node.load.spans] == ["ramp", "hold"]


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("{users: 2, iterations: 5, warmup: 1}", (0, 1)),
        ("{users: 2, iterations_per_user: 5, warmup: 4}", (0, 4)),
        ("{users: 2, iterations: 5, warmup: 2s}", (2 * NS_PER_S, 0)),
        ("{users: 2, hold: 5s, warmup: 2s}", (2 * NS_PER_S, 0)),
    ],
)
def test_a_warm_up_is_a_time_or_a_number_of_iterations(
    phase: str, expected: tuple[int, int]
) -> None:
    [node] = compiled(f"phases: [{phase}]").phases

    assert (node.warmup_ns, node.warmup_iterations) == expected


@pytest.mark.parametrize(
    ("phase", "message", "hint"),
    [
        (
            "{users: 2, iterations: 5, warmup: 5}",
            "the phase ends after 5 iterations: none of them is left to judge",
            "`warmup` is the first part of the phase: make it shorter",
        ),
        (
            "{users: 2, iterations_per_user: 1, warmup: 1}",
            "each user ends after 1 iteration: none of them is left to judge",
            "`warmup` is the first part of the phase: make it shorter",
        ),
        (
            "{users: 2, hold: 5s, warmup: 1}",
            "`warmup: 1` is a number of iterations, and this phase has a time",
            "write it with its unit: `1s`",
        ),
    ],
)
def test_a_warm_up_leaves_iterations_to_judge(phase: str, message: str, hint: str) -> None:
    [found] = findings(f"phases: [{phase}]")

    assert (found.message, found.hint) == (message, hint)
