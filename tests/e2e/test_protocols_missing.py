"""What a plan of each protocol says where its packages are not installed."""

from __future__ import annotations

import pytest

from tests.support.missing import hidden
from tests.support.plans import PlanProject, plan_text

PROTO = 'syntax = "proto3"; package a; message M {} service B { rpc C (M) returns (M); }'
CALL = "users: {A: {steps: [{grpc.call: {method: a.B/C, message: {}}}]}}"


@pytest.mark.parametrize(
    ("module", "section", "users", "extra"),
    [
        ("jh2", 'http: {base_url: "http://127.0.0.1:1", version: 2}', "", "http2"),
        ("picows", "", "users: {A: {steps: [{ws.connect: /chat}]}}", "ws"),
        ("grpc_tools", "grpc: {target: '127.0.0.1:1', proto: a.proto}", CALL, "grpc"),
        ("grpc_reflection", "grpc: {target: '127.0.0.1:1', reflection: true}", CALL, "grpc"),
        ("sqlalchemy", "sql: {url: 'sqlite:///a.db'}", "", "sql"),
        ("aiosqlite", "sql: {url: 'sqlite:///a.db'}", "", "sql"),
        ("pyarrow", "data: {rows: {parquet: a.parquet}}", "", "data"),
    ],
)
def test_validate_says_what_to_install(
    project: PlanProject, module: str, section: str, users: str, extra: str
) -> None:
    """At the place that needs it, before anything is sent."""
    users = users or "users: {A: {steps: [{get: /}]}}"
    if section.startswith("sql"):
        users = "users: {A: {steps: [{sql.query: select 1}]}}"
    project.write({"plan.yaml": plan_text(section, users), "a.proto": PROTO, "a.parquet": b"PAR1"})

    with hidden(module):
        ended = project.run("validate", "plan.yaml")

    assert ended.code == 2
    assert "error[not-available]" in ended.err
    assert f"hint: pip install 'planrunner[{extra}]'" in ended.err
