"""Shapes that say the same to a validator, and that editors make more of."""

from __future__ import annotations

from typing import Any, Final

from planrunner.plan.models.step_rules import COMPANIONS, all_actions
from planrunner.plan.models.users import TASK_KEYS

__all__ = ["split_by_action", "tell_arms_apart"]


_ALWAYS: Final = {"Step": {"when"}, "Task": {"when", *TASK_KEYS} - {"steps"}}
"""What stands beside every action, by the definition."""


def split_by_action(definitions: dict[str, Any]) -> None:
    """Let the action of a step or task decide which keys can stand beside it."""
    for name, always in _ALWAYS.items():
        definitions[f"{name}Keys"] = definitions[name]
        definitions[name] = _split(definitions[name], f"#/definitions/{name}Keys", always)


def _split(whole: dict[str, Any], place: str, always: set[str]) -> dict[str, Any]:
    actions = [action for action in all_actions() if action in whole["properties"]]
    split: dict[str, Any] = {"$ref": place}
    for action in reversed(actions):
        beside = always | COMPANIONS.get(action, frozenset())
        keys = [action, *(key for key in whole["properties"] if key in beside and key != action)]
        split = {
            # The type, because an editor takes a step that isn't begun for one with every key.
            "if": {"type": "object", "required": [action]},
            "then": {
                "type": "object",
                "additionalProperties": False,
                "properties": {key: {"$ref": f"{place}/properties/{key}"} for key in keys},
            },
            "else": split,
        }
    about = ("title", "type", "description", "markdownDescription")
    return {**{key: whole[key] for key in about}, **split}


def tell_arms_apart(schema: object) -> None:
    """Give each arm of a choice something of its own.

    The server takes arms without for the same one, and shows the name of the mapping around them
    once for each: `phase || phase || phase`.
    """
    if isinstance(schema, dict):
        for arm in schema.get("anyOf", ()):
            if "$ref" not in arm:
                arm.setdefault("properties", {})
        schema = list(schema.values())
    if isinstance(schema, list):
        for inner in schema:
            tell_arms_apart(inner)
