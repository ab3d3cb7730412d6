"""The outputs that a plan asks for, made for one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from planrunner.errors import CannotRun, PlanrunnerError
from planrunner.graph.outputs import OutputNode
from planrunner.graph.run_graph import RunGraph
from planrunner.language.expressions.expression import EvaluationError
from planrunner.language.files import FileFault, Folders
from planrunner.language.growing_masker import GrowingMasker
from planrunner.language.settings_secrets import secrets_in
from planrunner.outputs.base import WantedOutput
from planrunner.protocols.base import Scope

__all__ = ["file_places", "make_outputs"]


def make_outputs(
    graph: RunGraph, run_id: str, directory: Path, mask: GrowingMasker
) -> tuple[WantedOutput, ...]:
    """Return what the plan's outputs are; nothing is opened or sent yet.

    Args:
        graph: Of the plan.
        run_id: What `run.id` is in their settings.
        directory: What `run.dir` is.
        mask: Learns what is secret in their settings.

    Raises:
        CannotRun: A setting has no value, or one that can't be.
    """
    names: Scope = {"run": {"id": run_id, "dir": str(directory), "seed": graph.seed}}
    return tuple(_made(node, names, mask) for node in graph.outputs)


def _made(node: OutputNode, names: Scope, mask: GrowingMasker) -> WantedOutput:
    from planrunner.plan.output_kinds.registry import named_kind  # noqa: PLC0415 - few runs have any
    from planrunner.protocols.plugin import resolve  # noqa: PLC0415 - as above

    try:
        settings = {key: evaluate(names) for key, evaluate in node.settings.items()}
        for secret in secrets_in(settings):
            mask.learn(secret)
        output = resolve(named_kind(node.kind).make)(**settings, labels=node.labels)
    except EvaluationError as error:
        message = f"{node.place}: a setting of the output `{node.kind}` has no value"
        raise CannotRun(f"{message}: {error.message}", hint=error.hint) from error
    except PlanrunnerError as error:
        message = f"output `{node.kind}`: {error.message}"
        raise CannotRun(message, hint=error.hint) from error
    except Exception as error:
        message = f"output `{node.kind}` can't be used: {type(error).__name__}: {error}"
        raise CannotRun(message, hint="update or uninstall the package that brings it") from error
    return WantedOutput(output, is_optional=node.is_optional, is_required=node.is_required)


def file_places(folders: Folders) -> Callable[[str], Path]:
    """Return what says where a file is that the plan names for writing."""

    def locate(name: str) -> Path:
        try:
            return folders.and_here().locate(name)
        except FileFault as fault:
            hint = "write it below the plan's folder, or leave out --no-exec"
            raise CannotRun(f"`{name}` is outside the plan's folder", hint=hint) from fault

    return locate
