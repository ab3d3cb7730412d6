"""YAML and JSON of other tools: the same values as any reader gives, every key a construct."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.importers.nodes import SourceNode, parse_json, parse_yaml
from planrunner.importers.sources import ImportFault, SourceFile
from planrunner.loss.ledger import Fate, Ledger

TEXTS = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS, below, max_size=4),
    max_leaves=12,
)


def source(text: str, name: str = "in.json") -> SourceFile:
    return SourceFile(None, name, text.encode("utf-8", "surrogatepass"))


def keys(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(keys, value.values()))
    return sum(map(keys, value)) if isinstance(value, list) else 0


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_json_is_read_as_the_library_reads_it(
    value: object, indent: int | None, escaped: object
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=bool(escaped))
    ledger = Ledger()

    assert parse_json(source(text), ledger).plain() == value
    assert len(ledger.constructs) == keys(value)


def test_places_are_those_of_the_file() -> None:
    ledger = Ledger()
    root = parse_json(source('{"a": [1,\n  {"b": "x"}],\n "c": 2}'), ledger)

    assert [(one.words, one.place.line, one.place.column) for one in ledger.constructs] == [
        ("a", 1, 2),
        ("a[1].b", 2, 4),
        ("c", 3, 2),
    ]
    item = root.get("a")
    assert item is not None
    assert item.each()[1].place.line == 2


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a" 1}', "in.json:1:6"),
        ('{"a": 1,\n b: 2}', "in.json:2:2"),
        ('["x]', "in.json:1:2"),
        ("", "in.json:1:1"),
        ("[1] 2", "in.json:1:5"),
        ("[" * 100_000, "in.json:1:202"),
    ],
)
def test_broken_json_is_a_fault_with_its_place(text: str, place: str) -> None:
    with pytest.raises(ImportFault) as caught:
        parse_json(source(text), Ledger())
    assert str(caught.value).startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1", "in.yml:2:1"),
        ("a: {{ .Values.x }} b", "in.yml:1:"),
        ("\t- a", "in.yml:1:1"),
        ("a: 1\nb: \0", "in.yml:2:4"),
        ("[" * 100_000, "in.yml:1:202: nests deeper"),
        ("- " * 60_000 + "x", "in.yml:1:403: nests deeper"),
    ],
)
def test_broken_yaml_is_a_fault_with_its_place(text: str, fault: str) -> None:
    with pytest.raises(ImportFault) as caught:
        parse_yaml(source(text, "in.yml"), Ledger())
    assert str(caught.value).startswith(fault)


def test_an_alias_bomb_is_read_once() -> None:
    text = "a0: &a0 {k: v}\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    ledger = Ledger()
    parse_yaml(source(text, "in.yml"), ledger)
    assert len(ledger.constructs) == 31


def test_yaml_keeps_words_and_dates_as_text() -> None:
    root = parse_yaml(
        source("a: yes\nb: 2020-01-01\nc: 1.5\nd: '2'\ne: ~\nf: 0x1f", "in.yml"), Ledger()
    )
    assert root.plain() == {
        "a": "yes",
        "b": "2020-01-01",
        "c": 1.5,
        "d": "2",
        "e": None,
        "f": "0x1f",
    }


def test_what_is_taken_is_translated_and_the_rest_is_not() -> None:
    ledger = Ledger()
    root = parse_json(source('{"a": {"x": 1, "y": {"z": 2}}, "b": 3}'), ledger)

    assert root.take_whole("a") == {"x": 1, "y": {"z": 2}}
    assert [one.key for one in root.unjudged()] == ["b"]
    ledger.close()
    assert [one.fate for one in ledger.constructs] == [Fate.TRANSLATED] * 4 + [Fate.LEFT_OUT]


def test_a_key_that_stands_twice_counts_twice_and_the_last_one_is_read() -> None:
    ledger = Ledger()
    root = parse_json(source('{"a": 1, "a": 2}'), ledger)

    assert isinstance(root, SourceNode)
    assert root.take_whole("a") == 2
    assert [one.fate for one in ledger.constructs] == [None, Fate.TRANSLATED]
