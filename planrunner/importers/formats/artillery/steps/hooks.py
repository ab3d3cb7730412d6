"""Where a test calls functions of its processor: steps, hooks of requests, conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.artillery.script import JS_HOOK, ArtilleryTest
from planrunner.importers.nodes import SourceEntry
from planrunner.loss.ledger import Construct

if TYPE_CHECKING:
    from planrunner.importers.formats.artillery.processor.functions import ProcessorFunctions

__all__ = ["HooksReader"]

_Hook = tuple["ProcessorFunctions", str, Construct]
_NOTHING: Final = "Artillery runs nothing"


class HooksReader:
    """Reads calls of functions by their names."""

    def __init__(self, test: ArtilleryTest) -> None:
        self.test = test

    def steps(self, entry: SourceEntry) -> list[DraftStep]:
        """Return the steps of functions that run where they stand."""
        found: list[DraftStep] = []
        for name in _names(entry):
            functions = self._functions(name, entry.construct)
            if functions is not None:
                found += functions.step(name, entry.construct)
        return found

    def around(self, read: Callable[[], DraftStep], own: dict[str, SourceEntry]) -> list[DraftStep]:
        """Return a request between the steps of its hooks; those of the scenario come first."""
        hooks = list(self._hooks("beforeRequest", own))
        request, before = self._before(read, hooks) if hooks else (read(), [])
        after: list[DraftStep] = []
        for functions, name, at in self._hooks("afterResponse", own):
            after += functions.after(name, at, request)
        return [*before, request, *after]

    def _before(
        self, read: Callable[[], DraftStep], hooks: list[_Hook]
    ) -> tuple[DraftStep, list[DraftStep]]:
        """Return a request that is read as one after its hooks, and their steps."""
        names = self.test.names
        mark = names.set_so_far()
        will_set = {key: names.assign(key) for one, name, _ in hooks for key in one.sets(name)}
        request = read()
        captured = {
            key: one
            for key, one in names.set_so_far().items()
            if {**mark, **will_set}.get(key) != one
        }
        names.go_back(mark)
        steps: list[DraftStep] = []
        for functions, name, at in hooks:
            steps += functions.before(name, at, request)
        known = names.set_so_far()
        unset = {name: "" for key, name in will_set.items() if known.get(key) != name}
        names.go_back({**known, **will_set, **captured})
        return request, [*([DraftStep({"set": unset})] if unset else []), *steps]

    def _hooks(self, key: str, own: dict[str, SourceEntry]) -> Iterator[_Hook]:
        found = (self.test.request_hooks.get(key), own.get(key))
        for entry in (one for one in found if one is not None):
            for name in _names(entry):
                functions = self._functions(name, entry.construct)
                if functions is not None:
                    yield functions, name, entry.construct

    def condition(self, name: str, at: Construct) -> str | None:
        """Return the condition that a function is; None where it is none."""
        functions = self.test.functions
        if functions is None or not functions.has(name):
            return None
        return functions.condition(name, at)

    def loop_condition(self, entry: SourceEntry) -> tuple[list[DraftStep], str] | None:
        """Return what asks at the end of a loop whether it goes on; None where nothing can."""
        name = entry.node.text()
        functions = self._functions(name, entry.construct)
        if functions is None:
            return None
        found = functions.loop_condition(name, entry.construct)
        if found is None:
            entry.construct.left_out(f"write the condition as `while:`. {JS_HOOK}")
        return found

    def _functions(self, name: str, at: Construct) -> ProcessorFunctions | None:
        """Return the processor if it has a function; judges the call where it hasn't."""
        functions, processor = self.test.functions, self.test.processor
        if functions is not None and functions.has(name):
            return functions
        if functions is not None and not functions.is_known:
            at.left_out(f"what `{processor}` exports can't be read. {JS_HOOK} (`{name}`)")
        elif functions is not None:
            at.suspicious(f"`{processor}` exports no function `{name}`: {_NOTHING}")
        elif processor:
            at.needs_you(f"import it together with `{processor}`, where `{name}` is")
        else:
            at.suspicious(f"the test has no `processor`: {_NOTHING}")
        return None


def _names(entry: SourceEntry) -> list[str]:
    return [one.text() for one in entry.node.each()]
