"""CSS and XPath over HTML and XML bodies; lxml is imported only by plans that use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from planrunner.errors import PackageMissing, PlanrunnerError
from planrunner.protocols.base import Reply, read_text
from planrunner.protocols.rules import shorten

__all__ = ["MarkupError", "compile_markup"]

_ENDING: Final = re.compile(
    r"(?P<css>.*?)::(?:(?P<text>text)|attr\((?P<attr>[\w:.-]+)\))\s*", re.DOTALL
)


class MarkupError(PlanrunnerError):
    """A text is no CSS selector or XPath."""


def compile_markup(language: str, source: str) -> Callable[[Reply], list[Any]]:
    """Compile a `css` or `xpath` selector; elements give their text, attributes their value.

    Raises:
        MarkupError: The selector is wrong.
        PackageMissing: lxml or cssselect is not installed.
    """
    try:
        from lxml import etree  # noqa: PLC0415 - 20 ms that other plans need not pay
    except ImportError as missing:
        raise PackageMissing(
            f"`{language}` needs the package lxml", hint="pip install lxml cssselect"
        ) from missing
    expression = _css_to_xpath(source) if language == "css" else source
    try:
        select = etree.XPath(expression, smart_strings=False)
    except (etree.XPathError, ValueError) as failed:  # ValueError: control characters
        raise MarkupError(f"`{shorten(source, 60)}` is not an XPath: {failed}") from failed

    def find(reply: Reply) -> list[Any]:
        tree = reply.parsed(_read_tree)
        if tree is None:
            return []
        found = select(tree)
        if isinstance(found, list):
            return [_value(item) for item in found]
        if isinstance(found, float) and found.is_integer():
            found = int(
                found
            )  # XPath has one type of number, and writes a whole one without a point
        return [] if found is None or found == "" else [found]

    return find


def _value(item: Any) -> str:  # noqa: ANN401 - an element, or the text of an attribute or node
    return item if isinstance(item, str) else "".join(item.itertext()).strip()


def _css_to_xpath(source: str) -> str:
    try:
        import cssselect  # noqa: PLC0415
    except ImportError as missing:
        raise PackageMissing(
            "`css` needs the package cssselect", hint="pip install cssselect"
        ) from missing
    ending = _ENDING.fullmatch(source)
    try:
        expression = cssselect.HTMLTranslator().css_to_xpath(ending["css"] if ending else source)
    except cssselect.SelectorError as failed:
        raise MarkupError(
            f"`{shorten(source, 60)}` is not a CSS selector: {failed}",
            hint="write one such as `form input[name=csrf]::attr(value)`",
        ) from failed
    if ending is None:
        return expression
    return f"({expression})/" + ("text()" if ending["text"] else f"@{ending['attr']}")


def _read_tree(reply: Reply) -> Any:  # noqa: ANN401 - lxml's element, None for an empty body
    """Parse HTML as browsers do, and XML when the body says that it is; entities stay closed."""
    from lxml import etree, html  # noqa: PLC0415

    text = reply.parsed(read_text).lstrip("\ufeff \t\r\n")
    try:
        if text.startswith("<?xml"):
            if "<html" not in text[:2000].lower():
                parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
                return etree.fromstring(reply.body or b"", parser)
            # XHTML reads as HTML, or its namespace would hide every element from a selector.
            text = text.partition("?>")[2]
        return html.document_fromstring(text) if text.strip() else None
    except (etree.LxmlError, ValueError):
        return None
