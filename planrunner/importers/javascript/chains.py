"""What a call calls: `pm.expect(x).to.be.below(5)` as a root and links, and parts of functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planrunner.importers.javascript.script import text_of
from planrunner.values import dataclass

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["Chain", "ChainLink", "arguments_of", "bare", "body_of", "chain_of", "parameters_of"]

_FUNCTIONS: Final = frozenset(
    {"arrow_function", "function_expression", "function_declaration", "method_definition"}
)
_WRAPPERS: Final = frozenset(
    {
        *("parenthesized_expression", "await_expression", "as_expression", "expression_statement"),
        *("non_null_expression", "satisfies_expression", "type_assertion"),
    }
)
_NO_VALUES: Final = frozenset({"comment", "type_arguments"})


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One member of a chain.

    Attributes:
        name: The property; empty for an index that is no text, and for a call of a call.
        node: The expression up to here.
        arguments: Of the call; None where it isn't called.
        index: What stands in brackets, where it is no text.
    """

    name: str
    node: Node
    arguments: tuple[Node, ...] | None = None
    index: Node | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """An expression of members and calls, from its root to its end.

    Attributes:
        root: What it begins with: a name, a literal, a function, `this`.
        links: The members and calls after it; a call of the root itself has no name.
    """

    root: Node
    links: tuple[ChainLink, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The root's text, where it is a name, and the links' names."""
        first = text_of(self.root) if self.root.type in ("identifier", "this") else ""
        return (first, *(link.name for link in self.links if link.name or link.index))

    @property
    def path(self) -> str:
        """`names`, with dots: `pm.expect.to.be.below`."""
        return ".".join(self.names)

    @property
    def arguments(self) -> tuple[Node, ...]:
        """Those of the last call; none where it doesn't end with one."""
        return (self.links[-1].arguments or ()) if self.links else ()


def chain_of(node: Node) -> Chain:
    """Return an expression as a chain; one that has no members is only a root."""
    links: list[ChainLink] = []
    one = bare(node)
    while True:
        called: tuple[Node, ...] | None = None
        whole = one
        if one.type in ("call_expression", "new_expression"):
            function = one.child_by_field_name("function" if one.type[0] == "c" else "constructor")
            if function is None:
                break
            called, one = arguments_of(one), bare(function)
        step = _member(one)
        if step is None:
            if called is None:
                break
            links.append(ChainLink("", whole, called))
            if one.type not in ("call_expression", "new_expression"):
                break
            continue
        name, index, below = step
        links.append(ChainLink(name, whole, called, index))
        one = bare(below)
    return Chain(one, tuple(reversed(links)))


def _member(node: Node) -> tuple[str, Node | None, Node] | None:
    """Return the name, the index that is no text, and the object of a member expression."""
    below = node.child_by_field_name("object")
    if below is None:
        return None
    if node.type == "member_expression":
        return text_of(node.child_by_field_name("property")), None, below
    if node.type == "subscript_expression":
        index = node.child_by_field_name("index")
        if index is not None and index.type == "string" and "\\" not in text_of(index):
            return text_of(index)[1:-1], None, below
        return "", index, below
    return None


def bare(node: Node) -> Node:
    """Return an expression without parentheses, `await`, `as T`, `<T>` and `;` around it."""
    while node.type in _WRAPPERS:
        inner = next((one for one in node.named_children if one.type not in _NO_VALUES), None)
        if inner is None:
            break
        node = inner
    return node


def arguments_of(call: Node) -> tuple[Node, ...]:
    """Return the arguments of a call, without comments."""
    found = call.child_by_field_name("arguments")
    if found is None:
        return ()
    if found.type == "template_string":
        return (found,)
    return tuple(one for one in found.named_children if one.type != "comment")


def body_of(function: Node) -> tuple[Node, ...] | None:
    """Return the statements of a function, or its only expression; None for anything else."""
    if function.type not in _FUNCTIONS:
        return None
    body = function.child_by_field_name("body")
    if body is None:
        return ()
    return tuple(body.named_children) if body.type == "statement_block" else (body,)


def parameters_of(function: Node) -> tuple[str, ...]:
    """Return the parameters of a function as written: names, or patterns."""
    single = function.child_by_field_name("parameter")
    if single is not None:
        return (text_of(single),)
    found = function.child_by_field_name("parameters")
    if found is None:
        return ()
    return tuple(text_of(one) for one in found.named_children if one.type != "comment")
