"""The protocol as one object. What takes an import is named, and imported when a plan needs it."""

from planrunner.metrics.amounts import Unit
from planrunner.metrics.measures import CONNECT, TTFB, Measure
from planrunner.protocols.base import FailureKind
from planrunner.protocols.plugin import Action, Plugin, Reach, Settings, TargetHost, lazily

STATUSES = ("OK", "REFUSED")


def status_text(status):
    return STATUSES[status] if 0 <= status < len(STATUSES) else str(status)


def hosts(exchange, settings):
    yield TargetHost(settings.host, settings.host)


def reach(settings):
    yield Reach(
        addresses=((settings.host, settings.port),),
        shown=f"`{settings.host}:{settings.port}`",
        nobody="no echo server",
        hint="start it, or correct `echo.address`; nothing was sent",
    )


def echoed(reply):
    return (reply.body or b"").decode()


def write_length(reply, values):
    if reply.body is not None:
        values.append(len(reply.body))


LENGTH = Measure(
    "length",
    meaning="characters of the line that came back",
    noun="length of the line",
    unit=Unit.NUMBER,
    example="max length of greet < 80",
    write=write_length,
)


PLUGIN = Plugin(
    name="echo",
    title="echo",
    actions={
        "echo.send": Action(
            model="planrunner_echo.spec:EchoSend",
            description="echo: send a line, which comes back.",
            example="{text: hello, expect: {text: hello}}",
        ),
    },
    settings=Settings(
        model="planrunner_echo.spec:EchoSettingsModel",
        description="Where the echo server is.",
        example="{address: '127.0.0.1:7'}",
        missing="the plan does not say where the echo server is",
        missing_hint="add `echo: {address: '127.0.0.1:7'}`",
    ),
    compile_settings=lazily("planrunner_echo.compile:compile_settings"),
    compile_request=lazily("planrunner_echo.compile:compile_request"),
    clients={"streams": "planrunner_echo.client:open_client"},
    hosts=hosts,
    reach=reach,
    status_text=status_text,
    statuses=STATUSES,
    failures={
        FailureKind.CONNECT: "nothing accepts the connection",
        FailureKind.RESET: "the connection ended before the line came back",
        FailureKind.TIMEOUT: "the line did not come back within the timeout",
        FailureKind.STATUS: "the server refused the line: it begins with `!`",
        FailureKind.EXPECT: "an expectation does not hold",
    },
    reply_names={"echoed": echoed},
    reply_words={"echoed": "the line that came back"},
    measures={measure.word: measure for measure in (TTFB, CONNECT, LENGTH)},
)
