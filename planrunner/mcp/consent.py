"""Asking a person before load is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mcp.server.mcpserver import Context, Elicit
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field

from planrunner.mcp.answers import answer_of
from planrunner.mcp.workplace import PlanChoice, Workplace
from planrunner.units import NS_PER_S, format_duration

__all__ = ["Consent", "question"]


class Consent(BaseModel):
    """What a person answers."""

    start: bool = Field(description="Send this load now.")


async def question(
    workplace: Workplace, choice: PlanChoice, context: Context[Any, Any]
) -> Elicit[Consent] | Consent:
    """Return what to ask a person, or consent where no question is wanted.

    Raises:
        ToolError: The client can't ask, the plan can't run or lies outside the folder.
    """
    if not workplace.asks:
        return Consent(start=True)
    capabilities = context.client_capabilities
    if capabilities is None or capabilities.elicitation is None:
        raise ToolError(
            "a person must agree before load is sent, and this client can't ask one: start "
            f"`planrunner execute {choice.plan}` in a terminal, or the server with `--no-ask`"
        )
    command = ("explain", *workplace.arguments(choice), "--json")
    answer = await answer_of(command, workplace.folder)
    if answer.exit_code:
        raise ToolError(answer.messages)
    return Elicit("\n".join(_words(json.loads(answer.out))), Consent)


def _words(found: dict[str, Any]) -> Iterator[str]:
    hosts = [host for names in found["hosts"].values() for host in names]
    lasts = format_duration(round(found["duration_s"] * NS_PER_S))
    profile = f", profile {found['profile']}" if found["profile"] else ""
    yield f"Send load to {', '.join(hosts) or 'what the plan starts'} for {lasts}?"
    yield f"{found['plan']} ({found['file']}{profile})"
    for phase in found["phases"]:
        yield f"- {phase['name']}: {'; '.join(phase['load'])}"
