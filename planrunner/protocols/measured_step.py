"""What measured steps of the plan have in common: functions and commands as requests.

Their keys stand beside the action, as those of HTTP's verbs do, so `expect` is written as there; a
step takes what makes sense for it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import in_words
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import Deferred
from planrunner.protocols.base import Check, Reply, Scope
from planrunner.protocols.lowering import Files, Lowering, SpecPath
from planrunner.protocols.plugin import CompiledSettings
from planrunner.protocols.rules import compile_matches, compile_time, shorten

__all__ = [
    "Expectations",
    "ExpectedOfStep",
    "compile_expect",
    "compile_settings",
    "compile_timeout",
]


class ExpectedOfStep(Protocol):
    """What is read of `expect`; the model has keys of HTTP beside these."""

    @property
    def model_fields_set(self) -> set[str]: ...
    @property
    def status(self) -> object: ...
    @property
    def time(self) -> Text | None: ...
    def is_soft(self, unit: str) -> bool: ...


class Expectations:
    """What `expect` compiles to: checks with their words, hard and soft ones."""

    def __init__(self) -> None:
        self.hard: list[tuple[str, Check]] = []
        self.soft: list[tuple[str, Check]] = []
        self.statuses: frozenset[int] | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """Those of an exchange, but for what it says of the status."""
        return {
            "checks": tuple(check for _, check in self.hard),
            "soft_checks": tuple(check for _, check in self.soft),
            "softly_expected": tuple(words for words, _ in self.soft),
        }

    def words(self, status: str) -> tuple[str, ...]:
        """Return what is expected, that of the status first."""
        return (status, *(words for words, _ in self.hard))


def compile_settings(
    model: object, *, constants: Mapping[str, object], files: Files, over: object, channel: str
) -> CompiledSettings:
    """Return nothing to open with: a step says itself all there is to say."""
    del model, constants, files, over
    return CompiledSettings(None, channel)


def compile_expect(
    expect: ExpectedOfStep | None,
    lowering: Lowering,
    *,
    takes: Sequence[str],
    what: str,
    statuses: Container[int] = (),
) -> Expectations:
    """Compile the expectations of a step; faults stay in `lowering`, below `expect`.

    Args:
        expect: As the plan has it.
        lowering: Takes the faults.
        takes: The keys that make sense.
        what: What has no others: `a command`.
        statuses: Those that there are.
    """
    found = Expectations()
    if expect is None:
        return found
    for name in sorted(expect.model_fields_set - {*takes, "soft"}):
        key = name.rstrip("_")
        hint = f"{what} has {in_words(takes)}"
        words = f"{what} has no `{key}` to expect something of"
        lowering.fault(("expect", key), Code.NOT_ALLOWED, words, hint, is_key=True)
    if "status" in takes and expect.status is not None:
        found.statuses = _statuses(expect.status, lowering, statuses)
    for key, words, check in _checks(expect, lowering, takes):
        (found.soft if expect.is_soft(key) else found.hard).append((words, check))
    return found


def _checks(
    expect: Any,  # noqa: ANN401 - as `takes` says
    lowering: Lowering,
    takes: Sequence[str],
) -> Iterator[tuple[str, str, Check]]:
    if expect.time is not None and (check := compile_time(expect.time, lowering)):
        yield "time", f"time {expect.time.source}", check
    for key, compile_text in _TEXTS.items():
        texts = getattr(expect, key) if key in takes else None
        places: SpecPath = ("expect", key)
        if isinstance(texts, Text):
            yield key, f"{key} {texts.source}", compile_text(texts, lowering, places)
            continue
        for index, text in enumerate(texts or ()):
            words = f"{key} {text.source}"
            yield key, words, compile_text(text, lowering, (*places, index))


def _contains(text: Text, lowering: Lowering, path: SpecPath, *, wanted: bool) -> Check:
    source = lowering.constant(text, path) or ""
    data, shown = source.encode("utf-8", "replace"), shorten(text.source, 60)

    def check(reply: Reply, _: Scope) -> str | None:
        if (data in (reply.body or b"")) is wanted:
            return None
        return f"`{shown}` is {'not ' if wanted else ''}in the output"

    return check


def _matches(text: Text, lowering: Lowering, path: SpecPath, *, wanted: bool) -> Check:
    matches, shown = compile_matches(text, lowering, path), shorten(text.source, 60)

    def check(reply: Reply, _: Scope) -> str | None:
        against = matches((reply.body or b"").decode("utf-8", "replace"))
        if against or (against is None) is not wanted:
            missing = f"no match of `{shown}`" if wanted else f"a match of `{shown}`"
            return f"{against or missing} in the output"
        return None

    return check


_TEXTS: Final[Mapping[str, Callable[..., Check]]] = {
    "contains": lambda *given: _contains(*given, wanted=True),
    "matches": lambda *given: _matches(*given, wanted=True),
    "not_contains": lambda *given: _contains(*given, wanted=False),
    "not_matches": lambda *given: _matches(*given, wanted=False),
}


def _statuses(written: object, lowering: Lowering, known: Container[int]) -> frozenset[int]:
    listed = isinstance(written, list | tuple)
    found: set[int] = set()
    for index, item in enumerate(written if isinstance(written, list | tuple) else [written]):
        path = ("expect", "status", index) if listed else ("expect", "status")
        value: object = item
        if isinstance(item, Text):
            value = lowering.constant(item, path)
            value = int(value) if value is not None and value.isdecimal() else value
        if isinstance(value, int) and value in known:
            found.add(value)
        else:
            shown = item.source if isinstance(item, Text) else item
            lowering.fault(path, Code.INVALID_VALUE, f"`{shown}` is not an exit code")
    return frozenset(found)


def compile_timeout(
    inside: int | Deferred | None,
    beside: int | Deferred | None,
    lowering: Lowering,
    *,
    action: str,
    default_ns: int,
) -> int:
    """Return the time limit of a step, which may stand in its action or beside it."""
    if inside is not None and beside is not None:
        words = f"`timeout` is written in `{action}:` too"
        lowering.fault(("timeout",), Code.CONFLICTING_KEYS, words, "keep one of them", is_key=True)
    path = ("timeout",) if inside is None else (action, "timeout")
    limit_ns = lowering.duration(beside if inside is None else inside, path, default_ns)
    if limit_ns <= 0:
        lowering.fault(path, Code.INVALID_VALUE, "a timeout must be more than 0")
    return limit_ns
