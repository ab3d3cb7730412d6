"""etcd steps from YAML words to what a client is given, and sessions to send them with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from planrunner.clock import MonotonicClock
from planrunner.language.diagnostics import Code
from planrunner.language.files import FileFault
from planrunner.protocols.base import Exchange, Reply, Scope
from planrunner.protocols.etcd import spec as etcd
from planrunner.protocols.etcd.clients.grpc_aio import GrpcClient
from planrunner.protocols.etcd.compile import EtcdDefaults, compile_exchange
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.plugin import CompiledRequest

__all__ = ["NoFiles", "compiled", "exchange", "judged", "with_client"]

_MODELS: Mapping[str, type[etcd.EtcdRequest]] = {
    "put": etcd.EtcdPut,
    "get": etcd.EtcdGet,
    "delete": etcd.EtcdDelete,
    "txn": etcd.EtcdTxn,
    "lease": etcd.EtcdLease,
    "watch": etcd.EtcdWatch,
}


class NoFiles:
    def path(self, name: str, *, most: int = 0, is_secret: bool = False) -> Path:
        raise FileFault(Code.NO_SUCH_FILE, "does not exist")

    def read(self, name: str, *, most: int = 0) -> bytes:
        raise FileFault(Code.NO_SUCH_FILE, "does not exist")


def compiled(
    action: str,
    *,
    settings: EtcdSettings | None = None,
    reads_body: bool = True,
    constants: Mapping[str, object] | None = None,
    **keys: Any,
) -> CompiledRequest:
    model = _MODELS[action].model_validate(keys)
    return compile_exchange(
        model,
        constants=constants or {},
        defaults=EtcdDefaults(settings or EtcdSettings(timeout_ns=5_000_000_000)),
        files=NoFiles(),
        reads=frozenset({"body"} if reads_body else ()),
    )


def exchange(action: str, **keys: Any) -> Exchange:
    """Compile a step that has no fault."""
    result = compiled(action, **keys)
    assert not result.faults, result.faults
    return result.exchange


def judged(step: Exchange, reply: Reply, scope: Scope) -> str | None:
    """Return what the step's expectations and extractions say against a reply."""
    tests = (*step.checks, *step.soft_checks, *step.extractors)
    return next((words for test in tests if (words := test(reply, scope)) is not None), None)


def with_client(
    settings: EtcdSettings,
    use: Callable[[GrpcClient], Coroutine[Any, Any, None]],
    run: Callable[..., Any] = asyncio.run,
) -> None:
    """Open a client in an event loop, use it, and close it."""

    async def main() -> None:
        client = GrpcClient(settings, MonotonicClock())
        try:
            await use(client)
        finally:
            await client.close()

    run(main())
