"""Methods that `grpc.call` can name: read from the `.proto` files of a plan, as far as they go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.outside.outside_name import OutsideName

__all__ = ["methods_beside", "methods_of"]

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
    """Yield the methods of the files that a plan names in `grpc: {proto: …}`."""
    for file, reading in view.files.items():
        data = reading.tree.data
        settings = data.get("grpc") if isinstance(data, dict) else None
        named = settings.get("proto") if isinstance(settings, dict) else None
        for one in named if isinstance(named, list) else [named]:
            if isinstance(one, str) and one.endswith(".proto"):
                yield from methods_of(Path(file).parent / one)


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
