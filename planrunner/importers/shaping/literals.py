"""Secrets outside of requests' own keys: in texts, params, state, `set` and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from planrunner.importers.draft import DraftNode, DraftParam, DraftPlan, Keys, all_steps
from planrunner.importers.shaping.secret_names import is_secret_name
from planrunner.loss.ledger import Construct, Ledger, SourcePlace

__all__ = ["LITERAL_TOKEN", "conceal", "hide_literals"]

Hide = Callable[[str, str, str, SourcePlace | None], str]
"""Name, value, where it stood and its origin → what stands in the plan."""

LITERAL_TOKEN: Final = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|\b[spr]k_(?:live|test)_\w{10,}|\bgh[pousr]_\w{20,}"
    r"|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
)
"""What is a credential by its looks, whatever it is called."""

_IN_CODE: Final = re.compile(r"'([^'\\]+)'")
_CODE: Final = re.compile(r"(\$\{[^}]*\})")
_ONLY_TEXT: Final = re.compile(r"\$\{'([^'\\]+)'\}")
_USERINFO: Final = re.compile(r"(?<=://)([^/?#@:\s]*):([^/?#@\s]+)(?=@)")
_PAIR: Final = re.compile(r'(?<![\w-])([\w-]+)\\?"?\s*:\s*\\?"([^"\\$]+)\\?"')
_PART: Final = re.compile(r'name="([\w-]+)"\r?\n\r?\n([^\r\n$]+)')
_FORM: Final = re.compile(r"(?:^|(?<=&))([\w.\-\[\]]+)=([^&\s$]+)")
_IS_FORM: Final = re.compile(r"[\w.\-\[\]%+]+=[^&\s]*(?:&[^=&\s]+=[^&\s]*)*")


def hide_literals(draft: DraftPlan, hide: Hide) -> None:
    """Take secrets out of everything of a draft that is no key of a request."""
    for name, param in list(draft.params.items()):
        _hide_param(draft, name, param, hide)
    _forget_in_environments(draft, hide)
    holders: list[tuple[Keys, SourcePlace | None]] = [(draft.http, draft.origin)]
    for one in draft.users:
        holders += [(one.keys, one.origin), *((task.keys, one.origin) for task in one.tasks)]
        _hide_named(one.keys.get("state"), "state", one.origin, hide)
    for step in all_steps(draft):
        holders.append((step.body, step.origin))
        _hide_named(step.body.get("set"), "set", step.origin, hide)
    for keys, origin in holders:
        _sweep(keys, origin, hide)


_NO_SECRETS: Final = frozenset({"", "/"})
"""What stands where a value is still to be given."""


def conceal(draft: DraftPlan, ledger: Ledger, values: list[str]) -> None:
    """Show no secret in reports, comments and the files that an import writes."""
    known = sorted({re.escape(one) for one in values if len(one) > 3}, key=len, reverse=True)
    found = re.compile("|".join([*known, LITERAL_TOKEN.pattern, r"eyJ[\w-]{12,}[\w.-]*"]))
    for construct in _with_any(found, ledger.constructs):
        construct.words = found.sub("***", construct.words)
        construct.why = found.sub("***", construct.why)
    for node in _nodes(draft):
        node.notes = [found.sub("***", note) for note in node.notes]
    for name, content in draft.files.items():
        if isinstance(content, bytes) and name.endswith(".py"):
            text = content.decode("utf-8", "surrogateescape")
            draft.files[name] = found.sub("***", text).encode("utf-8", "surrogateescape")


def _with_any(found: re.Pattern[str], constructs: Sequence[Construct]) -> Sequence[Construct]:
    """Return all constructs if there is anything to find in them, looked for at once."""
    whys = {one.why for one in constructs}
    is_in = found.search("\n".join(one.words for one in constructs)) or any(map(found.search, whys))
    return constructs if is_in else ()


def _nodes(draft: DraftPlan) -> Iterator[DraftNode]:
    yield from (draft, *draft.params.values(), *draft.users, *draft.phases, *draft.thresholds)
    yield from all_steps(draft)


def _hide_param(draft: DraftPlan, name: str, param: DraftParam, hide: Hide) -> None:
    """Give a param that is a secret no value; one that holds a secret reads it from another."""
    spec: Keys = param.spec if isinstance(param.spec, dict) else {"default": param.spec}
    value = spec.get("default")
    if not isinstance(value, str) or value in _NO_SECRETS or spec.get("secret"):
        return
    if "${" not in value and (is_secret_name(name) or LITERAL_TOKEN.fullmatch(value)):
        hide(name, value, f"param `{name}`", param.origin)
        return
    text = _swept(value, param.origin, hide)
    if text != value:
        before = list(draft.params.items())
        changed = replace(param, spec={**spec, "default": text})
        draft.params.clear()
        new = {one: spec for one, spec in before if spec.spec != param.spec or one != name}
        draft.params.update({**new, name: changed})


def _forget_in_environments(draft: DraftPlan, hide: Hide) -> None:
    environments = draft.extra.get("environments")
    for values in environments.values() if isinstance(environments, dict) else ():
        for name in [*values] if isinstance(values, dict) else ():
            param = draft.params.get(name)
            spec = param.spec if param is not None else None
            is_hidden = isinstance(spec, dict) and spec.get("secret")
            if param is not None and (is_hidden or is_secret_name(name)):
                hide(name, str(values.pop(name)), f"param `{name}`", param.origin)


def _hide_named(keys: object, where: str, origin: SourcePlace | None, hide: Hide) -> None:
    values: dict[str, object] = keys if isinstance(keys, dict) else {}
    for name, value in values.items():
        if not isinstance(value, str) or not is_secret_name(name):
            continue
        only = _ONLY_TEXT.fullmatch(value)
        text = only[1] if only else value
        if text and "${" not in text:
            values[name] = hide(name, text, f"`{where}.{name}`", origin)


def _sweep(value: object, origin: SourcePlace | None, hide: Hide) -> None:
    """Replace what looks like a secret in all texts below; steps below come by themselves."""
    holder: Any = value
    pairs: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, below in pairs:
        if isinstance(below, str):
            holder[key] = _swept(below, origin, hide)
        else:
            _sweep(below, origin, hide)


def _swept(text: str, origin: SourcePlace | None, hide: Hide) -> str:
    def named(found: re.Match[str]) -> str:
        if not is_secret_name(found[1]):
            return found[0]
        start, end = found.span(2)
        hidden = hide(found[1], found[2], f"`{found[1]}` of a text", origin)
        return found[0][: start - found.start()] + hidden + found[0][end - found.start() :]

    def password(found: re.Match[str]) -> str:
        return f"{found[1]}:" + hide("url_password", found[2], "the address", origin)

    text = _USERINFO.sub(password, text)
    for pattern in (_PAIR, _PART, *((_FORM,) if _IS_FORM.fullmatch(text) else ())):
        text = pattern.sub(named, text)
    if not LITERAL_TOKEN.search(text):
        return text
    parts = _CODE.split(text)
    return "".join(_tokens(part, origin, hide, is_code=n % 2 == 1) for n, part in enumerate(parts))


def _tokens(text: str, origin: SourcePlace | None, hide: Hide, *, is_code: bool) -> str:
    def quoted(found: re.Match[str]) -> str:
        if not LITERAL_TOKEN.fullmatch(found[1]):
            return found[0]
        return hide("token", found[1], "an expression", origin)[2:-1]

    if is_code:
        return _IN_CODE.sub(quoted, text)
    return LITERAL_TOKEN.sub(lambda found: hide("token", found[0], "a text", origin), text)
