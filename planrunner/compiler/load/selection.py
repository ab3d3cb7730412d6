"""Which part of a plan runs: by user class, task and tag. Pure: programs in, programs out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from planrunner.graph.run_graph import RequestNode, TaskProgram, UserProgram, walk_steps
from planrunner.plan.models.load.selection import SelectionModel
from planrunner.values import dataclass

__all__ = ["Choice", "PlanSelection", "choices_in", "select", "selection_of_phase", "tags_of"]


@dataclass(frozen=True, slots=True)
class PlanSelection:
    """What is asked for; an empty part asks for everything.

    Names of one part are alternatives; a task runs when every part wants it.

    Attributes:
        profile: None for the plan's first.
        phases: By name; one of a matrix takes all of its combinations, or those with some values.
        cases: Of phases whose matrix has cases, those that run.
        tags: A key, or `key=value`; the tags of a task are its own, its class's and those of the
            requests inside.
    """

    profile: str | None = None
    phases: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    skip_users: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()

    @property
    def is_partial(self) -> bool:
        """Whether it may leave out some of the users' work."""
        return bool(self.users or self.tasks or self.tags or self.skip_users or self.skip_tags)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something of one part that is asked for.

    Attributes:
        option: The option that asks for it.
        place: Where a phase asks for it, below `only` or `skip`.
        kind: What it is, in words.
        exists: What the plan has of the kind.
    """

    option: str
    place: tuple[str | int, ...]
    kind: str
    name: str
    exists: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        return self.name in self.exists


def selection_of_phase(only: SelectionModel | None, skip: SelectionModel | None) -> PlanSelection:
    """Return what a phase's own `only` and `skip` ask for."""
    return PlanSelection(
        users=tuple((only and only.users) or ()),
        tags=tuple((only and only.tags) or ()),
        skip_users=tuple((skip and skip.users) or ()),
        skip_tags=tuple((skip and skip.tags) or ()),
    )


def choices_in(selection: PlanSelection, programs: Sequence[UserProgram]) -> Iterator[Choice]:
    """Yield everything that is asked for of the users, with what there is."""
    if not selection.is_partial:
        return
    classes = tuple(program.name for program in programs)
    tasks = tuple(dict.fromkeys(task.name for program in programs for task in program.tasks))
    tags = tuple(
        sorted({tag for program in programs for task in program.tasks for tag in tags_of(task)})
    )
    named = tuple(name for name in tasks if name)
    for option, key, kind, names, exists in (
        ("--user", ("only", "users"), "user class", selection.users, classes),
        ("--task", (), "task", selection.tasks, named),
        ("--tag", ("only", "tags"), "tag", selection.tags, tags),
        ("--skip-user", ("skip", "users"), "user class", selection.skip_users, classes),
        ("--skip-tag", ("skip", "tags"), "tag", selection.skip_tags, tags),
    ):
        for index, name in enumerate(names):
            yield Choice(option, (*key, index), kind, name, exists)


def select(selection: PlanSelection, programs: Sequence[UserProgram]) -> tuple[UserProgram, ...]:
    """Return the classes with those of their tasks that are wanted; one without any is left out.

    A task that would run in place of another is left out as well if it isn't wanted: the pick is
    skipped then. So is one that would follow another: if none is left that may, any may.
    """
    if not selection.is_partial:
        return tuple(programs)
    kept = (_select_tasks(selection, program) for program in programs)
    return tuple(program for program in kept if program.tasks)


def _select_tasks(selection: PlanSelection, program: UserProgram) -> UserProgram:
    users, skipped = selection.users, selection.skip_users
    if (users and program.name not in users) or program.name in skipped:
        return replace(program, tasks=())
    tasks = tuple(task for task in program.tasks if _is_wanted(selection, task))
    names = {"skip", "repick", *(task.name for task in tasks)}
    return replace(program, tasks=tuple(_among(names, task) for task in tasks))


def _is_wanted(selection: PlanSelection, task: TaskProgram) -> bool:
    if selection.tasks and task.name not in selection.tasks:
        return False
    tags = tags_of(task)
    if selection.tags and tags.isdisjoint(selection.tags):
        return False
    return tags.isdisjoint(selection.skip_tags)


def _among(names: set[str], task: TaskProgram) -> TaskProgram:
    """Return the task so that it leads to none that is left out."""
    following = tuple((name, weight) for name, weight in task.following if name in names)
    if following != task.following:
        task = replace(task, following=following)
    needs = task.needs
    if needs is None or needs.otherwise in names:
        return task
    return replace(task, needs=replace(needs, otherwise="skip"))


def tags_of(task: TaskProgram) -> set[str]:
    """Return every tag of a task by its key, and with its value if that is known."""
    found = list(task.tags)
    keys: set[str] = set()
    for step in walk_steps(task.steps):
        if isinstance(step, RequestNode):
            found += step.tags
            keys.update(key for key, _ in step.reply_tags)
    keys.update(key for key, _ in found)
    return keys | {f"{key}={value}" for key, value in found if value}
