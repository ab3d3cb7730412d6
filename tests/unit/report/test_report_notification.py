"""What people are told when a run has ended, in plain text."""

from __future__ import annotations

from dataclasses import replace

from planrunner.report.notification import (
    Message,
    MessageKind,
    message_of_plan,
    message_of_refusal,
    message_of_run,
)
from planrunner.results.changes import (
    ChangeOutcome,
    Comparison,
    EarlierKind,
    EarlierRun,
    FigureChange,
)
from planrunner.results.model import RunResult
from tests.support.golden import check_golden
from tests.support.results import RESULTS
from tests.support.suites import make_plan, make_repeated

PAGE = "https://ci.example.com/jobs/17"


def compared(result: RunResult, kind: EarlierKind) -> RunResult:
    """Give a run another one to be compared with."""
    figures = (
        ("typical_p50", 0.01, 0.01, 0.0, ChangeOutcome.SAME),
        ("typical_p95", 0.24, 0.312, 0.3, ChangeOutcome.WORSE),
        ("throughput", 151.0, 150.0, -0.0066, ChangeOutcome.SAME),
        ("error_rate", 0.001, 0.024, 0.023, ChangeOutcome.WORSE),
    )
    changes = [
        FigureChange(request, figure, before, after, change, change, change, outcome)
        for request in ("", "GET /products")
        for figure, before, after, change, outcome in figures
    ]
    comparison = Comparison("old", "new", 0.05, tuple(changes), (), (), ())
    return replace(result, earlier=(EarlierRun(kind, "2026-11-20T12:00:00Z", comparison, ()),))


def as_text(messages: dict[str, Message]) -> str:
    return "\n".join(
        f"--- {case}: {one.kind}, verdict `{one.verdict}`, exit code {one.exit_code}\n"
        f"{one.title}\n\n{one.body}\n"
        for case, one in messages.items()
    )


def test_messages_are_what_was_reviewed(update_golden) -> None:
    """The verdict and what broke come first; then three figures, doubts, and where to read on."""
    cases = ("passing", "failing", "biased", "empty", "awkward")
    messages = {case: message_of_run(RESULTS[case], report=PAGE) for case in cases}
    labelled = replace(RESULTS["passing"], labels={"build": "1.4.2"}, profile="load")
    for kind in EarlierKind:
        messages[f"beside the {kind}"] = message_of_run(compared(labelled, kind), report="")
    messages["refused"] = message_of_refusal("shop", "nothing answers at 127.0.0.1:1", 3)
    messages["repeated"] = message_of_plan(make_repeated([50, 150, 160]), report=PAGE)
    messages["not begun"] = message_of_plan(
        replace(make_plan(exit_code=3, verdict="could not run"), reason="no shop"), report=""
    )

    check_golden("report/notifications.txt", as_text(messages), update=update_golden)


def test_a_long_list_is_cut() -> None:
    """A telephone shows a few lines."""
    [judgement] = [
        one for one in RESULTS["failing"].judgements if one.threshold == "error_rate < 1%"
    ]
    broken = (judgement,) * 40

    body = message_of_run(replace(RESULTS["failing"], judgements=broken), report="").body

    assert len(body.splitlines()) < 20
    assert "\nand 31 more\n" in body


def test_nothing_steers_who_reads_it() -> None:
    """Names of targets and plans have neither control characters nor lines of their own."""
    plan = "a\x1b[2J\nb\u202e @everyone, me@example.com"
    message = message_of_run(replace(RESULTS["passing"], plan=plan), report="")

    assert message.title == "pass: a\ufffd[2J b\ufffd @\u200beveryone, me@example.com"
    assert message.kind is MessageKind.SUCCESS
