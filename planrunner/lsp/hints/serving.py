"""Answers that are shown beside the text: hints, lenses, colours."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from planrunner.lsp.hints.inlay import inlay_hints
from planrunner.lsp.hints.lenses import code_lenses
from planrunner.lsp.hints.tokens import TOKEN_TYPES, semantic_tokens
from planrunner.lsp.open_plans import OpenPlans

__all__ = ["serve_hints"]


def serve_hints(server: LanguageServer, plans: OpenPlans) -> None:
    """Let a server show what it knows beside the text."""

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hints(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        asked = params.range
        return await plans.ask(params.text_document.uri, lambda view: inlay_hints(view, asked))

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def lenses(params: types.CodeLensParams) -> list[types.CodeLens] | None:
        return await plans.ask(params.text_document.uri, code_lenses)

    @server.feature(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL,
        types.SemanticTokensLegend(token_types=TOKEN_TYPES, token_modifiers=[]),
    )
    async def colours(params: types.SemanticTokensParams) -> types.SemanticTokens | None:
        return await plans.ask(params.text_document.uri, semantic_tokens)
