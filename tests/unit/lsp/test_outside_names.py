"""Names that other files give, and those of connections: where they are, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2
from lsprotocol import types
from pygls import uris

from planrunner.lsp.completion.serving import complete
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.hovering.about import hover
from planrunner.lsp.navigation.jumps import definitions, references
from planrunner.lsp.navigation.renaming import prepare_rename
from planrunner.lsp.outside.grpc_methods import methods_of_set
from tests.support.plan_views import place_of, typed, view_of

PLAN = """\
name: chat
http: {base_url: "http://127.0.0.1:1"}
hooks: own hooks.py
data: {people: {csv: people.csv}, rows: {list: [{key: a, value: b}]}}
grpc: {target: "127.0.0.1:1", proto: [api/greeter.proto]}
sql: {databases: {stock: "sqlite:///a.db", sales: "sqlite:///b.db"}}
users:
  Guest:
    steps:
      - python: sign
      - python: {call: "tools:count", args: {n: 1}}
      - python: {call: "inner.deep:dig"}
      - grpc.call: greet.v1.Greeter/Hello
      - ws.connect: {url: /prices, on: prices}
      - ws.send: {text: hi, on: prices}
      - ws.close: {on: prices}
      - sql.query: {statement: select 1, database: stock}
      - barrier: together
stages: [{duration: 1s, users: 1}]
"""
PROTO = """\
syntax = "proto3";
package greet.v1;
// Greets people; not service Fake { rpc No (A) returns (B); }
service Greeter {
  // Says hello.
  rpc Hello (HelloRequest) returns (stream HelloReply);
  rpc Bye(HelloRequest) returns (HelloReply) {}
}
message HelloRequest { string name = 1; }
message HelloReply { string text = 1; }
"""


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> PlanView:
    folder = tmp_path_factory.mktemp("outside names")
    for file, text in {
        "plan.yaml": PLAN,
        "own hooks.py": 'import os\n\n\ndef sign(user, *, key=None):\n    """Sign in."""\n',
        "tools.py": "async def count(n): ...\n\n\ndef _hidden(): ...\n",
        "inner/deep.py": "def dig(): ...\n",
        "api/greeter.proto": PROTO,
        "people.csv": "name,mail\nAda,ada@a.b\n",
    }.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text)
    return view_of(folder / "plan.yaml")


@pytest.mark.parametrize(
    ("words", "file", "line", "said"),
    [
        ("sign\n", "own hooks.py", 3, "`sign(user, *, key=None)`|Sign in."),
        ("tools:count", "tools.py", 0, "`count(n)`"),
        ("inner.deep:dig", "deep.py", 0, "`dig()`"),
        ("greet.v1.Gre", "greeter.proto", 5, "returns (stream HelloReply)|Says hello."),
        ("prices}\n      - ws.close", "plan.yaml", 13, "**connection** `prices`"),
        ("stock}", "plan.yaml", 5, "**database** `stock`"),
        ("together", "plan.yaml", 17, "**barrier** `together`"),
    ],
)
def test_a_name_leads_to_the_file_that_gives_it(
    view: PlanView, words: str, file: str, line: int, said: str
) -> None:
    """And says there what it is."""
    place = place_of(PLAN, PLAN.index(words) + 1)

    (found,) = definitions(view, place)
    shown = hover(view, place)

    assert Path(uris.to_fs_path(found.uri) or "").name == file
    assert found.range.start.line == line
    assert shown is not None
    assert isinstance(shown.contents, types.MarkupContent)
    assert [part for part in said.split("|") if part not in shown.contents.value] == []
    is_of_plan = file == "plan.yaml"
    assert (prepare_rename(view, place) is not None) is is_of_plan
    assert references(view, place, with_definitions=True)


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("python: sign", "python: ¦", ["sign", "tools:count"]),
        ('call: "tools:count"', "call: ¦", ["sign", "tools:count"]),
        ("grpc.call: greet", "grpc.call: ¦", ["greet.v1.Greeter/Hello", "greet.v1.Greeter/Bye"]),
        ("text: hi, on: prices", "text: hi, on: ¦", ["prices"]),
        ("database: stock", "database: ¦", ["stock", "sales"]),
        ("text: hi", 'text: "${people.¦}"', ["name", "mail"]),
        ("text: hi", 'text: "${rows.¦}"', ["key", "value"]),
    ],
)
def test_names_of_other_files_are_offered(
    view: PlanView, old: str, new: str, wanted: list[str]
) -> None:
    """Private functions aren't."""
    labels = [one.label for one in complete(*typed(view, old, new)).items]

    assert labels[: len(wanted)] == wanted
    assert "tools:_hidden" not in labels


def test_methods_of_a_descriptor_set_are_offered(tmp_path: Path) -> None:
    """What `protoc --descriptor_set_out` writes; what is none has none."""
    reply = {"input_type": ".greet.v1.Ask", "output_type": ".other.Answer"}
    file = descriptor_pb2.FileDescriptorProto(name="greeter.proto", package="greet.v1")
    file.service.add(name="Greeter").method.add(name="Hello", server_streaming=True, **reply)
    described = descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString()
    (tmp_path / "api.binpb").write_bytes(described)
    (tmp_path / "plan.yaml").write_text(
        PLAN.replace("proto: [api/greeter.proto]", "descriptor: api.binpb")
    )
    view = view_of(tmp_path / "plan.yaml")

    items = complete(*typed(view, "grpc.call: greet", "grpc.call: ¦")).items
    [hello] = [one for one in items if one.label == "greet.v1.Greeter/Hello"]
    assert hello.detail == "Hello(Ask) returns (stream other.Answer), of api.binpb"

    (tmp_path / "api.binpb").write_bytes(b"none")
    assert list(methods_of_set(tmp_path / "api.binpb")) == []
