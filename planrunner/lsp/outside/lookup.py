"""Names of other files, by their kind."""

from __future__ import annotations

from collections.abc import Iterator

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind
from planrunner.lsp.outside.grpc_methods import methods_beside
from planrunner.lsp.outside.outside_name import OutsideName
from planrunner.lsp.outside.python_functions import functions_beside

__all__ = ["outside_name", "outside_names"]


def outside_names(view: PlanView, kind: NameKind, name: str = "") -> Iterator[OutsideName]:
    """Yield the names of a kind that no plan gives; with `name`, those that it may be of."""
    if kind is NameKind.FUNCTION:
        yield from functions_beside(view, name)
    elif kind is NameKind.METHOD:
        yield from methods_beside(view)


def outside_name(view: PlanView, kind: NameKind, name: str) -> OutsideName | None:
    """Return where a name is given that no plan gives; None where that isn't known."""
    wanted = name.lstrip("/")
    return next((one for one in outside_names(view, kind, name) if one.name == wanted), None)
