"""The reference page of the plan language, made from the models through their JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from planrunner.language.fields.mapping import in_words
from planrunner.plan.models.requests import MEASURED_STEPS, VERBS
from planrunner.plan.models.step_rules import COMPANIONS, OWN_ACTIONS, all_actions
from planrunner.plan.models.users import TASK_KEYS
from planrunner.plan.schema.json_schema import documented_schema, title_of

__all__ = ["reference_page"]

SchemaView = Mapping[str, Any]

_INTRODUCTION: Final = """\
# Reference: the plan language

<!-- Generated from the models by `make schema`; a test compares. -->

A plan is one YAML 1.2 file that describes one performance test.
An unknown key is an error, at every level.
Top-level keys that start with `x-` are free for your own use, for example for anchors.

## Values

| type | written as | in expressions |
|---|---|---|
| duration | `250ms`, `30s`, `5m`, `1h30m`; units `ns`, `us`, `ms`, `s`, `m`, `h` | seconds |
| pause | a duration, `1s..3s`, `normal(2s, 500ms)`, `exponential(1s)`, `pareto(1s, 1.5)` | – |
| rate | `200/s`, `30/m`, `100/h` | per second |
| size | `500B`, `1KB` (1000 bytes), `2MiB` (1024 × 1024 bytes each) | bytes |
| percent | `1%`, `0.5%` | a fraction |
| text | any text; `${…}` inserts a value, `$${` writes `${` | text |
| value | anything YAML can hold; `${…}` works in its texts | as it is |
| expression | without `${…}`: `json.total == 0`, `status in [200, 404]` | – |

A text with `${…}` can replace a whole number, a duration, a rate, a size, a percentage, `true` or
`false`; its value must be known before the run, as that of a param is.

What expressions can do: [expressions](expressions.md). What `thresholds` can say:
[thresholds](thresholds.md).

A file [`planrunner.yaml`](../how-to/share-defaults.md) beside the plan can give its `params`,
`http`, `thresholds`, `report` and `outputs`; what the plan says itself wins.
"""


def reference_page() -> str:
    """Return the page as Markdown; the same for the same version."""
    schema = documented_schema()
    definitions = schema["definitions"]
    parts = [_INTRODUCTION, _section("The plan", schema, schema["properties"])]
    for name in _in_order(schema):
        section = _long_form(definitions[name])
        parts.append(_heading(section["title"], definitions[name]))
        parts += _tables(name, section)
    return "\n".join(parts)


def _in_order(schema: SchemaView) -> Iterator[str]:
    """Yield the names of definitions as a reader of the plan meets them."""
    seen: list[str] = []
    queue = list(_references(schema["properties"]))
    while queue:
        name = queue.pop(0)
        if name not in seen:
            seen.append(name)
            queue += _references(_long_form(schema["definitions"][name])["properties"])
    yield from seen


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if "$ref" in value:
            yield _target(value)
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _target(schema: SchemaView) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _long_form(definition: SchemaView) -> SchemaView:
    return dict(definition["anyOf"][0]) if "anyOf" in definition else definition


# -- sections ------------------------------------------------------------------------------


def _heading(title: str, definition: SchemaView) -> str:
    section = _long_form(definition)
    lines = [f"## {_capital(title)}", "", section["description"]]
    for short in definition.get("anyOf", ())[1:]:
        about = short["markdownDescription"]
        lines += ["", f"Short form: {_type(short)}. {about}"]
    return "\n".join([*lines, ""])


def _section(title: str, schema: SchemaView, properties: SchemaView) -> str:
    text = f"## {title}\n\n{schema['description']}\n"
    return f"{text}\n{_table(schema, properties)}"


def _tables(name: str, section: SchemaView) -> Iterator[str]:
    properties = section["properties"]
    if name == "Step":
        yield from _step_tables(section)
    elif name == "Task":
        own = {key: properties[key] for key in TASK_KEYS}
        yield _table(section, own)
        yield "A request with `weight`, `tags` and `needs` beside its keys is a task too.\n"
    else:
        yield _table(section, properties)


def _step_tables(section: SchemaView) -> Iterator[str]:
    properties = section["properties"]
    beside_request = COMPANIONS[VERBS[0]]
    groups: Sequence[tuple[str, Iterable[str]]] = (
        ("Actions", all_actions()),
        ("Beside every action", ["when"]),
        ("Beside a request", [key for key in properties if key in beside_request]),
        (
            "Beside other actions",
            [key for key in properties if _owners(key) and key not in beside_request],
        ),
    )
    for title, keys in groups:
        yield f"### {title}\n"
        yield _table(section, {key: properties[key] for key in keys})


def _owners(key: str) -> list[str]:
    others = (*VERBS, *MEASURED_STEPS)  # their keys have a table of their own
    return [action for action in OWN_ACTIONS if key in COMPANIONS[action] and action not in others]


# -- tables --------------------------------------------------------------------------------


def _table(section: SchemaView, properties: SchemaView) -> str:
    rows = ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
    required = section.get("required", ())
    is_step = "think" in section["properties"]
    for key, schema in properties.items():
        meaning, default = _default(schema, is_required=key in required)
        if is_step and (owners := _owners(key)):
            meaning += f" Used with {in_words(owners)}."
        cells = (f"`{key}`", _type(schema), default, meaning, _example(schema))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


_DEFAULT: Final = re.compile(r"\s*\bDefault (.+?)\.(?=\s|$)")


def _default(schema: SchemaView, *, is_required: bool) -> tuple[str, str]:
    """Return the meaning and the default, which may be a sentence of the description."""
    text = schema["description"]
    if is_required:
        return text, "required"
    if "default" in schema:
        value = schema["default"]
        return text, f"`{str(value).lower() if isinstance(value, bool) else value}`"
    if found := _DEFAULT.search(text):
        return _DEFAULT.sub("", text, count=1), found[1]
    return text, ""


def _example(schema: SchemaView) -> str:
    _, _, block = schema["markdownDescription"].partition("```yaml\n")
    lines = block.removesuffix("\n```").splitlines()
    return "<br>".join(f"`{line}`" for line in lines)


# -- types ---------------------------------------------------------------------------------

_UNITS: Final[tuple[tuple[str, str], ...]] = (
    ("Write a duration or a range", "pause"),
    ("Write a duration", "duration"),
    ("Write a rate", "rate"),
    ("Write a size", "size"),
    ("Write a percentage", "percent"),
)

_TYPES: Final[Mapping[str, str]] = {
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "string": "text",
    "null": "`null`",
    "object": "mapping",
    "array": "list",
}


def _type(schema: SchemaView) -> str:
    if "$ref" in schema:
        return _link(schema)
    if "anyOf" in schema:
        # What `null` does is said in words.
        arms = [one for one in schema["anyOf"] if not _is_expression(one) and one != _NULL]
        return " or ".join(dict.fromkeys(_type(arm) for arm in arms))
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    message = schema.get("patternErrorMessage", "")
    if unit := next((unit for start, unit in _UNITS if message.startswith(start)), ""):
        return unit
    return _structure(schema)


_NULL: Final = {"type": "null"}


def _is_expression(schema: SchemaView) -> bool:
    return schema.get("pattern") == r"\$\{"


def _structure(schema: SchemaView) -> str:
    kind = schema.get("type")
    if kind == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"names, each with {_type(schema['additionalProperties'])}"
    if kind is None:
        return "value"
    if isinstance(kind, list):
        return _scalar_types(kind)
    return _TYPES[kind]


def _scalar_types(kinds: Sequence[str]) -> str:
    if set(kinds) == {"string", "boolean", "number"}:
        return "expression"
    return "text" if "number" in kinds else " or ".join(_TYPES[kind] for kind in kinds)


def _link(schema: SchemaView) -> str:
    title = title_of(_target(schema))
    return f"[{title}](#{title.lower().replace(' ', '-')})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
