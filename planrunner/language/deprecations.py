"""What still works and will go: keys of plans, and options of commands.

A key or an option that is on one of the lists goes on working, and whoever uses it is warned, with
the date. docs/explanation/stability.md says how long that lasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.values import dataclass

__all__ = ["KEYS", "OPTIONS", "Deprecation", "keys_in", "options_in"]

_ANY_KEY: Final = "*"
_ANY_DEPTH: Final = "**"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """One name that will go.

    Attributes:
        name: An option such as `--vus`, or where a key stands in plans: `users.*.wait_time`, in
            which `*` is any key or item of a list, and `**` any number of them.
        since: The version that warns first.
        until: The first day on which a version may do without it: `2027-06-30`.
        instead: What to write, as an imperative: ``use `wait` ``.
    """

    name: str
    since: str
    until: str
    instead: str

    def __str__(self) -> str:
        shown = self.name.rpartition(".")[2]
        return (
            f"`{shown}` is deprecated since {self.since} and goes on {self.until}: {self.instead}"
        )


KEYS: Sequence[Deprecation] = ()
"""Of plans."""

OPTIONS: Sequence[Deprecation] = ()
"""Of all commands."""


def keys_in(
    data: object, known: Sequence[Deprecation]
) -> Iterator[tuple[tuple[str | int, ...], Deprecation]]:
    """Yield where a plan uses a deprecated key, and which; in the order of the plan.

    Args:
        data: The plan as mappings, lists and scalars.
        known: What to look for; nothing is looked at when it is empty.
    """
    if not known:
        return
    patterns = [(one.name.split("."), one) for one in known]
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), data)]
    while waiting:
        path, value = waiting.pop()
        words = [str(part) for part in path]
        for pattern, one in patterns:
            if _fits(words, pattern):
                yield path, one
        entries: Sequence[tuple[str | int, object]] = ()
        if isinstance(value, dict):
            entries = list(value.items())
        elif isinstance(value, list):
            entries = list(enumerate(value))
        waiting += [((*path, key), item) for key, item in reversed(entries)]


def _fits(words: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == _ANY_DEPTH:
        return any(_fits(words[skipped:], pattern[1:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in (_ANY_KEY, words[0]) and _fits(words[1:], pattern[1:])


def options_in(arguments: Sequence[str], known: Sequence[Deprecation]) -> Iterator[Deprecation]:
    """Yield the deprecated options of a command line, each once; `--` ends the options."""
    given = set()
    for word in arguments:
        if word == "--":
            break
        given.add(word.partition("=")[0])
    yield from (one for one in known if one.name in given)
