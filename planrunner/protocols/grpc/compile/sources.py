"""Read what describes the services: .proto files with all that they import, a descriptor set."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Final

from planrunner.errors import PackageMissing
from planrunner.language.diagnostics import Code
from planrunner.language.fields.text import Text
from planrunner.language.files import MAX_READ, FileFault
from planrunner.protocols.grpc.schema.methods import GrpcSchema, SchemaError, read_descriptor_set
from planrunner.protocols.grpc.schema.protos import (
    ProtoFile,
    ProtoFinding,
    ProtosRefusedError,
    compile_protos,
    imports_in,
)
from planrunner.protocols.grpc.spec import GrpcModel
from planrunner.protocols.lowering import Files, FileText, Lowering, SpecFault, SpecPath

__all__ = ["read_schema"]

_MOST_FILES: Final = 1_000
_MOST_FINDINGS: Final = 10


def read_schema(model: GrpcModel, lowering: Lowering) -> GrpcSchema | None:
    """Return what files of the plan describe; None when there is no such file, or it is faulty."""
    if model.descriptor is not None:
        return _read_set(model.descriptor, lowering)
    if model.proto is None:
        return None
    roots = list(_each(model.proto, ("proto",)))
    names = [(lowering.constant(text, path), path) for text, path in roots]
    folders = [
        lowering.constant(text, path) for text, path in _each(model.import_paths, ("import_paths",))
    ]
    if lowering.faults or any(name is None for name, _ in names):
        return None
    wanted = [(str(name), path) for name, path in names]
    return _compile(wanted, [str(folder) for folder in folders], lowering)


def _each(texts: Text | Sequence[Text] | None, path: SpecPath) -> Iterator[tuple[Text, SpecPath]]:
    if isinstance(texts, Text):
        yield texts, path
    else:
        yield from ((text, (*path, index)) for index, text in enumerate(texts or ()))


def _read_set(text: Text, lowering: Lowering) -> GrpcSchema | None:
    path: SpecPath = ("descriptor",)
    if lowering.file(text, path, most=MAX_READ) is None:
        return None
    name = lowering.constant(text, path) or ""
    try:
        return GrpcSchema(read_descriptor_set(lowering.files.read(name)))
    except FileFault as fault:
        lowering.file_fault(path, name, fault)
    except SchemaError as fault:
        message = f"`{name}` can't be used: {fault.message}"
        lowering.fault(path, Code.INVALID_VALUE, message, fault.hint)
    return None


def _compile(
    wanted: Sequence[tuple[str, SpecPath]], folders: Sequence[str], lowering: Lowering
) -> GrpcSchema | None:
    found, roots = dict[str, ProtoFile](), list[str]()
    for name, path in wanted:
        try:
            lowering.files.path(name, most=MAX_READ)
            content = lowering.files.read(name)
        except FileFault as fault:
            lowering.file_fault(path, name, fault)
            return None
        around = next((one for one in folders if _is_in(name, one)), posixpath.dirname(name))
        root = posixpath.relpath(name, around or ".")
        roots.append(root)
        found[root] = ProtoFile(root, content, name)
    own = dict.fromkeys((*folders, *(posixpath.dirname(name) for name, _ in wanted), ""))
    _find_imports(found, list(own), lowering.files)
    path = wanted[0][1]
    try:
        return GrpcSchema(compile_protos(list(found.values()), roots))
    except PackageMissing as missing:
        lowering.fault(path, Code.NOT_AVAILABLE, missing.message, missing.hint)
    except ProtosRefusedError as refused:
        sources = {file.shown: file.content for file in found.values()}
        _note(refused.findings, sources, path, lowering)
    except SchemaError as fault:
        lowering.fault(path, Code.INVALID_VALUE, fault.message, fault.hint)
    return None


def _is_in(name: str, folder: str) -> bool:
    return not posixpath.relpath(name, folder or ".").startswith("..")


def _find_imports(found: dict[str, ProtoFile], folders: Sequence[str], files: Files) -> None:
    """Add what the files import, and what that imports; what isn't there protoc will miss."""
    waiting = list(found.values())
    while waiting and len(found) < _MOST_FILES:
        for name in imports_in(waiting.pop().content):
            if name in found or name.startswith("google/protobuf/") or ".." in name.split("/"):
                continue
            if (file := _find(name, folders, files)) is not None:
                found[name] = file
                waiting.append(file)


def _find(name: str, folders: Sequence[str], files: Files) -> ProtoFile | None:
    for folder in folders:
        place = posixpath.join(folder, name)
        try:
            files.path(place, most=MAX_READ)
            return ProtoFile(name, files.read(place), place)
        except FileFault:
            continue
    return None


def _note(
    findings: Sequence[ProtoFinding],
    sources: dict[str, bytes],
    path: SpecPath,
    lowering: Lowering,
) -> None:
    """Note what protoc says, each where it says so."""
    placed = [one for one in findings if one.line] or findings
    for finding in placed[:_MOST_FINDINGS]:
        is_import = finding.words.startswith("import ")
        hint = "name its folder in `import_paths`" if is_import else ""
        if not finding.line:
            lowering.fault(path, Code.INVALID_VALUE, str(finding), hint)
            continue
        text = sources.get(finding.file, b"").decode("utf-8", "replace")
        lines = text.splitlines(keepends=True)[: finding.line - 1]
        lowering.faults.append(
            SpecFault(
                path,
                Code.INVALID_VALUE,
                finding.words,
                hint,
                offset=sum(map(len, lines)) + finding.column - 1,
                inside=FileText(finding.file, text),
            )
        )
