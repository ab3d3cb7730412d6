"""Python functions as a protocol: `python` with `measure: true`, its keys beside it."""

from __future__ import annotations

from typing import Final

from planrunner.protocols.base import FailureKind
from planrunner.protocols.plugin import Action, Plugin, lazily
from planrunner.protocols.python.operation import MEASURES, STATUSES, status_text

__all__ = ["PLUGIN"]

PLUGIN: Final = Plugin(
    name="python",
    title="Python",
    actions={
        "python": Action(
            "planrunner.protocols.python.spec:PythonModel",
            "Call a function; with `measure: true` it is a sample.",
            "{call: 'components:ingest', args: {path: '${path}'}}",
        )
    },
    compile_settings=lazily("planrunner.protocols.measured_step:compile_settings"),
    compile_request=lazily("planrunner.protocols.python.compile:compile_exchange"),
    clients={"call": "planrunner.protocols.python.clients.client:open"},
    is_beside=True,
    is_component=True,
    status_text=status_text,
    statuses=STATUSES,
    failures={
        FailureKind.ERROR: "the function raised",
        FailureKind.TIMEOUT: "it took longer than its timeout",
        FailureKind.EXPECT: "an expectation does not hold",
        FailureKind.EXTRACT: "an argument has no value",
    },
    measures={measure.word: measure for measure in MEASURES},
)
