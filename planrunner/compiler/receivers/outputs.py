"""`outputs:` → what each of them is made of, once the run has a directory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.load.selection import tags_of
from planrunner.compiler.names.references import references_in
from planrunner.errors import PackageMissing
from planrunner.extras import need
from planrunner.graph.outputs import OutputNode
from planrunner.graph.run_graph import Evaluate, FunctionNode, UserProgram, walk_steps
from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.builtins.names import ROOT_HELPERS
from planrunner.language.fields.mapping import PlanMapping, known_keys
from planrunner.language.fields.types import Deferred
from planrunner.plan.output_kinds.model import GENERAL_KEYS, OutputEntry, OutputModel
from planrunner.plan.output_kinds.registry import named_kind
from planrunner.plan.yaml.document import PlanPath

__all__ = ["compile_outputs"]


def compile_outputs(
    work: Compilation, entries: Sequence[OutputEntry], users: Sequence[UserProgram]
) -> tuple[OutputNode, ...]:
    """Compile the outputs of a plan; what is wrong with one is noted."""
    paths: list[PlanPath] = [("outputs", at, entry.kind) for at, entry in enumerate(entries)]
    _note_labels(work, entries, paths, users)
    return tuple(_output(work, *pair) for pair in zip(entries, paths, strict=True))


def _output(work: Compilation, entry: OutputEntry, path: PlanPath) -> OutputNode:
    kind, settings = named_kind(entry.kind), entry.settings
    try:
        if kind.package:
            need(kind.package, f"the output `{kind.name}`")
    except PackageMissing as missing:
        work.fault(path, Code.NOT_AVAILABLE, missing.message, hint=missing.hint, part="key")
    return OutputNode(
        kind.name,
        dict(_settings(work, settings, path)),
        labels=tuple(dict.fromkeys(settings.labels or ())),
        is_optional=settings.optional,
        is_required=settings.required,
        place=work.place(path),
    )


def _settings(
    work: Compilation, model: OutputModel, path: PlanPath
) -> Iterator[tuple[str, Evaluate]]:
    """Yield the output's own settings, each as what gives its value."""
    for key, name in known_keys(type(model)).items():
        if name in GENERAL_KEYS:
            continue
        where = (*path, key)
        value = _settled(work, getattr(model, name), where)
        if value is not None and not _needs_user(work, value, where):
            yield name, work.value(value, where, work.constant_names).evaluate


def _settled(work: Compilation, value: object, path: PlanPath) -> object:
    """Return a value with its numbers and units known, and mappings as dictionaries."""
    if isinstance(value, Deferred):
        return work.settle(value, path, None)
    if isinstance(value, PlanMapping):
        keys = known_keys(type(value))
        value = {key: getattr(value, name) for key, name in keys.items()}
    if isinstance(value, Mapping):
        return {key: _settled(work, item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_settled(work, item, (*path, index)) for index, item in enumerate(value)]
    return value


def _needs_user(work: Compilation, value: object, path: PlanPath) -> bool:
    """Note expressions that only a user could evaluate; say whether there are any."""
    found = [
        (where, name) for where, name in references_in(value, path) if name.root in ROOT_HELPERS
    ]
    for where, name in found:
        work.must_be_constant(where, inside=(name.offset, len(name.root)))
    return bool(found)


def _note_labels(
    work: Compilation,
    entries: Iterable[OutputEntry],
    paths: Iterable[PlanPath],
    users: Iterable[UserProgram],
) -> None:
    """Leave a notice for each label that is no tag of any request."""
    tasks = [task for program in users for task in program.tasks]
    if any(isinstance(step, FunctionNode) for task in tasks for step in walk_steps(task.steps)):
        return  # what functions send may have tags of their own
    tags = {tag.partition("=")[0] for task in tasks for tag in tags_of(task)}
    for entry, path in zip(entries, paths, strict=True):
        for index, label in enumerate(entry.settings.labels or ()):
            if label not in tags:
                guess = suggest(label, sorted(tags))
                what = f"`{entry.kind}` gets no label `{label}`: no request has that tag"
                where = (*path, "labels", index)
                work.notice(where, f"{what}; {guess}" if guess else what)
