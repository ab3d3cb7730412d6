"""Steps: exactly one action, and only the keys that go with it."""

from __future__ import annotations

import pytest

from planrunner.language.fields.mapping import GUESTS
from planrunner.language.fields.text import Text
from planrunner.plan.models.actions import Foreach
from planrunner.plan.models.sharing import Pop
from planrunner.plan.models.step_rules import COMPANIONS, OWN_ACTIONS
from planrunner.plan.models.steps import BlockModel, StepModel
from tests.support.plan_models import found_in, plain


def step(text: str) -> StepModel:
    return StepModel.model_validate(plain(text))


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("get: /", "get"),
        ("{post: /kv, json: null}", "post"),
        ("{options: /, when: 'true'}", "options"),
        ("think: 1s..3s", "think"),
        ("think: normal(2s, 500ms)", "think"),
        ("set: {x: 1, y: '${x}'}", "set"),
        ("push: {created: '${id}'}", "push"),
        ("pop: {keys: random, as: key}", "pop"),
        ("header: {Authorization: 'Bearer ${t}', X-Old: null}", "header"),
        ("{group: checkout, do: [{get: /}]}", "group"),
        ("{if: a == 1, then: [{get: /}], else: [{log: no}]}", "if"),
        ("{repeat: 3, do: [{get: /}]}", "repeat"),
        ("{repeat: '${n}', do: [{get: /}]}", "repeat"),
        ("{while: json.next is defined, do: [{get: /}], max: 10}", "while"),
        ("{foreach: id in created, do: [{get: /}]}", "foreach"),
        ("{poll: '/jobs/${id}', until: json.done, every: 1s, timeout: 30s, name: job}", "poll"),
        ("{poll: {post: /status, json: {id: 1}}, until: json.done}", "poll"),
        ("parallel: [{get: /a}, {etcd.get: {key: a}}]", "parallel"),
        ("call: login", "call"),
        ("python: sign", "python"),
        ("python: {call: sign, args: {a: 1}, as: signature}", "python"),
        ("exec: ./token.sh", "exec"),
        ("exec: {run: ./token.sh, timeout: 5s, as: token}", "exec"),
        ("log: got ${status}", "log"),
        ("stop: iteration", "stop"),
        ("etcd.put: {key: a, value: b, lease: '${id}'}", "etcd.put"),
        ("etcd.get: {key: a, prefix: true, limit: 10, serializable: true}", "etcd.get"),
        ("etcd.delete: {key: a, prefix: true}", "etcd.delete"),
        (
            "etcd.txn: {compare: [{key: a, value: 1}], success: [{put: {key: a, value: 2}}]}",
            "etcd.txn",
        ),
        ("etcd.lease: {ttl: 30s, extract: {id: $.ID}}", "etcd.lease"),
        ("etcd.watch: {key: a, until: b, timeout: 5s}", "etcd.watch"),
    ],
)
def test_each_action_makes_a_step(text: str, action: str) -> None:
    """Every action of the language, in each of its forms."""
    assert step(text).action == action


def test_a_second_action_is_at_fault() -> None:
    """The fault is at the later of two actions and says how to split the step."""
    (fault,) = found_in(StepModel, "{get: /, think: 1s}")

    assert fault[:4] == (
        "one-action",
        "think",
        "a step has one action, but this one has `get` and `think`",
        "start a new step: `- think: …`",
    )


def test_a_step_without_action_says_what_its_keys_belong_to() -> None:
    """A companion alone names its actions; nothing at all lists some."""
    (alone,) = found_in(StepModel, "{every: 1s}")
    (nothing,) = found_in(StepModel, "{}")

    assert (alone.code, alone.hint) == (
        "one-action",
        "write `every` in the same step as `poll`",
    )
    assert nothing.code == "one-action"
    assert nothing.hint.startswith("write one of `get`, `post`")


def test_a_misspelt_action_is_one_fault() -> None:
    """The unknown key is the news; that no action is left, is not."""
    (fault,) = found_in(StepModel, "{gte: /, expect: {status: 200}}")

    assert fault[:4] == ("unknown-key", "gte", "unknown key `gte`", "did you mean `get`?")


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("{get: /, do: [{get: /}]}", "do", "`group`, `repeat`, `while` or `foreach`"),
        ("{think: 1s, json: {}}", "json", "`get`, `post`, `put`"),
        ("{group: a, do: [{get: /}], then: [{get: /}]}", "then", "`if`"),
    ],
)
def test_a_key_of_another_action_names_its_owner(text: str, key: str, hint: str) -> None:
    """Keys beside the wrong action are errors at that key."""
    (fault,) = found_in(StepModel, text)

    assert (fault.code, fault.key) == ("conflicting-keys", key)
    assert fault.hint.startswith(f"`{key}` belongs to ")
    assert hint in fault.hint


def test_keys_beside_an_etcd_action_belong_into_it() -> None:
    """The same words stand beside a verb of HTTP."""
    (fault,) = found_in(StepModel, "{etcd.get: {key: a}, name: x}")

    assert (fault.code, fault.key) == ("conflicting-keys", "name")
    assert fault.hint == "put it into `etcd.get:`"


def test_keys_of_a_polled_request_stand_with_it() -> None:
    """Those beside `poll` are the poll's own."""
    (fault,) = found_in(StepModel, "{poll: /, until: a, headers: {a: b}}")

    assert (fault.code, fault.key) == ("conflicting-keys", "headers")
    assert fault.hint == "write it with the request: `poll: {get: …, headers: …}`"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("group: a", "do"),
        ("if: a", "then"),
        ("repeat: 2", "do"),
        ("while: a", "do"),
        ("foreach: a in b", "do"),
        ("poll: /", "until"),
    ],
)
def test_an_action_asks_for_what_it_needs(text: str, missing: str) -> None:
    """A loop without steps does nothing; a poll without condition never ends."""
    (fault,) = found_in(StepModel, text)

    assert (fault.code, fault.hint) == ("missing-key", f"add `{missing}:`")


def test_every_fault_of_a_step_is_found_at_once() -> None:
    """Two actions, a foreign key, an unknown key and a bad unit, in one go."""
    text = "{get: /, post: /, do: [{get: /}], heders: {}, timeout: 5 minutes}"

    codes = sorted(fault.code for fault in found_in(StepModel, text))

    assert codes == ["conflicting-keys", "invalid-unit", "one-action", "unknown-key"]


def test_a_request_has_one_body() -> None:
    """The second of two bodies is at fault, in steps and in preflight requests alike."""
    (fault,) = found_in(StepModel, "{post: /, json: {}, form: {a: b}}")

    assert (fault.code, fault.key) == ("conflicting-keys", "form")


def test_only_requests_run_in_parallel() -> None:
    """A pause in parallel is an error at that step."""
    (fault,) = found_in(StepModel, "parallel: [{get: /}, {think: 1s}]")

    assert (fault.code, fault.where) == ("not-allowed", ("parallel", 1))


def test_pop_and_foreach_are_read() -> None:
    """Their values become names, a choice and an expression with its place."""
    assert step("pop: {keys: last}").pop == Pop("keys", "last", "")
    loop = step("{foreach: id in created | sort, do: [{get: /}]}").foreach
    assert isinstance(loop, Foreach)
    assert (loop.variable, loop.items.source, loop.offset) == ("id", "created | sort", 6)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("pop: {keys: middle}", "invalid-value"),
        ("pop: {a: first, b: last}", "invalid-value"),
        ("pop: keys", "invalid-value"),
        ("pop: {keys: first, as: status}", "reserved-name"),
        ("pop: {keys: first, as: a b}", "invalid-value"),
        ("{foreach: ids, do: [{get: /}]}", "invalid-value"),
        ("{foreach: 'id in a +', do: [{get: /}]}", "expression-syntax"),
        ("{foreach: json in a, do: [{get: /}]}", "reserved-name"),
        ("set: {iteration: 1}", "reserved-name"),
        ("{get: '/${'}", "expression-syntax"),
        ("{get: '/{{ id }}'}", "wrong-braces"),
        ("{if: '${a}', then: [{get: /}]}", "expression-syntax"),
        ("repeat: 0", "invalid-value"),
        ("{get: /, headers: {A: .inf}}", "invalid-value"),
        ("{post: /, json: {a: [1, .nan]}}", "invalid-value"),
        ("{get: /, measure: 'yes'}", "bool_type"),
        ("{get: /, retry: '3'}", "invalid-value"),
        ("{get: }", "wrong-type"),
        ("stop: now", "literal_error"),
        ("get", "model_type"),
    ],
)
def test_bad_values_have_their_codes(text: str, code: str) -> None:
    """Strict types: a text is no number, and no value is no default."""
    assert code in [fault.code for fault in found_in(StepModel, text)]


def test_a_list_of_steps_is_short_for_a_block() -> None:
    """`on_start: [ … ]` and `on_start: {do: [ … ]}` are the same."""
    block = BlockModel.model_validate(plain("[{call: login}]"))

    assert block == BlockModel.model_validate(plain("{do: [{call: login}]}"))
    assert isinstance(step("log: hi ${x}").log, Text)


def test_every_key_of_a_step_is_an_action_or_belongs_to_one() -> None:
    """No key of the model is out of reach."""
    keys = {field.alias or name for name, field in StepModel.model_fields.items()} - {GUESTS}

    assert keys == set(OWN_ACTIONS) | set().union(*COMPANIONS.values()) | {"when"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{call: f, as: x}", "write it into the call: `call: {flow: f, as: x}`"),
        ("{call: {flow: f, a: 1}, as: x}", "write it into the call: `call: {flow: f, as: x}`"),
        ("{call: f, args: {a: 1}}", "write them into the call: `call: {flow: f, name: value}`"),
        ("{group: g, http: {expect: null}, do: [{get: /}]}", "write it into the plan, a user"),
        ("{http: {url: /}}", "the verb is the key: `get: /path`"),
    ],
)
def test_keys_that_are_known_elsewhere_say_where(text: str, hint: str) -> None:
    """A call has its values inside, and a group has no `http:` of its own."""
    (fault,) = found_in(StepModel, text)

    assert fault.code == "unknown-key"
    assert hint in fault.hint
