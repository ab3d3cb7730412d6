"""What is wrong with a file of defaults by itself, whatever plans use it."""

from __future__ import annotations

from pathlib import Path

from planrunner.language.diagnostics import Code, Diagnostic, PlanError
from planrunner.language.secrets import Masker
from planrunner.plan.defaults.merge import read_defaults
from planrunner.plan.defaults.model import DefaultsModel
from planrunner.plan.params.resolve import ParamSources, resolve_params, resolve_values
from planrunner.plan.params.secret_texts import secret_texts
from planrunner.plan.yaml.document import Document
from planrunner.plan.yaml.files import read_text

__all__ = ["check_defaults"]


def check_defaults(
    path: Path, sources: ParamSources, text: str | None = None
) -> tuple[Diagnostic, ...]:
    """Return the findings about the file, in its order; `text` is what it would have."""
    try:
        document, faults = read_defaults(str(path), read_text if text is None else lambda _: text)
    except PlanError as error:
        return error.diagnostics
    if document is None:
        return ()
    if not faults:
        faults = _value_faults(document, sources)
    return Masker((*secret_texts(document, sources),)).diagnostics(PlanError(faults).diagnostics)


def _value_faults(document: Document, sources: ParamSources) -> list[Diagnostic]:
    """Return what is wrong with values of params; a plan, or its run, may give those missing."""
    model = DefaultsModel.model_validate(document.data)
    params = model.params or {}
    alone = ParamSources(environ=sources.environ)
    known, faults = resolve_params(params, {}, alone, document)
    for name, values in (model.cases or {}).items():
        own = {param: value for param, value in values.items() if param in params}
        faults += resolve_values(params, own, ("cases", name), document, known)[1]
    return [fault for fault in faults if fault.code is not Code.MISSING_PARAM]
