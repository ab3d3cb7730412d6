"""Tags: constant ones become labels, those that read the reply become closures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.references import references_in
from planrunner.graph.run_graph import Evaluate
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.secrets import MASK
from planrunner.metrics.series import Tags
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.lowering import SpecPath

__all__ = ["TagModel", "compile_tags", "static_tags", "tags_by_key"]

TagModel = Sequence[str] | Mapping[str, object]
"""Tags as a plan writes them."""


def tags_by_key(
    work: Compilation, tags: TagModel | None, path: PlanPath
) -> Mapping[str, object] | None:
    """Return tags with their values; those in a list have empty ones."""
    if tags is None or isinstance(tags, Mapping):
        return tags
    for index, tag in enumerate(tags):
        if "${" in tag:
            hint = 'give it a key: `tags: {key: "${…}"}`'
            words = "a tag in a list is literal text"
            work.fault((*path, index), Code.NOT_ALLOWED, words, hint=hint)
    return dict.fromkeys(tags, "")


def compile_tags(
    work: Compilation, tags: TagModel | None, place_of: Callable[[SpecPath], PlanPath]
) -> tuple[Tags, tuple[tuple[str, Evaluate], ...], frozenset[str]]:
    """Return the constant tags, sorted; the others; and which names of the reply those read.

    `place_of` says where a tag stands, given `("tags", KEY)`.
    """
    constant: list[tuple[str, str]] = []
    dynamic: list[tuple[str, Evaluate]] = []
    values = tags_by_key(work, tags, place_of(("tags",))) or {}
    for key, value in values.items():
        lowered = work.lowered(value, place_of(("tags", key)))
        if any(reference.root in work.secrets for _, reference in references_in(value)):
            constant.append((key, MASK))
        elif lowered.is_constant:
            constant.append((key, to_text(lowered.value)))
        else:
            dynamic.append((key, lowered.evaluate))
    roots = {reference.root for _, reference in references_in(values)}
    reads = frozenset(roots & {"json", "body", "headers", "status"})
    return tuple(sorted(constant)), tuple(dynamic), reads


def static_tags(work: Compilation, tags: TagModel | None, path: PlanPath) -> Tags:
    """Return the tags of a task or class, which depend on nothing but the plan."""
    constant, dynamic, _ = compile_tags(work, tags, lambda keys: (*path, *keys[1:]))
    for key, _ in dynamic:
        work.must_be_constant((*path, key))
    return constant
