"""`http.get` and its like → request steps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.objects import JsForm
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsEnv,
    JsExpr,
    JsFile,
    JsNative,
    JsObject,
    JsOp,
    JsPart,
    JsReply,
    JsText,
    JsUnknown,
    JsValue,
)
from planrunner.importers.formats.k6.steps.metrics import take_pending
from planrunner.importers.formats.k6.steps.params import (
    name_of_tags,
    plain_text,
    statuses_of,
    take_params,
)
from planrunner.importers.formats.k6.steps.paths import gjson_path
from planrunner.importers.formats.k6.terms.plain import from_plain
from planrunner.importers.formats.k6.terms.texts import env_param, plan_text, plan_value

__all__ = ["REQUESTS", "send", "send_all", "unset_hosts", "with_scheme"]

_NO_SCHEME: Final = "a URL without a scheme: k6 refuses it; write `base_url`"
_VERBS: Final = {
    "get": "get", "post": "post", "put": "put", "patch": "patch", "del": "delete",
    "delete": "delete", "head": "head", "options": "options",
}  # fmt: skip
_BODIES: Final = frozenset({"post", "put", "patch", "delete", "options"})


def _request(call: NativeCall) -> JsValue:
    """Read `http.get(url, params)`, `http.post(url, body, params)`, `http.request(…)`."""
    arguments = list(call.arguments)
    verb = call.name
    if verb in ("request", "asyncRequest"):
        verb = str(plain_text(arguments.pop(0) if arguments else UNDEFINED)).lower()
    known = _VERBS.get(verb)
    if known is None:
        raise NoStepSays(f"planrunner has no method `{verb}`")
    url = arguments.pop(0) if arguments else UNDEFINED
    body: JsValue = UNDEFINED
    if known in _BODIES or call.name in ("request", "asyncRequest"):
        body = arguments.pop(0) if arguments else UNDEFINED
    params = arguments.pop(0) if arguments else UNDEFINED
    return send(call, known, url, body, params)


def send(call: NativeCall, verb: str, url: JsValue, body: JsValue, params: JsValue) -> JsReply:
    """Write a request step; returns its reply."""
    machine = call.machine
    keys: Keys = {verb: _url(call, url)}
    if isinstance(url, JsObject) and "name" in url.entries:
        keys["name"] = plan_text(url.entries["name"], machine)
    take_params(call, keys, params)
    _take_body(call, keys, body)
    name_of_tags(keys)
    step = machine.emit(keys, call.node, call.scope)
    reply = JsReply(step, machine.lists[-1])
    machine.last = machine.recent = reply
    machine.sent += 1
    machine.measured += machine.part == "vu"
    take_pending(machine, reply)
    return reply


def _url(call: NativeCall, url: JsValue) -> str:
    if isinstance(url, JsObject) and "url" in url.entries:
        url = url.entries["url"]
    if isinstance(url, JsUnknown):
        raise NoStepSays(url.why)
    if isinstance(url, JsConst) and not (isinstance(url.value, str) and url.value):
        raise NoStepSays("a request without a URL")
    for env, default in unset_hosts(url, "http"):
        env_param(env.name, default, call.machine)
        call.machine.unset_hosts[env.name] = call.scope.module.place(call.node)
    return with_scheme(call, plan_text(url, call.machine), "http")


def with_scheme(call: NativeCall, text: str, scheme: str) -> str:
    """Return a URL that a plan takes; one without a scheme, which k6 refuses, is a finding."""
    whole = text
    if not text.startswith((f"{scheme}://", f"{scheme}s://", "${")):
        whole = f"{scheme}://{'localhost' if text.startswith('/') else ''}{text}"
    if not _is_url(whole):
        raise NoStepSays("not a URL: k6 refuses it, too")
    if whole != text:
        place = call.scope.module.place(call.node)
        call.machine.finding("URL", text[:70], place, "suspicious", _NO_SCHEME)
    return whole


def _is_url(text: str) -> bool:
    """Say whether what is known of a URL is well-formed."""
    shown = re.sub(r"\$\{[^}]*\}", "1", text)
    if shown.startswith("1"):
        return True
    try:
        parts = urlsplit(shown)
        is_port = parts.port is None or parts.port >= 0
    except ValueError:
        return False
    host = parts.hostname or ""
    return is_port and re.fullmatch(r"[\w.-]+|[0-9a-f:.]+", host) is not None


def unset_hosts(url: JsValue, scheme: str) -> Iterator[tuple[JsEnv, str]]:
    """Yield variables of the environment that name a host and have no default, with one."""
    parts = url.parts if isinstance(url, JsText) else [url]
    before = ""
    for one in parts:
        if isinstance(one, JsEnv):
            if not before:
                yield one, f"{scheme}://localhost"
            elif before.endswith("//"):
                yield one, "localhost"
            elif re.fullmatch(r"\w+://[^/]*:", before):
                yield one, "80"
            before += "x"
        else:
            before += str(one.value) if isinstance(one, JsConst) else "x"


def _take_body(call: NativeCall, keys: Keys, body: JsValue) -> None:
    if isinstance(body, JsConst) and body.value in (None, ""):
        return
    if isinstance(body, JsForm):
        _take_pairs(call, keys, body)
        return
    if isinstance(body, JsOp) and body.sign == "json":
        _take_json(call, keys, body.operands[0])
    elif isinstance(body, JsFile):
        keys["body_file"] = body.name
    elif isinstance(body, JsObject) and not body.name:
        _take_form(call, keys, body)
    elif isinstance(body, JsConst) and _is_json_sent(keys) and _parsed(body) is not None:
        _take_json(call, keys, _parsed(body) or UNDEFINED)
    elif isinstance(body, JsUnknown):
        raise NoStepSays(body.why)
    else:
        keys["body"] = plan_text(body, call.machine)


def _parsed(body: JsConst) -> JsValue | None:
    try:
        return from_plain(json.loads(str(body.value)))
    except (ValueError, RecursionError):
        return None


def _is_json_sent(keys: Keys) -> bool:
    headers = keys.get("headers")
    return isinstance(headers, dict) and any(
        name.lower() == "content-type" and "json" in str(one) for name, one in headers.items()
    )


def _take_json(call: NativeCall, keys: Keys, value: JsValue) -> None:
    """Send JSON: `json` brings its header, so the usual one needs no place of its own."""
    if not _is_json_sent(keys):
        keys["body"] = plan_text(JsOp("json", [value]), call.machine)
        return
    keys["json"] = plan_value(value, call.machine)
    _drop_header(keys, ("application/json", "application/json;charset=utf-8"))


def _drop_header(keys: Keys, usual: tuple[str, ...]) -> None:
    """Drop the header for a kind of body, which its key brings."""
    headers = keys.get("headers")
    if isinstance(headers, dict):
        for name in [one for one in headers if one.lower() == "content-type"]:
            if str(headers[name]).replace(" ", "").lower() in usual:
                del headers[name]
        if not headers:
            del keys["headers"]


def _take_form(call: NativeCall, keys: Keys, body: JsObject) -> None:
    files = {
        name: one
        for name, one in body.entries.items()
        if isinstance(one, JsOp) and one.sign == "file"
    }
    if not files:
        keys["form"] = plan_value(body, call.machine)
        _drop_header(keys, ("application/x-www-form-urlencoded",))
        return
    parts: Keys = {}
    for name, one in body.entries.items():
        if name in files and isinstance(one, JsOp):
            parts[name] = _file_part(call, one)
        else:
            parts[name] = plan_text(one, call.machine)
    keys["multipart"] = parts


def _take_pairs(call: NativeCall, keys: Keys, form: JsForm) -> None:
    """Send a `FormData` or `URLSearchParams`; its header comes with its key."""
    names = [name for name, _ in form.pairs]
    if len(set(names)) < len(names):
        raise NoStepSays("a form with a name twice: write its `body`")
    if form.kind == "query":
        keys["form"] = {name: plan_value(one, call.machine) for name, one in form.pairs}
        _drop_header(keys, ("application/x-www-form-urlencoded",))
        return
    keys["multipart"] = {
        name: _file_part(call, one)
        if isinstance(one, JsOp) and one.sign == "file"
        else plan_text(one, call.machine)
        for name, one in form.pairs
    }
    _drop_header(keys, ("multipart/form-data;boundary=boundary", "multipart/form-data"))


def _file_part(call: NativeCall, file: JsOp) -> Keys:
    content = file.operands[0]
    if isinstance(content, JsFile):
        return {"file": content.name}
    return {"text": plan_text(content, call.machine)}


def _batch(call: NativeCall) -> JsValue:
    """Read `http.batch([...])`: requests side by side."""
    return send_all(call, call.argument(0), send)


def send_all(
    call: NativeCall,
    given: JsValue,
    send_one: Callable[[NativeCall, str, JsValue, JsValue, JsValue], JsReply],
) -> JsValue:
    """Write requests side by side; returns their replies."""
    listed: dict[str, JsValue]
    if isinstance(given, JsArray) and not given.name:
        listed = {str(number): one for number, one in enumerate(given.items)}
    elif isinstance(given, JsObject) and not given.name:
        listed = given.entries
    else:
        raise NoStepSays("requests whose number only the run knows: write a `parallel` of them")
    replies: dict[str, JsValue] = {}
    with call.machine.branch() as steps:
        for key, one in listed.items():
            reply = send_one(call, *_batched(one))
            reply.is_beside = True
            replies[key] = reply
    call.machine.last = None
    if not steps:
        raise NoStepSays("a batch without requests")
    call.machine.emit({"parallel": steps}, call.node, call.scope)
    if isinstance(given, JsArray):
        return JsArray(list(replies.values()), call.machine.depth)
    return JsObject(replies, depth=call.machine.depth)


def _batched(one: JsValue) -> tuple[str, JsValue, JsValue, JsValue]:
    if isinstance(one, JsArray):
        parts = [*one.items, *[UNDEFINED] * 4][:4]
    elif isinstance(one, JsObject):
        parts = [one.entries.get(name, UNDEFINED) for name in ("method", "url", "body", "params")]
    else:
        parts = [JsConst("get"), one, UNDEFINED, UNDEFINED]
    verb = str(plain_text(parts[0]) or "get").lower()
    if verb not in _VERBS:
        raise NoStepSays(f"planrunner has no method `{verb}`")
    return _VERBS[verb], parts[1], parts[2], parts[3]


def _expected_statuses(call: NativeCall) -> JsValue:
    words: list[str] = []
    for one in call.arguments:
        known = plain_text(one)
        if isinstance(known, dict):
            low, high = int(known.get("min", 200)), int(known.get("max", 299))
            classes = [f"{number}xx" for number in range(low // 100, high // 100 + 1)]
            if low % 100 or high % 100 != 99:
                call.change("whole classes of statuses are accepted")
            words += classes
        else:
            words.append(str(known))
    return JsExpr(" ".join(words), "statuses")


def _set_callback(call: NativeCall) -> JsValue:
    value = call.argument(0)
    if isinstance(value, JsExpr) and value.kind == "statuses":
        call.machine.http["expect"] = {"status": statuses_of(value.text)}
        return UNDEFINED
    call.machine.http["expect"] = {"status": ["2xx", "3xx", "4xx", "5xx"]}
    return UNDEFINED


def _file(call: NativeCall) -> JsValue:
    content = call.argument(0)
    return JsOp("file", [content, *call.arguments[1:]])


def _template(call: NativeCall) -> JsValue:
    """Read a template that is tagged with `http.url`."""
    value = call.argument(0)
    return JsObject({"url": value})


def _json(call: NativeCall) -> JsValue:
    """Read `res.json()` and `res.json('a.b')`."""
    assert isinstance(call.of, JsReply), "a method of a reply"
    if not call.arguments:
        return JsPart(call.of, "json")
    known = plain_text(call.argument(0))
    path = gjson_path(str(known))
    if path is None:
        raise NoStepSays(f"the path `{known}`: write it as JSONPath in `extract`")
    return JsPart(call.of, "json", path)


def _nothing_known(call: NativeCall) -> JsValue:
    raise NoStepSays(f"`{call.name}` of a reply: see `extract` with `css` or `xpath`")


def _cookie_jar(call: NativeCall) -> JsValue:
    del call
    return JsNative("jar")


def _jar_set(call: NativeCall) -> JsValue:
    name, value = (
        plan_text(call.argument(1), call.machine),
        plan_text(call.argument(2), call.machine),
    )
    call.machine.emit({"header": {"Cookie": f"{name}={value}"}}, call.node, call.scope)
    return UNDEFINED


REQUESTS: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    **{f"http.{verb}": _request for verb in (*_VERBS, "request", "asyncRequest")},
    "http.batch": _batch,
    "http.expectedStatuses": _expected_statuses,
    "http.setResponseCallback": _set_callback,
    "http.file": _file,
    "http.url": _template,
    "http.cookieJar": _cookie_jar,
    "http.CookieJar": _cookie_jar,
    "jar.set": _jar_set,
    "Reply.json": _json,
    "Reply.clickLink": _nothing_known,
    "Reply.submitForm": _nothing_known,
}
