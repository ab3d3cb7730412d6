"""What takes so little processor time, whatever else the machine does."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

_TRIES = 3
"""A neighbour that takes the caches, or half the processor, is no fault of what is tested."""


def within_cpu(seconds: float, do: Callable[[], T]) -> T:
    """Return what `do` returns; it took at most so much processor time, at least once in three.

    Only this thread counts, and no collection of what other tests left behind.
    """
    for _ in range(_TRIES):
        gc.disable()
        began = time.thread_time()
        try:
            result = do()
        finally:
            took = time.thread_time() - began
            gc.enable()
        if took < seconds:
            return result
    pytest.fail(f"took more than {seconds:g} s of processor time, each of {_TRIES} times")
