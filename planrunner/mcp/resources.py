"""What an assistant reads before it writes a plan."""

from __future__ import annotations

import json
from typing import Any, Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError

from planrunner.mcp.answers import answer_of
from planrunner.mcp.workplace import PlanChoice, Workplace

__all__ = ["add_resources"]

_PAGES: Final = {
    "language": ("reference", "The plan language: every key, its type and what it means."),
    "thresholds": ("thresholds", "What a threshold can say."),
    "expressions": ("expressions", "What `${…}` can say: names, operators, filters, helpers."),
    "protocols": ("protocols", "Which protocols there are, and their steps."),
}


def add_resources(server: MCPServer[Any], workplace: Workplace) -> None:
    """Give a server the pages of the reference, the schema, and the names of plans."""
    for name, (page, purpose) in _PAGES.items():
        _add_page(server, workplace, name, page, purpose)
    _add_page(server, workplace, "schema", "plan", "The JSON Schema of plans.", "application/json")

    @server.resource(
        "planrunner://names/{+plan}",
        name="names",
        description="The names that a plan has: params, data, users, tasks, phases, tags …",
        mime_type="application/json",
    )
    async def names(plan: str) -> str:
        try:
            arguments = [*workplace.arguments(PlanChoice(plan, {}))]
        except ToolError as error:
            raise ResourceError(str(error)) from error
        answer = await answer_of(["explain", *arguments, "--json"], workplace.folder)
        if answer.exit_code:
            raise ResourceError(answer.messages)
        return json.dumps(json.loads(answer.out)["names"], indent=2, ensure_ascii=False)


def _add_page(
    server: MCPServer[Any],
    workplace: Workplace,
    name: str,
    page: str,
    purpose: str,
    kind: str = "text/markdown",
) -> None:
    @server.resource(f"planrunner://{name}", name=name, description=purpose, mime_type=kind)
    async def read() -> str:
        answer = await answer_of(["schema", page], workplace.folder)
        if answer.exit_code:
            raise ResourceError(answer.messages)
        return answer.out
