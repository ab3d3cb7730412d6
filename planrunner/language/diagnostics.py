"""What is wrong with a plan, and where: spans, diagnostics and the error that carries them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from unicodedata import combining, east_asian_width

from planrunner.errors import PlanrunnerError
from planrunner.values import dataclass

__all__ = [
    "Code",
    "Diagnostic",
    "Note",
    "PlanError",
    "Severity",
    "Span",
    "nearest_names",
    "render",
    "suggest",
    "visible",
]


class Code(StrEnum):
    """Every slug a diagnostic can have; `docs/reference/diagnostics.md` has a section for each."""

    # reading the file
    NO_SUCH_FILE = "no-such-file"
    NOT_A_FILE = "not-a-file"
    UNREADABLE_FILE = "unreadable-file"
    FILE_TOO_LARGE = "file-too-large"
    NOT_UTF8 = "not-utf8"
    EMPTY_PLAN = "empty-plan"
    # YAML
    YAML_SYNTAX = "yaml-syntax"
    DUPLICATE_KEY = "duplicate-key"
    RECURSIVE_ALIAS = "recursive-alias"
    TOO_COMPLEX = "too-complex"
    FOREIGN_TAG = "foreign-tag"
    BAD_KEY = "bad-key"
    # shape
    UNKNOWN_KEY = "unknown-key"
    MISSING_KEY = "missing-key"
    WRONG_TYPE = "wrong-type"
    INVALID_VALUE = "invalid-value"
    INVALID_UNIT = "invalid-unit"
    ONE_ACTION = "one-action"
    CONFLICTING_KEYS = "conflicting-keys"
    WRONG_BRACES = "wrong-braces"
    UNQUOTED_EXPRESSION = "unquoted-expression"
    # expressions and names
    EXPRESSION_SYNTAX = "expression-syntax"
    EXPRESSION_FAILED = "expression-failed"
    UNKNOWN_NAME = "unknown-name"
    DUPLICATE_NAME = "duplicate-name"
    RESERVED_NAME = "reserved-name"
    REFERENCE_CYCLE = "reference-cycle"
    # params and other files
    MISSING_PARAM = "missing-param"
    INVALID_PARAM = "invalid-param"
    INVALID_DATA = "invalid-data"
    IMPORT_CYCLE = "import-cycle"
    # load and thresholds
    NO_LOAD = "no-load"
    THRESHOLD_SYNTAX = "threshold-syntax"
    UNKNOWN_SELECTOR = "unknown-selector"
    EMPTY_SELECTION = "empty-selection"
    NEVER_RUNS = "never-runs"
    # what this version cannot do
    NOT_AVAILABLE = "not-available"
    NOT_ALLOWED = "not-allowed"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one file; lines and columns count characters from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def __lt__(self, other: Span) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[str, int, int, int, int]:
        return self.file, self.line, self.column, self.end_line, self.end_column


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that belongs to the finding, such as the first of two duplicates."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding about a plan.

    Attributes:
        message: One sentence, lower case, no full stop; offending values in backticks.
        hint: What to write instead, imperative; empty when the message says it all.
        source: The source line at `span.line` without its newline, for the caret.
        argument: What a Python program passed that it is about, in place of a line of a file:
            `phases[0].hold`; else empty.
    """

    span: Span
    code: Code
    message: str
    hint: str = ""
    source: str = ""
    notes: tuple[Note, ...] = ()
    severity: Severity = Severity.ERROR
    argument: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as programs read it."""
        span = self.span
        return {
            "file": span.file,
            "line": span.line,
            "column": span.column,
            "end_line": span.end_line,
            "end_column": span.end_column,
            "severity": self.severity.value,
            "code": self.code.value,
            "message": self.message,
            "hint": self.hint,
        }


class PlanError(PlanrunnerError):
    """The plan is invalid; holds every diagnostic found, in file order."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        ordered = sorted(diagnostics, key=lambda d: (d.span, d.code))
        self.diagnostics = tuple(_once_each(ordered))
        count = len(self.diagnostics)
        super().__init__(f"plan has {count} error{'s' if count != 1 else ''}")

    def __str__(self) -> str:
        """Return what tracebacks show: the message, and every diagnostic."""
        return "\n\n".join((self.message, *map(render, self.diagnostics)))


def _once_each(found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield the findings; of several about the same package that is missing, the first."""
    missing: set[str] = set()
    for one in found:
        if one.code is Code.NOT_AVAILABLE:
            if one.message in missing:
                continue
            missing.add(one.message)
        yield one


def render(diagnostic: Diagnostic) -> str:
    """Return the finding as text, without a final newline.

    ```
    plans/a.yaml:5:11: error[invalid-unit]: `fast` is not a rate
        5 |     rate: fast
          |           ^^^^
    hint: write a rate such as `100/s`
    ```
    The first line has the shape that editors and CI systems jump to. What a plan quotes can't
    reach the terminal as a control character, nor add a line that looks like another finding.
    """
    span = diagnostic.span
    place = diagnostic.argument or span
    lines = [f"{place}: {diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    if diagnostic.source.strip() and not diagnostic.argument:
        lines += _excerpt(diagnostic)
    lines += [f"{note.span}: note: {note.message}" for note in diagnostic.notes]
    if diagnostic.hint:
        lines.append(f"hint: {diagnostic.hint}")
    return "\n".join(map(visible, lines))


def visible(text: str) -> str:
    """Replace every character that a terminal would act on; one for one, so that columns hold."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def _cells(text: str) -> int:
    """Return how many terminal cells `text` takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(c) in "WF" else 0 if combining(c) else 1 for c in text)


# Enough context to recognise the place; a minified line would fill the terminal.
_EXCERPT_WIDTH = 120


def _excerpt(diagnostic: Diagnostic) -> list[str]:
    span = diagnostic.span
    source = diagnostic.source.replace("\t", " ")
    start = span.column - 1
    shift = max(0, start - _EXCERPT_WIDTH // 2) if len(source) > _EXCERPT_WIDTH else 0
    shown = source[shift : shift + _EXCERPT_WIDTH]
    end = span.end_column - 1 if span.end_line == span.line else len(source)
    # A fault at the end of a line stands behind its last character.
    before = source[shift:start].ljust(start - shift)
    marked = source[start : min(end, shift + len(shown))]
    gutter = max(5, len(str(span.line)) + 1)
    return [
        f"{span.line:>{gutter}} | {shown.rstrip()}",
        f"{'':>{gutter}} | {' ' * _cells(before)}{'^' * max(1, _cells(marked))}",
    ]


def suggest(word: str, known: Sequence[str]) -> str:
    """Return `did you mean X?` for the known word nearest to `word`, or an empty string."""
    if len(word) > _LONGEST_SUGGESTED:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415 - a fault in a plan is rare

    by_lower_case = {name.lower(): name for name in reversed(known)}
    close = get_close_matches(word.lower(), list(by_lower_case)[::-1], n=3, cutoff=0.6)
    near = next((name for name in close if _is_near(word.lower(), name)), None)
    return f"did you mean `{by_lower_case[near]}`?" if near is not None else ""


def _is_near(word: str, name: str) -> bool:
    """Say whether one can be meant by the other: most letters agree, or one is part of the other.

    Half the letters in the same order are no evidence: `count` isn't `until`.
    """
    shorter, longer = sorted((word, name), key=len)
    if len(shorter) >= _SHORTEST_PART and shorter in longer:
        return True
    return _distance(word, name) <= max(1, 2 * len(longer) // 5)


_SHORTEST_PART = 4


def _distance(one: str, other: str) -> int:
    """Return how many letters must be put in, taken out, changed or swapped with the next."""
    above: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        oldest, above, row = above, row, [at]
        for place, wanted in enumerate(other, 1):
            least = min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != wanted))
            if oldest and place > 1 and one[at - 2] == wanted and other[place - 2] == letter:
                least = min(least, oldest[place - 2] + 1)
            row.append(least)
    return row[-1]


def nearest_names(pattern: str, known: Sequence[str]) -> list[str]:
    """Return the few names that are most like a glob or a regular expression, best first."""
    from difflib import get_close_matches  # noqa: PLC0415 - a fault in a plan is rare

    plain = re.sub(r"\\.|[][*.^$()?+|\\]", "", pattern)[:_LONGEST_SUGGESTED]
    return get_close_matches(plain, dict.fromkeys(known), n=5, cutoff=0.4)


# Comparing takes time with the length, and no typing error makes a key this long.
_LONGEST_SUGGESTED = 100
