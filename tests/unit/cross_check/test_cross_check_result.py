"""What people and programs see of a cross-check."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from planrunner.cross_check.checked_tools import CheckedTool, LeftOutTool, own_tool
from planrunner.cross_check.figures import RoundFigures, RoundSamples
from planrunner.cross_check.result import CrossCheck, to_json
from planrunner.cross_check.rounds import ToolRounds
from planrunner.cross_check.view import print_cross_check
from planrunner.tools.contract import Tool, ToolJob, ToolSample
from planrunner.tools.registry import named_tool
from planrunner.tools.tool_run import ToolEnd
from tests.support.golden import check_golden
from tests.support.plans import compiled, plan_text

MS = 1_000_000


def round_of(rate: int, p50_us: int, *, failures: int = 0, cpu_s: float = 1.0) -> RoundFigures:
    """Return ten seconds, of which each takes this much CPU; one second was the warm-up."""
    times = (p50_us * 1_000, 2 * p50_us * 1_000, 3 * p50_us * 1_000)
    short = RoundFigures(rate, 0, 1.0, times, 0.5 + cpu_s / 10)
    return RoundFigures(rate * 10, failures, 10.0, times, 0.5 + cpu_s, short=short)


def rounds_of(tool: Tool, *rounds: RoundFigures, **facts: object) -> ToolRounds:
    checked = CheckedTool(tool, "1.2", lambda folder: ToolJob("", None, (), folder))
    return replace(ToolRounds(checked, rounds=[*rounds]), **facts)  # type: ignore[arg-type]


def checked(*others: ToolRounds, interrupted: str = "") -> CrossCheck:
    rounds = [round_of(1_000, us, cpu_s=9.5) for us in (900, 910, 920)]
    own = ToolRounds(own_tool(()), rounds=rounds, warm_up=rounds[0].short)
    graph = compiled(plan_text("phases: [{users: 10, hold: 10s}]"))
    left = LeftOutTool("locust", "it is not installed", "get it with `pipx install locust`")
    return CrossCheck(
        graph, "p.yaml", "10 users at once for 10 s", 3, [own, *others], [left], interrupted
    )


def shown(found: CrossCheck, width: int = 0) -> str:
    """As a terminal of that width shows it, or a log."""
    out = io.StringIO()
    terminal = bool(width)
    print_cross_check(
        found,
        Console(file=out, width=width or None, force_terminal=terminal, color_system=None),
    )
    return out.getvalue()


@pytest.mark.parametrize("width", [0, 60])
def test_the_table_and_what_differs(width: int, *, update_golden: bool) -> None:
    """Each difference with its noise, and the reasons that the figures show."""
    wrk = rounds_of(named_tool("wrk"), *(round_of(9_000, us) for us in (90, 91, 92)))
    ab = rounds_of(named_tool("ab"), *[round_of(1_000, 1_000)] * 3)
    hey = rounds_of(named_tool("hey"), failed="hey ended with exit code 2; it printed last:\n  oh")

    text = shown(checked(wrk, ab, hey), width)
    name = f"cross_check/{width}.txt" if width else "cross_check/log.txt"
    check_golden(name, text, update=update_golden)


def test_one_that_was_interrupted() -> None:
    """What there is of it is shown, and nothing is made of too few rounds."""
    cut = replace(round_of(900, 900), is_cut=True)
    found = checked(rounds_of(named_tool("k6"), cut=[cut]), interrupted="interrupted by SIGINT")
    text = shown(found)

    assert "interrupted after 3 of 3 rounds: interrupted by SIGINT" in text
    assert "k6                 900" in text
    assert "k6: from 0 whole rounds noise can't be judged" in text


def test_the_document() -> None:
    """It has every round, and the same differences."""
    k6 = rounds_of(named_tool("k6"), *[round_of(1_000, 908, failures=100)] * 3)
    data = json.loads(json.dumps(to_json(checked(k6))))

    own, other = data["tools"]
    assert own["figures"]["requests_per_second"] == {
        "median": 1_000, "least": 1_000, "most": 1_000, "spread": 0, "rounds": 3,
    }  # fmt: skip
    assert [one["p50_ns"] for one in own["rounds"]] == [900_000, 910_000, 920_000]
    assert [one["figure"] for one in other["differences"]] == ["failed_share"]
    assert other["reasons"] == [
        "planrunner judges replies by the plan's `expect`, k6 by its own rules"
    ]
    assert data["left_out"][0]["name"] == "locust"
    assert own["figures"]["start_cpu_seconds"]["median"] == pytest.approx(0.5)
    assert (own["warm_up"]["requests"], other["warm_up"]) == (1_000, None)


def test_the_start_of_a_tool_costs_no_request_anything() -> None:
    """What a longer run takes more is that of the requests it sent more."""
    one = round_of(1_000, 900, cpu_s=2.0)
    alone, same = replace(one, short=None), replace(one, short=one)
    hidden = replace(one, cpu_s=0.6)

    assert one.cpu_per_request_us == pytest.approx(200)
    assert one.start_cpu_s == pytest.approx(0.5)
    assert one.processors == pytest.approx(0.2)
    assert (alone.cpu_per_request_us, alone.start_cpu_s) == (pytest.approx(250), None)
    assert (same.cpu_per_request_us, same.start_cpu_s) == (None, None)
    assert "none  in the noise" in shown(checked(rounds_of(named_tool("k6"), hidden)))


def test_a_load_that_can_not_be_cut_says_what_is_counted() -> None:
    text = shown(replace(checked(), tools=[ToolRounds(own_tool(()), rounds=[round_of(10, 900)])]))

    assert "CPU/request includes the start of each tool" in text


def test_samples_become_figures() -> None:
    """Those without a time count too; the load lasts as the tool says, or from first to last."""
    counts = RoundSamples()
    counts.take(
        [ToolSample("a", 5_000 * MS, 10 * MS, count=3), ToolSample("a", 7_000 * MS, 30 * MS)]
    )
    counts.take([ToolSample("a", failure="timeout", count=2)])
    ended = ToolEnd(0, "", "", (), 9_000 * MS, 0, 0.5, is_cut=False)

    figures = counts.figures(ended)
    assert (figures.requests, figures.failures, figures.seconds) == (6, 2, 2.03)
    assert figures.times_ns[0] == 10 * MS or abs(figures.times_ns[0] - 10 * MS) < 0.01 * 10 * MS
    assert counts.figures(replace(ended, lasted_ns=3_000 * MS)).seconds == 3.0
