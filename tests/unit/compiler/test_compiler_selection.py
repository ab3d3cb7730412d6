"""Which part of a plan runs: what the command line asks for, and what a phase asks for."""

from __future__ import annotations

import pytest

from planrunner.compiler.load.selection import PlanSelection
from planrunner.explain.explain import explain_text
from planrunner.graph.run_graph import PhaseNode, RunGraph
from planrunner.protocols.http.operation import HttpOperation
from tests.support.plans import compiled, findings

USERS = """
users:
  Reader:
    weight: 3
    tags: [public]
    tasks:
      - {get: /, name: home, tags: [fast]}
      - {task: search, tags: {area: shop}, steps: [{get: /search, tags: {kind: slow}}]}
  Writer:
    tasks:
      - {post: /items, name: create}
      - {task: guarded, needs: {is: "iteration > 1", else: create}, steps: [{get: /guarded}]}
  Robot: {count: 2, steps: [{get: /robot}]}
"""
PHASES = "phases: [{name: low, users: 6, hold: 1s}, {name: high, users: 20, hold: 1s}]"


def selected(*sections: str, **wanted: str | tuple[str, ...]) -> RunGraph:
    return compiled(USERS, *(sections or (PHASES,)), selection=PlanSelection(**wanted))  # type: ignore[arg-type]


def tasks(graph: RunGraph, phase: PhaseNode | None = None) -> dict[str, list[str]]:
    programs = graph.users if phase is None else graph.programs_of(phase)
    return {program.name: [task.name for task in program.tasks] for program in programs}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"users": ("Reader",)}, {"Reader": ["home", "search"]}),
        ({"users": ("Robot", "Reader")}, {"Reader": ["home", "search"], "Robot": [""]}),
        ({"tasks": ("create", "home")}, {"Reader": ["home"], "Writer": ["create"]}),
        ({"tags": ("fast",)}, {"Reader": ["home"]}),
        ({"tags": ("public",)}, {"Reader": ["home", "search"]}),
        ({"tags": ("kind=slow",)}, {"Reader": ["search"]}),
        ({"skip_tags": ("public",)}, {"Writer": ["create", "guarded"], "Robot": [""]}),
        (
            {"skip_tags": ("area", "fast")},
            {"Writer": ["create", "guarded"], "Robot": [""]},
        ),
        ({"users": ("Reader",), "skip_tags": ("area=shop",)}, {"Reader": ["home"]}),
    ],
)
def test_a_task_runs_when_every_part_of_the_selection_wants_it(
    wanted: dict[str, tuple[str, ...]], expected: dict[str, list[str]]
) -> None:
    """Names of one kind are alternatives, and a class without tasks takes no part."""
    assert tasks(selected(**wanted)) == expected


def test_the_load_goes_to_the_classes_that_are_left() -> None:
    """Six users stay six users; it is said who is left out."""
    graph = selected(users=("Writer",))

    assert graph.phases[0].class_of_seats(graph.programs_of(graph.phases[0])) == ("Writer",) * 6
    assert graph.phases[0].classes == ("Writer",)
    assert graph.notices == (
        "user classes `Reader`, `Robot` left out: no selected task; "
        "load that is split by weight goes to the others",
    )


def test_a_class_with_a_count_keeps_its_users_when_it_runs_alone() -> None:
    """The users of the others are gone: nobody could be them."""
    graph = selected(users=("Robot",))

    assert [stage.level for stage in graph.phases[1].load.stages] == [2, 2]


def test_a_phase_that_names_only_classes_that_are_left_out_does_not_run() -> None:
    """Exact users belong to their class."""
    phases = "phases: [{name: a, users: {Reader: 3}, hold: 1s}, {name: b, users: 2, hold: 1s}]"

    graph = selected(phases, users=("Writer",))

    assert [phase.name for phase in graph.phases] == ["b"]
    assert "phase `a` is left out: none of its users run" in graph.notices


def test_a_substitute_that_is_not_selected_does_not_run() -> None:
    """The pick is skipped instead."""
    [writer] = selected(tasks=("guarded",)).users

    assert [task.needs and task.needs.otherwise for task in writer.tasks] == ["skip"]


def test_phases_are_picked_by_name() -> None:
    """In the order of the plan."""
    assert [phase.name for phase in selected(phases=("high",)).phases] == ["high"]
    assert [phase.name for phase in selected(phases=("high", "low")).phases] == ["low", "high"]


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        ({"users": ("Raeder",)}, "no user class is called `Raeder`", "did you mean `Reader`?"),
        (
            {"users": ("Zzz",)},
            "no user class is called `Zzz`",
            "the plan has the user classes `Reader`, `Writer`, `Robot`",
        ),
        ({"tasks": ("creat",)}, "no task is called `creat`", "did you mean `create`?"),
        ({"phases": ("mid",)}, "no phase is called `mid`", "the plan has the phases `low`, `high`"),
        (
            {"tags": ("zzz",)},
            "no tag is called `zzz`",
            "the plan has the tags `area`, `area=shop`, `fast`, `kind`, `kind=slow`, `public`",
        ),
        ({"profile": "smoke"}, "no profile is called `smoke`", "the plan has no profiles"),
        (
            {"users": ("Robot",), "tags": ("fast",)},
            "the selection leaves nothing",
            "the plan has the user classes `Reader`, `Writer`, `Robot`; "
            "the plan has the tasks `home`, `search`, `create`, `guarded`",
        ),
    ],
)
def test_what_selects_nothing_is_an_error_that_says_what_there_is(
    wanted: dict[str, str | tuple[str, ...]], message: str, hint: str
) -> None:
    """Sending no load and passing would be the worst of answers."""
    [found] = findings(USERS, PHASES, selection=PlanSelection(**wanted))  # type: ignore[arg-type]

    assert (found.code, found.message, found.hint) == ("empty-selection", message, hint)


def test_a_phase_may_run_a_part_of_the_plan() -> None:
    """`only` and `skip` narrow it by class and tag; the other phases keep everything."""
    graph = compiled(
        USERS,
        """
        phases:
          - {name: warm, users: 4, hold: 1s, only: {users: [Reader]}, skip: {tags: [area]}}
          - {name: all, users: 8, hold: 1s}
        """,
    )
    warm, everything = graph.phases

    assert tasks(graph, warm) == {"Reader": ["home"]}
    assert list(tasks(graph, everything)) == ["Reader", "Writer", "Robot"]
    assert "Reader runs only home" in explain_text(graph)


@pytest.mark.parametrize(
    ("phase", "marked", "message"),
    [
        ("only: {users: [Reeder]}", "Reeder", "no user class is called `Reeder`"),
        ("skip: {tags: [quick]}", "quick", "no tag is called `quick`"),
        (
            "only: {users: [Robot], tags: [fast]}",
            "only",
            "nothing of the plan is left in this phase",
        ),
    ],
)
def test_what_a_phase_selects_must_exist(phase: str, marked: str, message: str) -> None:
    """At the word that names nothing."""
    [found] = findings(USERS, f"phases: [{{users: 4, hold: 1s, {phase}}}]")

    assert (found.code, found.marked, found.message) == ("empty-selection", marked, message)


def test_a_phase_may_have_params_of_its_own() -> None:
    """Requests, load and thresholds of the phase see them; the other phases don't."""
    graph = compiled(
        """
        params: {size: {type: int, default: 10}, limit: {type: duration, default: 1s}}
        users: {A: {tasks: [{get: "/items?n=${size}"}]}}
        phases:
          - {users: 2, hold: 1s}
          - name: large
            users: "${size}"
            hold: 1s
            params: {size: 500, limit: 3s}
            thresholds: ["p95 < ${limit}"]
        thresholds: ["p95 < ${limit}"]
        """
    )
    small, large = graph.phases

    def url(phase: PhaseNode) -> str:
        [program] = graph.programs_of(phase)
        operation = program.tasks[0].steps[0].exchange.operation  # type: ignore[union-attr]
        assert isinstance(operation, HttpOperation)
        return str(operation.url)

    assert "n=10" in url(small)
    assert "n=500" in url(large)
    assert [stage.level for stage in large.load.stages] == [500, 500]
    assert large.params == {"size": "500", "limit": "3s"}
    assert [item.text for item in graph.thresholds] == ["p95 < 1s", "p95 in phase large < 3s"]
    assert "with size = 500" in explain_text(graph)


@pytest.mark.parametrize(
    ("params", "code", "marked"),
    [("{siez: 5}", "unknown-name", "siez"), ("{size: many}", "invalid-param", "many")],
)
def test_params_of_a_phase_are_checked(params: str, code: str, marked: str) -> None:
    """In all profiles, also in those that don't run."""
    [found] = findings(
        f"""
        params: {{size: {{type: int, default: 10}}}}
        profiles:
          smoke: [{{users: 2, hold: 1s}}]
          load: [{{users: 2, hold: 1s, params: {params}}}]
        """
    )

    assert (found.code, found.marked) == (code, marked)


def test_thresholds_of_a_phase_look_at_it_alone() -> None:
    """A stage may stand beside it; another phase may not."""
    phases = "phases: [{name: a, users: 2, hold: 1s, thresholds: [%s]}, {users: 1, hold: 1s}]"

    graph = compiled(phases % "p95 in stage hold < 1s, error_rate < 1%")
    [found] = findings(phases % '"p95 in phase main < 1s"')

    assert [item.text for item in graph.thresholds] == [
        "p95 in phase a stage hold < 1s",
        "error_rate in phase a < 1%",
    ]
    assert (found.code, found.marked) == ("not-allowed", "main")


def test_thresholds_on_what_is_not_selected_are_not_applicable() -> None:
    """They are named in the summary and don't fail the run."""
    graph = compiled(
        USERS,
        PHASES,
        "thresholds: [p95 of task:home < 1s, p95 of user:Writer < 1s, p95 in phase low < 1s,"
        " p95 of task:search < 1s]",
        selection=PlanSelection(users=("Reader",), tasks=("search",), phases=("high",)),
    )

    assert [item.not_applicable for item in graph.thresholds] == [
        "task home not selected",
        "class Writer not selected",
        "phase low does not run",
        "",
    ]
