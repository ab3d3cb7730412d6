"""Compiled templates, kept where Python keeps its own modules: compiling takes a dozen starts."""

from __future__ import annotations

import sys
from contextlib import suppress
from hashlib import sha256
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from planrunner import __version__

__all__ = ["compiled_templates"]


def compiled_templates(templates: Path, made_by: str) -> FileSystemBytecodeCache | None:
    """Return what keeps the compiled templates of a folder; None where Python keeps nothing.

    Args:
        templates: The folder.
        made_by: The file that says how templates are compiled.
    """
    folder = Path(cache_from_source(str(templates / "template"))).parent
    with suppress(OSError):  # of somebody else
        folder.mkdir(parents=True, exist_ok=True)
    return _Kept(folder, Path(made_by).read_bytes()) if folder.is_dir() else None


class _Kept(FileSystemBytecodeCache):
    """Knows a template again by its text and by all that compiles it."""

    def __init__(self, folder: Path, made_by: bytes) -> None:
        super().__init__(str(folder))
        self._made_by = sha256(made_by + f"{__version__} {jinja2.__version__}".encode())

    def get_source_checksum(self, source: str) -> str:
        whole = self._made_by.copy()
        whole.update(source.encode())
        return whole.hexdigest()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with suppress(OSError):  # as Python does where it can't write
                super().dump_bytecode(bucket)
