"""Values that a reply may hold, and that software is seldom tried with."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["HOSTILE", "HOSTILE_TEXTS"]

HOSTILE_TEXTS = (
    "",
    "\ud800",
    "a\udfffb",
    "zero\0byte",
    "two\r\nlines",
    "token\n",
    "\x1b[31m",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "x" * 100_000,
    "%s%n%d",
    "${secret}",
    "<a><b>&amp;",
    "1" * 5_000,
    "-0",
    "NaN",
)


def _nested(depth: int) -> object:
    value: object = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


HOSTILE = st.one_of(
    st.sampled_from(HOSTILE_TEXTS),
    st.sampled_from(
        [None, True, False, 0, -1, 10**300, float("inf"), float("nan"), 1e308, b"\xff"]
    ),
    st.sampled_from([[], {}, [None], {"": None}, {"a": {"b": "\ud800"}}, [["\ud800"]]]),
    st.just(_nested(900)),
    st.lists(st.integers() | st.text(max_size=5), max_size=4),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
)
"""What JSON, headers and bodies bring, and bytes."""
