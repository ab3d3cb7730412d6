"""Messages from the values of a plan, and back: every kind of field, and what doesn't fit one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.fields.text import parse_value
from planrunner.language.fields.types import read_value
from planrunner.protocols.grpc.messages.template import lower_template
from planrunner.protocols.grpc.messages.writer import MessageWriter
from planrunner.protocols.lowering import Lowering, SpecFault
from tests.support.etcd_steps import NoFiles
from tests.support.grpc_servers import kitchen

DISH = kitchen().method("kitchen.Kitchen/Cook")


def compiled(value: object) -> tuple[Any, list[SpecFault]]:
    lowering = Lowering({}, NoFiles())
    template = lower_template(read_value(value), lowering, ("message",))
    faults: list[SpecFault] = lowering.faults
    return MessageWriter(kitchen(), faults).write(DISH.takes, template, ("message",)), faults


def read_back(value: object, scope: dict[str, object] | None = None) -> dict[str, Any]:
    """Return a message as it reads when it was written and parsed."""
    write, faults = compiled(value)
    assert not faults, faults
    found: dict[str, Any] = kitchen().reader.read(DISH.parse(write(scope or {})))
    return found


FIELDS: dict[str, tuple[object, object]] = {  # as a plan writes it, as a reply reads
    "small": (-5, -5),
    "big": (2**53 + 1, 2**53 + 1),
    "huge": ("18446744073709551615", 2**64 - 1),
    "exact": (0.1, 0.1),
    "rough": (0.1, 0.1),
    "yes": (True, True),
    "text": ("é", "é"),
    "data": ("AP8=", "AP8="),
    "size": ("LARGE", "LARGE"),
    "numbers": ([1, 2], [1, 2]),
    "counts": ({"a": 1}, {"a": 1}),
    "other": (0, 0),
    "maybe": (0, 0),
    "at": ("2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z"),
    "took": ("1.500s", "1.500s"),
    "free": ({"a": [1, None, "b"]}, {"a": [1, None, "b"]}),
    "wrapped": (0, 0),
    "value": (None, None),
    "any": (
        {"@type": "type.googleapis.com/kitchen.Dish", "small": 3},
        {"@type": "type.googleapis.com/kitchen.Dish", "small": 3},
    ),
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_reads_as_it_was_written(name: str) -> None:
    """Constants and values of expressions alike; `inner` too, and in lists and maps of messages."""
    written, read = FIELDS[name]

    assert read_back({name: written})[name] == read
    assert read_back({name: "${v}"}, {"v": written})[name] == read
    if name != "value":  # which null leaves out where an expression gives a whole message
        assert read_back("${v}", {"v": {name: written}})[name] == read
    inner = read_back({"inner": {name: "${v}"}, "many": [{name: written}]}, {"v": written})
    assert inner["inner"][name] == inner["many"][0][name] == read
    assert read_back({"by_number": {7: {name: written}}})["by_number"]["7"][name] == read


def test_what_is_not_set_has_its_default_or_is_missing() -> None:
    """Fields that know whether they were set are left out, and null sets nothing."""
    found = read_back({"text": None, "numbers": "${none}"}, {"none": None})

    assert found["small"] == 0
    assert found["text"] == ""
    assert found["size"] == "SMALL"
    assert found["numbers"] == []
    assert not {"inner", "one", "other", "maybe", "at", "wrapped"} & found.keys()
    assert read_back({"inner": {}})["inner"]["small"] == 0


def test_names_of_json_are_names_too() -> None:
    """As protobuf's JSON mapping has them."""
    assert read_back({"byNumber": {1: {}}})["by_number"].keys() == {"1"}


def test_values_of_expressions_may_be_text_or_numbers() -> None:
    """A CSV file has text only; a text field takes what `${…}` would write."""
    found = read_back(
        {"small": "${n}", "text": "${i}", "yes": "${b}", "exact": "${x}"},
        {"n": "12", "i": 34, "b": "true", "x": "1.5"},
    )

    assert (found["small"], found["text"], found["yes"], found["exact"]) == (12, "34", True, 1.5)


@pytest.mark.parametrize(
    ("value", "path", "message", "hint"),
    [
        ({"smal": 1}, "smal", "`kitchen.Dish` has no field `smal`", "did you mean `small`?"),
        ({"small": "x"}, "small", "`small` is an int32, found text", ""),
        (
            {"small": 2**31},
            "small",
            "`small` is an int32, from -2147483648 to 2147483647, found",
            "",
        ),
        ({"huge": -1}, "huge", "`huge` is a uint64, from 0 to", ""),
        ({"text": 5}, "text", "`text` is a string, found a number", "write it in quotes"),
        ({"yes": "true"}, "yes", "`yes` is a bool, found text", "write `true` or `false`"),
        ({"data": "é"}, "data", "`data` is bytes, and the text is not base64", "write its base64"),
        ({"size": "LARG"}, "size", '`size` is a `kitchen.Size`, which has no "LARG"', "did you"),
        ({"numbers": 1}, "numbers", "`numbers` is repeated: a list, found a number", "write it"),
        ({"numbers": [1, "x"]}, "numbers 1", "`1` is an int32, found text", ""),
        ({"counts": [1]}, "counts", "`counts` is a map: a mapping, found a list", ""),
        ({"by_number": {"x": {}}}, "by_number x", "the key `x` is an int32, found text", ""),
        ({"inner": 1}, "inner", "a `kitchen.Dish` is a mapping, found a number", "fields: "),
        ({"small": {}}, "small", "`small` is an int32, found a mapping", ""),
        (
            {"one": "a", "other": 1},
            "other",
            "`one` and `other` are both the oneof `choice`",
            "keep",
        ),
        ({"by_number": {}, "byNumber": {}}, "byNumber", "`by_number` and `byNumber` are both", ""),
        ({"at": "noon"}, "at", "no `google.protobuf.Timestamp`: ", "write `2024-05-01T12:00:00Z`"),
        ({"took": "5"}, "took", "no `google.protobuf.Duration`: ", "write `1.5s`"),
        ({"any": {"@type": "x/none.Such"}}, "any", "no `google.protobuf.Any`: ", "write "),
        ({"inner": {"many": [{"smal": 1}]}}, "inner many 0 smal", "`kitchen.Dish` has no", "did"),
    ],
)
def test_what_does_not_fit_is_a_fault_at_its_place(
    value: object, path: str, message: str, hint: str
) -> None:
    """With what was meant, where that is near."""
    _, faults = compiled(value)

    [fault] = faults
    assert " ".join(map(str, fault.path)) == f"message {path}"
    assert fault.message.startswith(message)
    assert fault.hint.startswith(hint)


@pytest.mark.parametrize(
    ("value", "scope", "message"),
    [
        ({"small": "${v}"}, "x", "`small` is an int32, found text"),
        ({"numbers": "${v}"}, [1, {}], "`1` is an int32, found a mapping"),
        ("${v}", {"nothing": 1}, "`kitchen.Dish` has no field `nothing`"),
        ("${v}", 5, "a `kitchen.Dish` is a mapping, found a number"),
        ({"at": "${v}"}, "noon", "no `google.protobuf.Timestamp`: "),
        ({"text": "${v}"}, "\ud800", "a value of `kitchen.Dish`"),
    ],
)
def test_what_does_not_fit_when_it_is_known(value: object, scope: object, message: str) -> None:
    """A failure of that request, in the same words."""
    write, faults = compiled(value)
    assert not faults

    with pytest.raises(EvaluationError) as failed:
        write({"v": scope})
    assert message in failed.value.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([*FIELDS, "inner", "many", "by_number"]), JSON, max_size=4))
def test_any_value_fits_or_says_why_not(value: dict[str, Any]) -> None:
    """Whatever an expression gives: bytes that parse, or an error of the plan; never a bug."""
    write, _ = compiled(parse_value("${v}"))
    try:
        data = write({"v": value})
    except EvaluationError:
        return
    kitchen().reader.read(DISH.parse(data))
