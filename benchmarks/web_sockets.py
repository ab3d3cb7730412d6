"""WebSocket echo: planrunner beside a bare loop of picows, the library websockets, and k6.

`python benchmarks/web_sockets.py "server"|"picows"|"websockets" PORT SECONDS` is one process of it.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)  # as a script it has only its own folder

from benchmarks.generators import find_peer, run_k9  # noqa: E402
from benchmarks.peer_work import K9_ECHOES  # noqa: E402
from benchmarks.processes import pinned, run  # noqa: E402
from benchmarks.turns import (  # noqa: E402
    SHORT_S,
    Figures,
    Generated,
    Rounds,
    in_turns,
    without_start,
)

CONNECTIONS = 64
TEXT = "x" * 40
COMMAND = str(Path(sys.executable).with_name("planrunner"))

PLAN = """\
name: websocket bench
params: {{seconds: {{type: duration, default: 5s}}}}
ws: {{url: "ws://127.0.0.1:{port}", compress: false}}
users:
  Echo:
    on_start: [{{ws.connect: /}}]
    steps:
      - repeat: 100
        do:
          - ws.send: {text}
          - ws.receive: {{name: echo}}
phases: [{{users: {users}, hold: "${{seconds}}"}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""

_OPTIONS = """
export const options = {{ vus: {users}, duration: '{seconds}s', gracefulStop: '1s' }};
const text = '{text}';
let began = 0;
const ends = () => Date.now() + {seconds} * 1000;
const say = (socket) => {{ {begin} socket.send(text); }};
"""

_TIMED = "import {{ Trend }} from 'k6/metrics'; const echo = new Trend('echo', true);"

_OLD = """
import ws from 'k6/ws';
export default function () {{
  ws.connect('ws://127.0.0.1:{port}/', {{}}, function (socket) {{
    const until = ends();
    socket.on('open', () => say(socket));
    socket.on('message', () => {{
      {end} if (Date.now() < until) say(socket); else socket.close();
    }});
  }});
}}
"""

_NEW = """
import {{ WebSocket }} from 'k6/experimental/websockets';
export default function () {{
  const socket = new WebSocket('ws://127.0.0.1:{port}/');
  const until = ends();
  socket.addEventListener('open', () => say(socket));
  socket.addEventListener('message', () => {{
    {end} if (Date.now() < until) say(socket); else socket.close();
  }});
}}
"""

K6 = {
    "k6": _NEW + _OPTIONS,
    "k6 timing each echo": _NEW + _TIMED + _OPTIONS,
    "k6/ws": _OLD + _OPTIONS,
    "k6/ws timing each echo": _OLD + _TIMED + _OPTIONS,
}
"""Scripts of k6, over its API of today and the one before: each as it is, and with what ours times.

Each user keeps its connection, as planrunner's do. Without a Trend that it adds to, k6 counts
messages and times none of them, which is less work: what times each echo over the API of today does
the same work.
"""

_SAME_WORK = "k6 timing each echo"

_ECHOES = 200
"""Of a session of k9-load, which counts them at its end; then it opens another one."""

_CPU = "cpu_us_per_message"

_SERVER_CPU, _GENERATOR_CPU = 0, 1


def web_sockets(rounds: int, seconds: int) -> dict:
    """Echoes a second over 64 connections, generators interleaved."""
    names = ["planrunner", "picows", "websockets"]
    names += [*filter(find_peer, ["k9"]), *(K6 if find_peer("k6") else [])]
    with tempfile.TemporaryDirectory() as directory, _server() as port:

        def measure(name: str) -> Figures:
            return _measure(name, port, max(seconds, SHORT_S + 1), Path(directory))

        found = in_turns(names, rounds, measure)
    return found.answer(_summary(found), _CPU)


def _summary(found: Rounds) -> list[str]:
    """Return ratios of what a processor sends in a second of its time: others may use it too."""
    targets = {
        "picows": "a bare loop of picows (target 0.6)",
        "websockets": "one of websockets",
        "k9": "k9-load",
        _SAME_WORK: f"{_SAME_WORK} (target 3, the same work)",
    }
    peers = [name for name in found.counted if name != "planrunner"]
    cpu = [
        f"{found.ratio(_CPU, name, 'planrunner'):.2f} × {targets.get(name, name)}" for name in peers
    ]
    wall = [f"{found.ratio('rate', 'planrunner', name):.2f} × {name}" for name in peers]
    return [
        f"messages per second of a processor {', '.join(cpu)}",
        f"by the wall clock {', '.join(wall)}",
    ]


def _measure(name: str, port: int, seconds: int, directory: Path) -> Figures:
    """Return the rate, and the CPU of a message without that of starting."""
    generate = {"planrunner": _planrunner, "k9": _k9, **dict.fromkeys(K6, _k6)}.get(name, _script)
    return without_start(
        lambda within_s: generate(name, port, within_s, directory), seconds, "message"
    )


@contextmanager
def _server() -> Iterator[int]:
    command = pinned([sys.executable, __file__, "server", "0", "0"], _SERVER_CPU)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _script(name: str, port: int, seconds: int, _: Path) -> Generated:
    done = run([sys.executable, __file__, name, str(port), str(seconds)], cpu=_GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    rate = float(done.output)
    return Generated(done, rate * seconds, rate)


def _planrunner(_: str, port: int, seconds: int, directory: Path) -> Generated:
    plan, out = directory / "plan.yaml", directory / f"out-{time.monotonic_ns()}"
    plan.write_text(PLAN.format(port=port, users=CONNECTIONS, text=TEXT))
    command = [COMMAND, "execute", str(plan), "--set", f"seconds={seconds}s", "--out", str(out)]
    done = run([*command, "-q"], cpu=_GENERATOR_CPU)
    if done.exit_code:
        raise RuntimeError(done.output + done.errors)
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    # What is sent after the end is as much in a short run as in a long one.
    count, rate = totals["total_requests"], totals["requests_per_second"]
    return Generated(done, float(count), float(rate))


def _k6(name: str, port: int, seconds: int, directory: Path) -> Generated:
    script = directory / "script.js"
    is_timed = "timing" in name
    script.write_text(
        K6[name].format(
            port=port,
            users=CONNECTIONS,
            seconds=seconds,
            text=TEXT,
            begin="began = Date.now();" if is_timed else "",
            end="echo.add(Date.now() - began);" if is_timed else "",
        )
    )
    command = [find_peer("k6"), "run", "--no-usage-report", str(script)]
    done = run(command, cpu=_GENERATOR_CPU)
    found = re.search(r"ws_msgs_received\.*:\s+(\d+)\s+([\d.]+)/s", done.output)
    if found is None:
        raise RuntimeError(done.output + done.errors)
    return Generated(done, float(found[1]), float(found[2]))


def _k9(_: str, port: int, seconds: int, directory: Path) -> Generated:
    steps = ", ".join([f"{{send: {TEXT}}}, {{receive: {{}}}}"] * _ECHOES)
    plan = K9_ECHOES.format(port=port, users=CONNECTIONS, seconds=seconds, steps=steps)
    return run_k9(plan, directory, counted="ws_msgs_received")[0]


def server(_port: int, _seconds: float) -> None:
    """An echo server; prints its port."""
    import uvloop  # noqa: PLC0415
    from picows import WSListener, WSMsgType, ws_create_server  # noqa: PLC0415

    class Echo(WSListener):
        def on_ws_frame(self, transport, frame) -> None:
            kind = frame.msg_type
            transport.send(kind, frame.get_payload_as_bytes())
            if kind == WSMsgType.CLOSE:
                transport.disconnect()

    async def main() -> None:
        listening = await ws_create_server(lambda _: Echo(), "127.0.0.1", 0)
        print(listening.sockets[0].getsockname()[1], flush=True)
        await listening.serve_forever()

    uvloop.run(main())


def picows(port: int, seconds: float) -> None:
    """Tasks that do nothing but send and wait for what comes."""
    import uvloop  # noqa: PLC0415
    from picows import WSListener, WSMsgType, ws_connect  # noqa: PLC0415

    class Waiting(WSListener):
        waiter = None

        def on_ws_frame(self, transport, frame) -> None:
            del transport
            waiter, self.waiter = self.waiter, None
            waiter.set_result(frame.get_payload_as_bytes())

    async def main() -> float:
        loop, data, done = asyncio.get_running_loop(), TEXT.encode(), 0
        until = time.perf_counter() + seconds

        async def talk() -> None:
            nonlocal done
            transport, listener = await ws_connect(Waiting, f"ws://127.0.0.1:{port}/")
            while time.perf_counter() < until:
                listener.waiter = loop.create_future()
                transport.send(WSMsgType.TEXT, data)
                await listener.waiter
                done += 1
            transport.disconnect()

        await asyncio.gather(*(talk() for _ in range(CONNECTIONS)))
        return done / seconds

    print(uvloop.run(main()))


def websockets(port: int, seconds: float) -> None:
    """The same with the library of that name."""
    import uvloop  # noqa: PLC0415
    from websockets.asyncio.client import connect  # noqa: PLC0415

    async def main() -> float:
        done = 0
        until = time.perf_counter() + seconds

        async def talk() -> None:
            nonlocal done
            async with connect(f"ws://127.0.0.1:{port}/", compression=None) as connection:
                while time.perf_counter() < until:
                    await connection.send(TEXT)
                    await connection.recv()
                    done += 1

        await asyncio.gather(*(talk() for _ in range(CONNECTIONS)))
        return done / seconds

    print(uvloop.run(main()))


ROLES = {"server": server, "picows": picows, "websockets": websockets}

if __name__ == "__main__":
    ROLES[sys.argv[1]](int(sys.argv[2]), float(sys.argv[3]))
