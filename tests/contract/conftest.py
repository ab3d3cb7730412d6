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


@pytest.fixture(params=COMBINATIONS, ids="-".join)
def http(request: pytest.FixtureRequest) -> HttpUnderTest:
    """Return one client on one loop."""
    name, loop = request.param
    return HttpUnderTest(name, resolve(NAMES[name]), LOOPS[loop])


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a throw-away authority and what it issued."""
    return Certificates.make(tmp_path_factory.mktemp("certificates"))
