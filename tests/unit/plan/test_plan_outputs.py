"""`outputs:` in a plan and `--output` beside it: what is right, what is wrong, what is secret."""

from __future__ import annotations

from typing import Any

import pytest

from planrunner.cli.plan_options import complete_outputs
from planrunner.compiler.compile import compile_plan
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import PlanError
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import load_bundle
from planrunner.plan.overrides import Changes
from planrunner.plan.params.resolve import ParamSources
from tests.support.plans import compiled, findings, plan_text

NAMES = {"run": {"id": "r1", "dir": "out/r1", "seed": 7}}


def settings(graph: RunGraph) -> list[dict[str, Any]]:
    """Return what each output of a plan is, with its settings for a run."""
    return [
        {"kind": node.kind, "labels": node.labels}
        | {key: evaluate(NAMES) for key, evaluate in node.settings.items()}
        for node in graph.outputs
    ]


def given(*outputs: str, plan: str = "outputs: [{jsonl: {file: a.jsonl, labels: [read]}}]") -> Any:
    """Return the outputs of a plan with those of the command line."""
    tasks = "users: {Visitor: {tasks: [{get: /, tags: [read, team=a]}]}}"
    return settings(changed(tasks, plan, outputs=outputs))


def changed(*sections: str, outputs: tuple[str, ...]) -> RunGraph:
    sources = ParamSources({}, None, {}, changes=Changes(outputs=outputs))
    bundle = Bundle("plan.yaml", {"plan.yaml": plan_text(*sections)})
    return compile_plan(load_bundle(bundle, sources))


def test_settings_are_known_when_the_run_has_a_directory() -> None:
    """They read params, services and the run; numbers and texts are values then."""
    params = "params: {place: {type: str, default: live}}"
    outputs = 'outputs: [{jsonl: {file: "${run.dir}/${place}-${run.id}.jsonl"}}]'

    graph = compiled(params, outputs)

    assert settings(graph)[0]["file"] == "out/r1/live-r1.jsonl"


@pytest.mark.parametrize(
    ("outputs", "files"),
    [
        ((), ["a.jsonl"]),
        (("jsonl=b.jsonl",), ["b.jsonl"]),
        (("jsonl=b.jsonl", "jsonl=c.jsonl"), ["b.jsonl", "c.jsonl"]),
        (("none",), []),
        (("jsonl=b.jsonl", "none"), ["b.jsonl"]),
        (('jsonl={file: "x=y.jsonl"}',), ["x=y.jsonl"]),
    ],
)
def test_options_take_the_place_of_the_same_kind(
    outputs: tuple[str, ...], files: list[str]
) -> None:
    """Those of the plan, and not those of other options; `none` is about the plan alone."""
    assert [each["file"] for each in given(*outputs)] == files


def test_an_option_keeps_labels_unless_it_has_its_own() -> None:
    """Where numbers go has nothing to do with which tags are labels."""
    assert given("jsonl=b.jsonl")[0]["labels"] == ("read",)
    assert given("jsonl={file: b, labels: [team]}")[0]["labels"] == ("team",)
    assert given("none", "jsonl=b.jsonl")[0]["labels"] == ()


def test_who_watches_makes_no_other_plan() -> None:
    """Runs with different outputs are compared like runs of the same plan."""
    plain, watched = (changed(outputs=outputs) for outputs in ((), ("jsonl=x.jsonl",)))

    assert plain.plan_hash == watched.plan_hash


@pytest.mark.parametrize(
    ("outputs", "message", "hint"),
    [
        ("[{jsnl: {file: x}}]", "unknown key `jsnl`", "did you mean `jsonl`?"),
        ("[{influx: {url: x}}]", "unknown key `influx`", "here it is called `influxdb`"),
        ("[{jsonl: {fil: x, file: y}}]", "unknown key `fil`", "did you mean `file`?"),
        ("[{jsonl: {}}]", "`file` is missing", ""),
        ("[{}]", "nothing says which output it is", "add `"),
        ("[{jsonl: {file: '${rand.int(1, 2)}'}}]", "this must be known before the run", "params"),
        ("[{jsonl: {file: '${user.id}'}}]", "`user`", ""),
        (
            "[{jsonl: {file: x, optional: true, required: true}}]",
            "`required` can't be combined with `optional`",
            "keep one of them",
        ),
        ("[{jsonl: {file: x, labels: read}}]", "`labels` must be a list", "`[read]`"),
        ("[{otlp: {endpoint: localhost}}]", "`endpoint` is not a URL", "http://localhost:4318"),
        ("[{influxdb: {url: 'db:1/k6'}}]", "`url` is not a URL", "http://localhost:8086"),
        ("[{influxdb: {url: 'http://db'}}]", "nothing says where to write", "add `database`"),
        ("[{influxdb: {url: 'http://db/k6', token: x}}]", "`token` needs `bucket`", "add `bucket`"),
        (
            "[{influxdb: {url: 'http://db', database: k6, bucket: b}}]",
            "`database` can't be combined with `bucket`",
            "keep one of them",
        ),
        ("[{statsd: {address: db, every: 1500ms}}]", "a whole number of seconds", "`1s`, or more"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(outputs: str, message: str, hint: str) -> None:
    """As everywhere in a plan."""
    [found] = findings(f"outputs: {outputs}")

    assert message in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("option", "message", "hint"),
    [
        ("jsnl=x", "no output is called `jsnl`", "did you mean `jsonl`?"),
        ("run.json", "no output is called `run.json`", "`--out` sets the run's directory"),
        ("jsonl={fil: x}", "unknown key `fil`", "did you mean `file`?"),
        ("jsonl={file: x", "is not a YAML value", ""),
        ("jsonl", "`file` is missing", ""),
    ],
)
def test_what_is_wrong_with_an_option_is_said_in_it(option: str, message: str, hint: str) -> None:
    """With the option as its line."""
    with pytest.raises(PlanError) as refused:
        given(option)

    fault = refused.value.diagnostics[0]
    assert (fault.span.file, fault.source) == ("<command line>", f"--output {option}")
    assert message in fault.message
    assert hint in fault.hint


def test_a_shell_completes_the_names_of_outputs() -> None:
    """With what follows them; `none` stands alone."""

    def offered(begun: str) -> list[str]:
        return complete_outputs(None, None, begun)  # type: ignore[arg-type]  # it needs neither

    assert offered("js") == ["jsonl="]
    assert offered("no") == ["none"]


def test_defaults_give_outputs_to_plans_that_have_none() -> None:
    """The plan's own list counts, and so does an empty one."""
    defaults = "outputs: [{jsonl: {file: d.jsonl}}]"

    def files(*sections: str) -> list[str]:
        texts = {"plan.yaml": plan_text(*sections), "planrunner.yaml": defaults}
        bundle = Bundle("plan.yaml", texts, defaults="planrunner.yaml")
        graph = compile_plan(load_bundle(bundle, ParamSources({}, None, {})))
        return [each["file"] for each in settings(graph)]

    assert files() == ["d.jsonl"]
    assert files("outputs: [{jsonl: {file: own.jsonl}}]") == ["own.jsonl"]
    assert files("outputs: []") == []


def test_a_label_that_is_no_tag_leaves_a_notice() -> None:
    """Defaults of a folder may name tags that only some of its plans have."""
    plan = "outputs: [{jsonl: {file: x, labels: [raed, team]}}]"
    graph = compiled("users: {V: {tasks: [{get: /, tags: [read, team=a]}]}}", plan)

    [notice] = [one for one in graph.notices if "label" in one]
    assert "`jsonl` gets no label `raed`: no request has that tag; did you mean `read`?" in notice
    assert notice.startswith("plan.yaml:")


def test_secrets_of_outputs_are_masked_in_the_plan_and_in_findings() -> None:
    """Passwords in URLs, and what stands under the name of a secret."""
    place = "'http://me:hunter22@db/x.jsonl'"
    graph = compiled(f"outputs: [{{jsonl: {{file: {place}}}}}]")
    with pytest.raises(PlanError) as refused:
        given("jsonl={file: 'http://me:hunter22@db/x', token: swordfish}")

    assert "http://me:***@db/x.jsonl" in graph.plan_text
    [fault] = refused.value.diagnostics
    assert "hunter22" not in fault.source
    assert "swordfish" not in fault.source
