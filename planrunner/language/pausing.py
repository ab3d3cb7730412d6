"""Long computations ask now and then whether they are to go on; who began them answers.

A server that checks a text in a thread is to answer other questions at once, and needs no check of
an older text: what checks asks often, which costs little where nobody listens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["asked_by_computation", "go_on"]

_answer: ContextVar[Callable[[], None] | None] = ContextVar("_answer", default=None)


def go_on() -> None:
    """Ask whether to go on: returns when that is so, and raises what the answer raises if not."""
    answer = _answer.get()
    if answer is not None:
        answer()


@contextmanager
def asked_by_computation(answer: Callable[[], None]) -> Iterator[None]:
    """Answer what is computed in a block of this thread: `answer` waits, or raises to end it."""
    token = _answer.set(answer)
    try:
        yield
    finally:
        _answer.reset(token)
