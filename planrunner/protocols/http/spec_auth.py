"""What a plan may write about who its users are: `auth:` of requests and of the `http:` block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from planrunner.language.fields.declared import Discriminator, Field, Tag
from planrunner.language.fields.mapping import Fault, PlanMapping, exactly_one
from planrunner.language.fields.types import TextField
from planrunner.protocols.json_replies.spec import shape

__all__ = [
    "ApiKeyAuth",
    "Auth",
    "AuthField",
    "BasicAuth",
    "DigestAuth",
    "OAuth2",
    "Sigv4Auth",
]


class BasicAuth(PlanMapping):
    """RFC 7617."""

    username: TextField = Field(description="The user's name.", examples=["ada"])
    password: TextField = Field(description="The user's password.", examples=["${password}"])


class ApiKeyAuth(PlanMapping):
    """A key in one header, query parameter or cookie."""

    header: TextField | None = Field(
        None, description="The header that carries the key.", examples=["X-API-Key"]
    )
    query: TextField | None = Field(
        None, description="The query parameter that carries it.", examples=["api_key"]
    )
    cookie: TextField | None = Field(
        None, description="The cookie that carries it.", examples=["key"]
    )
    value: TextField = Field(description="The key itself.", examples=["${api_key}"])

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from exactly_one(cls, data, ("header", "query", "cookie"), "where the key goes")


class OAuth2(PlanMapping):
    """Client credentials (RFC 6749, 4.4); the token is fetched once per user and refreshed."""

    token_url: TextField = Field(description="Where tokens are fetched.", examples=["/oauth/token"])
    client_id: TextField = Field(description="The client's id.", examples=["planrunner"])
    client_secret: TextField = Field(description="The client's secret.", examples=["${secret}"])
    scope: TextField | None = Field(
        None, description="The scopes to ask for.", examples=["read write"]
    )


class DigestAuth(PlanMapping):
    """RFC 7616: the answer to a server's challenge."""

    username: TextField = Field(description="The user's name.", examples=["ada"])
    password: TextField = Field(
        description="The user's password; it is never sent itself.", examples=["${password}"]
    )


class Sigv4Auth(PlanMapping):
    """AWS Signature Version 4: every request is signed."""

    access_key: TextField = Field(
        description="The id of the key.", examples=["AKIAIOSFODNN7EXAMPLE"]
    )
    secret_key: TextField = Field(
        description="The key itself; it is never sent.", examples=["${secret_key}"]
    )
    session_token: TextField | None = Field(
        None, description="The token of temporary credentials.", examples=["${session_token}"]
    )
    region: TextField = Field(description="The region of the service.", examples=["eu-west-1"])
    service: TextField = Field(
        description="The service's name in signatures: `s3`, `execute-api`, `es` …",
        examples=["s3"],
    )


class Auth(PlanMapping):
    """How a user authenticates to the server; exactly one scheme."""

    synonyms: ClassVar[Mapping[str, str]] = {
        "token": "bearer",
        "apikey": "api_key",
        **dict.fromkeys(("oauth", "client_credentials"), "oauth2"),
        **dict.fromkeys(("aws", "sigv4_auth"), "sigv4"),
    }
    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("user", "username", "login", "pass", "password"),
        "write `basic: {username: ada, password: '${password}'}`",
    )

    basic: BasicAuth | None = Field(
        None,
        description="User name and password.",
        examples=["{username: ada, password: '${password}'}"],
    )
    bearer: TextField | None = Field(
        None, description="A token: `Authorization: Bearer …`.", examples=["${token}"]
    )
    api_key: ApiKeyAuth | None = Field(
        None,
        description="A key in a header, query or cookie.",
        examples=["{header: X-API-Key, value: '${api_key}'}"],
    )
    oauth2: OAuth2 | None = Field(
        None,
        description="OAuth2 client credentials.",
        examples=["{token_url: /oauth/token, client_id: me, client_secret: '${secret}'}"],
    )
    digest: DigestAuth | None = Field(
        None,
        description="User name and password, for servers that challenge (RFC 7616).",
        examples=["{username: ada, password: '${password}'}"],
    )
    sigv4: Sigv4Auth | None = Field(
        None,
        description="AWS Signature Version 4.",
        examples=[
            "{access_key: '${key_id}', secret_key: '${secret_key}', region: eu-west-1, service: s3}"
        ],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        schemes = ("basic", "bearer", "api_key", "oauth2", "digest", "sigv4")
        yield from exactly_one(cls, data, schemes, "how the user authenticates")


AuthField = Annotated[
    Annotated[Auth, Tag("<mapping>")] | Annotated[Literal["none"], Tag("<scalar>")],
    Discriminator(shape),
]
