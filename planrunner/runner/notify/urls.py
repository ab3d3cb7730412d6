"""Whether those whom a plan names can be told: looked at before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from planrunner.extras import EXTRAS, install_hint
from planrunner.graph.notification import NotificationNode
from planrunner.graph.run_graph import RunGraph
from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.language.secrets import Masker
from planrunner.plan.loader import CheckedPlan
from planrunner.runner.notify.sender import UrlFault, look_at

__all__ = ["find_url_faults"]

_EXTRA: Final = next(extra for extra in EXTRAS if extra.name == "notify")
_SERVICES: Final = "https://appriseit.com/services/"


def find_url_faults(plan: CheckedPlan, graph: RunGraph) -> list[Diagnostic]:
    """Return what is wrong with the URLs of a plan's notifications; nothing is sent.

    Args:
        plan: As it was loaded.
        graph: Compiled from it.
    """
    nodes = [node for node in graph.notifications if node.url]
    if not nodes:
        return []
    faults: Sequence[UrlFault | None]
    if _EXTRA.is_installed:
        urls = [node.url for node in nodes]
        faults = look_at(urls, confined=bool(plan.bundle.folders.roots))
    else:
        faults = [UrlFault("missing", "")] * len(nodes)
    return [
        _diagnostic(plan, node, fault)
        for node, fault in zip(nodes, faults, strict=True)
        if fault is not None
    ]


def _diagnostic(plan: CheckedPlan, node: NotificationNode, fault: UrlFault) -> Diagnostic:
    code, message, hint = _words(node.service, fault)
    document = plan.document
    path = document.nearest(("notify", node.position, "url"))
    found = document.diagnostic(path, code, message, hint=hint)
    return Masker((*plan.secrets, node.url)).diagnostics([found])[0]


def _words(service: str, fault: UrlFault) -> tuple[Code, str, str]:
    match fault.kind:
        case "unknown":
            return (
                Code.INVALID_VALUE,
                f"no service has URLs that begin with `{service}`",
                f"write one of {_SERVICES}, or the https address of a webhook",
            )
        case "local":
            return (
                Code.NOT_ALLOWED,
                f"`{service}` is refused: with --no-exec, a plan can't reach this machine",
                "if you trust the plan, leave out --no-exec",
            )
        case "missing":
            return (
                Code.NOT_AVAILABLE,
                "`notify` needs the package apprise",
                install_hint(_EXTRA.name),
            )
        case _:
            said = f": {fault.words}" if fault.words else ""
            return (
                Code.INVALID_VALUE,
                f"the `{service}` URL can't be used{said}",
                "write the whole address, such as `https://example.com/hook`"
                if service in ("http", "https")
                else f"look up its form at {_SERVICES}{service}/",
            )
