"""The plan that `planrunner run URL` stands for, as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from planrunner.errors import UsageError
from planrunner.language.named_secrets import is_secret_name
from planrunner.units import NS_PER_S, Rate, UnitError, parse_duration, parse_rate, write_duration
from planrunner.values import dataclass

__all__ = ["PRESETS", "QuickLoad", "QuickRequest", "quick_plan"]

PRESETS: Final[Mapping[str, str]] = {
    "smoke": "one user for 30s: does it work at all?",
    "load": "the users after a ramp, for 5m: the usual day",
    "stress": "half, once, one and a half and twice the users, 2m each",
    "spike": "the users, five times as many within 10s for 1m, and back",
    "soak": "the users for 1h: does anything leak?",
    "breakpoint": "more and more until p95 reaches 1s or 1% fail: how much does it take?",
}
"""Shapes of load by name, with what each does and asks."""

_HOLDS: Final = {
    "smoke": "30s",
    "load": "5m",
    "stress": "2m",
    "spike": "1m",
    "soak": "1h",
    "breakpoint": "30s",
}
_USERS: Final = 10
_SMOKE_USERS: Final = 1
_WITH_OWN_RAMPS: Final = ("stress", "spike", "breakpoint")
_JSON: Final = re.compile(r"\s*[\[{]")


@dataclass(frozen=True, slots=True)
class QuickRequest:
    """The one request.

    Attributes:
        url: Absolute, http or https.
        method: In any case.
        headers: `NAME: VALUE`, as curl has them.
        data: The body; JSON if it looks so. Empty for none.
    """

    url: str
    method: str = ""
    headers: tuple[str, ...] = ()
    data: str = ""


@dataclass(frozen=True, slots=True)
class QuickLoad:
    """How much of it: users in a closed model, or a rate in an open one; empty for a default.

    Attributes:
        preset: The shape, of `PRESETS`.
        users: At most, or what other levels of the shape are derived from.
        rate: The same for arrivals.
        hold: How long each level is kept.
        spawn_rate: How fast users start, a bare number a second.
    """

    preset: str = ""
    users: int | None = None
    rate: str = ""
    hold: str = ""
    spawn_rate: str = ""


def quick_plan(request: QuickRequest, load: QuickLoad) -> str:
    """Return the text of a plan that sends one request over and over.

    Raises:
        UsageError: The URL, a header or the load can't be.
    """
    parts = _split(request.url)
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    method = (request.method or ("post" if request.data else "get")).lower()
    params, http = _Params(), [f"base_url: {_quoted(base)}"]
    if parts.username is not None:
        password = params.value("password", unquote(parts.password or ""))
        username = _quoted(unquote(parts.username))
        http.append(f"auth: {{basic: {{username: {username}, password: {password}}}}}")
    step = [f"      - {method}: {_quoted(target)}"]
    if headers := _headers(request):
        step.append("        headers:")
        step += [f"          {_quoted(name)}: {params.value(name, v)}" for name, v in headers]
    if request.data:
        step.append(f"        body: {_quoted(request.data)}")
    return "\n".join(
        [
            f"name: {_quoted(parts.hostname or 'target')}",
            *params.lines(),
            f"http: {{{', '.join(http)}}}",
            "users:",
            "  Visitor:",
            "    steps:",
            *step,
            "phases:",
            *_phase(load),
            *([] if load.preset == "breakpoint" else ["thresholds:", "  - error_rate < 1%"]),
            "",
        ]
    )


class _Params:
    """Values that no report may show, each as a secret param."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}

    def value(self, name: str, text: str) -> str:
        """Return what the plan says for a text; one whose name says so is a param."""
        if not is_secret_name(name):
            return _quoted(text)
        word = re.sub(r"\W", "_", name.lower())
        self._secrets[word] = text
        return f'"${{{word}}}"'

    def lines(self) -> Sequence[str]:
        if not self._secrets:
            return ()
        return (
            "params:",
            *(
                f"  {word}: {{type: str, secret: true, default: {_quoted(text)}}}"
                for word, text in self._secrets.items()
            ),
        )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"`{url}` is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        hint = "" if "://" in url else f"write `http://{url}`"
        raise UsageError(f"`{url}` is not an http or https URL", hint=hint)
    return parts


def _headers(request: QuickRequest) -> list[tuple[str, str]]:
    found = []
    for text in request.headers:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise UsageError(
                f"`--header {text}` has no value", hint="write `--header 'NAME: VALUE'`"
            )
        found.append((name.strip(), value.strip()))
    if request.data and not any(name.lower() == "content-type" for name, _ in found):
        is_json = _JSON.match(request.data)
        kind = "application/json" if is_json else "application/x-www-form-urlencoded"
        found.append(("Content-Type", kind))
    return found


def _phase(load: QuickLoad) -> Sequence[str]:
    """Return the lines of the one phase."""
    if load.rate and load.users is not None:
        hint = "users wait for each other's replies, a rate does not: keep one of them"
        raise UsageError("--users and --rate can't be combined", hint=hint)
    spawn_rate = _spawn_rate(load)
    preset, hold_ns = load.preset, _duration(load.hold or _HOLDS.get(load.preset, "30s"))
    name = f"  - name: {preset or 'main'}"
    hold = write_duration(hold_ns)
    users = load.users if load.users is not None else _SMOKE_USERS if preset == "smoke" else _USERS
    level = _Level(load.rate, users)
    match preset:
        case "breakpoint":
            return (name, "    search:", *(f"      {line}" for line in level.search(hold)))
        case "stress":
            factors = [(1, 2), (1, 1), (3, 2), (2, 1)]
            stages = [f"{hold}:{level.times(*factor)}" for factor in factors]
            return (name, f"    stages: {_quoted(', '.join([*stages, '30s:' + level.none]))}")
        case "spike":
            peak, usual = level.times(5, 1), level.times(1, 1)
            stages = [
                f"{hold}:{usual}",
                f"10s:{peak}",
                f"{hold}:{peak}",
                f"10s:{usual}",
                f"{hold}:{usual}",
            ]
            return (name, f"    stages: {_quoted(', '.join(stages))}")
        case _:
            lines = [name, f"    {level.key}: {level.times(1, 1)}", f"    hold: {hold}"]
            if spawn_rate:
                lines.append(f"    spawn_rate: {spawn_rate}")
            elif preset in ("load", "soak") and not load.rate:
                ramp_ns = min(hold_ns // 10, 60 * NS_PER_S)
                lines.append(f"    ramp_up: {write_duration(ramp_ns)}")
            return lines


@dataclass(frozen=True, slots=True)
class _Level:
    """Users, or a rate if there is one."""

    rate: str
    users: int

    @property
    def key(self) -> str:
        return "rate" if self.rate else "users"

    @property
    def none(self) -> str:
        return "0/s" if self.rate else "0"

    def times(self, by: int, of: int) -> str:
        """Return the level times `by / of`, users rounded up."""
        if not self.rate:
            return str(-(-self.users * by // of))
        return f"{_rate('--rate', self.rate).per_second * by / of:g}/s"

    def search(self, hold: str) -> Sequence[str]:
        return (
            f"vary: {self.key}",
            f"from: {self.times(1, 1)}",
            f"to: {self.times(1000, 1)}",
            "step: x1.5",
            f"hold: {hold}",
            "slo: [p95 < 1s, error_rate < 1%]",
            "refine: 2",
            "confirm: 1",
        )


def _spawn_rate(load: QuickLoad) -> str:
    """Return how fast users start, empty if nothing is asked for."""
    text = load.spawn_rate.strip()
    if not text:
        return ""
    if load.rate:
        hint = "arrivals have no users to start: leave --spawn-rate out"
        raise UsageError("--rate and --spawn-rate can't be combined", hint=hint)
    if load.preset in _WITH_OWN_RAMPS:
        hint = "leave it out, or choose another preset: `load` or `soak`"
        raise UsageError(f"--spawn-rate: the preset `{load.preset}` has its own ramps", hint=hint)
    if text.replace(".", "", 1).isdigit():  # users a second, as other tools have it
        text += "/s"
    if not _rate("--spawn-rate", text).per_second:
        raise UsageError(f"--spawn-rate: `{load.spawn_rate}` starts no user", hint="write `10/s`")
    return text


def _rate(option: str, text: str) -> Rate:
    try:
        return parse_rate(text)
    except UnitError as error:
        raise UsageError(f"{option}: {error.message}", hint=error.hint) from error


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except UnitError as error:
        raise UsageError(f"--hold: {error.message}", hint=error.hint) from error


def _quoted(text: str) -> str:
    """Return a text as YAML has it in double quotes, with nothing for planrunner to evaluate."""
    return json.dumps(text.replace("${", "$${"), ensure_ascii=False)
