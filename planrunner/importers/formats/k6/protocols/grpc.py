"""`k6/net/grpc` → `grpc.call` steps, and the settings of `grpc`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.machine import NoStepSays
from planrunner.importers.formats.k6.state.values import (
    UNDEFINED,
    JsArray,
    JsConst,
    JsNative,
    JsObject,
    JsReply,
    JsUnknown,
    JsValue,
    plain,
)
from planrunner.importers.formats.k6.steps.params import add_params, plain_text
from planrunner.importers.formats.k6.terms.operators import truth
from planrunner.importers.formats.k6.terms.texts import plan_text, plan_value

__all__ = ["GRPC"]

_IMPORT: Final = re.compile(rb'^\s*import\s+(?:public\s+|weak\s+)?"([^"\n]+)"\s*;', re.MULTILINE)
_TARGET: Final = re.compile(r"(?:dns:///)?[\w.\[\]:-]+:\d+")
_MOST_FILES: Final = 200


def _client(call: NativeCall) -> JsValue:
    del call
    return JsNative("grpc.client")


def _load(call: NativeCall) -> JsValue:
    """Read `client.load([folders], file, …)`: the files are copied beside the plan."""
    folders = _texts(call.argument(0))
    names = [one for argument in call.arguments[1:] for one in _texts(argument)]
    kept: list[str] = []
    for name in names:
        kept += _keep(call, name, folders)
    grpc = call.machine.grpc
    if kept:
        before = grpc.get("proto", [])
        assert isinstance(before, list), "written here"
        grpc["proto"] = [*before, *(one for one in kept if one not in before)]
        grpc.pop("reflection", None)
    elif "proto" not in grpc:
        grpc["reflection"] = True
    return UNDEFINED


def _texts(value: JsValue) -> list[str]:
    items = value.items if isinstance(value, JsArray) else [value]
    found = [plain_text(one) for one in items]
    return [str(one) for one in found if one is not None]


def _keep(call: NativeCall, name: str, folders: list[str]) -> list[str]:
    """Copy a .proto file with those that it imports; returns its name beside the plan."""
    found = _find(call, name, folders)
    if found is None:
        construct = call.scope.module.construct(call.node)
        if construct is not None:
            short = posixpath.basename(name)
            construct.needs_you(f"add the file `{short}` to the import, or let the server say it")
        return []
    short = posixpath.normpath(name).lstrip("./") if ".." not in name else found.name
    pending = [(short, found)]
    files = call.machine.files
    while pending and len(files) < _MOST_FILES:
        shown, path = pending.pop()
        if shown in files:
            continue
        files[shown] = path
        for one in _IMPORT.findall(path.read_bytes()[:1_000_000]):
            imported = one.decode(errors="replace")
            inner = _find(call, imported, [*folders, str(posixpath.dirname(name))])
            if inner is not None:
                pending.append((imported, inner))
    return [short]


def _find(call: NativeCall, name: str, folders: list[str]) -> Path | None:
    modules, beside = call.machine.modules, call.scope.module.file
    for folder in [*folders, ""]:
        found = modules.opened(posixpath.join(folder, name), beside)
        if found is not None:
            return found
    return None


def _protoset(call: NativeCall) -> JsValue:
    name = str(plain_text(call.argument(0)))
    found = _find(call, name, [])
    if found is None:
        raise NoStepSays(f"the descriptor set `{name}`: add it, or write `grpc: {{descriptor: …}}`")
    call.machine.files[found.name] = found
    call.machine.grpc["descriptor"] = found.name
    return UNDEFINED


def _connect(call: NativeCall) -> JsValue:
    """Read `client.connect(address, options)`: a connection of a user, as in a plan."""
    machine = call.machine
    if isinstance(call.argument(0), JsUnknown):
        return call.argument(0)
    target = plan_text(call.argument(0), machine)
    if "${" not in target and not _TARGET.fullmatch(target):
        raise NoStepSays("not a host with a port: write it as `grpc: {target: …}`")
    before = machine.grpc.get("target", target)
    if before != target:
        raise NoStepSays("a second target: give the class a `grpc: {target: …}` of its own")
    machine.grpc["target"] = target
    options = call.argument(1)
    entries = options.entries if isinstance(options, JsObject) else {}
    if truth(entries.get("plaintext", UNDEFINED)) is not True:
        machine.grpc["tls"] = True
    if truth(entries.get("reflect", UNDEFINED)) is True:
        machine.grpc["reflection"] = True
    metadata = entries.get("metadata") or entries.get("reflectMetadata")
    if isinstance(metadata, JsObject):
        machine.grpc["metadata"] = plan_value(metadata, machine)
    for name in (one for one in entries if one not in _KNOWN):
        call.change(f"`{name}` of a connection has no counterpart")
    return UNDEFINED


_KNOWN: Final = frozenset(
    {"plaintext", "reflect", "metadata", "reflectMetadata", "timeout", "authority"}
    | {"maxReceiveSize", "maxSendSize"}
)


def _invoke(call: NativeCall) -> JsValue:
    """Read `client.invoke(method, message, params)`."""
    machine = call.machine
    keys: Keys = {"method": str(plain_text(call.argument(0))).lstrip("/")}
    message = call.argument(1)
    if isinstance(message, JsUnknown):
        return message
    if not (isinstance(message, JsConst) and message.value is None) and not (
        isinstance(message, JsObject) and not message.entries
    ):
        keys["message"] = plan_value(message, machine)
    params = call.argument(2)
    if isinstance(params, JsObject):
        metadata = params.entries.get("metadata") or params.entries.get("headers")
        if isinstance(metadata, JsObject):
            keys["metadata"] = plan_value(metadata, machine)
        rest = {key: one for key, one in params.entries.items() if key not in _OWN}
        add_params(call, keys, JsObject(rest))
    step = machine.emit({"grpc.call": keys}, call.node, call.scope)
    reply = JsReply(step, machine.lists[-1], action="grpc.call")
    machine.last = machine.recent = reply
    machine.sent += 1
    return reply


_OWN: Final = frozenset({"metadata", "headers", "discardResponseMessage"})


def _health(call: NativeCall) -> JsValue:
    service = call.argument(0)
    keys: Keys = {"method": "grpc.health.v1.Health/Check"}
    known = plain(service)
    if known:
        keys["message"] = {"service": str(known)}
    step = call.machine.emit({"grpc.call": keys}, call.node, call.scope)
    reply = call.machine.last = JsReply(step, call.machine.lists[-1], action="grpc.call")
    call.machine.sent += 1
    return reply


def _nothing(call: NativeCall) -> JsValue:
    """A connection of a plan is closed with its user."""
    del call
    return UNDEFINED


GRPC: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "grpc.Client": _client,
    "grpc.client.load": _load,
    "grpc.client.loadProtoset": _protoset,
    "grpc.client.connect": _connect,
    "grpc.client.invoke": _invoke,
    "grpc.client.asyncInvoke": _invoke,
    "grpc.client.healthCheck": _health,
    "grpc.client.close": _nothing,
}
