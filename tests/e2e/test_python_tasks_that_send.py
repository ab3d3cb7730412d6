"""What requests of functions send, over HTTP and to a real etcd."""

from __future__ import annotations

from pathlib import Path

import pytest

import planrunner
from planrunner import Result, User
from tests.support.etcd_servers import cluster, needs_etcd
from tests.support.http_servers import HttpServer


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are written below the current directory."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    monkeypatch.chdir(folder)


def run_one(function: object, **sections: object) -> Result:
    plan = planrunner.Plan(
        users={"Buyer": {"tasks": function}},
        phases=[{"name": "main", "users": 1, "iterations": 2}],
        report={"formats": ["metrics.json"]},
        **sections,
    )
    return planrunner.run(plan)


def test_a_body_is_text_or_bytes(target: HttpServer) -> None:
    """Whichever it is each time, and an empty one is a body."""

    async def send(user: User) -> None:
        for body in (b"\x00\xff", "\u00fc", b""):
            await user.post("/a", body=body, headers={"Content-Type": "x/y"})

    result = run_one(send, http={"base_url": target.url})

    assert not result.total.failed
    assert {one.headers["content-type"] for one in target.requests} == {"x/y"}
    assert [one.body for one in target.requests[:3]] == [b"\x00\xff", b"\xc3\xbc", b""]
    assert target.requests[2].headers["content-length"] == "0"


def test_what_is_not_json_is_said(target: HttpServer) -> None:
    """Of the request that can't be sent, and where in its body."""

    async def send(user: User) -> None:
        await user.post("/a", json={"ids": {1, 2}})

    result = run_one(send, http={"base_url": target.url})

    assert [(one.request, one.kind, one.count) for one in result.failures] == [
        ("POST /a", "extract", 2)
    ]
    assert "a `set` can't be written as JSON, which is what `ids` is" in result.failures[0].reason
    assert not target.requests


@needs_etcd
@pytest.mark.slow
def test_a_function_talks_to_etcd(tmp_path: Path) -> None:
    """As steps do: with expectations, and replies in the words of etcd."""
    seen: list[object] = []

    async def store(user: User) -> None:
        key = f"/k/{user.vars['iteration']}"
        put = await user.etcd.put(key=key, value="v\u00fc")
        got = await user.etcd.get(key=key, expect={"found": True, "value": "v\u00fc"})
        lost = await user.etcd.get(key="/none", name="lost", expect={"found": True})
        seen.append((put.ok, got.json["kvs"][0]["value"], lost.failure))

    with cluster(tmp_path) as etcd:
        result = run_one(store, etcd={"endpoints": [*etcd.endpoints]})

    assert seen == [(True, "v\u00fc", "expect")] * 2
    assert [(name, one.count, one.failed) for name, one in result.requests.items()] == [
        ("etcd.get /k/0", 1, 0),
        ("etcd.get /k/1", 1, 0),
        ("etcd.put /k/0", 1, 0),
        ("etcd.put /k/1", 1, 0),
        ("lost", 2, 2),
    ]
