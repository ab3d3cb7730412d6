"""A plan file → a checked plan; all that is wrong with it at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from planrunner.language.diagnostics import Diagnostic, PlanError
from planrunner.language.expressions.values import to_text
from planrunner.language.fields.mapping import invalid
from planrunner.language.fields.reading import reading_once
from planrunner.language.files import ANYWHERE, Folders
from planrunner.language.secrets import Masker
from planrunner.plan.bundle import Bundle, NamedFiles
from planrunner.plan.defaults.file import defaults_of, is_defaults, no_plan
from planrunner.plan.faults.find import MAX_FAULTS, diagnose
from planrunner.plan.faults.missing_braces import with_missing_braces
from planrunner.plan.faults.salvage import Remains, salvage
from planrunner.plan.functions import PlanFunction
from planrunner.plan.load_options.phase_keys import Constants
from planrunner.plan.models.params import ParamModel
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.overrides import Changes, apply_changes
from planrunner.plan.params.environments import (
    nested_faults,
    param_values,
    picked_profile,
    profile_faults,
)
from planrunner.plan.params.resolve import Param, ParamSources, resolve_params, resolve_values
from planrunner.plan.params.secret_texts import (
    covered_text,
    has_computed_secrets,
    row_texts,
    secret_texts,
)
from planrunner.plan.yaml.document import Document, PlanPath, parse
from planrunner.plan.yaml.files import read_text
from planrunner.plan.yaml.places import ArgumentNames
from planrunner.protocols import registry
from planrunner.values import dataclass

__all__ = ["CheckedPlan", "InvalidPlan", "load", "load_bundle"]


@dataclass(frozen=True, slots=True)
class CheckedPlan:
    """A plan whose every key and value has been checked.

    Attributes:
        document: Where everything stands.
        params: The params' values.
        changes: What the command line changed in it.
        sources: What it was loaded with.
        secrets: Every value that a secret could have had.
        shown_text: The text of the plan's own file without them.
        profile: The one that the environment picks; None when it picks none.
        files: Access to what each entry of a section names, as far as it was asked for.
    """

    model: PlanModel
    document: Document
    params: Mapping[str, Param]
    bundle: Bundle
    changes: Changes = field(default_factory=Changes)
    sources: ParamSources = field(default_factory=ParamSources, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    shown_text: str = field(default="", repr=False)
    profile: str | None = None
    files: dict[PlanPath, NamedFiles] = field(default_factory=dict, repr=False, compare=False)

    def files_at(self, path: PlanPath) -> NamedFiles:
        """Return access to the files that are named at `path`: relative to the file it is in."""
        entry = path[:2]  # imports bring whole entries of a section
        if entry not in self.files:
            found = self.bundle.beside(self.document.span(entry).file)
            self.files[entry] = replace(found, hooks=self._hooks())
        return self.files[entry]

    def _hooks(self) -> Path | None:
        """Return the plan's Python file, which is relative to the file that names it."""
        name = self.model.hooks
        if name is None:
            return None
        hooks = Path(self.document.span(("hooks",)).file).parent / name
        return hooks if self.bundle.host is None else self.bundle.host.place(hooks)


class InvalidPlan(PlanError):  # noqa: N818 - reads as the sentence it stands for
    """The plan could be read but is wrong.

    Attributes:
        draft: The plan without its faulty pieces, so that a compiler can look for more faults;
            None when nothing sound is left.
        lost: Words of those pieces: the draft may rightly use names that were defined there.
    """

    def __init__(
        self, diagnostics: Sequence[Diagnostic], draft: CheckedPlan | None, lost: frozenset[str]
    ) -> None:
        super().__init__(diagnostics)
        self.draft = draft
        self.lost = lost


def load(  # noqa: PLR0913 - one parameter for each thing that callers say about a plan
    path: str | os.PathLike[str],
    *,
    overrides: Mapping[str, str] | None = None,
    environment: str | None = None,
    environ: Mapping[str, str],
    need_secrets: bool = False,
    changes: Changes | None = None,
    folders: Folders = ANYWHERE,
    defaults: str | None = None,
    text: str | None = None,
    functions: Mapping[str, PlanFunction] | None = None,
    arguments: ArgumentNames | None = None,
) -> CheckedPlan:
    """Read and check the plan in a file.

    Args:
        path: The plan; what it names is relative to it.
        overrides: Values of params from the command line.
        environment: The block of `environments` to take values from.
        environ: The process's environment variables.
        need_secrets: Whether a required secret must have a value; to look at a plan it need not.
        changes: What the command line changes in the plan.
        folders: Where the files that the plan names may lie.
        defaults: The file with what the plan leaves out, or `none`; None for the `planrunner.yaml`
            beside the plan.
        text: What the file would have, of a plan that need not be one; None to read it.
        functions: What stands in it in the place of steps, by the name that its text has.
        arguments: What its places are called, if Python wrote the text.

    Raises:
        PlanError: With every fault that was found; an `InvalidPlan` if the file could be read.
    """
    own = os.fspath(path)
    if is_defaults(own):
        raise no_plan(own)
    texts: dict[str, str] = {}
    given = {own, defaults}  # by the user, who may name any file

    def read(file: str) -> str:
        if file == own and text is not None:
            found = text
        else:
            found = read_text(file, ANYWHERE if file in given else folders)
        texts[file] = found
        return found

    sources = ParamSources(
        overrides or {}, environment, environ, need_secrets, changes or Changes()
    )
    bundle = Bundle(
        own,
        texts,
        folders=folders,
        defaults=defaults_of(own, defaults),
        functions=functions or {},
        arguments=arguments,
    )
    return _load(bundle, read, sources)


def load_bundle(bundle: Bundle, sources: ParamSources) -> CheckedPlan:
    """Check the plan in a bundle, without its files.

    Raises:
        PlanError: With every fault that was found.
    """
    return _load(bundle, bundle.reader(), sources)


@reading_once()
def _load(bundle: Bundle, read: Callable[[str], str], sources: ParamSources) -> CheckedPlan:
    document = parse(read(bundle.file), bundle.file)
    broken = document.faults
    document, faults = _with_imports(document, read)
    document, found = _with_defaults(document, bundle, read)
    faults += found
    as_written = document
    faults += profile_faults(document)
    faults += nested_faults(document)
    profile = picked_profile(document, sources.environment)
    changes = replace(sources.changes, profile=sources.changes.profile or profile)
    document, refused = apply_changes(document, changes, _constants(document, sources))
    faults += refused
    remains: Remains | None
    try:
        remains = Remains(PlanModel.model_validate(document.data), document, frozenset())
        params, found = _params(document, remains.model, sources)
    except invalid() as error:
        faults += diagnose(error, document)
        remains = salvage(document, error) if len(faults) < MAX_FAULTS else None
        params, found = _params(document, None, sources)
    named = _mapping(document.value(("params",))).keys()  # also those that are wrong
    faults = [*broken, *with_missing_braces([*faults, *found], named)]
    secrets = _secrets(as_written, document, remains, sources)
    draft = None
    if remains is not None:
        draft = CheckedPlan(
            remains.model,
            remains.document,
            params,
            bundle,
            sources.changes,
            sources,
            secrets=secrets,
            shown_text=covered_text(as_written),
            profile=profile,
        )
        _note_names(draft)
    if draft is None or faults:
        raise InvalidPlan(
            Masker((*secrets, *row_texts(document))).diagnostics(_distinct(faults, broken)),
            draft,
            remains.lost if remains else frozenset(),
        )
    return draft


def _note_names(plan: CheckedPlan) -> None:
    """Let requests know what they are called after, where that stands elsewhere; seldom."""
    texts = plan.bundle.texts.values()
    if any(word in text for word in registry.opening_words() for text in texts):
        from planrunner.plan.request_names import note_connections  # noqa: PLC0415 - few plans have any

        note_connections(plan.model)
    if any("graphql" in text for text in texts):
        from planrunner.plan.request_names import note_queries  # noqa: PLC0415 - most plans have none

        constants = {name: param.value for name, param in plan.params.items()}
        note_queries(plan.model, constants, plan.files_at)


def _with_imports(
    document: Document, read: Callable[[str], str]
) -> tuple[Document, list[Diagnostic]]:
    """Return the plan with what it imports, and what is wrong with that."""
    if not document.has(("imports",)):
        return document, []
    from planrunner.plan.imports import merge_imports  # noqa: PLC0415 - few plans import any

    return merge_imports(document, read)


def _with_defaults(
    document: Document, bundle: Bundle, read: Callable[[str], str]
) -> tuple[Document, list[Diagnostic]]:
    """Return the plan with its defaults, and what is wrong with these."""
    if not bundle.defaults:
        return document, []
    from planrunner.plan.defaults.merge import merge_defaults, read_defaults  # noqa: PLC0415 - few plans have any

    defaults, faults = read_defaults(bundle.defaults, read)
    return (document if defaults is None else merge_defaults(document, defaults)), faults


def _secrets(
    as_written: Document, document: Document, remains: Remains | None, sources: ParamSources
) -> tuple[str, ...]:
    """Return every value that a secret could have had, before and after the command line's say."""
    found = [*secret_texts(as_written, sources), *secret_texts(document, sources)]
    if remains is not None and has_computed_secrets(document):
        for name in list(_mapping(document.value(("environments",))))[:_MOST_ENVIRONMENTS]:
            params, _ = _params(document, remains.model, replace(sources, environment=str(name)))
            secret = (param.value for param in params.values() if param.secret)
            found += [to_text(value) for value in secret if isinstance(value, str | int | float)]
    return tuple(dict.fromkeys(filter(None, found)))


_MOST_ENVIRONMENTS: Final = 100
"""Blocks with whose values computed secrets are worked out, to find all that they could be."""


def _params(
    document: Document, model: PlanModel | None, sources: ParamSources
) -> tuple[dict[str, Param], list[Diagnostic]]:
    """Resolve the params; of a plan that is invalid elsewhere too, so that all faults show."""
    if model is not None:
        params: Mapping[str, ParamModel] = model.params or {}
        environments: Mapping[str, Mapping[str, Any]] = model.environments or {}
    else:
        params = _sound_params(_mapping(document.value(("params",))))
        blocks = _mapping(document.value(("environments",)))
        environments = {name: _mapping(block) for name, block in blocks.items()}
    return resolve_params(params, param_values(environments, params), sources, document)


def _constants(document: Document, sources: ParamSources) -> Constants:
    """Return what gives the values of params in a phase, before the plan has been checked."""

    @cache
    def of_plan() -> dict[str, Param]:
        return _params(document, None, sources)[0]

    def at(path: PlanPath) -> Mapping[str, object]:
        params = of_plan()
        models = _sound_params(_mapping(document.value(("params",))))
        depth = {"phases": 2, "profiles": 3}.get(str(path[0]) if path else "", 0)
        place = (*path[:depth], "params")
        values = _mapping(document.value(place)) if depth else {}
        own, _ = resolve_values(models, values, place, document, params)
        return {name: param.value for name, param in {**params, **own}.items()}

    return at


def _sound_params(section: Mapping[str, Any]) -> dict[str, ParamModel]:
    """Return the params that are valid; what is wrong with the others is known already."""
    params: dict[str, ParamModel] = {}
    for name, data in section.items():
        try:
            params[name] = ParamModel.model_validate(data)
        except invalid():
            continue
    return params


def _mapping(data: object) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}


def _distinct(faults: list[Diagnostic], broken: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    """Drop repetitions, and what else is wrong with a value whose YAML is `broken` already."""
    places = {(fault.span.file, fault.span.line, fault.span.column) for fault in broken}
    kept: dict[object, Diagnostic] = {}
    for fault in faults:
        place = (fault.span.file, fault.span.line, fault.span.column)
        if fault in broken or place not in places:
            kept.setdefault((fault.span, fault.code, fault.message), fault)
    return list(kept.values())
