"""Text that the parser stumbles over though it is plain what was meant.

The text is patched character for character, so that every place stays where it is, and read again;
what stood there comes back with `restore`.
"""

from __future__ import annotations

from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.late_pattern import late_pattern
from planrunner.plan.yaml.source import Source
from planrunner.values import dataclass

__all__ = ["Repair", "allow_url_characters", "find_repair", "patch", "restore"]

# Private-use characters: no plan has them, and YAML gives them no meaning.
_ANY, _COLON, _QUESTION = "\ue000", "\ue001", "\ue002"
_RESTORED = str.maketrans({_COLON: ":", _QUESTION: "?"})


def patch(text: str, start: int, end: int) -> str:
    """Return `text` with something harmless from `start` to `end`."""
    return text[:start] + _ANY * (end - start) + text[end:]


def restore(value: str, written: str) -> str:
    """Return what the scalar `value` of a patched text means; `written` is what the file says."""
    if _ANY in value:
        return written.replace("{{", "${").replace("}}", "}")
    return value.translate(_RESTORED)


# Inside a word, where YAML 1.2 gives them no meaning; after a quote or bracket `:` ends a key.
_COLON_IN_WORD = late_pattern(r"(?<=[^\s,\[\]{}'\"]):(?=[^\s,\[\]{}])")
_QUESTION_IN_WORD = late_pattern(r"(?<=[^\s,\[\]{}])\?(?=[^\s,\[\]{}])")


def allow_url_characters(text: str, problem: str, offset: int) -> str:
    """Return `text` with every `:` and `?` inside words patched, if one stopped the parser.

    The C parser is one of YAML 1.1 and wants quotes around `http://x/y?z` inside `{ }` and `[ ]`;
    YAML 1.2, editors and the pure parser don't.
    """
    if "unexpected ':'" not in problem and text[offset : offset + 1] != "?":
        return text
    return _QUESTION_IN_WORD.sub(_QUESTION, _COLON_IN_WORD.sub(_COLON, text))


@dataclass(frozen=True, slots=True)
class Repair:
    """An expression without quotes inside `{ }` or `[ ]`: what to say, and what to read over."""

    finding: Diagnostic
    start: int
    end: int


_DOUBLE_BRACES = late_pattern(r"\{\{[^{}\r\n]*\}\}")


def find_repair(source: Source, offset: int) -> Repair | None:
    """Return the unquoted `${…}` or `{{ … }}` that stopped the parser at `offset`, if one did."""
    text = source.text
    if _ANY in text:
        return None
    if text[offset - 1 : offset + 1] == "${" and (end := _closing_brace(text, offset)):
        message = "an expression inside `{ }` or `[ ]` needs quotes: its braces mean a mapping"
        return _repair(source, Code.UNQUOTED_EXPRESSION, message, (offset - 1, end))
    line_start = source.line_start(offset)
    for braces in _DOUBLE_BRACES.finditer(text, line_start):
        if braces.start() <= offset < braces.end():
            message = "`{{ }}` has no meaning in a plan"
            return _repair(source, Code.WRONG_BRACES, message, braces.span())
        if braces.start() > offset:
            break
    return None


def _repair(source: Source, code: Code, message: str, at: tuple[int, int]) -> Repair:
    text, (start, end) = source.text, at
    expression = "${" + text[start:end].strip("{} $") + "}"
    word = text[_word_start(text, start) : start] + expression + text[end : _word_end(text, end)]
    hint = f"write `{_quoted(word)}`"
    return Repair(source.diagnostic(code, message, at=at, hint=hint), start, end)


def _closing_brace(text: str, opening: int) -> int:
    """Return the end of the expression whose `{` stands at `opening`, 0 when it has none."""
    depth, quote = 0, ""
    for index in range(opening, len(text)):
        character = text[index]
        if character in "\r\n":
            return 0
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return index + 1
    return 0


_WORD_END = late_pattern(r"[^,\]}\r\n]*")


def _word_start(text: str, offset: int) -> int:
    while offset and text[offset - 1] not in " \t\r\n,[{":
        offset -= 1
    return offset


def _word_end(text: str, offset: int) -> int:
    found = _WORD_END.match(text, offset)
    return offset + len(found[0].rstrip()) if found else offset


def _quoted(text: str) -> str:
    return f"'{text}'" if '"' in text else f'"{text}"'
