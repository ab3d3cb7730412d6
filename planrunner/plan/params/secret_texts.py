"""What the secrets of a plan are in text: every value that one could have had, picked or not.

The text of a plan is in its reports, and so are the blocks of other environments and the default
that `--set` replaces. All of them are as secret as the value that a run has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Final, get_args

from planrunner.errors import PlanrunnerError
from planrunner.language.expressions.values import to_text
from planrunner.language.growing_masker import GrowingMasker
from planrunner.language.secrets import MASK
from planrunner.language.settings_secrets import secrets_in
from planrunner.late_pattern import late_pattern
from planrunner.plan.models.params import ParamType
from planrunner.plan.params.resolve import ParamSources, has_expression
from planrunner.plan.params.values import as_expressions_see, from_text, from_yaml
from planrunner.plan.yaml.document import Document, PlanPath

__all__ = ["covered_text", "has_computed_secrets", "row_texts", "secret_texts"]

_MOST_ROWS: Final = 200
"""Values of rows that are looked for in what is said of the plan: each costs time in every text.
Where rows stand in the plan, all of them are covered, and the run learns those that it draws."""

_ONE_NAME: Final = late_pattern(r"\$\{\s*(\w+)\s*\}")

_NAMED_VALUES: Final = ("environments", "cases")
"""Sections whose blocks give values to params by name."""

_OUTPUTS: Final = ("outputs",)


def secret_texts(document: Document, sources: ParamSources) -> Iterator[str]:
    """Yield every value that anything has for a param that the plan calls a secret.

    What is secret in settings of outputs is among them. That also works for a plan that is too
    broken to resolve them.
    """
    declared = _secret_params(document)
    for name, param in declared.items():
        given = [sources.overrides.get(name), sources.environ.get(str(param.get("env")))]
        for text in filter(None, given):
            yield text
            yield from _as_seen(text, param.get("type"), from_text)
    for path, value in _written(document, declared):
        name = str(path[1] if path[0] == "params" else path[-1])
        yield from _texts(value, declared[name].get("type"))
    yield from secrets_in(document.value(_OUTPUTS))
    for _, url in _literal_urls(document):
        yield url


def row_texts(document: Document) -> Iterator[str]:
    """Yield secrets of rows that stand in the plan, as many as can be looked for in messages."""
    for _, value in islice(_rows(document), _MOST_ROWS):
        yield from _texts(value)


def has_computed_secrets(document: Document) -> bool:
    """Say whether the plan writes a secret's value with other params in it."""
    declared = _secret_params(document)
    return any(has_expression(value) for _, value in _written(document, declared))


def covered_text(document: Document) -> str:
    """Return the text of a plan without its secrets, however YAML writes them."""
    declared = _secret_params(document)
    text = document.source.text
    written = [*_written(document, declared), *_rows(document), *_literal_urls(document)]
    settings = [*secrets_in(document.value(_OUTPUTS))]
    if not (written or settings):
        return text
    places = set()
    for path, _value in written:
        source, begin, end = document.extent(path)
        if source is document.source and begin < end:
            places.add((begin, end))
    pieces, done = [], 0
    for begin, end in sorted(places):
        if begin >= done:
            pieces += [text[done:begin], MASK]
            done = end
    mask = GrowingMasker()
    for value in (*settings, *(value for _, given in written for value in _texts(given))):
        mask.learn(value)
    return mask("".join([*pieces, text[done:]]))


def _secret_params(document: Document) -> dict[str, Mapping[str, Any]]:
    """Return the params that are declared to be secret, and URLs of notifications."""
    written = _mapping(document.value(("params",)))
    urls = {found[1] for _, url in _urls(document) if (found := _ONE_NAME.fullmatch(url))}
    return {
        str(name): _mapping(param)
        for name, param in written.items()
        if _mapping(param).get("secret") or name in urls
    }


def _written(
    document: Document, declared: Mapping[str, object]
) -> Iterator[tuple[PlanPath, object]]:
    """Yield every value that the plan itself writes for a secret, with its place."""
    for name in declared:
        for key in ("default", "choices"):
            yield from _given(document, ("params", name), key)
    for section in _NAMED_VALUES:
        for block in _mapping(document.value((section,))):
            for name in declared:
                yield from _given(document, (section, block), name)
    for section in ("phases", "profiles"):
        yield from _in_phases(document.value((section,)), (section,), declared)


def _rows(document: Document) -> Iterator[tuple[PlanPath, object]]:
    """Yield the secret values of rows that stand in the plan itself, with their places."""
    for name, source in _mapping(document.value(("data",))).items():
        secret, rows = _mapping(source).get("secret"), _mapping(source).get("list")
        if not secret:
            continue
        yield from _literals(document, str(name), secret)
        if not isinstance(rows, list):
            continue
        for index, row in enumerate(rows):
            where = ("data", str(name), "list", index)
            if not isinstance(row, dict):
                yield from [(where, row)] if secret is True else ()
            else:
                wanted = secret if isinstance(secret, list) else row
                yield from (((*where, column), row[column]) for column in wanted if column in row)


def _urls(document: Document) -> Iterator[tuple[PlanPath, str]]:
    """Yield the URLs of notifications with their places; whoever has one may write there."""
    entries = document.value(("notify",))
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        url = _mapping(entry).get("url")
        if isinstance(url, str) and url:
            yield ("notify", index, "url"), url


def _literal_urls(document: Document) -> Iterator[tuple[PlanPath, str]]:
    return ((path, url) for path, url in _urls(document) if not has_expression(url))


def _literals(document: Document, name: str, secret: object) -> Iterator[tuple[PlanPath, object]]:
    """Yield the expressions of secret columns that have a text in them, which may be the secret."""
    where = ("data", name, "generate", "fields")
    for column, expression in _mapping(document.value(where)).items():
        is_secret = secret is True or (isinstance(secret, list) and column in secret)
        if is_secret and {"'", '"'} & set(str(expression)):
            yield (*where, column), None  # the run learns what it makes


def _given(document: Document, path: PlanPath, key: str) -> Iterator[tuple[PlanPath, object]]:
    where = (*path, key)
    if document.has(where):
        yield where, document.value(where)


def _in_phases(
    data: object, path: PlanPath, declared: Mapping[str, object]
) -> Iterator[tuple[PlanPath, object]]:
    """Yield what phases write under `params` and `matrix`."""
    pairs: Iterable[tuple[Any, object]] = ()
    if isinstance(data, dict):
        pairs = data.items()
    elif isinstance(data, list):
        pairs = enumerate(data)
    for key, item in pairs:
        if key in ("params", "matrix") and isinstance(item, dict):
            yield from (((*path, key, name), item[name]) for name in declared if name in item)
        else:
            yield from _in_phases(item, (*path, key), declared)


def _texts(value: object, kind: Any = None) -> Iterator[str]:  # noqa: ANN401 - the plan may say anything
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield to_text(value)
        yield from _as_seen(value, kind, from_yaml)


def _as_seen(value: Any, kind: Any, read: Callable[[Any, Any], Any]) -> Iterator[str]:  # noqa: ANN401 - of any type
    """Yield what expressions see of a value, such as the seconds of a duration."""
    if kind in get_args(ParamType) and kind not in ("str", "bool"):
        with suppress(PlanrunnerError, ValueError):
            seen = as_expressions_see(read(kind, value), kind)
            yield from _texts(seen if isinstance(seen, list) else to_text(seen))


def _mapping(data: object) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}
