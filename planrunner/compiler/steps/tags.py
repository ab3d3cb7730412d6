"""Tags: constant ones become labels, those that read the reply become closures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.names.references import references_in
from planrunner.graph.run_graph import Evaluate
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.expression import to_text
from planrunner.language.secrets import MASK
from planrunner.plan.yaml.document import PlanPath

__all__ = ["compile_tags", "static_tags"]

from planrunner.metrics.series import Tags


def compile_tags(
    work: Compilation, tags: Sequence[str] | Mapping[str, object] | None, path: PlanPath
) -> tuple[Tags, tuple[tuple[str, Evaluate], ...], frozenset[str]]:
    """Return the constant tags, sorted; the others; and which names of the reply those read."""
    if tags is None:
        return (), (), frozenset()
    if not isinstance(tags, Mapping):
        for index, tag in enumerate(tags):
            if "${" in tag:
                hint = 'give it a key: `tags: {key: "${…}"}`'
                words = "a tag in a list is literal text"
                work.fault((*path, index), Code.NOT_ALLOWED, words, hint=hint)
        return tuple(sorted((tag, "") for tag in tags)), (), frozenset()
    constant: list[tuple[str, str]] = []
    dynamic: list[tuple[str, Evaluate]] = []
    for key, value in tags.items():
        lowered = work.lowered(value, (*path, key))
        if any(reference.root in work.secrets for _, reference in references_in(value)):
            constant.append((key, MASK))
        elif lowered.is_constant:
            constant.append((key, to_text(lowered.value)))
        else:
            dynamic.append((key, lowered.evaluate))
    roots = {reference.root for _, reference in references_in(tags)}
    reads = frozenset(roots & {"json", "body", "headers", "status"})
    return tuple(sorted(constant)), tuple(dynamic), reads


def static_tags(
    work: Compilation, tags: Sequence[str] | Mapping[str, object] | None, path: PlanPath
) -> Tags:
    """Return the tags of a task or class, which depend on nothing but the plan."""
    constant, dynamic, _ = compile_tags(work, tags, path)
    for key, _ in dynamic:
        work.must_be_constant((*path, key))
    return constant
