"""What a step reads of a reply, looked up in the message that its method gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from planrunner.language.diagnostics import Code, suggest
from planrunner.protocols.grpc.operation import ReplyPath
from planrunner.protocols.grpc.spec import GrpcCall
from planrunner.protocols.json_replies.spec import Rule
from planrunner.protocols.jsonpath import plain_keys
from planrunner.protocols.lowering import SpecFault
from planrunner.protocols.operation_model import Extraction

__all__ = ["paths_read", "unknown_fields"]


def paths_read(spec: GrpcCall) -> Iterator[ReplyPath]:
    """Yield the plain JSONPaths that have to find something; others may mean what they find."""
    for source, expected in (spec.expect.json_ or {} if spec.expect else {}).items():
        is_absent = isinstance(expected, Rule) and expected.exists is False
        if not is_absent and (keys := plain_keys(source)):
            yield ReplyPath(("expect", "json", source), keys, is_key=True)
    for name, given in (spec.extract or {}).items():
        is_mapping = isinstance(given, Extraction)
        text = given.jsonpath if isinstance(given, Extraction) else given
        if keys := plain_keys(text.source):
            where = ("extract", name, *(("jsonpath",) if is_mapping else ()))
            yield ReplyPath(where, keys)


def unknown_fields(gives: Any, paths: Sequence[ReplyPath]) -> Iterator[SpecFault]:  # noqa: ANN401 - protobuf has no types
    """Yield the paths that name a field which the message, or one in it, doesn't have."""
    for path in paths:
        if (found := _lacking(gives, path.keys)) is not None:
            message, name = found
            names = [field.name for field in message.fields]
            meant = next((field.name for field in message.fields if field.json_name == name), "")
            hint = f"write `{meant}`" if meant else suggest(name, names)
            hint = hint or f"fields: {', '.join(f'`{one}`' for one in names[:12])}"
            words = f"`{message.full_name}` has no field `{name}`"
            yield SpecFault(path.where, Code.UNKNOWN_NAME, words, hint, is_key=path.is_key)


def _lacking(message: Any, keys: Sequence[str | int]) -> tuple[Any, str] | None:  # noqa: ANN401
    """Return the first message that lacks what a path names, and that; None where all are known."""
    is_list = is_map = False
    for key in keys:
        if is_map or (is_list and isinstance(key, int)):
            is_list = is_map = False
            continue
        # What is in the well-known types isn't said by their fields.
        if is_list or message is None or message.full_name.startswith("google.protobuf."):
            return None
        if not isinstance(key, str):
            return None
        field = message.fields_by_name.get(key)
        if field is None:
            return message, key
        message, is_list = field.message_type, field.is_repeated
        is_map = is_list and message is not None and message.GetOptions().map_entry
        if is_map:
            message, is_list = message.fields_by_name["value"].message_type, False
    return None
