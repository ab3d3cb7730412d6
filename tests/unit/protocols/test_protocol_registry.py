"""The registry: names first, imports when asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from planrunner.errors import Misuse
from planrunner.protocols.http.clients.http1 import client as wire
from planrunner.protocols.plugin import resolve
from planrunner.protocols.registry import client_factory, client_names


def test_wire_is_the_default_for_http() -> None:
    """The first name is what a plan gets that asks for nothing."""
    assert client_names("http") == ("wire", "httpx")
    with pytest.raises(Misuse, match="no protocol `gopher`"):
        client_names("gopher")


def test_name_resolves_to_its_factory() -> None:
    """A client is imported when it is wanted; a class's channel has those of its protocol."""
    assert client_factory("http") is wire.open
    assert client_factory("http:Editor", "wire") is wire.open


@pytest.mark.parametrize("name", ["", "planrunner.errors", ":open", "planrunner.errors:nothing"])
def test_other_names_are_misuse(name: str) -> None:
    """A wrong name is a bug of whoever wrote it."""
    with pytest.raises(Misuse):
        resolve(name)


@pytest.mark.slow
def test_registry_imports_no_client() -> None:
    """Listing clients must not cost their imports."""
    code = (
        "import sys, planrunner.protocols.registry;"
        "print([m for m in ('httptools', 'httpx', 'ssl') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
