"""What pages of the documentation show: their fenced blocks, and the commands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["PAGES", "ROOT", "Block", "Command", "blocks_of"]

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted(
    path
    for pattern in ("README.md", "CONTRIBUTING.md", "docs/**/*.md")
    for path in ROOT.glob(pattern)
    if path.parent.name != "adr"
)
SHELLS: Final = ("bash", "sh", "console")

_BLOCK: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)(?: +title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a reader types.

    Attributes:
        output: The lines that the page shows below it; none where it shows no output.
    """

    text: str
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page, without the indentation that it has in a list.

    Attributes:
        line: Where its text begins, from 1.
        title: The file that the reader saves it as; empty if the page names none.
    """

    page: str
    line: int
    language: str
    title: str
    text: str

    @property
    def commands(self) -> tuple[Command, ...]:
        """What to type, if it is a block of a shell: each line, or each after `$ `."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if self.language not in SHELLS:
            return ()
        if self.language != "console":
            return tuple(Command(line) for line in lines if line.strip())
        found: list[Command] = []
        for line in lines:
            if line.startswith("$ "):
                found.append(Command(line.removeprefix("$ ")))
            elif found:
                found[-1] = Command(found[-1].text, (*found[-1].output, line))
        return tuple(found)


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in its order."""
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        rows = found["text"].splitlines(keepends=True)
        yield Block(
            page.relative_to(ROOT).as_posix(),
            text.count("\n", 0, found.start()) + 2,
            found["language"],
            found["title"] or "",
            "".join(row.removeprefix(found["indent"]) for row in rows),
        )
