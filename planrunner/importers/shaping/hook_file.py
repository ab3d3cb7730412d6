"""The file with the functions that a plan calls for code of the original."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Final

from planrunner.importers.draft import DraftPlan
from planrunner.importers.templates import identifier
from planrunner.values import dataclass

__all__ = ["HookFile", "to_write"]

_NAME: Final = "hooks.py"


def to_write(name: str) -> str:
    """Return what a person has to do about a function that `HookFile.stub` made."""
    return f"write `{name}` in {_NAME}: it raises until then"


@dataclass(slots=True)
class HookFile:
    """The functions that a plan calls, in the file `hooks.py` beside it.

    Attributes:
        title: What the file's first line says.
        head: Lines before the functions: imports.
    """

    draft: DraftPlan
    title: str
    head: list[str] = field(default_factory=list)
    _parts: dict[str, str] = field(default_factory=dict)

    def name(self, wanted: str) -> str:
        """Return a name for a function that the file doesn't have."""
        return identifier(wanted, self._parts)

    def stub(
        self, wanted: str, source: str, args: Iterable[str], place: str, returns: Sequence[str] = ()
    ) -> str:
        """Add a function that raises until somebody writes it; the original is its comment.

        Returns:
            Its name.
        """
        name = self.name(wanted)
        comments = "\n".join(
            f"    # {line}".rstrip() for line in map(_printable, source.split("\n"))
        )
        sets = ", ".join(f'"{one}"' for one in returns)
        self.add(
            name,
            f"def {name}({', '.join(args)}):\n    # was: {_printable(place)}\n{comments}\n"
            + (f"    # returns a dict with: {sets}\n" if sets else "")
            + f'    raise NotImplementedError("write {name} in {_NAME}")\n',
        )
        return name

    def add(self, name: str, text: str) -> None:
        """Add a piece of Python: a function, or what one needs."""
        self._parts[name] = text
        head = "\n".join([f'"""{self.title}"""', *([""] if self.head else []), *self.head, ""])
        parts = "".join(f"\n\n{one}" for one in self._parts.values())
        self.draft.files[_NAME] = f"{head}{parts}".encode("utf-8", "replace")
        self.draft.extra["hooks"] = _NAME

    def __contains__(self, name: str) -> bool:
        return name in self._parts


def _printable(line: str) -> str:
    return "".join(one if one.isprintable() or one == "\t" else "?" for one in line)
