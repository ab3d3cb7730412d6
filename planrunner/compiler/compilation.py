"""What the parts of the compiler share: the plan, its constants, and the faults found so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from functools import cache
from pathlib import PurePath
from typing import Final, TypeVar, cast

from planrunner.compiler.names.known_names import Known
from planrunner.compiler.names.references import references_in
from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code, Diagnostic, Note, Span
from planrunner.language.expressions.expression import (
    Expression,
    ExpressionError,
    Lowered,
    Reference,
    to_text,
)
from planrunner.language.fields.text import Text, lower_value
from planrunner.language.fields.types import Deferred, PauseValue
from planrunner.language.pausing import go_on
from planrunner.plan.yaml.document import Document, KeyOrValue, PlanPath
from planrunner.plan.yaml.places import ArgumentNames
from planrunner.plan.yaml.source import Source
from planrunner.protocols.lowering import FileText, SpecFault
from planrunner.schedule.pauses import Pause, PauseKind
from planrunner.units import UnitError
from planrunner.values import dataclass

__all__ = ["Compilation"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Compilation:
    """One compilation; every part reports its faults here and goes on.

    Attributes:
        constants: Names whose values are known before the run: params and services.
        constant_names: The names that a constant expression may read.
        secrets: The constants whose values must not be shown.
        arguments: What places are called in a plan that Python wrote.
        is_of_worker: Whether a worker compiles it, and so needs no file that only the coordinator
            reads, which may be on another host.
        seen: Takes the names that are known at each place, for an editor; None when nobody asks.
    """

    document: Document
    constants: Mapping[str, object]
    constant_names: Known
    faults: list[Diagnostic] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    secrets: frozenset[str] = frozenset()
    arguments: ArgumentNames | None = None
    is_of_worker: bool = False
    seen: dict[PlanPath, Known] | None = None

    def see(self, path: PlanPath, known: Known) -> None:
        """Note which names are known at a place, on one of the ways that lead there."""
        go_on()
        if self.seen is not None:
            before = self.seen.get(path)
            self.seen[path] = known if before is None else before.joined(known)

    def hiding(self, names: Iterable[str]) -> Compilation:
        """Return the same compilation where `names` are no constants; it shares the faults."""
        names = self.constants.keys() & names
        if not names:
            return self
        constants = {name: self.constants[name] for name in self.constants.keys() - names}
        return replace(self, constants=constants, constant_names=self.constant_names.hiding(names))

    def fault(
        self,
        path: PlanPath,
        code: Code,
        message: str,
        *,
        hint: str = "",
        part: KeyOrValue = "value",
        inside: tuple[int, int] | None = None,
    ) -> None:
        """Note a fault about what stands at `path`, in the words of the models."""
        self.faults.append(
            self.document.diagnostic(
                self.document.nearest(path), code, message, hint=hint, part=part, inside=inside
            )
        )

    def fault_of_spec(self, fault: SpecFault, path: PlanPath) -> None:
        """Note what a protocol's compiler found; its paths begin below `path`."""
        if fault.inside is not None:
            self._fault_inside(fault, fault.inside, (*path, *fault.path))
            return
        inside = None if fault.offset is None or fault.is_key else (fault.offset, 1)
        self.fault(
            (*path, *fault.path),
            fault.code,
            fault.message,
            hint=fault.hint,
            part="key" if fault.is_key else "value",
            inside=inside,
        )

    def _fault_inside(self, fault: SpecFault, file: FileText, path: PlanPath) -> None:
        """Note a fault in a file that is named at `path`."""
        source, at = Source(file.name, file.text), (fault.offset or 0, None)
        notes = (Note(self.span(path), "named here"),)
        found = source.diagnostic(fault.code, fault.message, at=at, hint=fault.hint, notes=notes)
        self.faults.append(found)

    def notice(self, path: PlanPath, message: str) -> None:
        """Note what stands at `path` though nothing is wrong with it."""
        self.notices.append(f"{self.position(path)}: {message}")

    def span(self, path: PlanPath) -> Span:
        return self.document.span(self.document.nearest(path))

    def position(self, path: PlanPath) -> str:
        """Return the file, line and column of what stands at `path`, or its argument."""
        return self._argument(path) or str(self.span(path))

    def place(self, path: PlanPath) -> str:
        """Return the file and line of what stands at `path`, as notices of a run name them."""
        span = self.span(path)
        return self._argument(path) or f"{_name_of(span.file)}:{span.line}"

    def _argument(self, path: PlanPath) -> str:
        names = self.arguments
        if names is None or self.span(path).file != names.file:
            return ""
        return names.of(tuple(self.document.nearest(path)))

    def attempt(self, compute: Callable[[], T], path: PlanPath, default: T) -> T:
        """Return what `compute` gives; what it raises becomes a fault at `path`."""
        try:
            return compute()
        except ExpressionError as error:
            where, inside = (*path, *error.path), (error.offset, 1)
            self.fault(where, error.code, error.message, hint=error.hint, inside=inside)
        except UnitError as error:
            self.fault(path, Code.INVALID_UNIT, error.message, hint=error.hint)
        except PlanrunnerError as error:
            self.fault(path, Code.EXPRESSION_FAILED, error.message, hint=error.hint)
        return default

    def check(
        self, references: Iterable[Reference], path: PlanPath, known: Known, offset: int = 0
    ) -> bool:
        """Note a fault for each name that isn't known; say whether all were.

        `offset` is where the expression begins in the text at `path`, when it isn't at 0.
        """
        self.see(path, known)
        found = known.check(references)
        for fault in found:
            inside = (offset + fault.offset, fault.length)
            self.fault(path, fault.code, fault.message, hint=fault.hint, inside=inside)
        return not found

    def check_all(self, piece: object, path: PlanPath, known: Known) -> bool:
        """Check every name in a piece of the model that stands at `path`."""
        # A list, so that all are checked and not only those up to the first fault.
        sound = [
            self.check([reference], where, known) for where, reference in references_in(piece, path)
        ]
        return all(sound)

    def settle(self, value: T | Deferred | None, path: PlanPath, default: T) -> T:
        """Return a field's value, which may be an expression over the plan's constants."""
        if value is None:
            return default
        if not isinstance(value, Deferred):
            return value
        if not self.check(value.text.references, path, self.constant_names):
            return default
        return self.attempt(lambda: cast("T", value.resolve(self.constants)), path, default)

    def pause(self, value: PauseValue | Deferred, path: PlanPath) -> Pause:
        """Return a think time or wait."""
        settled = self.settle(value, path, _NO_PAUSE)
        return Pause(PauseKind(settled.kind), settled.first, settled.second)

    def expression(self, expression: Expression, path: PlanPath, known: Known) -> Lowered:
        """Lower a bare expression; a faulty one becomes null, and its fault is kept."""
        if not self.check(expression.references, path, known):
            return _NULL
        return self.attempt(lambda: expression.lower(self.constants), path, _NULL)

    def value(self, value: object, path: PlanPath, known: Known) -> Lowered:
        """Lower any value of the plan, with the texts inside it; names are checked."""
        return self.lowered(value, path) if self.check_all(value, path, known) else _NULL

    def lowered(self, value: object, path: PlanPath) -> Lowered:
        """Lower a value whose names have been checked."""
        return self.attempt(lambda: lower_value(value, self.constants), path, _NULL)

    def constant_text(self, text: Text | None, path: PlanPath, known: Known) -> str | None:
        """Return a text that depends on nothing but the plan's constants."""
        if text is None:
            return None
        before = len(self.faults)
        lowered = self.value(text, path, known)
        if lowered.is_constant and len(self.faults) == before:
            return to_text(lowered.value)
        if len(self.faults) == before:
            self.must_be_constant(path)
        return None

    def must_be_constant(self, path: PlanPath, *, inside: tuple[int, int] | None = None) -> None:
        self.fault(
            path,
            Code.NOT_ALLOWED,
            "this must be known before the run",
            hint="use params here instead of users' variables",
            inside=inside,
        )


_NO_PAUSE: Final = PauseValue("constant", 0)
_NULL = Lowered(lambda _: None, is_constant=True, value=None)


@cache
def _name_of(file: str) -> str:
    return PurePath(file).name
