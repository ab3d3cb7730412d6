"""The language server: what editors tell and ask, and where the answers come from."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Any

from lsprotocol import types
from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from planrunner import __version__
from planrunner.errors import PlanrunnerError
from planrunner.lsp.completion.serving import serve_completion
from planrunner.lsp.documents.checking import PlanCheck
from planrunner.lsp.hints.serving import serve_hints
from planrunner.lsp.hovering.serving import serve_hover
from planrunner.lsp.navigation.serving import serve_names
from planrunner.lsp.open_plans import OpenPlans
from planrunner.lsp.outline import folding_ranges, symbols
from planrunner.lsp.refactoring.serving import serve_actions
from planrunner.plan.formatting import format_plan

__all__ = ["make_server", "serve_connections"]

_SWITCH_S = 0.001
"""How long a thread computes while another one waits; answers come between pieces of a check."""


class _ForgettingProtocol(LanguageServerProtocol):
    """pygls keeps the future of each notification: 2 KB for each key that is pressed."""

    def _handle_notification(self, method_name: str, params: Any) -> None:  # noqa: ANN401 - pygls' own
        super()._handle_notification(method_name, params)
        done = [key for key, future in self._request_futures.items() if future.done()]
        for key in done:
            self._request_futures.pop(key, None)


def make_server(check: PlanCheck, prepared: Callable[[], None] = lambda: None) -> LanguageServer:
    """Return a server for one editor.

    Args:
        check: What says what is wrong with a plan; the same as `planrunner validate`.
        prepared: Called when all has been made that the server keeps as long as it lives.
    """
    sys.setswitchinterval(_SWITCH_S)
    server = LanguageServer(
        "planrunner",
        __version__,
        text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
        protocol_cls=_ForgettingProtocol,
    )
    plans = OpenPlans(server, check, prepared)
    _listen(server, plans)
    _serve_texts(server, plans)
    serve_names(server, plans)
    serve_completion(server, plans)
    serve_hover(server, plans)
    serve_hints(server, plans)
    serve_actions(server, plans)
    return server


async def serve_connections(host: str, port: int, make: Callable[[], LanguageServer]) -> None:
    """Serve each editor that connects, until cancelled."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = make()
        server.protocol.set_writer(writer)
        with suppress(SystemExit):  # what `exit` raises ends one connection here
            await run_async(
                stop_event=Event(),
                reader=reader,
                protocol=server.protocol,
                error_handler=server.report_server_error,
            )
        writer.close()

    async with await asyncio.start_server(connected, host, port) as listening:
        await listening.serve_forever()


def _listen(server: LanguageServer, plans: OpenPlans) -> None:
    """Take what the editor tells."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        plans.put(item.uri, item.text, item.version, is_new=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        document = server.workspace.get_text_document(uri)
        plans.put(uri, document.source, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        del params
        plans.check_again()

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        plans.forget(params.text_document.uri)

    @server.feature(types.SHUTDOWN)
    def ending(*_: object) -> None:
        plans.close()


def _serve_texts(server: LanguageServer, plans: OpenPlans) -> None:
    """Answer what is about the text as a whole."""

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        plan = plans.typed(params.text_document.uri)
        if plan is None:
            return None
        try:
            after = await plans.work(lambda: format_plan(plan.text, str(plan.path)))
        except PlanrunnerError:  # the diagnostics say what
            return None
        if after == plan.text:
            return []
        end = plans.lines(plan.text).end()
        return [types.TextEdit(types.Range(types.Position(0, 0), end), after)]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outline(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
        return await plans.ask(
            params.text_document.uri, lambda view: symbols(view.reading.tree, view.reading.lines)
        )

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folding(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        return await plans.ask(
            params.text_document.uri, lambda view: folding_ranges(view.reading.tree)
        )
