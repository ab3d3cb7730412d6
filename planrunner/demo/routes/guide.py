"""What the route guide answers: features of a seeded map, summaries of routes, notes at places."""

from __future__ import annotations

import asyncio
import math
import random
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from planrunner.demo.routes.messages import message_class
from planrunner.units import NS_PER_S

__all__ = ["RouteGuide"]

_CELL: Final = 1_000_000
"""A tenth of a degree: a feature is found anywhere in the cell that it is in."""

_MOST: Final = 1_800_000_000
_MOST_LATITUDE: Final = 900_000_000
_EARTH_M: Final = 6_371_000
_MOST_PLACES: Final = 1_000
_MOST_NOTES: Final = 10

_LANDS: Final = ("North", "South", "East", "West", "Old", "New", "Upper", "Lower")
_PLACES: Final = ("Harbour", "Bridge", "Mill", "Hill", "Ferry", "Market", "Wood", "Well")


class RouteGuide:
    """The service; each of its methods is one of the four kinds of calls.

    Args:
        seed: Of the map and of all delays.
        now_ns: The clock of elapsed times.
        fail: Ends a call with `INVALID_ARGUMENT` and what is wrong with which field.
    """

    def __init__(
        self, seed: int, now_ns: Callable[[], int], fail: Callable[[Any, str, str], Any]
    ) -> None:
        self._seed = seed
        self._rng = random.Random(seed)
        self._now_ns = now_ns
        self._fail = fail
        self._feature = message_class("Feature")
        self._summary = message_class("RouteSummary")
        self._notes: OrderedDict[tuple[int, int], deque[Any]] = OrderedDict()

    async def _take_time(self, typical_ms: float) -> None:
        await asyncio.sleep(self._rng.lognormvariate(0.0, 0.35) * typical_ms / 1000)

    def _name_at(self, latitude: int, longitude: int) -> str:
        """Return what is in a cell of the map; empty where nothing is, as in half of them."""
        here = random.Random(f"{self._seed} {latitude // _CELL} {longitude // _CELL}")
        if here.random() < 0.5:
            return ""
        return f"{here.choice(_LANDS)} {here.choice(_PLACES)} {here.randrange(1, 100)}"

    async def _check(self, point: Any, context: Any) -> None:  # noqa: ANN401 - protobuf, gRPC
        for field, most in (("latitude", _MOST_LATITUDE), ("longitude", _MOST)):
            if abs(getattr(point, field)) > most:
                await self._fail(context, field, f"beyond {most}")

    async def get_feature(self, point: Any, context: Any) -> Any:  # noqa: ANN401
        """Return the feature of the cell that a point is in, or end with NOT_FOUND."""
        await self._check(point, context)
        await self._take_time(1.0)
        name = self._name_at(point.latitude, point.longitude)
        if not name:
            await self._fail(context, "", "there is nothing")
        return self._feature(name=name, location=point)

    async def list_features(self, area: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Yield the features of a rectangle, each a little later."""
        await self._check(area.lo, context)
        await self._check(area.hi, context)
        south, north = sorted((area.lo.latitude, area.hi.latitude))
        west, east = sorted((area.lo.longitude, area.hi.longitude))
        for latitude in range(south, min(north, south + 10 * _CELL), _CELL):
            for longitude in range(west, min(east, west + 10 * _CELL), _CELL):
                if name := self._name_at(latitude, longitude):
                    await self._take_time(0.5)
                    feature = self._feature(name=name)
                    feature.location.latitude = latitude
                    feature.location.longitude = longitude
                    yield feature

    async def record_route(self, points: AsyncIterator[Any], context: Any) -> Any:  # noqa: ANN401
        """Return how long a route is, and what it passes."""
        began_ns, last = self._now_ns(), None
        count = features = 0
        distance = 0.0
        async for point in points:
            await self._check(point, context)
            count += 1
            features += bool(self._name_at(point.latitude, point.longitude))
            if last is not None:
                distance += _metres(last, point)
            last = point
        await self._take_time(1.0)
        elapsed_s = (self._now_ns() - began_ns) // NS_PER_S
        return self._summary(
            point_count=count,
            feature_count=features,
            distance=int(distance),
            elapsed_time=elapsed_s,
        )

    async def route_chat(self, notes: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Answer each note with those that were left at the same place before."""
        async for note in notes:
            await self._check(note.location, context)
            place = note.location.latitude, note.location.longitude
            there = self._notes.setdefault(place, deque(maxlen=_MOST_NOTES))
            for earlier in list(there):
                await self._take_time(0.5)
                yield earlier
            there.append(note)
            self._notes.move_to_end(place)
            if len(self._notes) > _MOST_PLACES:
                self._notes.popitem(last=False)


def _metres(one: Any, other: Any) -> float:  # noqa: ANN401
    """Return the distance between two points, by the haversine formula."""
    south, north = (math.radians(point.latitude / 1e7) for point in (one, other))
    across = math.radians((other.longitude - one.longitude) / 1e7)
    half = math.sin((north - south) / 2) ** 2
    half += math.cos(south) * math.cos(north) * math.sin(across / 2) ** 2
    return 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(half)))
