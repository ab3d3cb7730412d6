"""Variables of the environment: params of the plan, with the defaults that the script gives."""

from __future__ import annotations

from planrunner.importers.formats.k6.state.machine import K6Machine
from planrunner.importers.formats.k6.state.values import JsConst, JsEnv, JsExpr, JsValue
from planrunner.importers.formats.k6.terms.texts import env_param

__all__ = ["with_default"]


def with_default(left: JsValue, right: JsValue, machine: K6Machine) -> JsValue | None:
    """Return `__ENV.X || 'default'` as a param; None for anything else."""
    if not isinstance(left, JsEnv) or not isinstance(right, JsConst) or right.value is None:
        return None
    kind = "text" if isinstance(right.value, str) else "number"
    return JsExpr(env_param(left.name, right.value, machine), kind, unset=right)
