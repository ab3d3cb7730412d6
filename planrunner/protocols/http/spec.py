"""What a plan may write about an HTTP request: the keys of its step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one, in_words
from planrunner.language.fields.text import Text
from planrunner.language.fields.types import (
    Count,
    Duration,
    DurationRange,
    ExprField,
    Flag,
    PositiveInt,
    SeriesName,
    TextField,
    ValueField,
    VariableName,
)
from planrunner.protocols.http.graphql.spec import (
    ENDPOINT,
    GraphqlField,
    graphql_faults,
    series_name,
)
from planrunner.protocols.http.spec_auth import AuthField
from planrunner.protocols.http.spec_expect import Expect
from planrunner.protocols.json_replies.spec import JsonExpectation, Rule, shape
from planrunner.protocols.operation_model import (
    RecordField,
    TagsField,
    UnitField,
    WorkField,
    recording_faults,
)
from planrunner.protocols.streamed.expect import STREAM_EXPECTATIONS

__all__ = [
    "BODY_KEYS",
    "EXTRACT_SOURCES",
    "VERBS",
    "Expect",
    "ExtractSpec",
    "JsonExpectation",
    "RequestKeys",
    "RequestSpec",
    "Rule",
    "verbs_in",
]

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "graphql")
"""What a request is, the last by itself or as the body of a `post`."""

BODY_KEYS: Final = ("json", "form", "multipart", "body", "body_file", "graphql")


def verbs_in(data: Mapping[Any, Any]) -> list[str]:
    """Return the verbs of a request's data; `graphql` is none where it is the body of a `post`."""
    return [key for key in data if key in VERBS and (key != "graphql" or "post" not in data)]


# -- request -------------------------------------------------------------------------------


class MultipartPart(PlanMapping):
    """One part of a multipart body: a file, or a text."""

    file: TextField | None = Field(
        None, description="A file, streamed from disk.", examples=["data/photo.jpg"]
    )
    text: TextField | None = Field(None, description="The part's content.", examples=["hello"])
    filename: TextField | None = Field(
        None, description="The name sent; default the file's.", examples=["photo.jpg"]
    )
    type: TextField | None = Field(
        None, description="The part's content type.", examples=["image/jpeg"]
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, ("file", "text"), "what the part holds")


PartField = Annotated[
    Annotated[MultipartPart, Tag("<mapping>")]
    | Annotated[ValueField, Tag("<scalar>")]
    | Annotated[list[ValueField], Tag("<list>")],
    Discriminator(shape),
]


class RetryModel(PlanMapping):
    """When a failed request is sent again; the sample keeps the last status and the whole time."""

    times: PositiveInt = Field(description="The maximum number of retries.", examples=["2"])
    wait: Duration | None = Field(
        None, description="Pause before each retry. Default none.", examples=["500ms"]
    )
    on: list[str | int] | None = Field(
        None,
        description="Failure kinds, statuses or classes. Default connect, reset, timeout, 5xx.",
        examples=["[connect, 503, 5xx]"],
    )


RetryField = Annotated[
    Annotated[RetryModel, Tag("<mapping>")] | Annotated[Count, Tag("<scalar>")],
    Discriminator(shape),
]

EXTRACT_SOURCES: Final = ("jsonpath", "regex", "css", "xpath", "header", "cookie")


class ExtractSpec(PlanMapping):
    """Where in the reply a variable's value is."""

    synonyms: ClassVar[Mapping[str, str]] = {
        "json": "jsonpath",
        **dict.fromkeys(("regexp", "match", "pattern", "boundary"), "regex"),
        **dict.fromkeys(("selector", "css_jquery", "html"), "css"),
        **dict.fromkeys(("match_no", "match_number", "which"), "index"),
        "default_value": "default",
    }

    nullable: ClassVar[frozenset[str]] = frozenset({"default"})

    jsonpath: TextField | None = Field(
        None, description="JSONPath into the body: `$.items[0].id`.", examples=["$.items[0].id"]
    )
    regex: TextField | None = Field(
        None,
        description="Regular expression over the body; group 1, or all of it.",
        examples=["csrf=([a-z0-9]+)"],
    )
    css: TextField | None = Field(
        None,
        description="CSS selector; ends in `::text` or `::attr(name)` for less.",
        examples=["a.next::attr(href)"],
    )
    xpath: TextField | None = Field(
        None, description="XPath over the HTML or XML body.", examples=["//input/@value"]
    )
    header: TextField | None = Field(
        None, description="Name of a reply header.", examples=["Location"]
    )
    cookie: TextField | None = Field(
        None, description="Name of a cookie that the reply sets.", examples=["session"]
    )
    index: Literal["first", "last", "random", "all"] = Field(
        "first", description="Which match to take; `all` takes the list of them.", examples=["last"]
    )
    default: ValueField | None = Field(
        None, description="The value when nothing matches.", examples=["none"]
    )
    required: bool = Field(
        default=True,
        description="False: without a match, the variable is unchanged. True: the request fails.",
        examples=["false"],
    )
    secret: bool = Field(
        default=False,
        description="Mask the value wherever it would appear from then on.",
        examples=["true"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, EXTRACT_SOURCES, "where the value is")


ExtractField = Annotated[
    Annotated[TextField, Tag("<scalar>")] | Annotated[ExtractSpec, Tag("<mapping>")],
    Discriminator(shape),
]


def _stream_faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield what is said of a stream where the reply is none."""
    if data.get("stream") is not None or not verbs_in(data):
        return
    add = "add `stream: events`, `stream: lines` or `stream: json`"
    for key in ("until", "reconnect"):
        if key in data:
            yield Fault(Code.MISSING_KEY, f"`{key}` needs `stream`", add, key)
    expect = data.get("expect")
    if not isinstance(expect, Mapping):
        return
    for key in STREAM_EXPECTATIONS:
        if expect.get(key) is not None:
            words = f"`{key}` is about a reply that is read piece by piece"
            yield Fault(Code.MISSING_KEY, words, add, key, ("expect",))


class RequestKeys(PlanMapping):
    """A request: one verb with its URL, and what stands beside it."""

    # What `http:` says around it holds unless the request says something else, or `null`.
    nullable: ClassVar[frozenset[str]] = frozenset({"json", "expect", "pause", "tags"})

    get: TextField | None = Field(
        None, description="Send a GET to this URL.", examples=["/items/${id}"]
    )
    post: TextField | None = Field(
        None, description="Send a POST to this URL.", examples=["/items"]
    )
    put: TextField | None = Field(
        None, description="Send a PUT to this URL.", examples=["/items/${id}"]
    )
    patch: TextField | None = Field(
        None, description="Send a PATCH to this URL.", examples=["/items/${id}"]
    )
    delete: TextField | None = Field(
        None, description="Send a DELETE to this URL.", examples=["/items/${id}"]
    )
    head: TextField | None = Field(
        None, description="Send a HEAD to this URL.", examples=["/items"]
    )
    options: TextField | None = Field(
        None, description="Send an OPTIONS to this URL.", examples=["/items"]
    )

    graphql: GraphqlField | None = Field(
        None,
        description="POST a GraphQL query to `url`; its name is the operation's. `errors` in the "
        "reply fail it. Beside `post` it is the body.",
        examples=["query Models { models { id } }", "{file: queries/models.graphql}"],
    )

    name: SeriesName | None = Field(
        None,
        description="The series name; of a computed one at most 50 values are kept apart. Default "
        "verb and URL as written, and with `graphql` the operation's name.",
        examples=["GET /items/:id", "${label}"],
    )
    url: TextField | None = Field(
        None,
        description="With `graphql`: where it is sent. Default `/graphql`.",
        examples=["/api/graphql"],
    )
    variables: dict[str, ValueField] | None = Field(
        None,
        description="With `graphql`: values of the query's variables, sent as JSON; what is one "
        "`${…}` keeps its type.",
        examples=["{first: 3, after: '${cursor}'}"],
    )
    query: dict[str, ValueField] | None = Field(
        None,
        description="Query parameters, appended to the URL; a list repeats its key.",
        examples=["{page: 1, tag: [a, b]}"],
    )
    headers: dict[str, ValueField] | None = Field(
        None,
        description="Headers of this request; `null` removes one of the plan's.",
        examples=["{Accept: application/json}"],
    )
    json_: ValueField | None = Field(
        None,
        alias="json",
        description="The body, sent as JSON.",
        examples=["{name: 'item-${rand.text(6)}'}"],
    )
    form: dict[str, ValueField] | None = Field(
        None,
        description="The body, sent as an HTML form (urlencoded).",
        examples=["{user: ada, remember: true}"],
    )
    multipart: dict[str, PartField] | None = Field(
        None,
        description="The body, sent as multipart/form-data; files are streamed.",
        examples=["{photo: {file: data/photo.jpg}, title: hello}"],
    )
    body: TextField | None = Field(
        None,
        description="The body, sent as it is (UTF-8); `${…}` alone may be bytes.",
        examples=["plain text"],
    )
    body_file: TextField | None = Field(
        None, description="A file whose bytes are the body.", examples=["data/order.xml"]
    )
    auth: AuthField | None = Field(
        None,
        description="How the user authenticates; `none` sends nothing.",
        examples=["{bearer: '${token}'}", "none"],
    )
    timeout: Duration | None = Field(
        None,
        description="The time limit for the whole request, connecting and redirects included.",
        examples=["10s"],
    )
    follow_redirects: Flag | None = Field(
        None, description="Follow 3xx replies.", examples=["false"]
    )
    expect: Expect | None = Field(
        None,
        description="Which replies are acceptable, beside what `http.expect` asks of all; `null` "
        "takes that away.",
        examples=["{status: 200, time: < 1s}"],
    )
    pause: DurationRange | None = Field(
        None,
        description="Think time after it, instead of `http.pause`; `null` for none.",
        examples=["1s..3s"],
    )
    extract: dict[VariableName, ExtractField] | None = Field(
        None,
        description="Variables to take from the reply: `{token: $.token}`.",
        examples=["{id: $.id}"],
    )
    tags: TagsField | None = Field(
        None,
        description="Tags that split the series, beside those of `http.tags`; `null` takes one "
        "away.",
        examples=["[read]", "{cached: '${json.cached}'}"],
    )
    measure: Flag | None = Field(
        None,
        description="False: it is sent, but does not count in the results.",
        examples=["false"],
    )
    record: RecordField = None
    work: WorkField = None
    unit: UnitField = None
    stream: Literal["events", "lines", "json"] | None = Field(
        None,
        description="Read the reply piece by piece while it comes: as server-sent events, lines of "
        "text, or lines of JSON. `timeout` is for all of it.",
        examples=["events"],
    )
    until: ExprField | None = Field(
        None,
        description="With `stream`: read until this is true of `event`, `line` or `json`, and then "
        "no further; a stream that ends before fails. With `poll`: when to stop.",
        examples=["event.data == '[DONE]'", "json.status in ['done', 'failed']"],
    )
    reconnect: Count | None = Field(
        None,
        description="With `stream`: how often a stream that ends too early is gone on with over "
        "another connection, with `Last-Event-ID` and after the time that the server asks for.",
        examples=["3"],
    )
    retry: RetryField | None = Field(
        None, description="Send again after a failure.", examples=["2", "{times: 2, wait: 500ms}"]
    )
    when: ExprField | None = Field(
        None, description="Send only if this expression is true.", examples=["workspace_id"]
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        bodies = [key for key in data if key in BODY_KEYS]
        for key in bodies[1:]:
            yield Fault(
                Code.CONFLICTING_KEYS,
                f"`{key}` can't be combined with `{bodies[0]}`",
                "a request has one body: keep one of them",
                key,
            )
        if verbs_in(data):
            yield from graphql_faults(data)
        yield from recording_faults(data)
        yield from _stream_faults(data)

    def default_name(self, action: str) -> str:
        """Return the series name of a request without `name:`: verb and URL as written."""
        if self.graphql is not None:
            return series_name(self.graphql)
        return f"{action.upper()} {getattr(self, action).source}"

    def verb(self) -> str:
        """Return the verb that was written; empty when none was."""
        return next((name for name in VERBS if getattr(self, name) is not None), "")

    @property
    def method(self) -> str:
        """HTTP's word for the verb."""
        verb = self.verb()
        return "POST" if verb == "graphql" else verb.upper()

    @property
    def address(self) -> tuple[str, Text]:
        """The key that says where it is sent, and what it says."""
        verb = self.verb()
        return ("url", self.url or ENDPOINT) if verb == "graphql" else (verb, getattr(self, verb))


class RequestSpec(RequestKeys):
    """A request of its own, as in `preflight` and `poll`."""

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        verbs = verbs_in(data)
        for verb in verbs[1:]:
            yield Fault(
                Code.ONE_ACTION,
                f"a request has one verb, but this one has `{verbs[0]}` and `{verb}`",
                "write a separate request",
                verb,
            )
        if not verbs and not cls.has_unknown(data):
            yield Fault(Code.ONE_ACTION, "nothing says what to send", "add " + in_words(VERBS))
        yield from super().find_faults(data)
