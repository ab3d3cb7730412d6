"""What a script reads of a reply, and its path as JSONPath."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["PathStep", "ScriptValue", "json_path"]

PathStep = str | int
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class ScriptValue:
    """A value of a script.

    Attributes:
        kind: `json`, `status`, `time`, `body`, `reason`, `header`, `cookie`, `headers`, `constant`,
            `variable`, `computed`, or `length` (of `of`).
        path: Into the JSON of the reply; "*" is each item.
        name: Of a header, cookie or variable; the expression of a computed one.
        constant: The value of a constant.
    """

    kind: str
    path: tuple[PathStep, ...] = ()
    name: str = ""
    constant: object = None
    of: ScriptValue | None = None


def json_path(path: tuple[PathStep, ...]) -> str:
    """Return a path as JSONPath."""
    return "$" + "".join(map(_path_step, path))


def _path_step(step: PathStep) -> str:
    if step == "*":
        return "[*]"
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN.fullmatch(step):
        return f".{step}"
    return f"['{step}']" if "'" not in step else f'["{step}"]'
