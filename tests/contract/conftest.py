"""Every client of the contract suite, on every event loop it is used on."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import pytest
import uvloop

from planrunner.protocols.plugin import resolve
from planrunner.protocols.registry import own_verbs
from tests.support.http_servers import Certificates
from tests.support.http_users import HttpUnderTest

NAMES = {name: path for name, path in own_verbs().clients.items() if find_spec(path.split(":")[0])}
LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}
# uvloop is what the wire client was made for; for the reference one loop is enough.
COMBINATIONS = [
    (name, loop) for name in NAMES for loop in LOOPS if (name, loop) != ("httpx", "uvloop")
]
HTTP2 = ("wire", "uvloop", "http2")
"""The same client over HTTP/2, where a test is about what both versions have."""


@pytest.fixture(params=[*COMBINATIONS, HTTP2], ids="-".join)
def http(request: pytest.FixtureRequest) -> HttpUnderTest:
    """Return one client on one loop."""
    name, loop, *others = request.param
    return HttpUnderTest(name, resolve(NAMES[name]), LOOPS[loop], "2" if others else "1.1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what is about HTTP/1.1 where HTTP/2 is spoken."""
    items[:] = [
        item
        for item in items
        if item.get_closest_marker("http1") is None or "-".join(HTTP2) not in item.name
    ]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a throw-away authority and what it issued."""
    return Certificates.make(tmp_path_factory.mktemp("certificates"))
