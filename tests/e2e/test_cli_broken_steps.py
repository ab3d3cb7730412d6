"""Steps that fail for what code, a command or a reply does: a verdict, and the run goes on."""

from __future__ import annotations

import pytest

from tests.support.http_servers import Request, Wire, reply, serve
from tests.support.plans import PlanProject, running

# All that a reply can bring, and where it is used: none of it may end the run.
HOSTILE = {
    "/token": b"tok123\n",
    "/half": b'{"w": "\\ud800"}',
    "/xml": b'<r xmlns:s="urn:s"><!-- c --><s:id x="1">42</s:id></r>',
}


async def answer(asked: Request, wire: Wire) -> None:
    await wire.send(reply(200, HOSTILE.get(asked.target.partition("?")[0], b"ok")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "extra", "name", "kind"),
    [
        ("{python: ingest}", "hooks: hooks.py", "ingest", "error"),
        ("{exec: /bin/false}", "", "/bin/false", "error"),
        ("{set: {x: '${empty[0].y}'}}", "", "set x", "extract"),
        ("{pop: {empty: last, as: x}}", "", "pop last of empty", "extract"),
        ("{if: 'empty[3] > 1', then: [{log: a}]}", "", "if empty[3] > 1", "extract"),
    ],
)
def test_a_group_whose_step_always_fails_passes_no_threshold(
    project: PlanProject, step: str, extra: str, name: str, kind: str
) -> None:
    """Each failure counts everywhere, and the group that never ended has no latency."""
    text = (
        "name: broken\n"
        f"{extra or 'description: x'}\n"
        "users:\n"
        "  A:\n"
        "    state: {empty: []}\n"
        "    tasks:\n"
        "      - task: load\n"
        f"        steps: [{{group: ingest, do: [{step}]}}]\n"
        "phases: [{users: 2, iterations: 20}]\n"
        "thresholds: [p95 of group:ingest < 1000ms, error_rate < 1%]\n"
    )
    hooks = "def ingest(context):\n    raise ValueError('no such thing')\n"
    project.write({"plan.yaml": text, "hooks.py": hooks})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    totals = ended.metrics["totals"]
    assert (totals["total_requests"], totals["failed_requests"]) == (20, 20)
    assert [(row["endpoint"], row["kind"]) for row in ended.rows] == [(name, kind)] * 20
    verdicts = {one["threshold"]: one["verdict"] for one in ended.metrics["judgements"]}
    assert verdicts == {"p95 of group:ingest < 1000ms": "no_data", "error_rate < 1%": "fail"}
    words = " ".join(ended.out.split())
    assert "20 iterations ended early" in words
    assert "task `load`" in words
    assert "plan.yaml:8" in words


@pytest.mark.parametrize(
    ("users", "said"),
    [
        (
            "tasks: [{task: pay, needs: 'xs[3] == 1', steps: [{log: a}]}]",
            "`needs pay` failed: `xs[3]` is undefined in `xs[3] == 1` (task `pay`, plan.yaml:5)",
        ),
        (
            "tasks: [{task: pay, timeout: 20ms, steps: [{think: 1s}]}]",
            "the task took longer than 20 ms (task `pay`, plan.yaml:5)",
        ),
        (
            "steps: [{set: {a: '${xs[3].b}'}}]",
            "`set a` failed: `xs[3].b` is undefined, since `xs[3]` is (user class `A`, "
            "plan.yaml:5)",
        ),
    ],
)
def test_an_iteration_that_ends_early_says_where(
    project: PlanProject, users: str, said: str
) -> None:
    """The task, or the class that has none, the step, and the line."""
    text = (
        "name: early\n"
        "users:\n"
        "  A:\n"
        "    state: {xs: []}\n"
        f"    {users}\n"
        "phases: [{users: 1, iterations: 1}]\n"
    )
    project.write({"plan.yaml": text})

    ended = project.run("execute", "plan.yaml")

    assert f"notice: 1 iteration ended early: {said}" in ended.out


@pytest.mark.parametrize(
    "step",
    [
        "{parallel: [{get: '/${json.x.y}'}]}",
        "{poll: '/${json.x.y}', until: 'status == 200', every: 1ms, timeout: 1s}",
    ],
)
def test_a_request_within_another_step_is_named_with_its_line(
    project: PlanProject, step: str
) -> None:
    """As one that stands by itself is."""
    with running(serve(answer)) as server:
        text = (
            "name: broken\n"
            f"http: {{base_url: '{server.url}'}}\n"
            "users:\n"
            "  A:\n"
            "    steps:\n"
            "      - get: /ok\n"
            f"      - {step}\n"
            "phases: [{users: 1, iterations: 2}]\n"
        )
        project.write({"plan.yaml": text})

        ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert "(user class `A`, plan.yaml:7)" in " ".join(ended.out.split())


@pytest.mark.parametrize(
    "steps",
    [
        "[{get: /token}, {header: {Authorization: 'Bearer ${body}'}}, {get: /ok}]",
        "[{get: /half, extract: {w: $.w}}, {get: /ok, query: {w: '${w}'}}]",
        "[{get: /half, extract: {w: $.w}}, {get: /ok, expect: {contains: '${w}'}}]",
        "[{get: /half, extract: {w: $.w}}, {get: /ok, headers: {X-W: '${w}'}}]",
        "[{get: /half, extract: {w: $.w}}, {exec: 'echo ${w}'}]",
        "[{get: /half, extract: {w: $.w}}, {set: {n: 2}}, {get: '/ok?q=${w | truncate(n)}'}]",
        "[{get: /xml, extract: {x: {xpath: '//u:id'}}}, {get: '/ok?x=${x}'}]",
    ],
)
def test_nothing_that_a_reply_brings_ends_the_run(project: PlanProject, steps: str) -> None:
    """Every iteration fails as `extract` at most, and all reports are there."""
    with running(serve(answer)) as server:
        project.write(
            {
                "plan.yaml": "name: hostile\n"
                f'http: {{base_url: "{server.url}"}}\n'
                f"users: {{A: {{steps: {steps}}}}}\n"
                "phases: [{users: 2, iterations: 6}]\n"
            }
        )
        ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert ended.metrics["exit_code"] == 1
    assert {row["kind"] for row in ended.rows if row["success"] == "false"} == {"extract"}
    assert any(name.endswith("report.html") for name in ended.files)
    assert "tok123" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("{set: {l: '${l}${l}'}}", "`l` would be a text larger than 16 MB"),
        ("{set: {l: '${l ~ l}'}}", "the result would be larger than 1 MB"),
        ("{set: {l: '${l * l}'}}", "can't take text and text"),
        ("{set: {l: '${l * 9999999999}'}}", "the result would be larger than 1 MB"),
    ],
)
def test_a_value_that_grows_without_end_fails_its_step(
    project: PlanProject, steps: str, said: str
) -> None:
    """And takes neither the memory nor the time of the machine."""
    project.write(
        {
            "plan.yaml": "name: growing\n"
            f"users: {{A: {{state: {{l: ab}}, steps: [{{repeat: 60, do: [{steps}]}}]}}}}\n"
            "phases: [{users: 1, iterations: 1}]\n"
        }
    )

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 1
    assert said in " ".join(ended.out.split())
