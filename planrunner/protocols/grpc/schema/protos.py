"""From .proto files to descriptors: protoc runs once for the same files, and never for a run.

What a set of files comes to is kept by their content, in the user's cache. protoc runs in a process
of its own: it writes its findings to standard error, and a fault in it ends nothing else.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

from planrunner.extras import look_for
from planrunner.protocols.grpc.schema.methods import SchemaError, read_descriptor_set
from planrunner.values import dataclass

__all__ = ["ProtoFile", "ProtoFinding", "compile_protos", "imports_in"]

_IMPORT: Final = re.compile(
    r"""^[ \t]*import[ \t]+(?:public[ \t]+|weak[ \t]+)?(["'])(?P<name>[^"'\n]+)\1[ \t]*;""",
    re.MULTILINE,
)
_FINDING: Final = re.compile(r"(?P<file>.+?):(?:(?P<line>\d+):(?P<column>\d+):)? ?(?P<words>.+)")
_PACKAGE: Final = "grpcio-tools"
_MOST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ProtoFile:
    """A file as protoc is given it.

    Attributes:
        name: As imports call it.
        shown: As the plan's author knows it.
    """

    name: str
    content: bytes
    shown: str


@dataclass(frozen=True, slots=True)
class ProtoFinding:
    """What protoc has to say of a file, at most at a line of it."""

    file: str
    line: int
    column: int
    words: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.words}"


class ProtosRefusedError(SchemaError):
    """protoc takes the files for wrong.

    Attributes:
        findings: Its reasons.
    """

    def __init__(self, findings: Sequence[ProtoFinding]) -> None:
        super().__init__(str(findings[0]))
        self.findings = findings


def imports_in(content: bytes) -> list[str]:
    """Return what a file imports, as it is written."""
    text = content.decode("utf-8", "replace")
    return [found["name"] for found in _IMPORT.finditer(text)]


def compile_protos(files: Sequence[ProtoFile], roots: Sequence[str]) -> list[bytes]:
    """Return the descriptors of .proto files, and of those that they import.

    Args:
        files: All of them; imports that are missing are protoc's to tell.
        roots: The names of those whose services are wanted.

    Raises:
        SchemaError: protoc refuses them.
        PackageMissing: It isn't installed.
    """
    look_for("grpc_tools", "`proto`")
    kept = _cache() / f"{_identity(files, roots)}.binpb"
    with suppress(OSError, SchemaError):
        return read_descriptor_set(kept.read_bytes())
    data = _run(files, roots)
    with suppress(OSError):  # it is only slower then
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = kept.with_name(f"{kept.name}.{os.getpid()}")
        own.write_bytes(data)
        own.replace(kept)
    return read_descriptor_set(data)


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    with suppress(OSError, RuntimeError):
        Path(home).mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(home, os.W_OK):
            return Path(home) / "planrunner" / "protos"
    return Path(gettempdir()) / f"planrunner-protos-{os.getuid()}"


def _identity(files: Sequence[ProtoFile], roots: Sequence[str]) -> str:
    digest = hashlib.sha256(version(_PACKAGE).encode())
    for file in sorted(files, key=lambda one: one.name):
        for part in (file.name.encode(), file.content):
            digest.update(len(part).to_bytes(8, "big") + part)
    digest.update(repr(list(roots)).encode())
    return digest.hexdigest()


def _run(files: Sequence[ProtoFile], roots: Sequence[str]) -> bytes:
    """Run protoc on copies of the files, which lie where their names say."""
    with TemporaryDirectory() as folder:
        place, output = Path(folder) / "protos", Path(folder) / "set.binpb"
        for file in files:
            copy = place / file.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.content)
        place.mkdir(exist_ok=True)
        well_known = Path(str(importlib.util.find_spec("grpc_tools").origin)).parent / "_proto"  # type: ignore[union-attr]  # it was found
        try:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "grpc_tools.protoc"),
                    *(f"-I{place}", f"-I{well_known}"),
                    *("--include_imports", f"--descriptor_set_out={output}"),
                    *roots,
                ],
                cwd=folder,
                capture_output=True,
                timeout=_MOST_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SchemaError("protoc takes too long for the files") from error
        if done.returncode:
            shown = {file.name: file.shown for file in files}
            said = done.stderr.decode("utf-8", "replace").replace(f"{place}{os.sep}", "")
            raise ProtosRefusedError(_findings(said, shown))
        return output.read_bytes()


def _findings(said: str, shown: Mapping[str, str]) -> list[ProtoFinding]:
    """Read what protoc prints, that with a line first."""
    found = []
    for line in said.splitlines():
        match = _FINDING.fullmatch(line.strip())
        if match is not None and "warning:" not in line:
            file = shown.get(match["file"], match["file"])
            words = match["words"].strip().rstrip(".")
            words = words[:1].lower() + words[1:]
            found.append(
                ProtoFinding(file, int(match["line"] or 0), int(match["column"] or 0), words)
            )
    found.sort(key=lambda one: not one.line)
    return found or [ProtoFinding("protoc", 0, 0, said.strip() or "it failed")]
