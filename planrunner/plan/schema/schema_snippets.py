"""What an editor offers to insert where something new begins in a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from planrunner.metrics.aggregations.table import AGGREGATIONS
from planrunner.metrics.measures import LATENCY
from planrunner.protocols import registry

__all__ = ["SNIPPETS", "sentence_snippets", "value_snippets"]


def _snippet(label: str, description: str, body: object) -> dict[str, Any]:
    return {"label": label, "description": description, "body": body}


_REQUESTS: Final = (
    _snippet("GET request", "a request with its URL", {"get": "${1:/}"}),
    _snippet(
        "POST with JSON",
        "a POST request with a JSON body and an expectation",
        {"post": "${1:/}", "json": {"${2:key}": "${3:value}"}, "expect": {"status": 200}},
    ),
)

SNIPPETS: Final[Mapping[str, tuple[dict[str, Any], ...]]] = {
    "Step": (
        *_REQUESTS,
        _snippet("think time", "a pause like a person's", {"think": "${1:1s..3s}"}),
        _snippet(
            "group of steps",
            "steps timed as one",
            {"group": "${1:name}", "do": [{"get": "${2:/}"}]},
        ),
        _snippet(
            "if … then",
            "steps under a condition",
            {"if": "${1:status == 200}", "then": [{"get": "${2:/}"}]},
        ),
        _snippet(
            "choose",
            "one of several lists of steps, drawn by weight",
            {
                "choose": [
                    {"weight": "^${1:3}", "do": [{"get": "${2:/}"}]},
                    {"weight": "^${3:1}", "do": [{"get": "${4:/}"}]},
                ]
            },
        ),
        _snippet(
            "pop from a pool",
            "an element of a list that users share",
            {"pop": {"pool.${1:orders}": "first", "as": "${2:id}", "wait": "${3:5s}"}},
        ),
        _snippet(
            "barrier",
            "users that wait for each other",
            {"barrier": {"name": "${1:start}", "users": "^${2:10}", "timeout": "${3:30s}"}},
        ),
        _snippet(
            "for each",
            "steps for each element of a list",
            {"foreach": "${1:item} in ${2:items}", "do": [{"get": "${3:/}"}]},
        ),
        _snippet(
            "poll until",
            "a request that is repeated until the reply is right",
            {
                "poll": "${1:/}",
                "until": "${2:json.status == 'done'}",
                "every": "${3:1s}",
                "timeout": "${4:30s}",
            },
        ),
    ),
    "Task": (
        _snippet(
            "request with weight",
            "one request with its weight",
            {"get": "${1:/}", "weight": "^${2:1}"},
        ),
        _snippet(
            "named task",
            "a named list of steps with its weight",
            {"task": "${1:name}", "weight": "^${2:1}", "steps": [{"get": "${3:/}"}]},
        ),
    ),
    "User": (
        _snippet(
            "user with tasks",
            "a user that picks tasks by weight",
            {"wait": "${1:1s..3s}", "tasks": [{"get": "${2:/}", "weight": "^${3:1}"}]},
        ),
        _snippet(
            "user with steps",
            "a user that walks through fixed steps",
            {"wait": "${1:1s..3s}", "steps": [{"get": "${2:/}"}]},
        ),
    ),
    "Phase": (
        _snippet(
            "closed model",
            "a fixed number of users",
            {"users": "^${1:10}", "ramp_up": "${2:30s}", "hold": "${3:5m}"},
        ),
        _snippet(
            "open model", "iterations at a fixed rate", {"rate": "${1:10/s}", "hold": "${2:5m}"}
        ),
        _snippet(
            "counted",
            "a fixed number of iterations",
            {"users": "^${1:1}", "iterations": "^${2:100}"},
        ),
        _snippet("phases of a profile", "all phases of another profile", {"use": "${1:quick}"}),
        _snippet("stages in one line", "levels in order", {"stages": "2m:200, 5m:200, 2m:0"}),
        _snippet(
            "search for the limit",
            "the highest level that holds",
            {
                "search": {
                    "vary": "rate",
                    "from": "${1:20/s}",
                    "to": "${2:1000/s}",
                    "step": "${3:x1.5}",
                    "hold": "${4:60s}",
                    "slo": ["${5:p95 < 500ms}"],
                }
            },
        ),
    ),
    "Stage": (
        _snippet(
            "stage of users",
            "a number of users to move to",
            {"duration": "${1:1m}", "users": "^${2:10}"},
        ),
        _snippet(
            "stage of a rate", "a rate to move to", {"duration": "${1:1m}", "rate": "${2:10/s}"}
        ),
    ),
    "Threshold": (
        _snippet(
            "warn and fail",
            "two limits for one metric",
            {"warn": "${1:p95} < ${2:500ms}", "fail": "${1:p95} < ${3:2s}"},
        ),
    ),
}


def sentence_snippets(definition: str) -> list[dict[str, Any]]:
    """Return what an editor offers for the short form of a definition: of thresholds, one each."""
    if definition != "Threshold":
        return []
    return [
        *(
            _snippet(record.examples[0], record.meaning, record.examples[0])
            for record in AGGREGATIONS.values()
        ),
        *(
            _snippet(measure.example, measure.meaning, measure.example)
            for measure in registry.measures().values()
            if measure is not LATENCY
        ),
    ]


def value_snippets(schema: Mapping[str, Any], examples: Sequence[str]) -> list[dict[str, Any]]:
    """Return the examples of a key as values that an editor offers, where it knows none."""
    arms = schema.get("anyOf", [schema])
    is_text = any("string" in arm.get("type", ()) for arm in arms)
    if not is_text or any(arm.keys() & {"enum", "const", "$ref"} for arm in arms):
        return []
    return [
        {"label": example, "body": re.sub(r"([$}\\])", r"\\\1", example)}  # as snippets escape
        for example in examples
        if "\n" not in example
    ]
