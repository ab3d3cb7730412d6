"""Answers about what can be changed: mending findings, and changes that mean the same."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.findings.quick_fixes import quick_fixes
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
        faults, text = plans.published.faults_at(plan, asked), plan.text
        wanted = params.context.only
        is_only_fixes = wanted is not None and not any(one.startswith("refactor") for one in wanted)
        if is_only_fixes and not faults:
            return []

        def answer(view: PlanView) -> list[types.CodeAction]:
            fixes = quick_fixes(view, faults) if view.text == text else []
            return fixes if is_only_fixes else [*fixes, *refactorings(view, asked)]

        return await plans.ask(plan.uri, answer) or []
