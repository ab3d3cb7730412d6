"""Which names an expression may read where it stands: checked before any load is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Final

from planrunner.language.diagnostics import Code, suggest
from planrunner.language.expressions.builtins.names import (
    RESERVED,
    ROOT_HELPERS,
    foreign_hint,
)
from planrunner.language.expressions.expression import Reference
from planrunner.values import dataclass

__all__ = ["Known", "NameFault", "pool_hint"]

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "user": ("id", "class", "iteration"),
    "run": ("id", "dir", "seed"),
    "phase": ("name",),
}
"""The keys of the names that the engine provides."""

_FILE: Final = ("path", "rows", "bytes", "format")
_NO_USER: Final = "no user runs this: use a param, or a value"
_REPLY: Final = ("json", "body", "headers", "status")
_SERVICE: Final = ("port", "url", "address", "dir")


@dataclass(frozen=True, slots=True)
class NameFault:
    """A reference that names nothing.

    Attributes:
        offset: Characters from the start of the expression.
    """

    code: Code
    message: str
    hint: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Known:
    """The names in scope at one place of a plan.

    Attributes:
        params: Names of params.
        services: Names of services.
        portless: Those of them that listen on no port that the plan knows of.
        elsewhere: Names that only environments have which aren't picked, each with one of these.
        columns: Data sources and their columns; an empty tuple for a source of plain values, None
            when they are unknown.
        iteration_data: Sources that have a row for each iteration, and none outside of one.
        variables: The class's state, and what an earlier step on the way sets or extracts.
        shared: Those of the variables that are the plan's, as `setup` sets them: a user may hide
            one with a name of its own, and change none.
        replied: True where a request has been answered before, so `json` … have a value.
        reply_names: Names beside those that its protocol gives to a reply.
        in_iteration: False in on_start, on_stop, setup and teardown, where no iteration runs.
        after_iterations: True in on_stop, where the last one's number still stands.
        has_user: False in setup, teardown, preflight and service settings.
        pools: Whether each pool is one of the run, by name.
        files: Names of the files that are written before the load; None where none can be read.
        is_open: There may be others, which functions of the plan set.
        connections: Those that an earlier step on the way may have opened: each a protocol and a
            name, which is empty where the step gives none.
    """

    params: frozenset[str]
    services: frozenset[str] = frozenset()
    portless: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    iteration_data: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    replied: bool = False
    reply_names: frozenset[str] = frozenset()
    in_iteration: bool = False
    after_iterations: bool = False
    has_user: bool = False
    pools: Mapping[str, bool] = field(default_factory=dict)
    files: tuple[str, ...] | None = None
    is_open: bool = False
    connections: frozenset[tuple[str, str]] = frozenset()

    def names(self) -> list[str]:
        """Return every name that can be written here, for suggestions."""
        roots = {"run", *ROOT_HELPERS, *self.params, *self.variables, *self.columns}
        if self.services:
            roots.add("services")
        if self.files:
            roots.add("files")
        if self.has_user:
            roots |= {"user", "phase"}
            roots |= {"pool"} if self.pools else set()
        if self._is_numbered:
            roots.add("iteration")
        if self.replied:
            roots |= {*_REPLY, *self.reply_names}
        return sorted(roots)

    def after_request(self, names: Iterable[str]) -> Known:
        """Return what is known once a request has been answered; `names` are its protocol's own."""
        after = self.reply_names | set(names)
        if self.replied and after == self.reply_names:
            return self
        return replace(self, replied=True, reply_names=after)

    def without_reply(self) -> Known:
        """Return what is known where no request has been answered."""
        return replace(self, replied=False, reply_names=frozenset())

    def having(self, names: Iterable[str]) -> Known:
        """Return what is known where these are the user's own."""
        own = set(names)
        return replace(self, variables=self.variables | own, shared=self.shared - own)

    def without(self, names: Iterable[str], *, but: Known) -> Known:
        """Return what is known where these mean again what they meant before."""
        gone = set(names) - but.variables
        back = set(names) & but.shared
        variables, shared = self.variables - gone, self.shared | back
        return replace(self, params=but.params, variables=variables, shared=shared)

    def hiding(self, names: Iterable[str]) -> Known:
        """Return what is known where `names` are no params."""
        return replace(self, params=self.params.difference(names))

    def joined(self, other: Known) -> Known:
        """Return what may be known after either of two ways."""
        return replace(
            self,
            variables=self.variables | other.variables,
            shared=self.shared - (other.variables - other.shared),
            replied=self.replied or other.replied,
            reply_names=self.reply_names | other.reply_names,
            connections=self.connections | other.connections,
        )

    def means_all_rows(self, reference: Reference) -> bool:
        """Say whether a name stands for all rows of a source; plain values are drawn as ever."""
        return reference.is_whole and self.columns.get(reference.root, ()) != ()

    @property
    def _is_numbered(self) -> bool:
        return self.in_iteration or self.after_iterations

    def check(self, references: Iterable[Reference]) -> list[NameFault]:
        """Return a fault for each reference that names nothing here."""
        found = (self._check(reference) for reference in references)
        return [fault for fault in found if fault is not None]

    def _check(self, reference: Reference) -> NameFault | None:
        root = reference.root
        own = root in self.params or root in self.variables or root in self.reply_names
        if own or root in ROOT_HELPERS:
            return None
        if root in self.columns:
            return self._column(reference)
        if root == "services":
            return self._service(reference)
        if root in RESERVED:
            check = {"pool": self._pool, "files": self._file}.get(root, self._reserved)
            return check(reference)
        if self.is_open:
            return None
        if block := self.elsewhere.get(root):
            hint = (
                f"only the environment `{block}` defines it: "
                f"run with `--env {block}`, or add a param"
            )
        else:
            near = suggest(root, self.names())
            foreign = foreign_hint(root, reference.path)
            hint = (near or foreign if root.isupper() else foreign or near) or self._in_scope()
        return _fault(reference, f"unknown name `{root}`", hint)

    def _in_scope(self) -> str:
        own = sorted({*self.params, *self.variables, *self.columns})
        shown = ", ".join(f"`{name}`" for name in own[:12])
        return f"names in scope: {shown}{' …' if len(own) > 12 else ''}" if own else ""

    def _column(self, reference: Reference) -> NameFault | None:
        root, columns = reference.root, self.columns[reference.root]
        if not self.has_user:
            hint = "users draw rows, and none runs here; use a param, or a value"
            return _fault(reference, f"`{root}` has no value here", hint)
        if self.means_all_rows(reference):
            return None
        if not self.in_iteration and root in self.iteration_data:
            hint = f"it has a row for each iteration; give the data `{root}` the key `per: user`"
            return _fault(reference, f"`{root}` has no value here", hint)
        if columns is None or not reference.path or reference.path[0] in columns:
            return None
        wrong = reference.path[0]
        if not columns:
            hint = f"its rows are plain values: write `{root}`"
            return _fault(reference, f"`{root}` has no columns", hint)
        hint = suggest(wrong, columns) or "columns: " + ", ".join(f"`{c}`" for c in columns)
        return _fault(reference, f"`{reference.root}` has no column `{wrong}`", hint)

    def _service(self, reference: Reference) -> NameFault | None:
        if not self.services:
            return _fault(reference, "the plan has no services", "add them under `services:`")
        name = reference.path[0] if reference.path else ""
        if name not in self.services:
            known = sorted(self.services)
            hint = suggest(name, known) or "services: " + ", ".join(f"`{s}`" for s in known)
            return _fault(reference, f"unknown service `{name}`", hint)
        wrong = reference.path[1] if len(reference.path) > 1 else ""
        if wrong in ("port", "url", "address") and name in self.portless:
            return _fault(reference, f"the service `{name}` has no port", "give it `port: auto`")
        if wrong in _SERVICE:
            return None
        hint = f"write `services.{name}.port`, `.url`, `.address` or `.dir`"
        return _fault(reference, f"a service has no `{wrong}`" if wrong else "which part?", hint)

    def _file(self, reference: Reference) -> NameFault | None:
        if self.files is None:
            hint = "steps of users, setup, teardown and preflight may read it"
            return _fault(reference, "`files` has no value here", hint)
        if not self.files:
            hint = "add them at the first level: `files: {orders: {from: orders, format: csv}}`"
            return _fault(reference, "the plan has no files", hint)
        name = reference.path[0] if reference.path else ""
        if name not in self.files:
            hint = suggest(name, self.files) or "files: " + ", ".join(f"`{f}`" for f in self.files)
            return _fault(reference, f"unknown file `{name}`" if name else "which file?", hint)
        wrong = reference.path[1] if len(reference.path) > 1 else ""
        if wrong in _FILE:
            return None
        hint = f"write `files.{name}.path`, `.rows`, `.bytes` or `.format`"
        return _fault(reference, f"a file has no `{wrong}`" if wrong else "which part?", hint)

    def _pool(self, reference: Reference) -> NameFault | None:
        name = reference.path[0] if reference.path else ""
        if name not in self.pools:
            hint = pool_hint(name, self.pools)
            return _fault(reference, f"unknown pool `{name}`" if name else "which pool?", hint)
        if self.pools[name]:
            hint = "only `pop` reads it; without `shared: run` each worker has a pool of its own"
            return _fault(reference, f"the pool `{name}` is shared by all workers", hint)
        return None if self.has_user else _fault(reference, "`pool` has no value here", _NO_USER)

    def _reserved(self, reference: Reference) -> NameFault | None:
        root = reference.root
        if root in _REPLY:
            if self.replied:
                return None
            hint = "use it in `expect`, `tags` or a later step"
            return _fault(reference, f"`{root}` needs a request before it", hint)
        if root in ("user", "phase") and not self.has_user:
            return _fault(reference, f"`{root}` has no value here", _NO_USER)
        name = ".".join((root, *reference.path))
        if name in ("iteration", "user.iteration") and not self._is_numbered:
            hint = "`on_start` is not part of an iteration" if self.has_user else _NO_USER
            return _fault(reference, f"`{name}` has no value here", hint)
        fields = _FIELDS.get(root)
        if fields and reference.path and reference.path[0] not in fields:
            wrong = reference.path[0]
            hint = suggest(wrong, fields) or ", ".join(f"`{root}.{name}`" for name in fields)
            return _fault(reference, f"`{root}` has no `{wrong}`", hint)
        return None


def pool_hint(name: str, pools: Iterable[str]) -> str:
    """Return what to do about a pool that the plan doesn't have."""
    known = list(pools)
    return (
        suggest(name, known) or f"declare it at the plan's first level: `pools: {{{name}: {{}}}}`"
    )


def _fault(reference: Reference, message: str, hint: str) -> NameFault:
    length = len(".".join((reference.root, *reference.path)))
    return NameFault(Code.UNKNOWN_NAME, message, hint, reference.offset, length)
