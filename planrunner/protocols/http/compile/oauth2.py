"""Compile `auth.oauth2` to the request that fetches a token (RFC 6749, 4.4)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote_plus

from planrunner.language.expressions.expression import to_text
from planrunner.protocols.base import Exchange, Scope
from planrunner.protocols.http.compile.request_line import compile_url
from planrunner.protocols.http.operation import (
    DynamicBody,
    Grant,
    Header,
    HttpOperation,
    HttpSettings,
)
from planrunner.protocols.http.spec import OAuth2
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["compile_grant"]

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
