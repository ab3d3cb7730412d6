"""Faults of requests, wherever a request may stand: all at once, each at its own key."""

from __future__ import annotations

import pytest

from tests.support.plans import compiled, findings

KEYS = """
        expect:
          time: "< soon"
          status: ["${size}"]
          json: {"$.[": 1}
          header: {A: {matches: "a("}}
          matches: ["fine", "b("]
          schema: none.json
        extract:
          a: "$.["
          b: {css: "p["}
          c: {xpath: "//["}
          d: {regex: "c("}
        retry: {times: 1, on: [connect, bogus]}
        headers: {"not a name": x}
        multipart: {file: {file: none.bin}}
        timeout: 0s
"""

MARKED = [
    ("invalid-unit", "< soon"),
    ("invalid-value", "${size}"),
    ("invalid-value", "$.["),
    ("invalid-value", "a("),
    ("invalid-value", "b("),
    ("no-such-file", "none.json"),
    ("invalid-value", "["),
    ("invalid-value", "p["),
    ("invalid-value", "//["),
    ("invalid-value", "c("),
    ("invalid-value", "bogus"),
    ("invalid-value", "not a name"),
    ("no-such-file", "none.bin"),
    ("invalid-value", "0s"),
]

PLACES = {
    "a step": "      - post: /a\n{keys}",
    "parallel": "      - parallel:\n        - post: /a\n{deeper}",
    "poll": "      - poll:\n          post: /a\n{deeper}\n        until: status == 200\n"
    "        every: 1s\n        timeout: 5s",
    "a branch": "      - if: status == 200\n        then:\n        - post: /a\n{deeper}",
}


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.strip("\n").splitlines())


@pytest.mark.parametrize("place", PLACES)
def test_every_fault_of_a_request_is_found_at_its_place(place: str) -> None:
    """Also inside other steps."""
    steps = PLACES[place].format(keys=KEYS.strip("\n"), deeper=indented(KEYS, 2))
    plan = (
        "params: {size: {type: int, default: 7}}\n"
        "users:\n  A:\n    steps:\n      - get: /first\n" + steps
    )

    found = findings(plan)

    assert [(fault.code, fault.marked.strip("'\"")) for fault in found] == MARKED


def test_a_name_that_is_not_known_is_said_once() -> None:
    """And not again by what can't be compiled because of it."""
    found = findings('users: {A: {steps: [{get: "/${nope}", timeout: "${nope}"}]}}')

    assert {fault.code for fault in found} == {"unknown-name"}


def test_what_records_nothing_is_said() -> None:
    """A flow may be called in `on_start`, where nothing is measured, and where it is."""
    graph = compiled(
        "flows: {ask: [{get: /ask, record: {tokens: json.tokens}}]}",
        "users: {U: {on_start: [{call: ask}, {get: /login, work: 1}], steps: [{call: ask}]}}",
    )

    said = [notice.partition(": ")[2] for notice in graph.notices]
    assert said == [
        f"`{key}` does nothing here: only requests that are measured have values"
        for key in ("record", "work")
    ]
