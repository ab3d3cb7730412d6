"""Findings → what editors underline, by file, with related places and hints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

from lsprotocol import types

from planrunner.compiler.checked import Checked, placed
from planrunner.language.diagnostics import Diagnostic, Severity, Span, visible
from planrunner.lsp.documents.places import EditorLines
from planrunner.lsp.documents.view import uri_of

__all__ = ["diagnostics_of"]

_SOURCE: Final = "planrunner"
_SEVERITIES: Final[Mapping[Severity, types.DiagnosticSeverity]] = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}

PlacesOf = Callable[[str], EditorLines]
"""Gives the lines of a file by its name."""


def diagnostics_of(
    checked: Checked, plan: str, places_of: PlacesOf
) -> dict[str, list[types.Diagnostic]]:
    """Return what a check of `plan` found, by file; the same as `planrunner validate` prints."""
    found: defaultdict[str, list[types.Diagnostic]] = defaultdict(list)
    for fault in checked.faults:
        found[fault.span.file].append(_fault(fault, places_of))
    texts = [(text, types.DiagnosticSeverity.Warning, "deprecated") for text in checked.warnings]
    texts += [(text, types.DiagnosticSeverity.Information, "notice") for text in checked.notices]
    for text, severity, code in texts:
        notice = placed(text, plan)
        file, line, column = notice.file, notice.line, notice.column
        where = places_of(file).range(Span(file, line, column, line, column))
        found[file].append(_said(where, notice.message, severity, code))
    return dict(found)


def _fault(fault: Diagnostic, places_of: PlacesOf) -> types.Diagnostic:
    text = f"{fault.message}\nhint: {fault.hint}" if fault.hint else fault.message
    where = places_of(fault.span.file).range(fault.span)
    said = _said(where, text, _SEVERITIES[fault.severity], fault.code.value)
    said.related_information = [
        types.DiagnosticRelatedInformation(
            types.Location(uri_of(note.span.file), places_of(note.span.file).range(note.span)),
            visible(note.message),
        )
        for note in fault.notes
    ]
    return said


def _said(
    where: types.Range, text: str, severity: types.DiagnosticSeverity, code: str
) -> types.Diagnostic:
    message = "\n".join(map(visible, text.split("\n")))
    return types.Diagnostic(where, message=message, severity=severity, code=code, source=_SOURCE)
