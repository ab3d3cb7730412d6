"""What stands on the command lines of tools that load one URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["READS_SAMPLES", "TAKES_SCRIPT", "before_url", "gives", "url_in", "value_of"]

READS_SAMPLES: Final = "leave it out: planrunner reads the samples from a place of its own"
TAKES_SCRIPT: Final = "write the file as `script:`"


def url_in(args: Sequence[str]) -> str:
    """Return the URL of a command line; the last word where none looks like one."""
    found = [word for word in args if "://" in word]
    return found[-1] if found else (args[-1] if args else "")


def value_of(args: Sequence[str], *options: str) -> str:
    """Return the last value that an option is given: `-m POST`, `-mPOST`; empty for none."""
    found = ""
    for position, word in enumerate(args):
        for option in options:
            if word == option:
                found = args[position + 1] if position + 1 < len(args) else ""
            elif word.startswith(f"{option}="):
                found = word.removeprefix(f"{option}=")
            elif len(option) == 2 and word.startswith(option) and not word.startswith("--"):
                found = word.removeprefix(option)
    return found


def gives(word: str, option: str) -> bool:
    """Return whether a word of a command line gives an option, or begins to."""
    is_glued = len(option) == 2 and word.startswith(option)  # `-gFILE`
    return word == option or word.startswith(f"{option}=") or is_glued


def before_url(args: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return a command line with some more words, for programs that want the URL last."""
    return (*args[:-1], *words, *args[-1:])
