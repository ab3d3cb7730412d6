"""What a plan may write about HTTP: the keys of a request step and the `http:` block."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from planrunner.language.diagnostics import Code
from planrunner.language.fields import Duration, ExprField, TextField, ValueField
from planrunner.protocols.http.spec_expect import (
    EXTRACT_SOURCES,
    Expect,
    ExtractSpec,
    JsonExpectation,
    Rule,
    SpecModel,
    fault,
    shape,
)

__all__ = [
    "BODY_KEYS",
    "EXTRACT_SOURCES",
    "VERBS",
    "Auth",
    "Expect",
    "ExtractSpec",
    "HttpModel",
    "JsonExpectation",
    "RequestKeys",
    "RequestSpec",
    "Rule",
    "body_conflict",
]

VERBS: Final = ("get", "post", "put", "patch", "delete", "head", "options")
BODY_KEYS: Final = ("json", "form", "multipart", "body", "body_file")


# -- auth ----------------------------------------------------------------------------------


class BasicAuth(SpecModel):
    """RFC 7617."""

    username: TextField
    password: TextField


class ApiKeyAuth(SpecModel):
    """A key in one header, query parameter or cookie."""

    header: TextField | None = Field(None, description="The header that carries the key.")
    query: TextField | None = Field(None, description="The query parameter that carries it.")
    cookie: TextField | None = Field(None, description="The cookie that carries it.")
    value: TextField

    @model_validator(mode="after")
    def _one_place(self) -> ApiKeyAuth:
        if len({"header", "query", "cookie"} & self.model_fields_set) != 1:
            raise fault(
                Code.CONFLICTING_KEYS,
                "an API key goes into one place",
                "write exactly one of `header`, `query`, `cookie`",
            )
        return self


class OAuth2(SpecModel):
    """Client credentials (RFC 6749, 4.4); the token is fetched once a user and refreshed."""

    token_url: TextField
    client_id: TextField
    client_secret: TextField
    scope: TextField | None = None


class Auth(SpecModel):
    """Who the user is to the server; exactly one scheme."""

    basic: BasicAuth | None = Field(None, description="User name and password.")
    bearer: TextField | None = Field(None, description="A token: `Authorization: Bearer …`.")
    api_key: ApiKeyAuth | None = Field(None, description="A key in a header, query or cookie.")
    oauth2: OAuth2 | None = Field(None, description="OAuth2 client credentials.")

    @model_validator(mode="after")
    def _one_scheme(self) -> Auth:
        if len(self.model_fields_set) != 1:
            raise fault(
                Code.CONFLICTING_KEYS,
                "`auth` takes one scheme",
                "write exactly one of `basic`, `bearer`, `api_key`, `oauth2`",
            )
        return self


AuthField = Annotated[
    Annotated[Auth, Tag("<mapping>")] | Annotated[Literal["none"], Tag("<scalar>")],
    Discriminator(shape),
]


# -- request -------------------------------------------------------------------------------


class Part(SpecModel):
    """One part of a multipart body: a file, or a text."""

    file: TextField | None = Field(None, description="A file, streamed from disk.")
    text: TextField | None = Field(None, description="The part's content.")
    filename: TextField | None = Field(None, description="The name sent; default: the file's.")
    type: TextField | None = Field(None, description="The part's content type.")

    @model_validator(mode="after")
    def _one_content(self) -> Part:
        if len({"file", "text"} & self.model_fields_set) != 1:
            raise fault(
                Code.CONFLICTING_KEYS,
                "a part has one content",
                "write either `file` or `text`",
            )
        return self


PartField = Annotated[
    Annotated[Part, Tag("<mapping>")]
    | Annotated[ValueField, Tag("<scalar>")]
    | Annotated[list[ValueField], Tag("<list>")],
    Discriminator(shape),
]


class Retry(SpecModel):
    """When a failed request is sent again; the sample keeps the last status and the whole time."""

    times: int = Field(ge=1, description="How often at most.")
    wait: Duration | None = Field(None, description="Pause before each; default none.")
    on: list[str | int] | None = Field(
        None,
        description="Failure kinds, statuses or classes; default connect, reset, timeout, 5xx.",
    )


RetryField = Annotated[
    Annotated[Retry, Tag("<mapping>")] | Annotated[int, Field(ge=0), Tag("<scalar>")],
    Discriminator(shape),
]

Tags = Annotated[
    Annotated[list[str], Tag("<list>")] | Annotated[dict[str, ValueField], Tag("<mapping>")],
    Discriminator(shape),
]

ExtractField = Annotated[
    Annotated[TextField, Tag("<scalar>")] | Annotated[ExtractSpec, Tag("<mapping>")],
    Discriminator(shape),
]


class RequestKeys(SpecModel):
    """A request: one verb with its URL, and what stands beside it."""

    get: TextField | None = Field(None, description="Send a GET to this URL.")
    post: TextField | None = Field(None, description="Send a POST to this URL.")
    put: TextField | None = Field(None, description="Send a PUT to this URL.")
    patch: TextField | None = Field(None, description="Send a PATCH to this URL.")
    delete: TextField | None = Field(None, description="Send a DELETE to this URL.")
    head: TextField | None = Field(None, description="Send a HEAD to this URL.")
    options: TextField | None = Field(None, description="Send an OPTIONS to this URL.")

    name: str | None = Field(
        None,
        min_length=1,
        description="The series name. Default: verb and URL as written.",
    )
    query: dict[str, ValueField] | None = Field(
        None, description="Query parameters, appended to the URL; a list repeats its key."
    )
    headers: dict[str, ValueField] | None = Field(
        None, description="Headers of this request; null leaves one of the plan's out."
    )
    json_: ValueField | None = Field(None, alias="json", description="The body, sent as JSON.")
    form: dict[str, ValueField] | None = Field(
        None, description="The body, sent as an HTML form (urlencoded)."
    )
    multipart: dict[str, PartField] | None = Field(
        None, description="The body, sent as multipart/form-data; files are streamed."
    )
    body: TextField | None = Field(None, description="The body, sent as it is (UTF-8).")
    body_file: TextField | None = Field(None, description="A file whose bytes are the body.")
    auth: AuthField | None = Field(None, description="Who the user is; `none` sends nothing.")
    timeout: Duration | None = Field(
        None, description="For the whole request, connecting and redirects included."
    )
    follow_redirects: bool | None = Field(None, description="Follow 3xx replies.")
    expect: Expect | None = Field(None, description="Which replies are acceptable.")
    extract: dict[str, ExtractField] | None = Field(
        None, description="Variables to take from the reply: `{token: $.token}`."
    )
    tags: Tags | None = Field(None, description="Tags that split the series.")
    measure: bool | None = Field(None, description="False: real traffic that is no result.")
    retry: RetryField | None = Field(None, description="Send again after a failure.")
    when: ExprField | None = Field(None, description="Only send when this expression is true.")

    def verb(self) -> str:
        """Return the verb that was written; empty when none was."""
        return next((name for name in VERBS if getattr(self, name) is not None), "")


def body_conflict(given: set[str]) -> tuple[str, str] | None:
    """Return the two body keys among `given` that exclude each other (plan words)."""
    bodies = [key for key in BODY_KEYS if key in given or f"{key}_" in given]
    return (bodies[0], bodies[1]) if len(bodies) > 1 else None


class RequestSpec(RequestKeys):
    """A request that stands alone, as in `preflight` and `poll`."""

    @model_validator(mode="after")
    def _one_verb(self) -> RequestSpec:
        verbs = [name for name in VERBS if name in self.model_fields_set]
        if len(verbs) != 1:
            raise fault(
                Code.ONE_ACTION,
                "a request has one verb" if verbs else "nothing says what to send",
                "write one of " + ", ".join(f"`{name}`" for name in VERBS),
            )
        return self


# -- the http block ------------------------------------------------------------------------


class Certificate(SpecModel):
    """A client certificate and its key, PEM files."""

    cert: TextField
    key: TextField | None = None
    password: TextField | None = None


CertificateField = Annotated[
    Annotated[Certificate, Tag("<mapping>")] | Annotated[TextField, Tag("<scalar>")],
    Discriminator(shape),
]


class Pool(SpecModel):
    """How many connections a user keeps."""

    keepalive: bool = Field(default=True, description="Keep connections open between requests.")
    per_user: int = Field(1, ge=1, le=64, description="Connections to one host a user may open.")


class HttpModel(SpecModel):
    """Settings of all HTTP requests; a user class may have its own."""

    base_url: TextField | None = Field(
        None, description="What URLs that start with `/` are appended to."
    )
    headers: dict[str, ValueField] | None = Field(None, description="Headers of every request.")
    timeout: Duration | None = Field(None, description="For a whole request. Default 30s.")
    verify: bool | None = Field(None, description="Check the server's certificate. Default true.")
    ca: TextField | None = Field(None, description="PEM file with the authorities to trust.")
    cert: CertificateField | None = Field(None, description="Client certificate (PEM).")
    auth: AuthField | None = Field(None, description="Who the users are to the server.")
    follow_redirects: bool | None = Field(None, description="Follow 3xx replies. Default true.")
    pool: Pool | None = Field(None, description="How many connections a user keeps.")
    client: Literal["auto", "wire", "httpx"] | None = Field(
        None, description="Which HTTP client sends. Default auto."
    )
    proxy: TextField | None = Field(None, description="URL of the proxy; none by default.")
    hosts: dict[str, TextField] | None = Field(
        None, description="Addresses to use instead of DNS: `{name: ip}`."
    )
