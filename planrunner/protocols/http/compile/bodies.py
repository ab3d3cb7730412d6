"""Compile the bodies of requests: constant parts are encoded once, before the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from json.encoder import encode_basestring
from math import isfinite
from typing import Final
from urllib.parse import quote_plus

from planrunner.language.expressions.expression import EvaluationError, to_text
from planrunner.language.expressions.values import Undefined, kind_of
from planrunner.language.fields.pieces import merge_constants
from planrunner.language.fields.text import Text
from planrunner.language.files import MAX_SENT
from planrunner.protocols.base import Scope
from planrunner.protocols.http.operation import Body, DynamicBody, FileBody, StaticBody
from planrunner.protocols.http.spec import RequestKeys
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["compile_body", "compile_form", "compile_json"]

RenderText = Callable[[Scope], str]
TextPiece = str | RenderText

_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"
_TEXT: Final = "text/plain; charset=utf-8"
_HALF: Final = "the body has characters that UTF-8 can't write"


def compile_body(spec: RequestKeys, lowering: Lowering) -> Body | None:
    """Compile the one body a request may have; two are a fault."""
    given = spec.model_fields_set
    if "json_" in given:
        return compile_json(spec.json_, lowering, ("json",))
    if spec.form is not None:
        return compile_form(spec.form, lowering, ("form",))
    if spec.body is not None:
        return _compile_text(spec.body, lowering, ("body",))
    if spec.body_file is not None:
        return _compile_file(spec.body_file, lowering, ("body_file",))
    if spec.multipart is not None:
        from planrunner.protocols.http.compile.multipart import compile_multipart  # noqa: PLC0415 - few bodies have parts

        return compile_multipart(spec.multipart, lowering, ("multipart",))
    return None


def _body(pieces: Iterator[TextPiece], content_type: str) -> Body:
    merged = merge_constants(pieces, str)
    if all(isinstance(piece, str) for piece in merged):
        return StaticBody("".join(map(str, merged)).encode(), content_type)

    form = [piece if isinstance(piece, str) else "" for piece in merged]
    gaps = [(place, piece) for place, piece in enumerate(merged) if not isinstance(piece, str)]

    def evaluate(scope: Scope) -> bytes:
        filled = form.copy()
        for place, render in gaps:
            filled[place] = render(scope)
        try:
            return "".join(filled).encode()
        except UnicodeEncodeError as failed:
            raise EvaluationError(_HALF) from failed

    return DynamicBody(evaluate, content_type)


# -- JSON ----------------------------------------------------------------------------------


def compile_json(value: object, lowering: Lowering, path: SpecPath) -> Body:
    """Compile compact JSON; a leaf that is exactly one `${…}` keeps its value's type."""
    return _body(_json_pieces(value, lowering, path), _JSON)


def _json_pieces(value: object, lowering: Lowering, path: SpecPath) -> Iterator[TextPiece]:
    if isinstance(value, Text):
        yield from _json_text(value, lowering, path)
    elif isinstance(value, Mapping):
        yield "{"
        for index, (key, item) in enumerate(value.items()):
            place = (*path, key)
            comma = "," if index else ""
            yield f"{comma}{encode_basestring(lowering.key(key, place))}:"
            yield from _json_pieces(item, lowering, place)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for index, item in enumerate(value):
            yield "," if index else ""
            yield from _json_pieces(item, lowering, (*path, index))
        yield "]"
    else:
        with lowering.at(path):
            yield encode_json(value)


def _json_text(text: Text, lowering: Lowering, path: SpecPath) -> Iterator[TextPiece]:
    if text.is_single:
        lowered = lowering.text(text, path)
        if lowered.is_constant:
            with lowering.at(path):
                yield encode_json(lowered.value)
        else:
            yield _json_leaf(lowered.evaluate)
        return
    yield '"'
    for part in lowering.parts(text, path):
        yield encode_basestring(part)[1:-1] if isinstance(part, str) else _json_inside(part)
    yield '"'


def _json_leaf(evaluate: Callable[[Scope], object]) -> RenderText:
    def render(scope: Scope) -> str:
        value = evaluate(scope)
        return encode_basestring(value) if value.__class__ is str else encode_json(value)

    return render


def _json_inside(evaluate: Callable[[Scope], object]) -> RenderText:
    return lambda scope: encode_basestring(to_text(evaluate(scope)))[1:-1]


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(kind_of(value))


_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain
).encode


def encode_json(value: object) -> str:
    """Return compact JSON.

    Raises:
        EvaluationError: The value has no JSON form.
    """
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as failed:
        try:
            words = next(_not_json(value, ""))
        except (StopIteration, RecursionError):
            words = f"{kind_of(value)} is nested too deeply for JSON, or part of itself"
        raise EvaluationError(words) from failed


def _not_json(value: object, place: str) -> Iterator[str]:
    """Yield what of a value JSON doesn't have, and where in it that is."""
    parts: Iterable[tuple[str, object]] = ()
    if isinstance(value, Mapping):
        parts = ((f"{place}.{key}" if place else f"{key}", item) for key, item in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"{place}[{index}]", item) for index, item in enumerate(value))
    for where, item in parts:
        yield from _not_json(item, where)
    if what := _unwritable(value):
        at = f", which is what `{place}` is" if place else ""
        yield f"{what} can't be written as JSON{at}"


def _unwritable(value: object) -> str:
    """Return what a value is, its parts aside, if JSON has nothing like it."""
    match value:
        case None | str() | int() | list() | tuple():
            return ""
        case float():
            return "" if isfinite(value) else str(value)
        case Mapping():
            has_names = all(key is None or isinstance(key, str | int | float) for key in value)
            return "" if has_names else "a mapping with keys that aren't text"
        case bytes() | bytearray() | Undefined():
            return kind_of(value)
        case _:
            return f"a `{type(value).__name__}`"


# -- form, text, file ----------------------------------------------------------------------


def compile_form(form: Mapping[str, object], lowering: Lowering, path: SpecPath) -> Body:
    """Compile an urlencoded form; a list repeats its key, null leaves it out."""
    fields = tuple(_form_field(name, value, lowering, path) for name, value in form.items())
    if all(isinstance(piece, str) for piece in fields):
        return StaticBody("&".join(filter(None, map(str, fields))).encode(), _FORM)

    def evaluate(scope: Scope) -> bytes:
        pieces = [piece if isinstance(piece, str) else piece(scope) for piece in fields]
        return "&".join(filter(None, pieces)).encode()

    return DynamicBody(evaluate, _FORM)


def _form_field(name: str, value: object, lowering: Lowering, path: SpecPath) -> TextPiece:
    place = (*path, name)
    key = quote_plus(lowering.key(name, place))
    lowered = lowering.value(value, place)
    if lowered.is_constant:
        with lowering.at(place):
            return _form_pairs(key, lowered.value)
        return ""
    evaluate = lowered.evaluate
    return lambda scope: _form_pairs(key, evaluate(scope))


def _form_pairs(key: str, value: object) -> str:
    values = value if isinstance(value, list | tuple) else (value,)
    return "&".join(
        f"{key}={quote_plus(to_text(item), errors='replace')}"
        for item in values
        if item is not None
    )


def _compile_text(text: Text, lowering: Lowering, path: SpecPath) -> Body:
    """Compile text; what is exactly one `${…}` may be bytes, which are sent as they are."""
    if text.is_single:
        lowered = lowering.text(text, path)
        evaluate = _bytes_or_text(lowered.evaluate)
        if not lowered.is_constant:
            return DynamicBody(evaluate, _TEXT)
        with lowering.at(path):
            return StaticBody(evaluate({}), _TEXT)
        return StaticBody(b"", _TEXT)
    pieces = lowering.parts(text, path)
    return _body((p if isinstance(p, str) else _text_piece(p) for p in pieces), _TEXT)


def _bytes_or_text(evaluate: Callable[[Scope], object]) -> Callable[[Scope], bytes]:
    def render(scope: Scope) -> bytes:
        value = evaluate(scope)
        if isinstance(value, bytes | bytearray):
            return bytes(value)
        try:
            return to_text(value).encode()
        except UnicodeEncodeError as failed:
            raise EvaluationError(_HALF) from failed

    return render


def _text_piece(evaluate: Callable[[Scope], object]) -> RenderText:
    return lambda scope: to_text(evaluate(scope))


def _compile_file(text: Text, lowering: Lowering, path: SpecPath) -> Body | None:
    file = lowering.file(text, path, most=MAX_SENT)
    if file is None:
        return None
    import mimetypes  # noqa: PLC0415 - few bodies are files

    return FileBody(file, mimetypes.guess_type(file.name)[0] or "application/octet-stream")
