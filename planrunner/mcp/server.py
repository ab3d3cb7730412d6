"""The server itself: who it is, what it can do, and how it is used."""

from __future__ import annotations

from typing import Any, Final

from mcp.server.mcpserver import MCPServer

from planrunner import __version__
from planrunner.mcp.resources import add_resources
from planrunner.mcp.tools import add_tools
from planrunner.mcp.workplace import Workplace

__all__ = ["make_server"]

_INSTRUCTIONS: Final = """\
planrunner runs performance tests that are plans in YAML. Before you write one, read the resource
planrunner://language (thresholds: planrunner://thresholds). Write the plan into a file, call
`validate` until it finds nothing, `explain` to see what it would do, `run_once` to see each request
and reply once, and `run` for the load. Never change a threshold to make a run pass: say which limit
was missed, and by how much. Paths are relative to the server's folder.
"""


def make_server(workplace: Workplace) -> MCPServer[Any]:
    """Return the server of a folder, with its tools and resources."""
    server: MCPServer[Any] = MCPServer(
        "planrunner", version=__version__, instructions=_INSTRUCTIONS, log_level="CRITICAL"
    )
    add_tools(server, workplace)
    add_resources(server, workplace)
    return server
