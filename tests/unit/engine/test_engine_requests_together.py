"""Polls and parallel requests, and the requests of preflight, in virtual time."""

from __future__ import annotations

from itertools import chain, repeat

import pytest

from planrunner.errors import CannotRun
from planrunner.graph.run_graph import ParallelNode, PollNode
from planrunner.language.expressions.expression import parse
from planrunner.protocols.base import FailureKind
from planrunner.units import NS_PER_MS, NS_PER_S
from tests.support.graphs import (
    NEVER,
    Answer,
    FakeTarget,
    closed,
    counts,
    make_graph,
    request,
    run_graph,
    task,
    user_class,
)


def expr(source):
    return parse(source).lower({}).evaluate


def in_turn(*answers, then):
    waiting = chain(answers, repeat(then))
    return lambda _: next(waiting)


def body(text):
    return Answer(body=text.encode())


def poll(operation, until="json.done", *, every=1.0, timeout=10.0, **node):
    return PollNode(
        request("job", operation, reads_reply=True, **node),
        expr(until),
        until,
        round(every * NS_PER_S),
        round(timeout * NS_PER_S),
    )


def take_id(reply, scope):
    return None if b"id" in reply.body else "no `id`"


def run_steps(*steps, target=None):
    users = user_class(task("t", *steps))
    return run_graph(make_graph(users, closed(1, 0.005, graceful_stop=60)), target=target)


def group_of(told):
    (total,) = [t for k, t in told.outcome.total.totals.items() if k.kind == "group"]
    return total.count, total.latency.max / NS_PER_S


class TestPoll:
    def test_the_first_attempt_is_sent_at_once_and_may_be_the_last(self):
        """Then nothing waits."""
        told = run_steps(poll(body('{"done": true}')), request("after"))

        assert told.asked() == pytest.approx([0, 0.01])
        assert counts(told.outcome, "request", "failure") == {("job", ""): 1, ("after", ""): 1}

    def test_each_attempt_is_a_sample_and_the_poll_a_group(self):
        """With `every` after each reply; the group lasts as long as all of it."""
        waiting = body('{"done": false}')

        told = run_steps(poll(in_turn(waiting, waiting, then=body('{"done": true}'))))

        assert told.asked() == pytest.approx([0, 1.01, 2.02])
        assert counts(told.outcome, "request", "groups") == {("job", ("job",)): 3}
        assert group_of(told) == (1, pytest.approx(2.03, rel=0.01))

    def test_when_its_time_is_up_the_last_attempt_fails(self):
        """As `expect`; the iteration goes on."""
        told = run_steps(poll(body('{"done": false}'), timeout=3), request("after"))

        assert counts(told.outcome, "request", "failure") == {
            ("job", ""): 2,
            ("job", "expect"): 1,
            ("after", ""): 1,
        }
        assert counts(told.outcome, "failure", kind="group") == {"expect": 1}

    def test_an_attempt_without_a_reply_ends_with_the_poll(self):
        """It fails as `expect` too."""
        told = run_steps(poll(Answer(delay_ns=NEVER), timeout=2), request("after"))

        assert told.asked() == pytest.approx([0, 2])
        assert counts(told.outcome, "request", "failure")["job", "expect"] == 1

    def test_a_failed_attempt_is_a_failure_and_the_poll_goes_on(self):
        """What is waited for may not be there yet."""
        told = run_steps(poll(in_turn(Answer(status=404), then=body('{"done": true}'))))

        assert counts(told.outcome, "failure") == {"status": 1, "": 1}

    def test_a_failure_may_be_what_is_waited_for(self):
        """It is a failure all the same, and nothing is sent after it."""
        gone = in_turn(body("{}"), then=Answer(status=404))

        told = run_steps(poll(gone, "status == 404"), request("after"))

        assert counts(told.outcome, "request", "failure") == {
            ("job", ""): 1,
            ("job", "status"): 1,
            ("after", ""): 1,
        }

    def test_a_failed_attempt_without_a_value_says_nothing(self):
        """An error page has nothing of what is waited for."""
        told = run_steps(
            poll(in_turn(Answer(status=503), then=body('{"done": 2}')), "json.done > 1")
        )

        assert counts(told.outcome, "failure") == {"status": 1, "": 1}

    def test_what_until_reads_may_be_in_the_last_reply_alone(self):
        """A reply without it isn't the right one yet, and no failure."""
        waiting = in_turn(body("{}"), body("queued"), body('{"job": null}'), then=body('{"x": 1}'))

        told = run_steps(poll(waiting, "json.x == 1"), request("after"))

        assert counts(told.outcome, "request", "failure") == {("job", ""): 4, ("after", ""): 1}

    def test_what_never_comes_is_waited_for_until_the_time_is_up(self):
        """It fails as any `until` that is not met."""
        told = run_steps(poll(body("{}"), "json.x == 1", timeout=3), request("after"))

        assert counts(told.outcome, "request", "failure") == {
            ("job", ""): 2,
            ("job", "expect"): 1,
            ("after", ""): 1,
        }

    def test_what_is_extracted_may_be_in_the_last_reply_alone(self):
        """Until then nothing is missing."""
        waiting = body('{"done": false}')

        told = run_steps(
            poll(in_turn(waiting, then=body('{"done": true, "id": 7}')), extractors=(take_id,)),
            request("after"),
        )

        assert counts(told.outcome, "request", "failure") == {("job", ""): 2, ("after", ""): 1}

    @pytest.mark.parametrize(
        ("last", "kind", "sent"),
        [('{"done": true}', "extract", 0), ('{"done": false}', "expect", 1)],
    )
    def test_what_the_last_reply_lacks_is_a_failure(self, last, kind, sent):
        """Of the extraction when the poll has ended well; then the iteration ends too."""
        told = run_steps(poll(body(last), timeout=0.5, extractors=(take_id,)), request("after"))

        found = counts(told.outcome, "request", "failure")
        assert (found["job", kind], found.get(("after", ""), 0)) == (1, sent)

    def test_a_condition_without_a_value_ends_the_iteration(self):
        """As `extract`, at the attempt that shows it."""
        told = run_steps(poll(body('{"done": "x"}'), "json.done > 1"), request("never"))

        assert counts(told.outcome, "request", "failure") == {("job", "extract"): 1}

    def test_a_user_that_is_told_to_stop_still_waits_for_its_answer(self):
        """The pauses of a poll are no think time."""
        waiting = body('{"done": false}')
        told = run_steps(poll(in_turn(waiting, then=body('{"done": true}')), every=5))

        assert told.asked() == pytest.approx([0, 5.01])


class TestParallel:
    def test_all_are_sent_at_once(self):
        """And the next step waits for the slowest."""
        slow = Answer(delay_ns=50 * NS_PER_MS)
        together = ParallelNode((request("a"), request("b", slow), request("c")))

        told = run_steps(together, request("after"))

        assert told.asked() == pytest.approx([0, 0, 0, 0.05])
        assert counts(told.outcome, "request") == {"a": 1, "b": 1, "c": 1, "after": 1}

    def test_each_is_timed_on_its_own(self):
        """Latency runs from its own send."""
        together = ParallelNode((request("a"), request("b", Answer(delay_ns=50 * NS_PER_MS))))

        told = run_steps(together)

        latencies = {
            labels.request: total.latency.max
            for labels, total in told.outcome.total.totals.items()
            if labels.kind == "request"
        }
        assert latencies == {"a": 10 * NS_PER_MS, "b": 50 * NS_PER_MS}

    @pytest.mark.slow
    def test_one_that_fails_fails_the_iteration_and_cuts_no_other(self):
        """The first one's kind counts, in plan order."""
        together = ParallelNode((request("a"), request("b", Answer(status=500)), request("c")))

        told = run_steps(together, request("after"))

        assert counts(told.outcome, "request", "failure") == {
            ("a", ""): 1,
            ("b", "status"): 1,
            ("c", ""): 1,
            ("after", ""): 1,
        }
        assert counts(told.outcome, "failure", kind="iteration") == {"status": 1}

    def test_a_failed_extraction_ends_the_iteration_when_all_have_ended(self):
        """The others are samples like any."""
        lost = request("a", extractors=[lambda reply, scope: "nothing there"])
        slow = request("b", Answer(delay_ns=50 * NS_PER_MS))

        told = run_steps(ParallelNode((lost, slow)), request("never"))

        assert counts(told.outcome, "request", "failure") == {("a", "extract"): 1, ("b", ""): 1}

    def test_the_end_of_the_graceful_stop_cuts_all(self):
        """Each is an aborted sample."""
        endless = Answer(delay_ns=10**12)
        together = ParallelNode((request("a", endless), request("b", endless)))
        users = user_class(task("t", together))

        told = run_graph(make_graph(users, closed(1, 1, graceful_stop=1)))

        assert counts(told.outcome, "request", "failure") == {
            ("a", "aborted"): 1,
            ("b", "aborted"): 1,
        }
        assert told.target.waiting == 0

    def test_a_condition_leaves_one_out(self):
        """The others are sent."""
        together = ParallelNode((request("a", when=expr("false")), request("b")))

        assert counts(run_steps(together).outcome, "request") == {"b": 1}


class TestPreflight:
    def test_it_is_sent_once_before_the_load(self):
        """And is no result."""
        graph = make_graph(
            user_class(), closed(3, 0.005), preflight=(request("ready", measured=False),)
        )

        told = run_graph(graph)

        assert told.asked() == pytest.approx([0, 0.01, 0.01, 0.01])
        assert counts(told.outcome, "request", "measured")["ready", False] == 1

    def test_a_failed_one_keeps_everything_else_from_being_sent(self):
        """The error says what failed."""
        target = FakeTarget()
        refused = Answer(failure=FailureKind.CONNECT, detail="connection refused")
        graph = make_graph(
            user_class(),
            closed(3, 9),
            preflight=(request("ready", refused, measured=False), request("never")),
        )

        with pytest.raises(CannotRun, match="`ready` failed: connection refused"):
            run_graph(graph, target=target)

        assert target.requests == 1
        assert target.sessions_closed == target.sessions_opened == 1
