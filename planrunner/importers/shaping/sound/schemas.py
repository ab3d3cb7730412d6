"""JSON Schemas that are none: replies are not held to them."""

from __future__ import annotations

import json
from typing import Final

from planrunner.importers.draft import DraftPlan, origin_of
from planrunner.importers.shaping.requests import all_requests
from planrunner.loss.ledger import Ledger

__all__ = ["sound_schemas"]

_WHY: Final = "the original's schema is not one: {}"


def sound_schemas(draft: DraftPlan, ledger: Ledger) -> None:
    """Take out expectations of schemas that can't be read; without a schema this costs nothing."""
    faults: dict[str, str] = {}
    for request in all_requests(draft):
        expect = request.keys.get("expect")
        name = expect.get("schema") if isinstance(expect, dict) else None
        content = draft.files.get(name) if isinstance(name, str) else None
        if not isinstance(expect, dict) or not isinstance(name, str):
            continue
        if isinstance(content, bytes) and name not in faults:
            faults[name] = _fault(content)
        place = request.step.origin or origin_of(draft)
        if faults.get(name) and place is not None:
            ledger.part("schema", name, place).left_out(_WHY.format(faults[name]))
        if faults.get(name):
            del expect["schema"]
    for name in [name for name, fault in faults.items() if fault]:
        del draft.files[name]


def _fault(content: bytes) -> str:
    """Return why a text is no JSON Schema; empty if it is one."""
    import jsonschema  # noqa: PLC0415 - 100 ms that imports without a schema need not pay

    try:
        schema = json.loads(content)
        kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        kind.check_schema(schema)
    except (ValueError, RecursionError):
        return "it can't be read"
    except jsonschema.SchemaError as error:
        return " ".join(error.message.split())[:90]
    return ""
