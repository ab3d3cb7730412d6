"""Steps that do something here, made by hand: calls of functions, and commands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from planrunner.graph.run_graph import RequestNode
from planrunner.language.expressions.expression import parse
from planrunner.protocols import registry
from planrunner.protocols.base import ClientFactory, Exchange
from planrunner.protocols.exec.operation import ExecOperation
from planrunner.protocols.python.operation import RETURNED, PythonOperation, status_text
from planrunner.units import NS_PER_S

__all__ = ["OWN_CLIENTS", "call", "command", "expr"]

OWN_CLIENTS: Final[Mapping[str, ClientFactory]] = {
    name: registry.client_factory(name) for name in ("python", "exec")
}


def expr(source: str) -> Any:
    return parse(source).lower({}).evaluate


def call(
    function: str,
    target: str = "",
    *,
    hooks: Path | None = None,
    modules: tuple[Path, ...] = (),
    measured: bool = False,
    inline: bool = True,
    timeout: float = 600,
    **arguments: str,
) -> RequestNode:
    """Return a call of a function of the hooks file, or of a module; inline unless it says no."""
    operation = PythonOperation(
        function,
        tuple((name, expr(source)) for name, source in arguments.items()),
        target,
        hooks,
        modules,
        is_inline=inline,
    )
    return RequestNode(
        function,
        Exchange(
            protocol="python",
            operation=operation,
            method="python",
            accept=frozenset({RETURNED}),
            checks=(),
            extractors=(),
            timeout_ns=round(timeout * NS_PER_S),
            status_text=status_text,
            extracted=(target,) if target else (),
            is_step=True,
        ),
        measured=measured,
    )


def command(
    *words: Any,
    target: str = "",
    timeout: float = 10.0,
    directory: Path = Path(),
    shown: str = "the command",
    measured: bool = False,
) -> RequestNode:
    pieces = tuple((word,) if isinstance(word, str) else word for word in words)
    return RequestNode(
        shown,
        Exchange(
            protocol="exec",
            operation=ExecOperation(pieces, shown, directory, target=target),
            method="exec",
            accept=frozenset({0}),
            checks=(),
            extractors=(),
            timeout_ns=round(timeout * NS_PER_S),
            extracted=(target,) if target else (),
            is_step=True,
        ),
        measured=measured,
    )
