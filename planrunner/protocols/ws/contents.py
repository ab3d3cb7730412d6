"""Compile what a message says: text, JSON, bytes in base64, or what is in a file."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable

from planrunner.language.diagnostics import Code
from planrunner.language.expressions.values import EvaluationError, to_text
from planrunner.language.fields.text import Text
from planrunner.language.files import FileFault
from planrunner.protocols.base import Scope
from planrunner.protocols.http.compile.bodies import compile_json
from planrunner.protocols.http.operation import DynamicBody, StaticBody
from planrunner.protocols.lowering import Lowering, SpecPath
from planrunner.protocols.ws.spec import WsSend
from planrunner.values import dataclass

__all__ = ["ConstantContent", "Render", "compile_content", "compile_reason"]

_LONGEST_REASON = 123

Render = Callable[[Scope], bytes]


@dataclass(frozen=True, slots=True)
class ConstantContent:
    """A `Render` of what is the same each time."""

    data: bytes

    def __call__(self, _: Scope) -> bytes:
        return self.data


def compile_content(spec: WsSend, lowering: Lowering) -> tuple[Render, bool]:
    """Return what makes the message, and whether it is text."""
    if "json_" in spec.model_fields_set:
        body = compile_json(spec.json_, lowering, ("json",))
        if isinstance(body, StaticBody):
            return ConstantContent(body.content), True
        assert isinstance(body, DynamicBody)
        return body.evaluate, True
    if spec.base64 is not None:
        return _binary(spec.base64, lowering), False
    if spec.file is not None:
        return ConstantContent(_content(spec.file, lowering)), False
    assert spec.text is not None
    return _text(spec.text, lowering, ("text",), "the message"), True


def compile_reason(text: Text | None, lowering: Lowering) -> Render | None:
    """Return what makes the reason of a close; one that is too long is a fault."""
    if text is None:
        return None
    lowered = lowering.text(text, ("reason",))
    longest = f"a reason has at most {_LONGEST_REASON} bytes"
    if lowered.is_constant and len(to_text(lowered.value).encode()) > _LONGEST_REASON:
        lowering.fault(("reason",), Code.INVALID_VALUE, longest)
    render = _text(text, lowering, ("reason",), "the reason")

    def short(scope: Scope) -> bytes:
        reason = render(scope)
        if len(reason) > _LONGEST_REASON:
            raise EvaluationError(longest)
        return reason

    return short


def _text(text: Text, lowering: Lowering, path: SpecPath, what: str) -> Render:
    lowered = lowering.text(text, path)
    half = f"{what} has characters that UTF-8 can't write"
    if lowered.is_constant:
        try:
            return ConstantContent(to_text(lowered.value).encode())
        except UnicodeEncodeError:
            lowering.fault(path, Code.INVALID_VALUE, half)
    evaluate = lowered.evaluate

    def render(scope: Scope) -> bytes:
        try:
            return to_text(evaluate(scope)).encode()
        except UnicodeEncodeError as error:
            raise EvaluationError(half) from error

    return render


def _binary(text: Text, lowering: Lowering) -> Render:
    lowered = lowering.text(text, ("base64",))
    wrong = f"`{text.source}` is not base64"
    if lowered.is_constant:
        try:
            return ConstantContent(b64decode(to_text(lowered.value), validate=True))
        except (ValueError, binascii.Error):
            lowering.fault(("base64",), Code.INVALID_VALUE, wrong)
    evaluate = lowered.evaluate

    def render(scope: Scope) -> bytes:
        try:
            return b64decode(to_text(evaluate(scope)), validate=True)
        except (ValueError, binascii.Error) as error:
            raise EvaluationError(wrong) from error

    return render


def _content(text: Text, lowering: Lowering) -> bytes:
    name = lowering.constant(text, ("file",))
    if name is None:
        return b""
    try:
        return lowering.files.read(name)
    except FileFault as fault:
        lowering.file_fault(("file",), name, fault)
        return b""
