"""Failed requests: their kinds, what they lead to, and what each leaves in the raw samples."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from planrunner.engine import Ending
from planrunner.graph.run_graph import SetNode
from planrunner.language.expressions.values import UNDEFINED, EvaluationError
from planrunner.protocols.base import FailureKind
from planrunner.results.files.sample_reader import SampleReader
from planrunner.results.files.samples import SampleWriter
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    NEVER,
    Answer,
    FakeTarget,
    closed,
    counts,
    make_graph,
    pause,
    request,
    run_graph,
    task,
    user_class,
)

REFUSED = Answer(delay_ns=0, failure=FailureKind.CONNECT, detail="connection refused")


def one_task(*steps, **program):
    return user_class(task("t", *steps), **program)


def no_value(scope):
    raise EvaluationError("`x` has no value")


class TestKinds:
    def test_a_status_that_is_not_accepted_is_a_failure(self):
        """It has the reply's latency and status."""
        step = request(operation=Answer(status=503))

        told = run_graph(make_graph(one_task(step), closed(1, 0.1)))

        assert counts(told.outcome, "status", "failure") == {(503, "status"): 10}

    @pytest.mark.parametrize("kind", [FailureKind.RESET, FailureKind.PROTOCOL])
    def test_what_the_client_says_is_the_kind(self, kind):
        """Whatever status came with it."""
        step = request(operation=Answer(failure=kind))

        told = run_graph(make_graph(one_task(step), closed(1, 0.1)))

        assert counts(told.outcome, "status", "failure") == {(0, kind.value): 10}

    def test_a_failed_expectation_is_one_sample_however_many_fail(self):
        """The first one names it."""
        checks = (lambda reply, scope: "too slow", lambda reply, scope: "no `ok`")

        told = run_graph(make_graph(one_task(request(checks=checks)), closed(1, 0.1)))

        assert counts(told.outcome, "status", "failure") == {(200, "expect"): 10}

    def test_an_expectation_that_is_only_soft_is_asked(self):
        """Its failures are counted and told, and are no failures of the request."""
        step = request()
        soft = replace(step.exchange, soft_checks=(lambda reply, scope: "too slow",))

        told = run_graph(
            make_graph(one_task(replace(step, exchange=soft)), closed(1, 0.1)),
        )

        assert counts(told.outcome, "failure") == {"": 10}
        assert told.outcome.counters.soft_failures == {"GET /": 10}

    def test_soft_expectations_count_in_the_measured_time_only(self):
        """Neither in the warm-up nor in the graceful stop: the requests are in no table either."""
        answer = Answer(delay_ns=400 * NS_PER_MS)
        exchange = replace(
            request(operation=answer).exchange, soft_checks=(lambda reply, scope: "too slow",)
        )
        step = replace(request(), exchange=exchange)

        told = run_graph(make_graph(one_task(step, step), closed(1, 2, warmup=1)))

        # At 0, 0.4 and 0.8 s; at 1.2 and 1.6 s; and the second step of the last iteration at 2 s.
        assert counts(told.outcome, "warmup", "after") == {
            (True, False): 3,
            (False, False): 2,
            (False, True): 1,
        }
        assert told.outcome.counters.soft_failures == {"GET /": 2}

    def test_a_series_knows_what_broke_of_what_was_asked(self):
        """Only of complete replies, each expectation in its own words, that of the status too."""

        def step(name, **answer):
            node = request(name, Answer(**answer), checks=(lambda reply, scope: "no `id`",))
            exchange = replace(
                node.exchange,
                soft_checks=(lambda reply, scope: "too slow", no_value),
                expected=("status 200", "id"),
                softly_expected=("time",),
                states_status=True,
            )
            return replace(node, exchange=exchange)

        steps = step("a"), step("b", status=500), step("c", failure=FailureKind.RESET)

        told = run_graph(make_graph(one_task(*steps), closed(1, 0.09)))

        totals = told.outcome.total.totals
        found = {
            labels.request: (labels.failure, labels.expectations, total.count, total.broken)
            for labels, total in totals.items()
            if labels.kind == "request"
        }
        of_body = {("id", False): 3, ("time", True): 3, ("expectation 2", True): 3}
        assert found == {
            "a": ("expect", 4, 3, of_body),
            "b": ("status", 4, 3, {**of_body, ("status 200", False): 3}),
            "c": ("reset", 0, 3, {}),
        }

    def test_expectations_are_not_asked_of_a_refused_status(self):
        """One request is one sample with one kind."""
        step = request(operation=Answer(status=404), checks=(lambda reply, scope: "no",))

        told = run_graph(make_graph(one_task(step), closed(1, 0.1)))

        assert set(counts(told.outcome, "failure")) == {"status"}

    def test_a_failed_request_does_not_end_the_iteration(self):
        """The steps after it still run."""
        steps = request("a", Answer(status=500)), request("b")

        told = run_graph(make_graph(one_task(*steps), closed(1, 0.1)))

        assert counts(told.outcome, "request", "failure") == {("a", "status"): 5, ("b", ""): 5}

    def test_a_failed_extraction_ends_the_iteration(self):
        """The steps after it would miss the value."""
        steps = request("a", extractors=(lambda reply, scope: "no `id`",)), request("b")

        told = run_graph(make_graph(one_task(*steps), closed(1, 0.1)))

        assert set(counts(told.outcome, "request", "failure")) == {("a", "extract")}
        assert told.outcome.counters.ended_early.total() == counts(told.outcome, "request")["a"]
        assert any("ended early" in notice for notice in told.outcome.notices)

    def test_an_extraction_writes_for_the_next_step(self):
        """What was extracted is in the scope of the request after."""

        def extract(reply, scope):
            scope["id"] = 7

        steps = request("a", extractors=(extract,)), request("b")

        told = run_graph(make_graph(one_task(*steps, iteration_names=("id",)), closed(1, 0.02)))

        assert [scope.get("id") for scope in told.target.scopes] == [None, 7]

    def test_a_request_without_a_value_is_not_sent_and_counts(self):
        """It fails as `extract`, takes no time, and the user doesn't spin."""
        told = run_graph(make_graph(one_task(request(operation=no_value)), closed(1, 0.1)))

        assert counts(told.outcome, "status", "failure") == {(0, "extract"): 100}
        assert told.target.requests == 0

    def test_a_set_without_a_value_fails_the_iteration(self):
        """There is no request to fail, so the iteration says it."""
        steps = (SetNode((("y", no_value),)), request())

        told = run_graph(make_graph(one_task(*steps), closed(1, 0.01)))

        assert counts(told.outcome, "failure", kind="iteration") == {"extract": 10}

    def test_a_check_without_a_value_fails_as_extract(self):
        """An expectation that reads a missing name is no failed expectation."""

        def check(reply, scope):
            raise EvaluationError("`x` has no value")

        told = run_graph(make_graph(one_task(request(checks=(check,))), closed(1, 0.1)))

        assert set(counts(told.outcome, "failure")) == {"extract"}


class TestReplies:
    def test_the_reply_has_names_when_the_plan_reads_them(self):
        """`status`, `body`, `json` and `headers` are those of the last request."""
        steps = (request("a", Answer(body=b'{"id": 7}'), reads_reply=True), request("b"))

        told = run_graph(make_graph(one_task(*steps), closed(1, 0.02)))

        scope = told.target.scopes[1]
        assert (scope["status"], scope["json"], scope["body"]) == (200, {"id": 7}, '{"id": 7}')

    def test_a_body_that_is_not_json_has_no_json(self):
        """It is undefined, which is no failure until somebody needs it."""
        steps = (request("a", Answer(body=b"<p>"), reads_reply=True), request("b"))

        told = run_graph(make_graph(one_task(*steps), closed(1, 0.02)))

        assert told.target.scopes[1]["json"] is UNDEFINED

    def test_a_tag_from_the_reply_opens_a_series(self):
        """Beside the tags that the plan wrote, sorted."""
        answers = iter(["eu", "us", "eu"])

        def answer(scope):
            scope["zone"] = next(answers, "eu")
            return Answer()

        step = request(
            operation=answer, tags=(("z", ""),), reply_tags=(("zone", lambda s: s["zone"]),)
        )

        told = run_graph(make_graph(one_task(step), closed(1, 0.03)))

        by_tags = counts(told.outcome, "tags")
        assert by_tags == {(("z", ""), ("zone", "eu")): 2, (("z", ""), ("zone", "us")): 1}

    def test_latency_includes_connecting_and_service_time_does_not(self):
        """Both are kept, as they differ."""
        step = request(operation=Answer(connect_ns=5 * NS_PER_MS))

        told = run_graph(make_graph(one_task(step), closed(1, 0.01)))

        (total,) = [t for k, t in told.outcome.total.totals.items() if k.kind == "request"]
        assert (total.latency.max, total.service.max) == (15 * NS_PER_MS, 10 * NS_PER_MS)


class TestTimeouts:
    @pytest.mark.parametrize("timeout_ms", [100, 1_000, 30_000])
    def test_a_request_outlives_its_timeout_by_little(self, timeout_ms):
        """The sweep is as fine as the shortest timeout needs: 5 %, at least 10 ms."""
        step = request(operation=Answer(delay_ns=NEVER), timeout_ns=timeout_ms * NS_PER_MS)

        told = run_graph(make_graph(one_task(step), closed(1, timeout_ms / 1000)))

        (total,) = [t for k, t in told.outcome.total.totals.items() if k.kind == "request"]
        assert counts(told.outcome, "failure") == {"timeout": 1}
        assert timeout_ms <= total.latency.max / NS_PER_MS <= timeout_ms * 1.05 + 10


class TestRefusals:
    def test_a_refused_user_backs_off(self):
        """A tenth of a second ten times, then a second each time."""
        target = FakeTarget()

        told = run_graph(
            make_graph(one_task(request(operation=REFUSED)), closed(1, 4)), target=target
        )

        asked = told.asked()
        assert asked[:10] == pytest.approx([0.1 * n for n in range(10)])
        assert asked[10:] == pytest.approx([1.9, 2.9, 3.9])
        assert told.outcome.counters.backoffs == 13

    def test_an_answer_ends_the_back_off(self):
        """The next refusal starts at a tenth of a second again."""
        answers = iter([REFUSED] * 12 + [Answer(delay_ns=0)] + [REFUSED] * 3)
        step = request(operation=lambda scope: next(answers, Answer(delay_ns=NEVER)))

        told = run_graph(make_graph(one_task(step), closed(1, 10, graceful_stop=0)))

        last = told.asked()[13:17]
        assert [round(b - a, 3) for a, b in pairwise(last)] == [0.1, 0.1, 0.1]

    def test_nothing_but_refusals_for_ten_seconds_ends_the_run(self):
        """It could not run: the target isn't there."""
        told = run_graph(make_graph(one_task(request(operation=REFUSED)), closed(2, 60)))

        assert told.outcome.ending is Ending.CANNOT_RUN
        assert "connect" in told.outcome.reason
        assert told.seconds(told.outcome.ended_ns) == 10.0

    def test_a_target_that_dies_in_the_middle_ends_the_run_ten_seconds_later(self):
        """Backed-off users fail so seldom that a gate on the error rate might not notice."""
        answers = iter([Answer()] * 500)
        step = request(operation=lambda scope: next(answers, REFUSED))

        told = run_graph(make_graph(one_task(step), closed(1, 60)))

        assert told.outcome.ending is Ending.CANNOT_RUN
        assert 15 <= told.seconds(told.outcome.ended_ns) <= 16

    def test_a_short_outage_fails_requests_and_the_run_goes_on(self):
        """One answer is enough to know that somebody is there again."""
        answers = iter([Answer()] * 500 + [REFUSED] * 15)
        step = request(operation=lambda scope: next(answers, Answer()))

        told = run_graph(make_graph(one_task(step), closed(1, 30)))

        assert told.outcome.ending is Ending.FINISHED
        assert told.seconds(told.outcome.ended_ns) == 30.0
        assert any("could not connect" in notice for notice in told.outcome.notices)

    def test_refusals_far_apart_are_no_outage_by_themselves(self):
        """One request a minute, refused once: nobody asked in between."""
        answers = iter([REFUSED])
        step = request(operation=lambda scope: next(answers, Answer()))

        told = run_graph(make_graph(one_task(step, wait=pause(60)), closed(1, 100)))

        assert told.outcome.ending is Ending.FINISHED


class TestRawSamples:
    def test_every_request_leaves_a_row(self, tmp_path):
        """Successes, failures with their words, aborted ones; times from the run's start."""
        answers = iter([Answer(), Answer(status=500), Answer(delay_ns=1000 * NS_PER_S)])
        step = request(operation=lambda scope: next(answers))
        samples = SampleWriter(tmp_path / "samples.bin", started_unix_ns=0)

        run_graph(
            make_graph(one_task(step, wait=pause(0.5)), closed(1, 2, graceful_stop=1)),
            samples=samples,
        )
        samples.close()

        reader = SampleReader(tmp_path / "samples.bin")
        rows = [
            (
                reader.labels[row.series].failure,
                row.start_ns / NS_PER_MS,
                row.latency_ns / NS_PER_MS,
                row.ttfb_ns / NS_PER_MS,
                row.body_bytes,
                reader.messages[row.message],
            )
            for row in reader
        ]
        assert rows == [
            ("", 0, 10, 10, 10, ""),
            ("status", 510, 10, 10, 10, "status 500"),
            ("aborted", 1020, 1980, 0, 0, ""),
        ]
