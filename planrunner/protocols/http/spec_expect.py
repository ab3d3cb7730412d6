"""What a plan may write under `expect:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import AfterValidator, Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, error
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import TextField, read_value
from planrunner.late_pattern import late_pattern
from planrunner.protocols.json_replies.spec import JsonExpectation, rule_shape
from planrunner.protocols.streamed.expect import EventsField, FirstEventField, GapField

__all__ = ["Expect", "StepExpect", "UrlRule", "status_faults"]


# -- statuses ------------------------------------------------------------------------------

_STATUS_CODE: Final = late_pattern(r"[1-5][0-9][0-9]")
_STATUS_CLASS: Final = late_pattern(r"[1-5](?:xx|XX|\*)")


def _check_status(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
        return value
    if isinstance(value, str) and _STATUS_CLASS.fullmatch(value):
        return value
    if isinstance(value, str) and "${" in value:
        return read_value(value)
    raise error(
        Fault(
            Code.INVALID_VALUE,
            f"`{value}` is not a status",
            f"write `{value}` without quotes"
            if isinstance(value, str) and _STATUS_CODE.fullmatch(value)
            else _STATUS_HINT,
        )
    )


Status = Annotated[
    int | str,
    AfterValidator(_check_status),
    Field(json_schema_extra={"pattern": r"^([1-5](xx|XX|\*)|.*\$\{.*)$", "minimum": 100}),
]


def _status_shape(value: object) -> str:
    return "<list>" if isinstance(value, list | tuple) else "<scalar>"


Statuses = Annotated[
    Annotated[Status, Tag("<scalar>")]
    | Annotated[list[Status], Field(min_length=1), Tag("<list>")],
    Discriminator(_status_shape),
]


_NO_STATUSES: Final = range(100)
"""Numbers that are exit codes of commands, and no status of a reply."""


def _check_any_status(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and value in _NO_STATUSES else _check_status(value)


def status_faults(expect: object) -> Iterator[Fault]:
    """Yield what is wrong with the statuses that a step expects of a reply, in a plan's data."""
    status = expect.get("status") if isinstance(expect, Mapping) else None
    for one in status if isinstance(status, list) else [status]:
        if one is not None and one in _NO_STATUSES:
            yield Fault(
                Code.INVALID_VALUE, f"`{one}` is not a status", _STATUS_HINT, "status", ("expect",)
            )


_STATUS_HINT: Final = "write a code such as `200`, a class such as `2xx`, or a list of them"

AnyStatus = Annotated[
    int | str,
    AfterValidator(_check_any_status),
    Field(json_schema_extra={"pattern": r"^([1-5](xx|XX|\*)|.*\$\{.*)$", "minimum": 0}),
]

AnyStatuses = Annotated[
    Annotated[AnyStatus, Tag("<scalar>")]
    | Annotated[list[AnyStatus], Field(min_length=1), Tag("<list>")],
    Discriminator(_status_shape),
]


class UrlRule(PlanMapping):
    """What a URL must be; all parts of the rule must hold."""

    synonyms: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("contains", "regex", "match", "pattern", "like"), "matches"
    ) | dict.fromkeys(("equals", "eq", "value"), "is")

    is_: TextField | None = Field(
        None,
        alias="is",
        description="The URL, or what follows `base_url` in it.",
        examples=["/orders"],
    )
    in_: list[TextField] | None = Field(
        None,
        alias="in",
        min_length=1,
        description="The accepted URLs.",
        examples=["[/orders, /login]"],
    )
    matches: TextField | None = Field(
        None,
        description="A regular expression to find in the URL.",
        examples=["^/orders/[0-9]+$"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        if not data:
            yield Fault(
                Code.INVALID_VALUE,
                "an empty rule checks nothing",
                "write a URL such as `/orders`, or `{matches: /orders/}`",
            )


UrlExpectation = Annotated[
    Annotated[UrlRule, Tag("<rule>")] | Annotated[TextField, Tag("<literal>")],
    Discriminator(rule_shape),
]

# -- expect --------------------------------------------------------------------------------

ExpectationName = Literal[
    "status",
    "time",
    "first_event",
    "gap",
    "events",
    "json",
    "header",
    "url",
    "contains",
    "not_contains",
    "matches",
    "not_matches",
    "schema",
    "errors",
]

Texts = Annotated[
    Annotated[TextField, Tag("<scalar>")]
    | Annotated[list[TextField], Field(min_length=1), Tag("<list>")],
    Discriminator(_status_shape),
]


class Expect(PlanMapping):
    """Which replies are acceptable; without `status` any 2xx or 3xx is."""

    # What an `http:` around asks for, `null` takes away.
    nullable: ClassVar[frozenset[str]] = frozenset({*get_args(ExpectationName), "soft"})
    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("code", "status_code", "statusCode"), "status"),
        **dict.fromkeys(("response_time", "duration", "latency", "max_time"), "time"),
        **dict.fromkeys(("body", "text", "content"), "contains"),
        **dict.fromkeys(("final_url", "effective_url", "redirected_to"), "url"),
        **dict.fromkeys(("ttft", "time_to_first_token", "time_to_first_event"), "first_event"),
        **dict.fromkeys(("itl", "inter_token_latency", "max_gap", "stall"), "gap"),
        **dict.fromkeys(("messages", "chunks", "event_count", "lines"), "events"),
        "jsonpath": "json",
        **dict.fromkeys(("regex", "matches_regexp", "regexp", "match"), "matches"),
        **dict.fromkeys(("max_duration", "max_response_time", "duration_below"), "time"),
        **dict.fromkeys(("contains_text", "includes", "substring"), "contains"),
        **dict.fromkeys(("has_header", "header_equals", "headers"), "header"),
        **dict.fromkeys(("json_schema", "matches_schema"), "schema"),
        **dict.fromkeys(("not", "excludes"), "not_contains"),
        "warn": "soft",
    }
    elsewhere: ClassVar[Mapping[str, str]] = {
        "content_type": "write `header: {Content-Type: application/json}`",
        "has_property": "write `json: {$.id: {exists: true}}`",
        "not_has_property": "write `json: {$.id: {exists: false}}`",
    }

    status: Statuses | None = Field(
        None,
        description="`200`, a class `2xx`, or a list of them. Default 2xx and 3xx.",
        examples=["200", "2xx", "[200, 201]", "${rows.code}"],
    )
    time: TextField | None = Field(
        None,
        description="The accepted latency, such as `< 1s`.",
        json_schema_extra={
            "pattern": r"^<=?\s*(\d.*|\$\{.*)$",
            "patternErrorMessage": "write a limit such as `< 500ms`",
        },
        examples=["< 1s"],
    )
    first_event: FirstEventField = None
    gap: GapField = None
    events: EventsField = None
    json_: dict[str, JsonExpectation] | None = Field(
        None,
        alias="json",
        min_length=1,
        description="JSONPath to the value or the rule it must meet.",
        examples=["{$.success: true, $.items: {type: array}}"],
    )
    header: dict[str, JsonExpectation] | None = Field(
        None,
        min_length=1,
        description="Header name to its value or a rule.",
        examples=["{Content-Type: {matches: json}}"],
    )
    url: UrlExpectation | None = Field(
        None,
        description="The URL that the reply came from after redirects, or a rule for it; what "
        "begins with `/` follows `base_url`.",
        examples=["/welcome", "{matches: ^/orders/}"],
    )
    contains: Texts | None = Field(
        None, description="Text that must be in the body.", examples=["Welcome"]
    )
    not_contains: Texts | None = Field(
        None, description="Text that must not be in the body.", examples=["Sorry"]
    )
    matches: Texts | None = Field(
        None, description="Regular expression to find in the body.", examples=["order [0-9]+"]
    )
    not_matches: Texts | None = Field(
        None,
        description="Regular expression that must not be found in the body.",
        examples=["(?i)error [0-9]+"],
    )
    schema_: TextField | None = Field(
        None,
        alias="schema",
        description="File with the JSON Schema that the body must satisfy.",
        examples=["schemas/workspaces.json"],
    )
    errors: bool | None = Field(
        None,
        description="With `graphql`: whether `errors` in the reply are fine. Default false.",
        examples=["true"],
    )
    soft: (
        Annotated[
            Annotated[bool, Tag("<scalar>")] | Annotated[list[ExpectationName], Tag("<list>")],
            Discriminator(_status_shape),
        ]
        | None
    ) = Field(
        None,
        description="True, or the names of expectations that only warn when they fail.",
        examples=["true", "[time]"],
    )

    _around: Statuses | None = None

    @classmethod
    def folded(cls, layers: Sequence[Expect | None]) -> Expect | None:
        """Return several as one, the nearest last: it says what a key is, and null is none.

        JSONPaths and headers are keys too. What is soft stays so, unless a nearer one writes the
        key; `soft` of a layer is about all that is expected down to there. A status that only warns
        leaves that of the layer around it in force.
        """
        values: dict[str, Any] = {}
        soft: set[str] = set()
        around: Any = None
        for layer in layers:
            if layer is None:
                values, soft, around = {}, set(), None
                continue
            if "status" in layer.model_fields_set:
                is_hard = "status" in values and "status" not in soft
                is_hoped = layer.status is not None and layer.is_soft("status")
                around = (values["status"] if is_hard else around) if is_hoped else None
            for name in _written(layer):
                soft -= _put(values, name, getattr(layer, name))
            if "soft" in layer.model_fields_set:
                units = {unit for name in values for unit in _units(name, values[name])}
                units.update(["errors"] if isinstance(layer.soft, list) else [])
                soft = {*filter(layer.is_soft, units), *(soft if layer.soft else ())}
        if not values:
            return None
        if soft:
            values["soft"] = sorted(soft)
        found = cls.model_construct(_fields_set=set(values), **values)
        found._around = around  # noqa: SLF001 - its own
        return found

    @property
    def accepted_status(self) -> Statuses | None:
        """The status that fails nothing, as a scope around says it, where the own one is soft."""
        return self._around

    def from_folder(self, folder: str) -> Expect:
        """Return it as it reads in another folder, from which `folder` is where it stands."""
        name = self.schema_
        if name is None or name.source.startswith("/"):
            return self
        source = f"{folder}/{name.source}"
        shift = len(source) - len(name.source)
        offsets = tuple(shift + at for at in name.offsets)
        first, *rest = name.parts
        moved = Text(source, (f"{folder}/", *name.parts), (0, *offsets))
        if isinstance(first, str):
            moved = Text(source, (f"{folder}/{first}", *rest), (0, *offsets[1:]))
        return self.model_copy(update={"schema_": moved})

    def is_soft(self, unit: str) -> bool:
        """Say whether a key only warns, or one of its JSONPaths or headers: `json $.id`."""
        if not isinstance(self.soft, list):
            return self.soft is True
        return unit in self.soft or unit.partition(" ")[0] in self.soft


class StepExpect(Expect):
    """What makes a step a success: of a request its reply, of a measured `exec` its exit code."""

    status: AnyStatuses | None = Field(
        None,
        description="`200`, a class `2xx`, or a list of them; with `exec`, exit codes. Default 2xx "
        "and 3xx, and 0 with `exec`.",
        examples=["200", "2xx", "[200, 201]", "${rows.code}"],
    )


def _written(expect: Expect) -> Iterator[str]:
    """Yield the fields that are written, `soft` left out, in an order that is always the same."""
    given = expect.model_fields_set - {"soft"}
    return (name for name in Expect.model_fields if name in given)


def _units(name: str, value: object) -> set[str]:
    """Return what of a key can be soft by itself."""
    key = name.removesuffix("_")
    return {f"{key} {inner}" for inner in value} if isinstance(value, dict) else {key}


def _put(values: dict[str, Any], name: str, value: Any) -> set[str]:  # noqa: ANN401 - of any key
    """Write a key of a nearer layer; returns what isn't said by others any more."""
    before = values.pop(name, None)
    if value is None:
        return _units(name, before)
    if not isinstance(value, dict):
        values[name] = value
        return _units(name, before)
    own = {inner.lower() if name == "header" else inner for inner in value}
    kept = {
        inner: expected
        for inner, expected in (before or {}).items()
        if (inner.lower() if name == "header" else inner) not in own
    }
    values[name] = {**kept, **value}
    return _units(name, before or {}) - _units(name, kept) | _units(name, value)
