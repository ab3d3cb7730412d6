"""The demo of a gRPC server: what each method answers, and that a seed decides all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from planrunner.clock import MonotonicClock
from planrunner.demo.routes.messages import describe_routes
from planrunner.demo.routes.server import RoutesServer
from planrunner.protocols.grpc.clients.caller import GrpcCaller
from planrunner.protocols.grpc.compile.settings import GrpcDefaults
from planrunner.protocols.grpc.compile.step import compile_call
from planrunner.protocols.grpc.operation import GrpcSettings
from planrunner.protocols.grpc.schema.methods import GrpcSchema
from planrunner.protocols.grpc.spec import GrpcCall
from planrunner.protocols.over_grpc.health import check_health
from planrunner.protocols.received import NOT_JSON, read_json
from tests.support.etcd_steps import NoFiles

PLACE = {"latitude": 409_146_138, "longitude": -746_188_906}
AREA = {
    "lo": {"latitude": 400_000_000, "longitude": -750_000_000},
    "hi": {"latitude": 420_000_000, "longitude": -730_000_000},
}


def answers(*calls: dict[str, Any]) -> Sequence[tuple[int, Any, int, str]]:
    """Return the status, the data, the number of messages and the words of each call."""

    async def main() -> list[tuple[int, Any, int, str]]:
        server, found = RoutesServer(), []
        port = await server.start()
        schema = GrpcSchema([describe_routes().SerializeToString()])
        settings = GrpcSettings(target=f"127.0.0.1:{port}", schema=schema)
        client = GrpcCaller(settings, MonotonicClock())
        session = client.session()
        for keys in calls:
            model = GrpcCall.model_validate(
                {**keys, "method": f"routeguide.RouteGuide/{keys['method']}"}
            )
            compiled = compile_call(
                model, constants={}, defaults=GrpcDefaults(settings), files=NoFiles()
            )
            assert not compiled.faults
            reply = await session.send(client.bind(compiled.exchange), {})
            data = reply.parsed(read_json)
            count = 0 if reply.arrivals is None else reply.arrivals.count
            found.append((reply.status, None if data is NOT_JSON else data, count, reply.detail))
        assert await check_health(settings.target) is None
        assert await check_health(settings.target, "routeguide.RouteGuide") is None
        assert (await check_health(settings.target, "none.Such") or "").startswith("NOT_FOUND")
        await session.close()
        await client.close()
        await server.stop()
        return found

    return asyncio.run(main())


def test_each_method_answers_as_its_kind_does() -> None:
    """Features of a map that is always the same, summaries, and notes that others left."""
    note = {"location": {"latitude": 1, "longitude": 2}, "message": "first"}
    route = [{"latitude": 0, "longitude": 0}, {"latitude": 10_000_000, "longitude": 0}]

    feature, listed, recorded, chatted, again = answers(
        {"method": "GetFeature", "message": PLACE},
        {"method": "ListFeatures", "message": AREA},
        {"method": "RecordRoute", "messages": route},
        {"method": "RouteChat", "messages": [note, {**note, "message": "second"}]},
        {"method": "GetFeature", "message": PLACE},
    )

    assert feature[:2] == again[:2]
    assert feature[0] in (0, 5)
    assert listed[0] == 0
    assert 30 <= listed[2] <= 70
    assert recorded[1]["point_count"] == 2
    assert recorded[1]["distance"] == pytest.approx(111_195, abs=5)  # a degree of latitude
    assert (chatted[1]["message"], chatted[2]) == ("first", 1)


def test_a_point_that_is_none_is_refused_with_details() -> None:
    """As Google's services say which field is wrong."""
    [(status, data, _, words)] = answers(
        {"method": "GetFeature", "message": {"latitude": 2_000_000_000}}
    )

    assert (status, data) == (3, None)
    assert words.startswith("INVALID_ARGUMENT: no point on Earth; BadRequest {")
    assert '"field": "latitude"' in words
