"""The demo key-value API: `/kv` over etcd or memory, with a small read cache that says so.

Like many such APIs it answers most reads from memory: a test that doesn't separate cached replies
from others measures the cache and calls it the database.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from planrunner.demo.http_server import Request, Response, Router

__all__ = ["STORES", "EtcdStore", "MemoryStore", "Store", "kv", "open_store"]

STORES = ("memory", "etcd")
"""Where the demo can keep its values; the first is the default."""

_CACHED_KEYS: Final = 500
_CACHED_S: Final = 60.0
_PREFIX: Final = "/kv/"
_CALL_TIMEOUT_S: Final = 5.0


class Store(Protocol):
    """Where values are kept."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, value: str) -> None: ...

    async def delete(self, key: str) -> bool:
        """Say whether there was such a key."""

    async def clear(self) -> None: ...


class MemoryStore:
    """Values in this process."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    async def get(self, key: str) -> str | None:
        return self._values.get(key)

    async def put(self, key: str, value: str) -> None:
        self._values[key] = value

    async def delete(self, key: str) -> bool:
        return self._values.pop(key, None) is not None

    async def clear(self) -> None:
        self._values.clear()


class EtcdStore:
    """Values in etcd, under `/kv/`."""

    def __init__(self, endpoint: str) -> None:
        # Only this store needs gRPC, which takes 150 ms to import.
        from planrunner.protocols.etcd.clients.lines import Access, Connection  # noqa: PLC0415
        from planrunner.protocols.etcd.operation import EtcdSettings  # noqa: PLC0415
        from planrunner.protocols.etcd.stubs import load_stubs  # noqa: PLC0415

        self._stubs = load_stubs()
        self._line = Connection(Access(EtcdSettings((endpoint,)), self._stubs), endpoint)

    async def _call(self, action: str, message: Any) -> Any:  # noqa: ANN401 - generated code
        return await self._line.calls[action](message, timeout=_CALL_TIMEOUT_S)

    async def get(self, key: str) -> str | None:
        answer = await self._call("get", self._stubs.RangeRequest(key=_name(key)))
        return answer.kvs[0].value.decode() if answer.kvs else None

    async def put(self, key: str, value: str) -> None:
        await self._call("put", self._stubs.PutRequest(key=_name(key), value=value.encode()))

    async def delete(self, key: str) -> bool:
        message = self._stubs.DeleteRangeRequest(key=_name(key))
        return bool((await self._call("delete", message)).deleted)

    async def clear(self) -> None:
        begin, end = _PREFIX.encode(), _PREFIX[:-1].encode() + b"0"  # the byte after "/"
        await self._call("delete", self._stubs.DeleteRangeRequest(key=begin, range_end=end))


def _name(key: str) -> bytes:
    return f"{_PREFIX}{key}".encode()


def open_store(name: str, address: str) -> Store | None:
    """Return the store of this name; None for the default one. `address` is that of etcd."""
    return EtcdStore(address) if name == "etcd" else None


class _Cache:
    """The values read last, each for a minute.

    A value may be overwritten while it is read from the store: then it is not kept.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._entries: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._reads: dict[str, object] = {}
        """By key, what the reads of the store share until one of them ends or the key changes."""

    def get(self, key: str) -> str | None:
        until, value = self._entries.get(key, (0.0, ""))
        if until <= self._now_s():
            self._entries.pop(key, None)
            return None
        self._entries.move_to_end(key)
        return value

    async def fill(self, key: str, read: Awaitable[str | None]) -> str | None:
        """Return what a read of the store gives, kept unless the key changed meanwhile."""
        mine = self._reads.setdefault(key, object())
        try:
            value = await read
        finally:
            is_current = self._reads.get(key) is mine
            if is_current:
                del self._reads[key]
        if is_current and value is not None:
            self._keep(key, value)
        return value

    def _keep(self, key: str, value: str) -> None:
        self._entries[key] = (self._now_s() + _CACHED_S, value)
        self._entries.move_to_end(key)
        if len(self._entries) > _CACHED_KEYS:
            self._entries.popitem(last=False)

    def drop(self, key: str) -> None:
        self._entries.pop(key, None)
        self._reads.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()
        self._reads.clear()


class _Api:
    def __init__(self, store: Store, secret: str, now_s: Callable[[], float]) -> None:
        self._store = store
        self._secret = secret
        self._cache = _Cache(now_s)

    async def write(self, request: Request) -> Response:
        data = request.json()
        key = data.get("key") if isinstance(data, dict) else None
        value = data.get("value") if isinstance(data, dict) else None
        if not isinstance(key, str) or not key or not isinstance(value, str):
            return Response({"error": "send a key and a value, both texts"}, status=400)
        try:
            await self._store.put(key, value)
        finally:  # one that got no answer may have changed it all the same
            self._cache.drop(key)
        return Response({"success": True})

    async def read(self, request: Request) -> Response:
        key = request.params["key"]
        value = self._cache.get(key)
        cached = value is not None
        if value is None:
            value = await self._cache.fill(key, self._store.get(key))
        if value is None:
            return Response({"error": "no such key", "cached": False}, status=404)
        return Response({"key": key, "value": value, "cached": cached})

    async def delete(self, request: Request) -> Response:
        key = request.params["key"]
        try:
            was_there = await self._store.delete(key)
        finally:
            self._cache.drop(key)
        if not was_there:
            return Response({"error": "no such key"}, status=404)
        return Response({"success": True})

    async def clear(self, request: Request) -> Response:
        given = request.query.get("secret", "")
        if not self._secret or not secrets.compare_digest(given.encode(), self._secret.encode()):
            return Response({"error": "forbidden"}, status=403)
        try:
            await self._store.clear()
        finally:
            self._cache.clear()
        return Response({"success": True})


def kv(
    store: Store | None = None, *, secret: str = "", now_s: Callable[[], float] = time.monotonic
) -> Router:
    """Return the routes of the API.

    Args:
        store: In memory when left out.
        secret: What `DELETE /kv?secret=…` must say to delete everything; empty forbids it.
        now_s: The clock of the cache.
    """
    api = _Api(store or MemoryStore(), secret, now_s)
    router = Router()
    router.add("POST", "/kv", api.write)
    router.add("GET", "/kv/:key", api.read)
    router.add("DELETE", "/kv/:key", api.delete)
    router.add("DELETE", "/kv", api.clear)
    return router
