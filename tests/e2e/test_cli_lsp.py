"""`planrunner lsp`: an editor without a head talks to it over standard input and output."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from planrunner.cli.commands.validate import check
from planrunner.cli.plan_options import PlanOptions
from tests.support.doc_pages import ROOT
from tests.support.plans import PlanProject

TEXT = (ROOT / "plans" / "quickstart.yaml").read_text()


class Editor:
    """A client that knows what was published last about each document."""

    def __init__(self) -> None:
        self.client = LanguageClient("editor", "1")
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

    async def start(self) -> types.ServerCapabilities:
        await self.client.start_io(sys.executable, "-m", "planrunner", "lsp")
        found = await self.client.initialize_async(
            types.InitializeParams(capabilities=types.ClientCapabilities())
        )
        self.client.initialized(types.InitializedParams())
        return found.capabilities

    async def end(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()

    def type(self, uri: str, version: int, text: str) -> None:
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )


@pytest.mark.slow
def test_an_editor_checks_fixes_formats_and_outlines_a_plan(tmp_path: Path) -> None:
    """The result of an older text is never shown; what isn't YAML stays as it is."""
    (tmp_path / "quick start.yaml").write_text(TEXT)
    asyncio.run(edit(tmp_path / "quick start.yaml"))


async def edit(path: Path) -> None:
    uri, editor = path.as_uri(), Editor()
    wrong = TEXT.replace("thresholds:", "threshold:")
    able = await editor.start()
    document = types.TextDocumentIdentifier(uri)

    editor.client.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "yaml", 1, TEXT))
    )
    assert not (await editor.published.get()).diagnostics
    for version, text in enumerate(("a: [", TEXT, TEXT[:90], wrong), 2):
        editor.type(uri, version, text)
    (fault,) = (await editor.published.get()).diagnostics
    actions = await editor.client.text_document_code_action_async(
        types.CodeActionParams(document, fault.range, types.CodeActionContext([fault]))
    )
    outline = await editor.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(document)
    )
    folds = await editor.client.text_document_folding_range_async(
        types.FoldingRangeParams(document)
    )
    editor.type(uri, 6, TEXT.replace("name: ", "name:     "))
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    edits = await editor.client.text_document_formatting_async(
        types.DocumentFormattingParams(document, options)
    )
    editor.type(uri, 7, "name: [")
    none = await editor.client.text_document_formatting_async(
        types.DocumentFormattingParams(document, options)
    )
    await editor.end()

    assert able.completion_provider is not None
    assert fault.code == check(path, PlanOptions(), text=wrong).faults[0].code
    assert actions
    assert [action.title for action in actions] == ["Replace by `thresholds`"]
    assert outline
    assert folds
    assert edits
    assert edits[0].new_text == TEXT
    assert none is None


def test_only_this_machine_can_connect(project: PlanProject) -> None:
    """Whoever connects can read the files of whoever started it."""
    for where in ("0.0.0.0:2087", "127.0.0.1:0"):
        ended = project.run("lsp", "--listen", where)

        assert ended.code == 2
        assert "a port of this machine only" in ended.err


@pytest.mark.slow
def test_a_server_that_is_told_to_end_ends_well() -> None:
    """Without a word: editors show what a server says, and take another code for a crash."""
    bodies = [
        '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}',
        '{"jsonrpc":"2.0","id":2,"method":"shutdown"}',
        '{"jsonrpc":"2.0","method":"exit"}',
    ]
    sent = "".join(f"Content-Length: {len(body)}\r\n\r\n{body}" for body in bodies)

    done = subprocess.run(
        [sys.executable, "-m", "planrunner", "lsp"],
        input=sent.encode(),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
