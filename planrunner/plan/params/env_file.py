r"""Files of environment variables (`.env`), read only when the command line asks for one.

Lines are `NAME=VALUE`, and `export` may stand before them. `'…'` is taken as it is; in `"…"` the
escapes `\n \r \t \" \\ \$` mean what they mean in shells. Both may run over several lines. A `#`
begins a comment where a space stands before it. Nothing is expanded: `$` is a dollar sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planrunner.errors import UsageError
from planrunner.language.diagnostics import Code
from planrunner.language.files import FileFault, read_file

__all__ = ["parse_env", "read_env_file"]

_ENTRY: Final = re.compile(
    r"""
    [ \t]* (?:export[ \t]+)?
    (?P<name>[A-Za-z_][A-Za-z0-9_.-]*) [ \t]*=[ \t]*
    (?:
        '(?P<single>[^']*)'
      | "(?P<double>(?:[^"\\]|\\.)*)"
      | (?P<bare>(?:[^\s'"\#]|(?<==)\#)[^\n]*?|)
    )
    [ \t]* (?:(?<=\s)\#[^\n]*)? (?:\n|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_MOST: Final = 1_000_000
"""Bytes of a file: more than a process can have of variables."""

_NOTHING: Final = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_MEANING: Final = {"n": "\n", "r": "\r", "t": "\t"}


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a file; the last one of a name wins.

    Raises:
        UsageError: It can't be read, or a line of it is no variable.
    """
    try:
        text = read_file(path, most=_MOST).decode("utf-8-sig")
    except FileFault as fault:
        if fault.code is Code.NO_SUCH_FILE:
            raise UsageError(f"there is no such file as the environment file `{path}`") from fault
        message = f"the environment file `{path}` {fault.message}"
        raise UsageError(message, hint=fault.hint) from fault
    except UnicodeDecodeError as error:
        raise UsageError(f"the environment file `{path}` is not UTF-8") from error
    return dict(parse_env(text.replace("\r\n", "\n"), str(path)))


def parse_env(text: str, file: str) -> Iterator[tuple[str, str]]:
    """Yield the variables of a text.

    Raises:
        UsageError: A line is no variable. The line isn't shown: there may be a secret in it.
    """
    offset = 0
    while offset < len(text):
        if blank := _NOTHING.match(text, offset):
            offset = blank.end()
            continue
        entry = _ENTRY.match(text, offset)
        if entry is None:
            line = text.count("\n", 0, offset) + 1
            hint = "write `NAME=VALUE`; quote a value that has quotes, `#` or several lines"
            raise UsageError(f"{file}:{line}: not a variable", hint=hint)
        yield entry["name"], _value(entry)
        offset = entry.end()


def _value(entry: re.Match[str]) -> str:
    if entry["single"] is not None:
        return entry["single"]
    if entry["double"] is not None:
        return _ESCAPE.sub(lambda found: _MEANING.get(found[1], found[1]), entry["double"])
    return entry["bare"].rstrip()
