"""The load tools that tests run: those of this machine, and those of `make test-all`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from planrunner.tools.installed import find_program
from planrunner.tools.registry import named_tool

__all__ = ["need_tool", "tool_environment"]

_TOOLS = Path(__file__).parents[2] / ".tools"
_FOLDERS = ("locust/bin", "jmeter/bin", "artillery/node_modules/.bin")
_OWN = os.pathsep.join(str(_TOOLS / folder) for folder in _FOLDERS)


def tool_environment() -> dict[str, str]:
    """Return the environment, with Locust, JMeter and Artillery in its path."""
    return {**os.environ, "PATH": f"{_OWN}{os.pathsep}{os.environ['PATH']}"}


def need_tool(name: str, environ: Mapping[str, str] | None = None) -> str:
    """Return a tool's program; skips the test where it isn't installed, but not in CI."""
    tool = named_tool(name)
    program = find_program(tool, environ or tool_environment())
    if not program:
        assert not os.environ.get("CI"), f"{name} is missing: {tool.install}"
        pytest.skip(f"needs {name}: {tool.install}")
    return program
