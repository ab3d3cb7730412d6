"""Names of requests: constant ones are known now, the others when a user sends the request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planrunner.compiler.steps.walk import StepWalk
from planrunner.graph.steps import Evaluate, Naming, RequestNode
from planrunner.language.fields.text import Text
from planrunner.plan.models.requests import written_name
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.base import TextParts
from planrunner.values import dataclass

__all__ = ["GivenName", "name_of", "renamed"]


@dataclass(frozen=True, slots=True)
class GivenName:
    """The attributes of a request's node that are about its name."""

    name: str
    template: str = ""
    naming: Naming | None = None


def name_of(walk: StepWalk, text: Text | None, path: PlanPath, default: str) -> GivenName:
    """Return a request's name, whose references have been checked.

    Args:
        walk: Knows what is constant there.
        text: What the plan writes; None for nothing.
        path: Where it stands.
        default: The name of a request without one.
    """
    if text is None or text.is_constant:
        return GivenName(written_name(text) or default)
    work, source = walk.work, text.source
    constants = {**work.constants, **walk.arguments}
    open_constants = {name: constants[name] for name in constants.keys() - work.secrets}
    nothing: TextParts = ()
    parts = work.attempt(lambda: text.lower_parts(constants), path, nothing)
    shown = work.attempt(lambda: text.lower_parts(open_constants), path, nothing)
    if (constant := _constant(shown)) is not None:
        return GivenName(constant.strip() or source, source)
    # A secret is masked by the run, which has all spellings of its value.
    return GivenName(source, source, Naming(_joined(parts), tuple(_fixed(shown))))


def _joined(parts: TextParts) -> Evaluate:
    if len(parts) == 1 and callable(only := parts[0]):
        return only
    return lambda scope: "".join([one if isinstance(one, str) else one(scope) for one in parts])


def _constant(parts: TextParts) -> str | None:
    """Return a text that has no expression left; None for any other."""
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else None


def _fixed(parts: TextParts) -> Iterator[str]:
    """Yield the text before the first expression, between each two, and after the last."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text = part
        else:
            yield text
            text = ""
    yield text


def renamed(walk: StepWalk, request: RequestNode, text: Text | None, path: PlanPath) -> RequestNode:
    """Return a request with the name that the step around it gives, if it gives one."""
    if text is None or not walk.work.check_all(text, path, walk.known):
        return request
    given = name_of(walk, text, path, request.name)
    return replace(request, name=given.name, template=given.template, naming=given.naming)
