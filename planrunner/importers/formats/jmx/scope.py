"""JMeter's scopes: what holds for a sampler stands beside it or beside what is around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from planrunner.importers.formats.jmx.elements import JmxElement
from planrunner.values import dataclass

__all__ = ["JmxScope", "is_rate", "is_scoped"]

_ROLES: Final = {
    "headers": {"HeaderManager"},
    "defaults": {"ConfigTestElement"},
    "auth": {"AuthManager"},
    "timers": {
        *("ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer", "PoissonRandomTimer"),
        *("SyncTimer", "BeanShellTimer", "JSR223Timer", "BSFTimer", "RandomTimer"),
    },
    "pre": {
        *("JSR223PreProcessor", "BeanShellPreProcessor", "BSFPreProcessor", "UserParameters"),
        *("SampleTimeout", "URLRewritingModifier", "AnchorModifier", "RegExUserParameters"),
        *("JDBCPreProcessor", "HtmlParser", "ParamModifier"),
    },
    "post": {
        *("RegexExtractor", "JSONPostProcessor", "JMESPathExtractor", "XPathExtractor"),
        *("XPath2Extractor", "BoundaryExtractor", "HtmlExtractor", "JSONPathExtractor"),
        *("JSR223PostProcessor", "BeanShellPostProcessor", "BSFPostProcessor"),
        *("JDBCPostProcessor", "DebugPostProcessor", "ResultAction"),
    },
    "assertions": {
        *("ResponseAssertion", "DurationAssertion", "SizeAssertion", "JSONPathAssertion"),
        *("XPathAssertion", "XPath2Assertion", "JMESPathAssertion", "HTMLAssertion"),
        *("XMLAssertion", "XMLSchemaAssertion", "MD5HexAssertion", "BeanShellAssertion"),
        *("JSR223Assertion", "BSFAssertion", "CompareAssertion", "SMIMEAssertion"),
    },
    "rates": {"ConstantThroughputTimer", "PreciseThroughputTimer", "VariableThroughputTimer"},
}
_ROLE_OF: Final = {kind: role for role, kinds in _ROLES.items() for kind in kinds}


def is_scoped(element: JmxElement) -> bool:
    """Say whether an element holds for samplers, and is none itself."""
    role = _ROLE_OF.get(element.kind)
    return role is not None and (role != "defaults" or _is_http(element))


def is_rate(element: JmxElement) -> bool:
    """Say whether an element keeps a rate, which its thread group is judged by."""
    return element.kind in _ROLES["rates"]


@dataclass(frozen=True, slots=True)
class JmxScope:
    """What holds at a place, the outermost first."""

    headers: tuple[JmxElement, ...] = ()
    defaults: tuple[JmxElement, ...] = ()
    auth: tuple[JmxElement, ...] = ()
    timers: tuple[JmxElement, ...] = ()
    pre: tuple[JmxElement, ...] = ()
    post: tuple[JmxElement, ...] = ()
    assertions: tuple[JmxElement, ...] = ()
    rates: tuple[JmxElement, ...] = ()

    def within(self, children: Iterable[JmxElement]) -> JmxScope:
        """Return what holds below an element with these children."""
        found: dict[str, list[JmxElement]] = {}
        for one in children:
            if one.is_enabled and is_scoped(one):
                found.setdefault(_ROLE_OF[one.kind], []).append(one)
        if not found:
            return self
        values = {name: (*getattr(self, name), *found.get(name, ())) for name in _ROLES}
        return JmxScope(**values)


def _is_http(element: JmxElement) -> bool:
    return element.gui == "HttpDefaultsGui" or "HTTPSampler.domain" in element.properties
