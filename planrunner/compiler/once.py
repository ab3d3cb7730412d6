"""What happens once a run: preflight, setup and teardown; and the plan's Python file."""

from __future__ import annotations

from dataclasses import replace

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.known_names import Known
from planrunner.compiler.steps.inherited import refuse_pause
from planrunner.compiler.steps.walk_steps import OpenFlow
from planrunner.graph.run_graph import Block, OnFail, RequestNode
from planrunner.language.diagnostics import Code
from planrunner.language.files import FileFault
from planrunner.plan.loader import CheckedPlan
from planrunner.plan.models.steps import BlockModel
from planrunner.values import dataclass

__all__ = ["Once", "check_hooks", "compile_once"]


@dataclass(frozen=True, slots=True)
class Once:
    """The parts of a plan that run once.

    Attributes:
        known: What users know beside their own names: also what setup sets.
    """

    preflight: tuple[RequestNode, ...]
    setup: Block | None
    teardown: Block | None
    known: Known


def compile_once(plan: CheckedPlan, known: Known, open_flow: OpenFlow) -> Once:
    """Compile preflight, setup and teardown; `known` is what the plan itself provides."""
    model = plan.model
    flow = open_flow(known)
    flow.measured = False
    for index, request in enumerate(model.preflight or ()):
        hint = "remove it: `preflight` is over before any user begins"
        refuse_pause(flow.work, request, ("preflight", index), hint)
    preflight = tuple(
        flow.request(request, ("preflight", index))
        for index, request in enumerate(model.preflight or ())
    )
    setup = _block(model.setup, "setup", known, open_flow)
    names = frozenset(setup.names if setup is not None else ())
    lasting = replace(known, variables=known.variables | names)
    teardown = _block(model.teardown, "teardown", lasting, open_flow)
    return Once(preflight, setup, teardown, replace(lasting, shared=names))


def _block(model: BlockModel | None, key: str, known: Known, open_flow: OpenFlow) -> Block | None:
    if model is None:
        return None
    flow = open_flow(known)
    flow.measured = flow.work.settle(model.measure, (key, "measure"), default=False)
    flow.has_phase = False
    steps = flow.steps(model.do, (key, "do"))
    return Block(steps, OnFail(model.on_fail or "stop_user"), tuple(sorted(flow.written)))


def check_hooks(work: Compilation, plan: CheckedPlan) -> None:
    """Look into the file that `hooks:` names; it isn't run."""
    name = plan.model.hooks
    if name is None:
        return
    from planrunner.protocols.python.functions import functions_in, missing_modules  # noqa: PLC0415 - many plans have none

    where = ("hooks",)
    files = plan.files_at(where)
    try:
        source = files.read(name)
        functions_in(source)
        for number, module in missing_modules(source, files.modules):
            words = f"`{name}`, line {number}, imports `{module}`, which is not installed here"
            work.notice(where, words)
    except FileFault as fault:
        work.fault(where, fault.code, f"`{name}` {fault.message}", hint=fault.hint)
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        work.fault(where, Code.INVALID_VALUE, f"`{name}`{line} is not valid Python: {what}")
