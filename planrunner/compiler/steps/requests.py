"""etcd steps to nodes: the same walk as for HTTP, with all keys inside the action's mapping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from planrunner.compiler.compilation import Compilation
from planrunner.compiler.steps.tags import compile_tags
from planrunner.compiler.steps.walk import StepWalk
from planrunner.graph.steps import Evaluate, RequestNode
from planrunner.language.diagnostics import Code
from planrunner.plan.loader import Plan
from planrunner.plan.models.steps import StepModel
from planrunner.plan.yaml.document import PlanPath
from planrunner.protocols.etcd.operation import EtcdSettings
from planrunner.protocols.lowering import SpecFault

if TYPE_CHECKING:
    from planrunner.protocols.etcd.spec import EtcdRequest

__all__ = ["compile_etcd", "etcd_settings"]

_AFTER_THE_REPLY: Final = ("expect", "extract", "tags")


def etcd_settings(work: Compilation, plan: Plan) -> EtcdSettings | None:
    """Compile the plan's `etcd:` block; None without one."""
    model = plan.model.etcd
    if model is None:
        return None
    from planrunner.protocols.etcd.compile import compile_settings  # noqa: PLC0415 - plans without etcd do without it

    if not work.check_all(model, ("etcd",), work.constant_names):
        return EtcdSettings()
    compiled = compile_settings(model, constants=work.constants, files=plan.files_at(("etcd",)))
    _note(work, compiled.faults, ("etcd",))
    return compiled.settings


def compile_etcd(
    walk: StepWalk, model: StepModel, path: PlanPath, when: Evaluate | None, later: frozenset[str]
) -> RequestNode:
    """Compile one `etcd.*` step."""
    from planrunner.protocols.etcd.compile import compile_exchange, default_name  # noqa: PLC0415 - plans without etcd do without it

    action = model.action
    spec: EtcdRequest = getattr(model, action.replace(".", "_"))
    inside = (*path, action)
    sound = _check_names(walk, spec, inside)
    tags, reply_tags, tag_reads = compile_tags(walk.work, spec.tags, (*inside, "tags"))
    reads = later | tag_reads
    compiled = compile_exchange(
        spec,
        constants=walk.work.constants,
        settings=_settings(walk, path, action),
        files=walk.files_at(path),
        reads_body=bool(reads & {"json", "body"}),
    )
    if sound:
        _note(walk.work, compiled.faults, inside)
    walk.write(spec.extract or (), (*inside, "extract"))
    walk.publishes = walk.publishes or bool(reads)
    return RequestNode(
        name=spec.name or default_name(spec),
        exchange=compiled.exchange,
        tags=tags,
        reply_tags=reply_tags,
        measured=walk.measured,
        when=when,
        reads_reply=bool(reads),
    )


def _check_names(walk: StepWalk, spec: EtcdRequest, path: PlanPath) -> bool:
    """Check names where they stand: what reads the reply may also read what it brings."""
    before = len(walk.work.faults)
    for name, field in type(spec).model_fields.items():
        if name not in _AFTER_THE_REPLY and getattr(spec, name) is not None:
            walk.work.check_all(getattr(spec, name), (*path, field.alias or name), walk.known)
    walk.known = replace(walk.known, replied=True)
    for name in _AFTER_THE_REPLY:
        if getattr(spec, name) is not None:
            walk.work.check_all(getattr(spec, name), (*path, name), walk.known)
    return len(walk.work.faults) == before


def _settings(walk: StepWalk, path: PlanPath, action: str) -> EtcdSettings:
    if walk.etcd is None:
        walk.work.fault(
            (*path, action),
            Code.MISSING_KEY,
            "the plan does not say where etcd is",
            hint="add `etcd: {endpoints: ['127.0.0.1:2379']}`",
            part="key",
        )
        return EtcdSettings()
    return walk.etcd


def _note(work: Compilation, faults: Iterable[SpecFault], path: PlanPath) -> None:
    for fault in faults:
        work.fault_of_spec(fault, path)
