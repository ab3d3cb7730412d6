"""Answers about what a place means."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from planrunner.lsp.hovering.about import hover
from planrunner.lsp.open_plans import OpenPlans

__all__ = ["serve_hover"]


def serve_hover(server: LanguageServer, plans: OpenPlans) -> None:
    """Let a server explain what is under the pointer."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def explained(params: types.HoverParams) -> types.Hover | None:
        at = params.position
        return await plans.ask(params.text_document.uri, lambda view: hover(view, at))
