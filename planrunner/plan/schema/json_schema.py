"""The JSON Schema of plans, in the shape that editors complete best.

Pydantic's own schema is right but hard on editors: `null` arms hide the keys of the other arm,
titles repeat the keys, and unions of unions offer everything twice. What comes out of here is
draft-07 with one object per mapping, one optional key per action in a step, documentation in
Markdown on every key, and snippets where a plan author starts something new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from planrunner.language.fields.mapping import GUESTS, GuestBook, PlanMapping
from planrunner.plan.defaults.model import DefaultsModel
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.models.requests import MEASURED_STEPS, REQUEST_KEYS, request_words
from planrunner.plan.output_kinds.registry import known_kinds
from planrunner.plan.schema.editor_shape import split_by_action, tell_arms_apart
from planrunner.plan.schema.marks import drop_marks
from planrunner.plan.schema.schema_snippets import (
    SNIPPETS,
    sentence_snippets,
    value_snippets,
)
from planrunner.protocols import registry
from planrunner.protocols.plugin import resolve

__all__ = ["defaults_schema", "documented_schema", "plan_schema", "title_of"]

Schema = dict[str, Any]

_TITLES: Final[Mapping[str, str]] = {
    "ApiKeyAuth": "API key",
    "Auth": "authentication",
    "BasicAuth": "user name and password",
    "Block": "steps with settings",
    "Data": "data source",
    "TxnOperation": "operation of a transaction",
    "Expect": "expectations",
    "Extract": "where a value is",
    "Generate": "generated rows",
    "HttpScope": "HTTP settings of a task or flow",
    "LoneRequest": "request",
    "Needs": "condition of a task",
    "OAuth2": "OAuth2 client",
    "OutputEntry": "output",
    "MultipartPart": "part of a body",
    "Poll": "polled request",
    "User": "user class",
    "ValuePool": "pool of values",
}


def plan_schema() -> Schema:
    """Return the schema of plan files; the same for the same version."""
    schema = documented_schema()
    split_by_action(schema["definitions"])
    tell_arms_apart(schema)
    drop_marks(schema)
    return schema


def documented_schema() -> Schema:
    """Return the schema with one definition for each mapping, as its reference has it."""
    schema = _schema(PlanModel)
    _complete_task(schema["definitions"])
    return schema


def defaults_schema() -> Schema:
    """Return the schema of `planrunner.yaml`."""
    schema = _schema(DefaultsModel)
    tell_arms_apart(schema)
    drop_marks(schema)
    return schema


def _schema(model: type[PlanMapping]) -> Schema:
    root = _raw(model)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **_object(model.__name__, root),
        # The author's own keys: anchors live there.
        "patternProperties": {"^x-": {}},
        "definitions": {
            _short(name): _definition(name, definition)
            for name, definition in sorted(_mappings_below(root).items())
        },
    }


def _mappings_below(root: Schema) -> dict[str, Schema]:
    """Return the schema of each mapping that a plan can hold, by the name of its model."""
    found: dict[str, Schema] = {}
    queue = list(_models_in(root))
    while queue:
        model = queue.pop()
        if model.__name__ not in found:
            found[model.__name__] = raw = _raw(model)
            queue += _models_in(raw)
    return found


def _raw(model: type[PlanMapping]) -> Schema:
    raw = model.model_json_schema()
    # Pydantic's shape for a mapping that can stand in itself.
    inner: Schema = raw["$defs"][model.__name__] if "$ref" in raw else raw
    for arm in inner.get("anyOf", [inner]):
        if "properties" in arm:
            arm["properties"] = dict(_with_guests(arm["properties"]))
            for key in model.nullable & arm["properties"].keys():
                arm["properties"][key]["nullable"] = True
    return inner


def _with_guests(properties: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the properties of a mapping, with those of its guests in their place."""
    for key, raw in properties.items():
        if key != GUESTS:
            yield key, raw
            continue
        book: GuestBook = next(arm["$guests"] for arm in raw["anyOf"] if "$guests" in arm)
        for word in book.words():
            guest = book.guest(word)
            shown = {"description": guest.description, "examples": [guest.example], "default": None}
            yield word, {"anyOf": [{"$model": guest.mapping}, {"type": "null"}], **shown}


def _models_in(raw: object) -> Iterator[type[PlanMapping]]:
    if isinstance(raw, dict):
        if "$model" in raw:
            yield raw["$model"]
        for inner in raw.values():
            yield from _models_in(inner)
    elif isinstance(raw, list):
        for inner in raw:
            yield from _models_in(inner)


def _short(name: str) -> str:
    return name.removesuffix("Model").removesuffix("Spec")


def _definition(name: str, raw: Schema) -> Schema:
    if "anyOf" not in raw:
        return _object(name, raw)
    long, *short = raw["anyOf"]
    schemas = [_object(name, long), *map(_value, short)]
    if snippets := sentence_snippets(_short(name)):
        schemas[-1]["defaultSnippets"] = snippets
    return {"anyOf": schemas}


def _object(name: str, raw: Schema) -> Schema:
    """Return the schema of one mapping, with documentation on each of its keys."""
    schema: Schema = {
        "title": title_of(_short(name)),
        "type": "object",
        "description": raw["description"],
        "markdownDescription": raw["description"],
        "additionalProperties": False,
        "properties": {key: _property(key, value) for key, value in raw["properties"].items()},
    }
    if "required" in raw:
        schema["required"] = raw["required"]
    if snippets := SNIPPETS.get(_short(name)):
        schema["defaultSnippets"] = list(snippets)
    return schema


def title_of(definition: str) -> str:
    """Return what people call a definition: `EtcdPut` is `etcd put`."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in definition).strip()
    return _TITLES.get(definition) or _settings_titles().get(definition, words)


def _settings_titles() -> Mapping[str, str]:
    """Return what people call settings of protocols and outputs, by the name of the definition."""
    known = registry.known().values()
    models = {
        plugin.settings.model: plugin.title for plugin in known if plugin.settings is not None
    }
    models |= {kind.model: kind.name for kind in known_kinds().values()}
    return {_short(resolve(name).__name__): f"{title} settings" for name, title in models.items()}


def _property(key: str, raw: Schema) -> Schema:
    arms = [_value(arm) for arm in raw.get("anyOf", ()) if arm.get("type") != "null"]
    if raw.get("default", "") is None and arms:
        rest = {name: value for name, value in raw.items() if name not in ("anyOf", "default")}
        raw = {**(arms[0] if len(arms) == 1 else {"anyOf": arms}), **rest}
    is_nullable = raw.pop("nullable", False)
    about = _about(raw)
    schema = _value({**raw, "description": ""})
    if is_nullable and any(key in schema for key in _SHAPES):
        shape = {key: schema.pop(key) for key in list(schema)}
        arms = shape["anyOf"] if shape.keys() == {"anyOf"} else [shape]
        null = {"type": "null"}  # last: editors offer the keys of the others
        schema["anyOf"] = [*(arm for arm in arms if arm != null), null]
    if raw.get("default") is not None:
        schema["default"] = raw["default"]
    schema["description"] = raw["description"]
    if snippets := value_snippets(schema, raw.get("examples", ())):
        schema["defaultSnippets"] = snippets
    schema["markdownDescription"] = "\n\n".join(
        [raw["description"], *about, *_example(key, raw.get("examples", ()))]
    )
    return schema


_SHAPES: Final = ("$ref", "anyOf", "type")


def _about(raw: Schema) -> Iterator[str]:
    if "patternErrorMessage" in raw:
        yield f"{raw['patternErrorMessage']}."
    if raw.get("default") is not None:
        default = raw["default"]
        yield f"Default: `{str(default).lower() if isinstance(default, bool) else default}`."


def _example(key: str, examples: list[str]) -> Iterator[str]:
    if examples:
        lines = "\n".join(f"{key}: {example}" for example in examples)
        yield f"```yaml\n{lines}\n```"


_DROPPED: Final = frozenset({"title", "examples", "default", "description"})


def _value(raw: Schema) -> Schema:
    """Return the schema of a value, without what is said about its key."""
    if "$model" in raw:
        return {"$ref": f"#/definitions/{_short(raw['$model'].__name__)}"}
    if "$ref" in raw:
        return {"$ref": f"#/definitions/{_short(raw['$ref'].rpartition('/')[2])}"}
    schema = {key: value for key, value in raw.items() if key not in _DROPPED}
    if "patternProperties" in schema:
        ((pattern, inner),) = schema.pop("patternProperties").items()
        schema["propertyNames"] = {"pattern": pattern}
        schema["additionalProperties"] = inner
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = _value(schema[key])
    arms = [*schema.pop("anyOf", ()), *schema.pop("oneOf", ())]
    if arms:
        schema["anyOf"] = list(_flat(_value(arm) for arm in arms))
    if "properties" in schema:
        schema["properties"] = {key: _value(inner) for key, inner in schema["properties"].items()}
    return schema


def _flat(arms: Iterator[Schema]) -> Iterator[Schema]:
    for arm in arms:
        if arm.keys() == {"anyOf"}:
            yield from arm["anyOf"]
        else:
            yield arm


def _complete_task(definitions: Schema) -> None:
    """Let a task be written as one request, in the same object: editors then offer both."""
    task, step = definitions["Task"], definitions["Step"]
    beside = REQUEST_KEYS | {"when"}
    wanted = [
        *request_words(),
        *MEASURED_STEPS,
        *(key for key in step["properties"] if key in beside),
    ]
    for key in wanted:
        task["properties"].setdefault(key, step["properties"][key])
    del task["required"]
