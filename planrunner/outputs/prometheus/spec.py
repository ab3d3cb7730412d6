"""What a plan may write under `outputs: [{prometheus: …}]`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault
from planrunner.language.fields.types import Duration, TextField
from planrunner.plan.models.services import PortField
from planrunner.plan.output_kinds.model import OutputModel

__all__ = ["PrometheusModel"]

_NAME: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LAST_PORT: Final = 65_535


class PrometheusModel(OutputModel):
    """A page of metrics that Prometheus scrapes while the run lasts."""

    port: PortField | None = Field(
        None,
        description="The port of the page `/metrics`; `auto` picks a free one. Default 9464.",
        examples=["9464", "auto"],
    )
    host: TextField | None = Field(
        None,
        description="The address to listen on: `127.0.0.1` is for this machine only, `0.0.0.0` for "
        "any that reaches it. Default `127.0.0.1`.",
        examples=["127.0.0.1"],
    )
    prefix: TextField | None = Field(
        None,
        description="What the name of each metric begins with. Default `perf_test`.",
        examples=["perf_test"],
    )
    linger: Duration | None = Field(
        None,
        description="How long the page waits for a last scrape after the end, at most; not at all "
        "if it was never scraped. Default 10s.",
        examples=["10s"],
    )
    buckets: list[Duration] | None = Field(
        None,
        description="Upper bounds of the histogram of durations, ascending. Default from 1ms to "
        "30s in 14 steps.",
        examples=["[10ms, 50ms, 100ms, 500ms, 1s]"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from super().find_faults(data)
        port = data.get("port")
        if isinstance(port, int) and port > _LAST_PORT:
            yield Fault(
                Code.INVALID_VALUE, f"there is no port `{port}`", "ports end with 65535", "port"
            )
        prefix = data.get("prefix")
        if isinstance(prefix, str) and "${" not in prefix and not _NAME.fullmatch(prefix):
            yield Fault(
                Code.INVALID_VALUE,
                f"`{prefix}` can't begin the name of a metric",
                "use letters, digits and `_`, and begin with a letter",
                "prefix",
            )
