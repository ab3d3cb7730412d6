"""A draft as the text of a plan, its findings as comments at their places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from planrunner.importers.draft import (
    DraftClass,
    DraftNode,
    DraftPlan,
    DraftStep,
    DraftTask,
)
from planrunner.importers.remarks import Remarks
from planrunner.loss.ledger import Ledger

__all__ = ["plan_text"]

_WIDTH: Final = 88
_PLAIN: Final = re.compile(r"[A-Za-z_/$.][\w /.\-?=&+$@()%<>;~^{}:*\[\],']*")
_UNIT: Final = r"\d+(?:\.\d+)?(?:ms|s|m|h|%|/s|/m|/h)"
_QUANTITY: Final = re.compile(rf"{_UNIT}(?:\.\.{_UNIT})?")
_AMBIGUOUS: Final = re.compile(r": |:$| #|\s$|^\.[\d.]|^\.inf$|^\.nan$|---|\.\.\.$", re.IGNORECASE)
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})
_FLOW_SPECIAL: Final = re.compile(r"[{}\[\],]|\?(?!\w)|\s\?|[\s'\"]:")
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ufeff\u2028\u2029\ud800-\udfff]*")
_BLOCK_TEXT: Final = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\ufeff\u2028\u2029\ud800-\udfff]*")


def plan_text(draft: DraftPlan, ledger: Ledger) -> str:
    """Return the plan: what is not plainly translated stands as a comment at its place."""
    remarks = Remarks.place(draft, ledger)
    text = "\n".join(_plan(draft, remarks))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _plan(draft: DraftPlan, remarks: Remarks) -> Iterator[str]:
    yield from remarks.above(draft, "")
    yield from _entry("name", draft.name, "", remarks)
    if draft.description:
        yield from _entry("description", draft.description, "", remarks)
    params = {name: (one, one.spec) for name, one in draft.params.items()}
    yield from _named("params", params, remarks)
    for key, value in (("http", draft.http), *draft.extra.items(), ("data", draft.data)):
        if value:
            yield ""
            yield from _entry(key, value, "", remarks)
    flows = {
        name: (one, {"args": one.args, "do": one.steps} if one.args else one.steps)
        for name, one in draft.flows.items()
    }
    yield from _named("flows", flows, remarks)
    yield from _lists({"setup": draft.setup}, "", remarks)
    yield from ("", "users:") if draft.users else ()
    for number, user_class in enumerate(draft.users):
        yield from ("",) if number else ()
        yield from _class(user_class, remarks)
    yield from _nodes("phases", [(one, one.keys) for one in draft.phases], remarks)
    yield from _nodes("thresholds", [(one, one.threshold) for one in draft.thresholds], remarks)
    yield from _lists({"teardown": draft.teardown}, "", remarks)


def _named(
    key: str, nodes: Mapping[str, tuple[DraftNode, object]], remarks: Remarks
) -> Iterator[str]:
    yield from ("", f"{key}:") if nodes else ()
    for name, (node, value) in nodes.items():
        yield from remarks.above(node, "  ")
        yield from _entry(name, value, "  ", remarks)


def _lists(lists: dict[str, list[DraftStep]], indent: str, remarks: Remarks) -> Iterator[str]:
    for key, steps in lists.items():
        if steps:
            yield from ("",) if not indent else ()
            yield from _entry(key, steps, indent, remarks)


def _nodes(key: str, nodes: Sequence[tuple[DraftNode, object]], remarks: Remarks) -> Iterator[str]:
    if nodes:
        yield from ("", f"{key}:")
        for node, value in nodes:
            yield from remarks.above(node, "  ")
            yield from _item(value, "  ", remarks)


def _class(one: DraftClass, remarks: Remarks) -> Iterator[str]:
    yield from remarks.above(one, "  ")
    yield f"  {_key(one.name)}:"
    for key, value in one.keys.items():
        yield from _entry(key, value, "    ", remarks)
    yield from _lists({"on_start": one.on_start}, "    ", remarks)
    if one.tasks:
        yield "    tasks:"
        for task in one.tasks:
            yield from _task(task, remarks)
    yield from _lists({"steps": one.steps, "on_stop": one.on_stop}, "    ", remarks)


def _task(task: DraftTask, remarks: Remarks) -> Iterator[str]:
    indent = "      "
    yield from remarks.above(task, indent)
    weight = {"weight": task.weight} if task.weight != 1 else {}
    if not task.name:
        (step,) = task.steps
        yield from remarks.above(step, indent)
        yield from _item({**step.body, **weight, **task.keys}, indent, remarks)
    else:
        body = {"task": task.name, **weight, **task.keys, "steps": task.steps}
        yield from _item(body, indent, remarks)


def _entry(key: str, value: object, indent: str, remarks: Remarks) -> Iterator[str]:
    """Yield the lines of one key of a mapping."""
    head = f"{indent}{_key(key)}:"
    short = _short(value)
    if short is not None and (_is_empty(value) or len(head) + 1 + len(short) <= _WIDTH):
        yield f"{head} {short}".rstrip()
    elif isinstance(value, dict):
        yield head
        for below, one in value.items():
            yield from _entry(str(below), one, indent + "  ", remarks)
    elif isinstance(value, list):
        yield head
        for one in value:
            yield from _item(one, indent + "  ", remarks)
    else:
        yield from _scalar_lines(f"{head} ", value, indent + "  ")


def _item(value: object, indent: str, remarks: Remarks) -> Iterator[str]:
    """Yield the lines of one item of a list."""
    if isinstance(value, DraftStep):
        yield from remarks.above(value, indent)
        value = value.body
    is_block = isinstance(value, dict) and (len(value) == 1 or _is_deep(value))
    short = None if is_block else _short(value)
    if short is not None and (_is_empty(value) or len(indent) + 2 + len(short) <= _WIDTH):
        yield f"{indent}- {short}"
    elif isinstance(value, dict):
        lines = (
            line
            for key, one in value.items()
            for line in _entry(str(key), one, indent + "  ", remarks)
        )
        yield from _hung(lines, indent)
    elif isinstance(value, list):
        lines = (line for one in value for line in _item(one, indent + "  ", remarks))
        yield from _hung(lines, indent)
    else:
        yield from _scalar_lines(f"{indent}- ", value, indent + "  ")


def _hung(lines: Iterable[str], indent: str) -> Iterator[str]:
    """Yield lines with a dash before the first one that is no comment."""
    dashed = False
    for line in lines:
        if not dashed and not line.lstrip().startswith("#"):
            dashed = True
            yield f"{indent}- {line[len(indent) + 2 :]}"
        else:
            yield line


def _short(value: object) -> str | None:
    """Return a value in one line, None where it needs several."""
    if isinstance(value, dict):
        if not value:
            return "{}"
        parts = [(key, _flow(one)) for key, one in value.items()]
        if any(text is None for _, text in parts):
            return None
        return "{" + ", ".join(f"{_key(str(key), flow=True)}: {text}" for key, text in parts) + "}"
    if isinstance(value, list):
        parts_of_list = [_flow(one) for one in value]
        if any(text is None for text in parts_of_list):
            return None
        return "[" + ", ".join(str(text) for text in parts_of_list) + "]"
    return None if isinstance(value, str) and "\n" in value else _scalar(value, flow=False)


def _is_empty(value: object) -> bool:
    return isinstance(value, dict | list) and not value


def _is_deep(value: dict[str, object]) -> bool:
    return any(isinstance(one, dict | list) and one for one in value.values())


def _flow(value: object) -> str | None:
    """Return a value as it stands inside a line of its mapping or list."""
    if isinstance(value, DraftStep):
        return None
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        if any(isinstance(one, dict | list) and one for one in inner):
            return None
        if isinstance(value, list):
            parts = [_flow(one) for one in value]
            return None if None in parts else "[" + ", ".join(map(str, parts)) + "]"
        pairs = [(_key(str(key), flow=True), _flow(one)) for key, one in value.items()]
        return (
            None
            if any(text is None for _, text in pairs)
            else "{" + ", ".join(f"{key}: {text}" for key, text in pairs) + "}"
        )
    if isinstance(value, str) and "\n" in value:
        return None
    return _scalar(value, flow=True)


def _key(key: str, *, flow: bool = False) -> str:
    return _scalar(key, flow=flow) if key else '""'


def _scalar(value: object, *, flow: bool) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = _QUANTITY.fullmatch(value) or (
        _PLAIN.fullmatch(value)
        and not _AMBIGUOUS.search(value)
        and value.lower() not in _WORDS
        and not (flow and _FLOW_SPECIAL.search(value))
    )
    return value if is_plain else _quoted(value)


def _quoted(value: str) -> str:
    """Return text in quotes; what is not printable is escaped, as YAML reads it too."""
    if '"' in value and "'" not in value and _ONE_LINE.fullmatch(value):
        return f"'{value}'"
    quoted = json.dumps(value, ensure_ascii=False)
    return re.sub(
        r"[\x7f-\x9f\ufeff\u2028\u2029\ud800-\udfff]",
        lambda found: f"\\u{ord(found[0]):04x}",
        quoted,
    )


def _scalar_lines(head: str, value: object, indent: str) -> Iterator[str]:
    """Yield a scalar that may have lines of its own: those become a block."""
    if not isinstance(value, str) or not _fits_block(value):
        yield head + _scalar(value, flow=False)
        return
    ends = len(value) - len(value.rstrip("\n"))
    yield f"{head}|{'-' if not ends else '' if ends == 1 else '+'}"
    for line in value.rstrip("\n").split("\n") + [""] * max(0, ends - 1):
        yield f"{indent}{line}" if line else ""


def _fits_block(value: str) -> bool:
    """Say whether a block can hold a text as it is; blank lines at an end or in a row can't."""
    return (
        "\n" in value.strip("\n")
        and not value.startswith((" ", "\n"))
        and not value.endswith("\n\n")
        and "\n\n\n" not in value
        and not any(line and line.isspace() for line in value.split("\n"))
        and _BLOCK_TEXT.fullmatch(value) is not None
    )
