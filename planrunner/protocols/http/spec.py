"""What a plan may write about HTTP: the keys of a request step and the `http:` block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Discriminator, Field, Tag

from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import Fault, PlanMapping, error, exactly_one, in_words
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.types import (
    Count,
    Duration,
    ExprField,
    Flag,
    PositiveInt,
    Size,
    TextField,
    ValueField,
    VariableName,
)
from planrunner.protocols.http.spec_auth import AuthField
from planrunner.protocols.http.spec_expect import (
    EXTRACT_SOURCES,
    Expect,
    ExtractSpec,
    JsonExpectation,
    Rule,
    shape,
)
from planrunner.protocols.operation_model import TagsField

__all__ = [
    "BODY_KEYS",
    "EXTRACT_SOURCES",
    "VERBS",
    "Expect",
    "ExtractSpec",
    "HttpModel",
    "JsonExpectation",
    "RequestKeys",
    "RequestSpec",
    "Rule",
]

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
BODY_KEYS: Final = ("json", "form", "multipart", "body", "body_file")


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

ExtractField = Annotated[
    Annotated[TextField, Tag("<scalar>")] | Annotated[ExtractSpec, Tag("<mapping>")],
    Discriminator(shape),
]


class RequestKeys(PlanMapping):
    """A request: one verb with its URL, and what stands beside it."""

    nullable: ClassVar[frozenset[str]] = frozenset({"json"})

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

    name: str | None = Field(
        None,
        min_length=1,
        description="The series name. Default verb and URL as written.",
        examples=["GET /items/:id"],
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
        None, description="The body, sent as it is (UTF-8).", examples=["plain text"]
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
        None, description="Which replies are acceptable.", examples=["{status: 200, time: < 1s}"]
    )
    extract: dict[VariableName, ExtractField] | None = Field(
        None,
        description="Variables to take from the reply: `{token: $.token}`.",
        examples=["{id: $.id}"],
    )
    tags: TagsField | None = Field(
        None,
        description="Tags that split the series.",
        examples=["[read]", "{cached: '${json.cached}'}"],
    )
    measure: Flag | None = Field(
        None,
        description="False: it is sent, but does not count in the results.",
        examples=["false"],
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

    def default_name(self, action: str) -> str:
        """Return the series name of a request without `name:`: verb and URL as written."""
        return f"{action.upper()} {getattr(self, action).source}"

    def verb(self) -> str:
        """Return the verb that was written; empty when none was."""
        return next((name for name in VERBS if getattr(self, name) is not None), "")


class RequestSpec(RequestKeys):
    """A request of its own, as in `preflight` and `poll`."""

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        verbs = [key for key in data if key in VERBS]
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


# -- the http block ------------------------------------------------------------------------


class Certificate(PlanMapping):
    """A client certificate and its key, PEM files."""

    cert: TextField = Field(description="PEM file with the certificate.", examples=["client.pem"])
    key: TextField | None = Field(
        None, description="PEM file with its key, if separate.", examples=["client.key"]
    )
    password: TextField | None = Field(
        None, description="The password of an encrypted key.", examples=["${key_password}"]
    )


CertificateField = Annotated[
    Annotated[Certificate, Tag("<mapping>")] | Annotated[TextField, Tag("<scalar>")],
    Discriminator(shape),
]


def _keepalive_shape(value: object) -> str:
    return "<word>" if isinstance(value, str) and "${" not in value else "<scalar>"


def _read_keepalive(value: object) -> object:
    if value == "iteration":
        return value
    raise error(
        Fault(
            Code.INVALID_VALUE,
            f"`{value}` doesn't say how long connections stay open",
            "write `true`, `false` or `iteration`",
        )
    )


KeepaliveField = Annotated[
    Annotated[Flag, Tag("<scalar>")]
    | Annotated[str, ReadBy(_read_keepalive, {"const": "iteration"}), Tag("<word>")],
    Discriminator(_keepalive_shape),
]


class Pool(PlanMapping):
    """How many connections a user keeps, and for how long."""

    keepalive: KeepaliveField = Field(
        default=True,
        description="Keep connections open between requests: `true` for the user's life, "
        "`iteration` until each iteration ends.",
        examples=["true", "iteration"],
    )
    per_user: PositiveInt | None = Field(
        None,
        description="How many connections to one host a user can have at once. "
        "Default as many as the requests of a `parallel` step, else one.",
        examples=["1"],
    )
    max_age: Duration | None = Field(
        None,
        description="Close a connection after its last reply once it is this old. Default never.",
        examples=["5m"],
    )
    max_idle: Duration | None = Field(
        None,
        description="Close a connection that nothing was sent on for this long. Default never.",
        examples=["30s"],
    )


SourcesField = Annotated[
    Annotated[list[TextField], Tag("<list>")] | Annotated[TextField, Tag("<scalar>")],
    Discriminator(shape),
]


class HttpModel(PlanMapping):
    """Settings of all HTTP requests; a user class may have its own."""

    base_url: TextField | None = Field(
        None,
        description="The URL that paths starting with `/` are appended to.",
        examples=["http://localhost:8000"],
    )
    headers: dict[str, ValueField] | None = Field(
        None, description="Headers of every request.", examples=["{X-API-Key: '${api_key}'}"]
    )
    timeout: Duration | None = Field(
        None, description="The time limit for a whole request. Default 30s.", examples=["10s"]
    )
    verify: Flag | None = Field(
        None, description="Check the server's certificate. Default true.", examples=["false"]
    )
    ca: TextField | None = Field(
        None, description="PEM file with the authorities to trust.", examples=["ca.pem"]
    )
    cert: CertificateField | None = Field(
        None,
        description="Client certificate (PEM).",
        examples=["client.pem", "{cert: client.pem, key: client.key}"],
    )
    auth: AuthField | None = Field(
        None, description="How users authenticate to the server.", examples=["{bearer: '${token}'}"]
    )
    follow_redirects: Flag | None = Field(
        None, description="Follow 3xx replies. Default true.", examples=["false"]
    )
    session: Literal["user", "iteration"] | None = Field(
        None,
        description="What a visitor is; a class's own `session` says more.",
        examples=["iteration"],
    )
    pool: Pool | None = Field(
        None,
        description="How many connections a user keeps, and for how long.",
        examples=["{keepalive: true, per_user: 1}", "{max_age: 5m, max_idle: 30s}"],
    )
    max_kept: Size | None = Field(
        None,
        description="How much of reply bodies all users of a worker keep at a time; a body beyond "
        "that fails as `too_large`. Default 256MiB.",
        examples=["1GiB"],
    )
    client: Literal["auto", "wire", "httpx"] | None = Field(
        None, description="The HTTP client to use. Default auto.", examples=["wire"]
    )
    proxy: TextField | None = Field(
        None, description="URL of the proxy. Default none.", examples=["http://proxy:3128"]
    )
    source_addresses: SourcesField | None = Field(
        None,
        description="Addresses of this machine that users connect from, in turn. "
        "Default what the system chooses.",
        examples=["[127.0.0.2, 127.0.0.3]"],
    )
    hosts: dict[str, TextField] | None = Field(
        None,
        description="Addresses to use instead of DNS: `{name: ip}`.",
        examples=["{shop.example.com: 127.0.0.1}"],
    )
