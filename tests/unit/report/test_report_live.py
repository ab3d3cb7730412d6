"""What is seen while the load runs."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from planrunner.report.terminal.live import LineView, LiveView, progress_words
from planrunner.report.terminal.progress import (
    Progress,
    RequestProgress,
    SilentView,
    Thresholds,
)

PROGRESS = Progress(
    second=12,
    planned_s=21.0,
    phase="main",
    users=20,
    requests_per_second=406,
    p50_ns=1_200_000,
    p95_ns=4_500_000,
    p99_ns=9_000_000,
    total=4872,
    failed=3,
)


class Screen(io.StringIO):
    """A terminal that remembers each write."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, text):
        self.writes.append(text)
        return super().write(text)


def screen(width=80, height=24):
    out = Screen()
    console = Console(
        file=out, width=width, height=height, force_terminal=True, color_system=None, markup=False
    )
    return out, console


def frame(progress, width=80, height=24):
    out, console = screen(width, height)
    with LiveView(console) as view:
        out.writes.clear()
        view.show(progress)
        (written,) = out.writes
    return [line.split("\x1b[2K")[-1].strip("\r") for line in written.split("\n")]


def test_a_frame_reaches_the_terminal_in_one_write():
    """What comes in pieces flickers."""
    out, console = screen()
    with LiveView(console) as view:
        out.writes.clear()
        for second in range(1, 6):
            view.show(replace(PROGRESS, second=second))
        assert len(out.writes) == 5


def test_a_wide_frame_says_everything():
    """Phase, time, load, latencies, counts."""
    bar, load, counts = frame(PROGRESS)

    assert bar.startswith("main ━━━")
    assert bar.endswith("12 s · 9 s left")
    assert load == "20 users · 406 requests/s · p50 1.2 ms · p95 4.5 ms · p99 9 ms"
    assert counts == "4,872 requests · 3 failed (0.06 %)"


def test_a_narrow_frame_says_the_most_important():
    """Fewer words, as many lines."""
    bar, load, counts = frame(PROGRESS, width=40)

    assert bar.endswith("12 s · 9 s left")
    assert load == "20 users · 406/s · p95 4.5 ms"
    assert counts == "4,872 requests · 3 failed (0.06 %)"


@pytest.mark.parametrize("width", [12, 20, 40, 80, 200])
@pytest.mark.parametrize("phase", ["main", "long " * 40, "日本語" * 30, "a\x1b[2J\nb"])
def test_no_line_of_a_frame_wraps(width, phase):
    """A wrapped line would leave remains on the screen."""
    progress = replace(PROGRESS, phase=phase, users=10**9, total=10**12, ending="stop " * 60)
    lines = frame(progress, width=width)

    assert len(lines) == 4
    assert all(cell_len(line) <= width for line in lines)
    assert "\x1b" not in "".join(lines)


def test_the_last_frame_is_taken_away():
    """The summary follows; the live view leaves no line."""
    out, console = screen()
    with LiveView(console) as view:
        view.show(PROGRESS)
        out.writes.clear()

    assert "".join(out.writes).count("\x1b[2K") >= 3


def test_a_run_beyond_its_plan_is_finishing():
    """A negative time left would look broken."""
    assert frame(replace(PROGRESS, second=25))[0].endswith("25 s · finishing")


def test_lines_come_every_ten_seconds_and_when_the_run_stops():
    """A log shows where it slowed and when it was told to stop, and stays short."""
    out, console = screen()
    with LineView(console) as view:
        for second in range(1, 31):
            view.show(replace(PROGRESS, second=second, ending="interrupted" * (second > 24)))

    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["0:10", "0:20", "0:25", "0:30"]
    assert lines[2].endswith("stopping: interrupted")


def test_a_line_is_never_broken_and_no_markup():
    """One second, one line, whatever the phase is called."""
    out, console = screen(width=20)
    with LineView(console) as view:
        view.show(replace(PROGRESS, second=10, phase="[red]a\nb[/red]\x1b[2J"))

    assert out.getvalue() == (
        "0:10 [red]a b[/red]\ufffd[2J: 20 users · 406 requests/s · p50 1.2 ms · p95 4.5 ms · "
        "p99 9 ms · 4,872 requests · 3 failed (0.06 %)\n"
    )


def test_a_second_without_replies_says_so():
    """Zeros would look like a very fast server."""
    assert "no replies" in progress_words(replace(PROGRESS, p50_ns=0, p95_ns=0, p99_ns=0))


def test_the_silent_view_shows_nothing(capsys):
    """`--quiet`."""
    with SilentView() as view:
        view.show(PROGRESS)

    assert capsys.readouterr() == ("", "")


def test_a_frame_says_how_thresholds_stand():
    """The first broken one with what was observed; none is mentioned where there are none."""
    held = Thresholds(holding=4, waiting=1)
    broken = Thresholds(3, ("p95 < 4ms (4.5 ms)", "p99 < 5ms (9 ms)"), is_serious=True)

    assert len(frame(PROGRESS)) == 3
    assert frame(replace(PROGRESS, thresholds=lambda: held))[3] == (
        "4 of 5 thresholds hold, 1 without data yet"
    )
    assert frame(replace(PROGRESS, thresholds=lambda: broken))[3] == (
        "2 of 5 thresholds broken: p95 < 4ms (4.5 ms)"
    )


def test_a_frame_says_how_several_workers_are():
    """In one line, whatever the width; a single one has none."""
    words = "2 workers · worker 2 is lost · slowest: worker 3 on hostb, 97% of a processor"
    short = replace(PROGRESS, workers=lambda: (words, True))

    assert frame(short, width=100)[3] == words
    assert frame(short, width=40)[3].startswith("2 workers · worker 2 is lost")
    assert len(frame(short, width=40)) == len(frame(PROGRESS, width=40)) + 1


def test_a_line_of_a_log_counts_broken_thresholds():
    """What holds is not worth a word there."""
    broken = Thresholds(3, ("p95 < 4ms (4.5 ms)",))

    assert "1 of 4 thresholds broken" in progress_words(
        replace(PROGRESS, thresholds=lambda: broken)
    )
    assert "threshold" not in progress_words(PROGRESS)


def test_a_warning_breaks_nothing():
    """It is counted apart from what is broken, in a log as on a screen."""
    one = Thresholds(3, ("p95 < 4ms (4.5 ms)",), warnings=1)
    both = Thresholds(2, ("p95 < 4ms (4.5 ms)", "p99 < 5ms (9 ms)"), is_serious=True, warnings=1)

    assert "1 of 4 warn" in progress_words(replace(PROGRESS, thresholds=lambda: one))
    assert "1 of 4 thresholds broken, 1 warn" in progress_words(
        replace(PROGRESS, thresholds=lambda: both)
    )


DETAILED = replace(
    PROGRESS,
    requests=tuple(
        RequestProgress(f"GET /pages/{n}", 100 - n, 3 if n == 0 else 0, 10, 4_500_000)
        for n in range(40)
    ),
    classes={"Reader": 15, "Buyer": 5},
    failures={"500": 2, "timeout": 1},
    rates=(100, 200, 406),
    p95s_ns=(1_000_000, 0, 4_500_000),
)


def test_what_failed_is_named_as_it_comes():
    """By status where that was wrong; in a log too."""
    assert frame(DETAILED)[2] == "4,872 requests · 3 failed (0.06 %): 2 × 500, 1 × timeout"
    assert "3 failed (0.06 %): 2 × 500, 1 × timeout" in progress_words(DETAILED)


def test_a_frame_shows_requests_classes_and_the_past_where_there_is_room():
    """The requests that failed most come first, and those left out are counted."""
    lines = frame(DETAILED)

    assert lines[3] == "requests ▂▄█  406/s"
    assert lines[4] == "p95      ▂▁█ 4.5 ms"
    assert lines[5] == "Reader 15 · Buyer 5"
    assert lines[6].split() == ["request", "count", "failed", "per", "s", "p95"]
    assert lines[7].split() == ["GET", "/pages/0", "100", "3", "10", "4.5", "ms"]
    assert lines[-1] == "… 25 more"
    assert len(lines) == 23


@pytest.mark.parametrize("height", [4, 6, 7, 8, 12, 24, 50])
@pytest.mark.parametrize("width", [12, 30, 60, 80, 200])
def test_a_frame_is_never_higher_than_the_screen(width, height):
    """It would scroll, and leave remains."""
    lines = frame(DETAILED, width=width, height=height)

    assert len(lines) < max(height, 4)
    assert all(cell_len(line) <= width for line in lines)


def test_an_echoed_key_wraps_no_line():
    """A terminal prints `^C` behind the last line of the frame."""
    wide = replace(DETAILED, requests=(RequestProgress("GET /" + "x" * 200, 1, 0, 1, 1),))

    assert cell_len(frame(wide)[-1]) + len("^C") < 80


def test_a_log_names_what_is_broken():
    """Up to three, and how many more."""
    broken = Thresholds(1, tuple(f"p{n} < 1ms (2 ms)" for n in (50, 90, 95, 99)), is_serious=True)

    assert progress_words(replace(PROGRESS, thresholds=lambda: broken)).endswith(
        "4 of 5 thresholds broken: p50 < 1ms (2 ms), p90 < 1ms (2 ms), p95 < 1ms (2 ms), 1 more"
    )


@pytest.mark.parametrize("width", [20, 80])
def test_a_time_that_nobody_knows_has_no_bar(width):
    """Only what is gone of it is shown."""
    first, *_ = frame(replace(PROGRESS, planned_s=0.0), width)

    assert first.rstrip() == "main 12 s"
