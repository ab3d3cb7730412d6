"""The text of a draft: it reads back as it was meant, and each finding stands at its place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planrunner.importers.draft import (
    DraftClass,
    DraftParam,
    DraftPhase,
    DraftPlan,
    DraftStep,
    DraftTask,
    DraftThreshold,
)
from planrunner.importers.plan_text import plan_text
from planrunner.loss.ledger import Ledger, SourcePlace
from planrunner.plan.yaml.document import parse

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab :#-)\n\t\"'{}[],&*!|>%@`0.")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=10,
)


@settings(max_examples=60)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4), TEXTS)
def test_values_read_back_as_they_were(body: dict[str, object], text: str) -> None:
    steps = [
        DraftStep({"set": body, "log": text}),
        DraftStep({"repeat": 2, "do": [DraftStep(body)]}),
    ]
    draft = DraftPlan("p", users=[DraftClass("A", steps=steps)], notes=[text])

    written = plan_text(draft, Ledger())

    assert parse(written, "plan.yaml").data == {
        "name": "p",
        "users": {"A": {"steps": [{"set": body, "log": text}, {"repeat": 2, "do": [body]}]}},
    }


@pytest.mark.parametrize("text", ["http://a/':80", "x :)", "/users/:id", 'a":', "q& :0^", "h ?0"])
def test_text_with_a_colon_reads_back(text: str) -> None:
    """Inside a line of its mapping, too, where YAML takes some colons for a key."""
    draft = DraftPlan("p", http={"base_url": text, "timeout": "5s"})

    assert parse(plan_text(draft, Ledger()), "plan.yaml").data["http"] == draft.http


def test_findings_stand_above_what_they_are_about() -> None:
    ledger = Ledger()
    place = lambda line: SourcePlace("x.js", line)  # noqa: E731 - short on purpose
    ledger.add("call", "odd()", place(1)).suspicious("it does nothing")
    ledger.add("call", "check(a,\nb)", place(7)).left_out("write `expect`")
    ledger.add("call", "sleep(1)", place(9)).changed("once an iteration")
    ledger.add("call", "get()", place(7)).translated()
    for line in (12, 20, 22):
        ledger.add("call", f"report({line})", place(line)).needs_you("write it")
    first = DraftStep({"get": "/a"}, origin=place(6), notes=["the front page\nof the shop"])
    second = DraftStep({"get": "/b", "expect": {"status": [200, 404]}}, origin=place(8))
    draft = DraftPlan(
        "shop",
        params={"token": DraftParam({"type": "str", "secret": True})},
        http={"base_url": "http://127.0.0.1"},
        users=[
            DraftClass(
                "Visitor",
                {"wait": "1s..3s"},
                on_start=[first],
                tasks=[DraftTask("", [second], 3), DraftTask("two", [DraftStep({"think": "1s"})])],
            )
        ],
        phases=[DraftPhase({"users": 10, "hold": "30s"})],
        thresholds=[DraftThreshold("p95 < 500ms")],
        ends=[place(11)],
    )

    assert (
        plan_text(draft, ledger)
        == """\
# import: x.js:1: odd() (suspicious in the original): it does nothing
# TODO import: x.js:12: report(12) (needs you): write it
# TODO import: x.js: 2 more like this, lines 20, 22
name: shop

params:
  token: {type: str, secret: true}

http: {base_url: http://127.0.0.1}

users:
  Visitor:
    wait: 1s..3s
    on_start:
      # the front page
      # of the shop
      # TODO import: x.js:7: check(a, b) (left out): write `expect`
      - get: /a
    tasks:
      # TODO import: x.js:9: sleep(1) (changed in meaning): once an iteration
      - get: /b
        expect: {status: [200, 404]}
        weight: 3
      - task: two
        steps:
          - think: 1s

phases:
  - {users: 10, hold: 30s}

thresholds:
  - p95 < 500ms
"""
    )
