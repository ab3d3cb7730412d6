"""What names of Python code are called in the plan."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Callable
from dataclasses import field

from planrunner.importers.formats.locust.code.module import LocustModule
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.templates import identifier
from planrunner.loss.ledger import Ledger, SourcePlace
from planrunner.values import dataclass

__all__ = ["LocustNames", "Say", "Unsayable", "wrapped"]


class Unsayable(Exception):  # noqa: N818 - reads as the sentence it stands for
    """Code that a plan can't say."""

    def __init__(self, node: ast.AST, why: str) -> None:
        super().__init__(why)
        self.node, self.why = node, why


@dataclass(slots=True)
class LocustNames:
    """What names of the code are called in the plan.

    Attributes:
        module: The files.
        own: What the code calls its user: `self`.
        known: The plan's name of each attribute (`self.x`) and local name (`x`) of all classes.
        state: Attributes of this class that its code reads or sets.
        local: What local names of the code being read say, as expressions.
        replies: What the code calls the reply of the last request.
        params: What of the module the plan has as params: their specs.
        mappings: The keys of mappings that the code puts together, by the name in the code, and
            whether each key is always there.
        made_by: Which function's code, put in the place of its call, set a local name.
        options: Options of the command line that the files add, as specs of params.
        kept: The files around the test.
        schemas: Requests with the schemas that their replies have to meet, by their ids.
        opened: Paths beside the plan of the files that local names stand for.
        has_user: The code is that of a user.
        shared: What names of the first level that `setup` sets are called.
        sending: Whether functions send, by their code.
        below: The functions that functions may call, by their code.
        lossy: Whether a plan's words for code that computes lose something, by its text.
        is_among_others: The code is that of a TaskSet beside other tasks.
        unverified: Some request is sent without looking at certificates.
    """

    module: LocustModule
    own: str = "self"
    known: dict[str, str] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    local: dict[str, str] = field(default_factory=dict)
    replies: set[str] = field(default_factory=set)
    params: dict[str, object] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    has_user: bool = True
    shared: dict[str, str] = field(default_factory=dict)
    sending: dict[ast.AST, bool] = field(default_factory=dict)
    below: dict[ast.AST, set[ast.AST]] = field(default_factory=dict)
    lossy: dict[str, bool] = field(default_factory=dict)
    is_among_others: bool = False
    unverified: bool = False
    mappings: dict[str, dict[str, bool]] = field(default_factory=dict)
    made_by: dict[str, str] = field(default_factory=dict)
    options: dict[str, dict[str, object]] = field(default_factory=dict)
    kept: KeptFiles | None = None
    schemas: dict[int, tuple[object, list[dict[str, object]]]] = field(default_factory=dict)
    opened: dict[str, str] = field(default_factory=dict)

    def of_class(self) -> LocustNames:
        """Return names for another class of the same files."""
        return LocustNames(
            self.module,
            known=self.known,
            params=self.params,
            taken=self.taken,
            options=self.options,
            kept=self.kept,
            shared=self.shared,
        )

    def schema_file(self, schema: object, wish: str, before: str | None) -> str:
        """Put a schema beside the plan, in the place of the one before; returns its path."""
        assert self.kept is not None, "every import has files"
        content = f"{json.dumps(schema, indent=2, ensure_ascii=False)}\n".encode()
        return self.kept.write(before or f"schemas/{wish}.json", content, overwrites=bool(before))

    def file(self, path: str, opening: ast.Call) -> str:
        """Return the path beside the plan of a file that code opens.

        Raises:
            Unsayable: Its name is computed.
        """
        if self.kept is None or "${" in path:
            raise Unsayable(opening, "a file whose name is computed")
        construct = self.module.calls.get(opening) or Ledger().add("call", path, SourcePlace("", 1))
        return self.kept.keep(path, construct)

    def dry(self) -> LocustNames:
        """Return the same names for code that is only tried: nothing of it is kept."""
        made = copy.copy(self)
        made.module = self.module.dry()
        for one in ("known", "state", "local", "params", "made_by"):
            setattr(made, one, dict(getattr(self, one)))
        made.mappings = {name: dict(keys) for name, keys in self.mappings.items()}
        made.replies, made.taken = set(self.replies), set(self.taken)
        return made

    def name_local(self, name: str) -> str:
        """Return the plan's name of a local one."""
        self.local[name] = self._name(name, name)
        return self.local[name]

    def unused(self, name: str) -> str:
        """Return a name that the code being read doesn't have."""
        found, number = name, 1
        while found in self.local:
            number += 1
            found = f"{name}_{number}"
        return found

    def name_state(self, name: str) -> str:
        """Return the plan's name of an attribute of the user."""
        self.state[name] = self._name(f"self.{name}", name)
        return self.state[name]

    def _name(self, key: str, name: str) -> str:
        if key not in self.known:
            self.known[key] = identifier(name, self.taken)
            self.taken.add(self.known[key])
        return self.known[key]

    def param(self, name: str, spec: object) -> str:
        """Return the name of a param, made at first sight."""
        for known, one in self.params.items():
            if one == spec and known.startswith(identifier(name)):
                return known
        made = identifier(name, self.taken)
        self.taken.add(made)
        self.params[made] = spec
        return made


Say = Callable[[ast.expr, LocustNames], str]
"""What says an expression in the words of a plan."""


def wrapped(text: str) -> str:
    """Return an expression that a filter or a key may follow: in parentheses where it must be."""
    is_closed = (
        re.fullmatch(r"[\w.]+(\([^()]*\)|\[[^\[\]]*\])?|\([^()]*\)|'[^']*'", text) is not None
    )
    return text if is_closed else f"({text})"
