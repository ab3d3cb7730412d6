"""Whole plans: the shipped examples, the root's own rules, and every documented example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from planrunner.language.fields.mapping import GUESTS, PlanMapping
from planrunner.plan.models.load.workload import LoadKind
from planrunner.plan.models.plan import ImportModel, PlanModel
from planrunner.plan.yaml.document import parse
from tests.support.plan_models import found_in, plain, subclasses

EXAMPLES = Path(__file__).parents[2] / "examples"
USERS = "users: {A: {steps: [{get: /}]}}\n"


@pytest.mark.parametrize(
    "name", ["front-page", "stress", "platform", "etcd-helper", "database", "assistant"]
)
def test_the_examples_of_the_language_are_plans(name: str) -> None:
    """They use nearly every key."""
    document = parse((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"), name)

    assert not document.faults
    assert PlanModel.model_validate(document.data).name


def test_an_import_is_a_plan_without_a_name() -> None:
    """It holds users, flows, data and thresholds; each part may be empty."""
    text = (EXAMPLES / "shared" / "auth.yaml").read_text(encoding="utf-8")

    assert ImportModel.model_validate(parse(text, "auth.yaml").data).flows
    assert ImportModel.model_validate(plain("{users: null, flows: {}, data: , x-a: 1}"))
    (fault,) = found_in(ImportModel, "{name: x}")
    assert fault.hint.startswith("`name` belongs to the plan that imports this file")


def test_own_keys_are_the_authors() -> None:
    """Keys with `x-` hold anchors; only at the root, and nothing looks into them."""
    text = f"name: a\n{USERS}stages: '1m:1'\nx-anything: [1, {{a: b}}]"

    assert PlanModel.model_validate(plain(text)).name == "a"
    (fault,) = found_in(PlanModel, text.replace("steps:", "x-a: 1, steps:"))
    assert (fault.code, fault.key) == ("unknown-key", "x-a")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (f"name: a\n{USERS}", ["missing-key"]),
        (f"name: a\n{USERS}stages: '1m:1'\nphases: [{{users: 1, hold: 1s}}]", ["conflicting-keys"]),
        (f"name: a\n{USERS}phases: []", ["no-load"]),
        (f"name: a\n{USERS}profiles: {{}}", ["no-load"]),
        (f"name: a\n{USERS}profiles: {{smoke: []}}", ["no-load"]),
        (f"name: a\n{USERS}stage: '1m:1'", ["unknown-key"]),
        (f"{USERS}stages: '1m:1'", ["missing"]),
        (f"name: ''\n{USERS}stages: '1m:1'", ["string_too_short"]),
        (f"name: 1\n{USERS}stages: '1m:1'", ["string_type"]),
        ("name: a\nstages: '1m:1'", ["missing-key"]),
        ("name: a\nuser: {}\nstages: '1m:1'", ["unknown-key"]),
        (f"name: a\nplanrunner: 2\n{USERS}stages: '1m:1'", ["literal_error"]),
        (f"name: a\nparams: {{json: {{type: int}}}}\n{USERS}stages: '1m:1'", ["reserved-name"]),
        (
            f"name: a\nparams: {{a: {{type: str, min: 1}}}}\n{USERS}stages: '1m:1'",
            ["conflicting-keys"],
        ),
        (f"name: a\nthresholds: [p95 < 500]\n{USERS}stages: '1m:1'", ["threshold-syntax"]),
        (f"name: a\nreport: {{samples: some}}\n{USERS}stages: '1m:1'", ["invalid-value"]),
        (f"name: a\nreport: {{formats: [pdf]}}\n{USERS}stages: '1m:1'", ["literal_error"]),
        (f"name: a\nseed: lucky\n{USERS}stages: '1m:1'", ["invalid-value"]),
    ],
)
def test_rules_of_the_root(text: str, codes: list[str]) -> None:
    """One fault each; nothing is said twice."""
    assert [fault.code for fault in found_in(PlanModel, text)] == codes


def test_every_fault_of_a_plan_is_found_at_once() -> None:
    """A plan without load, without name, with a bad class, param and threshold."""
    text = "users: {A: {tasks: [{get: /, weight: 0}]}}\nparams: {a: {}}\nthresholds: [p95]"

    codes = {fault.code for fault in found_in(PlanModel, text)}

    assert codes == {"missing-key", "missing", "invalid-value", "threshold-syntax"}


@pytest.mark.parametrize(
    ("load", "profile", "places"),
    [
        ("stages: '1m:1, 1m:5'", None, [()]),
        (
            "phases: [{users: 1, hold: 1s}, {rate: 1/s, hold: 1s}]",
            None,
            [("phases", 0), ("phases", 1)],
        ),
        ("profiles: {a: [{users: 1, hold: 1s}], b: []}", "a", [("profiles", "a", 0)]),
        ("profiles: {a: [{users: 1, hold: 1s}]}", None, [("profiles", "a", 0)]),
    ],
)
def test_the_schedule_is_one_shape(
    load: str, profile: str | None, places: list[tuple[object, ...]]
) -> None:
    """Stages at the root are one phase; without a profile the first one runs."""
    text = f"name: a\n{USERS}{load.replace('b: []', 'b: [{users: 1, hold: 1s}]')}"

    schedule = PlanModel.model_validate(plain(text)).schedule(profile)

    assert [placed.path for placed in schedule] == places
    assert schedule[0].phase.kind is LoadKind.CLOSED


def mappings() -> list[type[PlanMapping]]:
    found = {
        model for model in subclasses(PlanMapping) if model.__module__.startswith("planrunner")
    }
    return sorted(found - {ImportModel}, key=lambda model: model.__name__)


@pytest.mark.parametrize("model", mappings(), ids=lambda model: model.__name__)
def test_every_key_has_a_description_and_examples_that_hold(model: type[PlanMapping]) -> None:
    """Documentation and completion are made from them."""
    for key, description, examples in documented(model):
        assert description, key
        assert examples, key
        for example in examples:
            assert not faults_at(model, key, str(example)), (key, example)


def documented(model: type[PlanMapping]) -> Iterator[tuple[str, str | None, Sequence[object]]]:
    """Yield what editors show of each key, those of guests included."""
    for name, field in model.model_fields.items():
        if field.alias != GUESTS:
            yield field.alias or name, field.description, field.examples or ()
    for word in model.guest_book.words() if model.guest_book else ():
        guest = model.guest_book.guest(word)
        yield word, guest.description, [guest.example]


def faults_at(model: type[PlanMapping], key: str, example: str) -> list[object]:
    """Return what is wrong with the value of one key; what is missing beside it is no matter."""
    try:
        model.model_validate(plain(f"{key}: {example}"))
    except ValidationError as failed:
        faults = failed.errors()
        return [
            fault
            for fault in faults
            if fault["loc"][:1] == (key,) or fault.get("ctx", {}).get("key") == key
            if fault["type"] not in ("missing-key", "conflicting-keys")
        ]
    return []
