"""What a block of `environments` says beside values of params: the profile that runs with it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code, Diagnostic, suggest
from planrunner.plan.yaml.document import Document

__all__ = ["nested_faults", "param_values", "picked_profile", "profile_faults"]

_PROFILE: Final = "profile"


def param_values(
    environments: Mapping[str, Mapping[str, Any]], params: Container[str]
) -> dict[str, Mapping[str, Any]]:
    """Return the blocks without their profiles; a plan that has such a param keeps its values."""
    if _PROFILE in params:
        return dict(environments)
    return {
        block: {name: value for name, value in values.items() if name != _PROFILE}
        for block, values in environments.items()
    }


def picked_profile(document: Document, environment: str | None) -> str | None:
    """Return the profile that an environment picks, in a plan that has it."""
    if environment is None or _is_param(document):
        return None
    wanted = document.value(("environments", environment, _PROFILE))
    return wanted if isinstance(wanted, str) and wanted in _profiles(document) else None


def profile_faults(document: Document) -> Iterator[Diagnostic]:
    """Yield what is wrong with the profile of each environment, picked or not."""
    blocks, profiles = document.value(("environments",)), _profiles(document)
    for block, values in blocks.items() if isinstance(blocks, dict) else ():
        if not isinstance(values, dict) or _PROFILE not in values:
            continue
        where, wanted = ("environments", block, _PROFILE), values[_PROFILE]
        if _is_param(document):
            if profiles:
                message = "`profile` is a param of this plan, and what picks one of its profiles"
                hint = "rename the param"
                yield document.diagnostic(where, Code.RESERVED_NAME, message, hint=hint, part="key")
        elif wanted is None:
            message, hint = "`profile` has no value", "write one, or remove the key"
            yield document.diagnostic(where, Code.WRONG_TYPE, message, hint=hint)
        elif not isinstance(wanted, str) or wanted not in profiles:
            listed = ", ".join(f"`{name}`" for name in profiles[:12])
            there = f"the plan has {listed}" if profiles else "the plan has no `profiles:`"
            hint = suggest(str(wanted), profiles) or there
            yield document.diagnostic(where, Code.UNKNOWN_NAME, f"no profile `{wanted}`", hint=hint)


def nested_faults(document: Document) -> Iterator[Diagnostic]:
    """Yield each `params:` in an environment with values of params, which would do nothing."""
    blocks, params = document.value(("environments",)), document.value(("params",))
    for block, values in blocks.items() if isinstance(blocks, dict) else ():
        nested = values.get("params") if isinstance(values, dict) else None
        if not isinstance(nested, dict) or not isinstance(params, dict) or "params" in params:
            continue
        if found := [name for name in nested if name in params]:
            message = "values of params belong to the environment itself"
            hint = f"write them without `params:`: `{block}: {{{found[0]}: …}}`"
            where = ("environments", block, "params")
            yield document.diagnostic(where, Code.UNKNOWN_KEY, message, hint=hint, part="key")


def _is_param(document: Document) -> bool:
    params = document.value(("params",))
    return isinstance(params, dict) and _PROFILE in params


def _profiles(document: Document) -> list[str]:
    profiles = document.value(("profiles",))
    return list(map(str, profiles)) if isinstance(profiles, dict) else []
