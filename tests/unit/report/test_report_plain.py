"""Text fit for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from planrunner.report.plain import flow, fold, plain, plain_line, shorten

TEXTS = st.text(max_size=80)


@given(TEXTS, st.integers(2, 60))
def test_shortened_text_fits_and_keeps_its_ends(text, width):
    """Whatever the letters, emoji and wide ones too."""
    text = plain(text)
    shown = shorten(text, width)

    assert cell_len(shown) <= width
    assert shown == text or "…" in shown


@given(TEXTS, st.integers(2, 60))
def test_folded_text_fits_and_loses_nothing(text, width):
    """Only spaces may change."""
    lines = fold(plain(text), width)

    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(plain(text).split())


@given(st.lists(TEXTS.map(plain), max_size=6), st.integers(8, 60))
def test_flowing_parts_fit(parts, width):
    """Facts break between each other first."""
    assert all(cell_len(line) <= width for line in flow(parts, width))


@given(st.text())
def test_plain_text_is_one_printable_line(text):
    """No control character is left, and doing it twice changes nothing."""
    shown = plain(text)

    assert len(shown.splitlines()) <= 1
    assert plain(shown) == shown
    shown.encode()


@pytest.mark.parametrize("text", ["\x1b[31m", "\x9b0m", "\x07", "a\u202eb", "\ud83d", "\x7f"])
def test_control_characters_show_as_replacement(text):
    """They are seen to have been there."""
    assert "\ufffd" in plain(text)


def test_a_line_of_a_text_keeps_its_spaces():
    """Comments of a plan stay below each other, and nothing of it steers."""
    assert plain_line("  a:  1   # one\x1b[0m ") == "  a:  1   # one\ufffd[0m"
    assert plain_line("\ta") == "        a"
