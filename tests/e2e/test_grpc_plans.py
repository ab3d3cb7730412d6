"""Plans with gRPC from the command line: what is wrong before the load, and the embedded demo."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2 as reflected

import planrunner
from planrunner import User
from tests.support.grpc_servers import KITCHEN, honest, kitchen, reflecting, serve_kitchen
from tests.support.plans import Ended, PlanProject, running

EXAMPLES = Path(__file__).parents[1] / "examples"
EVERY = """\
name: kitchen
grpc: {{target: "{target}", {source}}}
users:
  Cook:
    steps:
      - grpc.call: {call}
phases: [{{users: 1, iterations: 1}}]
report: {{formats: [results.csv]}}
"""
COOK = "{method: kitchen.Kitchen/Cook, message: {small: 1}}"


PROTO = "proto: a/kitchen.proto"


def plan(call: str = COOK, *, target: str = "127.0.0.1:1", source: str = PROTO) -> str:
    return EVERY.format(target=target, source=source, call=call)


def validate(project: PlanProject, text: str, **files: str | bytes) -> Ended:
    named = {name.replace("__", "/").replace("_", "."): content for name, content in files.items()}
    return project.write({"plan.yaml": text, **named}).run("validate", "plan.yaml")


def test_services_are_described_by_files(project: PlanProject) -> None:
    """A .proto file, whose imports are looked for, or a descriptor set."""
    split = 'syntax = "proto3";\npackage kitchen;\nimport "b/dishes.proto";\n'
    service, dishes = KITCHEN[KITCHEN.index("service") :], KITCHEN[: KITCHEN.index("service")]
    done = validate(project, plan(), a__kitchen_proto=split + service, b__dishes_proto=dishes)
    assert (done.code, done.err) == (0, "")

    files = [kitchen().pool.FindFileByName("kitchen.proto").serialized_pb]
    described = descriptor_pb2.FileDescriptorSet(
        file=[descriptor_pb2.FileDescriptorProto.FromString(data) for data in files]
    ).SerializeToString()
    done = validate(project, plan(source="descriptor: a.binpb"), a_binpb=described)
    assert (done.code, done.err) == (0, "")
    done = validate(project, plan(source="descriptor: a.binpb"), a_binpb=b"no set")
    assert done.code == 2
    assert "plan.yaml:2:43: error[invalid-value]: `a.binpb` can't be used: it is not" in done.err


def test_what_protoc_finds_is_shown_where_it_is(project: PlanProject) -> None:
    """At the line of the .proto file; a missing import says where to look."""
    wrong = KITCHEN.replace('"google/protobuf/any.proto"', '"shop/none.proto"').replace(
        "int64 big = 2;", "int64 big = 1;"
    )

    done = validate(project, plan(), a__kitchen_proto=wrong)

    assert done.code == 2
    assert 'a/kitchen.proto:4:1: error[invalid-value]: import "shop/none.proto" was' in done.err
    assert "hint: name its folder in `import_paths`" in done.err
    assert "plan.yaml:2:38: note: named here" in done.err


@pytest.mark.parametrize(
    ("source", "call", "words"),
    [
        ("", COOK, ":2:7: error[missing-key]: nothing describes the services of `grpc`"),
        ("reflection: true, proto: a.proto", COOK, "and `proto` both describe the services"),
        ("proto: none.proto", COOK, ":2:38: error[no-such-file]: `none.proto` does not exist"),
        ("proto: a/k.proto", "kitchen.Kitchen.Cook", "hint: write `kitchen.Kitchen/Cook`"),
        (
            "proto: a/k.proto",
            "kitchen.Kitchen/Cok",
            ":6:20: error[unknown-name]: `kitchen.Kitchen`",
        ),
        ("proto: a/k.proto", "kitchen.Kitchn/Cook", "hint: did you mean `kitchen.Kitchen`?"),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, message: {smal: 1}}",
            ":6:61: error[unknown-key]: `kitchen.Dish` has no field `smal`",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, extract: {a: '$.many[0].smal'}}",
            "error[unknown-name]: `kitchen.Dish` has no field `smal`",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, expect: {json: {$.smal: 1}}}",
            "has no field `smal`\n",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, messages: [{}]}",
            ":6:51: error[not-allowed]: `Cook` takes one message, and no stream",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, expect: {events: 1}}",
            "error[not-allowed]: `Cook` replies with one message, and no stream",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, expect: {status: NOTFOUND}}",
            "hint: did you mean `NOT_FOUND`?",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, expect: {status: 5}}",
            "hint: write `NOT_FOUND`",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, metadata: {grpc-x: a}}",
            "`grpc-x` can't be the name of metadata",
        ),
        (
            "proto: a/k.proto",
            "{method: kitchen.Kitchen/Cook, metadata: {x-bin: é}}",
            "metadata `x-bin` is bytes, and the text is not base64",
        ),
        (
            "proto: a/k.proto, tls: false, ca: a/k.proto",
            COOK,
            "error[conflicting-keys]: a `ca` or `cert` has no use without TLS",
        ),
    ],
)
def test_what_is_known_without_a_server_is_said_by_validate(
    project: PlanProject, source: str, call: str, words: str
) -> None:
    """Where it stands, and what was meant."""
    done = validate(project, plan(call, source=source), a__k_proto=KITCHEN)

    assert done.code == 2
    assert words in done.err


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("http://127.0.0.1:5", "write `127.0.0.1:5`"),
        ("https://example.org:443", "write `example.org:443`, and `tls: true`"),
        ("example.org", "write `host:port`, such as `127.0.0.1:50051`"),
    ],
)
def test_a_target_is_a_host_and_a_port(project: PlanProject, target: str, hint: str) -> None:
    """URLs are what other protocols have."""
    done = validate(project, plan(target=target, source="reflection: true"))

    assert f"`{target}` is not a host and a port" in done.err
    assert f"hint: {hint}" in done.err


def test_a_stream_takes_all_rows_of_a_data_source(project: PlanProject) -> None:
    """Its columns are the fields; a source of lists gives each user a row of its own."""
    text = """\
name: kitchen
grpc: {target: "127.0.0.1:1", proto: a/kitchen.proto}
data: {dishes: {csv: d.csv, secret: [text]}, menus: {list: [[{small: 4}]]}}
users:
  Cook:
    steps:
      - grpc.call: {method: kitchen.Kitchen/Collect, stream_from: menus}
      - grpc.call: {method: kitchen.Kitchen/Collect, stream_from: dishes}
phases: [{users: 1, iterations: 1}]
"""
    files = {"d_csv": "small,text\n1,soup\n2,broth\n3,tea\n", "a__kitchen_proto": KITCHEN}

    done = validate(project, text.replace("from: dishes", "from: dish"), **files)
    assert "plan.yaml:8:67: error[unknown-name]: unknown name `dish`" in done.err
    assert "hint: did you mean `dishes`?" in done.err
    done = validate(project, text, **{**files, "d_csv": "smal\n1\n"})
    assert "plan.yaml:8:67: error[unknown-key]: `kitchen.Dish` has no field `smal`" in done.err

    with running(serve_kitchen()) as server:
        validate(project, text.replace("127.0.0.1:1", server.address), **files)
        done = project.run("execute", "plan.yaml")

        assert done.code == 0, done.err
        assert [one.small for one in server.dishes] == [1, 2, 3]


def test_what_only_the_server_knows_is_checked_before_load(project: PlanProject) -> None:
    """Exit code 2, at the line; nothing is called, and no report is written."""
    with running(serve_kitchen(reflection=honest)) as server:
        call = "{method: kitchen.Kitchen/Cook, message: {smal: 1}}"
        text = plan(call, target=server.address, source="reflection: true")
        done = project.write({"plan.yaml": text}).run("execute", "plan.yaml")
        assert done.code == 2
        assert "plan.yaml:6:61: error[unknown-key]: `kitchen.Dish` has no field `smal`" in done.err
        assert not server.dishes
        assert not done.files

        text = plan(target=server.address, source="reflection: true")
        done = project.write({"plan.yaml": text}).run("execute", "plan.yaml", "--seed", "1")
        assert done.code == 0, done.err
        assert len(server.dishes) == 1
        [row] = done.rows
        assert (row["status_code"], row["protocol"], row["method"]) == ("OK", "grpc", "call")


def services(*names: str) -> Any:
    return reflected.ServerReflectionResponse(
        list_services_response={"service": [{"name": name} for name in names]}
    )


def files(*contents: Any) -> Any:
    data = [
        content if isinstance(content, bytes) else content.SerializeToString()
        for content in contents
    ]
    return reflected.ServerReflectionResponse(
        file_descriptor_response={"file_descriptor_proto": data}
    )


EMPTY = descriptor_pb2.FileDescriptorProto(name="kitchen.proto", package="kitchen")
NEEDY = descriptor_pb2.FileDescriptorProto(name="kitchen.proto", dependency=["more.proto"])
BROKEN = descriptor_pb2.FileDescriptorProto(
    name="kitchen.proto", message_type=[{"name": "A", "field": [{"name": "a", "number": 0}]}]
)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([files(EMPTY)], "it answers something else than was asked"),
        ([services("kitchen.Kitchen"), services("a")], "it answers something else than was asked"),
        ([services("kitchen.Kitchen"), files(EMPTY)], "no file has the service `kitchen.Kitchen`"),
        ([services("kitchen.Kitchen"), files(b"\xff")], "a descriptor of a file can't be read"),
        ([services("kitchen.Kitchen"), files(EMPTY, BROKEN)], "two different files for `kitchen."),
        (
            [services("kitchen.Kitchen"), files(BROKEN)],
            "descriptor of `kitchen.proto` is not valid",
        ),
        ([services("kitchen.Kitchen"), files(NEEDY), files(EMPTY)], "two different files for"),
    ],
)
def test_reflection_that_lies_is_refused(
    project: PlanProject, answers: list[Any], words: str
) -> None:
    """In plain words, with what to do instead; exit code 3."""
    with running(serve_kitchen(reflection=reflecting(*answers))) as server:
        text = plan(target=server.address, source="reflection: true")
        done = project.write({"plan.yaml": text}).run("execute", "plan.yaml")

    assert done.code == 3
    assert f"what `{server.address}` says of its services can't be true: " in done.err
    assert words in done.err
    assert "hint: describe the services with `proto:` or `descriptor:` instead" in done.err


def test_a_server_without_reflection_says_so(project: PlanProject) -> None:
    """Neither of its versions."""
    with running(serve_kitchen()) as server:
        text = plan(target=server.address, source="reflection: true")
        done = project.write({"plan.yaml": text}).run("execute", "plan.yaml")

    assert done.code == 3
    assert f"`{server.address}` has no server reflection" in done.err


def test_thresholds_may_be_about_streams_that_only_the_server_knows(project: PlanProject) -> None:
    """The example has one; with files it is known that a reply is no stream."""
    example = (EXAMPLES / "routes.yaml").read_text("utf-8")
    assert project.write({"routes.yaml": example}).run("validate", "routes.yaml").code == 0

    limit = "thresholds: ['p95 first_event of \"grpc kitchen.Kitchen/Cook\" < 1s']\n"
    done = validate(project, plan(source="proto: k.proto") + limit, k_proto=KITCHEN)
    assert done.code == 2
    assert 'no request of `"grpc kitchen.Kitchen/Cook"` has `first_event`' in done.err
    assert "hint: call a method that replies with a stream" in done.err


@pytest.mark.slow
def test_the_example_of_the_language_runs_as_it_is(project: PlanProject) -> None:
    """tests/examples/routes.yaml, for a shorter time and by two workers."""
    project.write({"routes.yaml": (EXAMPLES / "routes.yaml").read_text("utf-8")})

    short = ("--hold", "1500ms", "--users", "4", "--workers", "2", "--formats", "results.csv")
    done = project.run("execute", "routes.yaml", *short)

    assert done.code in (0, 1), done.out + done.err  # a busy machine may be slow
    rows = {row["endpoint"].rpartition("/")[2]: row for row in done.rows}
    assert rows.keys() == {"GetFeature", "ListFeatures", "RecordRoute"}
    assert all(row["success"] == "true" for row in done.rows)
    assert float(rows["ListFeatures"]["first_event"]) > 0
    assert int(rows["ListFeatures"]["events"]) == int(float(rows["ListFeatures"]["work"])) > 10


def test_functions_call_methods_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the keys of plans; names are the same, and the reply is data."""
    seen: list[object] = []

    async def cook(user: User) -> None:
        reply = await user.grpc.call(method="kitchen.Kitchen/Cook", message={"small": 7})
        seen.append(reply.json["small"])

    monkeypatch.chdir(tmp_path)
    with running(serve_kitchen(reflection=honest)) as server:
        result = planrunner.run(
            planrunner.Plan(
                grpc={"target": server.address, "reflection": True},
                users={"Cook": {"tasks": cook}},
                phases=[{"users": 1, "iterations": 2}],
                report={"formats": ["metrics.json"]},
            )
        )

    assert seen == [7, 7]
    assert {name: one.failed for name, one in result.requests.items()} == {
        "grpc kitchen.Kitchen/Cook": 0
    }


def test_explain_names_the_server_and_what_streams(project: PlanProject) -> None:
    """As far as it is known: with reflection, only the server knows which replies are streams."""
    for source, shown in (("proto: k.proto", " (read piece by piece)"), ("reflection: true", "")):
        text = plan(
            "kitchen.Kitchen/Serve", target="example.org:443", source=f"tls: true, {source}"
        )
        done = project.write({"plan.yaml": text, "k.proto": KITCHEN}).run("explain", "plan.yaml")

        assert "a connection for each user over TLS\n    to example.org\n" in done.out
        assert f"\n      grpc kitchen.Kitchen/Serve{shown}\n" in done.out


@pytest.mark.slow
def test_once_shows_calls_and_masks_secrets(project: PlanProject) -> None:
    """Messages as JSON both ways; a secret in metadata is covered; a service is waited for."""
    text = """\
        name: once
        params: {token: {type: str, secret: true, default: s3cr3t-t0k3n}}
        services:
          guide:
            run: planrunner demo routes --port ${port}
            port: auto
            ready: {grpc: "127.0.0.1:${port}/routeguide.RouteGuide", every: 50ms}
        grpc:
          target: ${services.guide.address}
          reflection: true
          metadata: {authorization: "Bearer ${token}"}
        users:
          A:
            steps:
              - grpc.call:
                  method: routeguide.RouteGuide/RecordRoute
                  messages: [{latitude: 1}, {longitude: 2}]
                  extract: {points: $.point_count}
        phases: [{users: 1, iterations: 1}]
        """

    project.write({"plan.yaml": dedent(text)})
    done = project.run("execute", "plan.yaml", "--once", "--verbose")

    assert done.code == 0, done.err
    assert "→ routeguide.RouteGuide/RecordRoute 127.0.0.1:" in done.out
    assert '"latitude": 1,' in done.out
    assert '"point_count": 2,' in done.out
    assert "extract points = 2" in done.out
    assert "s3cr3t" not in done.out + done.err
    explained = project.run("explain", "plan.yaml").out
    assert "until its gRPC health service says SERVING" in explained
