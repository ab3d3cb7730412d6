"""`{{ name }}` of Drill → expressions of a plan."""

from __future__ import annotations

import re
from typing import Final

from planrunner.importers.draft import DraftParam
from planrunner.importers.reading.names import SourceNames
from planrunner.importers.templates import translate
from planrunner.loss.ledger import Construct

__all__ = ["DrillTemplates"]

_TEMPLATE: Final = re.compile(r"\{\{ *([a-zA-Z][\w\-.$\[\]]*) *\}\}")


class DrillTemplates:
    """Translates texts; what no item sets is read from the environment, as Drill does."""

    def __init__(self) -> None:
        self.names = SourceNames()
        self.names.mean("iteration", "iteration")

    def text(self, text: str, at: Construct, *, default: object = "") -> str:
        """Return text with `${…}` for its templates."""
        return translate(text, _TEMPLATE, lambda path: f"${{{self.path(path, at, default)}}}")

    def path(self, path: str, at: Construct, default: object = "") -> str:
        """Return the expression for a path such as `foo.body[0].id`."""
        whole = self.names.find(path)
        if whole is not None:
            return whole
        parts = re.match(r"([\w$-]*)(.*)", path, re.DOTALL)
        head, rest = parts.groups() if parts is not None else ("", "")
        known = self.names.find(head)
        if known is not None:
            return known + re.sub(r"\.(\d+)(?=[.\[]|$)", r"[\1]", rest)
        kind = "url" if default and isinstance(default, str) else "int" if default else "str"
        name = self.names.reserve(path)
        env = {"env": path} if path else {}
        self.names.params[name] = DraftParam({"type": kind, "default": default, **env})
        self.names.mean(path, name)
        at.needs_you(f"set the environment variable `{path}`, or the param `{name}`")
        return name
