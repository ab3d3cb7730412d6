"""Names of requests that say what stands elsewhere in the plan or in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from planrunner.errors import PlanrunnerError
from planrunner.plan.bundle import NamedFiles
from planrunner.plan.models.plan import PlanModel, requests_of
from planrunner.plan.models.requests import Operation
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.http.graphql.spec import GraphqlModel
from planrunner.protocols.operation_model import OperationModel

__all__ = ["note_connections", "note_queries"]


def note_queries(
    model: PlanModel, constants: Mapping[str, object], files_at: Callable[[PlanPath], NamedFiles]
) -> None:
    """Let each request that names a file of queries know what is in it.

    What is wrong with a file is said when its request is compiled.
    """
    from planrunner.protocols.http.compile.queries import read_query_file  # noqa: PLC0415 - as seldom

    for path, request in requests_of(model):
        given = request.graphql
        if isinstance(given, GraphqlModel) and given.file is not None and not given.operation:
            with suppress(PlanrunnerError):
                name = given.file.lower(constants)
                if name.is_constant:
                    given.note_content(read_query_file(files_at(path), str(name.value)))


def note_connections(model: PlanModel) -> None:
    """Let each request on a connection know the request that opens it.

    That is the last one before it, in its task, else in `on_start`; for a flow, in the flow, else
    anywhere in the plan. What has several it could mean is told of none.
    """
    opened: dict[PlanPath, list[Operation]] = {}
    for path, operation, use in _on_connections(model):
        if use == "opens":
            opened.setdefault(_scope(path), []).append(operation)
    anywhere = [one for several in opened.values() for one in several]
    before: dict[PlanPath, list[Operation]] = {}
    for path, operation, use in _on_connections(model):
        scope = _scope(path)
        if use == "opens":
            before.setdefault(scope, []).append(operation)
            continue
        open_here = before.get(scope, [])
        places = (open_here, opened.get(scope[:2], []))
        found = next((fit[-1] for one in places if (fit := _fitting(operation, one))), None)
        found = found or _only(_fitting(operation, anywhere))
        if use == "ends" and found in open_here:
            open_here.remove(found)
        if found is not None and isinstance(operation.spec, OperationModel):
            operation.spec.note_connection(found.spec)


def _on_connections(model: PlanModel) -> list[tuple[PlanPath, Operation, str]]:
    return [
        (path, operation, use)
        for path, request in requests_of(model)
        if (operation := request.operation) is not None and (use := operation.connection_use)
    ]


def _scope(path: PlanPath) -> PlanPath:
    """Return the place of the task, user class or flow that a step belongs to."""
    return path[:4] if path[2:3] == ("tasks",) else path[:2]


def _fitting(request: Operation, openers: list[Operation]) -> list[Operation]:
    return [
        one
        for one in openers
        if one.plugin is request.plugin and request.connection_name in ("", one.connection_name)
    ]


def _only(openers: list[Operation]) -> Operation | None:
    """Return one of them if all lead to the same place."""
    return openers[0] if len({one.name for one in openers}) == 1 else None
