"""Request steps as a plan writes them, compiled; and replies to judge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import Rand
from planrunner.language.files import MAX_READ, FileFault
from planrunner.protocols.base import Exchange, Reply, Scope
from planrunner.protocols.http.compile.exchange import compile_exchange
from planrunner.protocols.http.compile.settings import HttpDefaults, compile_settings
from planrunner.protocols.http.spec import RequestSpec
from planrunner.protocols.http.spec_settings import HttpModel
from planrunner.protocols.plugin import CompiledRequest

__all__ = ["MemoryFiles", "compile_http", "compile_request", "exchange_of", "reply_of", "scope_of"]


class MemoryFiles:
    """Files by name; there are no others."""

    directory = Path("plans")

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files

    def path(self, name: str, *, most: int = MAX_READ, is_secret: bool = False) -> Path:
        self.read(name, most=most)
        return Path("plans") / name

    def read(self, name: str, *, most: int = MAX_READ) -> bytes:
        del most
        if name not in self.files:
            raise FileFault(Code.NO_SUCH_FILE, "does not exist")
        return self.files[name]

    def may_read(self, pieces: Sequence[str | None]) -> None:
        pass


def compile_http(
    block: Mapping[str, Any] | None = None,
    *,
    files: Mapping[str, bytes] | None = None,
    constants: Mapping[str, object] | None = None,
) -> HttpDefaults:
    """Compile an `http:` block that has no faults."""
    block = {"base_url": "http://shop.test"} if block is None else block
    compiled = compile_settings(
        HttpModel.model_validate(block),
        constants=constants or {},
        files=MemoryFiles(files or {}),
    )
    assert compiled.faults == ()
    return compiled.defaults


def compile_request(
    step: Mapping[str, Any],
    *,
    http: HttpDefaults | None = None,
    files: Mapping[str, bytes] | None = None,
    constants: Mapping[str, object] | None = None,
) -> CompiledRequest:
    """Compile a request step."""
    return compile_exchange(
        RequestSpec.model_validate(step),
        constants=constants or {},
        defaults=http or compile_http(),
        files=MemoryFiles(files or {}),
    )


def exchange_of(step: Mapping[str, Any], **options: Any) -> Exchange:
    """Compile a request step that has no faults."""
    compiled = compile_request(step, **options)
    assert compiled.faults == ()
    return compiled.exchange


def reply_of(
    body: object = b"",
    *,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
    took_ns: int = 1_000_000,
) -> Reply:
    """Return a complete reply; a body that isn't bytes is sent as JSON."""
    reply = Reply()
    reply.status = status
    reply.asked_ns = reply.sent_ns = 1
    reply.ended_ns = 1 + took_ns
    reply.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers)]
    reply.head = "\r\n".join([*lines, "", ""]).encode()
    return reply


def scope_of(**names: object) -> Scope:
    """Return a user's names, with a seeded `rand`."""
    return {"rand": Rand(Random(7)), **names}
