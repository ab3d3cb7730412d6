"""Inputs that are nearly right: real ones after a few slips."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

__all__ = ["damaged", "mutated_text", "mutated_tree"]

WHOLE_NUMBERS = st.sampled_from([0, 1, -1, 2, 1_000, 2**31, 2**53, 10**12, -(10**18), 10**30])
NUMBERS = st.sampled_from([0.0, -0.1, 1e-9, 0.5, 1e12, 1e99, -1e99, 1e300]) | WHOLE_NUMBERS
TEXTS = st.sampled_from(
    ["", "x", "\x1b[2J", "\ud800", "</script>", "a\nb", "%s%d", "=1", "\0", "x" * 999]
)


@st.composite
def mutated_text(
    draw: st.DrawFn, texts: Sequence[str], pieces: Sequence[str], *, slips: int = 5
) -> str:
    """Return one of `texts` with parts cut, doubled, reversed, moved and replaced.

    Args:
        texts: Right ones; parts of one are put into another.
        pieces: What is put in.
        slips: How many times, at most.
    """
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(0, slips))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.sampled_from([0, 0, 1, 1, 2, 5, 40, 400])))
        part = text[begin:end]
        match draw(st.integers(0, 6)):
            case 0 | 1 | 2:
                part = draw(st.sampled_from(pieces))
            case 3:
                part = ""
            case 4:
                part = part * 2
            case 5:
                other = draw(st.sampled_from(texts))
                at = draw(st.integers(0, len(other)))
                part = other[at : at + draw(st.sampled_from([3, 20, 200]))]
            case _:
                part = draw(st.text(max_size=6))
        text = text[:begin] + part + text[end:]
    return text


@st.composite
def damaged(draw: st.DrawFn, wholes: Sequence[bytes], *, times: int = 4) -> bytes:
    """Return one of `wholes` with bits flipped and stretches cut, swapped, doubled or zeroed."""
    data = draw(st.sampled_from(wholes))
    for _ in range(draw(st.integers(0, times))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from([1, 4, 24, 100, 1_000, 10_000])))
        match draw(st.integers(0, 6)):
            case 0:
                data = data[:at] + bytes(byte ^ 0x10 for byte in data[at : at + 1]) + data[at + 1 :]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + data[end:]
            case 3:
                data = data[:at] + bytes(end - at) + data[end:]
            case 4:
                data = data[:end] + data[at:]
            case 5:
                data = data[end:] + data[:at]
            case _:
                data = data[:at] + draw(st.binary(max_size=40)) + data[end:]
    return data


@st.composite
def mutated_tree(
    draw: st.DrawFn,
    trees: st.SearchStrategy[Any],
    values: st.SearchStrategy[Any],
    *,
    slips: int = 4,
) -> Any:
    """Return a copy of one of the `trees` with values replaced, lost, renamed, doubled or swapped.

    Args:
        trees: What JSON and YAML hold.
        values: What stands where something else stood.
        slips: How many times, at most.
    """
    tree = copy.deepcopy(draw(trees))
    for _ in range(draw(st.integers(1, slips))):
        if not tree:
            break
        _slip(draw, tree, values)
    return tree


def _slip(draw: st.DrawFn, tree: Any, values: st.SearchStrategy[Any]) -> None:
    inside, key = draw(_places(tree))
    match draw(
        st.sampled_from(["another", "another", "any", "lost", "moved", "doubled", "deeper"])
    ):
        case "another":
            inside[key] = draw(_another(inside[key]))
        case "any":
            inside[key] = copy.deepcopy(draw(values))  # it may be changed in turn
        case "lost":
            del inside[key]
        case "moved":
            other, its_key = draw(_places(tree))
            inside[key] = copy.deepcopy(other[its_key])
        case "doubled" if isinstance(inside, list):
            inside.insert(key, copy.deepcopy(inside[key]))
        case "doubled":
            _, name = draw(_places(tree))
            inside[str(name)] = copy.deepcopy(inside[key])
        case _:
            inside[key] = [inside[key]] if draw(st.booleans()) else {"a": inside[key]}


def _another(value: object) -> st.SearchStrategy[Any]:
    """Return values of the same kind, so that they get past whatever looks at kinds."""
    match value:
        case bool():
            return st.booleans()
        case int():
            return WHOLE_NUMBERS
        case float():
            return NUMBERS
        case str():
            return TEXTS
        case _:
            return st.sampled_from([type(value)(), value])


@st.composite
def _places(draw: st.DrawFn, tree: Any) -> tuple[Any, Any]:
    """Return a list or dictionary somewhere in `tree`, and an index or key of it.

    Going down step by step finds small things beside lists of thousands.
    """
    while True:
        keys = list(tree) if isinstance(tree, dict) else range(len(tree))
        key = draw(st.sampled_from(keys))
        below = tree[key]
        if not (isinstance(below, dict | list) and below and draw(st.integers(0, 5))):
            return tree, key
        tree = below
