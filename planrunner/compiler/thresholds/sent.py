"""What the requests of a compiled plan are called, and how they are tagged, for thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from planrunner.compiler.thresholds.names import KnownTargets, OwnerOfTask
from planrunner.graph.run_graph import (
    Block,
    FunctionNode,
    RequestNode,
    StepNode,
    UserProgram,
    walk_steps,
)
from planrunner.metrics.limited_words import OTHER
from planrunner.metrics.name_patterns import NameForm
from planrunner.metrics.thresholds.selector import SelectorKind, Term

__all__ = ["admit_computed", "note_sent"]


def note_sent(
    names: KnownTargets, programs: Iterable[UserProgram], blocks: Iterable[Block | None]
) -> KnownTargets:
    """Return `names` with what users send, whether they are selected or not, and `blocks` do."""
    for block in blocks:
        _note(names, () if block is None else block.steps, None)
    for program in programs:
        for task in program.tasks:
            _note(names, task.steps, (program.name, task.name))
        for steps in (program.on_start, program.on_stop):
            _note(names, steps, (program.name, ""))
    return names


def admit_computed(names: KnownTargets, term: Term) -> None:
    """Let a threshold name a request as users may name it: `GET /a` where `GET /${x}` stands."""
    owners = names.owners.get(SelectorKind.REQUEST, {})
    is_name = term.form in (NameForm.NAME, NameForm.ACTION)
    if term.kind is not SelectorKind.REQUEST or not is_name or term.name in owners:
        return
    for template, naming in names.templates.items():
        if term.name == OTHER or naming.can_give(term.name):
            _own_as(names, template, term.name)


def _own_as(names: KnownTargets, name: str, other: str) -> None:
    """Let what is known of a request hold for another name of it."""
    owners = names.owners.setdefault(SelectorKind.REQUEST, {})
    owners.setdefault(other, set()).update(owners.get(name, ()))
    senders = names.senders.setdefault(SelectorKind.REQUEST, {})
    senders.setdefault(other, set()).update(senders.get(name, ()))


def _note(names: KnownTargets, steps: Sequence[StepNode], owner: OwnerOfTask | None) -> None:
    for step in walk_steps(steps):
        if isinstance(step, FunctionNode):
            names.is_open = True
            if owner is not None:
                names.sent.update(channel.partition(":")[0] for channel in step.channels)
        elif isinstance(step, RequestNode):
            _note_tags(names, step, owner)
            if step.naming is not None:
                names.templates[step.template] = step.naming
            elif step.template:
                _own_as(names, step.template, step.name)


def _note_tags(names: KnownTargets, request: RequestNode, owner: OwnerOfTask | None) -> None:
    of_reply = ((key, None) for key, _ in request.reply_tags)
    for key, value in (*request.tags, *of_reply):
        owners = names.owners.setdefault(SelectorKind.TAG, {}).setdefault(key, set())
        if owner is not None:
            owners.add(owner)
        known = names.values.setdefault(key, set())
        if value is None or known is None:
            names.values[key] = None
        else:
            known.add(value)
