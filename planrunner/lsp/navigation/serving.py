"""Answers about names: definition, references, highlights, rename."""

from __future__ import annotations

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from planrunner.errors import UsageError
from planrunner.lsp.navigation.jumps import definitions, highlights, references
from planrunner.lsp.navigation.renaming import prepare_rename, rename
from planrunner.lsp.open_plans import OpenPlans

__all__ = ["serve_names"]


def serve_names(server: LanguageServer, plans: OpenPlans) -> None:
    """Let a server answer what is about names."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: types.DefinitionParams) -> list[types.Location] | None:
        at = params.position
        return await plans.ask(params.text_document.uri, lambda view: definitions(view, at))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    async def all_references(params: types.ReferenceParams) -> list[types.Location] | None:
        at, whole = params.position, params.context.include_declaration
        return await plans.ask(
            params.text_document.uri, lambda view: references(view, at, with_definitions=whole)
        )

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def highlight(
        params: types.DocumentHighlightParams,
    ) -> list[types.DocumentHighlight] | None:
        at = params.position
        return await plans.ask(params.text_document.uri, lambda view: highlights(view, at))

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def renameable(params: types.PrepareRenameParams) -> types.Range | None:
        at = params.position
        return await plans.ask(params.text_document.uri, lambda view: prepare_rename(view, at))

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    async def renamed(params: types.RenameParams) -> types.WorkspaceEdit | None:
        at, new = params.position, params.new_name
        try:
            return await plans.ask(params.text_document.uri, lambda view: rename(view, at, new))
        except UsageError as refused:
            raise JsonRpcInvalidParams(f"{refused.message}: {refused.hint}") from refused
