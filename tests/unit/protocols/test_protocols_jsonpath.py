"""JSONPath: our plain paths say what the library says."""

from __future__ import annotations

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.protocols.jsonpath import JsonPathError, compile_path, plain_keys

NAMES = st.sampled_from(["a", "b", "_c", "d1", "é"])
STEPS = st.one_of(
    NAMES.map(lambda name: f".{name}"),
    NAMES.map(lambda name: f"['{name}']"),
    NAMES.map(lambda name: f'["{name}"]'),
    st.integers(-3, 3).map(lambda index: f"[{index}]"),
)
PATHS = st.lists(STEPS, max_size=4).map(lambda steps: "$" + "".join(steps))
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(PATHS, DOCUMENTS)
def test_plain_paths_find_what_the_library_finds(path: str, document: object) -> None:
    """On every plain path the fast path and RFC 9535 agree."""
    expected = jsonpath.JSONPathEnvironment(strict=True).findall(path, document)

    assert plain_keys(path) is not None
    assert compile_path(path)(document) == expected


def test_null_is_found() -> None:
    """A member whose value is null exists."""
    assert compile_path("$.a.b")({"a": {"b": None}}) == [None]


def test_hyphen_in_a_name_is_part_of_it() -> None:
    """`$.request-id` can mean nothing else."""
    assert compile_path("$.request-id")({"request-id": 7}) == [7]


def test_text_has_no_items() -> None:
    """An index looks into lists only."""
    assert compile_path("$.a[0]")({"a": "xyz"}) == []


def test_filters_and_wildcards_work() -> None:
    """What is not plain goes to the library."""
    document = {"items": [{"id": 1, "on": True}, {"id": 2, "on": False}]}

    assert compile_path("$.items[?@.on == true].id")(document) == [1]
    assert compile_path("$.items[*].id")(document) == [1, 2]


@pytest.mark.parametrize(
    ("path", "offset"), [("$.a[?@.b == ']", 12), ("$[00]", 2), ("$.a[?count(1)]", 5)]
)
def test_syntax_error_has_its_offset(path: str, offset: int) -> None:
    """A broken path is an error that names the path and the place."""
    with pytest.raises(JsonPathError) as caught:
        compile_path(path)

    assert caught.value.offset == offset
    assert path in caught.value.message


@pytest.mark.parametrize("path", ["$[1e400]", "$[?@.a==1e999]", f"$[?{'(' * 3_000}@.a]"])
def test_what_the_library_stumbles_over_is_no_path(path: str) -> None:
    """Numbers beyond any index, and brackets beyond the stack, are errors like others."""
    with pytest.raises(JsonPathError, match="is not a JSONPath"):
        compile_path(path)


def test_forgotten_dollar_has_a_hint() -> None:
    """A path without `$` is an error that shows the path with it."""
    with pytest.raises(JsonPathError) as caught:
        compile_path("items[0].id")

    assert "`$.items[0].id`" in caught.value.hint


def test_what_other_tools_put_before_a_path_is_left_out_of_the_hint() -> None:
    """The hint is what to write, so it has to be a path."""
    with pytest.raises(JsonPathError) as caught:
        compile_path("json:$[0].id")

    assert "`$[0].id`" in caught.value.hint
