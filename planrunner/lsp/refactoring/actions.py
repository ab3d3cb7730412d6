"""Changes that an editor offers where nothing is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind, Occurrence, OccurrenceForm
from planrunner.plan.models.requests import VERBS
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.nodes import YamlNode

__all__ = ["refactorings"]

_EXPRESSION: Final = re.compile(r"\$\{([^}]*)\}")
_LISTS: Final = frozenset({"steps", "do", "then", "else", "on_start", "on_stop"})
_BEFORE: Final = ("users", "phases", "profiles", "stages")


def refactorings(view: PlanView, asked: types.Range) -> list[types.CodeAction]:
    """Return what can be changed at a place, or with what is selected."""
    if not view.is_current:
        return []
    return [*_names(view, asked), *_flows(view, asked)]


def _action(
    view: PlanView, title: str, kind: types.CodeActionKind, edits: Sequence[types.TextEdit]
) -> types.CodeAction:
    edit = types.WorkspaceEdit(changes={view.uri: list(edits)})
    return types.CodeAction(title=title, kind=kind, edit=edit)


# --- a name for a request ---------------------------------------------------------------------


def _names(view: PlanView, asked: types.Range) -> Iterator[types.CodeAction]:
    offset = view.reading.offset(asked.start)
    row = view.reading.source.line_of(offset)
    for one in view.reading.names:
        is_here = view.reading.source.line_of(one.start) == row
        if is_here and _is_nameless(one):
            name = written_path(one.name)
            edit = _name_edit(view, one, name)
            kind = types.CodeActionKind.RefactorRewrite
            yield _action(view, f"Name this request `{name}`", kind, [edit])
            return


def _is_nameless(one: Occurrence) -> bool:
    is_derived = one.kind is NameKind.REQUEST and one.form is OccurrenceForm.DERIVED
    return is_derived and one.path[-1] in VERBS


def written_path(name: str) -> str:
    """Return a name with words for its expressions: `GET /items/:id`."""

    def word(found: re.Match[str]) -> str:
        names = re.findall(r"[A-Za-z_]\w*", found[1])
        return f":{names[-1]}" if names and names[0] not in ("rand", "fake") else ":id"

    return _EXPRESSION.sub(word, name).partition("?")[0].strip()


def _name_edit(view: PlanView, one: Occurrence, name: str) -> types.TextEdit:
    """Return the edit that writes the name behind the URL."""
    reading = view.reading
    node, step = reading.node(one.path), reading.node(one.path[:-1])
    assert node is not None  # the occurrence stands there
    assert step is not None
    text, end = reading.source.text, node.start + len(_written(node))
    is_flow = text[step.start : step.start + 1] == "{"
    if is_flow:
        new = f", name: {_quoted(name)}"
    else:
        column = step.start - reading.source.line_start(step.start)
        end = len(text) if (at := text.find("\n", end)) < 0 else at
        new = f"\n{' ' * column}name: {name}"
    return types.TextEdit(reading.range(end, end), new)


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w /.:-]+", name) else f'"{name}"'


def _written(node: YamlNode) -> str:
    return node.source.text[node.start : node.end].rstrip()


# --- a flow of steps --------------------------------------------------------------------------


def _flows(view: PlanView, asked: types.Range) -> Iterator[types.CodeAction]:
    found = _selected(view, asked)
    if found is None:
        return
    steps, column = found
    reading, text = view.reading, view.reading.source.text
    name = next(one for one in _fresh_names() if one not in view.index.names(NameKind.FLOW))
    start = reading.source.line_start(steps[0].start)
    last = steps[-1].start + len(_written(steps[-1]))
    end = len(text) if (at := text.find("\n", last)) < 0 else at
    block = text[start:end]
    calling = types.TextEdit(reading.range(start, end), f"{' ' * column}- call: {name}")
    where, head, tail = _place_of_flow(view, name)
    moved = "\n".join(_shifted(block.split("\n"), column, 4))
    flow = types.TextEdit(reading.range(where, where), f"{head}{moved}{tail}")
    kind = types.CodeActionKind.RefactorExtract
    yield _action(view, f"Extract the flow `{name}`", kind, [calling, flow])


def _fresh_names() -> Iterator[str]:
    yield "extracted"
    yield from (f"extracted-{number}" for number in range(2, 1_000))


def _selected(view: PlanView, asked: types.Range) -> tuple[list[YamlNode], int] | None:
    """Return the steps of one list that are selected, and the column of their dashes."""
    reading = view.reading
    first = reading.offset(asked.start)
    path, _ = reading.path_at(first + _blanks(reading.source.text, first))
    for end in range(len(path), 1, -1):
        place: PlanPath = path[:end]
        if not isinstance(place[-1], int) or place[-2] not in _LISTS or "flows" in place:
            continue
        items = reading.node(place[:-1])
        if items is None or not isinstance(items.items, list):
            return None
        chosen = [
            one
            for one in items.items[place[-1] :]
            if reading.source.line_of(one.start) <= asked.end.line + 1
        ]
        steps = chosen if asked.end != asked.start else chosen[:1]
        return _with_column(view, steps)
    return None


def _with_column(view: PlanView, steps: list[YamlNode]) -> tuple[list[YamlNode], int] | None:
    """Return steps and the column of their dashes; nothing for steps in brackets."""
    source = view.reading.source
    columns = set[int]()
    for step in steps:
        head = source.text[source.line_start(step.start) : step.start]
        if head.strip() != "-":
            return None
        columns.add(head.index("-"))
    return (steps, columns.pop()) if len(columns) == 1 else None


def _blanks(text: str, offset: int) -> int:
    """Return how many blanks and dashes stand before what is written at a place."""
    found = re.compile(r"[ \-]*").match(text, offset)
    return found.end() - offset if found else 0


def _place_of_flow(view: PlanView, name: str) -> tuple[int, str, str]:
    """Return where a new flow goes, and what stands before and behind its steps."""
    reading, text = view.reading, view.reading.source.text
    flows = reading.node(("flows",))
    root = reading.tree.items
    assert isinstance(root, dict)  # a plan with steps
    if flows is not None and isinstance(flows.items, dict) and text[flows.start] != "{":
        last = max(child.end for _, _, child in flows.items.values())
        end = len(text[:last].rstrip())
        at = len(text) if (line_end := text.find("\n", end)) < 0 else line_end
        return at, f"\n  {name}:\n", ""
    before = next((root[key][0] for key in _BEFORE if key in root), 0)
    return before, f"flows:\n  {name}:\n", "\n\n"


def _shifted(lines: Sequence[str], before: int, after: int) -> Iterator[str]:
    for line in lines:
        yield " " * after + line[before:] if line.strip() else ""
