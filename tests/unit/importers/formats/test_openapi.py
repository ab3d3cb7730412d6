"""Descriptions of APIs: what an operation becomes, one construct each."""
# ruff: noqa: E501 - an operation and its step are one line

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planrunner.errors import UsageError
from planrunner.importers.contract import ImportOptions
from planrunner.importers.importing import Imported, check, import_files
from planrunner.importers.sources import SourceFile
from planrunner.loss.ledger import Fate
from planrunner.plan.yaml.document import parse

JSON = "application/json"


def imported(document: object) -> Imported:
    source = SourceFile(None, "api.json", json.dumps(document).encode())
    return import_files([source], options=ImportOptions())


def api(
    operation: dict[str, object], verb: str = "get", path: str = "/x", **more: object
) -> object:
    servers = [{"url": "http://127.0.0.1/v1"}]
    return {
        "openapi": "3.0.3",
        "info": {"title": "shop"},
        "servers": servers,
        "paths": {path: {verb: operation}},
        **more,
    }


def query(name: str, **more: object) -> dict[str, object]:
    return {"parameters": [{"name": name, "in": "query", **more}]}


def body(kind: str, **schema: object) -> dict[str, object]:
    return {"requestBody": {"content": {kind: {"schema": schema}}}}


STEPS = [
    ("get", {}, {"get": "/x"}),
    ("get", {"responses": {"200": {"description": "ok"}, "404": {}}}, {"get": "/x", "expect": {"status": 200}}),
    ("get", {"responses": {"200": {}, "3XX": {}}}, {"get": "/x", "expect": {"status": [200, "3xx"]}}),
    ("get", query("q", required=True, schema={"type": "integer", "minimum": 5}), {"get": "/x", "name": "GET /x", "query": {"q": 5}}),
    ("get", query("q", schema={"type": "string", "default": "all"}), {"get": "/x", "query": {"q": "all"}}),
    ("get", query("q", schema={"type": "string"}), {"get": "/x"}),
    ("get", query("q", required=True, example="${x}"), {"get": "/x", "query": {"q": "$${x}"}}),
    ("get", {"parameters": [{"name": "X-A", "in": "header", "required": True, "schema": {"enum": ["b", "c"]}}]}, {"get": "/x", "headers": {"X-A": "b"}}),
    ("post", body(JSON, type="object", properties={"a": {"type": "integer"}, "b": {"format": "uuid", "type": "string"}}, required=["a", "b"]), {"post": "/x", "json": {"a": 1, "b": "${rand.uuid()}"}}),
    ("post", body(JSON, type="array", items={"type": "boolean"}), {"post": "/x", "json": [True]}),
    ("post", body(JSON, allOf=[{"properties": {"a": {"example": 2}}}, {"properties": {"b": {"default": "x"}}}]), {"post": "/x", "json": {"a": 2, "b": "x"}}),
    ("put", body("application/x-www-form-urlencoded", type="object", properties={"a": {"type": "string"}}), {"put": "/x", "form": {"a": "text"}}),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "operation", "step"), STEPS)
def test_an_operation_is_a_task(
    verb: str, operation: dict[str, object], step: dict[str, object]
) -> None:
    done = imported(api({"operationId": "do it", **operation}, verb))
    data = parse(done.text, "plan.yaml").data
    [task] = data["users"]["Client"]["tasks"]

    step = {key: value for key, value in step.items() if key != "name"}
    assert task == {"task": "do it", "steps": [step]}
    assert data["http"] == {"base_url": "http://127.0.0.1/v1"}


def test_ids_secrets_and_schemas_are_beside_the_requests() -> None:
    document = api(
        {
            "parameters": [
                {"name": "petId", "in": "path", "required": True, "schema": {"type": "integer"}}
            ],
            "security": [{"token": []}],
            "responses": {
                "200": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Pet"}}}}
            },
        },
        path="/pets/{petId}",
        components={
            "schemas": {
                "Pet": {
                    "type": "object",
                    "properties": {"owner": {"$ref": "#/components/schemas/Owner"}},
                },
                "Owner": {"type": "string", "nullable": True},
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    )
    done = imported(document)
    data = parse(done.text, "plan.yaml").data

    assert check(done) == ()
    [task] = data["users"]["Client"]["tasks"]
    assert task["steps"] == [
        {
            "get": "/pets/${pet_id}",
            "name": "GET /pets/{petId}",
            "auth": {"bearer": "${token}"},
            "expect": {"status": 200, "schema": "schemas/get_pets_pet_id.json"},
        }
    ]
    assert data["params"]["pet_id"] == {"type": "int", "default": 1}
    assert data["params"]["token"]["secret"] is True
    content = done.files["schemas/get_pets_pet_id.json"]
    assert isinstance(content, bytes)
    assert json.loads(content)["components"]["schemas"]["Owner"] == {"type": ["string", "null"]}


def test_swagger_2_is_read_too() -> None:
    document = {
        "swagger": "2.0",
        "host": "127.0.0.1",
        "basePath": "/api",
        "schemes": ["http"],
        "paths": {
            "/x": {
                "parameters": [{"name": "f", "in": "formData", "type": "string", "required": True}],
                "post": {"responses": {"201": {"schema": {"type": "object"}}}},
            }
        },
    }
    done = imported(document)

    assert check(done) == ()
    assert parse(done.text, "p").data["users"]["Client"]["tasks"] == [
        {
            "task": "POST /x",
            "steps": [
                {
                    "post": "/x",
                    "form": {"f": "text"},
                    "expect": {"status": 201, "schema": "schemas/post_x.json"},
                }
            ],
        }
    ]


def test_circles_end_and_nothing_is_fetched() -> None:
    node = {"$ref": "#/components/schemas/Node"}
    schemas = {
        "Node": {"type": "object", "required": ["next"], "properties": {"next": node}},
        "Loop": {"$ref": "#/components/schemas/Loop"},
    }
    operation = {
        "requestBody": {"content": {JSON: {"schema": node}}},
        "parameters": [
            {"$ref": "http://127.0.0.1:1/p.json"},
            {"$ref": "../outside.json"},
            {"$ref": "#/components/schemas/Loop"},
        ],
        "callbacks": {"done": {}},
    }
    done = imported(api(operation, "post", components={"schemas": schemas}))

    assert check(done) == ()
    left_out = [
        one.words.rpartition(".")[2] for one in done.ledger.findings() if one.fate is Fate.LEFT_OUT
    ]
    assert left_out == ["$ref", "$ref", "callbacks", "done"]


def test_local_files_are_read_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text("Q: {name: q, in: query, required: true, example: 7}\n")
    main = tmp_path / "api.yaml"
    main.write_text(
        "openapi: 3.1.0\npaths:\n  /x:\n    get:\n      parameters: [{$ref: 'parts.yaml#/Q'}]\n"
    )
    source = SourceFile(main, "api.yaml")

    with_it = import_files([source], options=ImportOptions(resolves=True))
    without = import_files([source], options=ImportOptions())

    assert "query: {q: 7}" in with_it.text
    assert "--resolve" in without.text


@pytest.mark.parametrize(
    "document",
    [{"openapi": "3.0.0"}, {"openapi": "3.0.0", "paths": {}}, {"swagger": "2.0", "paths": []}],
)
def test_what_describes_nothing_is_refused(document: object) -> None:
    with pytest.raises(UsageError, match=r"api\.json"):
        imported(document)
