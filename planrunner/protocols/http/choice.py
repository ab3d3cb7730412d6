"""Which HTTP client sends a plan's requests, and why."""

from __future__ import annotations

from typing import NamedTuple

from planrunner.protocols.http.operation import HttpSettings

__all__ = ["ClientChoice", "choose_client"]


class ClientChoice(NamedTuple):
    """A client's name in the registry, and the reason in words."""

    name: str
    reason: str


def choose_client(settings: HttpSettings) -> ClientChoice:
    """Choose by what the plan asks for: the fast client unless it can't do it."""
    if settings.client != "auto":
        return ClientChoice(settings.client, "`http.client` says so")
    if settings.proxy:
        return ClientChoice("httpx", "`http.proxy` needs it")
    return ClientChoice("wire", "HTTP/1.1 without a proxy")
