"""The extras of the package: what each is for, and which packages it brings.

`pyproject.toml` has the same names under `optional-dependencies`; a test compares the two.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Final

from planrunner.errors import PackageMissing
from planrunner.values import dataclass

__all__ = ["EXTRAS", "Extra", "install_hint", "is_found", "is_installed", "look_for", "need"]


@dataclass(frozen=True, slots=True)
class Extra:
    """Packages that only some plans or commands need.

    Attributes:
        packages: The module to import, and the name of the package that has it.
        purpose: What it is for, as part of a sentence.
    """

    name: str
    packages: tuple[tuple[str, str], ...]
    purpose: str

    @property
    def is_installed(self) -> bool:
        """Whether all of it is there."""
        return all(is_found(module) for module, _ in self.packages)


EXTRAS: Final = (
    Extra("charts", (("vl_convert", "vl-convert-python"),), "charts as PNG and SVG files"),
    Extra(
        "cluster",
        (("distributed", "distributed"), ("asyncssh", "asyncssh")),
        "workers on other hosts, with `--cluster`",
    ),
    Extra(
        "data",
        (("pyarrow", "pyarrow"), ("fastavro", "fastavro"), ("faker", "faker")),
        "Parquet and Avro files, and made-up values with `fake`",
    ),
    Extra("fast", (("jsonschema_rs", "jsonschema-rs"),), "JSON Schemas judged many times faster"),
    Extra(
        "grafana",
        (("grafana_foundation_sdk", "grafana-foundation-sdk"),),
        "the dashboard that `planrunner monitoring` writes",
    ),
    Extra(
        "grpc",
        (
            ("grpc_health", "grpcio-health-checking"),
            ("grpc_reflection", "grpcio-reflection"),
            ("grpc_status", "grpcio-status"),
            ("grpc_tools", "grpcio-tools"),
        ),
        "gRPC services that .proto files or servers describe",
    ),
    Extra(
        "html",
        (("lxml", "lxml"), ("cssselect", "cssselect")),
        "`css` and `xpath` in HTML and XML replies",
    ),
    Extra("http2", (("jh2", "jh2"),), "HTTP/2"),
    Extra(
        "import",
        (
            ("tree_sitter", "tree-sitter"),
            ("tree_sitter_javascript", "tree-sitter-javascript"),
            ("tree_sitter_typescript", "tree-sitter-typescript"),
        ),
        "the scripts of k6, Postman and Artillery, read by `planrunner import`",
    ),
    Extra("lsp", (("lsprotocol", "lsprotocol"), ("pygls", "pygls")), "`planrunner lsp`"),
    Extra("mcp", (("mcp", "mcp"),), "`planrunner mcp`"),
    Extra("notify", (("apprise", "apprise"),), "notifications when a run has ended"),
    Extra(
        "otlp",
        (
            ("opentelemetry.exporter.otlp.proto.grpc", "opentelemetry-exporter-otlp-proto-grpc"),
            ("opentelemetry.exporter.otlp.proto.http", "opentelemetry-exporter-otlp-proto-http"),
            ("opentelemetry.sdk", "opentelemetry-sdk"),
        ),
        "the output `otlp`",
    ),
    Extra("prometheus", (("prometheus_client", "prometheus-client"),), "the output `prometheus`"),
    Extra("socks", (("socksio", "socksio"),), "SOCKS proxies"),
    Extra(
        "sql",
        (("aiosqlite", "aiosqlite"), ("greenlet", "greenlet"), ("sqlalchemy", "sqlalchemy")),
        "`sql`; databases other than SQLite need a driver of their own too",
    ),
    Extra(
        "ui",
        (("starlette", "starlette"), ("uvicorn", "uvicorn")),
        "the live page: `--ui` and `planrunner ui`",
    ),
    Extra("watch", (("watchfiles", "watchfiles"),), "`execute --watch`"),
    Extra("ws", (("picows", "picows"),), "WebSocket: the steps `ws.*`"),
)


def is_installed(extra: str) -> bool:
    """Say whether all packages of an extra are there."""
    return next(one for one in EXTRAS if one.name == extra).is_installed


def need(module: str, purpose: str) -> None:
    """Make sure that a module of an extra can be imported, and import it.

    Args:
        module: The name to import, of one of the extras.
        purpose: What needs it, as the subject of a sentence.

    Raises:
        PackageMissing: The module is not installed, or can't be loaded on this machine.
    """
    try:
        importlib.import_module(module)
    except ImportError as missing:
        raise _missing(module, purpose) from missing


def look_for(module: str, purpose: str) -> None:
    """Make sure that a module of an extra is installed, without importing it.

    Raises:
        PackageMissing: It isn't.
    """
    if not is_found(module):
        raise _missing(module, purpose)


def _missing(module: str, purpose: str) -> PackageMissing:
    extra, package = _origin(module)
    return PackageMissing(f"{purpose} needs the package {package}", hint=install_hint(extra))


def is_found(module: str) -> bool:
    """Say whether a module is installed, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # hidden on purpose, or its parent is missing
        return False


def install_hint(extra: str) -> str:
    """Return the command that installs an extra, quoted for shells that expand brackets.

    A checkout that is run without being installed has no extras that pip could know of: there it is
    the packages themselves.
    """
    if _is_found_by_pip():
        return f"pip install 'planrunner[{extra}]'"
    packages = next(one.packages for one in EXTRAS if one.name == extra)
    return f"pip install {' '.join(package for _, package in packages)}"


def _is_found_by_pip() -> bool:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415 - seldom needed

    try:
        distribution("planrunner")
    except PackageNotFoundError:
        return False
    return True


def _origin(module: str) -> tuple[str, str]:
    """Return the extra that brings a module, and the module's package."""
    for extra in EXTRAS:
        for name, package in extra.packages:
            if name == module or module.startswith(f"{name}."):
                return extra.name, package
    raise KeyError(module)
