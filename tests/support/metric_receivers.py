"""What a receiver of OpenTelemetry makes of what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from planrunner.protocols.over_grpc.network import grpc  # isort: skip  # it settles how gRPC behaves

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import (
    MetricsServiceServicer,
    add_MetricsServiceServicer_to_server,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, NumberDataPoint

from tests.support.http_servers import Request, Wire, reply

__all__ = ["ACCEPTED", "Received", "grpc_receiver", "refused_points"]

PROTOBUF = ("Content-Type", "application/x-protobuf")
ACCEPTED = reply(200, b"", PROTOBUF)

Key = frozenset[tuple[str, str]]


def refused_points(count: int, why: str) -> bytes:
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = count
    answer.partial_success.error_message = why
    return reply(200, answer.SerializeToString(), PROTOBUF)


@dataclass
class Received:
    """The latest point of every stream, as a database would have it; answers as it is told.

    Attributes:
        answers: For one request each; the last goes on for ever. An empty one never comes.
        largest: How many points came at once, at most.
    """

    answers: list[bytes] = field(default_factory=lambda: [ACCEPTED])
    exports: int = 0
    largest: int = 0
    is_stuck: asyncio.Event = field(default_factory=asyncio.Event)
    resource: Mapping[str, str] = field(default_factory=dict)
    numbers: dict[tuple[str, Key], NumberDataPoint] = field(default_factory=dict)
    histograms: dict[tuple[str, Key], HistogramDataPoint] = field(default_factory=dict)

    async def respond(self, request: Request, wire: Wire) -> None:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == b"":
            self.is_stuck.set()
            await wire.hang()
            return
        if answer == ACCEPTED:
            assert (request.method, request.target) == ("POST", "/v1/metrics")
            self.take(request.body)
        await wire.send(answer)

    def take(self, body: bytes) -> None:
        self.exports += 1
        came = 0
        for whole in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            self.resource = _texts(whole.resource.attributes)
            for metric in (metric for scope in whole.scope_metrics for metric in scope.metrics):
                data = getattr(metric, metric.WhichOneof("data"))
                came += len(data.data_points)
                for number in (*metric.sum.data_points, *metric.gauge.data_points):
                    self.numbers[metric.name, _key(number.attributes)] = number
                for histogram in metric.histogram.data_points:
                    self.histograms[metric.name, _key(histogram.attributes)] = histogram
        self.largest = max(self.largest, came)

    def total(self, name: str, **labels: str) -> int:
        """Return the sum of a counter, or gauge, over the streams with these attributes."""
        return sum(
            point.as_int
            for (metric, key), point in self.numbers.items()
            if metric == name and labels.items() <= key
        )

    def attributes(self, name: str) -> Iterable[Mapping[str, str]]:
        return [dict(key) for metric, key in self.numbers if metric == name]


class _Servicer(MetricsServiceServicer):
    def __init__(self, received: Received, answers: list[grpc.StatusCode | str]) -> None:
        self._received = received
        self._answers = answers
        self.metadata: dict[str, str | bytes] = {}

    def Export(  # noqa: N802 - as gRPC calls it
        self, request: Any, context: grpc.ServicerContext
    ) -> ExportMetricsServiceResponse:
        self.metadata = dict(context.invocation_metadata())
        answer = self._answers.pop(0) if self._answers else grpc.StatusCode.OK
        if isinstance(answer, grpc.StatusCode) and answer is not grpc.StatusCode.OK:
            context.abort(answer, "not\nyou, swordfish")
        self._received.take(request.SerializeToString())
        response = ExportMetricsServiceResponse()
        if isinstance(answer, str):
            response.partial_success.rejected_data_points = 3
            response.partial_success.error_message = answer
        return response


@contextmanager
def grpc_receiver(
    received: Received, answers: Sequence[grpc.StatusCode | str] = ()
) -> Iterator[tuple[str, _Servicer]]:
    """Run a receiver that speaks gRPC; yield its address, and what it was called with.

    Args:
        received: Takes what comes.
        answers: For one call each, then it takes everything: a status, or why it refuses points.
    """
    server = grpc.server(ThreadPoolExecutor(1))
    servicer = _Servicer(received, [*answers])
    add_MetricsServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", servicer
    finally:
        server.stop(None).wait()


def _texts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {one.key: one.value.string_value for one in attributes}


def _key(attributes: Iterable[KeyValue]) -> Key:
    return frozenset(_texts(attributes).items())
