"""Objects of k6 and its libraries: sockets, forms, sessions, expectations."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsExpr,
    JsFunction,
    JsObject,
    JsValue,
)
from planrunner.values import dataclass

__all__ = [
    "JsChoice",
    "JsDate",
    "JsDatePart",
    "JsDateText",
    "JsExpectation",
    "JsForm",
    "JsSession",
    "JsSocket",
]


@dataclass(slots=True, eq=False)
class JsSocket(JsValue):
    """A WebSocket of the script.

    Attributes:
        handlers: What runs at `open`, `message`, `close` and so on.
        timers: What runs later: `setTimeout` or `setInterval`, milliseconds, the function, and
            the call.
        name: Of the connection in the plan, where there are several.
        gives_events: Its handlers get an event whose `data` is the message, not the message.
        pings: The calls that ping the server.
        is_closed: Some code closes it.
    """

    handlers: dict[str, list[JsFunction]] = field(default_factory=dict)
    timers: list[tuple[str, float, JsValue, Any]] = field(default_factory=list)
    name: str = ""
    gives_events: bool = False
    pings: list[Any] = field(default_factory=list)
    is_closed: bool = False


@dataclass(slots=True, eq=False)
class JsForm(JsValue):
    """Names with values: `FormData` or `URLSearchParams`; or a `URL` with its parameters.

    Attributes:
        kind: `form`, `query` or `url`.
        base: Of a URL: what stands before its parameters.
    """

    kind: str
    pairs: list[tuple[str, JsValue]] = field(default_factory=list)
    base: JsValue = UNDEFINED
    query: JsForm | None = None


@dataclass(slots=True, eq=False)
class JsSession(JsValue):
    """A session of httpx: what all of its requests begin with."""

    base: JsValue
    params: JsObject


@dataclass(slots=True, eq=False)
class JsChoice(JsValue):
    """One of several functions, drawn at random when it is called."""

    items: list[JsValue]


@dataclass(slots=True, eq=False)
class JsExpectation(JsValue):
    """`expect(value)` in the words of chai, up to the word that says what is expected.

    Attributes:
        call: The call of `expect`, as natives get it.
    """

    value: JsValue
    call: Any
    is_not: bool = False
    is_nested: bool = False


@dataclass(slots=True, eq=False)
class JsDate(JsValue):
    """A date, which methods move.

    Attributes:
        milliseconds: Since 1970.
        depth: How deep in branches and loops it was made.
    """

    milliseconds: JsValue
    depth: int = 0


@dataclass(slots=True, eq=False)
class JsDatePart(JsExpr):
    """A part of a date as a number: its day, its hour.

    Attributes:
        of: The milliseconds of that date.
        unit: How many milliseconds one more of the part is; 0 where that depends.
    """

    of: JsValue = UNDEFINED
    unit: int = 0


@dataclass(slots=True, eq=False)
class JsDateText(JsExpr):
    """A date as ISO 8601 writes it.

    Attributes:
        of: The milliseconds of that date.
    """

    of: JsValue = UNDEFINED
