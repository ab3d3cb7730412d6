"""Reading a file that a plan is or names: size first, then bytes, then UTF-8."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from planrunner.language.diagnostics import Code, Diagnostic, PlanError, Span
from planrunner.language.files import ANY_SIZE, ANYWHERE, FileFault, Folders, open_file
from planrunner.plan.yaml.source import Source

__all__ = ["MAX_BYTES", "decoded", "read_text"]

MAX_BYTES: Final = 1_000_000


def read_text(path: str | os.PathLike[str], folders: Folders = ANYWHERE) -> str:
    """Return the text of a plan file; never reads more than a plan may have.

    Raises:
        PlanError: There is no such file, it is too large, can't be read or isn't UTF-8.
    """
    file = os.fspath(path)
    try:
        content = _read_bytes(Path(path), file, folders)
    except FileFault as fault:
        if fault.code is Code.NO_SUCH_FILE:
            raise _missing_file(Path(path), file) from fault
        what = fault.message if fault.code is Code.UNREADABLE_FILE else f"this {fault.message}"
        hint = "" if fault.code is Code.NOT_A_FILE else fault.hint
        raise _refusal(file, fault.code, what, hint) from fault
    except OSError as error:
        reason = error.strerror or str(error)
        raise _refusal(file, Code.UNREADABLE_FILE, f"can't be read: {reason.lower()}") from error
    return decoded(content, file)


def decoded(content: bytes, file: str) -> str:
    """Return the text of a plan that was read from somewhere; `file` is only a name.

    Raises:
        PlanError: It is too large, or isn't UTF-8.
    """
    _check_size(file, len(content))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PlanError([_not_utf8(file, content, error.start)]) from error


def _read_bytes(path: Path, file: str, folders: Folders) -> bytes:
    if path.is_dir():
        raise _refusal(file, Code.NOT_A_FILE, "this is a directory, not a plan")
    content = b""
    with open_file(path, most=ANY_SIZE, folders=folders) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size <= MAX_BYTES:
            content = stream.read(MAX_BYTES + 1)  # it may have grown
    _check_size(file, size)
    return content


def _check_size(file: str, size: int) -> None:
    if size > MAX_BYTES:
        message = f"the file is {size / 1e6:,.1f} MB; a plan can be at most 1 MB"
        hint = "keep test data in separate files and name them under `data:`"
        raise _refusal(file, Code.FILE_TOO_LARGE, message, hint)


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
