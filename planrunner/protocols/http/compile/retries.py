"""Compile `retry:` to the failures and statuses that are sent again."""

from __future__ import annotations

import re
from typing import Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.fields.types import Deferred
from planrunner.protocols.base import FailureKind
from planrunner.protocols.http.operation import Retry
from planrunner.protocols.http.spec import RetryModel as RetrySpec
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["compile_retry"]

_CLASS: Final = re.compile(r"([1-5])(?:xx|XX|\*)")
_STATUS: Final = re.compile(r"[1-5]\d\d")

# What is known once the reply is complete; what the plan makes of it comes later.
_KINDS: Final = (
    FailureKind.DNS,
    FailureKind.CONNECT,
    FailureKind.TLS,
    FailureKind.TIMEOUT,
    FailureKind.RESET,
    FailureKind.PROTOCOL,
    FailureKind.TOO_LARGE,
)
_DEFAULT_KINDS: Final = frozenset({FailureKind.CONNECT, FailureKind.RESET, FailureKind.TIMEOUT})


def compile_retry(spec: RetrySpec | int | Deferred | None, lowering: Lowering) -> Retry | None:
    """Compile the long form or the short one, which is how often; none and 0 send once."""
    if not isinstance(spec, RetrySpec):
        most = lowering.number(spec, ("retry",), 0)
        return Retry(most, 0, _DEFAULT_KINDS, range(500, 600)) if most else None
    times = lowering.number(spec.times, ("retry", "times"), 1)
    wait_ns = lowering.duration(spec.wait, ("retry", "wait"), 0)
    if spec.on is None:
        return Retry(times, wait_ns, _DEFAULT_KINDS, range(500, 600))
    kinds: set[FailureKind] = set()
    statuses: set[int] = set()
    for index, item in enumerate(spec.on):
        found = _read(str(item), lowering, ("retry", "on", index))
        if isinstance(found, FailureKind):
            kinds.add(found)
        else:
            statuses.update(found)
    return Retry(times, wait_ns, frozenset(kinds), frozenset(statuses))


def _read(word: str, lowering: Lowering, path: SpecPath) -> FailureKind | range:
    if match := _CLASS.fullmatch(word):
        start = int(match[1]) * 100
        return range(start, start + 100)
    if _STATUS.fullmatch(word):
        return range(int(word), int(word) + 1)
    if word in _KINDS:
        return FailureKind(word)
    names = [kind.value for kind in _KINDS]
    if word in (FailureKind.EXPECT, FailureKind.EXTRACT, FailureKind.STATUS):
        hint = "name statuses such as 503 or 5xx; `poll` waits until a reply says what it should"
    else:
        hint = suggest(word, names) or "write " + ", ".join(names) + ", a status or a class"
    lowering.fault(path, Code.INVALID_VALUE, f"`{word}` is no reason to send again", hint)
    return range(0)
