"""Compile `auth:` to what carries the credentials: headers, query, a grant, a signature."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import field
from urllib.parse import quote_plus

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Lowered, to_text
from planrunner.language.expressions.values import Evaluate
from planrunner.language.fields.text import Text
from planrunner.protocols.base import Exchange, Scope
from planrunner.protocols.http.compile.request_line import compile_url
from planrunner.protocols.http.operation import (
    AwsCredentials,
    DigestCredentials,
    DynamicBody,
    Grant,
    Header,
    HttpOperation,
    HttpSettings,
    QueryItem,
    TextParts,
)
from planrunner.protocols.http.spec_auth import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    DigestAuth,
    OAuth2,
    Sigv4Auth,
)
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.values import dataclass

__all__ = ["Credentials", "compile_auth", "compile_grant", "scheme_of"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What goes into every request; headers by their lower-case names."""

    headers: Mapping[str, Header | None] = field(default_factory=dict)
    query: tuple[QueryItem, ...] = ()
    grant: Grant | None = None
    signature: DigestCredentials | AwsCredentials | None = None

    def beside(self, cookies: Header | None) -> Mapping[str, Header | None]:
        """Return a Cookie header of the key, if it is in one, and the plan's own cookies."""
        key = self.headers.get("cookie")
        if key is None:
            return {}
        return {"cookie": Header("Cookie", (*key.value, "; ", *cookies.value)) if cookies else key}


def compile_auth(
    auth: Auth | str | None, lowering: Lowering, path: SpecPath, settings: HttpSettings
) -> Credentials:
    """Compile one scheme; `none` and nothing at all are no credentials."""
    if not isinstance(auth, Auth):
        return Credentials()
    if auth.basic is not None:
        return _authorization(_basic(auth.basic, lowering, (*path, "basic")))
    if auth.bearer is not None:
        return _authorization(("Bearer ", *lowering.parts(auth.bearer, (*path, "bearer"))))
    if auth.api_key is not None:
        return _api_key(auth.api_key, lowering, (*path, "api_key"))
    signature = _signature(auth, lowering, path)
    if signature is not None:
        # The plan's own Authorization gives way, as it does to one that is made here.
        return Credentials({"authorization": None}, signature=signature)
    assert auth.oauth2 is not None  # one of the six, by the spec
    return Credentials(grant=compile_grant(auth.oauth2, lowering, (*path, "oauth2"), settings))


def _authorization(value: TextParts) -> Credentials:
    constant = "".join(part for part in value if isinstance(part, str))
    whole = (constant,) if all(isinstance(part, str) for part in value) else value
    return Credentials({"authorization": Header("Authorization", whole)})


def _basic(basic: BasicAuth, lowering: Lowering, path: SpecPath) -> TextParts:
    username = lowering.text(basic.username, (*path, "username"))
    password = lowering.text(basic.password, (*path, "password"))
    if username.is_constant and password.is_constant:
        with lowering.at(path):
            return (_encode(username.value, password.value),)
    return _basic_closure(username, password)


def _basic_closure(username: Lowered, password: Lowered) -> TextParts:
    user, secret = username.evaluate, password.evaluate

    def evaluate(scope: Scope) -> str:
        return _encode(user(scope), secret(scope))

    return (evaluate,)


def _encode(username: object, password: object) -> str:
    pair = f"{to_text(username)}:{to_text(password)}"
    return "Basic " + b64encode(pair.encode("utf-8", "replace")).decode("ascii")


def _api_key(key: ApiKeyAuth, lowering: Lowering, path: SpecPath) -> Credentials:
    value = lowering.parts(key.value, (*path, "value"))
    if key.header is not None:
        name = lowering.constant(key.header, (*path, "header")) or "X-API-Key"
        return Credentials({name.lower(): Header(name, value)})
    if key.cookie is not None:
        name = lowering.constant(key.cookie, (*path, "cookie")) or ""
        return Credentials({"cookie": Header("Cookie", (f"{name}=", *value))})
    assert key.query is not None  # one of the three, by the spec
    name = lowering.constant(key.query, (*path, "query")) or ""
    lowered = lowering.text(key.value, (*path, "value"))
    item = to_text(lowered.value) if lowered.is_constant else lowered.evaluate
    return Credentials(query=(QueryItem((name,), item),))


def scheme_of(auth: Auth | str | None) -> str:
    """Return the word of the scheme; empty for `none` and nothing at all."""
    return next(iter(auth.model_fields_set), "") if isinstance(auth, Auth) else ""


def _signature(
    auth: Auth, lowering: Lowering, path: SpecPath
) -> DigestCredentials | AwsCredentials | None:
    if auth.digest is not None:
        return _digest(auth.digest, lowering, (*path, "digest"))
    return None if auth.sigv4 is None else _sigv4(auth.sigv4, lowering, (*path, "sigv4"))


def _digest(digest: DigestAuth, lowering: Lowering, path: SpecPath) -> DigestCredentials:
    return DigestCredentials(
        lowering.text(digest.username, (*path, "username")).evaluate,
        lowering.text(digest.password, (*path, "password")).evaluate,
    )


def _sigv4(sigv4: Sigv4Auth, lowering: Lowering, path: SpecPath) -> AwsCredentials:
    def text(name: str, value: Text) -> Evaluate:
        lowered = lowering.text(value, (*path, name))
        if name in ("region", "service") and lowered.is_constant and lowered.value in ("", None):
            lowering.fault((*path, name), Code.INVALID_VALUE, f"`{name}` is empty")
        return lowered.evaluate

    token = sigv4.session_token
    return AwsCredentials(
        access_key=text("access_key", sigv4.access_key),
        secret_key=text("secret_key", sigv4.secret_key),
        session_token=None if token is None else text("session_token", token),
        region=text("region", sigv4.region),
        service=text("service", sigv4.service),
    )


_FORM = "application/x-www-form-urlencoded"


def compile_grant(
    spec: OAuth2, lowering: Lowering, path: SpecPath, settings: HttpSettings
) -> Grant:
    """Compile client credentials; id and secret travel in the Authorization header."""
    url, _ = compile_url(spec.token_url, settings.base_url, lowering, (*path, "token_url"))
    operation = HttpOperation(
        "POST",
        url,
        headers=(
            Header("Authorization", (_client(spec, lowering, path),)),
            Header("Accept", ("application/json",)),
        ),
        body=DynamicBody(_form(spec, lowering, path), _FORM),
        needs_body=True,
        keepalive=settings.keepalive,
    )
    texts = (spec.token_url, spec.client_id, spec.client_secret, spec.scope)
    key = tuple("" if text is None else text.source for text in texts)
    exchange = Exchange("http", operation, "POST", range(200, 300), (), (), settings.timeout_ns)
    return Grant((*map(str, settings.base_url), *key), exchange)


def _client(spec: OAuth2, lowering: Lowering, path: SpecPath) -> Callable[[Scope], str]:
    name = lowering.text(spec.client_id, (*path, "client_id")).evaluate
    secret = lowering.text(spec.client_secret, (*path, "client_secret")).evaluate

    def evaluate(scope: Scope) -> str:
        # Each is form-encoded first (RFC 6749, 2.3.1), so that a colon stays where it belongs.
        pair = ":".join(
            quote_plus(to_text(part(scope)), errors="replace") for part in (name, secret)
        )
        return "Basic " + b64encode(pair.encode("ascii")).decode("ascii")

    return evaluate


def _form(spec: OAuth2, lowering: Lowering, path: SpecPath) -> Callable[[Scope], bytes]:
    start = "grant_type=client_credentials"
    if spec.scope is None:
        return lambda _: start.encode("ascii")
    scopes = lowering.text(spec.scope, (*path, "scope")).evaluate

    def evaluate(scope: Scope) -> bytes:
        return f"{start}&scope={quote_plus(to_text(scopes(scope)))}".encode("ascii")

    return evaluate
