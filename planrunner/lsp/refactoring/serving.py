"""Answers about what can be changed: mending findings, and changes that mean the same."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from planrunner.lsp.open_plans import OpenPlans
from planrunner.lsp.refactoring.actions import refactorings

__all__ = ["serve_actions"]


def serve_actions(server: LanguageServer, plans: OpenPlans) -> None:
    """Let a server offer changes."""
    kinds = types.CodeActionKind

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(
            code_action_kinds=[kinds.QuickFix, kinds.RefactorExtract, kinds.RefactorRewrite]
        ),
    )
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        plan, asked = plans.typed(params.text_document.uri), params.range
        if plan is None:
            return []
        fixes = plans.published.fixes(plan, asked)
        wanted = params.context.only
        if wanted is not None and not any(one.startswith("refactor") for one in wanted):
            return fixes
        found = await plans.ask(plan.uri, lambda view: refactorings(view, asked))
        return [*fixes, *(found or ())]
