"""Matrices: which phases they stand for, what each is given, and who picks and judges them."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.compiler.load.meant_phases import PhaseNames
from planrunner.compiler.load.selection import PlanSelection
from planrunner.graph.run_graph import ClosedLoad, OpenLoad, RunGraph
from planrunner.metrics.thresholds import Threshold
from planrunner.metrics.thresholds.selector import quoted
from planrunner.plan.models.load.matrix import combinations
from planrunner.plan.models.load.profiles import PlacedPhase, in_combinations
from planrunner.plan.models.load.workload import PhaseModel
from tests.support.plans import compiled, findings

PARAMS = """
params:
  rows: {type: int, default: 7}
  format: {type: str, default: csv, choices: [csv, jsonl]}
  limit: {type: duration, default: 1s}
  pause: {type: duration, default: 1s}
cases:
  small: {rows: 1000, limit: 1s}
  large: {rows: 100000, limit: 30s}
users: {A: {wait: "${pause}", steps: [{get: "/${rows}", name: load}]}}
"""
PHASES = """
phases:
  - name: ingestion
    users: 1
    iterations: 5
    matrix: {case: [small, large], format: [csv, jsonl]}
    thresholds: ["p95 of load < ${limit}"]
  - {name: plain, users: 1, hold: 1s}
"""
INGESTION = [
    "ingestion[case=small,format=csv]",
    "ingestion[case=small,format=jsonl]",
    "ingestion[case=large,format=csv]",
    "ingestion[case=large,format=jsonl]",
]


def names(graph: RunGraph) -> list[str]:
    return [phase.name for phase in graph.phases]


def picked(
    *, phases: tuple[str, ...] = (), cases: tuple[str, ...] = (), **overrides: str
) -> list[str]:
    selection = PlanSelection(phases=phases, cases=cases)
    return names(compiled(PARAMS, PHASES, overrides=overrides, selection=selection))


def test_a_phase_runs_once_for_each_combination() -> None:
    """The last axis changes first, and each knows what it is."""
    graph = compiled(PARAMS, PHASES)

    assert names(graph) == [*INGESTION, "plain"]
    second, plain = graph.phases[1], graph.phases[4]
    assert (second.matrix, second.axes) == ("ingestion", {"case": "small", "format": "jsonl"})
    assert second.sizes == {"rows": 1000, "limit": 1}
    assert second.params == {"rows": "1000", "limit": "1s", "format": "jsonl"}
    assert (plain.matrix, plain.axes, plain.sizes) == ("", {}, {})


def test_users_do_what_the_params_of_the_combination_say() -> None:
    graph = compiled(
        PARAMS, "phases: [{users: 1, hold: 1s, matrix: {pause: [2s, 3s], rows: [1, 2]}}]"
    )

    waits = [graph.programs_of(phase)[0].wait for phase in graph.phases]
    assert [wait and wait.first // 10**9 for wait in waits] == [2, 2, 3, 3]


def test_thresholds_of_the_phase_read_its_params() -> None:
    judged = [str(threshold) for threshold in compiled(PARAMS, PHASES).thresholds]

    assert judged == [
        f'p95 of load in phase "{name}" < {limit}'
        for name, limit in zip(INGESTION, ("1s", "1s", "30s", "30s"), strict=True)
    ]


def test_a_matrix_sets_the_load() -> None:
    graph = compiled(
        """
        phases:
          - {name: closed, hold: 1s, matrix: {users: [1, 50]}}
          - {name: open, hold: 1s, matrix: {rate: [1/s, 120/m]}}
        """
    )

    loads = [phase.load for phase in graph.phases]
    assert names(graph) == [
        *("closed[users=1]", "closed[users=50]"),
        *("open[rate=1/s]", "open[rate=120/m]"),
    ]
    assert isinstance(loads[0], ClosedLoad)
    assert isinstance(loads[3], OpenLoad)
    assert [load.most_users for load in loads[:2]] == [1, 50]
    assert [phase.sizes for phase in graph.phases[2:]] == [{"rate": 1}, {"rate": 2}]


def test_a_phase_may_read_a_param_called_users() -> None:
    graph = compiled(
        "params: {users: {type: int, default: 3}}",
        'phases: [{users: "${users * 2}", hold: 1s, matrix: {users: [1, 50]}}]',
    )

    assert [phase.load.most_users for phase in graph.phases] == [2, 100]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"cases": ("small",)}, [*INGESTION[:2], "plain"]),
        ({"cases": ("small", "large"), "format": "csv"}, [*INGESTION[::2], "plain"]),
        ({"phases": ("ingestion",)}, INGESTION),
        ({"phases": ("ingestion[format=csv,case=large]",)}, INGESTION[2:3]),
        ({"phases": ("ingestion[format=jsonl]", "plain")}, [*INGESTION[1::2], "plain"]),
        ({"phases": ("ingestion[format=jsonl]",), "cases": ("large",)}, INGESTION[3:]),
    ],
)
def test_options_pick_from_the_axes(wanted: dict[str, object], expected: list[str]) -> None:
    """A phase without the axis has nothing to pick from, and runs."""
    assert picked(**wanted) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "wanted", "expected"),
    [
        ("[1000.0, 2000.0]", "p[size=1000]", ["p[size=1000.0]"]),
        ("[1000, 2500]", "p[size=2.5e3]", ["p[size=2500]"]),
        ("[1000, 1500]", "p[size=1500.0]", ["p[size=1500]"]),
    ],
)
def test_a_number_is_the_same_however_it_is_written(
    written: str, wanted: str, expected: list[str]
) -> None:
    """In options, thresholds, and what is set."""
    params = "params: {size: {type: float, default: 1}}"
    phases = f"""
        phases: [{{name: p, users: 1, iterations: 1, matrix: {{size: {written}}}}}]
        thresholds: ['p95 in phase "{wanted}" < 1s']
    """
    number = wanted.partition("=")[2].rstrip("]")

    assert names(compiled(params, phases, selection=PlanSelection(phases=(wanted,)))) == expected
    assert names(compiled(params, phases, overrides={"size": number})) == expected


def test_a_time_that_cases_set_is_no_plain_number() -> None:
    graph = compiled(PARAMS, PHASES)

    assert graph.phases[0].size_units == {"limit": "duration"}


def test_a_param_that_is_set_counts_for_every_case() -> None:
    """The command line wins over what the plan writes, and says so."""
    graph = compiled(PARAMS, PHASES, overrides={"rows": "5"})

    assert {phase.params.get("rows") for phase in graph.phases} == {None}
    assert [phase.sizes for phase in graph.phases[:1]] == [{"rows": 5, "limit": 1}]
    assert graph.params["rows"] == "5"
    notice = "`--set rows` counts for every case: `small`, `large` would set it too"
    assert notice in graph.notices


@pytest.mark.parametrize(
    ("wanted", "marked", "message", "hint"),
    [
        ({"cases": ("smal",)}, "smal", "no case is called `smal`", "did you mean `small`?"),
        (
            {"phases": ("ingestion[case=smal]",)},
            "smal",
            "`case` of phase `ingestion` is never `smal`",
            "did you mean `small`?",
        ),
        (
            {"phases": ("ingestion[cse=small]",)},
            "cse",
            "the matrix of `ingestion` has no axis `cse`",
            "did you mean `case`?",
        ),
        (
            {"phases": ("plain[case=small]",)},
            "plain[case=small]",
            "phase `plain` has no matrix",
            "write `plain`",
        ),
        (
            {"phases": ("ingestion[case=small,case=large]",)},
            "ingestion[case=small,case=large]",
            "one phase can't have two values of an axis",
            "",
        ),
    ],
)
def test_a_pick_that_leaves_nothing_says_what_there_is(
    wanted: dict[str, tuple[str, ...]], marked: str, message: str, hint: str
) -> None:
    [found] = findings(PARAMS, PHASES, selection=PlanSelection(**wanted))  # type: ignore[arg-type]

    assert found == ("empty-selection", marked, message, hint)


def test_a_value_that_no_matrix_has_is_no_pick() -> None:
    phases = "phases: [{users: 1, hold: 1s, matrix: {rows: [1, 2]}}]"

    [found] = findings(PARAMS, phases, overrides={"rows": "3"})

    assert found.message == "no phase's matrix has this value of `rows`"
    assert found.hint == "the plan has the values `1`, `2`"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("in phase ingestion", INGESTION),
        ('in phase "ingestion[case=small]"', INGESTION[:2]),
        ('in phase "ingestion[format=csv]"', INGESTION[::2]),
        ('in phase "ingestion[format=csv,case=small]"', INGESTION[:1]),
        ('in phase "ingestion[case=large,format=csv]"', INGESTION[2:3]),
        ("in phase ingestion stage ramp", INGESTION),
        ("in phase plain", ["plain"]),
    ],
)
def test_a_threshold_takes_the_phases_that_its_values_fit(scope: str, expected: list[str]) -> None:
    phases = PHASES.replace("iterations: 5", "hold: 1s\n    ramp_up: 1s")
    graph = compiled(PARAMS, phases, f"thresholds: ['p95 {scope} < 1s']")

    threshold = graph.thresholds[0]
    assert threshold.not_applicable == ""
    assert [name for name in names(graph) if threshold.metrics[0].scope.takes(name)] == expected


def test_values_may_look_like_axes() -> None:
    """The whole name of a phase means that one, whatever its values hold."""
    text = """
params: {text: {type: str, default: ""}, flag: {type: bool, default: false}}
users: {A: {wait: 1s, steps: [{get: /, name: load}]}}
phases:
  - name: main
    users: 1
    hold: 1s
    matrix: {text: ["x=1,text=y", "[a]", ""], flag: [true, false]}
    thresholds: [p95 of load < 1s]
"""
    graph = compiled(text)

    assert [str(one.metric.scope) for one in graph.thresholds] == [
        f"phase {quoted(name)}" for name in names(graph)
    ]


def test_except_takes_all_of_a_matrix_away() -> None:
    graph = compiled(PARAMS, PHASES, "thresholds: [p95 of each phase < 1s except phase:ingestion]")

    assert graph.thresholds[0].singles == ("plain",)


def test_except_of_all_that_is_picked_does_not_apply() -> None:
    """What is left out is all that runs; the plan has more, so it is no mistake."""
    judged = "thresholds: [p95 of each phase < 1s except phase:ingestion]"
    graph = compiled(PARAMS, PHASES, judged, selection=PlanSelection(phases=("ingestion",)))

    assert graph.thresholds[0].not_applicable == "nothing runs but what `except` takes away"
    [found] = findings(PARAMS, PHASES, judged.replace("ingestion", '"*"'))
    assert found.message == "`except` leaves nothing to judge"


@pytest.mark.parametrize(
    ("phase", "marked", "message", "hint"),
    [
        (
            "ingestion[case=smal]",
            "smal",
            "`case` of phase `ingestion` is never `smal`",
            "did you mean `small`?",
        ),
        (
            "ingestion[fromat=csv]",
            "fromat",
            "the matrix of `ingestion` has no axis `fromat`",
            "did you mean `format`?",
        ),
    ],
)
def test_a_threshold_on_what_no_axis_has_is_an_error(
    phase: str, marked: str, message: str, hint: str
) -> None:
    [found] = findings(PARAMS, PHASES, f"thresholds: ['p95 in phase \"{phase}\" < 1s']")

    assert found == ("unknown-selector", marked, message, hint)


def test_a_threshold_on_what_is_not_picked_does_not_apply() -> None:
    graph = compiled(
        PARAMS,
        PHASES,
        """thresholds: ['p95 in phase "ingestion[case=large]" < 1s']""",
        selection=PlanSelection(cases=("small",)),
    )

    reasons = [threshold.not_applicable for threshold in graph.thresholds]
    assert reasons[0] == "phase ingestion[case=large] does not run"
    assert reasons[1:] == ["", "", *(f"phase {name} does not run" for name in INGESTION[2:])]


@pytest.mark.parametrize(
    ("phase", "marked", "message", "hint"),
    [
        (
            "users: 1, hold: 1s, matrix: {case: [small, larg]}",
            "larg",
            "no case is called `larg`",
            "did you mean `large`?",
        ),
        (
            "users: 1, hold: 1s, matrix: {case: [small, small]}",
            "small",
            "`case` has the value `small` twice",
            "leave it out: each combination runs once",
        ),
        (
            "users: 1, hold: 1s, matrix: {limit: [1s, 1000ms]}",
            "1000ms",
            "`limit` has the value `1000ms` twice",
            "leave it out: each combination runs once",
        ),
        (
            "users: 1, hold: 1s, matrix: {format: [xml]}",
            "xml",
            "`format`: must be one of `csv`, `jsonl`",
            "",
        ),
        (
            "users: 1, hold: 1s, matrix: {fromat: [csv]}",
            "fromat",
            "no param is called `fromat`",
            "did you mean `format`?",
        ),
        (
            "users: 1, hold: 1s, matrix: {users: [1]}",
            "users",
            "the phase has `users` of its own",
            "leave that out: the matrix sets the `users` of each phase",
        ),
        (
            "users: 1, hold: 1s, matrix: {rows: [1], case: [small]}",
            "small",
            "`case: small` sets the param `rows`, and so does the axis `rows`",
            "leave it out in one of them",
        ),
        (
            "users: 1, hold: 1s, params: {rows: 1}, matrix: {rows: [2]}",
            "rows",
            "the axis `rows` sets the param `rows`, and so does `params` of the phase",
            "leave it out in one of them",
        ),
        (
            "users: 1, hold: 1s, matrix: {rows: []}",
            "rows",
            "`rows` has no values",
            "write those that it takes: `[…, …]`",
        ),
        (
            "hold: 1s, matrix: {users: [1, -1]}",
            "-1",
            "`-1` is too small",
            "write `0` or more",
        ),
        (
            'stages: "1m:5", matrix: {users: [1]}',
            "users",
            "`users` of the matrix can't be combined with `stages`",
            "the matrix sets the `users` of each phase: leave out one of them",
        ),
        (
            "users: 1, hold: 1s, start_at: 1s, matrix: {rows: [1]}",
            "start_at",
            "`start_at` can't be combined with `matrix`",
            "the phases of a matrix run one after the other: leave it out",
        ),
    ],
)
def test_what_is_wrong_with_an_axis_is_said_where_it_stands(
    phase: str, marked: str, message: str, hint: str
) -> None:
    [found] = findings(PARAMS, f"phases: [{{{phase}}}]")

    assert (found.marked, found.message, found.hint) == (marked, message, hint)


def test_cases_are_checked_like_params_whether_a_matrix_names_them_or_not() -> None:
    found = findings(
        "params: {rows: {type: int, default: 7}}", "cases: {a: {row: 1}, b: {rows: many}}"
    )

    assert [(one.marked, one.message, one.hint) for one in found] == [
        ("row", "no param `row`", "did you mean `rows`?"),
        (
            "many",
            "`rows`: must be a whole number, got the text `many`",
            "write a value such as `10`",
        ),
    ]


def test_a_matrix_of_too_many_phases_is_refused_before_any_is_made() -> None:
    axis = "[" + ", ".join(map(str, range(100))) + "]"

    [found] = findings(
        "params: {a: {type: int, default: 1}, b: {type: int, default: 1}}",
        f"phases: [{{users: 1, hold: 1s, matrix: {{a: {axis}, b: {axis}}}}}]",
    )

    assert (found.code, found.marked) == ("too-complex", "matrix")
    assert found.message == "the matrix has 10,000 combinations, and may have 200 at most"


def test_a_secret_names_no_phase() -> None:
    params = "params: {key: {type: str, default: abcdef, secret: true}}"

    [found] = findings(params, "phases: [{users: 1, hold: 1s, matrix: {key: [abcde, fghij]}}]")

    assert found.message == "`key` is secret, and phases are called after the values of axes"


_AXES = st.dictionaries(
    st.from_regex(r"[a-z_]{1,5}", fullmatch=True),
    st.lists(
        st.one_of(
            st.text(max_size=6).filter(lambda text: "=" not in text and text == text.strip()),
            st.integers(0, 99),
        ),
        min_size=1,
        max_size=3,
        unique_by=str,
    ),
    min_size=1,
    max_size=3,
)


@given(_AXES)
def test_combinations_come_in_order_with_the_first_axis_outermost(
    axes: dict[str, list[object]],
) -> None:
    found = list(combinations(axes))

    assert [tuple(one.values.values()) for one in found] == list(product(*axes.values()))
    assert [one.number for one in found] == list(range(len(found)))


@given(_AXES, st.data())
def test_any_values_in_any_order_mean_the_phases_that_have_them(
    axes: dict[str, list[object]], data: st.DataObject
) -> None:
    phase = PhaseModel.model_construct(name="P", matrix=axes)
    known = PhaseNames()
    known.add(in_combinations([PlacedPhase(("phases", 0), phase)]))
    chosen = data.draw(st.permutations(list(axes)).map(lambda order: order[: len(order) // 2 + 1]))
    wanted = {axis: str(data.draw(st.sampled_from(axes[axis]))) for axis in chosen}

    meant = known.meant_by(f"P[{','.join(f'{axis}={value}' for axis, value in wanted.items())}]")

    expected = [
        str(one)
        for one in combinations(axes)
        if all(one.axes[axis] == value for axis, value in wanted.items())
    ]
    assert meant == tuple(f"P{one}" for one in expected)
    assert known.meant_by("P") == tuple(f"P{one}" for one in combinations(axes))


DATA = """
params: {rows: {type: int, default: 7}, other: {type: int, default: 1}}
data:
  people: {generate: {rows: "${rows}", fields: {n: "rand.int(1, 9)"}}, per: user, unique: true}
users: {A: {steps: [{get: "/${people.n}", name: load}]}}
"""


def test_users_draw_from_a_source_as_their_phase_has_it() -> None:
    graph = compiled(DATA, "phases: [{users: 1, hold: 1s, matrix: {rows: [7, 30], other: [2, 3]}}]")

    drawn = [graph.programs_of(phase)[0].data for phase in graph.phases]
    assert drawn == [("people",), ("people",), ("people#2",), ("people#2",)]
    assert [(node.key, node.name, node.count) for node in graph.data] == [
        ("people", "people", 7),
        ("people#2", "people", 30),
    ]


def test_too_few_rows_for_the_users_of_one_combination_are_found() -> None:
    [found] = findings(DATA, "phases: [{users: 9, hold: 1s, matrix: {rows: [5, 30]}}]")

    assert found.message == "`people` has 5 rows for 9 users at a time"


def scalability(rest: str, **more: object) -> Threshold:
    sections = (PARAMS, PHASES, f"thresholds: ['scalability of load {rest} < 1.3']")
    return compiled(*sections, **more).thresholds[0]


def test_lines_of_sizes_are_the_other_combinations() -> None:
    """`rows` comes with the case, so what is left of the axes is the format."""
    lines = scalability("in phase ingestion over rows").lines

    assert [(line.name, line.points) for line in lines] == [
        ("ingestion[format=csv]", ((1000, (INGESTION[0],)), (100000, (INGESTION[2],)))),
        ("ingestion[format=jsonl]", ((1000, (INGESTION[1],)), (100000, (INGESTION[3],)))),
    ]


def test_fewer_than_two_sizes_are_nothing_to_compare() -> None:
    """Whoever picks one case doesn't ask how time grows."""
    few = "fewer than two sizes of rows are selected"

    assert scalability("over rows").not_applicable == ""
    assert scalability('in phase "ingestion[case=large]" over rows').not_applicable == few
    picked = PlanSelection(cases=("small",))
    assert scalability("over rows", selection=picked).not_applicable == few
    assert scalability("over rows", overrides={"rows": "5"}).not_applicable == few
    for matrix in ("{rows: [1000]}", "{case: [small]}"):
        phases = f"phases: [{{name: one, users: 1, hold: 1s, matrix: {matrix}}}]"
        found = compiled(PARAMS, phases, "thresholds: [scalability over rows < 1.3]").thresholds[0]
        assert found.not_applicable == few


@pytest.mark.parametrize(
    ("rest", "marked", "message", "hint"),
    [
        (
            "in phase ingestion over row",
            "row",
            "`row` is not a number that the matrix of `ingestion` varies",
            "did you mean `rows`?",
        ),
        (
            "in phase ingestion over format",
            "format",
            "`format` is not a number that the matrix of `ingestion` varies",
            "what varies is `rows`, `limit`",
        ),
        (
            "in phase plain over rows",
            "rows",
            "`rows` is not a number that the matrix of `plain` varies",
            "add a `matrix:`",
        ),
    ],
)
def test_a_size_is_a_number_that_varies(rest: str, marked: str, message: str, hint: str) -> None:
    [found] = findings(PARAMS, PHASES, f"thresholds: ['scalability of load {rest} < 1.3']")

    assert found == ("unknown-selector", marked, message, hint)


def test_a_default_that_reads_a_param_follows_it() -> None:
    params = """
    params:
      rows: {type: int, default: 10}
      pages: {type: int, default: "${rows * 2}"}
      sheets: {type: int, default: "${pages + 1}"}
    users: {A: {steps: [{get: "/${sheets}", name: load}]}}
    """
    phases = "phases: [{users: 1, hold: 1s, matrix: {rows: [1, 2]}}]"

    graph = compiled(params, phases)
    fixed = compiled(params, phases, overrides={"pages": "50"})

    assert [phase.params["sheets"] for phase in graph.phases] == ["3", "5"]
    assert ["pages" in phase.params for phase in fixed.phases] == [False, False]


def test_what_a_run_has_once_says_that_it_keeps_the_plans_value() -> None:
    graph = compiled(PARAMS, PHASES, 'setup: [{get: "/${rows}/${pause}"}]')

    [notice] = [one for one in graph.notices if "once" in one]
    assert notice.endswith("`setup` runs once, with `rows` as it is without the matrix: 7")


def test_limits_of_the_whole_run_say_which_value_they_have() -> None:
    """They judge all phases together, which have several."""
    graph = compiled(PARAMS, PHASES, "thresholds: ['med of load < ${limit}']")

    [notice] = [one for one in graph.notices if "limit" in one]
    assert notice.endswith(": `limit` is as it is without the matrix here: 1s")


def test_matrices_of_too_many_phases_together_are_refused() -> None:
    """Each is small enough, but a profile may use another many times."""
    axis = "[" + ", ".join(map(str, range(200))) + "]"

    [found] = findings(
        "params: {a: {type: int, default: 1}}",
        f"""
        profiles:
          one: [{{users: 1, hold: 1s, matrix: {{a: [1, 2]}}}}]
          wide: [{{users: 1, hold: 1s, matrix: {{a: {axis}}}}}]
          many: [{", ".join(["{use: wide}"] * 6)}]
        """,
        selection=PlanSelection(profile="many"),
    )

    assert (found.code, found.marked) == ("too-complex", "many")
    assert found.message == "the matrices come to 1,200 phases, and may come to 1,000 at most"
