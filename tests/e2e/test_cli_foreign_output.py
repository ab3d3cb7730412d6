"""An output of another package, installed and used: planrunner itself knows nothing of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from planrunner.plan.output_kinds import registry
from tests.support.echo_servers import CARBON, install
from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject, plan_text


class Carbon:
    """Takes one connection, and keeps the lines that come over it."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.text = b""
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            while data := connection.recv(65536):
                self.text += data

    def counts(self) -> list[int]:
        self.reading.join(5)
        lines = self.text.decode().splitlines()
        return [int(line.split()[1]) for line in lines if ".count " in line]

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def carbon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Carbon]:
    """The package is installed, and its server listens."""
    site = tmp_path / "site"
    site.mkdir()
    install(CARBON, site, monkeypatch)
    server = Carbon()
    yield server
    server.close()
    monkeypatch.undo()
    registry.forget_packages()


def plan(target: HttpServer, outputs: str = "") -> str:
    load = "phases: [{name: main, users: 1, iterations: 5}]"
    return plan_text(load, outputs, url=target.url)


def test_without_the_package_the_output_is_unknown(
    project: PlanProject, target: HttpServer
) -> None:
    """The key is an error like any other."""
    project.write({"plan.yaml": plan(target, "outputs: [{carbon: {}}]")})

    ended = project.run("validate", "plan.yaml")

    assert ended.code == 2
    assert "unknown key `carbon`" in ended.err


def test_a_package_that_is_broken_is_named(
    project: PlanProject, target: HttpServer, carbon: Carbon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no bug of planrunner, and nothing is sent."""
    del carbon
    from planrunner_carbon import output  # noqa: PLC0415 - the fixture installs it

    monkeypatch.setattr(output, "CarbonOutput", lambda address: address)
    outputs = "outputs: [{carbon: {address: '127.0.0.1:1'}}]"
    project.write({"plan.yaml": plan(target, outputs)})

    ended = project.run("execute", "plan.yaml")

    assert ended.code == 3
    assert "output `carbon` can't be used: TypeError: " in ended.err
    assert target.requests == []


@pytest.mark.slow
def test_it_gets_the_run_by_plan_and_by_option(
    project: PlanProject, target: HttpServer, carbon: Carbon
) -> None:
    """Every request arrives, and its mistakes are said with their place."""
    outputs = f"outputs: [{{carbon: {{address: '{carbon.address}', prefix: 'a.${{run.id}}'}}}}]"
    project.write({"plan.yaml": plan(target, outputs), "bare.yaml": plan(target)})

    by_plan = project.run("execute", "plan.yaml", "--out", "out")
    misspelt = project.run("execute", "bare.yaml", "--output", "carbon={adress: x}")
    nobody = project.run("execute", "bare.yaml", "--output", "carbon=127.0.0.1:1")

    assert (by_plan.code, by_plan.metrics["notices"]) == (0, [])
    assert sum(carbon.counts()) == by_plan.metrics["totals"]["total_requests"] == 5
    assert f"a.{by_plan.metrics['run_id']}.GET__" in carbon.text.decode()
    assert misspelt.code == 2
    assert "did you mean `address`?" in misspelt.err
    assert nobody.code == 3
    assert "output `carbon`: no Carbon at `127.0.0.1:1`" in nobody.err
