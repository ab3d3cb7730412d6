"""Mappings and lists in brackets, on one line."""

from __future__ import annotations

from planrunner.plan.formatting.scalars import key_line, scalar_lines
from planrunner.plan.formatting.written import (
    WrittenBranch,
    WrittenEntry,
    WrittenLeaf,
    WrittenNode,
)

__all__ = ["flow_text", "key_text"]


def flow_text(branch: WrittenBranch) -> str | None:
    """Return `branch` with its brackets; None if it can't be one line: a comment is inside."""
    if branch.end.remarks:
        return None
    texts = []
    for entry in branch.entries:
        text = _entry_text(entry)
        if text is None:
            return None
        texts.append(text)
    text = ", ".join(texts)
    if branch.is_list:
        text = f"[{text}]"
    elif not (branch.is_pair and ": " in text):
        text = f"{{{text}}}"
    return f"{branch.properties} {text}" if branch.properties else text


def key_text(key: WrittenLeaf, *, in_flow: bool) -> str:
    """Return the key with its colon."""
    text = key_line(key, in_flow=in_flow)
    if key.properties:
        text = f"{key.properties} {text}"
    return f"{text} :" if key.style == "*" else f"{text}:"


def _entry_text(entry: WrittenEntry) -> str | None:
    if entry.gap.remarks or entry.value.gap.remarks:
        return None
    value = _node_text(entry.value)
    if entry.key is None or value is None:
        return value
    key = key_text(entry.key, in_flow=True)
    return f"{key} {value}" if value else key.removesuffix(":").rstrip()


def _node_text(node: WrittenNode) -> str | None:
    if isinstance(node, WrittenBranch):
        return flow_text(node)
    lines = scalar_lines(node, in_flow=True)
    if len(lines) > 1:
        return None
    return f"{node.properties} {lines[0]}".strip(" ") if node.properties else lines[0]
