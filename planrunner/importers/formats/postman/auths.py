"""How requests authenticate: `auth` of a collection, a folder, a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.postman.variables import PostmanVariables
from planrunner.importers.nodes import SourceNode

__all__ = ["INHERITED", "read_auth"]

INHERITED: Final = object()
"""What says nothing of its own: the folder or collection around it says how."""

AuthValues = dict[str, str]


def read_auth(holder: SourceNode, variables: PostmanVariables) -> object:
    """Return `auth` as a plan has it: a mapping, `none`, or `INHERITED`."""
    node, entry = holder.take("auth"), holder.entry("auth")
    if node is None or entry is None or not node.is_mapping:
        return INHERITED
    kind = node.take_whole("type")
    if kind in (None, "inherit"):
        return INHERITED
    if kind == "noauth":
        return "none"
    values = _values(node, str(kind), variables)
    for one in node.entries or ():
        node.take_whole(one.key)  # an editor keeps what was written for other types
    maker = _MAKERS.get(str(kind))
    if maker is None:
        entry.construct.left_out(f"planrunner has no `{kind}`; write what it sends as `headers`")
        return INHERITED
    made = maker(values)
    if isinstance(made, str):
        entry.construct.left_out(made)
        return INHERITED
    return made


def _values(node: SourceNode, kind: str, variables: PostmanVariables) -> AuthValues:
    listed = node.get(kind)
    if listed is None:
        return {}
    found: AuthValues = {}
    if listed.is_mapping:
        pairs = [(one.key, one.node) for one in listed.entries or ()]
    else:
        named = [(one.get("key"), one.get("value")) for one in listed.each() if one.is_mapping]
        pairs = [(key.text(), value) for key, value in named if key and value]
    for key, value in pairs:
        if value.scalar is not None:
            found[key] = variables.text(value.text(), value.place)
    return found


def _basic(values: AuthValues) -> object:
    return {"basic": {key: values.get(key, "") for key in ("username", "password")}}


def _digest(values: AuthValues) -> object:
    return {"digest": {key: values.get(key, "") for key in ("username", "password")}}


def _bearer(values: AuthValues) -> object:
    token = values.get("token", "")
    return {"bearer": token} if token else "it has no token: write `auth: {bearer: '${token}'}`"


def _api_key(values: AuthValues) -> object:
    place = "query" if values.get("in") == "query" else "header"
    name, value = values.get("key", ""), values.get("value", "")
    if not name:
        return "it names no header: write `auth: {api_key: {header: X-API-Key, value: …}}`"
    return {"api_key": {place: name, "value": value}}


def _oauth2(values: AuthValues) -> object:
    if values.get("grant_type") == "client_credentials" and values.get("accessTokenUrl"):
        made = {
            "token_url": values["accessTokenUrl"],
            "client_id": values.get("clientId", ""),
            "client_secret": values.get("clientSecret", ""),
        }
        scope = values.get("scope")
        return {"oauth2": {**made, "scope": scope} if scope else made}
    if values.get("accessToken"):
        return {"bearer": values["accessToken"]}
    return (
        "a person logs in for this token: get one, and write `auth: {bearer: '${token}'}` with a "
        "secret param `token`"
    )


def _aws(values: AuthValues) -> object:
    if not values.get("accessKey"):
        return "it has no key: write `auth: {sigv4: {access_key: …, secret_key: …}}`"
    names = {"accessKey": "access_key", "secretKey": "secret_key", "sessionToken": "session_token"}
    made = {ours: values[theirs] for theirs, ours in names.items() if values.get(theirs)}
    made.setdefault("secret_key", "")
    service, region = values.get("service") or "execute-api", values.get("region") or "us-east-1"
    return {"sigv4": {**made, "region": region, "service": service}}


_MAKERS: Final[dict[str, Callable[[AuthValues], object]]] = {
    "basic": _basic,
    "digest": _digest,
    "bearer": _bearer,
    "apikey": _api_key,
    "oauth2": _oauth2,
    "awsv4": _aws,
}
