"""What the secrets of a plan are in text, also of a plan that is too broken to resolve them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planrunner.language.expressions.values import to_text
from planrunner.plan.params.resolve import ParamSources
from planrunner.plan.yaml.document import Document

__all__ = ["secret_texts"]


def secret_texts(document: Document, sources: ParamSources) -> Iterator[str]:
    """Yield every value that anything has for a param that the plan calls a secret."""
    environments = _mapping(document.value(("environments",))).values()
    for name, written in _mapping(document.value(("params",))).items():
        param = _mapping(written)
        if not param.get("secret"):
            continue
        values = [param.get("default"), param.get("choices"), sources.overrides.get(name)]
        values += [_mapping(block).get(name) for block in environments]
        values.append(sources.environ.get(str(param.get("env"))))
        for value in values:
            yield from _texts(value)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield to_text(value)


def _mapping(data: object) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}
