"""Pools, barriers and `next` in plans: what they become, and what is refused."""

from __future__ import annotations

import pytest

from planrunner.compiler.load.selection import PlanSelection, select
from planrunner.graph.run_graph import ALL_USERS, BarrierNode, PopNode, barriers_of
from planrunner.language.diagnostics import Code
from tests.support.plans import compiled, findings

POOL = "pools: {orders: {}, all: {shared: run}}\n"
USERS = POOL + "users: {A: {steps: [%s]}}"
FILLED = "{push: {pool.orders: 1, pool.all: 1}}"
LOAD = "\nphases: [{users: 4, hold: 1s}]"


def steps_of(text: str) -> tuple[object, ...]:
    return tuple(compiled(text).users[0].tasks[0].steps)


def test_a_pool_has_a_bound_and_first_values() -> None:
    """By default each worker has its own."""
    graph = compiled(
        "params: {first: {type: str, default: a}}\n"
        "pools: {x: , y: {shared: run, max: '${2 * 3}', values: ['${first}', [1]]}}\n"
        "users: {A: {steps: [{pop: {pool.y: last}}, {push: {pool.x: 1}}]}}"
    )

    x, y = graph.pools
    assert (x.name, x.of_run, x.most, x.values) == ("x", False, 10_000, ())
    assert (y.of_run, y.most, [evaluate({}) for evaluate in y.values]) == (True, 6, ["a", [1]])


def test_a_pop_of_a_pool_may_wait() -> None:
    """For a time that params may give; without it, not at all."""
    text = (
        FILLED
        + ", {pop: {pool.orders: random, as: id, wait: '${1 + 1}'}}, {pop: {pool.all: first}}"
    )
    _, waits, takes = steps_of(USERS % text)

    assert waits == PopNode("orders", "random", "id", is_pool=True, wait_ns=2_000_000_000)
    assert takes == PopNode("all", "first", is_pool=True)


def test_lists_called_as_the_keys_of_pop_are_lists() -> None:
    """`wait: first` takes out of the list `wait`."""
    text = "users: {A: {state: {wait: [1]}, steps: [{pop: {wait: first, as: x}}]}}"

    assert steps_of(text) == (PopNode("wait", "first", "x"),)


def test_a_barrier_is_for_a_number_of_users_or_all() -> None:
    """It waits 30 seconds unless it says otherwise."""
    text = "{barrier: {name: a, users: all}}, {barrier: {name: b, users: '${3}', timeout: 1m}}"

    assert steps_of(USERS % text + LOAD) == (
        BarrierNode("a", ALL_USERS, 30_000_000_000),
        BarrierNode("b", 3, 60_000_000_000),
    )


@pytest.mark.parametrize(
    ("step", "code", "message"),
    [
        ("{push: {pool.order: 1}}", Code.UNKNOWN_NAME, "unknown pool `order`"),
        ("{pop: {pool.order: first}}", Code.UNKNOWN_NAME, "unknown pool `order`"),
        ("{log: '${pool.order}'}", Code.UNKNOWN_NAME, "unknown pool `order`"),
        ("{log: '${pool}'}", Code.UNKNOWN_NAME, "which pool?"),
        ("{log: '${pool.all}'}", Code.UNKNOWN_NAME, "the pool `all` is shared by all workers"),
        ("{set: {pool: 1}}", Code.RESERVED_NAME, "`pool` is a name that planrunner reserves"),
        ("{pop: {pool.orders: middle}}", Code.INVALID_VALUE, "`pop` needs one list"),
        ("{pop: {pool.orders: first, wait: soon}}", Code.INVALID_UNIT, "`soon` is not a duration"),
        ("{pop: {pool.orders: first, wait: null}}", Code.WRONG_TYPE, ""),
        (
            "{set: {keys: []}}, {pop: {keys: first, wait: 1s}}",
            Code.NOT_ALLOWED,
            "no other user can add to `keys`",
        ),
        ("{barrier: {users: 2}}", Code.MISSING_KEY, ""),
        ("{barrier: {name: a}}", Code.MISSING_KEY, ""),
        ("{barrier: a}", Code.WRONG_TYPE, ""),
        ("{barrier: {name: a, users: none}}", Code.INVALID_VALUE, ""),
        ("{barrier: {name: a, users: 0}}", Code.INVALID_VALUE, ""),
        ("{barrier: {name: a, users: 5}}", Code.NEVER_RUNS, "a barrier for 5 users can never open"),
        (
            "{barrier: {name: a, users: 2}}, {barrier: {name: a, users: all}}",
            Code.CONFLICTING_KEYS,
            "the barrier `a` is for all users here, and for 2 users at ",
        ),
        ("{parallel: [{barrier: {name: a, users: 2}}]}", Code.NOT_ALLOWED, ""),
    ],
)
def test_what_is_wrong_with_a_step_is_said(step: str, code: Code, message: str) -> None:
    """At its place, with the words of the plan."""
    found = findings(USERS % f"{FILLED}, {step}" + LOAD)

    assert [fault.code for fault in found] == [code] * len(found)
    assert found
    assert all(message in fault.message for fault in found[:1])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("pools: {a: {}}\nusers: {A: {steps: [{pop: {pool.a: first}}]}}", "the pool `a` is always"),
        (
            "pools: {a: {}}\nusers: {A: {tasks: [{get: /, needs: pool.a}]}}",
            "the pool `a` is always empty",
        ),
        (
            "pools: {a: {}}\nflows: {f: [{push: {pool.a: 1}}]}\n"
            "users: {A: {steps: [{pop: {pool.a: first}}]}}",
            "the pool `a` is always empty",
        ),
        (
            "pools: {a: {max: 1, values: [1, 2]}}\nusers: {A: {steps: [{pop: {pool.a: first}}]}}",
            "2 values don't fit into a pool of 1",
        ),
        (
            "pools: {a: {values: ['${user.id}']}}\nusers: {A: {steps: [{pop: {pool.a: first}}]}}",
            "`user` has no value here",
        ),
        ("pools: {a-b: {}}\nusers: {A: {steps: [{get: /}]}}", "`a-b` can't be used in expressions"),
        ("pools: {a: {shared: users}}\nusers: {A: {steps: [{get: /}]}}", ""),
        ("pools: {a: {size: 3}}\nusers: {A: {steps: [{get: /}]}}", "unknown key `size`"),
        (
            "pools: {a: {}}\nteardown: [{pop: {pool.a: first}}]\n"
            "users: {A: {steps: [{push: {pool.a: 1}}]}}",
            "each worker has a pool `a` of its own, and none runs this",
        ),
        (
            "setup: [{barrier: {name: a, users: 1}}]\nusers: {A: {steps: [{get: /}]}}",
            "no users wait for each other here",
        ),
        (
            "users: {A: {steps: [{get: /}], on_stop: [{barrier: {name: a, users: 1}}]}}",
            "no users wait for each other here",
        ),
        (
            "users: {A: {steps: [{barrier: {name: a, users: all}}]}}\n"
            "phases: [{rate: 1/s, hold: 1s}]",
            "phase `main` has arrivals, so the number of `all` users is unknown",
        ),
        (
            "users: {A: {steps: [{barrier: {name: a, users: 9}}]}}\n"
            "phases: [{rate: 1/s, hold: 1s, max_users: 8}]",
            "a barrier for 9 users can never open in phase `main`: it has 8 users",
        ),
        (
            "users: {A: {steps: [{barrier: {name: a, users: 2}}]}, B: {steps: [{get: /}]}}\n"
            "phases: [{users: {A: 1, B: 5}, hold: 1s}]",
            "can never open in phase `main`: it has 1 user of `A`",
        ),
        ("users: {A: {tasks: [{get: /, next: {'GET /x': 1}}]}}", "unknown task `GET /x`"),
        ("users: {A: {tasks: [{get: /, next: {'GET /': 0}}]}}", "`0` is too small"),
        ("users: {A: {tasks: [{get: /, next: {'GET /': 1.5}}]}}", "`1.5` is not a whole number"),
        ("users: {A: {tasks: [{get: /, next: {}}]}}", ""),
        ("users: {A: {tasks: [{get: /, next: [GET /]}]}}", ""),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(plan: str, message: str) -> None:
    """Before any load is sent."""
    found = findings(plan)

    assert found
    assert message in found[0].message


@pytest.mark.parametrize(
    "plan",
    [
        "pools: {a: {}}\nsetup: [{push: {pool.a: 1}}]\n"
        "users: {A: {steps: [{pop: {pool.a: first}}]}}",
        "pools: {a: {values: [1]}}\nusers: {A: {tasks: [{get: /, needs: pool.a}]}}",
        "pools: {a: {shared: run}}\nteardown: [{pop: {pool.a: first}}]\n"
        "users: {A: {steps: [{push: {pool.a: 1}}]}}",
        "users: {A: {on_start: [{barrier: {name: a, users: all}}], steps: [{get: /}]}}",
        "users: {A: {steps: [{barrier: {name: a, users: 2}}]}, B: {steps: [{barrier: {name: a, "
        "users: 2}}]}}\nphases: [{users: {A: 1, B: 1}, hold: 1s}]",
        "users: {A: {tasks: [{task: x, next: {y: '${1 + 1}'}, steps: [{get: /}]}, "
        "{task: y, next: {y: 1}, steps: [{get: /}]}]}}",
    ],
)
def test_what_is_right_is_accepted(plan: str) -> None:
    """Without a finding."""
    compiled(plan)


def test_params_of_a_phase_may_change_a_barrier() -> None:
    """It is another one there."""
    text = """
        params: {n: {type: int, default: 2}}
        users: {A: {steps: [{barrier: {name: a, users: "${n}"}}]}}
        phases: [{users: 2, hold: 1s}, {users: 9, hold: 1s, params: {n: 9}}]
        """

    graph = compiled(text)

    users = [
        step.users for phase in graph.phases for step in barriers_of(graph.programs_of(phase)[0])
    ]
    assert users == [2, 9]


def test_pools_that_nobody_uses_are_noticed() -> None:
    """Nor those that nothing takes out of."""
    graph = compiled("pools: {a: , b: }\nusers: {A: {steps: [{push: {pool.b: 1}}]}}")

    assert [notice.partition(": ")[2] for notice in graph.notices] == [
        "the pool `a`: no step uses it",
        "the pool `b`: nothing takes from it",
    ]


def test_a_task_that_is_not_selected_follows_none() -> None:
    """What is left may; if nothing is, any task may."""
    [program] = compiled(
        "users: {A: {tasks: [{get: /a, next: {'GET /b': 1, 'GET /c': 2}}, "
        "{get: /b, next: {'GET /c': 1}}, {get: /c}]}}"
    ).users

    [left] = select(PlanSelection(tasks=("GET /a", "GET /b")), [program])

    assert [task.following for task in left.tasks] == [(("GET /b", 1),), ()]


NEVER = "users: {A: {state: {u: null, n: 0, l: []}, tasks: [%s]}}"


@pytest.mark.parametrize(
    "tasks",
    [
        "{get: /}, {get: /a, needs: u}",
        "{get: /}, {get: /a, needs: {is: u is not none, else: repick}}",
        "{get: /}, {get: /a, needs: l}",
        "{get: /}, {get: /a, needs: n > 1 and u}",
        "{get: /}, {task: a, needs: u, steps: [{set: {u: 1}}]}",
        "{task: a, needs: u, steps: [{set: {n: 1}}]}, {task: b, needs: n, steps: [{set: {u: 1}}]}",
    ],
)
def test_a_task_that_can_never_run_is_an_error(tasks: str) -> None:
    """Nothing that runs sets what its `needs` reads."""
    found = findings(NEVER % tasks)

    assert {fault.code for fault in found} == {Code.NEVER_RUNS}


@pytest.mark.parametrize(
    "tasks",
    [
        "{get: /}, {get: /a, needs: u is none}",
        "{task: b, steps: [{set: {u: 1}}]}, {get: /a, needs: u}",
        "{task: b, steps: [{push: {l: 1}}]}, {get: /a, needs: l}",
        "{get: /b, extract: {u: $.id}}, {get: /a, needs: u}",
        "{task: b, steps: [{call: f}]}, {get: /a, needs: u}",
        "{task: b, steps: [{call: {flow: g, as: u}}]}, {get: /a, needs: u}",
        "{task: b, steps: [{foreach: 'u in [1]', do: [{get: /}]}]}, {get: /a, needs: u}",
        "{task: b, steps: [{exec: {run: date, as: u}}]}, {get: /a, needs: u}",
        "{task: b, steps: [{poll: /, until: status == 200}, {if: n, then: [{set: {u: 1}}]}]}, "
        "{get: /a, needs: u}",
        "{task: a, needs: n == 0, steps: [{set: {u: 1}}]}, {get: /a, needs: u}",
        "{get: /}, {get: /a, needs: feature}",
        "{get: /}, {get: /a, needs: flag}",
        "{get: /}, {get: /a, needs: u or made}",
        "{get: /}, {get: /a, needs: rows.x and u}",
        "{get: /}, {get: /a, needs: iteration > 5 and u}",
        "{get: /}, {get: /a, needs: 'false'}",
        "{get: /}, {get: /a, needs: u.x}",
    ],
)
def test_a_task_that_may_run_is_no_error(tasks: str) -> None:
    """What setup, data, params, flows or other steps give may be anything."""
    plan = (
        "params: {feature: {type: bool, default: false}}\n"
        "setup: [{set: {made: 1}}]\ndata: {rows: {list: [{x: 1}]}}\n"
        "flows: {f: [{set: {u: 1}}], g: [{get: /}]}\n"
        + (NEVER % tasks).replace("u: null,", "u: null, flag: '${feature}',")
    )

    assert len(compiled(plan).users[0].tasks) > 1


def test_what_on_start_sets_may_let_a_task_run() -> None:
    """It runs before all of them."""
    plan = "users: {A: {state: {u: null}, on_start: [{set: {u: 1}}], tasks: [{get: /, needs: u}]}}"

    compiled(plan)
