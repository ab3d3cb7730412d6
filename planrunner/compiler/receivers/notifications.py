"""`notify:` of a plan, with its URLs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from planrunner.compiler.compilation import Compilation
from planrunner.graph.notification import NotificationNode, NotifyOn
from planrunner.language.diagnostics import Code
from planrunner.language.expressions.values import to_text
from planrunner.language.fields.text import Text
from planrunner.plan.yaml.document import PlanPath

if TYPE_CHECKING:
    from planrunner.plan.models.report_settings import NotificationModel

__all__ = ["compile_notifications"]


def compile_notifications(
    work: Compilation, models: Sequence[NotificationModel], formats: Collection[str]
) -> tuple[NotificationNode, ...]:
    """Return whom a run tells; whether the URLs are any is looked at when it is about to begin.

    Args:
        work: The compilation.
        models: What the plan says.
        formats: The reports that its runs write.
    """
    found = []
    for position, model in enumerate(models):
        path: PlanPath = ("notify", position)
        attach = tuple(dict.fromkeys(model.attach or ()))
        for index, name in enumerate(model.attach or ()):
            if name not in formats:
                work.fault(
                    (*path, "attach", index),
                    Code.NOT_ALLOWED,
                    f"`{name}` can't be attached, because the run does not write it",
                    hint="add it to `report.formats`, or attach one of those: "
                    + ", ".join(formats),
                )
        url = _url(work, model.url, (*path, "url"))
        found.append(NotificationNode(position, url, NotifyOn(model.on), attach))
    return tuple(found)


def _url(work: Compilation, text: Text | None, path: PlanPath) -> str:
    """Return a URL; empty for none, and for one that only a run gets the value of."""
    if text is None:
        return ""
    before = len(work.faults)
    lowered = work.value(text, path, work.constant_names)
    if len(work.faults) > before:
        return ""
    if not lowered.is_constant:
        work.must_be_constant(path)
        return ""
    return "" if lowered.value is None else to_text(lowered.value).strip()
