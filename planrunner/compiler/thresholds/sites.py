"""What the users of a phase may send, as the labels that its samples have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from planrunner.graph.run_graph import UserProgram, walk_steps
from planrunner.graph.steps import GroupNode, PollNode, RequestNode, StepNode, nested_steps
from planrunner.metrics.series import Labels, Tags, merge_tags

__all__ = ["sites_of", "streamed_names"]


def sites_of(phase: str, program: UserProgram) -> Iterator[Labels]:
    """Yield what is a result of the run: requests, groups and iterations, without their outcomes.

    The value of a tag that a reply gives is empty.
    """
    name = program.name
    for task in program.tasks:
        yield Labels("", "", phase, "", name, task.name, kind="iteration", tags=task.tags)
        yield from _inside(task.steps, Labels("", "", phase, "", name, task.name, tags=task.tags))
    for steps in (program.on_start, program.on_stop):
        yield from _inside(steps, Labels("", "", phase, "", name, ""))


def streamed_names(programs: Iterable[UserProgram]) -> frozenset[str]:
    """Return the names, as they are written, of requests whose replies come piece by piece."""
    return frozenset(
        step.template or step.name
        for program in programs
        for steps in (*(task.steps for task in program.tasks), program.on_start, program.on_stop)
        for step in walk_steps(steps)
        if isinstance(step, RequestNode) and step.exchange.is_streamed is not False
    )


def _inside(steps: Sequence[StepNode], place: Labels) -> Iterator[Labels]:
    for step in steps:
        inner = place
        match step:
            case RequestNode(measured=True):
                yield _request(step, place)
            case GroupNode(name=name, measured=is_measured):
                yield from _group(name, place) if is_measured else ()
                inner = replace(place, groups=(*place.groups, name))
            case PollNode(request=request):
                yield from _group(request.name, place) if request.measured else ()
                inner = replace(place, groups=(*place.groups, request.name))
            case _:
                pass
        for _, nested in nested_steps(step):
            yield from _inside(nested, inner)


def _group(name: str, place: Labels) -> Iterator[Labels]:
    yield replace(place, kind="group", request=name)


def _request(node: RequestNode, place: Labels) -> Labels:
    exchange = node.exchange
    from_replies: Tags = tuple((key, "") for key, _ in node.reply_tags)
    around = tuple(tag for tag in place.tags if tag[0] not in node.untagged)
    return Labels(
        node.name,
        exchange.method,
        place.phase,
        place.stage,
        place.user,
        place.task,
        groups=place.groups,
        protocol=exchange.protocol.partition(":")[0],
        template=node.template,
        tags=merge_tags(merge_tags(around, node.tags), from_replies),
        expectations=exchange.expectations,
        records=tuple(one.word for one in node.records),
        work_unit=node.work_unit,
    )
