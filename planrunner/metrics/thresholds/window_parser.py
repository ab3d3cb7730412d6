"""Parses `over 10s`, `for 3 windows` and `for 30s`, which are windows in a row."""

from __future__ import annotations

from typing import Final, NoReturn

from planrunner.late_pattern import late_pattern
from planrunner.metrics.thresholds.model import Window
from planrunner.metrics.thresholds.scanner import Scanner
from planrunner.units import NS_PER_S, UnitError, parse_duration, write_duration
from planrunner.values import dataclass

__all__ = ["WindowRow", "take_duration", "take_length", "take_row", "window_of"]

_COUNT: Final = late_pattern(r"[1-9][0-9]{0,5}")
_MOST_WINDOWS: Final = 999_999


@dataclass(frozen=True, slots=True)
class WindowRow:
    """How many windows in a row: their number, or how long they are together.

    Attributes:
        end: Where it ends in the text.
    """

    count: int = 0
    length_ns: int = 0
    end: int = 0


def take_length(scanner: Scanner) -> tuple[int, int]:
    """Take the length of windows; also where it is written.

    Raises:
        ThresholdSyntaxError: There is none, or it isn't whole seconds.
    """
    return _whole_seconds(scanner, "the length of a window", "a window is", "over 30s")


def take_row(scanner: Scanner) -> tuple[WindowRow, int]:
    """Take what follows `for`; also where it is written.

    Raises:
        ThresholdSyntaxError: It is neither a number of windows nor a time.
    """
    word = scanner.peek_word()
    start = scanner.at
    if not word[:1].isdigit():
        scanner.fail(
            f"expected a time or a number of windows in a row, found {scanner.found()}",
            hint="write `for 30s`, or `over 30s for 2 windows`",
        )
    if not word.isdigit():
        length_ns, start = _whole_seconds(scanner, "a time", "`for` is", "30s")
        return WindowRow(length_ns=length_ns), start
    if not _COUNT.fullmatch(word):
        scanner.fail(
            f"expected how many windows in a row, found {scanner.found()}",
            hint="write `over 30s for 2 windows`",
        )
    scanner.skip(word)
    if not (scanner.take_word("windows") or scanner.take_word("window")):
        scanner.fail(
            f"expected `windows`, found {scanner.found()}",
            hint="write `over 30s for 2 windows`, or a time: `for 30s`",
        )
    return WindowRow(count=int(word), end=scanner.at), start


def window_of(
    scanner: Scanner, over: tuple[int, int] | None, row: tuple[WindowRow, int] | None
) -> Window | None:
    """Return the windows of both clauses; those of `for 30s` alone last a second each.

    Raises:
        ThresholdSyntaxError: The two don't go together.
    """
    if row is None:
        return None if over is None else Window(over[0])
    wanted, start = row
    if over is None and wanted.count:
        begin = scanner.text.rindex("for", 0, start)
        scanner.fail(
            "windows need a length",
            begin,
            length=wanted.end - begin,
            hint=f"write `over 30s for {wanted.count} windows`, or a time: `for 30s`",
        )
    length_ns = NS_PER_S if over is None else over[0]
    count = wanted.count or wanted.length_ns // length_ns
    if not wanted.count and wanted.length_ns % length_ns:
        _not_whole(scanner, wanted.length_ns, length_ns, start)
    if count > _MOST_WINDOWS:
        scanner.fail(f"at most {_MOST_WINDOWS:,} windows can be in a row", start)
    return Window(length_ns, count)


def _not_whole(scanner: Scanner, row_ns: int, length_ns: int, start: int) -> NoReturn:
    nearest = max(1, round(row_ns / length_ns))
    scanner.fail(
        f"{write_duration(row_ns)} is not a whole number of windows of {write_duration(length_ns)}",
        start,
        hint=f"write `{write_duration(nearest * length_ns)}`",
    )


def take_duration(scanner: Scanner, what: str) -> int:
    """Take a time.

    Raises:
        ThresholdSyntaxError: There is none.
    """
    text = scanner.peek_value()
    if not text or text[0] in "<>=!":
        scanner.fail(f"expected {what}, found {scanner.found()}", hint="write a duration: `30s`")
    try:
        length_ns = parse_duration(text)
    except UnitError as wrong:
        scanner.fail(wrong.message, hint=wrong.hint)
    scanner.skip(text)
    return length_ns


def _whole_seconds(scanner: Scanner, what: str, subject: str, example: str) -> tuple[int, int]:
    scanner.at_end()
    start = scanner.at
    length_ns = take_duration(scanner, what)
    if length_ns == 0 or length_ns % NS_PER_S:
        # Metrics are kept by the second.
        scanner.fail(f"{subject} one or more whole seconds long", start, hint=f"write `{example}`")
    return length_ns, start
