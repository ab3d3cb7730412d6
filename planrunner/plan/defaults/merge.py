"""What a file of defaults says, and a plan with what it leaves out taken from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from planrunner.language.diagnostics import Code, Diagnostic, PlanError
from planrunner.language.fields.mapping import invalid
from planrunner.plan.defaults.file import DEFAULTS_FILE
from planrunner.plan.defaults.model import DefaultsModel
from planrunner.plan.defaults.sections import SECTIONS
from planrunner.plan.faults.find import diagnose
from planrunner.plan.yaml.document import Document, PlanPath, parse
from planrunner.plan.yaml.nodes import Entry, YamlNode

__all__ = ["merge_defaults", "read_defaults"]


def read_defaults(
    file: str, read: Callable[[str], str]
) -> tuple[Document | None, list[Diagnostic]]:
    """Return what a file of defaults says, None when that is nothing, and what is wrong with it.

    Raises:
        PlanError: It can't be read, or isn't YAML.
    """
    try:
        document = parse(read(file), file)
    except PlanError as error:
        if [fault.code for fault in error.diagnostics] == [Code.EMPTY_PLAN]:
            return None, []
        raise PlanError([_of_defaults(fault) for fault in error.diagnostics]) from error
    faults = list(document.faults)
    try:
        DefaultsModel.model_validate(document.data)
    except invalid() as error:
        faults += diagnose(error, document)
    return document, faults


def _of_defaults(fault: Diagnostic) -> Diagnostic:
    """Return a finding about a file that is no plan without the words for one."""
    what = fault.message.replace("a plan must be a mapping of keys such as `name:`", _MAPPING)
    return replace(fault, message=what)


_MAPPING: Final = f"{DEFAULTS_FILE} must be a mapping of keys such as `http:`"


def merge_defaults(plan: Document, defaults: Document) -> Document:
    """Return the plan with its defaults; each piece keeps its place in the file it comes from.

    | in both         | what counts                                                  |
    |-----------------|--------------------------------------------------------------|
    | a mapping       | the plan's, and of the defaults the keys that it leaves out  |
    | anything else   | the plan's                                                   |
    """
    own, added = _entries(plan.root), _entries(_at_home(defaults, plan).root)
    merged = dict(own)
    for section in SECTIONS:
        if section in added:
            merged[section] = _merged(own.get(section), added[section])
    root = _mapping(plan.root, merged)
    return replace(plan, root=root, imported=(*plan.imported, defaults.source))


def _merged(own: Entry | None, added: Entry) -> Entry:
    if own is None:
        return added
    start, end, node = own
    if not isinstance(node.items, dict) or not isinstance(added[2].items, dict):
        return own
    return start, end, _mapping(node, dict(_in_order(node.items, added[2].items)))


def _in_order(own: dict[str, Entry], added: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """Yield all entries, each below those that stand above it in its file.

    A param reads those above it: the plan's can read the defaults', and a default reads the plan's
    value of a default above it.
    """
    left = dict(own)
    for key, entry in added.items():
        while key in left:
            above = next(iter(left))
            yield above, left.pop(above)
        if key not in own:
            yield key, entry
    yield from left.items()


def _entries(node: YamlNode) -> dict[str, Entry]:
    return node.items if isinstance(node.items, dict) else {}


def _mapping(node: YamlNode, items: dict[str, Entry]) -> YamlNode:
    data = {key: entry[2].data for key, entry in items.items()}
    return replace(node, data=data, items=items)


_FILES: Final[tuple[PlanPath, ...]] = (
    ("http", "ca"),
    ("http", "cert"),
    ("http", "cert", "cert"),
    ("http", "cert", "key"),
)
"""Where defaults name files: relative ones are relative to the file of defaults."""


def _at_home(defaults: Document, plan: Document) -> Document:
    """Return the defaults with paths that mean the same in the folder of the plan."""
    home = Path(defaults.file).parent.absolute()
    if home == Path(plan.file).parent.absolute():
        return defaults
    root = defaults.root
    for path in _FILES:
        name = defaults.value(path)
        if isinstance(name, str) and not name.startswith("${"):
            root = _with(root, path, str(home / name))
    return replace(defaults, root=root)


def _with(node: YamlNode, path: PlanPath, data: Any) -> YamlNode:  # noqa: ANN401 - as YAML has it
    if not path:
        return replace(node, data=data)
    items = dict(_entries(node))
    start, end, value = items[str(path[0])]
    items[str(path[0])] = (start, end, _with(value, path[1:], data))
    return _mapping(node, items)
