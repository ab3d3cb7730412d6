"""Follows a page of the documentation as its reader does, in less time and on free ports."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from tests.support.doc_pages import ROOT, Command
from tests.support.plans import PlanProject

__all__ = ["Walk", "alike"]

# Time and repetitions are cut, and a busy machine may be slow; nothing else changes.
_LONG: Final = r"(?:\d+(?:\.\d+)?s|\d+[mh])\b"
SHORTER: Final = {
    rf"(\bramp_up(?:: *|=)|--set hold=|--hold ){_LONG}": r"\g<1>400ms",
    rf"\b(hold|duration|cooldown)(: *|=){_LONG}": r"\g<1>\g<2>400ms",
    rf"\b(warmup|settle)(: *){_LONG}": r"\g<1>\g<2>200ms",
    rf"\b(type: duration, default: *){_LONG}": r"\g<1>400ms",
    r"\b(spawn_rate: *)\d+/s": r"\g<1>200/s",
    r"( --spawn-rate )\S+": r"\g<1>200/s",
    r"( --repeat )\d+": r"\g<1>2",
    r"(< *)\d+ms\b": r"\g<1>5s",
    r"^(planrunner run (?!.*--hold).*)$": r"\1 --hold 400ms",
}
ADDRESSES: Final = r"(?:127\.0\.0\.1|localhost):8000|(?<=//)shop\.(?:\w+\.)?example"
_RECORD: Final = "\x1e"


class Walk:
    """A page as its reader follows it, in a folder of its own."""

    def __init__(self, project: PlanProject, port: int) -> None:
        self.project = project
        self._port = port
        self._demo: subprocess.Popen[str] | None = None
        self._tools = project.directory / ".bin"
        self._tools.mkdir()
        self._write_tool("planrunner", f'exec "{sys.executable}" -m planrunner "$@"')
        plugin = f'"{sys.executable}" -m pytest -p planrunner.pytest_plugin.plugin'
        self._write_tool("pytest", f'PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 exec {plugin} "$@"')
        # Needs its targets, of the page's Makefile or the checkout's, and makes none of them.
        here = f'test -e Makefile || cd "{ROOT}"; exec "{shutil.which("make")}" -n "$@"'
        self._write_tool("make", here)

    def _write_tool(self, name: str, script: str) -> None:
        path = self._tools / name
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)

    def shortened(self, text: str) -> str:
        for pattern, instead in SHORTER.items():
            text = re.sub(pattern, instead, text, flags=re.MULTILINE)
        text = re.sub(rf"https(?=://(?:{ADDRESSES}))", "http", text)
        return re.sub(ADDRESSES, f"127.0.0.1:{self._port}", text)

    def save(self, name: str, text: str) -> None:
        self.project.write({name: self.shortened(text)})

    def _start(self, demo: Command) -> None:
        """Start the demo that the reader keeps running in a second terminal."""
        self._demo = self.project.spawn(*demo.text.replace("8000", "0").split()[1:])
        assert self._demo.stdout is not None
        found = re.search(r":(\d+)$", self._demo.stdout.readline().strip())
        assert found is not None
        self._port = int(found[1])

    def end(self) -> None:
        if self._demo is not None:
            self._demo.send_signal(signal.SIGINT)
            self._demo.communicate(timeout=10)

    def type(self, commands: Sequence[Command]) -> list[tuple[int, str]]:
        """Type commands into one shell; returns the code and the output of each."""
        if commands and commands[0].text.startswith("planrunner demo "):
            self._start(commands[0])
            return [(0, ""), *self.type(commands[1:])]
        said = f"printf '{_RECORD}%d{_RECORD}' $code"
        script = "".join(
            f"{self.shortened(command.text)}\ncode=$?; {said}; (exit $code)\n"
            for command in commands
        )
        ended = subprocess.run(
            ["bash", "-o", "pipefail", "-c", script],
            cwd=self.project.directory,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        parts = ended.stdout.split(_RECORD)
        return [(int(code), out) for out, code in zip(parts[::2], parts[1::2], strict=False)]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self._tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "HOME": str(self.project.directory),
            "COLUMNS": "80",
        }


def alike(line: str) -> str:
    """Return a line without what differs from run to run.

    That is, numbers with their units, spaces, and how far the numbers of a busy machine are valid.
    """
    if verdict := re.match(r" *(PASS|FAIL)\b", line):
        return verdict[1]
    line = re.sub(r"\b\d{8}T\d{6}Z-\w+|(?<=run )[0-9a-f]{6}\b", "#", line)
    line = re.sub(r"\d[\d,.]*( ?(us|ms|s|m|%|k?B|KB|MB))?(?![\w])", "#", line)
    return re.sub(r"\s+", " ", line.replace("*", "")).strip()
