"""Every client of the contract suite, on every event loop it is used on."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

import pytest
import uvloop

from planrunner.protocols.plugin import resolve
from planrunner.protocols.registry import own_verbs
from tests.support.eager_heads import open_eager
from tests.support.http_servers import Certificates
from tests.support.http_users import HttpUnderTest

NAMES = {name: path for name, path in own_verbs().clients.items() if find_spec(path.split(":")[0])}
LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}
# uvloop is what the wire client was made for; for the reference one loop is enough. On the other
# loop the wire client reads each head of a reply by its shape, where it has one.
SHAPES = ("wire", "asyncio", "shapes")
COMBINATIONS = [("wire", "uvloop"), *((name, "asyncio") for name in NAMES if name != "wire")]
HTTP2 = ("wire", "uvloop", "http2")
"""The same client over HTTP/2, where a test is about what both versions have."""


@pytest.fixture(params=[*COMBINATIONS, SHAPES, HTTP2], ids="-".join)
def http(request: pytest.FixtureRequest) -> HttpUnderTest:
    """Return one client on one loop."""
    name, loop, *_ = request.param
    opened = open_eager if request.param == SHAPES else resolve(NAMES[name])
    version = "2" if request.param == HTTP2 else "1.1"
    return HttpUnderTest(name, opened, LOOPS[loop], version)


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
