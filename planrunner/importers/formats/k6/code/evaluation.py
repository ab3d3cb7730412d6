"""How a piece of code is read: by the function for its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from planrunner.importers.formats.k6.state.machine import K6Machine, NoStepSays
from planrunner.importers.formats.k6.state.values import JsUnknown, JsValue, K6Scope
from planrunner.importers.javascript.chains import bare

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["EvaluateJs", "evaluate"]

EvaluateJs = Callable[["Node", K6Scope, K6Machine], JsValue]


def evaluate(node: Node, scope: K6Scope, machine: K6Machine) -> JsValue:
    """Return what an expression gives; its calls are judged, and write their steps."""
    machine.count()
    node = bare(node)
    known = machine.expressions.get(node.type)
    if known is None:
        return JsUnknown("code that a plan can't say: write it as a function of a hook")
    try:
        return known(node, scope, machine)
    except RecursionError:
        raise NoStepSays("code that is nested too deeply") from None
