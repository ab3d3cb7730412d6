"""What is right in a plan and can't run yet: its names are checked, and what it sets is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names import Known
from planrunner.compiler.steps import Flow
from planrunner.plan.models import PlanModel
from planrunner.plan.steps import BlockModel

__all__ = ["check_later"]

_KEYS: Final = ("preflight", "setup", "teardown", "monitors", "baseline", "hooks")


def check_later(
    work: Compilation, model: PlanModel, known: Known, open_flow: Callable[[Known], Flow]
) -> Known:
    """Note each such part of the plan, and check the names in it.

    Returns what users know: `known` and what setup sets, which lasts for the whole run.
    """
    for key in _KEYS:
        if getattr(model, key) is not None:
            work.not_available((key,), f"`{key}`")
    for key, piece in (("etcd", model.etcd), ("monitors", model.monitors)):
        work.check_all(piece, (key,), known)
    work.check_all(model.preflight, ("preflight",), replace(known, replied=True))
    lasting = _walk(model.setup, "setup", known, open_flow)
    _walk(model.teardown, "teardown", lasting, open_flow)
    return lasting


def _walk(
    block: BlockModel | None, key: str, known: Known, open_flow: Callable[[Known], Flow]
) -> Known:
    if block is None:
        return known
    flow = open_flow(known)
    flow.measured = bool(block.measure)
    flow.steps(block.do, (key, "do"))
    return replace(known, variables=known.variables | flow.written)
