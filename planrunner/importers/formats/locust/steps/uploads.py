"""Files that requests upload → `multipart`."""

from __future__ import annotations

import ast
from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.locust.code.expressions import text_of
from planrunner.importers.formats.locust.code.mappings import source_of
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable

__all__ = ["multipart"]

_COMPUTED: Final = "files to upload that are computed; see `multipart:` of a request"


def multipart(node: ast.expr, names: LocustNames) -> Keys:
    """Return the parts of a body that uploads files.

    Raises:
        Unsayable: The code does not say which.
    """
    match source_of(node, names):
        case ast.Dict(keys=keys, values=values):
            pairs = [(key, one) for key, one in zip(keys, values, strict=True) if key is not None]
        case ast.List(elts=items):
            pairs = [
                (one.elts[0], one.elts[1])
                for one in items
                if isinstance(one, ast.Tuple) and len(one.elts) == 2
            ]
        case _:
            raise Unsayable(node, _COMPUTED)
    return {text_of(key, names): _part(one, names) for key, one in pairs}


def _part(node: ast.expr, names: LocustNames) -> object:
    """Return one part: a file, or a text with a name."""
    match node:
        case ast.Tuple(elts=[filename, content, *rest]):
            part = _content(content, names)
            shown = text_of(filename, names)
            if part.get("file") != shown:
                part["filename"] = shown
            if rest:
                part["type"] = text_of(rest[0], names)
            return part
        case _:
            return _content(node, names)


def _content(node: ast.expr, names: LocustNames) -> Keys:
    """Return what a file holds."""
    match node:
        case ast.Call(func=ast.Name(id="open"), args=[path, *_]):
            return {"file": names.file(text_of(path, names), node)}
        case ast.Call(func=ast.Attribute(value=inner, attr="read"), args=[]):
            return _content(inner, names)
        case ast.Call(args=[inner]) if names.module.full_name(node.func) in (
            "io.BytesIO",
            "io.StringIO",
        ):
            return {"text": text_of(inner, names)}
        case ast.Name(id=name) if name in names.opened:
            return {"file": names.opened[name]}
        case _:
            return {"text": text_of(node, names)}
