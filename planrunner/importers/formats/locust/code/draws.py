"""Values that the code draws, makes up, or takes from the environment."""

from __future__ import annotations

import ast
import re

from planrunner.importers.formats.locust.code.module import dotted
from planrunner.importers.formats.locust.code.names import LocustNames, Say, Unsayable

__all__ = ["environment", "getenv", "is_fake", "random_letters"]


def environment(node: ast.expr, key: ast.expr, default: ast.expr | None, names: LocustNames) -> str:
    if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
        raise Unsayable(node, "a variable of the environment whose name is computed")
    spec: dict[str, object] = {"type": "str", "env": key.value}
    is_secret = re.search(r"TOKEN|SECRET|PASSW|KEY", key.value) is not None
    if is_secret:
        spec["secret"] = True
    elif isinstance(default, ast.Constant) and default.value is not None:
        spec["default"] = str(default.value)
    else:
        spec["default"] = ""
    return names.param(key.value, spec)


def getenv(node: ast.Call, names: LocustNames) -> str:
    if not node.args:
        raise Unsayable(node, "no name")
    return environment(node, node.args[0], node.args[1] if node.args[1:] else None, names)


def is_fake(node: ast.Call, names: LocustNames) -> bool:
    """Say whether a call is one of a Faker that the module made."""
    first = dotted(node.func).partition(".")[0]
    made = names.module.constants.get(first)
    if isinstance(made, ast.Call) and names.module.full_name(made.func) == "faker.Faker":
        names.module.accept(made)
        return not node.keywords
    return False


def random_letters(node: ast.expr, names: LocustNames, say: Say) -> str | None:
    """Return what draws letters, for the usual ways of joining random ones."""
    match node:
        case ast.Call(args=[alphabet], keywords=[ast.keyword(arg="k", value=count)]) if (
            names.module.full_name(node.func) == "random.choices"
        ):
            pass
        case (
            ast.GeneratorExp(
                elt=ast.Call(args=[alphabet]) as draw,
                generators=[
                    ast.comprehension(iter=ast.Call(func=ast.Name(id="range"), args=[count]))
                ],
            )
            | ast.ListComp(
                elt=ast.Call(args=[alphabet]) as draw,
                generators=[
                    ast.comprehension(iter=ast.Call(func=ast.Name(id="range"), args=[count]))
                ],
            )
        ) if names.module.full_name(draw.func).startswith(("random.choice", "random.SystemRandom")):
            pass
        case _:
            return None
    kind = (
        names.module.full_name(alphabet) if isinstance(alphabet, ast.Attribute | ast.Name) else ""
    )
    draw_name = "rand.lower" if kind == "string.ascii_lowercase" else "rand.text"
    if draw_name == "rand.text" and not _is_letters_and_digits(alphabet, names):
        names.module.change("`rand.text` draws letters and digits", node)
    return f"{draw_name}({say(count, names)})"


def _is_letters_and_digits(node: ast.expr, names: LocustNames) -> bool:
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            found = {names.module.full_name(left), names.module.full_name(right)}
            return found == {"string.ascii_letters", "string.digits"}
        case _:
            return False
