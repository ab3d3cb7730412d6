"""Tracebacks of unforeseen errors, without the secrets of the plan."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from planrunner.compiler.names.params import secrets_of
from planrunner.language.secrets import Masker
from planrunner.plan.bundle import Bundle
from planrunner.plan.loader import load_bundle
from planrunner.plan.params.resolve import ParamSources
from planrunner.plan.params.secret_texts import row_texts, secret_texts
from planrunner.plan.yaml.document import parse

__all__ = ["masked_traceback"]


def masked_traceback(error: Exception, plans: Iterable[Bundle], sources: ParamSources) -> str:
    """Return the traceback of `error` without any secret of the plans.

    They are loaded once more for it, since the fault may have come before they were.
    """
    import traceback  # noqa: PLC0415 - seldom needed

    secrets: list[str] = []
    for plan in plans:
        for file in filter(None, (plan.file, plan.defaults)):
            with suppress(Exception):  # of what can't be loaded, what it says itself
                document = parse(plan.reader()(file), file)
                secrets += [*secret_texts(document, sources), *row_texts(document)]
        with suppress(Exception):
            secrets += secrets_of(load_bundle(plan, sources).params.values())
    return Masker(secrets)("".join(traceback.format_exception(error)))
