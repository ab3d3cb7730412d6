"""Selectors: which labels each of them takes, and from which population."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planrunner.metrics.series import Labels
from planrunner.metrics.thresholds import Metric, parse_threshold
from planrunner.metrics.thresholds.selector import Population, Selector

LABELS = Labels(
    request="GET /kv",
    method="GET",
    phase="main",
    stage="hold",
    user="Buyer",
    task="get key",
    groups=("outer", "inner"),
    tags=(("cached", "false"), ("read", "")),
    status=503,
    failure="status",
)


def selector(text: str) -> Selector:
    metric = parse_threshold(f"count of {text} > 0").metric
    assert isinstance(metric, Metric)
    assert metric.selector is not None
    return metric.selector


@pytest.mark.parametrize(
    "text",
    [
        '"GET /kv"',
        'task:"get key"',
        "user:Buyer",
        "tag:read",
        "tag:cached",
        "tag:cached=false",
        "status:503",
        "status:5xx",
        "status:5*",
        "error:status",
        "not task:other",
        "task:other or user:Buyer",
        "not (task:other or user:Admin)",
        "not task:other and status:5xx or user:Nobody",
        'group:inner and "GET /kv"',
        "not group:elsewhere",
    ],
)
def test_takes_what_it_names(text: str) -> None:
    """Each term alone and in combination."""
    assert selector(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        '"GET /"',
        "task:get",
        "tag:cached=true",
        "tag:write",
        "status:500",
        "status:2xx",
        "error:timeout",
        "not user:Buyer",
        "user:Buyer and task:other",
        "user:Buyer and not status:5xx",
        "group:inner",
        "not group:inner",
        "iteration",
    ],
)
def test_leaves_the_rest(text: str) -> None:
    """A group or an iteration alone is another population than requests."""
    assert not selector(text).matches(LABELS)


def test_a_request_without_a_reply_has_no_status_class() -> None:
    """Status 0 stands for no reply and belongs to no class."""
    refused = replace(LABELS, status=0, failure="connect")

    assert selector("status:0").matches(refused)
    assert not any(selector(f"status:{n}xx").matches(refused) for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "population"),
    [
        ("task:a", Population.REQUEST),
        ("group:a", Population.GROUP),
        ("group:a and user:b", Population.GROUP),
        ("group:a and status:5xx", Population.REQUEST),
        ('group:a and "GET /"', Population.REQUEST),
        ("not group:a", Population.REQUEST),
        ("iteration and tag:a", Population.ITERATION),
        ("not iteration:Buyer", Population.ITERATION),
    ],
)
def test_the_population_follows_from_the_terms(text: str, population: Population) -> None:
    """`group:G` is the group's own time unless something of a request stands beside it."""
    assert selector(text).population is population


@pytest.mark.parametrize(
    ("text", "could"),
    [
        ("status:404", True),
        ('"GET /kv" and error:timeout', True),
        ('"GET /" and error:timeout', False),
        ("tag:cached=true", True),
        ("tag:region=eu", False),
        ("task:other or status:404", True),
        ("not status:503", True),
        ("not user:Buyer", False),
    ],
)
def test_what_a_like_sample_could_match(text: str, could: bool) -> None:  # noqa: FBT001
    """Status, failure and tag values may differ next time; names don't."""
    assert selector(text).could_match(LABELS) is could
