"""What a call's keywords mean for its plan: numbers of params, and defaults beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner import Plan, PlanError

_PLAN = """\
name: shop
http: {base_url: http://127.0.0.1:1}
environments: {staging: {profile: smoke}}
users: {Visitor: {tasks: [{get: /products}, {get: /cart}]}}
profiles:
  full: [{name: full, users: 3, hold: 1h}]
  smoke: [{name: smoke, users: 1, iterations: 2}]
"""
_DEFAULTS = "thresholds: [p95 of each request < 4s]\n"
_SAID = "the latency of each request by itself"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A plan with defaults beside it, in the current directory."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("planrunner.yaml").write_text(_DEFAULTS, "utf-8")
    path = folder / "shop.yaml"
    path.write_text(_PLAN, "utf-8")
    return path


@pytest.mark.parametrize(
    ("kind", "number", "shown"),
    [
        ("duration", 90, "1m30s"),
        ("duration", 0.25, "250ms"),
        ("duration", 1e-5, "10us"),
        ("duration", 0.1 + 0.2, "300ms"),
        ("rate", 50, "50/s"),
        ("rate", 1e-3, "0.001/s"),
        ("size", 2000, "2000B"),
        ("float", 1e-5, "1e-05"),
    ],
)
def test_numbers_of_params_are_in_seconds_or_per_second(
    shop: Path, kind: str, number: float, shown: str
) -> None:
    """As everywhere in Python; the type of the param decides."""
    params = {"n": {"type": kind}}
    plan = Plan.from_yaml(shop).replace(params=params)

    assert f"params.n       --set n = {shown}\n" in plan.explain(params={"n": number})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("duration", -1),
        ("duration", float("nan")),
        ("duration", float("inf")),
        ("duration", 10**400),
        ("duration", True),
        ("duration", "90"),
        ("rate", -1),
        ("rate", float("inf")),
        ("percent", 0.05),
    ],
)
def test_what_is_no_amount_is_refused(shop: Path, kind: str, value: object) -> None:
    """A text without a unit too, and a share, which could be meant in percent."""
    plan = Plan.from_yaml(shop).replace(params={"n": {"type": kind}})

    with pytest.raises(PlanError, match="`n` from `params`"):
        plan.validate(params={"n": value})


def test_a_file_has_the_defaults_beside_it(shop: Path) -> None:
    """Unless the call names another file, or none; its profile is that of the environment."""
    Path("other.yaml").write_text("thresholds: [error_rate < 7%]\n", "utf-8")
    plan = Plan.from_yaml(shop)

    assert _SAID in plan.explain()
    assert "profile smoke (environment staging)" in plan.explain(env="staging")
    assert "7 %" in plan.explain(defaults=Path("other.yaml"))
    assert _SAID not in plan.explain(defaults="none")


def test_a_plan_without_a_file_has_defaults_only_when_asked(shop: Path) -> None:
    """What lies in the current directory is nothing that it has chosen."""
    plan = Plan.from_yaml(shop.read_text("utf-8"))

    assert _SAID not in plan.explain()
    assert _SAID not in plan.explain(defaults=None)
    assert _SAID in plan.explain(defaults="planrunner.yaml")


def test_faults_of_defaults_name_their_file(shop: Path) -> None:
    """Also those of a plan that Python wrote, as somebody wrote this one."""
    Path("planrunner.yaml").write_text("thresholds: [p95 <]\n", "utf-8")
    steps = [{"get": "http://127.0.0.1:1"}]
    plan = Plan(users={"A": {"steps": steps}}, phases=[{"users": 1, "iterations": 1}])

    with pytest.raises(PlanError) as failed:
        plan.validate(defaults="planrunner.yaml")

    assert [str(one.span) for one in failed.value.diagnostics] == ["planrunner.yaml:1:19"]


def test_a_file_of_defaults_is_no_plan(shop: Path) -> None:
    """By its name, as for the command."""
    with pytest.raises(PlanError, match="is not a plan"):
        Plan.from_yaml(shop.with_name("planrunner.yaml")).validate()
