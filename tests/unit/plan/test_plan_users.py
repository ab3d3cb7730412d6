"""User classes and tasks, in each form that a plan can use."""

from __future__ import annotations

import pytest

from planrunner.plan.models.users import TaskModel, UserModel
from tests.support.plan_models import found_in, plain


def task(text: str) -> TaskModel:
    return TaskModel.model_validate(plain(text))


def test_a_request_with_a_weight_is_a_task() -> None:
    """Its name is the request's: verb and URL as written, or its own."""
    short = task("{get: '/kv/${key}', weight: 3, tags: [read], needs: key, timeout: 5s}")

    assert (short.name, short.weight, short.tags) == ("GET /kv/${key}", 3, ["read"])
    assert short.needs is not None
    assert short.needs.else_ == "skip"
    assert short.timeout is None
    assert short.steps[0].timeout == 5_000_000_000
    assert task("{post: /kv, name: put key}").name == "put key"
    assert task("{etcd.put: {key: '/a/${n}', value: b}}").name == "etcd.put /a/${n}"


def test_tags_from_the_reply_stay_with_the_request() -> None:
    """A task's tags are known before the run; these are not."""
    short = task("{get: /, tags: {cached: '${json.cached}'}}")

    assert short.tags is None
    assert short.steps[0].tags is not None


def test_the_long_form_has_a_name_and_steps() -> None:
    """With `needs` in its long form too."""
    long = task("{task: run, weight: 2, needs: {is: ws, else: create}, steps: [{get: /}]}")

    assert long.name == "run"
    assert long.needs is not None
    assert long.needs.else_ == "create"


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("{task: a, get: /}", "unknown-key", "put it under `steps:`: `steps: [{get: …}]`"),
        ("{task: a}", "missing-key", "add `steps:`"),
        ("{steps: [{get: /}, {get: /}]}", "missing-key", "write `task: NAME`"),
        ("{think: 1s, weight: 2}", "missing-key", "write `task: NAME`"),
        ("{get: /, weight: 0}", "invalid-value", ""),
        ("{get: /, weight: -3}", "invalid-value", ""),
        ("{get: /, weight: 1.5}", "invalid-value", ""),
        ("{get: /, weight: '3'}", "invalid-value", "without quotes"),
        ("{name: a, steps: [{get: /}]}", "unknown-key", "here it is called `task`"),
        ("{gte: /, weight: 3}", "unknown-key", ""),
    ],
)
def test_faulty_tasks(text: str, code: str, hint: str) -> None:
    """The first fault is the one that helps."""
    fault = found_in(TaskModel, text)[0]

    assert fault.code == code
    assert hint in fault.hint


@pytest.mark.parametrize(
    ("text", "code", "key"),
    [
        ("{tasks: [{get: /}], steps: [{get: /}]}", "conflicting-keys", "steps"),
        ("{steps: [{get: /}], count: 1, weight: 2}", "conflicting-keys", "weight"),
        ("{steps: [{get: /}], wait: 1s, pace: 2s}", "conflicting-keys", "pace"),
        ("{wait: 1s}", "missing-key", ""),
        ("{tasks: []}", "too_short", ""),
        ("{steps: [{get: /}], state: {json: 1}}", "reserved-name", ""),
        ("{steps: [{get: /}], wait_time: 1s}", "unknown-key", "wait_time"),
        ("{steps: [{get: /}], weight: 0}", "invalid-value", ""),
        ("{steps: [{get: /}], on_start: {do: []}}", "too_short", ""),
        ("{steps: [{get: /}], pick: best}", "literal_error", ""),
    ],
)
def test_faulty_user_classes(text: str, code: str, key: str) -> None:
    """One fault each, at the later of two keys that exclude each other."""
    (fault,) = found_in(UserModel, text)

    assert (fault.code, fault.key) == (code, key)


@pytest.mark.parametrize(("word", "meant"), [("wieght", "weight"), ("neds", "needs")])
def test_a_misspelt_key_beside_a_request_is_looked_for_in_the_task_too(
    word: str, meant: str
) -> None:
    """The short form has the keys of both."""
    [fault] = found_in(TaskModel, f"{{get: /, {word}: 3}}")

    assert fault.hint == f"did you mean `{meant}`?"


def test_faults_in_several_tasks_are_found_at_once() -> None:
    """Each at its own place."""
    text = "{tasks: [{get: /, weight: 0}, {task: a, steps: [{gte: /}, {get: /, timeout: 5}]}]}"

    places = [fault.where[:4] for fault in found_in(UserModel, text)]

    assert places == [
        ("tasks", 0, "weight"),
        ("tasks", 1, "steps", 0),
        ("tasks", 1, "steps", 1),
    ]
