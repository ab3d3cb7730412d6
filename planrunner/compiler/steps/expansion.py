"""How many steps calls of flows stand for, before any of them is compiled.

Each call is a copy of its flow's steps, so nine flows that call the next one ten times would be a
thousand million steps. Counting them takes no longer than reading the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from planrunner.compiler.compilation import Compilation
from planrunner.language.diagnostics import Code
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath

__all__ = ["MOST_CALLED_STEPS", "MOST_CALLS_DEEP", "check_expansion"]

MOST_CALLED_STEPS: Final = 20_000
"""Steps that all calls of a plan stand for; a step takes a tenth of a millisecond to compile."""

MOST_CALLS_DEEP: Final = 50
"""Flows in a chain that call the next; each takes some frames of Python's stack."""

_HINT: Final = "call fewer flows, or use `repeat` in the place of repeated calls"


def check_expansion(work: Compilation, model: PlanModel) -> None:
    """Note a fault where calls stand for too many steps, or flows call each other too deeply.

    That is at the first flow of a chain whose own calls pass the budget, or, when only all calls
    of the plan together do, at the class or block where they pass it.
    """
    sizes = _Sizes({name: flow.do for name, flow in (model.flows or {}).items()})
    for name in sizes.flows:
        if sizes.of_flow(name) > MOST_CALLED_STEPS and not sizes.calls_large(name):
            message = f"the calls in `{name}` add up to {_count(sizes.of_flow(name))}"
            work.fault(("flows", name), Code.TOO_COMPLEX, message, hint=_HINT, part="key")
            return
    for name in sizes.flows:
        if sizes.depths[name] == MOST_CALLS_DEEP + 1:
            message = f"`{name}` begins a chain of over {MOST_CALLS_DEEP} flows that call the next"
            work.fault(("flows", name), Code.TOO_COMPLEX, message, hint=_HINT, part="key")
            return
    total = 0
    for path, steps in _roots(model):
        total += sizes.by_calls(steps)
        if total > MOST_CALLED_STEPS:
            message = f"up to here, the plan's calls of flows add up to {_count(total)}"
            work.fault(path, Code.TOO_COMPLEX, message, hint=_HINT, part="key")
            return


def _count(steps: int) -> str:
    shown = f"{steps:,}" if steps < 10**12 else "over a million million"
    return f"{shown} steps, at most {MOST_CALLED_STEPS:,} are allowed"


def _roots(model: PlanModel) -> Iterator[tuple[PlanPath, Sequence[StepModel]]]:
    """Yield the lists of steps from which flows are called, with the place of a fault."""
    for key, block in (("setup", model.setup), ("teardown", model.teardown)):
        if block is not None:
            yield (key,), block.do
    for name, user in (model.users or {}).items():
        path: PlanPath = ("users", name)
        for block in (user.on_start, user.on_stop):
            if block is not None:
                yield path, block.do
        yield path, user.steps or ()
        for task in user.tasks or ():
            yield path, task.steps


class _Sizes:
    """How many steps flows stand for, and how deeply they call others, each counted once."""

    def __init__(self, flows: Mapping[str, Sequence[StepModel]]) -> None:
        self.flows = flows
        self.depths: dict[str, int] = {}
        self._calls = {
            name: [step.called for step in _walk(steps) if step.called in flows]
            for name, steps in flows.items()
        }
        self._own = {name: sum(1 for _ in _walk(steps)) for name, steps in flows.items()}
        self._sizes: dict[str, int] = {}
        for name in self._callees_first():
            called = [each for each in self._calls[name] if each in self._sizes]
            self._sizes[name] = self._own[name] + sum(map(self._sizes.__getitem__, called))
            self.depths[name] = 1 + max(map(self.depths.__getitem__, called), default=0)

    def of_flow(self, name: str) -> int:
        """Return how many steps a call of the flow stands for; a cycle is another fault."""
        return self._sizes[name]

    def by_calls(self, steps: Sequence[StepModel]) -> int:
        """Return how many steps the calls in a list stand for."""
        return sum(self._sizes.get(step.called, 0) for step in _walk(steps))

    def calls_large(self, name: str) -> bool:
        """Say whether a flow calls one that is over the budget itself."""
        return any(self._sizes[called] > MOST_CALLED_STEPS for called in self._calls[name])

    def _callees_first(self) -> Iterator[str]:
        """Yield each flow after those that it calls; without recursion, as chains may be long."""
        begun: set[str] = set()
        for root in self.flows:
            waiting = [(root, False)]
            while waiting:
                name, is_done = waiting.pop()
                if is_done:
                    yield name
                elif name not in begun:
                    begun.add(name)
                    waiting.append((name, True))
                    waiting += [(called, False) for called in self._calls[name]]


def _walk(steps: Sequence[StepModel]) -> Iterator[StepModel]:
    for step in steps:
        yield step
        for _, inner in step.inside():
            yield from _walk(inner)
