"""YAML text as a stream of events; the only module that knows the YAML library.

Events instead of composed nodes: the library composes recursively in C, and a file of one million
`[` ends the process. A consumer of events can stop at the 65th.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLStreamError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

__all__ = [
    "FAST",
    "AliasEvent",
    "DocumentEndEvent",
    "DocumentStartEvent",
    "MappingEndEvent",
    "MappingStartEvent",
    "NextEvent",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "YamlProblem",
    "open_events",
    "reading",
]

try:
    from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # it has no __all__ for it
except ImportError:  # no wheel of the C parser for this platform: 20 times slower, same events
    CParser = None

FAST: Final = CParser is not None

NextEvent = Callable[[], Any]  # the library's events have no types


class YamlProblem(Exception):  # noqa: N818 - becomes a diagnostic, never reaches a user
    """The text isn't YAML.

    Args:
        problem: What the parser says; the C and the pure one use different words.
        offset: Where it gave up.
        opened: Where the construct began that it was reading, if it says so.
    """

    def __init__(self, problem: str, offset: int, opened: int | None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset
        self.opened = opened


def open_events(text: str, *, pure: bool = False) -> NextEvent:
    """Return a function that gives the next event of `text`; call it inside `reading()`."""
    read: NextEvent
    if pure or CParser is None:
        read = YAML(typ="safe", pure=True).parse(text).__next__
    else:
        read = CParser(text).get_event
    return read


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the parser raises into `YamlProblem`."""
    try:
        yield
    except MarkedYAMLError as error:
        mark, context = error.problem_mark, error.context_mark
        raise YamlProblem(
            error.problem or str(error),
            mark.index if mark else context.index if context else 0,
            context.index if context else None,
        ) from error
    except YAMLStreamError as error:  # a character YAML doesn't allow
        raise YamlProblem(str(error), getattr(error, "position", None) or 0, None) from error
