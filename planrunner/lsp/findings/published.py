"""What an editor has been told about each file, and what that was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from planrunner.compiler.checked import Checked
from planrunner.lsp.documents.checking import TypedPlan
from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.documents.view import uri_of
from planrunner.lsp.findings.diagnostics import diagnostics_of
from planrunner.lsp.findings.quick_fixes import FoundFault, touch

__all__ = ["Findings", "Published"]

_ByFile = dict[str, list[types.Diagnostic]]


class Findings(NamedTuple):
    """What was found in a plan, and the same by file as editors have it."""

    checked: Checked
    shown: _ByFile


class Published:
    """Publishes findings: those of a plan, and in the files that it imports."""

    def __init__(self, server: LanguageServer, lines_of: Callable[[str], EditorLines]) -> None:
        self._server = server
        self._lines_of = lines_of
        self._found: dict[str, tuple[TypedPlan, Findings]] = {}

    def findings(self, plan: TypedPlan, checked: Checked) -> Findings:
        """Return what was found as editors have it; changes nothing."""
        texts = {str(plan.path): self._lines_of(plan.text)}

        def lines_of(file: str) -> EditorLines:
            if file not in texts:
                texts[file] = self._lines_of(_text_of(file))
            return texts[file]

        by_file = diagnostics_of(checked, str(plan.path), lines_of)
        own = by_file.pop(str(plan.path), [])
        others = {uri_of(file): found for file, found in by_file.items()}
        return Findings(checked, {plan.uri: own, **others})

    def show(self, plan: TypedPlan, findings: Findings) -> None:
        """Publish what was found in a plan."""
        before = self._of(plan.uri)
        self._found[plan.uri] = (plan, findings)
        self._publish([plan.uri, *before, *findings.shown])

    def forget(self, uri: str) -> None:
        """Publish that nothing is wrong any more with a plan."""
        before = self._of(uri)
        self._found.pop(uri, None)
        self._publish([uri, *before])

    def faults_at(self, plan: TypedPlan, asked: types.Range) -> list[FoundFault]:
        """Return what is wrong at a place; nothing while that is known of another text."""
        found = self._found.get(plan.uri)
        if found is None or found[0] != plan:
            return []
        checked, shown = found[1]
        file = uri_of(str(plan.path))
        own = [fault for fault in checked.faults if uri_of(fault.span.file) == file]
        pairs = zip(own, shown.get(plan.uri, ()), strict=False)
        return [pair for pair in pairs if touch(pair[1].range, asked)]

    def _of(self, uri: str) -> _ByFile:
        return self._found[uri][1].shown if uri in self._found else {}

    def _publish(self, about: list[str]) -> None:
        for uri in dict.fromkeys(about):
            lists = [found.shown[uri] for _, found in self._found.values() if uri in found.shown]
            shown = lists[0] if len(lists) == 1 else _once_each(chain(*lists))
            version = self._found[uri][0].version if uri in self._found else None
            self._server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, shown, version)
            )


def _once_each(found: Iterable[types.Diagnostic]) -> list[types.Diagnostic]:
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
