"""Compile an `exec` step to an `Exchange`. Nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from planrunner.language.fields.types import Deferred
from planrunner.protocols.base import Exchange
from planrunner.protocols.command_words import split_command
from planrunner.protocols.exec.operation import ExecOperation
from planrunner.protocols.exec.spec import ExecModel
from planrunner.protocols.lowering import Files, Lowering
from planrunner.protocols.measured_step import ExpectedOfStep, compile_expect, compile_timeout
from planrunner.protocols.plugin import CompiledRequest

__all__ = ["compile_exchange"]

_TIMEOUT_NS: Final = 30_000_000_000
_STATUSES: Final = range(256)
_EXPECTED: Final = ("status", "time", "contains", "not_contains", "matches", "not_matches")


class ExecStep(Protocol):
    """A step that runs a command."""

    @property
    def exec_(self) -> ExecModel | None: ...
    @property
    def expect(self) -> ExpectedOfStep | None: ...
    @property
    def timeout(self) -> int | Deferred | None: ...


def compile_exchange(
    spec: ExecStep,
    *,
    action: str,
    constants: Mapping[str, object],
    defaults: str,
    files: Files,
    reads: frozenset[str],
) -> CompiledRequest:
    """Compile one command, measured or not."""
    del action, reads
    lowering = Lowering(constants, files)
    assert spec.exec_ is not None
    expected = compile_expect(
        spec.expect, lowering, takes=_EXPECTED, what="a command", statuses=_STATUSES
    )
    accept = frozenset({0}) if expected.statuses is None else expected.statuses
    status = f"status {', '.join(map(str, sorted(accept)))}"
    exchange = Exchange(
        protocol=defaults,
        operation=_operation(spec.exec_, lowering),
        method="exec",
        accept=accept,
        extractors=(),
        extracted=(spec.exec_.as_,) if spec.exec_.as_ else (),
        timeout_ns=compile_timeout(
            spec.exec_.timeout, spec.timeout, lowering, action="exec", default_ns=_TIMEOUT_NS
        ),
        expected=expected.words(status),
        states_status=expected.statuses is not None,
        is_step=True,
        has_process=True,
        **expected.fields,
    )
    return CompiledRequest(exchange, tuple(lowering.faults), tuple(lowering.notices))


def _operation(model: ExecModel, lowering: Lowering) -> ExecOperation:
    words = split_command(model.run, lowering, ("exec", "run"))
    for word in words:
        if all(isinstance(piece, str) for piece in word):
            lowering.files.may_read(["".join(map(str, word))])  # `sh`, or `./sign.sh`
    return ExecOperation(
        words=words,
        shown=model.run.source,
        directory=lowering.files.directory,
        environment=tuple(
            (key, lowering.value(value, ("exec", "env", key)).evaluate)
            for key, value in (model.env or {}).items()
        ),
        target=model.as_ or "",
    )
