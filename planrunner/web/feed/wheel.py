"""What the viewers of a page ask of a run → the run."""

from __future__ import annotations

from contextlib import suppress

from planrunner.engine.steering import Steering
from planrunner.engine.stop import Ending, Stop, StopLevel
from planrunner.engine.workers.transport import SocketTransport
from planrunner.errors import UsageError
from planrunner.units import Rate, UnitError, parse_rate
from planrunner.web.feed.messages import LoadAsked, LoadRefused, StopAsked

__all__ = ["heed", "obey"]


async def heed(transport: SocketTransport, stop: Stop, steering: Steering) -> None:
    """Do what is asked until the page's process has gone."""
    with suppress(EOFError):
        while True:
            match await transport.receive():
                case StopAsked() as asked:
                    obey(stop, asked)
                case LoadAsked() as asked:
                    try:
                        _steer(steering, asked)
                    except UsageError as error:
                        transport.send(LoadRefused(error.message, error.hint))
                case strange:
                    raise TypeError(f"no run knows what to do with {strange!r}")


def obey(stop: Stop, asked: StopAsked) -> None:
    """End the run as somebody asks who looks at it."""
    level = StopLevel.AT_ONCE if asked.at_once else StopLevel.GRACEFUL
    if stop.settled is None:
        stop.rise(level, "stopped from the live page", Ending.INTERRUPTED)


def _steer(steering: Steering, asked: LoadAsked) -> None:
    match asked.how:
        case "pause":
            steering.pause(asked.phase)
        case "resume":
            steering.resume(asked.phase)
        case _:
            is_rate = isinstance(steering.level(asked.phase), Rate)
            steering.change(asked.phase, _level(asked.level.strip(), is_rate=is_rate))


def _level(text: str, *, is_rate: bool) -> int | Rate:
    if not is_rate:
        if not (text.isascii() and text.isdecimal()):
            raise UsageError(f"`{text}` is not a number of users", hint="write a whole number")
        return int(text)
    try:
        return parse_rate(text if "/" in text else f"{text}/s")
    except UnitError as error:
        raise UsageError(error.message, hint=error.hint) from error
