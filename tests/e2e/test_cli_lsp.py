"""`planrunner lsp`: an editor without a head talks to it over standard input and output."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from benchmarks.typing_in_editor import random_edits
from planrunner.cli.commands.validate import check
from planrunner.cli.plan_options import PlanOptions
from tests.support.completed_places import PLACES, words_of
from tests.support.doc_pages import ROOT
from tests.support.editors import Editor
from tests.support.plans import PlanProject

TEXT = (ROOT / "plans" / "quickstart.yaml").read_text()


@pytest.mark.slow
def test_an_editor_checks_fixes_formats_and_outlines_a_plan(tmp_path: Path) -> None:
    """The result of an older text is never shown; what isn't YAML stays as it is."""
    (tmp_path / "quick start.yaml").write_text(TEXT)
    asyncio.run(edit(tmp_path / "quick start.yaml"))


async def edit(path: Path) -> None:
    editor = Editor()
    wrong = TEXT.replace("thresholds:", "threshold:")
    able = await editor.start()
    uri = editor.open(path, TEXT)
    document = types.TextDocumentIdentifier(uri)

    assert not await editor.found(uri, 1)
    for text in ("a: [", TEXT, TEXT[:90], wrong):
        editor.type(uri, text)
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
    editor.type(uri, TEXT.replace("name: ", "name:     "))
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    edits = await editor.client.text_document_formatting_async(
        types.DocumentFormattingParams(document, options)
    )
    editor.type(uri, "name: [")
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


@pytest.mark.slow
def test_the_server_answers_at_every_place_while_texts_are_broken(tmp_path: Path) -> None:
    """Through the protocol: places of shipped plans, and edits of a text beside `validate`."""
    asyncio.run(ask_everywhere(tmp_path / "random edits.yaml"))


async def ask_everywhere(path: Path) -> None:
    editor = Editor()
    await editor.start()
    texts = {name: (ROOT / "plans" / name).read_text() for name in {one.plan for one in PLACES}}
    uris = {name: editor.open(ROOT / "plans" / name, text) for name, text in texts.items()}
    for uri in uris.values():
        await editor.found(uri, 1)

    missing = []
    for place in PLACES:
        text, uri = texts[place.plan], uris[place.plan]
        start = text.index(place.old)
        typed = text[:start] + place.new.replace("¦", "") + text[start + len(place.old) :]
        editor.type(uri, typed)
        offered = await editor.completed(uri, start + place.new.index("¦"))
        wanted = words_of(place.wanted)
        missing += [(place, word) for word in wanted if word not in offered]
        editor.type(uri, text)
    told = await random_edits(editor, path, TEXT, edits=25)
    await editor.end()

    assert missing == []
    assert told.wrong == []
    assert editor.logged == []


@pytest.mark.slow
def test_a_server_on_tcp_outlives_its_editors(tmp_path: Path) -> None:
    """Each connection is an editor of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "planrunner", "lsp", "--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as server:
        try:
            assert server.stderr is not None
            assert str(port).encode() in server.stderr.readline()
            found = [asyncio.run(connect(port, tmp_path / "plan.yaml")) for _ in range(2)]
            assert server.poll() is None
        finally:
            server.terminate()

    assert found[0] == found[1]
    assert "users" in found[0]


async def connect(port: int, path: Path) -> list[str]:
    editor = Editor()
    await editor.connect(port)
    uri = editor.open(path, "na")
    offered = await editor.completed(uri, 2)
    await editor.end()
    return offered


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
