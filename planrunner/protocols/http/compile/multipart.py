"""Compile `multipart:` (RFC 7578): texts are encoded, files stay on disk until they are sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final, cast

from planrunner.language.expressions.expression import EvaluationError, Lowered, to_text
from planrunner.language.expressions.values import Evaluate
from planrunner.language.fields.pieces import merge_constants
from planrunner.language.fields.text import Text
from planrunner.language.files import MAX_SENT, FileFault
from planrunner.protocols.base import Scope
from planrunner.protocols.http.operation import Body, DynamicBody, StaticBody, StreamBody
from planrunner.protocols.http.spec import MultipartPart
from planrunner.protocols.lowering import Lowering, SpecPath

__all__ = ["compile_multipart"]

RenderPart = Callable[[Scope], bytes | Path]
PartPiece = bytes | Path | RenderPart

_ANY_TYPE: Final = "application/octet-stream"
_QUOTED: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def compile_multipart(parts: Mapping[str, object], lowering: Lowering, path: SpecPath) -> Body:
    """Compile the parts in their order; a list repeats its name, null leaves it out."""
    boundary = os.urandom(16).hex()
    pieces: list[PartPiece] = []
    for name, value in parts.items():
        place = (*path, name)
        key = lowering.key(name, place)
        items = value if isinstance(value, list | tuple) else (value,)
        for index, item in enumerate(items):
            where = place if item is value else (*place, index)
            pieces += _part(_Boundary(boundary, key), item, lowering, where)
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    return _body(
        merge_constants(pieces, bytes),
        f"multipart/form-data; boundary={boundary}",
        has_file=_has_file(parts),
    )


def _has_file(parts: Mapping[str, object]) -> bool:
    for part in parts.values():
        items = part if isinstance(part, list | tuple) else (part,)
        if any(isinstance(item, MultipartPart) and item.file is not None for item in items):
            return True
    return False


def _body(pieces: tuple[PartPiece, ...], content_type: str, *, has_file: bool) -> Body:
    if has_file:
        return StreamBody(pieces, content_type)
    if len(pieces) == 1 and isinstance(pieces[0], bytes):
        return StaticBody(pieces[0], content_type)
    makers = [
        _constant(piece) if isinstance(piece, bytes) else cast("RenderPart", piece)
        for piece in pieces
    ]

    def evaluate(scope: Scope) -> bytes:
        return b"".join([cast("bytes", make(scope)) for make in makers])

    return DynamicBody(evaluate, content_type)


def _constant(data: bytes) -> Callable[[Scope], bytes]:
    return lambda _: data


class _Boundary:
    """What stands around the content of one part."""

    def __init__(self, boundary: str, name: str) -> None:
        self._start = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quote(name)}"'

    def head(self, filename: str = "", content_type: str = "") -> bytes:
        text = self._start
        if filename:
            text += f'; filename="{_quote(filename)}"'
        if content_type:
            if not content_type.isprintable():
                raise EvaluationError("a content type must be one line without control characters")
            text += f"\r\nContent-Type: {content_type}"
        return f"{text}\r\n\r\n".encode("utf-8", "replace")


def _quote(text: str) -> str:
    """Escape as browsers do (HTML, multipart/form-data encoding algorithm)."""
    return text.translate(_QUOTED)


def _part(
    frame: _Boundary, item: object, lowering: Lowering, path: SpecPath
) -> Iterator[PartPiece]:
    if isinstance(item, MultipartPart):
        if item.file is not None:
            yield from _file(frame, item, item.file, lowering, path)
        elif item.text is not None:
            yield from _text(frame, item, item.text, lowering, path)
        return
    lowered = lowering.value(item, path)
    if lowered.is_constant:
        with lowering.at(path):
            yield _values(frame, lowered.value)
    else:
        yield lambda scope: _values(frame, lowered.evaluate(scope))


def _values(frame: _Boundary, value: object) -> bytes:
    values = value if isinstance(value, list | tuple) else (value,)
    head = frame.head()
    return b"".join(
        head + to_text(item).encode("utf-8", "replace") + b"\r\n"
        for item in values
        if item is not None
    )


def _text(
    frame: _Boundary, part: MultipartPart, text: Text, lowering: Lowering, path: SpecPath
) -> Iterator[PartPiece]:
    content = lowering.text(text, (*path, "text"))
    filename = _optional(part.filename, lowering, (*path, "filename"))
    content_type = _optional(part.type, lowering, (*path, "type"))

    def render(scope: Scope) -> bytes:
        head = frame.head(to_text(filename(scope)), to_text(content_type(scope)))
        return head + to_text(content.evaluate(scope)).encode("utf-8", "replace") + b"\r\n"

    yield from _fold(render, (text, part.filename, part.type), lowering, path)


def _file(
    frame: _Boundary, part: MultipartPart, file: Text, lowering: Lowering, path: SpecPath
) -> Iterator[PartPiece]:
    import mimetypes  # noqa: PLC0415 - few bodies are files

    name = lowering.text(file, (*path, "file"))
    locate = _locator(file, name, lowering, (*path, "file"))
    filename = _optional(part.filename, lowering, (*path, "filename"))
    content_type = _optional(part.type, lowering, (*path, "type"))

    def head(scope: Scope) -> bytes:
        shown = PurePosixPath(to_text(name.evaluate(scope)).replace("\\", "/")).name
        kind = to_text(content_type(scope)) or mimetypes.guess_type(shown)[0] or _ANY_TYPE
        return frame.head(to_text(filename(scope)) or shown, kind)

    yield from _fold(head, (file, part.filename, part.type), lowering, path)
    yield locate
    yield b"\r\n"


def _optional(text: Text | None, lowering: Lowering, path: SpecPath) -> Evaluate:
    return (lambda _: "") if text is None else lowering.text(text, path).evaluate


def _fold(
    render: Callable[[Scope], bytes],
    texts: tuple[Text | None, ...],
    lowering: Lowering,
    path: SpecPath,
) -> Iterator[PartPiece]:
    """Yield the bytes themselves when nothing in them depends on the user."""
    quiet = Lowering(lowering.constants, lowering.files)
    if all(text is None or quiet.text(text, path).is_constant for text in texts):
        with lowering.at(path):
            yield render({})
    else:
        yield render


def _locator(
    file: Text, name: Lowered, lowering: Lowering, path: SpecPath
) -> Path | Callable[[Scope], Path]:
    if name.is_constant:
        return lowering.file(file, path, most=MAX_SENT) or Path()
    files, source = lowering.files, file.source
    parts = lowering.parts(file, path)
    files.may_read([part if isinstance(part, str) else None for part in parts])

    def locate(scope: Scope) -> Path:
        wanted = to_text(name.evaluate(scope))
        pure = PurePosixPath(wanted.replace("\\", "/"))
        # What a variable holds may come from the server: it names files of the plan's folder only.
        if pure.is_absolute() or ".." in pure.parts or not wanted:
            raise EvaluationError(f"the file `{source}` must be inside the plan's folder")
        try:
            return files.path(wanted)
        except FileFault as failed:
            raise EvaluationError(f"the file `{source}` {failed.message}") from failed

    return locate
