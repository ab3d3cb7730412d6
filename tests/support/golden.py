"""Expectations that are files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["check_golden"]

_FOLDER = Path(__file__).resolve().parents[1] / "golden"


def check_golden(name: str, text: str, *, update: bool) -> None:
    """Compare `text` with the golden file `name`, or write it there when `update`."""
    path = _FOLDER / name
    data = text.encode()
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert path.read_bytes().decode() == data.decode()
