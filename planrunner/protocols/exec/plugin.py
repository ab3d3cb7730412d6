"""Commands as a protocol: `exec` with `measure: true`, its keys beside it."""

from __future__ import annotations

from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.exec.operation import status_text
from planrunner.protocols.plugin import Action, Plugin, lazily

__all__ = ["PLUGIN"]

PLUGIN: Final = Plugin(
    name="exec",
    title="Command",
    actions={
        "exec": Action(
            "planrunner.protocols.exec.spec:ExecModel",
            "Run a command; with `measure: true` it is a sample.",
            "./make-token.sh",
        )
    },
    compile_settings=lazily("planrunner.protocols.measured_step:compile_settings"),
    compile_request=lazily("planrunner.protocols.exec.compile:compile_exchange"),
    clients={"process": "planrunner.protocols.exec.clients.client:open"},
    is_beside=True,
    is_component=True,
    status_text=status_text,
    failures={
        FailureKind.ERROR: "the command can't be run, or prints more than 1 MB",
        FailureKind.STATUS: "its exit code isn't 0, or not the one expected; 128 and more: a "
        "signal ended it",
        FailureKind.TIMEOUT: "it took longer than its timeout, and was killed",
        FailureKind.EXPECT: "an expectation does not hold",
        FailureKind.EXTRACT: "an expression in the command has no value",
    },
)
