"""The scripts of events: what they test becomes `expect`, what they keep `extract` and `set`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from planrunner.importers.formats.postman.scripts.effects import ScriptEffect, ScriptFolder
from planrunner.importers.formats.postman.scripts.statements import SCOPE, StatementReader
from planrunner.importers.javascript.script import parse
from planrunner.importers.nodes import SourceNode
from planrunner.loss.ledger import SourcePlace

if TYPE_CHECKING:
    pass

__all__ = ["effects_of", "written_names"]

_WRITES: Final = re.compile(
    rf"(?:{SCOPE}\.(?:set|unset)|postman\.(?:set|clear)(?:Environment|Global)Variable)"
    r"\(\s*(['\"`])(.+?)\1"
)


def written_names(text: str) -> set[str]:
    """Return the variables that a script sets or clears."""
    return {found[2] for found in _WRITES.finditer(text)}


def _read_event(
    event: SourceNode, folder: ScriptFolder, effect: ScriptEffect, following: str | None
) -> None:
    """Read one event of a request, a folder or a collection into an effect.

    Args:
        event: With `listen` and `script`.
        folder: What scripts share.
        effect: What is added to.
        following: The name of the request that follows anyway; None where several do.
    """
    listen = event.take_whole("listen")
    is_off = event.take_whole("disabled") is True
    event.take_whole("id")
    script = event.take("script")
    if script is None or is_off:
        event.whole()
        return
    lines = script if not script.is_mapping else script.take("exec")
    for key in ("type", "id", "packages", "requests", "src", "name"):
        if script.is_mapping:
            script.take_whole(key)
    if lines is None or listen not in ("test", "prerequest"):
        return
    texts = [(one.text(), one.place) for one in lines.each()]
    places = [place for text, place in texts for _ in range(text.count("\n") + 1)]
    if not any(text.strip() for text, _ in texts):
        return

    def locate(line: int, column: int) -> SourcePlace:
        place = places[min(line, len(places)) - 1]
        return SourcePlace(place.file, place.line, place.column + column)

    parsed = parse("\n".join(text for text, _ in texts), locate)
    try:
        StatementReader(parsed, folder, effect, following, is_test=listen == "test").read()
    except RecursionError:
        folder.ledger.add("script", f"a script of `{listen}`", places[0]).left_out(
            "it nests too deeply to be read"
        )


def effects_of(
    events: Sequence[SourceNode], folder: ScriptFolder, effect: ScriptEffect, following: str | None
) -> ScriptEffect:
    """Read several events into an effect."""
    for event in events:
        if event.is_mapping:
            _read_event(event, folder, effect, following)
    return effect
