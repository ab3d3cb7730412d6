"""Embedded demo targets, so that every shipped plan runs without foreign code."""

from __future__ import annotations

from collections.abc import Callable

from planrunner.demo.assistant.routes import assistant
from planrunner.demo.http_server import HttpServer, Router
from planrunner.demo.kv import STORES, EtcdStore, kv, open_store
from planrunner.demo.passport import passport
from planrunner.demo.platform import platform
from planrunner.demo.shop import shop

__all__ = ["DEMOS", "GRPC_DEMOS", "STORES", "EtcdStore", "HttpServer", "Router", "kv", "open_store"]

DEMOS: dict[str, Callable[[], Router]] = {
    "assistant": assistant,
    "kv": kv,
    "passport": passport,
    "platform": platform,
    "shop": shop,
}

GRPC_DEMOS = ("routes",)
"""Those that speak gRPC; each is the package of its name, imported when it is served."""
