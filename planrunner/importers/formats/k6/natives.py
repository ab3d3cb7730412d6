"""All that k6 and JavaScript bring themselves, by their paths; the modules that they are in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.library.chai import CHAI
from planrunner.importers.formats.k6.library.dates import DATES
from planrunner.importers.formats.k6.library.documents import DOCUMENTS
from planrunner.importers.formats.k6.library.faker import FAKER
from planrunner.importers.formats.k6.library.forms import FORMS
from planrunner.importers.formats.k6.library.sessions import SESSIONS
from planrunner.importers.formats.k6.protocols.grpc import GRPC
from planrunner.importers.formats.k6.protocols.sockets import SOCKETS
from planrunner.importers.formats.k6.state.values import JsValue
from planrunner.importers.formats.k6.steps.checks import CHECKS
from planrunner.importers.formats.k6.steps.data import DATA
from planrunner.importers.formats.k6.steps.general import GENERAL
from planrunner.importers.formats.k6.steps.lists import LISTS
from planrunner.importers.formats.k6.steps.metrics import METRICS
from planrunner.importers.formats.k6.steps.requests import REQUESTS
from planrunner.importers.formats.k6.steps.texts import TEXTS

__all__ = ["NATIVES", "native_module"]

NATIVES: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    **REQUESTS,
    **CHECKS,
    **GENERAL,
    **TEXTS,
    **LISTS,
    **METRICS,
    **DATA,
    **CHAI,
    **SOCKETS,
    **GRPC,
    **FORMS,
    **DOCUMENTS,
    **SESSIONS,
    **FAKER,
    **DATES,
}
_MODULES: Final = {
    "k6": "k6",
    "k6/http": "http",
    "k6/metrics": "metrics",
    "k6/data": "data",
    "k6/encoding": "encoding",
    "k6/crypto": "crypto",
    "k6/execution": "exec",
    "k6/html": "html",
    "k6/ws": "ws",
    "k6/websockets": "websockets",
    "k6/experimental/websockets": "websockets",
    "k6/net/grpc": "grpc",
    "k6/browser": "browser",
    "k6/experimental/browser": "browser",
    "k6/timers": "timers",
}
_LIBRARIES: Final = (
    (re.compile(r"k6chaijs|k6-chai|/expect/\d|k6-testing"), "chai"),
    (re.compile(r"k6-utils"), "utils"),
    (re.compile(r"papaparse"), "papaparse"),
    (re.compile(r"k6/x/faker|faker(?:\.min)?\.js|@faker-js/faker|^faker$"), "faker"),
    (re.compile(r"jslib\.k6\.io/formdata"), "formdata"),
    (re.compile(r"jslib\.k6\.io/url\b"), "url"),
    (re.compile(r"jslib\.k6\.io/httpx"), "httpx"),
    (re.compile(r"jslib\.k6\.io/jsonpath"), "jsonpath"),
    (re.compile(r"k6-summary"), "summary"),
    (re.compile(r"k6-reporter|k6-html-reporter|junit"), "reporter"),
    (re.compile(r"\buuid\b"), "utils"),
)


def native_module(source: str) -> str | None:
    """Return what a module of k6, or a library, is called here; None for files of the script."""
    if source in _MODULES:
        return _MODULES[source]
    for pattern, name in _LIBRARIES:
        if pattern.search(source):
            return name
    if source.startswith((".", "/")):
        return None
    return f"npm:{source}"
