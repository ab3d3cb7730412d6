"""The language server: what editors ask, and where the answers come from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from planrunner import __version__
from planrunner.compiler.checked import Checked
from planrunner.errors import PlanrunnerError
from planrunner.lsp.checking import Checking, PlanCheck, TypedPlan
from planrunner.lsp.diagnostics import diagnostics_of, uri_of
from planrunner.lsp.half_typed import read_tree
from planrunner.lsp.outline import folding_ranges, symbols
from planrunner.lsp.places import EditorLines
from planrunner.lsp.quick_fixes import quick_fixes
from planrunner.plan.defaults.file import is_defaults
from planrunner.plan.formatting import format_plan
from planrunner.plan.plan_text import looks_like_plan
from planrunner.plan.yaml.nodes import YamlNode

__all__ = ["make_server"]

T = TypeVar("T")


class _Plans:
    """The plans that an editor has open, and what is known of each."""

    def __init__(self, server: LanguageServer, check: PlanCheck) -> None:
        self._server = server
        self._checking = Checking(check, self._tell, self._fail)
        self._open: dict[str, TypedPlan] = {}
        self._checked: dict[str, TypedPlan] = {}
        self._judged: set[str] = set()
        self._trees: dict[str, YamlNode] = {}
        self._found: dict[str, tuple[Checked, dict[str, list[types.Diagnostic]]]] = {}

    def put(self, uri: str, text: str, *, is_new: bool = False) -> None:
        """Take what a plan says now."""
        path = Path(uris.to_fs_path(uri) or "plan.yaml")
        plan = self._open[uri] = TypedPlan(uri, path, text)
        if uri in self._judged or is_defaults(path) or looks_like_plan(text):
            self._judged.add(uri)  # also while the key is retyped that shows it
            self._checking.begin(plan, **({"pause_s": 0.0} if is_new else {}))
        else:
            self._show(uri, (Checked(()), {}))

    def check_again(self) -> None:
        """Check all plans: a file has changed that they may name."""
        for plan in list(self._open.values()):
            self.put(plan.uri, plan.text)

    def forget(self, uri: str) -> None:
        """Take nothing more of a plan for true: its editor has closed it."""
        self._checking.drop(uri)
        self._show(uri, (Checked(()), {}))
        self._judged.discard(uri)
        for known in (self._open, self._checked, self._trees, self._found):
            known.pop(uri, None)

    def close(self) -> None:
        self._checking.close()

    def places(self, text: str) -> EditorLines:
        return EditorLines(text, self._server.workspace.position_codec)

    def fixes(self, uri: str, asked: types.Range) -> list[types.CodeAction]:
        plan = self._open.get(uri)
        if plan is None or self._checked.get(uri) != plan:  # places of another text
            return []
        checked, shown = self._found[uri]
        own = [
            fault for fault in checked.faults if uri_of(fault.span.file) == uri_of(str(plan.path))
        ]
        pairs = list(zip(own, shown.get(uri, ()), strict=False))
        return quick_fixes(uri, pairs, self.places(plan.text), asked)

    async def with_tree(self, uri: str, ask: Callable[[YamlNode, EditorLines], T]) -> T | None:
        """Return an answer from the tree: of what is typed, else the last that could be read."""
        if uri not in self._open:
            return None
        return await asyncio.to_thread(self._ask, self._open[uri], ask)

    def _ask(self, plan: TypedPlan, ask: Callable[[YamlNode, EditorLines], T]) -> T | None:
        tree = read_tree(plan.text)
        if tree is None:
            tree = self._trees.get(plan.uri)
        else:
            self._trees[plan.uri] = tree
        return None if tree is None else ask(tree, self.places(tree.source.text))

    async def formatted(self, uri: str) -> list[types.TextEdit] | None:
        """Return the edit that writes a plan in the one style; None while it isn't YAML."""
        if uri not in self._open:
            return None
        plan = self._open[uri]
        try:
            after = await asyncio.to_thread(format_plan, plan.text, str(plan.path))
        except PlanrunnerError:  # the diagnostics say what
            return None
        if after == plan.text:
            return []
        end = self.places(plan.text).end()
        return [types.TextEdit(types.Range(types.Position(0, 0), end), after)]

    def _tell(self, plan: TypedPlan, checked: Checked) -> None:
        texts = {str(plan.path): self.places(plan.text)}

        def places_of(file: str) -> EditorLines:
            if file not in texts:
                texts[file] = self.places(_text_of(file))
            return texts[file]

        by_file = diagnostics_of(checked, str(plan.path), places_of)
        own = by_file.pop(str(plan.path), [])
        others = {uri_of(file): shown for file, shown in by_file.items()}
        self._checked[plan.uri] = plan
        self._show(plan.uri, (checked, {plan.uri: own, **others}))

    def _show(self, uri: str, found: tuple[Checked, dict[str, list[types.Diagnostic]]]) -> None:
        """Publish what was found in a plan, and in the files that it imports."""
        before = self._found.get(uri, (Checked(()), {}))[1]
        self._found[uri] = found
        for about in dict.fromkeys([uri, *before, *found[1]]):
            shown = [one for _, by_uri in self._found.values() for one in by_uri.get(about, ())]
            self._server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(about, list(_once_each(shown)))
            )

    def _fail(self, plan: TypedPlan, error: Exception) -> None:
        message = f"{plan.path} could not be checked: {type(error).__name__}: {error}"
        params = types.LogMessageParams(types.MessageType.Error, message)
        self._server.window_log_message(params)


def _once_each(found: list[types.Diagnostic]) -> list[types.Diagnostic]:
    """Return findings without those that several plans have in a file that they import."""
    kept: list[types.Diagnostic] = []
    for one in found:
        if one not in kept:
            kept.append(one)
    return kept


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text("utf-8", "replace")
    except OSError:
        return ""


def make_server(check: PlanCheck) -> LanguageServer:
    """Return a server for one editor.

    Args:
        check: What says what is wrong with a plan; the same as `planrunner validate`.
    """
    server = LanguageServer(
        "planrunner", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full
    )
    plans = _Plans(server, check)
    _listen(server, plans)
    _answer(server, plans)
    return server


def _listen(server: LanguageServer, plans: _Plans) -> None:
    """Take what the editor tells."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        plans.put(params.text_document.uri, params.text_document.text, is_new=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        plans.put(uri, server.workspace.get_text_document(uri).source)

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


def _answer(server: LanguageServer, plans: _Plans) -> None:
    """Answer what the editor asks."""

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return plans.fixes(params.text_document.uri, params.range)

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    async def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        return await plans.formatted(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outline(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
        return await plans.with_tree(params.text_document.uri, symbols)

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folding(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        return await plans.with_tree(params.text_document.uri, lambda tree, _: folding_ranges(tree))
