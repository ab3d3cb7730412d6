"""The plan that `planrunner run URL` stands for."""

from __future__ import annotations

import pytest

from planrunner.compiler import compile_plan
from planrunner.errors import UsageError
from planrunner.graph.run_graph import ClosedLoad, RunGraph
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import load_bundle
from planrunner.plan.params.resolve import ParamSources
from planrunner.plan.schema.quick_plan import PRESETS, QuickLoad, QuickRequest, quick_plan
from planrunner.units import NS_PER_S

URL = "http://127.0.0.1:8000/a?b=c"


def compiled(text: str) -> RunGraph:
    return compile_plan(load_bundle(Bundle("run.yaml", {"run.yaml": text}), ParamSources()))


@pytest.mark.parametrize("preset", ["", *PRESETS])
@pytest.mark.parametrize(
    "load", [{}, {"users": 3}, {"rate": "50/s"}, {"rate": "3/m"}, {"hold": "90s"}, {"hold": "1s"}]
)
def test_each_preset_is_a_valid_plan_for_any_load(preset: str, load: dict[str, object]) -> None:
    graph = compiled(quick_plan(QuickRequest(URL), QuickLoad(preset, **load)))  # type: ignore[arg-type]

    [phase] = graph.phases
    assert phase.name == (preset or "main")
    assert phase.load.is_search == (preset == "breakpoint")


@pytest.mark.parametrize(
    ("load", "users", "seconds"),
    [
        (QuickLoad(), 10, 30),
        (QuickLoad(users=4, hold="10s"), 4, 10),
        (QuickLoad("smoke"), 1, 30),
        (QuickLoad("load", users=20, hold="100s"), 20, 110),
        (QuickLoad(users=20, hold="10s", spawn_rate="2"), 20, 20),
        (QuickLoad("load", users=20, hold="10s", spawn_rate="0.5/s"), 20, 50),
        (QuickLoad("stress", users=3, hold="10s"), 6, 70),
        (QuickLoad("spike", users=2, hold="10s"), 10, 50),
    ],
)
def test_loads_have_the_size_that_was_asked_for(load: QuickLoad, users: int, seconds: int) -> None:
    graph = compiled(quick_plan(QuickRequest(URL), load))

    closed = graph.phases[0].load
    assert isinstance(closed, ClosedLoad)
    assert closed.most_users == users
    assert sum(stage.duration_ns for stage in closed.stages) == seconds * NS_PER_S


def test_a_request_is_sent_as_it_was_given() -> None:
    """A body makes it a POST; what looks like an expression of ours is none."""
    text = quick_plan(
        QuickRequest(URL, "", ("X-Kind: a: b", "Accept: */*"), '{"q": "${x}"}'), QuickLoad()
    )

    [program] = compiled(text).users
    [step] = program.tasks[0].steps
    operation = step.exchange.operation  # type: ignore[union-attr]  # a request

    assert operation.method == "POST"
    headers = {header.name: header.value for header in operation.headers}
    assert headers["X-Kind"] == ("a: b",)
    assert headers["Content-Type"] == ("application/json",)
    assert operation.body.content == b'{"q": "${x}"}'


def test_secrets_of_the_command_line_are_secret_params() -> None:
    request = QuickRequest("http://me:p%40ss@127.0.0.1:1/", headers=("Authorization: Bearer tok",))

    graph = compiled(quick_plan(request, QuickLoad()))

    assert {"p@ss", "Bearer tok"} <= set(graph.secrets)
    assert "tok" not in graph.plan_text
    assert "p@ss" not in graph.plan_text


@pytest.mark.parametrize(
    ("request_", "load", "said"),
    [
        (QuickRequest("127.0.0.1:8000/x"), QuickLoad(), "is not an http or https URL"),
        (QuickRequest("ftp://127.0.0.1/"), QuickLoad(), "is not an http or https URL"),
        (QuickRequest("http://127.0.0.1:x/"), QuickLoad(), "is not a URL"),
        (QuickRequest(URL, headers=("nothing",)), QuickLoad(), "has no value"),
        (QuickRequest(URL), QuickLoad(users=1, rate="5/s"), "can't be combined"),
        (QuickRequest(URL), QuickLoad(hold="soon"), "--hold: `soon` is not a duration"),
        (QuickRequest(URL), QuickLoad(rate="fast"), "--rate: `fast` is not a rate"),
        (QuickRequest(URL), QuickLoad(spawn_rate="fast"), "--spawn-rate: `fast` is not a rate"),
        (QuickRequest(URL), QuickLoad(spawn_rate="0"), "--spawn-rate: `0` starts no user"),
        (QuickRequest(URL), QuickLoad(rate="5/s", spawn_rate="2"), "can't be combined"),
        (QuickRequest(URL), QuickLoad("spike", spawn_rate="2"), "`spike` has its own ramps"),
    ],
)
def test_what_cannot_be_is_said(request_: QuickRequest, load: QuickLoad, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        quick_plan(request_, load)
