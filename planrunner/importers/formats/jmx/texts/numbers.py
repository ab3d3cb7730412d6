"""Numbers of JMeter's properties: plain ones, and expressions of params."""

from __future__ import annotations

import re
from collections.abc import Mapping

from planrunner.importers.draft import DraftParam
from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.importers.formats.jmx.texts.functions import JmxResolver
from planrunner.values import dataclass

__all__ = ["JmxNumber", "number_of"]


@dataclass(frozen=True, slots=True)
class JmxNumber:
    """A number that is known before the run.

    Attributes:
        plain: None where it is computed from params.
        code: The expression for it.
    """

    plain: float | None
    code: str

    @property
    def whole(self) -> int | str:
        """As a whole number of a plan."""
        return round(self.plain) if self.plain is not None else f"${{{self.code}}}"

    def duration(self, unit: str = "s") -> str:
        """As a duration of a plan; `s`, `m` or `h` is its unit."""
        if self.plain is None:
            return f"${{{self.code}}}{unit}"
        size = {"s": 1000, "m": 60_000, "h": 3_600_000}[unit]
        whole = round(self.plain * size)
        for name, each in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
            if whole and whole % each == 0:
                return f"{whole // each}{name}"
        return f"{whole}ms" if whole else "0s"

    def minus(self, other: JmxNumber) -> JmxNumber:
        """Return the difference, 0 at least."""
        if self.plain is not None and other.plain is not None:
            return plain(max(self.plain - other.plain, 0))
        if other.plain == 0:
            return self
        return JmxNumber(None, f"[{self.code} - {other.code}, 0] | max")

    def at_first(self, params: Mapping[str, DraftParam]) -> float | None:
        """Return it as it is where no param is set; None where that can't be told."""
        if self.plain is None and self.code in params:
            spec = params[self.code].spec
            default = spec.get("default") if isinstance(spec, dict) else None
            return float(default) if isinstance(default, int | float) else None
        return self.plain


def plain(number: float) -> JmxNumber:
    """Return a plain number."""
    return JmxNumber(number, f"{number:g}")


def number_of(element: JmxElement, name: str, resolver: JmxResolver, default: float) -> JmxNumber:
    """Return a property as a number; one that can't be is judged, and is the default."""
    prop = element.get(name)
    text = element.peek(name).strip()
    if prop is None or not text:
        if prop is not None:
            prop.construct.translated()
        return plain(default)
    found = number_from(text, resolver, element, name)
    return plain(default) if found is None else found


def number_from(
    text: str, resolver: JmxResolver, element: JmxElement, name: str
) -> JmxNumber | None:
    """Return a text of a property as a number; None, judged, where it is none."""
    construct = element.properties[name].construct
    construct.translated()
    if re.fullmatch(r"\d{1,12}(?:\.\d{1,6})?", text.strip()):
        return plain(float(text))
    if "${" in text:
        value = resolver.expression(text, construct)
        if value.is_static and value.kind == "int":
            return JmxNumber(None, value.code)
        if value.is_static and re.fullmatch(r"\w+", value.code):
            value_type = resolver.variables.plan.params.get(value.code)
            if value_type is not None and isinstance(value_type.spec, dict):
                given = value_type.spec.get("default")
                if given in (None, "") and not value_type.spec.get("secret"):
                    value_type.spec.update(type="int", default=1)
                    return JmxNumber(None, value.code)
    construct.changed(
        "it must be a number that is known before the run: it is JMeter's default here"
    )
    return None
