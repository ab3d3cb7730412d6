"""Requests that are called as the one operation in their file is: thresholds name them so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from planrunner.errors import PlanrunnerError
from planrunner.plan.bundle import NamedFiles
from planrunner.plan.models.plan import PlanModel, requests_of
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.http.compile.queries import read_query_file
from planrunner.protocols.http.graphql.spec import GraphqlModel

__all__ = ["note_queries"]


def note_queries(
    model: PlanModel, constants: Mapping[str, object], files_at: Callable[[PlanPath], NamedFiles]
) -> None:
    """Let each request that names a file of queries know what is in it.

    What is wrong with a file is said when its request is compiled.
    """
    for path, request in requests_of(model):
        given = request.graphql
        if isinstance(given, GraphqlModel) and given.file is not None and not given.operation:
            with suppress(PlanrunnerError):
                name = given.file.lower(constants)
                if name.is_constant:
                    given.note_content(read_query_file(files_at(path), str(name.value)))
