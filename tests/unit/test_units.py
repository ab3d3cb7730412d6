"""Durations, rates, sizes and percentages: exact in, readable out."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planrunner.units import (
    MAX_DURATION_NS,
    NS_PER_HOUR,
    NS_PER_MINUTE,
    NS_PER_MS,
    NS_PER_S,
    NS_PER_US,
    Rate,
    UnitError,
    format_duration,
    format_percent,
    format_rate,
    format_size,
    parse_duration,
    parse_percent,
    parse_rate,
    parse_size,
    seconds_to_ns,
    write_duration,
    write_rate,
)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0", 0),
        ("0s", 0),
        ("250ms", 250 * NS_PER_MS),
        ("30s", 30 * NS_PER_S),
        ("5m", 5 * NS_PER_MINUTE),
        ("1h30m", NS_PER_HOUR + 30 * NS_PER_MINUTE),
        ("1.5s", 1_500_000_000),
        ("0.1s", 100_000_000),
        ("0.000000001s", 1),
        ("10us", 10 * NS_PER_US),
        ("1h1m1s1ms1us1ns", 3_661_001_001_001),
        ("87600h", MAX_DURATION_NS),
    ],
)
def test_a_duration_is_exact_nanoseconds(text: str, ns: int) -> None:
    """No float is involved: 0.1 s is 100,000,000 ns."""
    assert parse_duration(text) == ns


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("30", "add a unit: `30s` or `30ms`"),
        ("30sec", "write `30s`"),
        ("2 minutes", "write `2m`"),
        ("1h 30 min", "write `1h30m`"),
        ("5M", "write `5m`"),
        ("30 \u00b5s", "write `30us`"),
        ("30m1h", "write each unit once, the largest first: `1h30m`"),
        ("1h1h", "write each unit once, the largest first: `1h30m`"),
        ("-1s", "a duration is zero or more, such as `30s`"),
        ("0.1ns", "write fewer decimals"),
        ("87601h", "write at most ten years: `87600h`"),
        ("fast", "write a duration such as `250ms`, `30s` or `1h30m`"),
        ("", "write a duration such as `250ms`, `30s` or `1h30m`"),
        ("\u0663s", "write a duration such as `250ms`, `30s` or `1h30m`"),
        ("30s\n", "write `30s`"),
    ],
)
def test_what_is_no_duration_says_what_to_write(text: str, hint: str) -> None:
    """The hint holds the corrected text where it can be told."""
    with pytest.raises(UnitError) as caught:
        parse_duration(text)

    assert caught.value.hint == hint


@pytest.mark.parametrize("parse", [parse_duration, parse_rate, parse_size, parse_percent])
@pytest.mark.parametrize("text", ["9" * 100_000, "1" * 39 + "!", "1a " * 13 + "!", "\x1b[2J"])
def test_hostile_text_is_refused_at_once_and_not_echoed(parse: object, text: str) -> None:
    """Long digits, ambiguous repetition and escape sequences end in a short printable message."""
    if parse is parse_size and text.startswith("9"):
        text += "x"

    with pytest.raises(UnitError) as caught:
        parse(text)  # type: ignore[operator]

    assert len(caught.value.message) < 100
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "count", "per_ns"),
    [
        ("200/s", 1, 5_000_000),
        ("30/m", 1, 2 * NS_PER_S),
        ("0.5/s", 1, 2 * NS_PER_S),
        ("7/h", 7, NS_PER_HOUR),
        ("0/s", 0, 1),
        ("1000000000/s", 1, 1),
    ],
)
def test_a_rate_is_a_fraction_in_lowest_terms(text: str, count: int, per_ns: int) -> None:
    """Equal rates are equal values, however they are written."""
    assert parse_rate(text) == Rate(count, per_ns)
    assert (parse_rate(text).count, parse_rate(text).per_ns) == (count, per_ns)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("100", "add a unit: `100/s` or `100/m`"),
        ("10/sec", "write `10/s`"),
        ("10rps", "write `10/s`"),
        ("30 per minute", "write `30/m`"),
        ("10 / min", "write `10/m`"),
        ("-1/s", "a rate is zero or more, such as `100/s`"),
        ("fast", "write a rate such as `100/s` or `30/m`"),
        ("5/", "write a rate such as `100/s` or `30/m`"),
        ("1000000001/s", "write at most `1000000000/s`"),
    ],
)
def test_what_is_no_rate_says_what_to_write(text: str, hint: str) -> None:
    """The hint holds the corrected text where it can be told."""
    with pytest.raises(UnitError) as caught:
        parse_rate(text)

    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "count"),
    [("1KB", 1000), ("1KiB", 1024), ("100", 100), ("1.5MB", 1_500_000), ("2GiB", 2 * 1024**3)],
)
def test_a_size_tells_powers_of_1000_from_powers_of_1024(text: str, count: int) -> None:
    """KB is 1000 bytes, KiB 1024; a plain number is bytes."""
    assert parse_size(text) == count


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1kb", "write `1KB`"),
        ("10 mb", "write `10MB`"),
        ("5M", "write `5MB`"),
        ("3ki", "write `3KiB`"),
        ("1.5B", "use a smaller unit"),
        ("-1", "a size is zero or more, such as `1KB`"),
        ("1000001TB", "write at most `1000000TB`"),
        ("big", "write a size such as `500B`, `1KB` or `2MiB`"),
    ],
)
def test_what_is_no_size_says_what_to_write(text: str, hint: str) -> None:
    """The hint holds the corrected text where it can be told."""
    with pytest.raises(UnitError) as caught:
        parse_size(text)

    assert caught.value.hint == hint


def test_a_percentage_is_a_fraction() -> None:
    """1 % is the float nearest to 0.01, as if it had been written so."""
    assert parse_percent("1%") == 0.01
    assert parse_percent("0.17%") == 0.0017


@pytest.mark.parametrize(("text", "hint"), [("1", "write `1%`"), ("1 %", "write `1%`")])
def test_a_percentage_needs_its_sign(text: str, hint: str) -> None:
    """`error_rate < 1` would be everything."""
    with pytest.raises(UnitError) as caught:
        parse_percent(text)

    assert caught.value.hint == hint


@given(st.integers(0, MAX_DURATION_NS))
def test_a_written_duration_reads_back(ns: int) -> None:
    """`write_duration` loses nothing."""
    assert parse_duration(write_duration(ns)) == ns


@given(st.integers(0, 10**9), st.sampled_from(["s", "m", "h"]))
def test_a_written_rate_reads_back(count: int, unit: str) -> None:
    """Whole rates per second, minute or hour lose nothing."""
    rate = parse_rate(f"{count}/{unit}")

    assert parse_rate(write_rate(rate)) == rate


@given(st.integers(0, 50 * 24 * NS_PER_HOUR))
def test_seconds_of_an_expression_are_exact_for_fifty_days(ns: int) -> None:
    """A duration that went through an expression as a float comes back to the nanosecond."""
    assert seconds_to_ns(ns / NS_PER_S) == ns


@pytest.mark.parametrize("seconds", [-1, -0.5, float("nan"), float("inf"), 10**12, Fraction(-1)])
def test_impossible_seconds_are_refused(seconds: float) -> None:
    """Negative, endless and beyond ten years."""
    with pytest.raises(UnitError):
        seconds_to_ns(seconds)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (999_499, "999 us"),
        (999_600, "1 ms"),
        (350 * NS_PER_MS, "350 ms"),
        (1_200_000_000, "1.2 s"),
        (1_234_567_890, "1.23 s"),
        (59_940_000_000, "59.9 s"),
        (59_960_000_000, "1 m"),
        (125 * NS_PER_S, "2 m 5 s"),
        (NS_PER_HOUR, "1 h"),
        (-350 * NS_PER_MS, "-350 ms"),
    ],
)
def test_a_duration_reads_in_three_digits(ns: int, text: str) -> None:
    """Rounding moves to the next unit instead of showing 1000 of the smaller one."""
    assert format_duration(ns) == text


def test_rates_sizes_and_percentages_read_well() -> None:
    """Three digits, thousands separated, no trailing zeros but in sizes."""
    assert [format_rate(n) for n in (0, 0.5, 12.345, 999.6, 4210, 42100)] == [
        "0/s", "0.5/s", "12.3/s", "1,000/s", "4,210/s", "42,100/s",
    ]  # fmt: skip
    assert format_rate(Rate(30, NS_PER_MINUTE)) == "0.5/s"
    assert [format_size(n) for n in (0, 999, 999.6, 1_000_000, 10**15)] == [
        "0 B", "999 B", "1.0 KB", "1.0 MB", "1,000.0 TB",
    ]  # fmt: skip
    assert [format_percent(n) for n in (0, 0.0017, 0.00001, 1, 0.9999, -0.000001)] == [
        "0 %", "0.17 %", "0.001 %", "100 %", "99.99 %", "-0.0001 %",
    ]  # fmt: skip


@given(st.floats(0, 1e18))
def test_no_format_shows_an_exponent(value: float) -> None:
    """People don't read 1e+16."""
    for text in (format_duration(value), format_rate(value), format_size(value)):
        assert "e" not in text
