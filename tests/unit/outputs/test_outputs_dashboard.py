"""Whether a Grafana could read the dashboard, as far as its own models can tell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model

from planrunner.outputs.prometheus.monitoring.dashboard import dashboard_text

OWN = ["step", "textFormat", "titleFormat", "useValueForTime"]
"""What an annotation of the data source Prometheus has beside those of all."""


@pytest.mark.slow
def test_grafanas_models_read_all_of_the_dashboard() -> None:
    """Nothing is unknown to them, and nothing is without a value."""
    text = dashboard_text("perf_test")
    written: dict[str, Any] = json.loads(text)
    register_default_plugins()
    lost: list[str] = []

    def compare(ours: Any, theirs: Any, where: str) -> None:
        if isinstance(ours, dict):
            lost.extend(f"{where}.{key}" for key in ours if key not in theirs)
            for key in ours.keys() & theirs.keys():
                compare(ours[key], theirs[key], f"{where}.{key}")
        elif isinstance(ours, list):
            for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
                compare(one, other, f"{where}.{at}")
        elif ours != theirs:
            lost.append(where)

    read = json.loads(JSONEncoder().encode(model.Dashboard.from_json(written)))
    compare(written, read, "")

    assert sorted(lost) == [f".annotations.list.0.{name}" for name in OWN]
    assert "null" not in text
    assert len({panel["id"] for panel in written["panels"]}) == len(written["panels"])
    heat_map = next(panel for panel in written["panels"] if panel["type"] == "heatmap")
    assert heat_map["targets"][0]["format"] == "heatmap"
    assert heat_map["options"]["calculate"] is False
