"""The summary at the end of a run."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from planrunner.report.terminal.console import open_console, print_summary
from planrunner.results.loads import LoadChange
from planrunner.results.model import Judgement, Validity, ValidityLevel, Verdict
from tests.support.golden import check_golden
from tests.support.results import RESULTS, make_large, make_result, make_row, make_series

FILES = [
    f"reports/shop-stress/20261121T120000-k7qf/{name}"
    for name in ("metrics.json", "results.csv", "report.html")
]
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def summary(result, *, width=80, height=24, terminal=True, files=FILES):
    out = io.StringIO()
    console = Console(
        file=out, width=width, height=height, force_terminal=terminal, color_system=None
    )
    print_summary(result, console, files=files)
    return out.getvalue()


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 24)])
def test_the_summary_is_what_was_reviewed(name, width, height, update_golden):
    """Every kind of run on every size of screen looks as it did when someone looked at it."""
    text = summary(RESULTS[name], width=width, height=height)

    check_golden(f"report/{name}.{width}x{height}.txt", text, update=update_golden)


@pytest.mark.parametrize("name", RESULTS)
def test_a_log_gets_every_threshold_in_full(name, update_golden):
    """A pipe has no height: nothing judged is left out or cut short."""
    text = summary(RESULTS[name], terminal=False)

    check_golden(f"report/{name}.log.txt", text, update=update_golden)


def test_nothing_is_cut_to_the_screen():
    """50 requests and 20 thresholds are all there, and the verdict is the last word then."""
    result = make_large()
    text = summary(result)

    assert all(row.name in text for row in result.rows if row.by == "request")
    assert text.count("\n pass ") == len(result.judgements)
    assert "more in the report" not in text
    assert text.splitlines()[-1] == " PASS  shop stress"


def test_the_columns_are_the_same_in_every_run():
    """They follow from the width of the terminal, and never from what was measured."""

    def titles(result, width):
        [line] = [
            line
            for line in summary(result, width=width).splitlines()
            if line.startswith(" request ")
        ]
        return line.replace("*", "").split()

    for width in (40, 80, 120, 200):
        found = {tuple(titles(RESULTS[name], width)) for name in ("passing", "failing", "biased")}
        assert len(found) == 1


def test_each_phase_has_rows_of_its_own():
    """A rate over two phases is the rate of neither."""
    rows = (
        make_row("put bench", by="phase", count=36_400),
        make_row("get bench", by="phase", count=107_680, failures={"timeout": 2}),
        make_row("put", count=36_400),
        make_row("get", count=107_680, failures={"timeout": 2}),
        make_row("put", phase="put bench", count=36_400),
        make_row("get", phase="get bench", count=107_680, failures={"timeout": 2}),
    )
    result = make_result(rows=rows)
    lines = summary(result).splitlines()

    assert lines[3].startswith(" 2 phases · 8,337 requests · none failed")
    assert "407/s" not in "\n".join(lines[:8])
    at = next(n for n, line in enumerate(lines) if line.startswith(" phase, request"))
    assert [line.split()[0] for line in lines[at + 1 : at + 6]] == ["put", "put", "get", "get", "2"]
    assert "1,820/s" in lines[at + 1]
    assert "5,384/s" in lines[at + 3]
    assert lines[at + 5] == "      2 × timeout"


@pytest.mark.parametrize("width", [40, 80])
def test_a_load_changed_by_hand_stands_in_the_verdict(width):
    """It says that nothing was judged since, and the requests since then are counted apart."""
    changes = (LoadChange("main", 5_000_000_000, "4 users", "9 users"),)
    result = make_result(plan="shop " * 20, changes=changes, warmup=12)

    lines = summary(result, width=width, terminal=True, height=200).splitlines()

    assert lines[1].startswith(" PASS  shop")
    assert "…" in lines[1]
    assert lines[1].endswith(", changed by hand")
    assert len(lines[1]) == width
    assert "12 in the warm-up, or changed by hand" in " ".join(" ".join(lines).split())


def test_failures_are_named_by_their_status():
    """`4 status` leaves open which; without a reply the kind is all there is."""
    series = (
        make_series("GET /a", status=500, failure="status", count=3),
        make_series("GET /a", status=200, count=9),
        make_series("GET /a", failure="timeout", count=1),
        make_series("kv", status=5, status_name="NOT_FOUND", failure="status", count=2),
        make_series("GET /a", status=500, failure="status", count=7, warmup=True),
    )
    failures = {"status": 3, "timeout": 1}
    rows = (make_row("GET /a", count=13, failures=failures), make_row("kv", failures={"status": 2}))
    text = summary(make_result(rows=rows, series=series))

    assert "failed: 3 × 500, 2 × NOT_FOUND, 1 × timeout" in text
    assert "    3 × 500, 1 × timeout\n" in text
    assert "    2 × NOT_FOUND\n" in text


def test_a_log_has_whole_names():
    """What is searched for in a log stands on one line with its figures, whatever its length."""
    text = summary(RESULTS["awkward"], terminal=False)

    assert f" GET /{'long' * 500}  1,000       0  50/s " in text
    assert "…" not in text.partition("request ")[2]


def test_thresholds_are_counted_as_the_plan_has_them():
    """A pair of warn and fail is one, and what warns is not broken."""
    assert "8 thresholds: 3 broken, 1 without data, 1 warned, 2 held, 1 not appl" in summary(
        RESULTS["failing"]
    )


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("width", [32, 40, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_screen(name, width):
    """What the terminal would wrap is cut or folded before."""
    for line in summary(RESULTS[name], width=width, files=[]).splitlines():
        assert cell_len(line) <= width


@pytest.mark.parametrize("width", [20, 40, 80])
def test_paths_are_never_broken(width):
    """A path can be copied or clicked whatever the width."""
    lines = summary(RESULTS["passing"], width=width).splitlines()

    assert [line for line in lines if line.startswith("reports/")] == FILES


def test_names_cannot_steer_the_terminal():
    """Escape sequences, line ends and reordering marks of names don't get through."""
    for terminal in (True, False):
        text = summary(RESULTS["awkward"], terminal=terminal, files=["out\x1b[2J/a.json"])
        assert not CONTROL.search(text)


def test_names_are_no_markup():
    """Square brackets and colons in names are printed as they are."""
    result = make_result(rows=(make_row("GET /[bold red]x[/] :smile:"),))

    assert "GET /[bold red]x[/] :smile:" in summary(result, width=120)


def test_broken_thresholds_come_first():
    """Fail, no data, warn, pass, n/a; then as the plan has them."""
    text = summary(RESULTS["failing"], terminal=False)

    verdicts = re.findall(r"^ (fail|no data|warn|pass|n/a)  ", text, re.MULTILINE)
    assert verdicts == ["fail"] * 3 + ["no data", "warn", "pass", "pass", "n/a"]


def test_a_pair_is_one_row_with_both_limits():
    """The sentence is the one behind the verdict."""
    text = summary(RESULTS["failing"], width=120, height=40)

    assert re.search(r"fail +p99 < 1s +1\.2 s +250 ms / 1 s", text)
    assert re.search(r"warn +p90 < 250ms +300 ms +250 ms / 1 s", text)


def test_a_pair_of_two_metrics_stays_two_rows():
    """One row could not show two observed values."""
    judgements = (
        Judgement("p99 < 1s", Verdict.PASS, "40 ms", "1 s", "a:1:1", level="warn", pair=1),
        Judgement("error_rate < 1%", Verdict.FAIL, "2 %", "1 %", "a:1:9", pair=1),
    )
    text = summary(make_result(judgements=judgements))

    assert re.search(r"fail +error_rate < 1% +2 % +1 %", text)
    assert re.search(r"pass +p99 < 1s +40 ms +1 s", text)


def test_the_default_threshold_is_said():
    """Who wrote no thresholds is told what was judged instead."""
    said = "the plan has no thresholds, so this one was applied"

    assert said in summary(RESULTS["biased"])
    assert said not in summary(RESULTS["passing"])


def test_no_threshold_is_said():
    """A run that judges nothing doesn't pass in silence."""
    assert "no threshold was judged" in summary(make_result(judgements=()))


def test_failed_requests_come_before_slow_ones():
    """The worst of a hundred requests are on the screen."""
    rows = [make_row(f"GET /{n}", slower=1 + n) for n in range(100)]
    rows[3] = replace(rows[3], failed=5, failures={"status": 5})
    text = summary(make_result(rows=tuple(rows)))

    names = re.findall(r"^ GET /(\d+)", text, re.MULTILINE)
    assert names[:3] == ["3", "99", "98"]


@pytest.mark.parametrize(("setting", "colored"), [(None, False), (True, True), (False, False)])
def test_a_pipe_gets_colors_only_when_asked(setting, colored):
    """Escape sequences in a log are noise."""
    out = io.StringIO()
    print_summary(RESULTS["failing"], open_console(out, width=80, color=setting))

    assert ("\x1b[" in out.getvalue()) is colored


def test_no_color_is_honoured(monkeypatch):
    """With NO_COLOR a terminal gets weight, but no colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    print_summary(RESULTS["failing"], open_console(out, width=80))

    assert not re.search(r"\x1b\[[\d;]*3[0-7]", out.getvalue())


def test_a_locale_without_the_letters_costs_letters_only():
    """An ASCII terminal shows question marks, not a traceback."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    print_summary(RESULTS["awkward"], open_console(out, width=80))
    out.flush()

    assert b"FAIL" in raw.getvalue()


def test_percentiles_of_few_requests_are_marked_and_the_mark_is_told():
    """Numbers stay below each other, and the line about them counts as one of the screen."""
    rows = (make_row("GET /few", count=28), make_row("GET /many", count=280))
    text = summary(make_result(rows=rows), width=100)
    header, few, many = re.search(r"^ request.*\n.*\n.*", text, re.MULTILINE)[0].splitlines()

    assert few.count("*") == 1
    assert "*" not in many
    assert many.index(" ms", header.index("p95 ")) == few.index(" ms", header.index("p95 "))
    assert " * n too small: p95 needs 20 requests, p99 needs 100\n" in text
    assert "*" not in summary(make_result(rows=rows[1:]))


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [
        (0, "PASS, but the numbers are invalid: half the arrivals dropped"),
        (1, "FAIL, but the numbers are invalid: half the arrivals dropped"),
        (5, "NOT VALID  shop"),
    ],
)
def test_a_verdict_on_invalid_numbers_says_so_in_the_first_line(exit_code, expected):
    """A green PASS above numbers of another load is what people remember."""
    validity = Validity(ValidityLevel.INVALID, ("half the arrivals dropped", "late"))
    text = summary(replace(RESULTS["passing"], validity=validity, exit_code=exit_code))

    assert text.strip().splitlines()[0].startswith(expected)
    assert "late" in text


def test_a_step_that_never_did_its_work_has_no_latency():
    """It failed at once: 0 ns would look like the fastest of all."""
    rows = (make_row("boom", slower=0, failures={"error": 1000}), make_row("GET /many"))
    nothing = {"successful_requests": 0, "average_response_time": 0.0, "p95_response_time": 0.0}
    totals = replace(make_result().totals, **nothing)
    text = summary(make_result(rows=rows))

    assert re.search(r"^ boom +1,000 +1,000 .*- +- ", text, re.MULTILINE)
    assert "0 ns" not in text
    assert "p95 " not in summary(make_result(rows=rows[:1], totals=totals)).split("verdict")[0]


def test_what_took_no_time_took_0_ns():
    """A message that was there before its step."""
    row = replace(make_row("there"), latency_ns=dict.fromkeys(make_row("there").latency_ns, 0))

    assert re.search(r"^ there .* 0 ns ", summary(make_result(rows=(row,))), re.MULTILINE)
