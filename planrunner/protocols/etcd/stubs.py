"""The gRPC stubs of the etcd3 package, made usable with every protobuf.

etcd3 0.12 was generated for protobuf 3 and can't be imported beside a later one. The descriptors
that its files carry are sound, though: they are read without running the files and built anew, in
a pool of their own, with the fast implementation of protobuf (upb) that is installed.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from planrunner.errors import CannotRun

__all__ = ["describe_transport", "load_stubs"]

_PACKAGE: Final = "etcd3.etcdrpc"
_FILES: Final = ("kv", "auth", "rpc")  # each after those that it imports
_NEEDED: Final = ("KVStub", "LeaseStub", "WatchStub", "AuthStub", "RangeRequest", "Compare")
_INSTALL: Final = "pip install 'etcd3==0.12.0' 'grpcio>=1.60' 'protobuf>=4.25'"


def load_stubs() -> Any:  # noqa: ANN401 - generated code has no types
    """Return etcd3's messages and stubs as the attributes of one module.

    They are registered as `etcd3.etcdrpc`, so that a later `import etcd3` works too.

    Raises:
        CannotRun: etcd3, grpcio or protobuf is missing, or etcd3 isn't shaped as 0.12 is.
    """
    if _PACKAGE not in sys.modules:
        _register(_directory())
    package = sys.modules[_PACKAGE]
    missing = [name for name in _NEEDED if not hasattr(package, name)]
    if missing:
        raise _shaped_otherwise(f"it has no `{missing[0]}`")
    return package


def describe_transport() -> str:
    """Say what sends etcd requests, with the versions that its speed depends on."""
    from planrunner.protocols.over_grpc.network import describe  # noqa: PLC0415 - it imports gRPC

    return f"{describe()}, stubs of etcd3 {version('etcd3')}"


def _directory() -> Path:
    for name, package in (("grpc", "grpcio"), ("google.protobuf", "protobuf"), ("etcd3", "etcd3")):
        if not _is_installed(name):
            raise CannotRun(f"etcd steps need the package {package}", hint=_INSTALL)
    spec = importlib.util.find_spec("etcd3")
    origin = spec.origin if spec is not None else None
    if origin is None:
        raise _shaped_otherwise("it is not a package with files")
    return Path(origin).parent / "etcdrpc"


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of the package that it is in
        return False


def _shaped_otherwise(what: str) -> CannotRun:
    try:
        found = f"etcd3 {version('etcd3')}"
    except PackageNotFoundError:
        found = "the package etcd3"
    return CannotRun(
        f"{found} does not have the shape that planrunner expects: {what}", hint=_INSTALL
    )


def _register(directory: Path) -> None:
    """Build the package and put it where `import` finds it; nothing stays when that fails."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("etcd3")}
    try:
        modules = _build_messages(directory)
        package = ModuleType(_PACKAGE)
        package.__path__ = [str(directory)]
        for name, module in modules.items():
            setattr(package, f"{name}_pb2", module)
            sys.modules[module.__name__] = module
        _copy(modules["rpc"], package)
        sys.modules[_PACKAGE] = package
        _copy(_build_stubs(directory, package), package)
    except (OSError, SyntaxError, KeyError, TypeError, ImportError, AttributeError) as error:
        for name in [name for name in sys.modules if name.startswith("etcd3")]:
            if name not in before:
                del sys.modules[name]
        raise _shaped_otherwise(str(error)) from error


def _copy(module: ModuleType, package: ModuleType) -> None:
    for name, value in vars(module).items():
        if not name.startswith("_") and not isinstance(value, ModuleType):
            setattr(package, name, value)


def _build_messages(directory: Path) -> dict[str, ModuleType]:
    from google.protobuf import descriptor_pool, message_factory  # noqa: PLC0415
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper  # noqa: PLC0415

    pool = descriptor_pool.DescriptorPool()
    modules = {}
    for name in _FILES:
        pool.AddSerializedFile(_serialized(directory / f"{name}_pb2.py"))
        file = pool.FindFileByName(f"{name}.proto")
        module = ModuleType(f"{_PACKAGE}.{name}_pb2")
        for message, descriptor in file.message_types_by_name.items():
            setattr(module, message, message_factory.GetMessageClass(descriptor))
        for enum, descriptor in file.enum_types_by_name.items():
            setattr(module, enum, EnumTypeWrapper(descriptor))
            for value in descriptor.values:
                setattr(module, value.name, value.number)
        modules[name] = module
    return modules


def _serialized(file: Path) -> bytes:
    """Return the descriptor in a generated file: `serialized_pb=_b('…')`; nothing is run.

    Raises:
        KeyError: There is none.
    """
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            match keyword:
                case ast.keyword("serialized_pb", ast.Call(args=[ast.Constant(value=str(text))])):
                    return text.encode("latin-1")
                case ast.keyword("serialized_pb", ast.Constant(value=bytes(data))):
                    return data
                case _:
                    pass
    raise KeyError(f"{file.name} has no serialized_pb")


def _build_stubs(directory: Path, package: ModuleType) -> ModuleType:
    """Run the file with the stubs, which imports its messages from `etcd3.etcdrpc`."""
    name = f"{_PACKAGE}.rpc_pb2_grpc"
    spec = importlib.util.spec_from_file_location(name, directory / "rpc_pb2_grpc.py")
    if spec is None or spec.loader is None:
        raise ImportError("rpc_pb2_grpc.py can't be loaded")
    module = importlib.util.module_from_spec(spec)
    parent = ModuleType("etcd3")  # etcd3's own `__init__` must not run yet
    parent.__path__ = [str(directory.parent)]
    vars(parent)["etcdrpc"] = package
    given = sys.modules.get("etcd3")
    sys.modules["etcd3"] = parent
    try:
        spec.loader.exec_module(module)
    finally:
        if given is None:
            del sys.modules["etcd3"]
        else:
            sys.modules["etcd3"] = given
    sys.modules[name] = module
    return module
