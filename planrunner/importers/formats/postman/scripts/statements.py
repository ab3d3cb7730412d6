"""The statements of a script, one after the other: what each does to its request."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from planrunner.importers.draft import DraftStep, Keys
from planrunner.importers.formats.postman.scripts.chai import AssertionReader
from planrunner.importers.formats.postman.scripts.conditions import truth
from planrunner.importers.formats.postman.scripts.effects import ScriptEffect, ScriptFolder
from planrunner.importers.formats.postman.scripts.nested import nested_request
from planrunner.importers.formats.postman.scripts.tests import ConditionReader
from planrunner.importers.formats.postman.scripts.values import (
    ValueReader,
    logged_as,
    source_of,
    written_as,
)
from planrunner.importers.javascript.chains import Chain, bare, body_of, chain_of, parameters_of
from planrunner.importers.javascript.constants import NOT_CONSTANT
from planrunner.importers.javascript.expectations import (
    NO_RULE,
    ExpectedReply,
    NotExpectable,
)
from planrunner.importers.javascript.reply_values import ScriptValue
from planrunner.importers.javascript.script import Script, text_of, walk, words_of
from planrunner.importers.shaping.secrets import is_secret_name
from planrunner.loss.ledger import Construct, Fate

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["SCOPE", "StatementReader"]

SCOPE: Final = r"pm\.(?:environment|globals|variables|collectionVariables)"
"""Where a script keeps values, as a regular expression."""


_VALIDATORS: Final = re.compile(r"require|Ajv|\w+\.(?:compile|validate|addSchema)|validate\w*")
_KEPT_AS_WRITTEN: Final = ("binary_expression", "unary_expression", "call_expression", "object")
_CODE: Final = "it computes: write it as `set` with an expression, or as a `python:` step"


class StatementReader:
    def __init__(
        self,
        script: Script,
        folder: ScriptFolder,
        effect: ScriptEffect,
        following: str | None,
        *,
        is_test: bool,
    ) -> None:
        self.script, self.folder, self.effect = script, folder, effect
        self.following, self.is_test = following, is_test
        self.values = ValueReader(folder.variables, script.place(script.root))
        self.asserts = AssertionReader(self.values, effect.expect, folder.keep_schema)
        self.when: tuple[str, ...] = ()
        self.sure: dict[str, bool] = {}
        self.calls: dict[int, Construct] = {}

    def read(self) -> None:
        add = self.folder.ledger.add
        for call in self.script.calls():
            self.calls[call.id] = add("call", words_of(call), self.script.place(call))
        for fault in self.script.faults():
            construct = add("call", words_of(fault), self.script.place(fault))
            construct.suspicious("the script has a syntax error here, and fails")
            break
        self._all(self.script.root.named_children)
        self._judge_rest()

    def _judge_rest(self) -> None:
        """Judge what no statement needed: what makes a validator is needed by its schema."""
        has_schema = "schema" in self.effect.expect.keys
        for call in self.script.calls():
            construct = self.calls[call.id]
            if construct.fate is None and has_schema and _VALIDATORS.fullmatch(chain_of(call).path):
                construct.translated()
            elif construct.fate is None:
                construct.left_out(_CODE)

    def _all(self, statements: Iterable[Node]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: Node) -> None:
        reader = _STATEMENTS.get(node.type)
        if reader is not None:
            reader(self, node)
        elif node.type.endswith("expression"):
            self._expression(node)

    def declaration(self, node: Node) -> None:
        for one in node.named_children:
            name, value = one.child_by_field_name("name"), one.child_by_field_name("value")
            if name is not None and value is not None:
                self._name(name, value)

    def block(self, node: Node) -> None:
        self._all(node.named_children)

    def wrapped(self, node: Node) -> None:
        self._expression(bare(node))

    def attempt(self, node: Node) -> None:
        """Read `try { … } catch { … }`; what is caught is a reply that is no JSON."""
        body, handler = node.child_by_field_name("body"), node.child_by_field_name("handler")
        if body is not None:
            self._all(body.named_children)
        if handler is None:
            return
        calls = list(self.script.calls(handler))
        paths = {chain_of(one).path for one in calls}
        fails = any(one.type == "throw_statement" for one in walk(handler))
        if paths & {"pm.test", "pm.expect.fail"} and (fails or "pm.expect.fail" in paths):
            self._expecting(handler, lambda: self.effect.expect.exists(ScriptValue("json")))

    def _name(self, name: Node, value: Node) -> None:
        """Keep what a name is; one that is set again to something unknown is unknown."""
        found = self.values.value(value)
        if name.type == "object_pattern" and found is not None and found.kind == "json":
            for one in name.named_children:
                if one.type == "shorthand_property_identifier_pattern":
                    path = (*found.path, text_of(one))
                    self.values.names[text_of(one)] = ScriptValue("json", path)
            self._judge(value)
            return
        self.values.names.pop(text_of(name), None)
        self.values.conditions.pop(text_of(name), None)
        if found is not None:
            self.values.names[text_of(name)] = found
            self._judge(value)
        elif bare(value).type in _KEPT_AS_WRITTEN:
            self.values.conditions[text_of(name)] = bare(value)

    def _expression(self, node: Node) -> None:
        if node.type == "assignment_expression":
            self._assignment(node)
        elif node.type in ("call_expression", "new_expression", "member_expression"):
            chain = chain_of(node)
            reader = next((one for pattern, one in _CALLS if pattern.fullmatch(chain.path)), None)
            if reader is not None and (node.id in self.calls or reader is _READS_MEMBERS):
                reader(self, node, chain)

    def assertion(self, node: Node, chain: Chain) -> None:
        if not chain.path.startswith("pm.expect.") or not self._is_constant_test(node, chain):
            self._expecting(node, lambda: self.asserts.chain(chain))

    def _is_constant_test(self, node: Node, chain: Chain) -> bool:
        """Judge a test of a constant, such as `pm.expect(true).to.be.true`: it can't fail."""
        subject = (chain.links[0].arguments or (None,))[0]
        is_constant = subject is not None and self.values.constant(subject) is not NOT_CONSTANT
        for one in self._constructs(node) if is_constant else ():
            one.suspicious("it tests a constant, and nothing of the reply")
        return is_constant

    def _expecting(self, node: Node, read: Callable[[], None]) -> None:
        """Read a test; one under a condition can't be expected of every reply."""
        if not self.is_test:
            self._judge(node, "it tests before anything is sent")
            return
        if any(one not in self.sure for one in self.when):
            self._judge(node, "it is checked only sometimes: write an `if` step for that case")
            return
        before = copy.deepcopy(self.effect.expect.keys)
        try:
            read()
        except NotExpectable as error:
            self.effect.expect.keys = before
            self._judge(node, str(error))
            return
        if any(not is_tested for one, is_tested in self.sure.items() if one in self.when):
            for one in self._constructs(node):
                one.changed("it is expected of every reply, of those with other statuses too")
        self._judge(node)

    def test(self, node: Node, chain: Chain) -> None:
        """Read `pm.test("…", () => { … })`; it is lost when nothing in it can be expected."""
        body = body_of(chain.arguments[-1]) if chain.arguments else None
        own = self.calls[node.id]
        if body is None:
            own.suspicious("a test without a function tests nothing")
            return
        inside = [self.calls[one.id] for one in self.script.calls(node) if one.id != node.id]
        names = dict(self.values.names)
        self._all(body)
        self.values.names = names
        fates = [one.fate for one in inside]
        if inside and all(fate in (None, Fate.LEFT_OUT) for fate in fates):
            own.left_out(next((one.why for one in inside if one.why), NO_RULE))
        else:
            own.translated()

    def _assignment(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        owner = left.child_by_field_name("object")
        if left.type == "subscript_expression" and text_of(owner) == "tests":
            construct = self.folder.ledger.add("check", words_of(node), self.script.place(node))
            self.calls[node.id] = construct
            if self.values.constant(right) is True:
                construct.suspicious("this test can't fail")
                return
            self._expecting(node, lambda: self.asserts.condition(right))
        elif left.type == "identifier":
            self._name(left, right)

    def keep(self, node: Node, chain: Chain) -> None:
        name = self.values.constant(chain.arguments[0]) if chain.arguments else None
        value = self.values.value(chain.arguments[1]) if len(chain.arguments) > 1 else None
        if not isinstance(name, str) or value is None:
            self._judge(node, _CODE)
            return
        plan_name = self.folder.variables.name(name, self.script.place(node))
        source = source_of(value)
        is_free = plan_name not in self.effect.extract
        if source is not None and self.is_test and not self.when and is_free:
            is_secret = is_secret_name(name)
            short = source.get("jsonpath") if set(source) == {"jsonpath"} else None
            self.effect.extract[plan_name] = (
                {**source, "secret": True}
                if is_secret or (short is None and is_secret)
                else short or source
            )
            self._judge(node)
            return
        written = written_as(value)
        if written is None:
            self._judge(node, _CODE)
            return
        self._step({"set": {plan_name: written[0]}}, node)

    def forget(self, node: Node, chain: Chain) -> None:
        name = self.values.constant(chain.arguments[0]) if chain.arguments else None
        if isinstance(name, str):
            plan_name = self.folder.variables.name(name, self.script.place(node))
            self._step({"set": {plan_name: ""}}, node)

    def order(self, node: Node, chain: Chain) -> None:
        name = self.values.constant(chain.arguments[0]) if chain.arguments else None
        if name is None and chain.arguments:
            self._step({"stop": "iteration"}, node)
        elif isinstance(name, str) and name == self.following:
            self._judge(node)
        else:
            self._judge(
                node, "steps run in their order: write `if`, `while` or `repeat` around them"
            )

    def message(self, node: Node, chain: Chain) -> None:
        values = [self.values.value(one) for one in chain.arguments]
        texts = [logged_as(one) for one in values]
        if None in texts or not texts or any("*" in one.path for one in values if one):
            self._judge(node, "write a `log:` step where you need it")
            return
        self._step({"log": " ".join(map(str, texts)) or " "}, node)

    def wait(self, node: Node, chain: Chain) -> None:
        """Read `setTimeout(() => { … }, 5000)`: the next request waits for it."""
        pause = self.values.constant(chain.arguments[1]) if len(chain.arguments) > 1 else None
        if isinstance(pause, int | float) and not isinstance(pause, bool) and pause > 0:
            self._step({"think": f"{int(pause)}ms"}, node, inside=False)
            self._all(body_of(chain.arguments[0]) or ())

    def each(self, node: Node, chain: Chain) -> None:
        """Read `items.forEach(item => …)`: what holds for each item is a path with `[*]`."""
        callback = chain.arguments[0] if chain.arguments else None
        body = body_of(callback) if callback is not None else None
        owner = node.child_by_field_name("function")
        items = owner.child_by_field_name("object") if owner is not None else None
        value = self.values.value(items) if items is not None else None
        if callback is None or body is None or value is None or value.kind != "json":
            return
        names = dict(self.values.names)
        for name in parameters_of(callback)[:1]:
            self.values.names[name] = ScriptValue("json", (*value.path, "*"))
        self._all(body)
        self.values.names = names
        self.calls[node.id].changed("an empty list fails it here, and passes there")

    def send(self, node: Node, chain: Chain) -> None:
        """Read `pm.sendRequest`: what its callback does with the reply is done after it."""
        keys = nested_request(chain.arguments[0], self.values) if chain.arguments else None
        callback = chain.arguments[1] if len(chain.arguments) > 1 else None
        body = body_of(callback) if callback is not None else ()
        if keys is None or body is None:
            return
        around, names = (self.effect, self.asserts, self.is_test, self.when), self.values.names
        self.effect, self.is_test, self.when = ScriptEffect(), True, ()
        self.asserts = AssertionReader(self.values, self.effect.expect, self.folder.keep_schema)
        given = parameters_of(callback) if callback is not None else ()
        known = (ScriptValue("constant"), ScriptValue("reply"))
        self.values.names = names | dict(zip(given, known, strict=False))
        self._all(body)
        inner = self.effect
        self.effect, self.asserts, self.is_test, self.when = around
        self.values.names = names
        for key, found in (("expect", inner.expect.keys), ("extract", inner.extract)):
            keys |= {key: found} if found else {}
        self._judge(self.values.condition(chain.arguments[0]))
        self.calls[node.id].translated()
        steps = [DraftStep(keys, origin=self.script.place(node)), *inner.after]
        if self.when:
            steps = [DraftStep({"if": _all_of(self.when), "then": steps}, origin=steps[0].origin)]
        (self.effect.after if self.is_test else self.effect.before).extend(steps)

    def branch(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        if condition is None:
            return
        known = self.values.constant(condition)
        if known is None or isinstance(known, bool):  # an error, which fails the request itself
            self._known_branch(node, is_true=known is True)
            return
        word = truth(condition, self.values)
        if word is not None:
            self._judge(condition)
            self._trust(condition, word)
        other = f"not ({word})" if word else ""
        for field_name, when in (("consequence", word), ("alternative", other)):
            branch = node.child_by_field_name(field_name)
            if branch is None or not when:
                continue
            before, names = self.when, dict(self.values.names)
            self.when = (*before, when)
            self._all(branch.named_children if branch.type == "else_clause" else [branch])
            self.when, self.values.names = before, names

    def _known_branch(self, node: Node, *, is_true: bool) -> None:
        """Read the branch that is taken; what the other one has never runs."""
        for field_name, is_taken in (("consequence", is_true), ("alternative", not is_true)):
            branch = node.child_by_field_name(field_name)
            if branch is not None and is_taken:
                self._all(branch.named_children if branch.type == "else_clause" else [branch])
            elif branch is not None:
                self._judge(branch)

    def _trust(self, condition: Node, word: str) -> None:
        """Keep a condition that holds for every reply that is no failure.

        It is so where all of it is expected of every reply, or where it asks for a status that
        every reply must have that isn't a failure anyway.
        """
        asked = ExpectedReply()
        try:
            ConditionReader(self.values, asked, self.folder.keep_schema).read(condition)
        except NotExpectable:
            return
        known = self.effect.expect.keys
        if asked.keys and all(known.get(key) == value for key, value in asked.keys.items()):
            self.sure[word] = True
        elif set(asked.keys) == {"status"} and "status" not in known:
            accepted = asked.keys["status"]
            listed = accepted if isinstance(accepted, list) else [accepted]
            if all(str(one).startswith("2") for one in listed):
                self.sure[word] = False

    def _step(self, body: Keys, node: Node, *, inside: bool = True) -> None:
        """Add a step before or after the request."""
        if self.when:
            body = {**body, "when": _all_of(self.when)}
        steps = self.effect.after if self.is_test else self.effect.before
        steps.append(DraftStep(body, origin=self.script.place(node)))
        if inside:
            self._judge(node)
        else:
            self.calls[node.id].translated()

    def _judge(self, node: Node, instead: str = "") -> None:
        """Judge all calls of an expression, but those inside that are judged already."""
        for one in self._constructs(node):
            if instead:
                one.left_out(instead)
            else:
                one.translated()

    def _constructs(self, node: Node) -> Iterator[Construct]:
        if node.id in self.calls:
            yield self.calls[node.id]
        for one in walk(node):
            found = self.calls.get(one.id)
            if found is not None and found.fate is None:
                yield found


def _all_of(conditions: tuple[str, ...]) -> str:
    one_by_one = conditions if len(conditions) == 1 else [f"({one})" for one in conditions]
    return " and ".join(one_by_one)


_STATEMENTS: Final[dict[str, Callable[[StatementReader, Node], None]]] = {
    "lexical_declaration": StatementReader.declaration,
    "variable_declaration": StatementReader.declaration,
    "if_statement": StatementReader.branch,
    "try_statement": StatementReader.attempt,
    "statement_block": StatementReader.block,
    "return_statement": StatementReader.block,
    "expression_statement": StatementReader.wrapped,
    "await_expression": StatementReader.wrapped,
    "parenthesized_expression": StatementReader.wrapped,
}
_CallReader = Callable[[StatementReader, "Node", Chain], None]
_CALLS: Final[tuple[tuple[re.Pattern[str], _CallReader], ...]] = (
    (re.compile(r"pm\.test|test|it|describe"), StatementReader.test),
    (
        re.compile(rf"{SCOPE}\.set|postman\.set(?:Environment|Global)Variable"),
        StatementReader.keep,
    ),
    (
        re.compile(rf"{SCOPE}\.unset|postman\.clear(?:Environment|Global)Variable"),
        StatementReader.forget,
    ),
    (re.compile(r"(?:postman|pm\.execution)\.setNextRequest"), StatementReader.order),
    (re.compile(r"console\.\w+"), StatementReader.message),
    (re.compile(r".*\.forEach"), StatementReader.each),
    (re.compile(r"setTimeout"), StatementReader.wait),
    (re.compile(r"pm\.sendRequest"), StatementReader.send),
    (re.compile(r"(?:pm\.)?expect\..*|pm\.response\.to\..*"), StatementReader.assertion),
)
_READS_MEMBERS: Final = StatementReader.assertion
"""An expectation may end in a member, as in `.to.be.true`; nothing else is told without a call."""
