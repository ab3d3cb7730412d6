"""Reading a file that a plan is or names: size first, then bytes, then UTF-8."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic, PlanError, Span
from planrunner.plan.yaml.source import Source

__all__ = ["MAX_BYTES", "read_text"]

MAX_BYTES: Final = 1_000_000


def read_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a plan file; never reads more than a plan may have.

    Raises:
        PlanError: There is no such file, it is too large, can't be read or isn't UTF-8.
    """
    file = os.fspath(path)
    try:
        content = _read_bytes(Path(path), file)
    except FileNotFoundError as error:
        raise _missing_file(Path(path), file) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise _refusal(file, Code.UNREADABLE_FILE, f"can't be read: {reason.lower()}") from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PlanError([_not_utf8(file, content, error.start)]) from error


def _read_bytes(path: Path, file: str) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise _refusal(file, Code.NOT_A_FILE, "this is a directory, not a plan")
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for a writer
        raise _refusal(file, Code.NOT_A_FILE, "this is not a regular file")
    content = b""
    if status.st_size <= MAX_BYTES:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)  # it may have grown
    size = max(status.st_size, len(content))
    if size > MAX_BYTES:
        message = f"the file is {size / 1e6:,.1f} MB; a plan can be at most 1 MB"
        hint = "keep test data in separate files and name them under `data:`"
        raise _refusal(file, Code.FILE_TOO_LARGE, message, hint)
    return content


def _missing_file(path: Path, file: str) -> PlanError:
    hint = ""
    if path.parent.is_dir():
        import difflib  # noqa: PLC0415 - seldom needed

        names = (entry.name for entry in path.parent.iterdir())
        close = difflib.get_close_matches(path.name, names, n=1)
        hint = f"did you mean `{path.with_name(close[0])}`?" if close else ""
    return _refusal(file, Code.NO_SUCH_FILE, "there is no such file", hint)


def _not_utf8(file: str, content: bytes, offset: int) -> Diagnostic:
    before = content[:offset].decode("utf-8")
    hint = "save the file as UTF-8"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint += "; it looks like UTF-16"
    source = Source(file, before + content[offset:].decode("utf-8", "replace"))
    message = f"byte 0x{content[offset]:02x} at offset {offset} is not UTF-8"
    return source.diagnostic(Code.NOT_UTF8, message, at=(len(before), None), hint=hint)


def _refusal(file: str, code: Code, message: str, hint: str = "") -> PlanError:
    return PlanError([Diagnostic(Span(file, 1, 1, 1, 1), code, message, hint)])
