"""Text → a plan as it is written."""

from __future__ import annotations

import re
from typing import Any, Final

from planrunner.plan.formatting.block_scalars import block_text
from planrunner.plan.formatting.gaps import GapReader
from planrunner.plan.formatting.scalars import OLD_LINE_END, quoted
from planrunner.plan.formatting.written import (
    Gap,
    WrittenBranch,
    WrittenEntry,
    WrittenLeaf,
    WrittenNode,
    WrittenPlan,
)
from planrunner.plan.yaml.nodes import plain_value
from planrunner.plan.yaml.yaml_events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    NextEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YamlProblem,
    open_events,
    reading,
)
from planrunner.plan.yaml.yaml_faults import readable
from planrunner.plan.yaml.yaml_repairs import allow_url_characters, restore

__all__ = ["read_written"]

_PROPERTY: Final = re.compile(r"!<[^>\s]*>|[&!][^\s,\[\]{}]*")
_BLANK: Final = re.compile(r"(?:[ \t\n\x85\u2028\u2029]+|#[^\n\x85\u2028\u2029]*)*")


def read_written(text: str, *, pure: bool = False) -> WrittenPlan:
    r"""Return the plan in `text`, whose lines end in `\n`.

    Raises:
        YamlProblem: It isn't YAML.
    """
    left = readable(text)
    while True:
        try:
            with reading():
                return _PlanReader(text, open_events(left, pure=pure)).plan()
        except YamlProblem as problem:
            before = left
            left = allow_url_characters(left, problem.problem, problem.offset)
            if left == before:
                raise


class _PlanReader:
    """Reads one document; the library's events have no types."""

    def __init__(self, text: str, next_event: NextEvent) -> None:
        self._text = text
        self._next = next_event
        self._gaps = GapReader(text)
        self._columns = [0]  # of the entries around what is read, outside of brackets
        self._events: list[tuple[object, ...]] = []
        self._places: list[int] = []

    def plan(self) -> WrittenPlan:
        event, start, stop = self._next(), None, None
        while type(event) is not DocumentStartEvent:
            event = self._next()
        if event.explicit:
            start = self._between(event)
        root = self._node(self._next())
        event = self._next()
        if type(event) is DocumentEndEvent and event.explicit:
            stop = self._between(event)
        while type(event) is not StreamEndEvent:
            event = self._next()
        self._gaps.read_to(len(self._text))
        end = self._gaps.take()
        return WrittenPlan(root, start, stop, end, self._events, self._places, self._gaps.found)

    def _between(self, event: Any) -> Gap:  # noqa: ANN401
        """Return what stands before a mark such as `---`, and pass over the mark."""
        self._gaps.read_to(event.start_mark.index)
        gap = self._gaps.take()
        self._gaps.skip_to(event.end_mark.index)
        return gap

    def _node(self, event: Any) -> WrittenNode:  # noqa: ANN401
        kind = type(event)
        if kind is ScalarEvent or kind is AliasEvent:
            return self._leaf(event)
        is_list = kind is SequenceStartEvent
        self._record(event, "list" if is_list else "mapping", event.anchor, event.tag)
        gap, properties = self._properties(event)
        branch = WrittenBranch(gap, properties, is_list, None)
        return self._flow(event, branch) if event.flow_style else self._block(branch)

    def _record(self, event: Any, *meaning: object) -> None:  # noqa: ANN401
        self._events.append(meaning)
        self._places.append(event.start_mark.index)

    # -- mappings and lists

    def _flow(self, event: Any, branch: WrittenBranch) -> WrittenBranch:  # noqa: ANN401
        branch.is_pair = self._text[event.start_mark.index : event.end_mark.index] in ("", "?")
        if event.end_mark.index > event.start_mark.index:
            self._gaps.read_to(event.end_mark.index - 1)
            branch.gap.extend(self._gaps.take())
            self._gaps.skip_to(event.end_mark.index)
        while not _is_end(event := self._next()):
            if branch.is_list:
                self._gaps.read_to(event.start_mark.index)
                branch.entries.append(WrittenEntry(self._gaps.take(), None, self._node(event)))
            else:
                branch.entries.append(self._pair(event))
        if event.end_mark.index > event.start_mark.index:
            self._gaps.read_to(event.start_mark.index)
            if branch.entries:  # else it stays on one line, and what is inside goes behind it
                branch.end = self._gaps.take()
            self._gaps.skip_to(event.end_mark.index)
        self._record(event, "end")
        return branch

    def _block(self, branch: WrittenBranch) -> WrittenBranch:
        self._columns.append(0)
        while not _is_end(event := self._next()):
            self._gaps.read_to(event.start_mark.index)
            if branch.is_list:
                gap, column = self._gaps.take_dash()
            else:
                column = self._gaps.column(event.start_mark.index)
            if branch.column is None:
                branch.column = self._columns[-1] = column
            if branch.is_list:
                branch.entries.append(WrittenEntry(gap, None, self._node(event)))
            else:
                branch.entries.append(self._pair(event))
        self._columns.pop()
        self._record(event, "end")
        return branch

    def _pair(self, event: Any) -> WrittenEntry:  # noqa: ANN401
        key = self._leaf(event)
        gap, key.gap = key.gap, Gap()
        return WrittenEntry(gap, key, self._node(self._next()))

    # -- scalars

    def _leaf(self, event: Any) -> WrittenLeaf:  # noqa: ANN401
        start, end = event.start_mark.index, event.end_mark.index
        if type(event) is AliasEvent:
            self._record(event, "alias", event.anchor)
            leaf = WrittenLeaf(Gap(), "", "*", self._text[start:end])
        else:
            value = restore(event.value, self._text[start:end])
            self._record(event, "scalar", event.anchor, event.tag, *_meaning(event, value))
            gap, properties = self._properties(event)
            start = self._content(self._gaps.at) if properties else start
            leaf = WrittenLeaf(gap, properties, event.style or "", self._text[start:end], value)
        if leaf.raw:  # else nothing is written, and what stands here belongs to what follows
            self._gaps.read_to(start)
            if leaf.properties:
                leaf.gap.extend(self._gaps.take())
            else:
                leaf.gap = self._gaps.take()
            self._gaps.skip_to(end)
        if leaf.is_block:
            self._block_scalar(leaf, start)
        self._gaps.scalars += 1
        return leaf

    def _block_scalar(self, leaf: WrittenLeaf, start: int) -> None:
        written = block_text(leaf.raw, leaf.value, self._columns[-1])
        if written.remark:
            leaf.header_remark = self._gaps.remark(written.remark, start + written.remark_at)
        leaf.header = written.header
        if OLD_LINE_END.search(leaf.raw):  # no margin would do for every reader
            leaf.style, leaf.raw = '"', quoted(leaf.value)
            leaf.gap.remarks += [leaf.header_remark] if leaf.header_remark else []
        else:
            leaf.raw = "\n".join(written.lines)
        self._gaps.skip_to(start + written.end, line_ends=written.line_ends)

    def _properties(self, event: Any) -> tuple[Gap, str]:  # noqa: ANN401
        """Return the anchor and tag in front of a value, with what stands before them."""
        at, words = event.start_mark.index, []
        count = (event.anchor is not None) + (event.tag is not None)
        if not count:
            return Gap(), ""
        self._gaps.read_to(at)
        gap = self._gaps.take()
        for _ in range(count):
            word = _PROPERTY.match(self._text, self._content(at))
            assert word is not None  # the event says so
            words.append(word[0])
            self._gaps.read_to(word.start())
            at = word.end()
            self._gaps.skip_to(at)
        return gap, " ".join(words)

    def _content(self, at: int) -> int:
        """Return where the next thing starts that is neither blank nor a comment."""
        found = _BLANK.match(self._text, at)
        assert found is not None
        return found.end()


def _is_end(event: object) -> bool:
    return type(event) in (MappingEndEvent, SequenceEndEvent)


def _meaning(event: Any, value: str) -> tuple[object, ...]:  # noqa: ANN401
    """Return what a scalar says, so that two that say the same are equal."""
    if event.style or event.tag:
        return ("str", value)
    meant = plain_value(value)
    kind = "merge" if meant == "<<" else type(meant).__name__
    return (kind, meant if isinstance(meant, str) else repr(meant))
