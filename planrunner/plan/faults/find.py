"""What pydantic found → diagnostics in the words of a plan author, at the place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from planrunner.language.diagnostics import Code, Diagnostic
from planrunner.language.fields.mapping import known_keys
from planrunner.plan.faults.words import EXPECTED, Words, describe_fault, example_hint, name_of
from planrunner.plan.models.plan import PlanModel
from planrunner.plan.yaml.document import Document, PlanPath

if TYPE_CHECKING:
    from pydantic_core import ValidationError

__all__ = ["MAX_FAULTS", "diagnose", "locate_faults"]

# More don't help, and some come by the ten thousand.
MAX_FAULTS: Final = 100

_CODES: Final = frozenset(code.value for code in Code)

FaultPath = tuple[str | int, ...]


def diagnose(error: ValidationError, document: Document, *, at: PlanPath = ()) -> list[Diagnostic]:
    """Return one diagnostic for each fault in `error`, which is about the piece `at`."""
    found = error.errors(include_url=False)[: 2 * MAX_FAULTS]
    located = [(document.nearest((*at, *fault["loc"])), fault) for fault in found]
    diagnostics: dict[object, Diagnostic] = {}
    for path, fault in _without_misspelt(_without_other_arms(located)):
        if document.is_broken(_key_path(path, fault)):
            continue
        finding = _diagnostic(document, path, fault)
        diagnostics.setdefault((finding.span, finding.code, finding.message), finding)
    return list(diagnostics.values())[:MAX_FAULTS]


def locate_faults(error: ValidationError, document: Document) -> Iterator[PlanPath]:
    """Yield the place of each fault: what would have to go for the rest to be valid."""
    for fault in error.errors(include_url=False):
        path = _key_path(document.nearest(fault["loc"]), fault)
        yield path if document.has(path) else path[:-1]


def _without_other_arms(
    located: Iterable[tuple[PlanPath, Any]],
) -> Iterator[tuple[PlanPath, Any]]:
    """Drop what arms of a union said that weren't meant, and join what is left of one value.

    A mapping that was meant for the mapping arm has faults further in; that the other arm wanted
    a number is no news then.
    """
    faults = list(located)
    inner = {path[:length] for path, _ in faults for length in range(len(path))}
    wanted: dict[PlanPath, list[str]] = {}
    for path, fault in faults:
        if fault["type"] in EXPECTED and _is_whole_value(path, fault):
            wanted.setdefault(path, []).append(EXPECTED[fault["type"]])
    done: set[PlanPath] = set()
    for path, fault in faults:
        if path not in wanted or fault["type"] not in EXPECTED:
            yield path, fault
        elif path not in inner and path not in done:
            done.add(path)
            expected = " or ".join(dict.fromkeys(wanted[path]))
            yield path, {**fault, "ctx": {**fault.get("ctx", {}), "wanted": expected}}


def _without_misspelt(
    located: Iterable[tuple[PlanPath, Any]],
) -> Iterator[tuple[PlanPath, Any]]:
    """Drop what is missing only because it is misspelt: one slip, one finding."""
    faults = list(located)
    meant = {
        (fault["loc"], fault["ctx"].get("hint"))
        for _path, fault in faults
        if fault["type"] == Code.UNKNOWN_KEY
    }
    for path, fault in faults:
        *mapping, key = fault["loc"] or ("",)
        is_missing = fault["type"] == "missing"
        if not (is_missing and (tuple(mapping), f"did you mean `{key}`?") in meant):
            yield path, fault


def _is_whole_value(path: PlanPath, fault: Any) -> bool:  # noqa: ANN401 - pydantic's dict
    own = [part for part in fault["loc"] if not _is_tag(part)]
    return bool(own) and bool(path) and own[-1] == path[-1]


def _is_tag(part: str | int) -> bool:
    return isinstance(part, str) and part.startswith("<") and part.endswith(">")


def _key_path(path: PlanPath, fault: Any) -> PlanPath:  # noqa: ANN401
    key = (fault.get("ctx") or {}).get("key")
    return (*path, key) if key else path


def _diagnostic(document: Document, path: PlanPath, fault: Any) -> Diagnostic:  # noqa: ANN401
    context: Mapping[str, Any] = fault.get("ctx") or {}
    own = [part for part in fault["loc"] if not _is_tag(part)]
    if fault["loc"] and fault["loc"][-1] == "[key]":
        return _at_key(document, path, _words(own[:-1], fault))
    words = _words(own, fault)
    if context.get("key"):
        words = _outdented(words, path, context["key"])
        return _at_key(document, _key_path(path, fault), words)
    if words.code in (Code.MISSING_KEY, Code.UNKNOWN_KEY):
        return _at_key(document, path, words)
    inside = _inside(document, path, fault["input"], context)
    return document.diagnostic(path, words.code, words.message, hint=words.hint, inside=inside)


def _outdented(words: Words, path: PlanPath, key: str) -> Words:
    """Say of an unknown key where it belongs, if that is the first level: a slip of indentation."""
    is_guess = words.hint.startswith(("known keys are", "did you mean"))
    if words.code is Code.UNKNOWN_KEY and path and is_guess and key in known_keys(PlanModel):
        return replace(words, hint=f"`{key}:` belongs at the top level of the plan: outdent it")
    return words


def _at_key(document: Document, path: PlanPath, words: Words) -> Diagnostic:
    return document.diagnostic(path, words.code, words.message, hint=words.hint, part="key")


def _words(own: Sequence[str | int], fault: Any) -> Words:  # noqa: ANN401
    kind, context = fault["type"], fault.get("ctx") or {}
    if kind in _CODES:
        hint = context.get("hint") or ""
        if not hint and kind == Code.WRONG_TYPE and not context.get("key"):
            hint = example_hint(context)
        return Words(Code(kind), fault["msg"], hint)
    return describe_fault(name_of(own), fault)


def _inside(
    document: Document, path: PlanPath, given: object, context: Mapping[str, Any]
) -> tuple[int, int] | None:
    """Return (offset, length) of the characters at fault in the text at `path`.

    A short form such as `stages: "2m:200, 5m:fast"` is checked piece by piece: what was `given`
    to the check is then only a part of what is written.
    """
    text = document.value(path)
    if not isinstance(text, str):
        return None
    start, length = 0, len(text)
    if isinstance(given, str) and given != text:
        if not given or text.count(given) != 1:
            return None
        start, length = text.index(given), len(given)
    offset = context.get("offset")
    if offset is None:
        return (start, length) if length < len(text) else None
    return start + offset, context.get("length") or 1
