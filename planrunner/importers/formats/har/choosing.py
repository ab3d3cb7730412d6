"""Which entries of a recording are the test: not static files, other sites, failed requests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from planrunner.importers.formats.har.entries import RecordedEntry
from planrunner.importers.shaping.requests import VERBS

__all__ = ["NOT_MEANT", "main_site", "reason_to_skip", "site_of"]

_ASSET_TYPES: Final = re.compile(
    r"(?:image|font|audio|video)/.*|text/css|(?:text|application)/(?:x-)?(?:java|ecma)script"
    r"|application/(?:font|x-font|vnd\.ms-fontobject|wasm|manifest\+json|x-shockwave-flash).*"
)
_ASSET_KINDS: Final = frozenset(
    {"image", "stylesheet", "script", "font", "media", "manifest", "texttrack", "imageset"}
)
_ASSET_NAMES: Final = re.compile(
    r"[^?]*\.(?:css|m?js|map|png|jpe?g|gif|webp|avif|svg|ico|woff2?|ttf|eot|otf|mp[34]|webm|wasm)"
    r"(?:\?.*)?",
    re.IGNORECASE,
)
_CALLS: Final = frozenset({"xhr", "fetch", "xmlhttprequest"})
_TRACKERS: Final = re.compile(
    r"(?:^|\.)(?:google-analytics|googletagmanager|googletagservices|doubleclick|googlesyndication"
    r"|googleadservices|facebook|fbcdn|hotjar|segment|mixpanel|amplitude|sentry|newrelic|nr-data"
    r"|bugsnag|datadoghq|fullstory|clarity|criteo|scorecardresearch|chartbeat|optimizely|intercom"
    r"|quantserve|adnxs|taboola|outbrain|cloudflareinsights|launchdarkly|branch|appsflyer|krxd"
    r"|demdex|omtrdc|moatads|adsafeprotected|yandex|bing|twitter|linkedin|tiktok)\.[a-z.]+$"
)


def site_of(host: str) -> str:
    """Return the part of a host that its owner registered, near enough: `shop.co.uk`."""
    labels = host.split(".")
    if labels[-1].isdigit() or ":" in host:
        return host
    is_short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if is_short else -2 :])


_STATIC_FILE: Final = "a static file: `--assets` keeps it"
_OTHERS: Final = "another site's server: load only what is yours"

NOT_MEANT: Final = frozenset({_STATIC_FILE, _OTHERS})
"""Why requests are left out that browsers make and no test is meant to."""


def main_site(hosts: Counter[str], documents: Sequence[str]) -> str:
    """Return whose test it is: of the first page, else of the most requests."""
    if documents:
        return site_of(documents[0])
    return site_of(hosts.most_common(1)[0][0]) if hosts else ""


def reason_to_skip(entry: RecordedEntry, site: str, *, keeps_assets: bool) -> str:
    """Return why an entry is no part of the plan, and what to do; empty if it is one."""
    if (
        entry.url.lower().startswith(("ws:", "wss:"))
        or entry.kind == "websocket"
        or entry.status == 101
    ):
        return "a WebSocket: write `ws.connect`, `ws.send` and `ws.receive`"
    if not entry.url.lower().startswith(("http:", "https:")) or not entry.host:
        return "its URL names no server: write the request"
    if entry.method.lower() not in VERBS:
        return "planrunner sends GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"
    if entry.status == 0:
        return "it got no reply: blocked, cancelled or failed while it was recorded"
    is_own = site_of(entry.host) == site
    is_asset = _is_asset(entry)
    if not is_own and (_TRACKERS.search(entry.host) or is_asset or not _is_call(entry)):
        return _OTHERS
    return _STATIC_FILE if is_asset and not keeps_assets else ""


def _is_asset(entry: RecordedEntry) -> bool:
    if entry.method not in ("GET", "HEAD"):
        return False
    if entry.kind in _ASSET_KINDS or _ASSET_TYPES.fullmatch(entry.mime):
        return True
    return entry.kind not in _CALLS and _ASSET_NAMES.fullmatch(entry.url) is not None


def _is_call(entry: RecordedEntry) -> bool:
    return entry.kind in _CALLS or entry.method not in ("GET", "HEAD") or "json" in entry.mime
