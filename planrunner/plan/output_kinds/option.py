"""`--output NAME=VALUE`: an output beside those of the plan, or in place of the same kind's."""

from __future__ import annotations

from typing import Final

from planrunner.errors import PlanrunnerError
from planrunner.language.diagnostics import Code, PlanError
from planrunner.plan.output_kinds import registry
from planrunner.plan.yaml.edits import COMMAND_LINE, Edits, Option
from planrunner.plan.yaml.nodes import YamlNode

__all__ = ["add_output"]

_FORM: Final = "write NAME=VALUE, such as `{}`; `--out` sets the run's directory"
_SECTION: Final = ("outputs",)
_NONE: Final = "none"


def add_output(edits: Edits, option: Option, start: int) -> None:
    """Put an output into the plan.

    It takes the place of the plan's outputs of that kind, and keeps their `labels` unless it has
    its own: which tags are labels is no matter of where the numbers go.

    Args:
        edits: Of the plan.
        option: As it was typed.
        start: Where its value begins, in characters.

    Raises:
        PlanError: It names no output, or its value can't be read.
    """
    text = option.text[start:]
    if text == _NONE:
        edits.drop(_SECTION)
        return
    name, equals, value = text.partition("=")
    at = (start, start + len(name))
    try:
        kind = registry.named_kind(name)
        if value.startswith("{"):
            settings = option.value(start + len(name) + len(equals))
        else:
            given = dict(kind.read_words(value)) if equals else {}
            settings = option.node(given, (start, len(option.text)))
    except PlanError:
        raise
    except PlanrunnerError as error:
        hint = error.hint if equals else _FORM.format(_example())
        fault = option.fault(Code.INVALID_VALUE, error.message, at=at, hint=hint)
        raise PlanError([fault]) from error
    _put(edits, option, name, settings, at)


def _example() -> str:
    kind = next(kind for kind in registry.known_kinds().values() if kind.words_example)
    return f"{kind.name}={kind.words_example}"


def _put(edits: Edits, option: Option, name: str, settings: YamlNode, at: tuple[int, int]) -> None:
    section = edits.document.root.items if isinstance(edits.document.root.items, dict) else {}
    begin, end = option.start + at[0], option.start + at[1]
    written = section["outputs"][2].items if "outputs" in section else []
    others: list[YamlNode] = []
    for item in written if isinstance(written, list) else ():
        replaced = _settings_of(item, name)
        if replaced is None or item.source.file == COMMAND_LINE:
            others.append(item)
        else:
            _keep_labels(settings, replaced)
    entry = option.node({}, at)
    entry.items = {name: (begin, end, settings)}
    entry.data = {name: settings.data}
    whole = option.node([], at)
    whole.items = [*others, entry]
    whole.data = [item.data for item in whole.items]
    edits.set(_SECTION, whole, key=(begin, end))


def _settings_of(item: YamlNode, name: str) -> YamlNode | None:
    """Return the settings of an output of the plan, if it is of that kind."""
    entry = item.items.get(name) if isinstance(item.items, dict) else None
    return None if entry is None else entry[2]


def _keep_labels(settings: YamlNode, replaced: YamlNode) -> None:
    before = replaced.items if isinstance(replaced.items, dict) else {}
    if not isinstance(settings.items, dict) or "labels" in settings.items:
        return
    if "labels" in before:
        settings.items = {**settings.items, "labels": before["labels"]}
        settings.data = {**settings.data, "labels": before["labels"][2].data}
