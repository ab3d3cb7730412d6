"""An editor without a head: it starts the real server and talks to it over standard input."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.support.plan_views import place_of

_TRIES = 100


class Editor:
    """A client that knows what was published about each text."""

    def __init__(self) -> None:
        self.client = LanguageClient("editor", "1")
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.logged: list[str] = []
        self.texts: dict[str, tuple[int, str]] = {}

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        @self.client.feature(types.WINDOW_LOG_MESSAGE)
        def logged(params: types.LogMessageParams) -> None:
            self.logged.append(params.message)

    async def start(self) -> types.ServerCapabilities:
        await self.client.start_io(sys.executable, "-m", "planrunner", "lsp")
        return await self._begin()

    async def connect(self, port: int) -> types.ServerCapabilities:
        """Talk to a server of this machine that is about to listen."""
        for _ in range(_TRIES):
            try:
                await self.client.start_tcp("127.0.0.1", port)
                break
            except OSError:
                await asyncio.sleep(0.1)
        return await self._begin()

    async def _begin(self) -> types.ServerCapabilities:
        found = await self.client.initialize_async(
            types.InitializeParams(capabilities=types.ClientCapabilities())
        )
        self.client.initialized(types.InitializedParams())
        return found.capabilities

    async def end(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()

    @property
    def pid(self) -> int:
        """The server's process."""
        process = self.client._server
        assert process is not None  # it has been started
        return process.pid

    def open(self, path: Path, text: str) -> str:
        """Open a text under a file's name; return its address."""
        uri = path.resolve().as_uri()
        self.texts[uri] = (1, text)
        item = types.TextDocumentItem(uri, "yaml", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def type(self, uri: str, text: str) -> int:
        """Replace the whole text; return its version."""
        version = self.texts[uri][0] + 1
        self.texts[uri] = (version, text)
        self._change(uri, version, types.TextDocumentContentChangeWholeDocument(text))
        return version

    def edit(self, uri: str, start: int, end: int, new: str) -> int:
        """Replace some characters, as a key does; return the version."""
        version, text = self.texts[uri]
        where = types.Range(place_of(text, start), place_of(text, end))
        self.texts[uri] = (version + 1, text[:start] + new + text[end:])
        self._change(uri, version + 1, types.TextDocumentContentChangePartial(where, new))
        return version + 1

    def _change(self, uri: str, version: int, change: types.TextDocumentContentChangeEvent) -> None:
        document = types.VersionedTextDocumentIdentifier(version, uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def found(self, uri: str, version: int) -> list[types.Diagnostic]:
        """Return what is wrong with a version of a text, when the server says so."""
        while True:
            told = await self.published.get()
            if told.uri == uri and told.version == version:
                return list(told.diagnostics)

    async def completed(self, uri: str, offset: int) -> list[str]:
        """Return what is offered at a place."""
        document, place = types.TextDocumentIdentifier(uri), place_of(self.texts[uri][1], offset)
        found = await self.client.text_document_completion_async(
            types.CompletionParams(document, place)
        )
        items = found.items if isinstance(found, types.CompletionList) else found or ()
        return [one.label for one in items]
