"""gRPC: planrunner's unary calls beside a bare loop of grpc.aio.

`python benchmarks/grpc_calls.py ENDPOINT SECONDS` is the bare loop; each generator runs in a
process of its own, ten calls at a time. etcd answers: a server in Go that any client can call.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)  # as a script it has only its own folder

from benchmarks.etcd import (  # noqa: E402
    COMMAND,
    CONCURRENCY,
    completed,
    in_memory,
    on_processor,
)
from benchmarks.generators import find_peer, run_k9  # noqa: E402
from benchmarks.peer_work import K9_CALLS, K9_PROTO  # noqa: E402
from benchmarks.turns import SHORT_S, Figures, Generated, in_turns, without_start  # noqa: E402

METHOD = "etcdserverpb.KV/Range"
_SERVER_CPU = 0

PLAN = """\
name: grpc bench
params: {{seconds: {{type: duration, default: 5s}}}}
grpc: {{target: "{endpoint}", descriptor: etcd.binpb}}
users:
  Reader:
    steps:
      - grpc.call:
          method: {method}
          message: {{key: "${{key}}", serializable: true}}
    state: {{key: YmVuY2g=}}
phases: [{{name: read, users: {{Reader: {users}}}, hold: "${{seconds}}"}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""


K6 = """
import grpc from 'k6/net/grpc';
export const options = {{ vus: {users}, duration: '{seconds}s', gracefulStop: '1s' }};
const client = new grpc.Client();
client.loadProtoset('etcd.binpb');
export default function () {{
  if (__ITER == 0) client.connect('{endpoint}', {{ plaintext: true }});
  const reply = client.invoke('{method}', {{ key: 'YmVuY2g=', serializable: true }});
  if (reply.status !== grpc.StatusOK) throw new Error(reply.status);
}}
"""


def grpc_calls(rounds: int, seconds: int) -> dict:
    """Unary calls a second at concurrency 10, against one etcd, generators interleaved."""
    from tests.support.etcd_servers import cluster  # noqa: PLC0415 - starts real servers

    generators = {"planrunner": _planrunner, "bare": _bare}
    peers = {"k9": _k9, "k6": _k6}
    generators |= {name: peer for name, peer in peers.items() if find_peer(name)}
    with tempfile.TemporaryDirectory(dir=in_memory()) as folder, ExitStack() as stack:
        directory = Path(folder)
        (directory / "etcd.binpb").write_bytes(_descriptors())
        with on_processor(_SERVER_CPU):
            started = stack.enter_context(cluster(directory))
        endpoint = started.members[0].endpoint

        def measure(name: str) -> Figures:
            return without_start(
                lambda within_s: generators[name](endpoint, within_s, directory),
                max(seconds, SHORT_S + 1),
                "call",
            )

        found = in_turns(list(generators), rounds, measure)
    rate, cpu = found.medians("rate"), found.medians("cpu_us_per_call")
    summary = [
        f"{rate['planrunner'] / rate['bare']:.2f} × a bare loop of grpc.aio (target 0.8)",
        f"CPU per call {cpu['planrunner'] / cpu['bare']:.2f} × the bare loop's",
        *_beside(rate, cpu),
    ]
    return found.answer(summary, "cpu_us_per_call")


def _beside(rate: dict[str, float], cpu: dict[str, float]) -> list[str]:
    ours = "planrunner"
    return [
        f"{rate[ours] / rate[peer]:.2f} × {called}{target}, CPU per call "
        f"{cpu[ours] / cpu[peer]:.2f} × its"
        for peer, called, target in (("k9", "k9-load", ""), ("k6", "k6", " (target 1)"))
        if peer in rate
    ]


def _descriptors() -> bytes:
    """Return what describes etcd's services, as protoc would write it."""
    from google.protobuf import descriptor_pb2  # noqa: PLC0415

    from planrunner.protocols.etcd.stubs import load_stubs  # noqa: PLC0415

    found: dict[str, bytes] = {}

    def add(file) -> None:
        for needed in file.dependencies:
            add(needed)
        found[file.name] = file.serialized_pb

    add(load_stubs().RangeRequest.DESCRIPTOR.file)
    files = [descriptor_pb2.FileDescriptorProto.FromString(data) for data in found.values()]
    return descriptor_pb2.FileDescriptorSet(file=files).SerializeToString()


def _planrunner(endpoint: str, seconds: int, directory: Path) -> Generated:
    plan, out = directory / "plan.yaml", directory / f"out-{time.monotonic_ns()}"
    plan.write_text(PLAN.format(endpoint=endpoint, method=METHOD, users=CONCURRENCY))
    done = completed(
        [COMMAND, "execute", str(plan), "--set", f"seconds={seconds}s", "--out", str(out), "-q"]
    )
    totals = json.loads((out / "metrics.json").read_text())["totals"]
    assert totals["failed_requests"] == 0
    count, rate = totals["total_requests"], totals["requests_per_second"]
    return Generated(done, float(count), float(rate))


def _bare(endpoint: str, seconds: int, _: Path) -> Generated:
    done = completed([sys.executable, __file__, endpoint, str(seconds)])
    rate = float(done.output)
    return Generated(done, rate * seconds, rate)


def _k6(endpoint: str, seconds: int, directory: Path) -> Generated:
    script = directory / "script.js"
    script.write_text(
        K6.format(endpoint=endpoint, method=METHOD, users=CONCURRENCY, seconds=seconds)
    )
    done = completed([find_peer("k6"), "run", "--no-usage-report", str(script)])
    found = re.search(r"iterations\.*:\s+(\d+)\s+([\d.]+)/s", done.output)
    assert found is not None, done.output
    return Generated(done, float(found[1]), float(found[2]))


def _k9(endpoint: str, seconds: int, directory: Path) -> Generated:
    proto = directory / "range.proto"
    proto.write_text(K9_PROTO)
    settings = {"target": endpoint, "method": METHOD, "proto": proto, "users": CONCURRENCY}
    plan = K9_CALLS.format(seconds=seconds, **settings)
    done, metrics = run_k9(plan, directory, counted="iterations")
    if metrics["checks"]["fails"]:
        raise RuntimeError(done.outcome.output)
    return done


def bare(endpoint: str, seconds: float) -> float:
    """Tasks that do nothing but await a call with generated messages, on channels like ours."""
    import uvloop  # noqa: PLC0415

    from planrunner.protocols.etcd.stubs import load_stubs  # noqa: PLC0415
    from planrunner.protocols.over_grpc.channels import open_channel  # noqa: PLC0415

    request = load_stubs().RangeRequest
    parse = load_stubs().RangeResponse.FromString

    async def main() -> float:
        done = 0
        until = time.perf_counter() + seconds

        async def read() -> None:
            nonlocal done
            call = open_channel(endpoint, None).unary_unary(
                f"/{METHOD}",
                request_serializer=request.SerializeToString,
                response_deserializer=parse,
            )
            while time.perf_counter() < until:
                await call(request(key=b"bench", serializable=True), timeout=30)
                done += 1

        await asyncio.gather(*(read() for _ in range(CONCURRENCY)))
        return done / seconds

    return uvloop.run(main())


if __name__ == "__main__":
    print(bare(sys.argv[1], float(sys.argv[2])))
