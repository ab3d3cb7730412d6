"""What a plan may write under `report:` and `notify:`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from planrunner.formats import METRICS_JSON, REPORT_FORMATS, usual_formats
from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault, PlanMapping, error
from planrunner.language.fields.reading import ReadBy
from planrunner.language.fields.types import TextField

__all__ = ["NotificationModel", "ReportModel"]

if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal[tuple(REPORT_FORMATS)]

_USUAL: Final = usual_formats()
_SHARE: Final = re.compile(r"(?:100|[0-9]{1,2})(?:\.[0-9]+)?%")


def _read_samples(value: object) -> str:
    if isinstance(value, str) and (value in ("all", "failures", "none") or _SHARE.fullmatch(value)):
        return value
    raise error(
        Fault(
            Code.INVALID_VALUE,
            f"`{value}` does not say which samples to keep",
            "write `all`, `failures`, `none` or a share such as `10%`",
        )
    )


Samples = Annotated[
    str,
    ReadBy(
        _read_samples,
        {
            "anyOf": [
                {"enum": ["all", "failures", "none"]},
                {
                    "type": "string",
                    "pattern": r"^((100|[0-9]{1,2})(\.[0-9]+)?%|all|failures|none)$",
                    "patternErrorMessage": "Write `all`, `failures`, `none` or a share: 10%",
                },
            ]
        },
    ),
]


class ReportModel(PlanMapping):
    """What a run writes, and where."""

    synonyms: ClassVar[Mapping[str, str]] = {
        "path": "dir",
        "directory": "dir",
        "outputs": "formats",
    }

    dir: TextField | None = Field(
        None,
        description="The run directory itself; it must be empty or not exist yet. Default "
        "`reports/NAME/TIME-RUNID`.",
        examples=["reports/nightly-${run.id}"],
    )
    formats: list[FormatName] | None = Field(
        None,
        description="Which reports to write. "
        f"Default {', '.join(_USUAL[:-1])} and {_USUAL[-1]}; "
        f"{METRICS_JSON} is always written.",
        examples=["[metrics.json, report.html, junit.xml]"],
    )
    samples: Samples | None = Field(
        None,
        description="Which samples results.csv keeps; failures are always kept. Default all.",
        examples=["10%"],
    )


class NotificationModel(PlanMapping):
    """A service that is notified when a run has ended."""

    nullable: ClassVar[frozenset[str]] = frozenset({"url"})
    synonyms: ClassVar[Mapping[str, str]] = {
        "webhook": "url",
        "to": "url",
        "when": "on",
        "attachments": "attach",
    }

    url: TextField | None = Field(
        description="An apprise URL such as `slack://…`, or the https address of a webhook. It is "
        "masked like a secret param; nothing is sent if it is empty or null.",
        examples=["${notify_url}", "mailto://user:${password}@example.com"],
    )
    on: Literal["fail", "always", "change"] = Field(
        "fail",
        description="When to notify: `fail`, when the exit code is not 0; `always`; `change`, when "
        "the verdict differs from that of the last run of the plan.",
        examples=["fail"],
    )
    attach: list[FormatName] | None = Field(
        None,
        description="Reports to attach; `report.formats` has to contain them.",
        examples=["[report.html]"],
    )
