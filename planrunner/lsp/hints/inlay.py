"""Hints between the characters: the share of each class and task, and when each stage ends."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from planrunner.lsp.documents.load_facts import (
    class_share,
    end_words,
    phase_at,
    stage_ends_ns,
    task_share,
)
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind, OccurrenceForm
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.plan.yaml.places import entries

__all__ = ["inlay_hints"]


def inlay_hints(view: PlanView, asked: types.Range) -> list[types.InlayHint]:
    """Return the hints of some lines; none of a tree that is older than the text."""
    if not view.is_current:
        return []
    found = [*_shares(view, asked), *_stages(view)]
    return [one for one in found if asked.start.line <= one.position.line <= asked.end.line]


def _shares(view: PlanView, asked: types.Range) -> Iterator[types.InlayHint]:
    graph, source = view.facts.graph, view.reading.source
    if graph is None:
        return
    for one in view.reading.names:
        if one.path[:1] != ("users",) or not one.is_definition:
            continue
        if not asked.start.line <= source.line_of(one.end) - 1 <= asked.end.line:
            continue
        words = ""
        if one.kind is NameKind.USER:
            words = class_share(graph, one.name)
        elif one.kind is NameKind.TASK:
            words = task_share(graph, str(one.path[1]), one.name)
        if words:
            at = one.end + (source.text[one.end : one.end + 1] in ("'", '"'))
            is_key = one.kind is NameKind.USER and one.form is OccurrenceForm.PLAIN
            yield _hint(view, at + is_key, words)


def _stages(view: PlanView) -> Iterator[types.InlayHint]:
    tree = view.reading.tree
    lists: list[tuple[PlanPath, YamlNode]] = []
    for key in ("stages", "phases", "profiles"):
        node = view.reading.node((key,))
        if node is not None and isinstance(tree.data, dict):
            lists += _stage_lists((key,), node)
    for path, node in lists:
        phase = phase_at(view, path)
        if phase is None or not isinstance(node.items, list):
            continue
        ends = stage_ends_ns(phase)
        if len(ends) == len(node.items):
            for item, end_ns in zip(node.items, ends, strict=True):
                text = item.source.text[item.start : item.end].rstrip()
                yield _hint(view, item.start + len(text), end_words(end_ns))


def _stage_lists(path: PlanPath, node: YamlNode) -> Iterator[tuple[PlanPath, YamlNode]]:
    """Yield each list of stages below a node."""
    if path[-1] == "stages":
        yield path, node
        return
    for key, _, child in entries(node):
        if isinstance(key, int) or path[0] == "profiles" or key == "stages":
            yield from _stage_lists((*path, key), child)


def _hint(view: PlanView, offset: int, words: str) -> types.InlayHint:
    position = view.reading.range(offset, offset).start
    return types.InlayHint(position, words, padding_left=True)
