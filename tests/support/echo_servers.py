"""A server that sends lines back, and the installation of the protocol that speaks to it."""

from __future__ import annotations

import asyncio
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from planrunner.plan.output_kinds import registry as output_registry
from planrunner.protocols import registry

__all__ = ["CARBON", "ECHO", "EchoServer", "install", "serve_echo"]

PACKAGES = Path(__file__).resolve().parents[1] / "packages"
ECHO = PACKAGES / "echo"
CARBON = PACKAGES / "carbon"


class EchoServer:
    """Sends each line back; one that begins with `!` too, which is how it refuses."""

    def __init__(self) -> None:
        self.port = 0
        self.lines: list[str] = []
        self.answering: set[asyncio.Task[None]] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.answering.add(task)
        try:
            while line := await reader.readline():
                self.lines.append(line.decode().rstrip("\n"))
                writer.write(line)
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def serve_echo() -> AsyncIterator[EchoServer]:
    """Serve on a free port of loopback."""
    server = EchoServer()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server
        for task in server.answering:
            task.cancel()
        await asyncio.gather(*server.answering, return_exceptions=True)


def install(package: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a package where this process and those it starts find it, as pip would.

    Its entry points are read from its pyproject.toml, as a build would.
    """
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(sys, "path", [str(site), str(package), *sys.path])
    registry.forget_packages()
    output_registry.forget_packages()
