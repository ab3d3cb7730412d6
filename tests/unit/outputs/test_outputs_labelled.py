"""Which labels requests have in databases."""

from __future__ import annotations

import asyncio

from planrunner.metrics.series import ABORTED
from planrunner.metrics.snapshot import Snapshot
from planrunner.outputs.labelled import SampleLabels
from planrunner.outputs.totals import totals_by
from tests.support.seconds import delta_of, labels_of


def test_series_that_an_output_does_not_tell_apart_are_one() -> None:
    """Stages and tags that are no labels don't multiply what a database has to keep."""
    labels = SampleLabels(("team",))
    snapshot = Snapshot(0, 1, {}, {
        labels_of(): delta_of(1_000, received=7),
        labels_of(stage="ramp"): delta_of(3_000, received=5),
        labels_of(tags=(("read", ""), ("team", "red"))): delta_of(2_000),
        labels_of(failure=ABORTED): delta_of(9_000),
        labels_of(kind="iteration"): delta_of(9_000),
    })  # fmt: skip

    totals = asyncio.run(totals_by(labels.of, snapshot))

    key = ("steady", "Buyer", "browse", "GET /items", "200", "false")
    assert totals.keys() == {(*key, ""), (*key, "red")}
    whole = totals[*key, ""]
    assert (whole.count, whole.received, whole.latency.total) == (2, 12, 4_000)


def test_a_plain_tag_is_true_and_secrets_of_names_are_masked() -> None:
    """An empty label is the same as none in most databases."""
    labels = SampleLabels(("read",), mask=lambda text: text.replace("hunter2", "***"))

    values = labels.of(labels_of(request="GET /hunter2", tags=(("read", ""),), warmup=True))

    assert dict(zip(labels.names, values, strict=True)) == {
        "phase": "steady", "user": "Buyer", "task": "browse", "request": "GET /***",
        "status": "200", "warmup": "true", "read": "true",
    }  # fmt: skip
