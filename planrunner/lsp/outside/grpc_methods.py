"""Methods that `grpc.call` can name: read from `.proto` files and descriptor sets of a plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.outside.outside_name import OutsideName

__all__ = ["methods_beside", "methods_of", "methods_of_set"]

_LARGEST: Final = 1_000_000
_PIECE: Final = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'
    |\bpackage\s+(?P<package>[\w.]+)\s*;
    |\bservice\s+(?P<service>\w+)
    |\brpc\s+(?P<rpc>\w+)\s*(?P<form>\(\s*(?:stream\s+)?[\w.]+\s*\)\s*returns\s*\([^)]*\))
    |(?P<other>[{};])""",
    re.VERBOSE | re.DOTALL,
)


def methods_beside(view: PlanView) -> Iterator[OutsideName]:
    """Yield the methods of the files that a plan names in `grpc:`, `proto` or `descriptor`."""
    for file, reading in view.files.items():
        data = reading.tree.data
        settings = data.get("grpc") if isinstance(data, dict) else None
        if not isinstance(settings, dict):
            continue
        named, folder = settings.get("proto"), Path(file).parent
        for one in named if isinstance(named, list) else [named]:
            if isinstance(one, str) and one.endswith(".proto"):
                yield from methods_of(folder / one)
        if isinstance(described := settings.get("descriptor"), str):
            yield from methods_of_set(folder / described)


def methods_of(path: Path) -> Iterator[OutsideName]:
    """Yield the methods of the services in a file, as `package.Service/Method`."""
    try:
        if path.stat().st_size > _LARGEST:
            return
        text = path.read_text("utf-8", "replace")
    except OSError:
        return
    package = service = ""
    said: list[str] = []
    for found in _PIECE.finditer(text):
        if found["comment"]:
            said.append(found["comment"].strip("/* \n\t"))
            continue
        if found["package"]:
            package = f"{found['package']}."
        elif found["service"]:
            service = found["service"]
        elif found["rpc"] and service:
            start = found.start("rpc")
            begin = text.rfind("\n", 0, start) + 1
            yield OutsideName(
                f"{package}{service}/{found['rpc']}",
                path,
                text.count("\n", 0, start),
                start - begin,
                found.end("rpc") - begin,
                f"{found['rpc']}{' '.join(found['form'].split())}",
                "\n".join(said),
            )
        said = []


def methods_of_set(path: Path) -> Iterator[OutsideName]:
    """Yield the methods of the services in a descriptor set; none without the library for it."""
    try:
        from google.protobuf import descriptor_pb2  # noqa: PLC0415 - of an extra
        from google.protobuf.message import DecodeError  # noqa: PLC0415 - as above

        if path.stat().st_size > _LARGEST:
            return
        found = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes())
    except (ImportError, OSError, DecodeError):
        return
    for file in found.file:
        package = f"{file.package}." if file.package else ""
        for service in file.service:
            for rpc in service.method:
                takes = _type(rpc.input_type, package, streams=rpc.client_streaming)
                gives = _type(rpc.output_type, package, streams=rpc.server_streaming)
                name = f"{package}{service.name}/{rpc.name}"
                yield OutsideName(name, path, 0, 0, 0, f"{rpc.name}({takes}) returns ({gives})")


def _type(name: str, package: str, *, streams: bool) -> str:
    return f"{'stream ' if streams else ''}{name.removeprefix('.').removeprefix(package)}"
