"""What a plan may write under `influxdb:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from planrunner.language.diagnostics import Code
from planrunner.language.fields.declared import Field
from planrunner.language.fields.mapping import Fault
from planrunner.language.fields.types import Duration, TextField
from planrunner.outputs.influxdb.destination import database_in
from planrunner.outputs.setting_faults import every_faults, url_faults
from planrunner.plan.output_kinds.model import OutputModel

__all__ = ["InfluxdbModel"]


class InfluxdbModel(OutputModel):
    """Settings of the output to InfluxDB."""

    url: TextField = Field(
        description="Where the server is, with user and password if 1.x asks for them. Without "
        "`database` and `bucket`, its path is the database.",
        examples=['"http://localhost:8086/k6"'],
    )
    database: TextField | None = Field(
        None,
        description="The database of 1.x; it is created if it is absent.",
        examples=["k6"],
    )
    org: TextField | None = Field(
        None, description="The organization of 2.x that has the bucket.", examples=["shop"]
    )
    bucket: TextField | None = Field(None, description="The bucket of 2.x.", examples=["loadtests"])
    token: TextField | None = Field(
        None,
        description="What 2.x knows the sender by; it may write to the bucket.",
        examples=['"${influx_token}"'],
    )
    every: Duration | None = Field(
        None,
        description="How much of the run is in a point, in whole seconds. Default 1s.",
        examples=["10s"],
    )

    @classmethod
    def find_faults(cls, data: Mapping[str, Any]) -> Iterator[Fault]:
        yield from super().find_faults(data)
        yield from url_faults(data, "url", "http://localhost:8086")
        yield from every_faults(data)
        if "bucket" in data:
            if "database" in data:
                hint = "a bucket is for InfluxDB 2.x, a database for 1.x: keep one of them"
                what = "`database` can't be combined with `bucket`"
                yield Fault(Code.CONFLICTING_KEYS, what, hint, "database")
            return
        for key in ("org", "token"):
            if key in data:
                what, hint = f"`{key}` needs `bucket`", "add `bucket`, the bucket to write to"
                yield Fault(Code.MISSING_KEY, what, hint, key)
        url = str(data.get("url") or "")
        if "://" in url and "database" not in data and "${" not in url and not database_in(url):
            hint = "add `database` (1.x), or `org`, `bucket` and `token` (2.x)"
            yield Fault(Code.MISSING_KEY, "nothing says where to write", hint)
