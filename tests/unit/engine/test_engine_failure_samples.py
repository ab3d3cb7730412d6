"""The first failed requests are kept for people: what was sent, what came, without secrets."""

from __future__ import annotations

from dataclasses import replace

from planrunner.engine.recording.failure_samples import FailingRequests, first_of_each
from planrunner.language.secrets import Masker
from planrunner.metrics.series import Labels
from planrunner.protocols.base import Reply
from planrunner.results.record import FailingSample
from tests.support.graphs import Answer, closed, make_graph, request, run_graph, task, user_class

LABELS = Labels(request="GET /", method="GET", phase="main", stage="", user="", task="")


class Remembering:
    """A session that recalls two texts."""

    def __init__(self, sent: str = "GET /", received: str = "HTTP/1.1 500") -> None:
        self.texts = sent, received

    def recall(self) -> tuple[str, str]:
        return self.texts


def replied(status: int = 500) -> Reply:
    reply = Reply()
    reply.status = status
    return reply


def keep(failing: FailingRequests, session=None, status: int = 500, kind: str = "status") -> None:
    failing.add(
        LABELS,
        session or Remembering(),
        replied(status),
        kind=kind,
        words=f"status {status}",
        after_ns=1_500_000_000,
        took_ns=7,
    )


def test_three_of_each_way_are_kept() -> None:
    """A way to fail is a request, a kind and a status; the others cost one look."""
    failing = FailingRequests(str, str)
    for _ in range(5):
        keep(failing)
        keep(failing, status=503)

    kept = failing.drain()

    assert [sample.status for sample in kept] == [500, 503] * 3
    assert kept[0].second == 1.5
    assert (kept[0].sent, kept[0].received) == ("GET /", "HTTP/1.1 500")
    assert failing.drain() == ()


def test_a_secret_at_the_cut_leaves_no_half() -> None:
    """Texts are masked before they are cut."""
    mask = Masker(["s3cret-token"])
    failing = FailingRequests(mask, mask)
    keep(failing, Remembering("x" * 1_995 + "s3cret-token", "s3cret-token"))

    (sample,) = failing.drain()

    assert sample.sent == "x" * 1_995 + "***"
    assert sample.received == "***"


def test_the_first_of_all_workers_are_kept_in_order_of_time() -> None:
    """Each worker sends its own first ones."""
    made = [
        FailingSample("GET /", "main", "status", "", "GET", 500, second=float(second), latency_ns=1)
        for second in (5, 1, 4, 2, 3)
    ]
    other = replace(made[0], kind="reset", status=0, second=9.0)

    merged = first_of_each([*made, other])

    assert [one.second for one in merged] == [1.0, 2.0, 3.0, 9.0]


def test_a_run_keeps_what_failed_and_nothing_else() -> None:
    """Sessions of foreign protocols that recall nothing give the facts alone."""
    steps = request("good"), request("bad", Answer(status=503))

    told = run_graph(make_graph(user_class(task("t", *steps)), closed(1, 0.1)))

    kept = told.outcome.failing
    assert [(one.request, one.status, one.reason) for one in kept] == [
        ("bad", 503, "status 503")
    ] * 3
    assert all(one.sent == one.received == "" for one in kept)
    assert kept[0].latency_ns > 0
