"""`planrunner.yaml`: what it gives to plans, what wins over it, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.compiler.compile import compile_plan
from planrunner.compiler.source import GraphSource
from planrunner.explain.explain import explain_text
from planrunner.language.diagnostics import PlanError
from planrunner.language.files import Folders
from planrunner.plan.defaults.check import check_defaults
from planrunner.plan.defaults.merge import merge_defaults
from planrunner.plan.loader import load
from planrunner.plan.overrides import Changes
from planrunner.plan.params.resolve import ParamSources
from planrunner.plan.schema.json_schema import defaults_schema
from planrunner.plan.yaml.document import parse

DEFAULTS = """\
params:
  host: {type: url, default: "http://localhost:1"}
  page: {type: url, default: "${host}/page"}
http: {base_url: "${host}", timeout: 5s, headers: {A: "1"}}
thresholds: [p95 < 500ms]
report: {formats: [metrics.json], samples: none}
"""
PLAN = """\
name: shop
params: {host: {type: url, default: "http://localhost:2"}}
http: {timeout: 1s}
users: {U: {tasks: [{get: "/?${page}"}]}}
stages: [{duration: 1s, users: 1}]
"""


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "some plans"
    home.mkdir()
    return home


def write(folder: Path, plan: str = PLAN, defaults: str | None = DEFAULTS) -> Path:
    if defaults is not None:
        (folder / "planrunner.yaml").write_text(defaults)
    path = folder / "plan.yaml"
    path.write_text(plan)
    return path


def graph_of(path, **more):
    return compile_plan(load(path, environ={}, **more))


def faults_of(path, **more):
    with pytest.raises(PlanError) as caught:
        graph_of(path, **more)
    return [
        (Path(f.span.file).name, f.span.line, f.span.column, f.message)
        for f in caught.value.diagnostics
    ]


def test_a_plans_own_keys_win(folder):
    """Key by key; each value says where it comes from."""
    graph = graph_of(write(folder))

    found = {each.key: (Path(each.source).name, each.value) for each in graph.origins}
    assert found == {
        "params.host": ("plan.yaml:2", "http://localhost:2"),
        "params.page": ("planrunner.yaml:3", "http://localhost:2/page"),
        "http.timeout": ("plan.yaml:3", ""),
        "http.base_url": ("planrunner.yaml:4", ""),
        "http.headers": ("planrunner.yaml:4", ""),
        "thresholds": ("planrunner.yaml:5", ""),
        "report.formats": ("planrunner.yaml:6", ""),
        "report.samples": ("planrunner.yaml:6", ""),
    }
    assert graph.report.samples == "none"
    assert "planrunner.yaml:5" in explain_text(graph)


@pytest.mark.parametrize("where", ["plan", "import"])
def test_a_list_of_thresholds_replaces_that_of_the_defaults(folder, where):
    """An imported one is the plan's too."""
    own = "thresholds: [p99 < 1s]\n"
    (folder / "more.yaml").write_text(own)
    path = write(folder, PLAN + (own if where == "plan" else "imports: [more.yaml]\n"))

    assert [one.text for one in graph_of(path).thresholds] == ["p99 < 1s"]


def test_options_change_what_comes_from_defaults(folder):
    """As they change the plan's own; explain names them."""
    path = write(folder)
    graph = graph_of(
        path,
        overrides={"page": "http://localhost:3"},
        changes=Changes(overrides=("http.headers.A=2",)),
    )

    origins = {each.key: each.source for each in graph.origins}
    assert graph.params["page"] == "http://localhost:3"
    assert origins["params.page"] == "--set page"
    with pytest.raises(PlanError):
        graph_of(path, changes=Changes(overrides=("http.headers.A.b=2",)))


def test_a_plan_alone_has_no_origins(folder):
    """Nor does explain say more than it did."""
    graph = graph_of(
        write(
            folder,
            PLAN.replace("?${page}", "").replace(
                "{timeout: 1s}", '{base_url: "http://localhost:1"}'
            ),
            None,
        )
    )

    assert graph.origins == ()
    assert "where they come from" not in explain_text(graph)


def test_another_file_or_none_is_asked_for(folder, tmp_path):
    """The one beside the plan is not read then."""
    path = write(folder, defaults="nonsense: [")
    other = tmp_path / "common.yaml"
    other.write_text(DEFAULTS)

    assert graph_of(path, defaults=str(other)).params["page"] == "http://localhost:2/page"
    assert faults_of(path, defaults="none") == [("plan.yaml", 4, 32, "unknown name `page`")]


def test_paths_are_relative_to_the_file_of_defaults(folder, tmp_path):
    """Also where the plan is in another folder and has `http` of its own."""
    (tmp_path / "common.yaml").write_text(DEFAULTS.replace("timeout: 5s", "ca: ca.pem"))
    path = write(folder, defaults=None)

    [(file, _, _, message)] = faults_of(path, defaults=str(tmp_path / "common.yaml"))

    assert file == "common.yaml"
    assert str(tmp_path / "ca.pem") in message


def test_findings_stand_where_they_are(folder):
    """In the file of defaults, beside those of the plan; overridden keys are checked too."""
    defaults = (
        "params:\n  host: {type: urll}\nhttp: {timeot: 1s, timeout: fast}\nusers: {}\nx-a: 1\n"
    )
    path = write(folder, defaults=defaults)

    assert [fault[:3] for fault in faults_of(path)] == [
        ("planrunner.yaml", 2, 16),
        ("planrunner.yaml", 3, 8),
        ("planrunner.yaml", 3, 29),
        ("planrunner.yaml", 4, 1),
    ]


def test_a_broken_file_of_defaults_stops_its_plans(folder):
    """It is named; an empty one is none."""
    assert faults_of(write(folder, defaults="http: {"))[0][0] == "planrunner.yaml"
    assert faults_of(write(folder, defaults="- a"))[0][3] == (
        "planrunner.yaml must be a mapping of keys such as `http:`, got a list"
    )
    plain = PLAN.replace("?${page}", "").replace("timeout: 1s", 'base_url: "http://localhost:1"')
    assert graph_of(write(folder, plain, "# nothing yet\n")).phases


def test_it_is_no_plan(folder):
    """Named as one, it says what it is."""
    write(folder)

    [(_, _, _, message)] = faults_of(folder / "planrunner.yaml")

    assert message.endswith("is not a plan: it holds defaults for the plans beside it")


def test_secrets_of_defaults_are_secrets(folder):
    """In findings about the file itself, and in the graph."""
    defaults = "params: {token: {type: str, secret: true, default: s3cr3t}}\n" + DEFAULTS.replace(
        "params:\n", "x-p:\n"
    ).replace('"${host}"', '"http://localhost:1"').replace('A: "1"', 'A: "${token}"')
    path = write(folder, PLAN.replace("${page}", "${token}"), defaults)

    assert "s3cr3t" in graph_of(path).secrets
    (folder / "planrunner.yaml").write_text(defaults.replace("type: str", "tipe: str"))
    with pytest.raises(PlanError) as caught:
        graph_of(path)
    assert "s3cr3t" not in "".join(f.source for f in caught.value.diagnostics)


def test_workers_compile_the_same_without_the_file(folder):
    """Its text is in the bundle, and so in the hash of the plan."""
    path = write(folder)
    plan = load(path, environ={})
    graph = compile_plan(plan)
    source = GraphSource(
        plan.bundle, plan.sources, selection=None, seed=graph.seed, ports={}, scratch=Path("/tmp/x")
    )
    write(folder, defaults=DEFAULTS.replace("500ms", "400ms"))

    assert source.compile().plan_hash == graph.plan_hash
    assert graph_of(path).plan_hash != graph.plan_hash


def test_a_stranger_reads_no_file_elsewhere(folder, tmp_path):
    """A link to the file of defaults leads no further than the plan may reach."""
    (tmp_path / "secret.yaml").write_text(DEFAULTS)
    path = write(folder, defaults=None)
    (folder / "planrunner.yaml").symlink_to(tmp_path / "secret.yaml")

    [fault] = faults_of(path, folders=Folders.below([folder]))
    assert fault[0] == "planrunner.yaml"


def test_it_is_checked_by_itself(folder):
    """Without a plan: keys, types, values of params."""
    write(folder, defaults="params: {n: {type: int, default: many}, m: {type: int}}\n")

    [fault] = check_defaults(folder / "planrunner.yaml", ParamSources())

    assert (fault.span.line, fault.message) == (
        1,
        "`n`: must be a whole number, got the text `many`",
    )


def test_editors_know_it():
    """The sections that plans have of those that defaults may have."""
    schema = json.loads(Path("schema/defaults.schema.json").read_text())

    assert schema == json.loads(json.dumps(defaults_schema()))
    assert {"params", "http", "thresholds", "report"} <= set(schema["properties"])


NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


@given(NAMES, NAMES)
def test_merged_params_keep_the_order_of_both_files_where_they_agree(own, added):
    """The plan's keep theirs, and so do those that only the defaults have."""
    plan = parse("params: {" + ", ".join(f"{name}: 1" for name in own) + "}", "plan.yaml")
    defaults = parse("params: {" + ", ".join(f"{name}: 2" for name in added) + "}", "p.yaml")

    merged = merge_defaults(plan, defaults).data["params"]

    assert [name for name in merged if name in own] == own
    assert [name for name in merged if name not in own] == [n for n in added if n not in own]
    assert all(merged[name] == 1 for name in own)
