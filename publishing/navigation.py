"""The pages of the site in the order of its navigation, read from `zensical.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

__all__ = ["Page", "pages"]

_PROSE: Final = re.compile(r"[\w`\[].*[.:]$")
"""A paragraph; a heading, a list, a table and a picture begin or end otherwise."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the site.

    Attributes:
        path: Where it is below docs/, with slashes.
        section: Its entry at the first level of the navigation.
        text: The whole page, as it is written.
    """

    path: str
    section: str
    text: str

    @property
    def title(self) -> str:
        """Its heading; ValueError if it has none."""
        found = re.search(r"^# (.+)$", self.text, re.MULTILINE)
        if found is None:
            raise ValueError(f"{self.path}: a page begins with `# ` and its title")
        return found[1].strip()

    @property
    def summary(self) -> str:
        """The first sentence of its text, without links and emphasis; may be empty."""
        body = re.sub(r"<!--.*?-->|^```.*?^```$", "", self.text, flags=re.DOTALL | re.MULTILINE)
        blocks = (" ".join(block.split()) for block in re.split(r"\n\s*\n", body))
        first = next((block for block in blocks if _PROSE.match(block)), "")
        plain = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", first).replace("**", "")
        return re.sub(r":$", ".", re.split(r"(?<=\.)\s", plain, maxsplit=1)[0])


def pages(root: Path) -> tuple[Page, ...]:
    """Return the pages in the order of the navigation of `root`/zensical.toml.

    A pattern stands for the pages of its folder that no other entry names, in the order of names.
    """
    navigation = tomllib.loads((root / "zensical.toml").read_text("utf-8"))["project"]["nav"]
    docs = root / "docs"
    entries = [(section, entry) for section, entry in _entries(navigation)]
    named = {entry for _, entry in entries}
    found = sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*.md"))
    return tuple(
        Page(path, section, (docs / path).read_text("utf-8"))
        for section, entry in entries
        for path in (
            [path for path in found if fnmatch(path, entry) and path not in named]
            if "*" in entry
            else [entry]
        )
    )


def _entries(navigation: list[object], section: str = "") -> Iterator[tuple[str, str]]:
    """Yield each path or pattern with its entry at the first level."""
    for item in navigation:
        match item:
            case str():
                yield section, item
            case dict():
                for title, below in item.items():
                    inside = below if isinstance(below, list) else [below]
                    yield from _entries(inside, section or title)
            case _:
                raise TypeError(f"an entry of the navigation is {item!r}")
