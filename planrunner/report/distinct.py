"""Rows of a table stay apart: names that are cut or folded alike are cut where they differ."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from planrunner.report.plain import fold, shorten

__all__ = ["fold_each", "shorten_each"]


def shorten_each(texts: Sequence[str], width: int) -> list[str]:
    """Return each text in at most `width` cells; different ones stay different.

    They are cut in the middle, as `shorten` does. Where that leaves several alike, what these
    begin with in common is cut instead; and if not even that tells them apart they are numbered.
    """
    if all(cell_len(text) <= width for text in texts):
        return list(texts)
    shown = _without_beginnings(sorted(set(texts)), {}, width)
    numbers: dict[str, int] = {}
    for text in sorted(set(texts), key=texts.index):
        alike = numbers[shown[text]] = numbers.get(shown[text], 0) + 1
        if alike > 1:
            shown[text] = _numbered(shown[text], alike, set(shown.values()), width)
    return [shown[text] for text in texts]


def fold_each(texts: Sequence[str], widths: Sequence[int], *, most: int) -> list[list[str]]:
    """Return the lines of each text as `fold` does; where `most` leaves several alike, all lines.

    Each text has its width.
    """
    folded = [fold(text, width, most=most) for text, width in zip(texts, widths, strict=True)]
    seen: dict[tuple[str, ...], set[str]] = {}
    for text, lines in zip(texts, folded, strict=True):
        seen.setdefault(tuple(lines), set()).add(text)
    return [
        lines if len(seen[tuple(lines)]) == 1 else fold(text, width)
        for text, width, lines in zip(texts, widths, folded, strict=True)
    ]


def _without_beginnings(texts: Sequence[str], cut: dict[str, int], width: int) -> dict[str, str]:
    """Return what is shown of each text; `cut` is how much of its beginning is left out."""
    shown: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for text in texts:
        groups.setdefault(_shown(text, cut.get(text, 0), width), []).append(text)
    for words, group in groups.items():
        common = _common(group)
        if len(group) == 1 or common <= cut.get(group[0], 0):
            shown.update(dict.fromkeys(group, words))
        else:
            shown |= _without_beginnings(group, dict.fromkeys(group, common), width)
    return shown


def _common(texts: Sequence[str]) -> int:
    """Return how many characters all texts begin with."""
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))


def _shown(text: str, cut: int, width: int) -> str:
    if not cut:
        return shorten(text, width)
    word, space, _ = text.partition(" ")  # the verb of a request
    head = f"{word} " if space and cell_len(word) < min(_LONGEST_HEAD, width // 3) else ""
    rest = text[max(cut - _CONTEXT, 0) :]
    room = width - cell_len(head) - 1
    if cell_len(rest) > room:
        rest = f"{set_cell_size(rest, room - 1).rstrip()}…"
    return f"{head}…{rest}"


_LONGEST_HEAD = 9
_CONTEXT = 3  # characters before the first that differs


def _numbered(text: str, number: int, taken: set[str], width: int) -> str:
    while (numbered := _with_end(text, f"#{number}", width)) in taken:
        number += 1
    return numbered


def _with_end(text: str, end: str, width: int) -> str:
    return f"{set_cell_size(text, max(width - len(end), 0)).rstrip()}{end}"
