"""Elements of a test plan of JMeter as lines of XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

__all__ = ["argument", "collection", "element", "element_lines", "head", "prop", "xml_comment"]

_GUIS: Final = {
    "TestPlan": "TestPlanGui",
    "ThreadGroup": "ThreadGroupGui",
    "SetupThreadGroup": "SetupThreadGroupGui",
    "OpenModelThreadGroup": "OpenModelThreadGroupGui",
    "TestFragmentController": "TestFragmentControllerGui",
    "ModuleController": "ModuleControllerGui",
    "Arguments": "ArgumentsPanel",
    "ConfigTestElement": "HttpDefaultsGui",
    "CookieManager": "CookiePanel",
    "HeaderManager": "HeaderPanel",
    "CSVDataSet": "TestBeanGUI",
    "HTTPSamplerProxy": "HttpTestSampleGui",
    "TestAction": "TestActionGui",
    "JSR223Sampler": "TestBeanGUI",
    "JSR223PostProcessor": "TestBeanGUI",
    "ConstantThroughputTimer": "TestBeanGUI",
    "GaussianRandomTimer": "GaussianRandomTimerGui",
    "GenericController": "LogicControllerGui",
    "TransactionController": "TransactionControllerGui",
    "OnceOnlyController": "OnceOnlyControllerGui",
    "LoopController": "LoopControlPanel",
    "IfController": "IfControllerPanel",
    "WhileController": "WhileControllerGui",
    "ForeachController": "ForeachControlPanel",
    "SwitchController": "SwitchControllerGui",
    "ResponseAssertion": "AssertionGui",
    "DurationAssertion": "DurationAssertionGui",
    "JSONPathAssertion": "JSONPathAssertionGui",
    "JSONPostProcessor": "JSONPostProcessorGui",
    "RegexExtractor": "RegexExtractorGui",
    "HtmlExtractor": "HtmlExtractorGui",
    "XPath2Extractor": "XPath2ExtractorGui",
    "ResultCollector": "SummaryReport",
}
"""The editor of each element, which JMeter asks for when it opens a file."""

_CLASSES: Final = {
    "OpenModelThreadGroup": "org.apache.jmeter.threads.openmodel.OpenModelThreadGroup",
}
_GUI_CLASSES: Final = {
    "OpenModelThreadGroup": "org.apache.jmeter.threads.openmodel.gui.OpenModelThreadGroupGui",
}
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def head(kind: str, name: str, *, is_closed: bool = False) -> str:
    """Return the begin of an element; its name is one name, whatever values stand in it."""
    shown = name.replace("${", "{")
    tag, gui = _CLASSES.get(kind, kind), _GUI_CLASSES.get(kind, _GUIS[kind])
    attributes = f'guiclass="{gui}" testclass="{tag}" testname={quoteattr(_sound(shown))}'
    return f'<{tag} {attributes} enabled="true"{"/" if is_closed else ""}>'


def element_lines(
    kind: str, name: str, properties: Mapping[str, object] | Sequence[str] = ()
) -> Iterator[str]:
    """Yield the lines of an element; properties are values by name, or lines."""
    lines = (
        [prop(key, value) for key, value in properties.items()]
        if isinstance(properties, Mapping)
        else properties
    )
    if not lines:
        yield head(kind, name, is_closed=True)
        return
    yield head(kind, name)
    yield from (f"  {line}" for line in lines)
    yield f"</{_CLASSES.get(kind, kind)}>"


def prop(name: str, value: object) -> str:
    """Return a property: a truth, a whole number, or a text."""
    kind = "boolProp" if isinstance(value, bool) else "intProp" if type(value) is int else ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    kind = kind or "stringProp"
    return f"<{kind} name={quoteattr(name)}>{escape(_sound(text))}</{kind}>"


def collection(name: str, items: Sequence[Sequence[str]] | Sequence[str]) -> Iterator[str]:
    """Yield the lines of a list of texts, or of elements that are lines already."""
    yield f"<collectionProp name={quoteattr(name)}>"
    for number, one in enumerate(items):
        if isinstance(one, str):
            yield f"  {prop(str(number), one)}"
        else:
            yield from (f"  {line}" for line in one)
    yield "</collectionProp>"


def element(name: str, kind: str, lines: Sequence[str]) -> list[str]:
    """Return the lines of an element within a property."""
    begin = f'<elementProp name={quoteattr(_sound(name))} elementType="{kind}">'
    return [begin, *(f"  {line}" for line in lines), "</elementProp>"]


def argument(name: str, value: str, *, is_http: bool = True, is_raw: bool = False) -> list[str]:
    """Return the lines of an argument: of a request, or a variable of the plan."""
    lines = [prop("Argument.name", name)] if not is_raw else []
    lines += [prop("Argument.value", value), prop("Argument.metadata", "=")]
    if is_http:
        lines.insert(0, prop("HTTPArgument.always_encode", not is_raw))
        lines.append(prop("HTTPArgument.use_equals", value=True))
    return element(name, "HTTPArgument" if is_http else "Argument", lines)


def xml_comment(text: str) -> str:
    """Return a comment; two hyphens would end it."""
    return f"<!-- {re.sub('-(?=-)', '- ', _sound(text))} -->"


def _sound(text: str) -> str:
    """Return a text with nothing that XML can't have."""
    return _FORBIDDEN.sub("\ufffd", text)
