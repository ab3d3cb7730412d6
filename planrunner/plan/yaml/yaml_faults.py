"""What the YAML parser stumbled over, in a plan author's words.

The C and the pure parser stop at the same place but say different things, and neither says what to
write instead; so their words only choose among ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic, Note
from planrunner.late_pattern import late_pattern
from planrunner.plan.yaml.source import Source
from planrunner.plan.yaml.yaml_events import YamlProblem
from planrunner.values import dataclass

__all__ = ["explain", "find_unreadable", "hide_forbidden", "readable"]

# Characters that YAML forbids, NEL apart. They also could rewrite the terminal that shows them.
_FORBIDDEN = late_pattern(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)

# `%` lines before the plan. The C parser compares each %TAG with all before it: a megabyte of
# them takes ten seconds.
_DIRECTIVE = late_pattern(r"(?:\A(?:[ \t]*(?:#.*)?[\r\n]+)*|^(?=%TAG))(%.*)", re.MULTILINE)
_BLANK_WITH_TAB = late_pattern(r"^\t[ \t]*(?=\r?$)", re.MULTILINE)
_VERSION = late_pattern(r"%YAML 1\.[0-9]+[ \t]*(?:#.*)?")


def find_unreadable(source: Source) -> Diagnostic | None:
    """Return the first thing in the text that no parser should see."""
    if found := _FORBIDDEN.search(source.text):
        code = ord(found[0])
        return source.diagnostic(
            Code.YAML_SYNTAX,
            f"the control character U+{code:04X} is not allowed in a plan",
            at=(found.start(), None),
            hint=f'write it as an escape in double quotes: `"\\x{code:02x}"`' if code < 256 else "",
        )
    found = _DIRECTIVE.search(source.text)
    if found and not _VERSION.fullmatch(found[1]):
        message = f"`{found[1].split()[0]}` lines are not part of the plan language"
        return source.diagnostic(
            Code.YAML_SYNTAX, message, at=found.span(1), hint="remove the line"
        )
    return None


def readable(text: str) -> str:
    """Return `text` as the C parser can read it, with each character at its place.

    A leading `%YAML 1.2`, which it doesn't know, is a comment, and tabs in blank lines are blanks.
    """
    if "\n\t" in text or text.startswith("\t"):
        text = _BLANK_WITH_TAB.sub(lambda found: " " * len(found[0]), text)
    found = _DIRECTIVE.search(text)
    return text[: found.start(1)] + "#" + text[found.start(1) + 1 :] if found else text


def hide_forbidden(text: str) -> str:
    """Return `text` with a blank for each character that no parser should see."""
    return _FORBIDDEN.sub(" ", text)


@dataclass(frozen=True, slots=True)
class _Finding:
    message: str
    hint: str
    offset: int
    note: tuple[int, str] | None = None
    code: Code = Code.YAML_SYNTAX


def explain(source: Source, problem: YamlProblem) -> Diagnostic:
    """Return what is wrong where the parser gave up."""
    found = _explain_tab(source, problem)
    if found is None:
        for pattern, rule in _RULES:
            if re.search(pattern, problem.problem):
                found = rule(source, problem)
                break
        else:
            found = _Finding("this is not valid YAML", "", problem.offset)
    notes = (Note(source.span(found.note[0]), found.note[1]),) if found.note else ()
    at = (found.offset, None)
    return source.diagnostic(found.code, found.message, at=at, hint=found.hint, notes=notes)


def _explain_tab(source: Source, problem: YamlProblem) -> _Finding | None:
    """Tabs look like indentation and aren't; every other message about them would mislead."""
    start = source.line_start(problem.offset)
    margin = re.compile(r"[ \t]*").match(source.text, start)
    tab = source.text.find("\t", start, margin.end() if margin else start)
    if tab < 0:
        return None
    return _Finding("a tab can't indent YAML", "indent with spaces", tab)


def _unclosed_collection(source: Source, problem: YamlProblem) -> _Finding:
    opened = problem.opened if problem.opened is not None else problem.offset
    opening = source.text[opened : opened + 1]
    closing = "]" if opening == "[" else "}"
    if not source.text[problem.offset :].strip():
        return _Finding(f"this `{opening}` is never closed", f"close it with `{closing}`", opened)
    note = (opened, f"`{opening}` opened here")
    message = f"expected `,` or `{closing}`"
    hint = f"put `,` between entries, close with `{closing}`, quote text with special characters"
    return _Finding(message, hint, problem.offset, note)


def _second_colon(source: Source, problem: YamlProblem) -> _Finding:
    start = source.line_start(problem.offset)
    key, colon, value = source.text[start : problem.offset].partition(": ")
    if colon and value.strip():
        rest = source.line(source.line_of(start))[len(key) + 2 :].split(" #")[0].strip()
        message = "a value can't hold `: ` without quotes"
        return _Finding(message, f"quote it: `{_quoted(rest)}`", problem.offset)
    message = "unexpected `:`"
    hint = "look at the line above: its key needs a `:`, and both lines the same indentation"
    return _Finding(message, hint, problem.offset)


def _bad_start(source: Source, problem: YamlProblem) -> _Finding:
    character = source.text[problem.offset : problem.offset + 1]
    shown = "a backtick" if character == "`" else f"`{character}`"
    message = f"a value can't start with {shown}"
    return _Finding(message, "quote the value", problem.offset)


def _unclosed_quote(source: Source, problem: YamlProblem) -> _Finding:
    opened = problem.opened if problem.opened is not None else problem.offset
    quote = source.text[opened : opened + 1]
    return _Finding(f"this `{quote}` is never closed", f"close it with `{quote}`", opened)


def _bad_escape(source: Source, problem: YamlProblem) -> _Finding:
    backslash = source.text.rfind("\\", 0, problem.offset + 1)
    escape = source.text[backslash : backslash + 2]
    message = f"`{escape}` is not an escape sequence in double quotes"
    hint = "put the text in single quotes, or write `\\\\` for a backslash"
    return _Finding(message, hint, max(backslash, 0))


def _bad_block(source: Source, problem: YamlProblem) -> _Finding:
    offset, opened = problem.offset, problem.opened
    if opened is not None and source.text[opened : opened + 2] == "- ":
        return _bad_list(source, problem)
    start = source.line_start(offset)
    before, rest = source.text[start:offset], source.line(source.line_of(offset))[offset - start :]
    if not before.strip(" ") and rest.startswith("- "):
        message = "found a list item where a key was expected"
        return _Finding(message, "indent it below the key it belongs to", offset)
    if not before.strip(" -"):
        message = "this line's indentation matches no line above"
        return _Finding(message, "align it with the keys it belongs beside", offset)
    last = before.rstrip()[-1:]
    if last in "'\"" and before.count(last) % 2:
        message = f"the text that `{last}` opened on an earlier line ends here"
        return _Finding(message, f"close it with `{last}` on its own line", offset - 1)
    if last in "'\"}]":
        message = "text follows a value that has ended"
        return _Finding(message, "quote the whole value", offset)
    return _Finding("this is not valid here", "check the indentation and the quotes", offset)


def _bad_list(source: Source, problem: YamlProblem) -> _Finding:
    message = "a list ends here, but this line isn't indented like a key"
    hint = "start each item of a list with `- ` in the same column"
    note = (problem.opened, "the list starts here") if problem.opened is not None else None
    return _Finding(message, hint, problem.offset, note)


def _missing_colon(source: Source, problem: YamlProblem) -> _Finding:
    opened = problem.opened if problem.opened is not None else problem.offset
    return _Finding("a key without `:`", "write `key: value`", opened)


def _nothing_here(source: Source, problem: YamlProblem) -> _Finding:
    character = source.text[problem.offset : problem.offset + 1].strip()
    message = f"unexpected `{character}`" if character else "a value is missing"
    hint = "quote text that contains special characters" if character else "write a value"
    return _Finding(message, hint, problem.offset)


def _bad_tag(source: Source, problem: YamlProblem) -> _Finding:
    opened = problem.opened if problem.opened is not None else problem.offset
    hint = "remove it; quote the value if it is text that starts with `!`"
    message = "tags are not part of the plan language"
    return _Finding(message, hint, opened, code=Code.FOREIGN_TAG)


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'


_YamlRule = Callable[[Source, YamlProblem], _Finding]


def _says(message: str, hint: str) -> _YamlRule:
    def rule(_source: Source, problem: YamlProblem) -> _Finding:
        return _Finding(message, hint, problem.offset)

    return rule


# The first pattern found in what either parser says; C words first, then the pure parser's.
_RULES: Final[tuple[tuple[str, _YamlRule], ...]] = (
    (r"expected ',' or '[\]}]'", _unclosed_collection),
    (
        r"sequence entries are not allowed",
        _says("a list item can't start here", "put `- ` at the start of a line of its own"),
    ),
    (r"mapping keys are not allowed", _says("a value can't start with `? `", "quote the value")),
    (r"mapping values are not allowed", _second_colon),
    (r"cannot start any token", _bad_start),
    (r"unexpected (end of stream|document (separator|indicator))", _unclosed_quote),
    (r"unknown escape|hexdecimal|Unicode character", _bad_escape),
    (r"expected '-' indicator", _bad_list),
    (r"did not find expected key|expected <block end>", _bad_block),
    (r"could not find expected ':'", _missing_colon),
    (r"expected (the )?node content", _nothing_here),
    (
        r"alphabetic or numeric",
        _says("a name must follow `&` or `*`", "quote text that starts with `&` or `*`"),
    ),
    (
        r"chomping|indentation indicator|comment or (a )?line ?break",
        _says(
            "the text of a block starts on the line after `|` or `>`", "move it to the next line"
        ),
    ),
    (r"unexpected ':'", _says("unexpected `:`", "quote text that contains `:`")),
    (
        r"directive|non-alphabetical",
        _says("a line can't start with `%`", "quote text that starts with `%`"),
    ),
    (r"tag|'>'|URI|'!'|whitespace or line break|expected ' '", _bad_tag),
    (
        r"<?document start>?",
        _says(
            "a second document starts here; a plan is one document", "put it into a separate file"
        ),
    ),
)
