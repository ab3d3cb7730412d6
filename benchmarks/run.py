"""Answer the numbered questions of benchmarks/README.md and write raw JSON to results/."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import (  # noqa: E402 - needs the path above
    arrivals,
    coordinator,
    databases,
    etcd,
    from_python,
    function_tasks,
    grpc_calls,
    http2,
    live_page,
    measured_steps,
    micro_measurement,
    outputs,
    questions,
    readme,
    real_servers,
    reports,
    request_cost,
    samples,
    streams,
    truth,
    typing_in_editor,
    web_sockets,
    workers,
    written_rows,
)

QUESTIONS: dict[str, Callable[[int, int], dict]] = {
    "1-throughput": request_cost.request_cost,
    "2-memory": questions.memory,
    "3-truth": truth.truth,
    "4-open-model": arrivals.open_model,
    "5-long-runs": questions.long_runs,
    "6-command-line": questions.command_line,
    "8-etcd": etcd.etcd,
    "9-stall": truth.stall,
    "10-workers": workers.workers,
    "11-samples": samples.samples,
    "12-reports": reports.reports,
    "13-micro": micro_measurement.micro,
    "14-measured-steps": measured_steps.measured_steps,
    "15-rows": written_rows.written_rows,
    "16-from-python": from_python.from_python,
    "17-function-tasks": function_tasks.function_tasks,
    "18-outputs": outputs.outputs,
    "19-live-page": live_page.live_page,
    "20-coordinator": coordinator.coordinator,
    "21-cluster": workers.cluster,
    "22-websocket": web_sockets.web_sockets,
    "23-http2": http2.http2,
    "24-grpc": grpc_calls.grpc_calls,
    "25-databases": databases.databases,
    "26-streams": streams.streams,
    "27-editor": typing_in_editor.editor,
    "28-real-servers": real_servers.real_servers,
    "30-request-sizes": request_cost.request_sizes,
}


def machine() -> dict[str, object]:
    """Return the facts a reader needs to judge a ratio."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("question", nargs="*", help="numbers, such as 1 6; all without any")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--seconds", type=int, default=6, help="length of a round (default 6)")
    options = parser.parse_args()
    for name, answer in QUESTIONS.items():
        if options.question and name.split("-")[0] not in options.question:
            continue
        print(f"question {name} …", flush=True)
        result = answer(options.rounds, options.seconds)
        result = {"question": name, "measured": _now(), "machine": machine(), **result}
        path = ROOT / "benchmarks" / "results" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n")
        for line in result["summary"]:
            print(f"  {line}")
        print(f"  raw: {path.relative_to(ROOT)}")
    readme.main()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    main()
