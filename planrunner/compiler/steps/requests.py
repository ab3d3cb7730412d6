"""Requests to nodes, whatever their protocol: the same walk for verbs and for `name.action`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from planrunner.compiler.settings_block import SettingsBlock
from planrunner.compiler.steps.connections import follow_connection, lasting
from planrunner.compiler.steps.inherited import Inherited, inherit
from planrunner.compiler.steps.naming import name_of
from planrunner.compiler.steps.recording import (
    compile_records,
    reads_of_records,
    usual_unit,
    with_counts,
    work_unit_of,
)
from planrunner.compiler.steps.tags import compile_tags
from planrunner.compiler.steps.walk import StepWalk
from planrunner.graph.steps import Evaluate, RequestNode
from planrunner.language.diagnostics import Code
from planrunner.language.fields.mapping import PlanMapping
from planrunner.language.fields.rows import RowsOf
from planrunner.plan.models.requests import Operation, RequestStep
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.base import Exchange, Reply
from planrunner.protocols.plugin import Plugin

__all__ = ["compile_request", "must_be_given", "with_words"]

_AFTER_THE_REPLY: Final = frozenset({"expect", "extract", "tags"})
_NOT_BEFORE: Final = _AFTER_THE_REPLY | {"when", "record", "work", "unit"}
_BETWEEN: Final = frozenset({"until"})
"""What is read while the reply comes, where its protocol says so (`Plugin.piece_names`)."""


def compile_request(
    walk: StepWalk,
    model: RequestStep,
    path: PlanPath,
    when: Evaluate | None,
    read_later: frozenset[str],
) -> RequestNode:
    """Compile the request that stands at `path`."""
    request = model.operation
    assert request is not None
    work, inside = walk.work, (*path, *request.inside)
    block = walk.blocks.of(request.plugin)
    must_be_given(walk, block, request.action, path)
    before = len(work.faults)
    follow_connection(walk, request, inside)
    inherited = inherit(work, block, request, inside)
    _check_names(walk, block, request, inherited)
    spec = _knowing_rows(walk, lasting(walk, request, inherited.spec))
    tags, reply_tags, tag_reads = compile_tags(work, spec.tags, inherited.place)
    reads = read_later | tag_reads | reads_of_records(request.spec)
    if request.is_silent:
        reads = frozenset()
    compiled = request.plugin.compile_request(
        spec,
        action=request.action,
        constants=work.constants,
        defaults=block.defaults,
        files=walk.files_at(path),
        reads=reads,
    )
    measured = walk.measured
    if len(work.faults) == before:  # else the same would be said again
        for fault in compiled.faults:
            work.fault_of_spec(replace(fault, path=()), inherited.place(fault.path))
        for notice in compiled.notices:
            work.notice(inherited.place(notice.path), notice.message)
        usual = measured and not compiled.exchange.is_step
        measured = work.settle(request.spec.measure, (*inside, "measure"), usual)  # type: ignore[assignment]  # a flag or an expression, as its field says
    walk.write(request.extracted, (*inside, "extract"))
    if request.target:
        walk.write_as(request.target, (*inside, request.action, "as"))
    records = compile_records(walk, request.spec, inside)
    if records and not measured:
        _must_be_measured(walk, request, inside)
    walk.publishes = walk.publishes or bool(reads)
    given = name_of(walk, spec.name, (*inside, "name"), request.name)
    return RequestNode(
        name=given.name,
        template=given.template,
        naming=given.naming,
        exchange=with_words(compiled.exchange, request.plugin, request.reply_names),
        tags=tags,
        reply_tags=reply_tags,
        measured=measured,
        when=when,
        reads_reply=bool(reads),
        inherited=inherited.words,
        untagged=inherited.untagged,
        settings=block.settings if block.is_aimed else None,
        records=with_counts(records, compiled.exchange) if measured else (),
        work_unit=work_unit_of(walk, request.spec, inside) or usual_unit(compiled.exchange),
        path=inside,
        origin=walk.origin(path),
    )


def _knowing_rows(walk: StepWalk, spec: Any) -> Any:  # noqa: ANN401 - of any protocol
    """Return what a request says, with the columns of sources that it reads whole."""
    found = {
        name: replace(value, columns=walk.known.columns.get(value.source, ()))
        for name in spec.model_fields_set
        if isinstance(value := getattr(spec, name), RowsOf)
    }
    return spec.model_copy(update=found) if found else spec


def with_words(
    exchange: Exchange, plugin: Plugin, reply_names: Mapping[str, Callable[[Reply], object]]
) -> Exchange:
    """Return the exchange with its protocol's own words for statuses and names of a reply."""
    if plugin.status_text is str and not reply_names:
        return exchange
    names = tuple(reply_names.items())
    return replace(exchange, status_text=plugin.status_text, reply_names=names)


def _must_be_measured(walk: StepWalk, request: Operation, inside: PlanPath) -> None:
    """Say that a request which isn't measured records nothing: it may be a flow's in `on_start`."""
    spec = request.spec
    key = next(key for key in ("record", "work") if getattr(spec, key))
    if spec.measure is False:
        message = f"`{key}` is about a sample, and this request isn't measured"
        hint = "remove it, or `measure: false`"
        walk.work.fault((*inside, key), Code.CONFLICTING_KEYS, message, hint=hint, part="key")
    elif not walk.work.faults:
        message = f"`{key}` does nothing here: only requests that are measured have values"
        walk.work.notice((*inside, key), message)


def must_be_given(walk: StepWalk, block: SettingsBlock, action: str, path: PlanPath) -> None:
    """Note a fault when the plan lacks settings that the protocol can't do without."""
    settings = block.plugin.settings
    if settings is not None and settings.missing and not block.is_given:
        walk.work.fault(
            (*path, action),
            Code.MISSING_KEY,
            settings.missing,
            hint=settings.missing_hint,
            part="key",
        )


def _check_names(
    walk: StepWalk, block: SettingsBlock, request: Operation, inherited: Inherited
) -> None:
    """Check names where they stand: what reads the reply may also read what it brings."""
    work, spec = walk.work, request.spec
    later = _BETWEEN if request.plugin.piece_names else frozenset[str]()
    keys = _read_before(request.keys)
    for name in sorted(keys.keys() & spec.model_fields_set - later):
        work.check_all(getattr(spec, name), (*inherited.inside, keys[name]), walk.known)
    block.check(work, walk.known, request)
    if not request.is_silent:
        _give_names(walk, request, inherited.inside)
        walk.known = walk.known.after_request(request.reply_names)
        if request.plugin.piece_names and (until := getattr(spec, "until", None)) is not None:
            names = {*request.reply_names, *request.plugin.piece_names}
            known = walk.known.after_request(names)
            work.check_all(until, (*inherited.inside, "until"), known)
    for name in sorted(_AFTER_THE_REPLY):
        inherited.check(work, name, walk.known, block)


def _give_names(walk: StepWalk, request: Operation, inside: PlanPath) -> None:
    """Let a reply have the names that its protocol gives it, if they are free."""
    known = walk.known
    taken = {*known.params, *known.columns, *(known.variables - known.reply_names)}
    for name in sorted(taken.intersection(request.reply_names)):
        message = f"after this request `{name}` is a value of its reply"
        hint = f"call your own `{name}` something else"
        place = (*inside, request.action)
        walk.work.fault(place, Code.RESERVED_NAME, message, hint=hint, part="key")
    walk.given.update(request.reply_names)


@cache
def _read_before(keys: type[PlanMapping]) -> Mapping[str, str]:
    """Return the fields whose values a request needs before it is sent, each with its key."""
    fields = keys.model_fields.items()
    return {name: field.alias or name for name, field in fields if name not in _NOT_BEFORE}
