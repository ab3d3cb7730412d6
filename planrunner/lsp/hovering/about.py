"""What stands at a place, explained."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from lsprotocol import types

from planrunner.compiler.names.params import shown_param, written_param
from planrunner.language.expressions.builtins.filters_table import FILTERS
from planrunner.language.expressions.builtins.helpers_table import CALLED, METHODS, PROVIDED
from planrunner.language.expressions.described import Described
from planrunner.language.expressions.expression import (
    Expression,
    ExpressionError,
    parse,
    to_text,
)
from planrunner.language.fields.text import parse_text
from planrunner.lsp.documents.load_facts import (
    class_share,
    in_profile,
    phase_at,
    phase_named,
    phase_words,
    split_words,
    task_share,
)
from planrunner.lsp.documents.view import PlanView
from planrunner.lsp.names.kinds import NameKind, Occurrence
from planrunner.lsp.names.plan_index import NamedThing
from planrunner.lsp.names.roles import SENTENCES
from planrunner.lsp.navigation.jumps import meant_at
from planrunner.lsp.outside.lookup import outside_name
from planrunner.metrics.thresholds.model import ThresholdSyntaxError
from planrunner.metrics.thresholds.parser import parse_threshold
from planrunner.metrics.thresholds.words import describe
from planrunner.plan.yaml.document import PlanPath
from planrunner.plan.yaml.nodes import YamlNode
from planrunner.protocols import registry

__all__ = ["hover"]

_HELPERS: Final[Mapping[str, Described]] = {
    **{one.name: one for one in (*PROVIDED, *CALLED)},
    **{f"{root}.{one.name}": one for root, methods in METHODS.items() for one in methods},
}
_FILTERS: Final[Mapping[str, Described]] = {one.name: one for one in FILTERS}
_WORD: Final = re.compile(r"[\w.]+")
_PARAM: Final = re.compile(r"\$\{\s*([A-Za-z_]\w*)\s*\}")
_SECRET: Final = "***"


def hover(view: PlanView, position: types.Position) -> types.Hover | None:
    """Return what is known of a place; None where that is nothing."""
    reading = view.reading
    offset = reading.offset(position)
    path, is_key = reading.path_at(offset)
    parts: list[str] = []
    where: types.Range | None = None
    node = reading.node(path)
    meant = meant_at(view, position)
    if meant is not None:
        where = reading.range(meant[0].start, meant[0].end)
        parts += ["\n\n".join(_about(view, meant[0], thing)) for thing in meant[1]]
    if is_key:
        parts += _key(view, path)
    elif node is not None and isinstance(node.data, str):
        parts += _text(view, path, node, offset)
    said = "\n\n---\n\n".join(dict.fromkeys(part for part in parts if part))
    if not said:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, said), where)


def _key(view: PlanView, path: PlanPath) -> Iterator[str]:
    """Yield what the schema says of a key, and what a phase does."""
    shape = view.reading.shape.at(path)
    about = shape.about.get("markdownDescription") or shape.about.get("description", "")
    known = view.reading.shape.at(path[:-1]).keys()
    if about and path[-1] in known:
        yield str(about)
    if path[-1] not in ("users", "stages", "hold", "rate"):
        return
    if phase_at(view, path) is None and path[0] == "profiles":
        view = in_profile(view, str(path[1]))
    phase, graph = phase_at(view, path), view.facts.graph
    if phase is not None and graph is not None:
        yield "\n".join(f"- {line}" for line in phase_words(graph, phase))


# --- names ------------------------------------------------------------------------------------


def _about(view: PlanView, one: Occurrence, thing: NamedThing) -> Iterator[str]:
    yield f"**{thing.kind}** `{thing.name}`"
    if thing.kind is NameKind.PARAM:
        yield from _param(view, thing.name)
    elif (outside := outside_name(view, thing.kind, thing.name)) is not None:
        yield f"`{outside.form}`, {outside.file.name}:{outside.line + 1}"
        if outside.about:
            yield outside.about
    elif view.facts.graph is not None:
        yield from _compiled(view, one, thing)
    given = [place for place in view.index.definitions(thing) if place.occurrence != one]
    for place in given[:_MOST]:
        reading = view.files[place.file]
        row = reading.source.line_of(place.occurrence.start)
        file = "" if place.file == view.file else f"{Path(place.file).name}:"
        said = "" if thing.kind is NameKind.PARAM else f": `{reading.source.line(row).strip()}`"
        yield f"line {file}{row}{said}"  # the line of a param may have a secret


_MOST: Final = 3


def _param(view: PlanView, name: str) -> Iterator[str]:
    """Yield what a param is, and its value in each environment."""
    root = view.reading.tree.data
    data = {}
    for reading in view.files.values():
        params = reading.tree.data.get("params") if isinstance(reading.tree.data, dict) else None
        if isinstance(params, dict) and isinstance(params.get(name), dict):
            data = params[name]
            break
    is_secret = bool(data.get("secret"))
    if data.get("help"):
        yield str(data["help"])
    rows = [("type", data.get("type", "str"))] if data else []
    rows += [("default", _shown(data.get("default"), is_secret=is_secret))] if data else []
    if data.get("env"):
        rows.append(("environment variable", data["env"]))
    compiled = view.facts.plan.params.get(name) if view.facts.plan is not None else None
    if compiled is not None:
        rows.append(("now", shown_param(compiled)))
    blocks = root.get("environments") if isinstance(root, dict) else None
    for block, values in blocks.items() if isinstance(blocks, dict) else ():
        own = values.get("params", values) if isinstance(values, dict) else {}
        if isinstance(own, dict) and name in own:
            rows.append((f"in `{block}`", _shown(own[name], is_secret=is_secret)))
    yield "\n".join(f"- {label}: `{value}`" for label, value in rows)


def _shown(value: object, *, is_secret: bool) -> str:
    if is_secret and value is not None:
        return _SECRET
    return to_text(value) if isinstance(value, str | int | float | None) else str(value)


def _compiled(view: PlanView, one: Occurrence, thing: NamedThing) -> Iterator[str]:
    """Yield what the compiled plan says of a thing."""
    graph = view.facts.graph
    assert graph is not None  # the caller's check
    if thing.kind is NameKind.USER:
        yield class_share(graph, thing.name)
        phases = [phase for phase in graph.phases if thing.name in phase.classes]
        splits = filter(None, (split_words(graph, phase) for phase in phases))
        yield "\n".join(f"- {split}" for split in dict.fromkeys(splits))
    elif thing.kind is NameKind.TASK and one.path[:1] == ("users",):
        yield task_share(graph, str(one.path[1]), thing.name)
    elif thing.kind is NameKind.PHASE:
        yield from _phase(view, thing)
    elif thing.kind is NameKind.DATA:
        columns = next((k.columns for k in view.facts.known.values() if k.columns), {})
        if found := columns.get(thing.name):
            yield "columns: " + ", ".join(f"`{column}`" for column in found)


def _phase(view: PlanView, thing: NamedThing) -> Iterator[str]:
    """Yield what a phase does, also one of a profile that doesn't run by default."""
    graph = view.facts.graph
    if graph is not None and phase_named(graph, thing.name) is None:
        paths = (place.occurrence.path for place in view.index.definitions(thing))
        profile = next((str(path[1]) for path in paths if path[:1] == ("profiles",)), "")
        yield "doesn't run by default" + (f": it is in the profile `{profile}`" if profile else "")
        graph = in_profile(view, profile).facts.graph if profile else None
    phase = None if graph is None else phase_named(graph, thing.name)
    if phase is not None and graph is not None:
        yield "\n".join(f"- {line}" for line in phase_words(graph, phase))


# --- texts ------------------------------------------------------------------------------------


def _text(view: PlanView, path: PlanPath, node: YamlNode, offset: int) -> Iterator[str]:
    """Yield what a threshold judges, or what an expression gives."""
    shape = view.reading.shape.at(path)
    if shape.slot in SENTENCES:
        yield _judged(view, node.data)
        return
    written = node.source.text[node.start : node.end]
    word = next(
        (w[0] for w in _WORD.finditer(written) if w.start() <= offset - node.start <= w.end()), ""
    )
    is_filter = bool(re.search(rf"\|\s*{re.escape(word)}\b", written)) if word else False
    record = _FILTERS.get(word) if is_filter else _HELPERS.get(word)
    if "${" not in written and not shape.is_expression:
        return
    if record is not None:
        yield f"`{record.form}`\n\n{record.meaning}\n\n```jinja\n{record.example}\n```"
    for expression in _expressions(node.data, is_bare=shape.is_expression):
        if expression.kind:
            yield f"`{expression.source.strip()}` gives {expression.kind}"


def _expressions(text: str, *, is_bare: bool) -> list[Expression]:
    try:
        if is_bare:
            return [parse(text)]
        return [part for part in parse_text(text).parts if isinstance(part, Expression)]
    except ExpressionError:
        return []


def _judged(view: PlanView, text: str) -> str:
    """Return what a threshold means; empty while it can't be read."""
    values = view.facts.plan.params if view.facts.plan is not None else {}

    def valued(found: re.Match[str]) -> str:
        param = values.get(found[1])
        return found[0] if param is None or param.secret else written_param(param)

    try:
        return describe(parse_threshold(_PARAM.sub(valued, text), registry.measures()))
    except (ThresholdSyntaxError, ExpressionError):
        return ""
