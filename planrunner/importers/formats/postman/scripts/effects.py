"""What scripts do to a request, and what all scripts of a collection share."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.postman.variables import PostmanVariables
from planrunner.importers.javascript.expectations import ExpectedReply
from planrunner.loss.ledger import Ledger

__all__ = ["ScriptEffect", "ScriptFolder"]


@dataclass
class ScriptEffect:
    """What scripts do to one request."""

    expect: ExpectedReply = field(default_factory=ExpectedReply)
    extract: Keys = field(default_factory=dict)
    before: list[DraftStep] = field(default_factory=list)
    after: list[DraftStep] = field(default_factory=list)

    def copied(self) -> ScriptEffect:
        """Return it for one more request."""
        return copy.deepcopy(self)


@dataclass
class ScriptFolder:
    """What all scripts of a collection share.

    Attributes:
        files: Schemas, by their path beside the plan.
    """

    variables: PostmanVariables
    ledger: Ledger
    files: dict[str, bytes] = field(default_factory=dict)

    def keep_schema(self, schema: object) -> str:
        """Keep a JSON Schema beside the plan; returns its path."""
        content = (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()
        for name, known in self.files.items():
            if known == content:
                return name
        name = f"schemas/reply-{len(self.files) + 1}.json"
        self.files[name] = content
        return name
