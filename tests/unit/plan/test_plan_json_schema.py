"""The schema that editors use: fresh, sound, and in the shape that they complete best."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from planrunner.demo import DEMOS, GRPC_DEMOS
from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.thresholds import parse_threshold
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.schema.json_schema import plan_schema
from planrunner.plan.schema.protocol_docs import protocol_page
from planrunner.plan.schema.reference_docs import reference_page
from planrunner.plan.templates import aimed, purpose_of, template, template_names
from planrunner.plan.yaml.document import parse
from planrunner.protocols import registry

ROOT = Path(__file__).parents[3]
PLANS = [
    *sorted((ROOT / "plans").glob("*.yaml")),
    *sorted((ROOT / "tests" / "examples").glob("*.yaml")),
]


def data_of(text: str) -> object:
    return parse(text, "plan.yaml").data


@cache
def schema_once() -> dict[str, Any]:
    return plan_schema()


@cache
def validator() -> Draft7Validator:
    return Draft7Validator(schema_once())


def objects(schema: object) -> Iterator[dict[str, Any]]:
    """Yield every schema of a mapping."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for inner in schema.values():
            yield from objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


def test_the_schema_file_is_fresh() -> None:
    """`make schema` writes it."""
    written = (ROOT / "schema" / "plan.schema.json").read_text(encoding="utf-8")

    assert written == json.dumps(plan_schema(), indent=2, ensure_ascii=False) + "\n"


def test_the_reference_page_is_fresh() -> None:
    """`make schema` writes it."""
    written = (ROOT / "docs" / "reference" / "plan.md").read_text(encoding="utf-8")

    assert written == reference_page()


def test_the_page_of_protocols_is_fresh() -> None:
    """`make schema` writes it; without packages that bring more."""
    written = (ROOT / "docs" / "reference" / "protocols.md").read_text(encoding="utf-8")

    assert written == protocol_page()


def test_the_reference_page_has_every_key() -> None:
    """Of every mapping of the language."""
    page = reference_page()

    for schema in objects(schema_once()):
        for key in schema["properties"]:
            assert f"| `{key}` |" in page or key in ("as", "flow"), key


def test_links_of_the_reference_page_lead_somewhere() -> None:
    """Each type that is a mapping has a section."""
    page = reference_page()
    anchors = {
        line.lstrip("# ").lower().replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("#")
    }

    links = {piece.partition(")")[0] for piece in page.split("](#")[1:]}

    assert links <= anchors


def test_the_schema_is_draft_07_and_refers_to_what_it_has() -> None:
    """Editors support draft-07 best."""
    schema = schema_once()

    Draft7Validator.check_schema(schema)
    text = json.dumps(schema)
    used = {re.split('["/]', piece)[0] for piece in text.split("#/definitions/")[1:]}
    assert used == set(schema["definitions"])


def test_the_schema_has_the_shape_that_editors_complete_best() -> None:
    """No allOf, no titles on keys, documentation on each; what null means comes last."""
    for schema in objects(schema_once()):
        for key, value in schema["properties"].items():
            if value.keys() == {"$ref"} and "/properties/" in value["$ref"]:
                continue  # the documentation is there
            assert {"allOf", "oneOf", "title", "examples"}.isdisjoint(value), key
            assert {"type": "null"} not in value.get("anyOf", ())[:-1], key
            assert value.get("default", "") is not None, key
            assert value["markdownDescription"], key


def test_there_are_snippets_where_something_new_begins() -> None:
    """For steps, tasks, users, phases, stages and thresholds."""
    definitions = schema_once()["definitions"]

    for name in ("StepKeys", "TaskKeys", "User", "Phase", "Stage", "Threshold"):
        definition = definitions[name]
        assert definition.get("defaultSnippets") or definition["anyOf"][0]["defaultSnippets"], name


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_plans_match_the_schema(path: Path) -> None:
    """What the models accept, the schema accepts."""
    faults = [fault.message for fault in validator().iter_errors(data_of(path.read_text("utf-8")))]

    assert faults == []


@pytest.mark.parametrize("url", ["", "http://[::1]:8000/v1/${x}?q=1"])
@pytest.mark.parametrize("name", template_names())
def test_a_template_is_a_plan_for_its_demo_and_for_any_url(name: str, url: str) -> None:
    """For the models and for the schema; its first line says what it is for."""
    text = aimed(template(name), url) if url else template(name)
    data = data_of(text)

    plan = PlanModel.model_validate(data)

    validator().validate(data)
    assert 10 < len(purpose_of(name)) < 80
    assert bool(plan.services) is not bool(url)
    assert data["http"]["base_url"].startswith("http://[::1]:8000" if url else "${services.")


@pytest.mark.parametrize(
    "text",
    [
        "name: a\nunknown: 1",
        "users: {}",
        "name: a\nusers: {A: {wait: 1 second, steps: [{get: /}]}}",
        "name: a\nusers: {A: {steps: [{gte: /}]}}",
        "name: a\nusers: {A: {steps: [{get: /, put: /}]}}",
        "name: a\nusers: {A: {steps: [{think: 1s, expect: {status: 200}}]}}",
        "name: a\nusers: {A: {tasks: [{get: /, do: []}]}}",
        "name: a\nphases: [{users: many}]",
        "name: a\nstages: '2m'",
        "name: a\nthresholds: [p95]",
    ],
)
def test_the_schema_sees_common_slips(text: str) -> None:
    """Typos, units, missing names: an editor underlines them."""
    assert not validator().is_valid(data_of(text))


def test_editors_offer_every_aggregation_and_measure() -> None:
    """In the long form by its words, and as a sentence that reads as a threshold."""
    long, short = schema_once()["definitions"]["Threshold"]["anyOf"]
    measures = registry.measures()
    named = [word for word in measures if word != "latency"]
    words = [word for record in AGGREGATIONS.values() for word in record.spellings]
    words += [f"p95 {word}" for word in named]
    offered = [snippet["body"] for snippet in short["defaultSnippets"]]

    assert long["properties"]["metric"]["anyOf"][0]["enum"] == words
    assert [str(parse_threshold(text, measures)) for text in offered] == offered
    assert len(offered) == len(AGGREGATIONS) + len(named)


def test_editors_offer_every_demo() -> None:
    """The model can't ask the package of demos, which stands above it."""
    snippets = schema_once()["definitions"]["Service"]["properties"]["demo"]["defaultSnippets"]

    assert {snippet["body"] for snippet in snippets} == {*DEMOS, *GRPC_DEMOS}
