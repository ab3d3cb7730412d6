"""Code as functions of the plan's hooks: copied where it only computes, else to be written."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import field

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.locust.code.expressions import value
from planrunner.importers.formats.locust.code.module import LocustFunction, LocustModule, dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Unsayable
from planrunner.importers.formats.locust.hooks.code import HookCode
from planrunner.importers.formats.locust.hooks.local_files import HELPER, OPENER, with_files_beside
from planrunner.importers.formats.locust.hooks.needs import CodeNeeds
from planrunner.importers.reading.kept_files import KeptFiles
from planrunner.importers.shaping.hook_file import HookFile, to_write
from planrunner.importers.templates import identifier
from planrunner.values import dataclass

__all__ = ["LocustHooks"]


@dataclass(slots=True)
class LocustHooks:
    """The functions of a plan's hooks for code of Locust files."""

    module: LocustModule
    file: HookFile
    kept: KeptFiles
    _copied: set[ast.AST] = field(default_factory=set)
    _written: dict[tuple[str, ...], str] = field(default_factory=dict)
    _unwritten: list[tuple[str, ast.AST]] = field(default_factory=list)

    def run(
        self,
        code: Sequence[ast.stmt],
        names: LocustNames,
        methods: Mapping[str, LocustFunction],
        wanted: AbstractSet[str],
    ) -> list[DraftStep]:
        """Return the steps that do what statements do.

        Args:
            code: The statements.
            names: What they know.
            methods: Of the user.
            wanted: The names that other code reads.

        Raises:
            Unsayable: They send, judge a reply, or leave the function that they stand in.
        """
        block = ast.Module(body=[copy.deepcopy(one) for one in code], type_ignores=[])
        made = HookCode(self.module, self.kept, names, methods, block, wanted)
        made.look()
        called = made.outputs[0][1] if made.outputs else _name_of(code)
        found, needs = self._function(called, made, code, made.returned())
        place = self.module.place(code[0])
        targets = [
            names.name_state(name) if is_own else names.name_local(name)
            for is_own, name in made.outputs
        ]
        call: Keys = {"call": found, **({"args": made.given} if made.given else {})}
        self._judge(needs, found, code)
        if len(targets) == 1:
            return [DraftStep({"python": {**call, "as": targets[0]}}, origin=place)]
        if not targets:
            return [DraftStep({"python": call}, origin=place)]
        held = names.name_local(f"{found}_result")
        sets = {
            target: f"${{{held}.{name}}}"
            for target, (_, name) in zip(targets, made.outputs, strict=True)
        }
        return [
            DraftStep({"python": {**call, "as": held}}, origin=place),
            DraftStep({"set": sets}, origin=place),
        ]

    def evaluate(
        self,
        node: ast.expr,
        names: LocustNames,
        methods: Mapping[str, LocustFunction],
        place: ast.AST,
    ) -> tuple[DraftStep, str]:
        """Return the step that gives what an expression gives, and the local name of that.

        Raises:
            Unsayable: It sends, or needs what only Locust has.
        """
        step = self._plain_call(node, names, place)
        if step is not None:
            return step
        block = ast.Module(body=[ast.Return(value=copy.deepcopy(node))], type_ignores=[])
        made = HookCode(self.module, self.kept, names, methods, block)
        made.look()
        found, needs = self._function(_name_of_value(node), made, [node], "")
        self._judge(needs, found, [node])
        return self._step(found, made.given, names, place)

    def _plain_call(
        self, node: ast.expr, names: LocustNames, place: ast.AST
    ) -> tuple[DraftStep, str] | None:
        """Return the step of a call of a function that is copied as it stands, else None."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            return None
        function = self.module.functions.get(node.func.id)
        if function is None or not _takes_names(function, node):
            return None
        needs = CodeNeeds(self.module, kept=self.kept)
        needs.need(function.name)
        if needs.obstacles or identifier(function.name) != function.name:
            return None
        parameters = [one.arg for one in function.args.args]
        given = dict(zip(parameters, node.args, strict=False))
        given.update({one.arg: one.value for one in node.keywords if one.arg})
        try:
            args = {name: value(one, names) for name, one in given.items()}
        except Unsayable:
            return None
        self._copy(needs)
        self._judge(needs, function.name, [node])
        return self._step(function.name, args, names, place)

    def _step(
        self, function: str, args: Keys, names: LocustNames, place: ast.AST
    ) -> tuple[DraftStep, str]:
        local = names.unused(f"{function}_value")
        names.name_local(local)
        call: Keys = {
            "call": function,
            **({"args": args} if args else {}),
            "as": names.local[local],
        }
        return DraftStep({"python": call}, origin=self.module.place(place)), local

    def _function(
        self, wanted: str, made: HookCode, original: Sequence[ast.AST], returned: str
    ) -> tuple[str, CodeNeeds]:
        """Write a function; returns its name, and what it needs: with obstacles it is a stub."""
        needs = made.needs()
        lines = [*made.lines(), *([f"return {returned}"] if returned else [])]
        body = "\n".join(f"    {line}".rstrip() for one in lines for line in one.split("\n"))
        key = (*made.given, body)
        if key in self._written:
            return self._written[key], needs
        if needs.obstacles:
            source = "\n".join(self.module.source(one) for one in original)
            sets = [name for _, name in made.outputs] if len(made.outputs) > 1 else []
            place = str(self.module.place(original[0]))
            name = self.file.stub(wanted, source, made.given, place, sets)
        else:
            self._copy(needs)
            name = self.file.name(f"get_{wanted}" if self._is_taken(wanted) else wanted)
            self.file.add(name, f"def {name}({', '.join(made.given)}):\n{body}\n")
        self._written[key] = name
        return name, needs

    def _is_taken(self, name: str) -> bool:
        """Say whether code that is copied, now or later, may mean something else by a name."""
        module = self.module
        names = (module.functions, module.classes, module.constants, module.imported)
        is_theirs = any(name in one for one in (*names, module.loose_names))
        return is_theirs or name in self.file or hasattr(builtins, name)

    def computes(self, name: str) -> bool:
        """Say whether what a name of the first level stands for can be copied."""
        needs = CodeNeeds(self.module, kept=self.kept)
        needs.need(name)
        return not needs.obstacles

    def _copy(self, needs: CodeNeeds) -> None:
        """Copy what a function needs to the file, once."""
        self.file.draft.copies_code = True
        for line in needs.imports.values():
            if line not in self.file.head:
                self.file.head.append(line)
        self.file.head.sort(key=lambda line: (line.startswith("from"), line))
        if "Path" in needs.imports and OPENER not in self.file:
            self.file.add(OPENER, HELPER)
        for name, node in needs.definitions.items():
            if node not in self._copied:
                self._copied.add(node)
                text = ast.unparse(with_files_beside(node, self.module, self.kept))
                text = f"{name} = {text}" if isinstance(node, ast.expr) else text
                self.file.add(name, f"{text}\n")

    def _judge(self, needs: CodeNeeds, name: str, original: Sequence[ast.AST]) -> None:
        if needs.obstacles:
            self.module.needs_you(to_write(name), *original)
            self._unwritten += [(to_write(name), one) for one in needs.definitions.values()]
            return
        self.module.accept(*original)
        for definition in needs.definitions.values():
            sent = [one for one in ast.walk(definition) if _may_send(one)]
            told = {self.module.calls.get(one) for each in sent for one in ast.walk(each)}
            for construct in self.module.within([definition]):
                if construct not in told:
                    construct.translated()

    def close(self) -> None:
        """Judge what only functions need that a person writes, after all else is read."""
        for what, definition in self._unwritten:
            for one in self.module.within([definition]):
                if one.fate is None:
                    one.needs_you(what)


def _may_send(node: ast.AST) -> bool:
    """Say whether code calls a client, which a function that is copied does not have."""
    return isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[0].endswith("client")


def _takes_names(function: LocustFunction, call: ast.Call) -> bool:
    """Say whether a call can give a function all of its arguments by name."""
    args = function.args
    is_plain = not (args.posonlyargs or args.vararg or args.kwarg or function.decorator_list)
    names = [one.arg for one in [*args.args, *args.kwonlyargs]]
    return (
        is_plain
        and isinstance(function, ast.FunctionDef)
        and "context" not in names
        and len(call.args) <= len(args.args)
        and all(one.arg in names for one in call.keywords)
        and not any(isinstance(one, ast.Starred) for one in call.args)
    )


def _name_of(code: Sequence[ast.stmt]) -> str:
    for node in ast.walk(code[0]):
        if isinstance(node, ast.Call):
            return dotted(node.func).rpartition(".")[2] or "compute"
    return "compute"


def _name_of_value(node: ast.expr) -> str:
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and dotted(one.func):
            return dotted(one.func).rpartition(".")[2]
        if isinstance(one, ast.Name | ast.Attribute) and dotted(one):
            return dotted(one).rpartition(".")[2]
    return "value"
