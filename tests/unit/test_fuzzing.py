"""Fuzzers report what they find, and find it again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.support.fuzzing import FuzzTime, bounded, fuzz


@fuzz(st.integers(0, 10_000), examples=100)
def stays_small(number: int, folder: Path) -> None:
    """Not even nearly."""
    with (folder / "tried").open("a") as file:
        file.write(f"{number}\n")
    assert number <= 100


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0, 0.01])
def test_an_input_that_breaks_a_promise_is_kept(tmp_path: Path, seconds: float) -> None:
    """In the fast suite as it was found; else the smallest, with what finds it again."""
    with pytest.raises(AssertionError) as broken:
        stays_small(FuzzTime(seconds, 7, tmp_path / "found"), tmp_path)

    kept = tmp_path / "found" / "stays_small"
    assert int(kept.read_text()) == 101 if seconds else int(kept.read_text()) > 100
    assert str(kept) in "".join(broken.value.__notes__)
    assert ("SEED=7`" in "".join(broken.value.__notes__)) is bool(seconds)


def test_a_seed_makes_the_same_inputs_again(tmp_path: Path) -> None:
    """Whatever was tried before."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        with pytest.raises(AssertionError):
            stays_small(FuzzTime(0.01, 7, tmp_path / "found"), tmp_path / name)

    assert (tmp_path / "first" / "tried").read_text() == (tmp_path / "second" / "tried").read_text()


def spin() -> None:
    while time.monotonic():
        pass


def test_what_takes_too_long_is_ended() -> None:
    """A promise that never ends would hide all others."""
    with pytest.raises(AssertionError, match=r"took more than 0\.05 s"), bounded(0.05):
        spin()


def test_what_takes_too_much_memory_is_ended() -> None:
    """So that the machine that fuzzes is none that swaps."""
    with pytest.raises(MemoryError), bounded(5):
        bytearray(2_000_000_000)
