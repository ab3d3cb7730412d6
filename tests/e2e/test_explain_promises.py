"""What explain promises of a plan is held against what happens when it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

MOST = re.compile(r"at most ([0-9,]+) requests?$|from ([0-9,]+) requests?$", re.MULTILINE)

waits = st.sampled_from(
    ["", "wait: 20ms, ", "wait: 10ms..60ms, ", "wait: 'pareto(10ms, 1.5)', ", "pace: 30ms, "]
)
thinks = st.sampled_from(["{think: 5ms}", "{think: 5ms..20ms}"])
plain = st.one_of(st.sampled_from(["{get: /a}", "{get: /b}", "{set: {x: 1}}"]), thinks)
steps = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.builds("{{repeat: {}, do: [{}]}}".format, st.integers(1, 3), inner),
        st.builds("{{while: user.id >= 0, max: {}, do: [{}]}}".format, st.integers(1, 3), inner),
        st.builds("{{if: user.id % 2, then: [{}], else: [{}]}}".format, inner, inner),
        st.builds("{{group: g, do: [{}, {}]}}".format, inner, inner),
    ),
    max_leaves=4,
)
flows = st.lists(steps, min_size=1, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
tasks = st.builds(
    "{{task: {}, weight: {}, steps: {}}}".format,
    st.uuids().map(lambda one: f"t{one.hex[:6]}"),
    st.integers(1, 3),
    flows,
)
classes = st.builds(
    "{{{}tasks: [{}]}}".format, waits, st.lists(tasks, min_size=1, max_size=2).map(", ".join)
)
loads = st.one_of(
    st.builds("users: {}, hold: {}ms".format, st.integers(1, 5), st.integers(100, 400)),
    st.builds(
        "users: {}, ramp_up: {}ms, hold: 100ms".format, st.integers(1, 5), st.integers(50, 300)
    ),
    st.builds(
        "users: {}, hold: 300ms, throttle: {}/s".format, st.integers(1, 5), st.integers(5, 60)
    ),
    st.builds("users: {}, iterations: {}".format, st.integers(1, 4), st.integers(1, 12)),
    st.builds("users: {}, iterations_per_user: {}".format, st.integers(1, 4), st.integers(1, 4)),
    st.builds("rate: {}/s, hold: {}ms".format, st.integers(5, 60), st.integers(100, 400)),
    st.builds("rate: {{A: {}/s}}, hold: {}ms".format, st.integers(5, 60), st.integers(100, 400)),
)


async def answer(_: Request, wire: Wire) -> None:
    await wire.send(reply(200, b"ok"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server that answers as fast as it can."""
    with running(serve(answer)) as found:
        yield found.url


@pytest.mark.slow
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    first=classes,
    second=classes,
    phases=st.lists(loads, min_size=1, max_size=2),
    seed=st.integers(0),
)
def test_never_more_happens_than_at_most(
    project: PlanProject, server: str, first: str, second: str, phases: list[str], seed: int
) -> None:
    """Whatever the draws are, and however fast the target answers."""
    listed = "".join(f"  - {{name: p{n}, {load}}}\n" for n, load in enumerate(phases))
    text = (
        f'name: random\nhttp: {{base_url: "{server}"}}\n'
        f"users:\n  A: {first}\n  B: {second}\nphases:\n{listed}"
    )
    project.write({"plan.yaml": text})

    explained = project.run("explain", "plan.yaml")
    assert explained.code == 0, f"{text}\n{explained.err}"
    promised = [int((one or other).replace(",", "")) for one, other in MOST.findall(explained.out)]
    if not promised:
        return  # nothing but the target limits it
    ended = project.run("execute", "plan.yaml", "--quiet", "--seed", str(seed % 2**32))

    sent = sum(ended.metrics[key] for key in ("aborted", "warmup", "after"))
    sent += ended.metrics["totals"]["total_requests"]
    assert sent <= promised[-1], f"{text}\n{explained.out}"
