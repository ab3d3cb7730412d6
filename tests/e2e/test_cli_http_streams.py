"""Streamed replies in whole runs: tables, thresholds, raw samples, several workers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from planrunner.demo import HttpServer
from planrunner.demo.assistant.routes import assistant
from planrunner.metrics.histogram import Histogram
from planrunner.results.files.directory import SAMPLES, read_run
from planrunner.results.files.recover import recover
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.model import RunResult
from planrunner.results.record import read_series
from tests.support.doc_pages import ROOT
from tests.support.plans import PlanProject, running

STREAMS = """
name: streams
params: {target: {type: url}}
http: {base_url: "${target}", session: user}
users:
  Reader:
    steps:
      - name: chat
        post: /v1/chat/completions
        json: {model: demo, stream: true, max_tokens: 5, messages: [{role: user, content: hi}]}
        stream: events
        until: event.data == '[DONE]'
        expect: {first_event: < 9s, gap: < 9s, events: 7}
        record: {tokens: json.usage.completion_tokens, seen: events, late: last_event - first_event}
        work: json.usage.completion_tokens
      - name: too soon
        post: /v1/chat/completions
        json: {model: demo, stream: true, max_tokens: 1, messages: [{role: user, content: hi}]}
        stream: lines
        until: line == 'never'
        expect: {events: {min: 1, max: 3}, gap: < 1ns, first_event: < 1ns}
      - name: nothing
        get: /health
        stream: events
phases: [{iterations: 2, users: 2}]
thresholds:
  - p50 first_event of chat > 1ms
  - count of chat == 2
  - avg events of chat == 7
  - max gap of chat > 1us
  - sum work of chat == 10
  - max of metric.seen < 8
  - error_rate of "too soon" == 100%
"""


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Serve the assistant, and give its URL."""
    server = HttpServer(assistant())
    try:
        yield f"http://127.0.0.1:{await server.start()}"
    finally:
        await server.stop()


def test_what_is_measured_of_streams_is_in_every_report(project: PlanProject) -> None:
    """And a stream that isn't as expected is a failure, with what it had measured."""
    project.write({"plan.yaml": STREAMS})

    with running(served()) as url:
        ended = project.run("execute", "plan.yaml", "--quiet", "--set", f"target={url}")

    assert ended.code == 0, ended.out
    chats, soon, none = (
        [row for row in ended.rows if row["endpoint"] == name]
        for name in ("chat", "too soon", "nothing")
    )
    assert [row["events"] for row in chats] == ["7", "7"]
    assert all(0 < float(row["first_event"]) < float(row["response_time"]) for row in chats)
    assert [row["kind"] for row in soon] == ["expect", "expect"]
    assert [(row["kind"], row["first_event"], row["events"]) for row in none] == [
        ("protocol", "", "0")
    ] * 2
    assert ended.metrics["totals"]["failed_requests"] == 4
    samples = next(path for name, path in ended.files.items() if name.endswith(SAMPLES))
    result = read_run(samples.parent)
    rebuilt = recover(result, SampleReader(samples))
    assert measured_in(rebuilt) == measured_in(result)
    assert "missing" in rebuilt.notices[-1]
    assert "gap" not in rebuilt.notices[-1]


def measured_in(result: RunResult) -> dict[tuple[str, str], Mapping[str, Histogram]]:
    """Return what the samples of each request have of measures."""
    return {
        (labels.request, labels.failure): delta.measures
        for labels, delta in read_series(result.series).items()
        if labels.kind == "request"
    }


@pytest.mark.slow
def test_the_plan_of_the_demo_runs(project: PlanProject) -> None:
    """Chat over SSE and WebSocket, and GraphQL, in one plan, on two workers."""
    project.write({"assistant.yaml": (ROOT / "plans" / "assistant.yaml").read_text("utf-8")})

    ended = project.run("execute", "assistant.yaml", "--quiet", "--hold", "2s", "--workers", "2")

    assert ended.code in (0, 1), ended.out  # a busy machine may be too slow for it
    assert ended.metrics["totals"]["failed_requests"] == 0
    assert {row["endpoint"] for row in ended.rows} >= {"POST /v1/chat/completions", "echo"}
