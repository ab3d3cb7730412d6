"""Exports of Insomnia, one construct each, and what becomes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse

URL = "http://127.0.0.1/x"
# ruff: noqa: E501 - a construct and what it becomes are one line


def request(name: str = "one", parent: str = "wrk_1", **keys: object) -> dict[str, object]:
    return {
        "_id": f"req_{name}",
        "_type": "request",
        "parentId": parent,
        "name": name,
        "method": "GET",
        "url": URL,
        **keys,
    }


def export(*resources: object) -> bytes:
    workspace = {"_id": "wrk_1", "_type": "workspace", "parentId": None, "name": "Shop"}
    return json.dumps(
        {"_type": "export", "__export_format": 4, "resources": [workspace, *resources]}
    ).encode()


def imported(content: bytes, name: str = "shop.json") -> Imported:
    return import_files([SourceFile(None, name, content)], options=ImportOptions())


def steps_of(done: Imported) -> list[Any]:
    return list(parse(done.text, "plan.yaml").data["users"]["Shop"]["steps"])


STEPS = [
    (request(parameters=[{"name": "a", "value": "1 &"}, {"name": "b", "value": "2", "disabled": True}]), {"get": "/x?a=1%20%26"}),
    (request(headers=[{"name": "X-A", "value": "b"}, {"name": "Content-Length", "value": "1"}]), {"get": "/x", "headers": {"X-A": "b"}}),
    (request(method="POST", body={"mimeType": "application/json", "text": '{"id": "{% uuid \'v4\' %}"}'}), {"post": "/x", "json": {"id": "${rand.uuid()}"}}),
    (request(method="POST", body={"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}), {"post": "/x", "form": {"a": ["1", "2"]}}),
    (request(method="POST", body={"mimeType": "multipart/form-data", "params": [{"name": "f", "type": "file", "fileName": "/tmp/cat.png"}]}), {"post": "/x", "multipart": {"f": {"file": "cat.png"}}}),
    (request(method="PUT", body={"mimeType": "text/plain", "text": "${hi}"}), {"put": "/x", "body": "$${hi}"}),
    (request(authentication={"type": "basic", "username": "ada", "password": "x"}), {"get": "/x", "auth": {"basic": {"username": "ada", "password": "${password}"}}}),
    (request(authentication={"type": "bearer", "token": "x", "disabled": True}), {"get": "/x"}),
    (request(authentication={"type": "apikey", "key": "X-K", "value": "v", "addTo": "header"}), {"get": "/x", "auth": {"api_key": {"header": "X-K", "value": "${value}"}}}),
    (request(settingFollowRedirects="off"), {"get": "/x", "follow_redirects": False}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "step"), STEPS)
def test_a_request_is_a_step(given: object, step: dict[str, object]) -> None:
    assert steps_of(imported(export(given))) == [{"name": "one", **step}]


def test_folders_are_groups_in_their_order_and_environments_params() -> None:
    """Members are sorted as Insomnia shows them; the plan validates; secrets have no values."""
    folder = {
        "_id": "fld_1",
        "_type": "request_group",
        "parentId": "wrk_1",
        "name": "Items",
        "metaSortKey": 1,
    }
    environment = {
        "_id": "env_1",
        "_type": "environment",
        "parentId": "wrk_1",
        "data": {"host": "http://127.0.0.1", "api": {"path": "v1"}, "token": "abc"},
    }
    done = imported(
        export(
            folder,
            request("two", "fld_1", metaSortKey=2, url="{{ _.host }}/{{ _.api.path }}"),
            request(
                "one",
                "fld_1",
                metaSortKey=1,
                url="{{host}}/{{ unknown }}",
                authentication={"type": "bearer", "token": "{{ _.token }}"},
            ),
            environment,
        )
    )

    assert steps_of(done) == [
        {
            "group": "Items",
            "do": [
                {"get": "/${unknown}", "name": "one", "auth": {"bearer": "${token}"}},
                {"get": "/${api_path}", "name": "two"},
            ],
        }
    ]
    assert "abc" not in done.text
    assert not check(done)


def test_the_newer_format_is_read_too() -> None:
    text = """
type: collection.insomnia.rest/5.0
name: Shop
collection:
  - name: Items
    children:
      - {url: "{{ base }}/a", name: one, method: GET, scripts: {preRequest: "insomnia.x()"}}
environments: {name: Base, data: {base: "http://127.0.0.1"}}
"""
    done = imported(text.encode(), "shop.yaml")

    assert steps_of(done) == [{"group": "Items", "do": [{"get": "/a", "name": "one"}]}]
    assert {one.fate for one in done.ledger.findings()} == {Fate.LEFT_OUT}
    assert not check(done)


def test_what_can_not_be_sent_is_named() -> None:
    socket = {
        "_id": "ws",
        "_type": "websocket_request",
        "parentId": "wrk_1",
        "name": "chat",
        "url": "ws://127.0.0.1",
    }
    loop = {"_id": "fld_2", "_type": "request_group", "parentId": "fld_2", "name": "Loop"}
    answer = request("two", url=URL + "/{% response 'body', 'req_1' %}")

    done = imported(export(request(), request("three", method="LINK"), answer, socket, loop))

    assert sorted(one.words for one in done.ledger.findings() if one.fate is Fate.LEFT_OUT) == [
        "chat",
        "resources[2].method",
        "{% response 'body', 'req_1' %}",
    ]


def test_an_export_without_a_request_is_a_fault() -> None:
    with pytest.raises(ImportFault, match="no request that can be sent"):
        imported(export())
