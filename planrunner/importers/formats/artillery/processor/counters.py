"""Variables of a processor that only count: in a plan they are the number of the visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.artillery.processor.machine import (
    ProcessorMachine,
    VisitCounter,
)
from planrunner.importers.formats.k6.state.values import JsConst, K6Module
from planrunner.importers.javascript.script import text_of, walk

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["find_counters"]

_WRITES: Final = ("assignment_expression", "augmented_assignment_expression", "update_expression")


def find_counters(module: K6Module, machine: ProcessorMachine) -> None:
    """Let variables of the first level that functions do nothing with but `++` be counters."""
    written: dict[str, list[Node]] = {}
    for node in walk(module.script.root):
        if node.type in _WRITES:
            target = node.child_by_field_name("left") or node.child_by_field_name("argument")
            if target is not None:
                written.setdefault(text_of(target), []).append(node)
    for name, variable in module.scope.names.items():
        value = variable.value.value if isinstance(variable.value, JsConst) else None
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if is_number and name in written and all(map(_counts_up, written[name])):
            assert isinstance(value, int), "seen above"
            machine.counters[name] = VisitCounter(value, module.place(written[name][0]))


def _counts_up(node: Node) -> bool:
    said = text_of(node).replace(" ", "")
    return node.type == "update_expression" and (said.startswith("++") or said.endswith("++"))
