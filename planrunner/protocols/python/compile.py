"""Compile a `python` step to an `Exchange`. Nothing is imported here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from planrunner.language.diagnostics import Code
from planrunner.language.fields.types import Deferred
from planrunner.language.files import FileFault
from planrunner.protocols.base import Exchange
from planrunner.protocols.lowering import Files, Lowering
from planrunner.protocols.measured_step import ExpectedOfStep, compile_expect, compile_timeout
from planrunner.protocols.plugin import CompiledRequest
from planrunner.protocols.python.functions import NAME, hint_for, lacking, source_functions
from planrunner.protocols.python.operation import RETURNED, PythonOperation
from planrunner.protocols.python.spec import PythonModel

__all__ = ["compile_exchange"]

_TIMEOUT_NS: Final = 600_000_000_000


class PythonStep(Protocol):
    """A step that calls a function."""

    @property
    def python(self) -> PythonModel | None: ...
    @property
    def expect(self) -> ExpectedOfStep | None: ...
    @property
    def timeout(self) -> int | Deferred | None: ...
    @property
    def measure(self) -> bool | Deferred | None: ...


def compile_exchange(
    spec: PythonStep,
    *,
    action: str,
    constants: Mapping[str, object],
    defaults: str,
    files: Files,
    reads: frozenset[str],
) -> CompiledRequest:
    """Compile one call, measured or not."""
    del action
    lowering = Lowering(constants, files)
    assert spec.python is not None
    is_measured = lowering.flag(("measure",), spec.measure, default=False)
    expected = compile_expect(spec.expect, lowering, takes=("time",), what="a function")
    exchange = Exchange(
        protocol=defaults,
        operation=_operation(spec.python, lowering, reads, is_measured=is_measured),
        method="python",
        accept=frozenset({RETURNED}),
        extractors=(),
        extracted=(spec.python.as_,) if spec.python.as_ else (),
        timeout_ns=compile_timeout(
            spec.python.timeout, spec.timeout, lowering, action="python", default_ns=_TIMEOUT_NS
        ),
        expected=expected.words("it returns"),
        is_step=True,
        has_batches=spec.python.batch is not None,
        has_process=spec.python.isolate is not None,
        is_apart=spec.python.isolate is not None,
        **expected.fields,
    )
    return CompiledRequest(exchange, tuple(lowering.faults), tuple(lowering.notices))


def _operation(
    model: PythonModel, lowering: Lowering, reads: frozenset[str], *, is_measured: bool
) -> PythonOperation:
    must_be_there(model.call, lowering)
    # The plan's own glue keeps to the loop, as short functions that share names with each other.
    is_glue = not is_measured and ":" not in model.call
    files = lowering.files
    if not is_measured and model.batch is not None:
        words = "`batch` is about samples, and this `python` isn't measured"
        hint = "add `measure: true`"
        lowering.fault(("python", "batch"), Code.CONFLICTING_KEYS, words, hint, is_key=True)
    if model.isolate is not None and model.inline is True:
        words = "`inline` can't be combined with `isolate`"
        hint = "a function runs in this process or in another one: keep one of them"
        lowering.fault(("python", "inline"), Code.CONFLICTING_KEYS, words, hint, is_key=True)
    given = {
        name: lowering.value(value, ("python", "args", name))
        for name, value in (model.args or {}).items()
    }
    for argument in given.values():
        if argument.is_constant and isinstance(argument.value, str):
            files.may_read([argument.value])  # the function may open it
    return PythonOperation(
        function=model.call,
        arguments=tuple((name, argument.evaluate) for name, argument in given.items()),
        target=model.as_ or "",
        hooks=files.hooks,
        modules=files.modules,
        is_inline=lowering.flag(("python", "inline"), model.inline, default=is_glue),
        is_isolated=model.isolate is not None,
        calls=None if model.batch == "auto" else _calls(model.batch, lowering),
        keeps_value=bool(model.as_) or "json" in reads,
    )


def _calls(batch: object, lowering: Lowering) -> int:
    number: Any = batch  # checked by the model
    return lowering.number(number, ("python", "batch"), 1)


def must_be_there(name: str, lowering: Lowering) -> None:
    """Note a fault where there is certainly no function with this name."""
    path = ("python", "call")
    if not re.fullmatch(NAME, name):
        hint = "write a name of the hooks file, or `package.module:function`"
        lowering.fault(path, Code.INVALID_VALUE, f"`{name}` is not a function", hint)
    elif ":" in name:
        if wrong := lacking(name, lowering.files.modules):
            lowering.fault(path, Code.UNKNOWN_NAME, *wrong)
    elif (hooks := lowering.files.hooks) is None:
        hint = "add `hooks: hooks.py`, a file with the function, or write `module:function`"
        lowering.fault(("python",), Code.MISSING_KEY, "the plan names no `hooks:` file", hint)
    else:
        try:
            known = source_functions(lowering.files.read(str(hooks.absolute())))
        except (FileFault, SyntaxError, ValueError):
            return  # said at `hooks:`
        if known is not None and name not in known:
            words = f"`{hooks.name}` has no function `{name}`"
            lowering.fault(path, Code.UNKNOWN_NAME, words, hint_for(name, known))
