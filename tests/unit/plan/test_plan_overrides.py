"""What the command line changes in a plan before it is checked."""

from __future__ import annotations

from typing import Any

import pytest

from planrunner.language.diagnostics import PlanError, render
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import CheckedPlan, load_bundle
from planrunner.plan.overrides import Changes
from planrunner.plan.params.resolve import ParamSources
from planrunner.units import parse_rate

PLAN = """\
name: shop
http: {base_url: "http://127.0.0.1:1"}
params: {page: {type: int, default: 3}}
users:
  Buyer:
    weight: 2
    tasks:
      - {task: put key, weight: 3, steps: [{put: /kv}]}
      - {get: /v1.0/kv}
  Visitor: {tasks: [{get: /}]}
profiles:
  smoke: [{users: 2, hold: 1s}]
  load:
    - {name: low, users: 10, hold: 1m}
    - {name: high, users: {Buyer: 10, Visitor: 30}, hold: 2m}
    - {name: steps, stages: "1m:20, 2m:50, 1m:0"}
    - {name: arrivals, rate: 10/s, hold: 1m}
"""


def loaded(text: str = PLAN, **changes: Any) -> CheckedPlan:
    sources = ParamSources({}, None, {}, changes=Changes(**changes))
    return load_bundle(Bundle("plan.yaml", {"plan.yaml": text}), sources)


def refused(text: str = PLAN, **changes: Any) -> str:
    """Return the findings as people see them."""
    with pytest.raises(PlanError) as failed:
        loaded(text, **changes)
    return "\n".join(map(render, failed.value.diagnostics))


def phases(plan: CheckedPlan, profile: str = "load") -> list[Any]:
    return (plan.model.profiles or {})[profile]


def test_list_item_is_found_by_name_and_by_index() -> None:
    """A phase can be named, or counted from 0."""
    by_name = loaded(overrides=("profiles.load.high.hold=5s",))
    by_index = loaded(overrides=("profiles.load.1.hold=5s",))

    assert phases(by_name)[1].hold == phases(by_index)[1].hold == 5_000_000_000
    assert phases(by_name)[0].hold == 60_000_000_000


def test_task_is_found_by_its_name_or_its_request() -> None:
    """A task of one request is called what results call it; dots need quotes."""
    plan = loaded(
        overrides=(
            "users.Buyer.tasks.put key.weight=7",
            'users.Buyer.tasks."GET /v1.0/kv".weight=4',
        )
    )

    assert plan.model.users is not None
    assert [task.weight for task in plan.model.users["Buyer"].tasks or ()] == [7, 4]


def test_unnamed_phase_has_the_name_that_results_give_it() -> None:
    """A phase of a profile is called like the profile."""
    assert phases(loaded(overrides=("profiles.smoke.smoke.users=3",)), "smoke")[0].users == 3


def test_key_that_the_plan_leaves_out_may_be_given() -> None:
    """What the language has may be added."""
    assert phases(loaded(overrides=("profiles.load.low.warmup=5s",)))[0].warmup == 5_000_000_000


def test_section_that_the_plan_leaves_out_may_be_given() -> None:
    """With its first key; the next one finds it there."""
    overrides = ("report.samples=none", "report.formats=[junit.xml]")

    report = loaded(overrides=overrides).model.report

    assert report is not None
    assert (str(report.samples), report.formats) == ("none", ["junit.xml"])
    assert "unknown key `formatz`" in refused(overrides=("report.formatz=[]",))


def test_value_is_yaml() -> None:
    """A value may be a mapping, or a text in quotes."""
    plan = loaded(overrides=("profiles.load.low.users={Buyer: 1}", 'description="5"'))

    assert phases(plan)[0].users == {"Buyer": 1}
    assert plan.model.description == "5"


def test_last_of_two_overrides_wins() -> None:
    """Options count in their order."""
    plan = loaded(overrides=("seed=1", "seed=2"), hold="9s")

    assert plan.model.seed == 2


def test_override_wins_over_general_option() -> None:
    """The more exact one counts."""
    plan = loaded(profile="load", hold="9s", overrides=("profiles.load.low.hold=5s",))

    assert [phase.hold for phase in phases(plan)[:2]] == [5_000_000_000, 9_000_000_000]


def test_unknown_path_says_what_is_there() -> None:
    """A slip in a path is found, with its place in the option."""
    assert refused(overrides=("profiles.load.hihg.hold=5s",)) == (
        "<command line>:1:26: error[unknown-name]: "
        "nothing in `profiles.load` is called `hihg`\n"
        "    1 | --override profiles.load.hihg.hold=5s\n"
        "      |                          ^^^^\n"
        "hint: did you mean `high`? "
        "`profiles.load` has `low`, `high`, `steps`, `arrivals`"
    )


def test_path_through_a_value_says_that_nothing_is_below() -> None:
    """A scalar has no keys."""
    found = refused(overrides=("name.first=x",))

    assert "hint: `name` has nothing below it" in found


def test_faulty_value_is_shown_where_it_came_from() -> None:
    """The checks of a plan apply, and point at the command line."""
    assert refused(overrides=("seed=1", "profiles.load.low.hold=fast")).startswith(
        "<command line>:2:35: error[invalid-unit]: "
    )


def test_faulty_key_is_shown_where_it_came_from() -> None:
    """A key that the language doesn't have is an unknown key, with a suggestion."""
    assert refused(overrides=("profiles.load.low.hodl=5s",)) == (
        "<command line>:1:30: error[unknown-key]: unknown key `hodl`\n"
        "    1 | --override profiles.load.low.hodl=5s\n"
        "      |                              ^^^^\n"
        "hint: did you mean `hold`?"
    )


@pytest.mark.parametrize("text", ["hold", "=5s", "a..b=1", "a.=1"])
def test_override_without_path_or_value_is_refused(text: str) -> None:
    """Both sides of the equals sign are needed."""
    assert "is not PATH=VALUE" in refused(overrides=(text,))


def test_broken_yaml_is_refused() -> None:
    """A value that can't be read is named."""
    assert "error[yaml-syntax]: `{a` is not a YAML value" in refused(overrides=("name={a",))


def test_users_keep_the_shape_of_the_load() -> None:
    """A number is replaced, a split keeps its shares, stages are scaled to their peak."""
    low, high, steps, arrivals = phases(loaded(profile="load", users="20"))

    assert low.users == 20
    assert high.users == {"Buyer": 5, "Visitor": 15}
    assert [stage.users for stage in steps.stages] == [8, 20, 0]
    assert arrivals.users is None


def test_users_change_only_the_profile_that_runs() -> None:
    """Other profiles stay as they are."""
    plan = loaded(users="20")

    assert phases(plan, "smoke")[0].users == 20
    assert phases(plan)[0].users == 10


def test_users_change_only_the_phases_that_run() -> None:
    """A phase that isn't selected stays as it is."""
    low, high, *_ = phases(loaded(profile="load", phases=("low",), users="20"))

    assert low.users == 20
    assert high.users == {"Buyer": 10, "Visitor": 30}


def test_users_scale_the_stages_of_the_plan() -> None:
    """The short form with `stages:` has one phase."""
    text = (
        PLAN.split("profiles:", maxsplit=1)[0]
        + "stages: [{duration: 1s, users: 3}, {duration: 1s, users: 9}]"
    )

    assert [stage.users for stage in loaded(text, users="3").model.stages or ()] == [1, 3]


def test_rate_is_for_open_models() -> None:
    """A closed phase has no rate to change."""
    assert "`--rate` is for open models" in refused(rate="5/s")
    assert phases(loaded(profile="load", rate="5/s"))[3].rate == parse_rate("5/s")


def test_hold_is_how_long_the_level_is_kept() -> None:
    assert phases(loaded(hold="5s"), "smoke")[0].hold == 5_000_000_000


def test_faulty_hold_is_shown_where_it_came_from() -> None:
    """`--hold fast` is no duration."""
    assert refused(hold="fast").startswith("<command line>:1:8: error[invalid-unit]: ")


# -- a load in the words of other tools ----------------------------------------------------


def test_host_is_where_paths_go() -> None:
    """With or without `http:` in the plan; what else it says there stays."""
    text = PLAN.replace('http: {base_url: "http://127.0.0.1:1"}', "http: {timeout: 5s}")

    for plan in (
        loaded(host="http://127.0.0.1:2"),
        loaded(text, host="http://127.0.0.1:2"),
        loaded(text.replace("http: {timeout: 5s}", ""), host="http://127.0.0.1:2"),
    ):
        assert plan.document.value(("http", "base_url")) == "http://127.0.0.1:2"
    assert loaded(text, host="http://127.0.0.1:2").document.value(("http", "timeout")) == "5s"


@pytest.mark.parametrize("given", ["5/s", "5"])
def test_spawn_rate_replaces_the_ramp(given: str) -> None:
    """A bare number counts users a second, as with Locust."""
    text = PLAN.replace("users: 2, hold", "users: 2, ramp_up: 3s, hold")

    [phase] = phases(loaded(text, spawn_rate=given), "smoke")

    assert phase.spawn_rate == parse_rate("5/s")
    assert phase.ramp_up is None


def test_stages_replace_a_load_of_their_kind() -> None:
    """Users replace users, and rates replace rates; the rest of a phase stays."""
    users = loaded(profile="load", phases=("low", "steps"), stages="1m:5, 1m:0")
    rates = loaded(profile="load", phases=("arrivals",), stages="1m:5/s")

    low, high, steps, arrivals = phases(users)
    assert (low.users, low.hold) == (None, None)
    assert (
        [stage.users for stage in low.stages] == [stage.users for stage in steps.stages] == [5, 0]
    )
    assert high.stages is None
    assert arrivals.rate == parse_rate("10/s")
    assert phases(rates)[3].stages[0].rate == parse_rate("5/s")
    assert phases(rates)[3].rate is None


def test_users_scale_stages_that_an_option_gave() -> None:
    """Whatever the order of the options."""
    plan = loaded(stages="1m:5, 1m:10", users="20")

    assert [stage.users for stage in phases(plan, "smoke")[0].stages] == [10, 20]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stages": "1m:5/s"}, "no phase that runs has `rate`"),
        ({"stages": "soon:5"}, "`soon` is not a duration"),
        ({"profile": "load", "stages": "1m:5"}, "`profiles.load.1.users` has a number for each"),
        ({"profile": "load", "phases": ("arrivals",), "spawn_rate": "5"}, "no phase that runs"),
        ({"host": "{a: 1}"}, "expected text, found a mapping"),
    ],
)
def test_what_a_load_option_cannot_do_is_said(changes: dict[str, Any], said: str) -> None:
    assert said in refused(**changes)
