"""The plug-in `publish-metrics` of Artillery → outputs."""

from __future__ import annotations

from typing import Final

from planrunner.importers.draft import Keys
from planrunner.importers.formats.artillery.expressions import ArtilleryExpressions
from planrunner.importers.formats.artillery.script import ArtilleryTest
from planrunner.importers.nodes import SourceEntry, SourceNode

__all__ = ["read_outputs"]

_NAMES: Final = "its metrics have planrunner's names"
_SCRAPED: Final = "Prometheus scrapes the page `/metrics`; nothing is pushed"
_STATSD: Final = ("statsd", "influxdb-statsd", "datadog-statsd", "datadog")
_PROTOCOLS: Final = {"otlp-grpc": "grpc", "otlp-proto": "http", "otlp-http": "http"}
_COLLECTOR: Final = "http://localhost:4318"


def read_outputs(one: SourceEntry, test: ArtilleryTest) -> None:
    """Add what receives the metrics of a run; what planrunner can't send is left out."""
    outputs: list[object] = []
    for node in one.node.each():
        entry = node.entry("type")
        kind = entry.node.text() if entry is not None else ""
        made = _output(kind, node, test)
        if made is not None:
            outputs.append(made)
        elif entry is not None:
            entry.construct.left_out(
                f"planrunner sends nothing to `{kind}`: use `prometheus`, `otlp` or `statsd`"
            )
        if entry is not None:
            entry.construct.changed(_SCRAPED if kind.startswith("prometheus") else _NAMES)
        _judge_rest(node, kind)
    if outputs:
        test.draft.extra["outputs"] = outputs


def _judge_rest(node: SourceNode, kind: str) -> None:
    for one in node.unjudged():
        if kind.startswith("prometheus") and one.key.lower() == "pushgateway":
            one.construct.changed(_SCRAPED)
        elif one.key == "tags":
            one.construct.left_out("label the run: `--label NAME=VALUE`")
        else:
            one.construct.left_out("set it in `outputs:` if that output knows it")


def _output(kind: str, node: SourceNode, test: ArtilleryTest) -> Keys | None:
    if kind in ("prometheus", "prometheus-pushgateway"):
        return {"prometheus": {"optional": True}}
    if kind in _STATSD and node.entry("apiKey") is None:
        return _statsd(node)
    return _otlp(node, test) if kind == "open-telemetry" else None


def _statsd(node: SourceNode) -> Keys | None:
    host, port = node.take_whole("host") or "localhost", node.take_whole("port") or 8125
    address = f"{host}:{port}"
    if "{{" in address:
        return None
    prefix = node.take_whole("prefix") or "artillery"
    return {"statsd": {"address": address, "prefix": str(prefix).rstrip("."), "optional": True}}


def _otlp(node: SourceNode, test: ArtilleryTest) -> Keys | None:
    metrics = node.entry("metrics")
    if metrics is None or not metrics.node.is_mapping:
        return None
    exporter = metrics.node.get("exporter")
    kind = exporter.text() if exporter is not None else "otlp-http"
    if kind not in _PROTOCOLS:
        return None
    metrics.construct.translated()
    metrics.node.take_whole("exporter")
    endpoint = metrics.node.entry("endpoint")
    keys: Keys = {"endpoint": _COLLECTOR}
    if endpoint is not None:
        endpoint.construct.translated()
        keys["endpoint"] = ArtilleryExpressions(test).text(endpoint.node.text(), endpoint.construct)
    if _PROTOCOLS[kind] == "grpc":
        keys["protocol"] = "grpc"
    headers = metrics.node.entry("headers")
    if headers is not None and headers.node.is_mapping:
        headers.construct.translated()
        keys["headers"] = ArtilleryExpressions(test).value(headers.node, headers.construct)
    return {"otlp": {**keys, "optional": True}}
