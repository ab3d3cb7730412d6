"""What can be known of a request before anything connects, whatever its protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from planrunner.compiler import compile_plan
from planrunner.language.diagnostics import PlanError
from planrunner.plan.loader import load

HTTP = "http: {base_url: 'https://127.0.0.1:1'}"
SQL = "sql: {url: 'sqlite:///x.db'}"
GRPC = "grpc: {target: '127.0.0.1:1', reflection: true, ca: junk.pem}"
FAULTS = {
    "no certificate": ("http: {base_url: 'https://a', ca: junk.pem}", "get: /", "no certificate"),
    "no key": ("http: {base_url: 'https://a', cert: junk.pem}", "get: /", "or no key"),
    "gRPC": (GRPC, "grpc.call: a.B/C", "no certificate"),
    "etcd": ("etcd: {endpoints: ['a:1'], ca: junk.pem}", "etcd.get: {key: a}", "no certificate"),
    "bounds": (HTTP, "{get: /, expect: {json: {$.a: {min: 3, max: 2}}}}", "at least 3 and"),
    "events": (HTTP, "{get: /, stream: lines, expect: {events: {min: 3, max: 2}}}", "at most 2"),
    "rows": (
        SQL,
        "sql.query: {statement: select 1, expect: {rows: {min: 3, max: 2}}}",
        "at most 2",
    ),
    "pasted": (SQL, 'sql.query: "select ${run.id}"', "never pasted"),
    "handshake": (HTTP, "ws.connect: {url: /, headers: {Connection: a}}", "`Connection` cannot"),
    "no host": (HTTP, "ws.connect: 'ws:///a'", "the URL names no host"),
}
FINE = [
    (SQL, "sql.query: \"select '$${x}'\""),
    (HTTP, "ws.connect: {url: /, headers: {Upgrade-Insecure-Requests: '1'}}"),
    (HTTP, "{get: /, expect: {json: {$.a: {min: 2, max: 2, length: {min: 1}}}}}"),
]


def compiled(folder: Path, settings: str, step: str) -> None:
    (folder / "junk.pem").write_text("junk")
    load_words = "phases: [{users: 1, iterations: 1}]"
    text = f"name: x\n{settings}\nusers: {{U: {{steps: [\n{step}\n]}}}}\n{load_words}\n"
    (folder / "plan.yaml").write_text(text)
    compile_plan(load(folder / "plan.yaml", environ={}))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_known_before_anything_connects(tmp_path: Path, name: str) -> None:
    settings, step, words = FAULTS[name]

    with pytest.raises(PlanError) as caught:
        compiled(tmp_path, settings, step)

    [found] = caught.value.diagnostics
    assert words in found.message


@pytest.mark.parametrize(("settings", "step"), FINE)
def test_what_only_looks_like_one_is_none(tmp_path: Path, settings: str, step: str) -> None:
    compiled(tmp_path, settings, step)
