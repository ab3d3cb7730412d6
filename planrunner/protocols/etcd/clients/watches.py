"""Waiting for a change of a key."""

from __future__ import annotations

from typing import Any

from planrunner.protocols.base import Scope
from planrunner.protocols.etcd.clients.lines import Connection
from planrunner.protocols.etcd.clients.messages import renderer
from planrunner.protocols.etcd.network import grpc
from planrunner.protocols.etcd.operation import Watch

__all__ = ["Watcher"]

Metadata = tuple[tuple[str, str], ...] | None


class Watcher:
    """Waits as one `etcd.watch` step says."""

    def __init__(self, stubs: Any, watch: Watch) -> None:  # noqa: ANN401 - generated code
        self._stubs = stubs
        self._until = None if watch.until is None else renderer(watch.until)

    async def wait(
        self,
        line: Connection,
        request: Any,  # noqa: ANN401
        scope: Scope,
        metadata: Metadata,
        timeout_s: float,
    ) -> Any:  # noqa: ANN401
        """Return the message that says what was waited for.

        With `until` the key is read first, and watched from the revision after: a value that is
        already there, or comes between the two calls, is not missed.

        Raises:
            AioRpcError: A call failed, or the time is up.
        """
        create = {"key": request.key}
        wanted = None
        if self._until is not None:
            wanted = self._until(scope)
            found = await line.calls["get"](request, timeout=timeout_s, metadata=metadata)
            if any(pair.value == wanted for pair in found.kvs):
                return found
            create["start_revision"] = found.header.revision + 1
        stream = line.watch(timeout=timeout_s, metadata=metadata)
        try:
            await stream.write(self._stubs.WatchRequest(create_request=create))
            while (answer := await stream.read()) is not grpc.aio.EOF:
                if _tells(answer, wanted):
                    return answer
            # The member ended it: what it said why is the error of the call.
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.UNAVAILABLE,
                grpc.aio.Metadata(),
                grpc.aio.Metadata(),
                details="the watch was ended by the member",
            )
        finally:
            stream.cancel()


def _tells(answer: Any, wanted: bytes | None) -> bool:  # noqa: ANN401
    if wanted is None:
        return bool(answer.events)
    return any(not event.type and event.kv.value == wanted for event in answer.events)
