"""User Defined Variables → params; those that are drawn are set in `setup`."""

from __future__ import annotations

from collections.abc import Iterator

from planrunner.importers.draft import DraftStep
from planrunner.importers.formats.jmx.elements import JmxElement, JmxProperty
from planrunner.importers.formats.jmx.groups import JmxPlan
from planrunner.importers.formats.jmx.texts.calls import resolver_of
from planrunner.importers.formats.jmx.texts.functions import JmxReference, JmxResolver, split_text
from planrunner.importers.formats.jmx.texts.variables import JmxParams, JmxVariables, is_secret
from planrunner.loss.ledger import SourcePlace

__all__ = ["read_variables"]


def read_variables(plan: JmxPlan, root: JmxElement | None, top: list[JmxElement]) -> None:
    """Read all variables of a test plan; JMeter sets them before it starts, wherever they stand."""
    variables = JmxVariables(plan.params, "", is_setup=True)
    resolver = resolver_of(variables)
    found: dict[str, JmxProperty] = {}
    if root is not None:
        root.take("TestPlan.user_defined_variables")
        for one in root.entries("TestPlan.user_defined_variables", "Arguments.arguments"):
            _collect(one, found)
    for element in _arguments(top):
        element.settle()
        for one in element.entries("Arguments.arguments"):
            _collect(one, found)
    for name, prop in found.items():
        _add(plan, resolver, name, prop)


def _arguments(elements: list[JmxElement]) -> Iterator[JmxElement]:
    for one in elements:
        if one.is_enabled:
            if one.kind == "Arguments":
                yield one
            yield from _arguments(one.children)


def _collect(one: JmxProperty, found: dict[str, JmxProperty]) -> None:
    one.construct.translated()
    name = one.take("Argument.name").strip() or one.name.strip()
    for each in one.items:
        each.construct.translated()
    if name:
        found[name] = one


def _add(plan: JmxPlan, resolver: JmxResolver, raw: str, prop: JmxProperty) -> None:
    value = prop.below("Argument.value")
    text = value.text if value is not None else ""
    construct = (value or prop).construct
    params, origin = plan.params, prop.construct.place
    if is_secret(raw, text):
        construct.needs_you("set the param: a secret isn't written down")
    if _add_property(params, raw, text, origin):
        return
    if "${" not in text:
        params.add(raw, text, origin)
    elif resolver.is_static(text, construct):
        params.add(raw, None, origin)
        spec = params.params[params.names.name(raw)].spec
        assert isinstance(spec, dict)
        spec["default"] = resolver.text(text, construct)
    else:
        code = resolver.text(text, construct)
        drawn = resolver.variables.drawn()
        for name, one in [*drawn.items(), (params.names.name(raw), code)]:
            params.computed[name] = one
            plan.draft.setup.append(DraftStep({"set": {name: one}}, origin=origin))


def _add_property(params: JmxParams, raw: str, text: str, origin: SourcePlace) -> bool:
    """Add a variable that is a property of the command line; say whether it is one."""
    parts = split_text(text)
    alone = parts[0] if len(parts) == 1 else None
    if not isinstance(alone, JmxReference) or alone.name not in ("__P", "__property"):
        return False
    given = [*(alone.arguments or ()), "", "", ""]
    position = 1 if alone.name == "__P" else 2
    if "${" in given[position] or "${" in given[0]:
        return False
    has_default = len(alone.arguments or ()) > position
    params.add(raw, given[position] if has_default else "1", origin)
    name = params.names.name(raw)
    params.by_property.setdefault(given[0].strip(), name)
    if not has_default:
        params.unset.add(name)
    return True
