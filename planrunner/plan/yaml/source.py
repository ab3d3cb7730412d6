"""The text of one file, and the lines and columns of its character offsets."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from planrunner.language.diagnostics import Code, Diagnostic, Note, Span
from planrunner.late_pattern import late_pattern

__all__ = ["Source"]

# What editors count as a line end; YAML 1.1's NEL, LS and PS are ordinary characters here.
_LINE_END = late_pattern(r"\r\n|\r|\n")

# A source line is shown on a terminal: escape sequences in it must not reach one.
_CONTROL = late_pattern(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Source:
    """A file's text. Offsets count characters from 0; `span` turns them into lines and columns."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def line_starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def line(self, number: int) -> str:
        """Return line `number` (from 1) without its end, fit for a terminal; empty when absent."""
        starts = self.line_starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return _CONTROL.sub("\ufffd", self.text[starts[number - 1] : end].rstrip("\r\n"))

    def line_of(self, offset: int) -> int:
        return bisect_right(self.line_starts, offset)

    def line_start(self, offset: int) -> int:
        return self.line_starts[self.line_of(offset) - 1]

    def span(self, start: int, end: int | None = None) -> Span:
        """Return the span of `start` to `end` (exclusive; one character by default)."""
        start = max(0, min(start, len(self.text)))
        end = max(start, min(start + 1 if end is None else end, len(self.text)))
        line, end_line = self.line_of(start), self.line_of(end)
        starts = self.line_starts
        return Span(
            self.file, line, start - starts[line - 1] + 1, end_line, end - starts[end_line - 1] + 1
        )

    def diagnostic(
        self,
        code: Code,
        message: str,
        *,
        at: tuple[int, int | None],
        hint: str = "",
        notes: tuple[Note, ...] = (),
    ) -> Diagnostic:
        """Return a finding about the characters `at` (start, end) of this file."""
        span = self.span(*at)
        return Diagnostic(span, code, message, hint, self.line(span.line), notes)
