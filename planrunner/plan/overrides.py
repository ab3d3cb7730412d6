"""What the command line changes in a plan: `--override PATH=VALUE`, `--host`, `--users`, `--hold`.

Options change the data before it is checked, so that every check of a plan applies to them too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic, PlanError, suggest
from planrunner.late_pattern import late_pattern
from planrunner.plan.load_options.options import LOAD_OPTIONS
from planrunner.plan.load_options.phase_keys import Constants, PhaseKeys
from planrunner.plan.models.requests import is_request_word
from planrunner.plan.yaml.document import Document, PlanPath
from planrunner.plan.yaml.edits import Edits, Option
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.protocols import registry
from planrunner.values import dataclass

__all__ = ["Changes", "apply_changes"]

_OUTPUT: Final = "--output"


@dataclass(frozen=True, slots=True)
class Changes:
    """What the command line changes.

    Attributes:
        overrides: `PATH=VALUE`, in the order in which they were given.
        host: Where requests with a path alone go; empty for no change, as all that follow.
        users: The users of each phase that runs.
        stages: Short form of the stages that replace its load.
        profile: The profile that runs; None for the first.
        phases: The phases that run, by name; empty for all.
        outputs: `NAME=VALUE` of each output beside the plan's, or `none` for none of the plan's.
    """

    overrides: tuple[str, ...] = ()
    host: str = ""
    users: str = ""
    rate: str = ""
    hold: str = ""
    spawn_rate: str = ""
    stages: str = ""
    profile: str | None = None
    phases: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """All changes as options; the general ones come last, so that they win."""
        return (*self.of_outputs, *self.of_load)

    @property
    def of_load(self) -> tuple[str, ...]:
        """Those that make it another test, and not only one that others watch."""
        names = ("--host", *LOAD_OPTIONS)
        given = ((name, getattr(self, name[2:].replace("-", "_"))) for name in names)
        load = [f"{name} {value}" for name, value in given if value]
        return (*load, *(f"--override {text}" for text in self.overrides))

    @property
    def of_outputs(self) -> tuple[str, ...]:
        """Those that only change who receives the run; that of the plan's own comes first."""
        in_order = sorted(self.outputs, key=lambda text: text != "none")
        return tuple(f"{_OUTPUT} {text}" for text in in_order)


def apply_changes(
    document: Document, changes: Changes, constants: Constants
) -> tuple[Document, list[Diagnostic]]:
    """Return the changed document, and a fault for each change that can't be made."""
    if not changes.options:
        return document, []
    edits, options = Edits.begin(document, changes.options)
    schedule = PhaseKeys(edits, changes.profile, changes.phases, constants)
    for option in options:
        name, _, _ = option.text.partition(" ")
        try:
            if name == "--host":
                _set_host(edits, option, len(name) + 1)
            elif name in LOAD_OPTIONS:
                LOAD_OPTIONS[name](schedule, option, len(name) + 1)
            elif name == _OUTPUT:
                from planrunner.plan.output_kinds.option import add_output  # noqa: PLC0415 - seldom used

                add_output(edits, option, len(name) + 1)
            else:
                _override(edits, option, schedule)
        except PlanError as error:
            edits.faults += error.diagnostics
    return edits.document, edits.faults


def _is_section(name: str) -> bool:
    """Say whether a plan may leave out the key, and has keys of the language's own below it."""
    return name == "report" or registry.settings_key(name, ask_packages=True) is not None


_PREFIX: Final = len("--override ")
_PART: Final = late_pattern(r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>[^.="']+))""")


@dataclass(frozen=True, slots=True)
class _PathPart:
    """One name of a path, with the characters of the option that it takes."""

    name: str
    at: tuple[int, int]


def _override(edits: Edits, option: Option, schedule: PhaseKeys) -> None:
    parts, begins = _split(option)
    section = parts[0]
    if len(parts) > 1 and _is_section(section.name) and not edits.document.value((section.name,)):
        _set(edits, option, (section.name,), section, option.node({}, section.at))
    path: PlanPath = ()
    for part in parts[:-1]:
        path = (*path, _step(edits.document, option, path, part, schedule))
    last = _step(edits.document, option, path, parts[-1], schedule, may_be_new=True)
    _set(edits, option, (*path, last), parts[-1], option.value(begins))


def _set_host(edits: Edits, option: Option, start: int) -> None:
    plugin, value = registry.own_verbs(), option.value(start)
    assert plugin.settings is not None
    section, key = plugin.name, plugin.settings.host_key
    if not isinstance(edits.document.value((section,)), dict):
        edits.set((section,), option.node({}, (0, len(option.text))))
    edits.set((section, key), value)


def _set(edits: Edits, option: Option, path: PlanPath, part: _PathPart, value: YamlNode) -> None:
    start, end = part.at
    edits.set(path, value, key=(option.start + start, option.start + end))


def _split(option: Option) -> tuple[list[_PathPart], int]:
    """Return the names of the path, and where the value begins.

    Raises:
        PlanError: It isn't `PATH=VALUE`.
    """
    text, offset = option.text, _PREFIX
    parts: list[_PathPart] = []
    while found := _PART.match(text, offset):
        name = next(group for group in found.groups() if group is not None)
        parts.append(_PathPart(name, found.span()))
        offset = found.end()
        if text[offset : offset + 1] != ".":
            break
        offset += 1
    if not parts or text[offset - 1] == "." or text[offset : offset + 1] != "=":
        message = f"`{text[_PREFIX:]}` is not PATH=VALUE"
        hint = "write `--override phases.high.hold=5s`; quote names that have a dot in them"
        raise PlanError([option.fault(Code.INVALID_VALUE, message, hint=hint)])
    return parts, offset + 1


def _step(
    document: Document,
    option: Option,
    path: PlanPath,
    part: _PathPart,
    schedule: PhaseKeys,
    *,
    may_be_new: bool = False,
) -> str | int:
    """Return the key or index that `part` means below `path`.

    Raises:
        PlanError: Nothing there is called that.
    """
    value = document.value(path)
    if isinstance(value, dict):
        # A key that the plan leaves out may be given; whether the language has it is checked later.
        if part.name in value or may_be_new:
            return part.name
        choices = list(value)
    elif isinstance(value, list):
        names = schedule.names_at(path) or [_item_name(item) for item in value]
        if part.name in names:
            return names.index(part.name)
        if part.name.isdecimal() and int(part.name) < len(value):
            return int(part.name)
        choices = [name or str(index) for index, name in enumerate(names)]
    else:
        choices = []
    raise PlanError([_unknown(option, path, part, choices)])


def _unknown(option: Option, path: PlanPath, part: _PathPart, choices: Sequence[str]) -> Diagnostic:
    where = f"`{'.'.join(map(str, path))}`" if path else "the plan"
    listed = ", ".join(f"`{choice}`" for choice in choices[:12])
    more = " …" if len(choices) > 12 else ""
    there = f"{where} has {listed}{more}" if choices else f"{where} has nothing below it"
    guess = suggest(part.name, list(choices))
    hint = f"{guess} {there}" if guess else there
    message = f"nothing in {where} is called `{part.name}`"
    return option.fault(Code.UNKNOWN_NAME, message, at=part.at, hint=hint)


def _item_name(item: object) -> str:
    """Return what a list's item is called: its name, or the request that it is."""
    if not isinstance(item, Mapping):
        return ""
    for key in ("name", "task"):
        if isinstance(item.get(key), str):
            return str(item[key])
    action = next((key for key in item if is_request_word(key)), "")
    url = item.get(action)
    return f"{action.upper()} {url}" if isinstance(url, str) else ""
