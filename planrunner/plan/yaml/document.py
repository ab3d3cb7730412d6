"""YAML text → data and the place of every piece of it; every fault of the file as a diagnostic."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from planrunner.language.diagnostics import Code, Diagnostic, Note, PlanError, Span
from planrunner.plan.yaml.files import read_text
from planrunner.plan.yaml.nodes import TreeBuilder, YamlNode
from planrunner.plan.yaml.scalar_offsets import character_offsets, content_start
from planrunner.plan.yaml.source import Source
from planrunner.plan.yaml.yaml_events import YamlProblem, open_events
from planrunner.plan.yaml.yaml_faults import explain, find_unreadable, readable
from planrunner.plan.yaml.yaml_repairs import allow_url_characters, find_repair, patch
from planrunner.values import dataclass

__all__ = ["Document", "KeyOrValue", "PlanPath", "parse", "read"]

PlanPath: TypeAlias = tuple[str | int, ...]
KeyOrValue: TypeAlias = Literal["key", "value"]


@dataclass(frozen=True, slots=True)
class Document:
    """A plan as data, with positions.

    Attributes:
        source: The file that was read; an imported piece remembers its own.
        root: The tree; its `data` is what the plan says.
        faults: What is wrong with the YAML though it could be read; the plan is invalid.
        imported: The other files it is made of.
    """

    source: Source
    root: YamlNode
    faults: tuple[Diagnostic, ...] = ()
    imported: tuple[Source, ...] = ()

    @property
    def file(self) -> str:
        return self.source.file

    @property
    def data(self) -> Any:  # noqa: ANN401 - YAML data has no type until pydantic gives it one
        return self.root.data

    def has(self, path: Sequence[str | int]) -> bool:
        """Whether the plan says something at `path`."""
        return self._locate(path)[2] == len(path)

    def nearest(self, location: Sequence[str | int]) -> PlanPath:
        """Return the path in the plan that `location` means.

        Pydantic puts names of union arms and validators among the keys, and short forms lack the
        keys of the long ones. What leads nowhere is left out; what leads somewhere never is, or the
        next parts would be looked for in a neighbour.
        """
        if self.has(location):
            return tuple(location)
        path: PlanPath = ()
        for part in location:
            if self.has((*path, part)):
                path = (*path, part)
        return path

    def is_broken(self, path: Sequence[str | int]) -> bool:
        """Whether a finding says already that the YAML at `path`, or around it, is wrong."""
        depths = range(len(path) + 1)
        return any(self._locate(path[:depth])[0].is_broken for depth in depths)

    def value(self, path: Sequence[str | int]) -> object:
        """Return what the plan says at `path`; None when it says nothing."""
        node, _key, depth = self._locate(path)
        return node.data if depth == len(path) else None

    def span(self, path: Sequence[str | int], part: KeyOrValue = "value") -> Span:
        """Return where `path` stands; for a path that isn't in the plan, its nearest ancestor.

        A value that is left empty (`key:`) and a list's item as "key" give what is written: the
        key, the item.
        """
        return self._place(path, part)[0]

    def span_at(self, path: Sequence[str | int], offset: int, length: int = 1) -> Span:
        """Return where characters of the text at `path` stand, counted in its value from 0.

        Quotes, escapes and folded lines are seen through. Where that can't be done the whole
        scalar's span is the answer.
        """
        node, _key, depth = self._locate(path)
        raw = node.source.text[node.start : node.end]
        if depth < len(path) or not isinstance(node.data, str):
            return self.span(path)
        offsets = character_offsets(raw, node.data)
        if not offsets:
            return self.span(path)
        first = offsets[min(offset, len(offsets) - 1)]
        last = offsets[min(offset + max(length, 1), len(offsets)) - 1]
        if offset >= len(offsets):  # just past the end, such as a missing brace
            first = last = offsets[-1] + 1
        return node.source.span(node.start + first, node.start + max(first, last) + 1)

    def source_line(self, number: int, file: str | None = None) -> str:
        """Return line `number` (from 1) of the plan, or of the imported `file`."""
        for source in self.imported:
            if source.file == file:
                return source.line(number)
        return self.source.line(number)

    def diagnostic(  # noqa: PLR0913 - mirrors Diagnostic; all but three are keywords
        self,
        path: Sequence[str | int],
        code: Code,
        message: str,
        *,
        hint: str = "",
        part: KeyOrValue = "value",
        inside: tuple[int, int] | None = None,
        notes: tuple[Note, ...] = (),
    ) -> Diagnostic:
        """Return a finding about `path`, or the characters `inside` (offset, length) of it."""
        span, source = self._place(path, part)
        if inside is not None:
            span = self.span_at(path, *inside)
        return Diagnostic(span, code, message, hint, source.line(span.line), notes)

    def extent(self, path: Sequence[str | int]) -> tuple[Source, int, int]:
        """Return the file of the value at `path`, and where in its text it begins and ends."""
        node, _key, _depth = self._locate(path)
        raw = node.source.text[node.start : node.end]
        return node.source, node.start + content_start(raw), node.start + len(raw.rstrip())

    def _place(self, path: Sequence[str | int], part: KeyOrValue) -> tuple[Span, Source]:
        node, key, depth = self._locate(path)
        source = node.source
        wants_key = part == "key" and depth == len(path)
        if key is not None and (wants_key or node.start == node.end):
            return source.span(*key), source
        raw = source.text[node.start : node.end]
        start = node.start + content_start(raw)
        return source.span(start, node.start + max(len(raw.rstrip()), 1)), source

    def _locate(self, path: Sequence[str | int]) -> tuple[YamlNode, tuple[int, int] | None, int]:
        """Return the deepest node on `path`, its key's place, and how many parts were found."""
        node, key = self.root, None
        for depth, part in enumerate(path):
            items = node.items
            if isinstance(items, dict) and part in items:
                start, end, node = items[part]
                key = (start, end)
            elif isinstance(items, list) and isinstance(part, int) and 0 <= part < len(items):
                node, key = items[part], None
            else:
                return node, key, depth
        return node, key, len(path)


def read(path: str | os.PathLike[str]) -> Document:
    """Return the plan in the file `path`.

    Raises:
        PlanError: It can't be read, or isn't a YAML mapping.
    """
    return parse(read_text(path), os.fspath(path))


def parse(text: str, file: str, *, pure: bool = False) -> Document:
    """Return the plan in `text`; `file` is only a name. `pure` forces the parser without C.

    Raises:
        PlanError: The text isn't one YAML mapping.
    """
    source = Source(file, text.removeprefix("\ufeff"))
    if unreadable := find_unreadable(source):
        raise PlanError([unreadable])
    root, faults = _build(source, pure=pure)
    if root is None or root.data is None:
        raise PlanError([*faults, _empty(source)])
    if not isinstance(root.data, dict):
        kind = "a list" if isinstance(root.data, list) else "a single value"
        message = f"a plan must be a mapping of keys such as `name:`, got {kind}"
        at = (root.start, root.end)
        raise PlanError([*faults, source.diagnostic(Code.WRONG_TYPE, message, at=at)])
    return Document(source, root, tuple(faults))


# Each repair reads the text again.
_MAX_REPAIRS = 20
_MAX_REPAIRED_CHARACTERS = 100_000


def _build(source: Source, *, pure: bool) -> tuple[YamlNode | None, list[Diagnostic]]:
    """Read the tree; read over expressions that lack quotes, so that later faults show too."""
    text = readable(source.text)
    repairs = _MAX_REPAIRS if len(text) <= _MAX_REPAIRED_CHARACTERS else 0
    found: list[Diagnostic] = []
    while True:
        builder = TreeBuilder(source, text=text)
        try:
            root = builder.build(open_events(text, pure=pure))
        except YamlProblem as problem:
            before = text
            text = allow_url_characters(text, problem.problem, problem.offset)
            if text != before:
                continue
            repair = find_repair(source, problem.offset)
            if repair is None:
                raise PlanError([*found, *builder.faults, explain(source, problem)]) from problem
            found.append(repair.finding)
            if len(found) > repairs:
                raise PlanError([*found, *builder.faults]) from problem
            text = patch(text, repair.start, repair.end)
        except PlanError as error:
            raise PlanError([*found, *error.diagnostics]) from error
        else:
            return root, [*found, *builder.faults]


def _empty(source: Source) -> Diagnostic:
    what = "holds only comments" if source.text.strip() else "is empty"
    hint = "`planrunner init` writes a plan to start from"
    return source.diagnostic(Code.EMPTY_PLAN, f"the plan {what}", at=(0, 0), hint=hint)
