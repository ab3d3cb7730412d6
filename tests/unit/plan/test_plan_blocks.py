"""Data sources, services, monitors and HTTP settings: exactly one kind, and what goes with it."""

from __future__ import annotations

import pytest

from planrunner.language.fields.mapping import PlanMapping
from planrunner.plan.models.data_sources import DataModel
from planrunner.plan.models.services import MonitorModel, ServiceModel
from planrunner.protocols.etcd.spec import TxnOperation
from planrunner.protocols.http.spec import Expect, ExtractSpec, RequestSpec, Rule
from planrunner.protocols.http.spec_auth import Auth
from planrunner.protocols.http.spec_settings import HttpModel
from tests.support.plan_models import found_in, plain


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (DataModel, "{csv: a.csv, per: user, unique: true, on_end: stop_user, order: shuffle}"),
        (DataModel, "{list: [1, two, {a: b}]}"),
        (DataModel, "{generate: {rows: 10, fields: {id: rand.uuid()}}}"),
        (ServiceModel, "{demo: shop}"),
        (ServiceModel, "{demo: shop, port: 8080}"),
        (ServiceModel, "{run: node a.js, port: '${port}', ready: {tcp: 'a:1'}, needs: [db]}"),
        (ServiceModel, "{run: a, port: auto, stop: {signal: INT, grace: 1s}, monitor: [cpu]}"),
        (MonitorModel, "{prometheus: 'http://p', query: up, every: 5s}"),
        (MonitorModel, "{pid: 1, metrics: [cpu]}"),
        (MonitorModel, "{command: postgres}"),
        (MonitorModel, "{host: [cpu, rss, disk, net]}"),
        (HttpModel, "{base_url: 'http://a', verify: false, timeout: 5s, hosts: {a: 127.0.0.1}}"),
        (HttpModel, "{headers: {A: 1, B: null}, auth: {basic: {username: a, password: b}}}"),
        (Expect, "{status: [200, 2xx, '5*'], time: < 1s, json: {$.a: {min: 1}, $.b: null}}"),
        (Rule, "{is: null}"),
        (ExtractSpec, "{regex: a(.), index: all, default: null, required: false}"),
    ],
)
def test_sound_blocks(model: type[PlanMapping], text: str) -> None:
    """Each kind, with what goes with it."""
    assert model.model_validate(plain(text)).model_fields_set


@pytest.mark.parametrize(
    ("model", "text", "code", "key"),
    [
        (DataModel, "{per: user}", "missing-key", ""),
        (DataModel, "{csv: a, json: b}", "conflicting-keys", "json"),
        (DataModel, "{cvs: a}", "unknown-key", "cvs"),
        (DataModel, "{list: []}", "too_short", ""),
        (ServiceModel, "{port: 80}", "missing-key", ""),
        (ServiceModel, "{run: a, demo: shop}", "conflicting-keys", "demo"),
        (ServiceModel, "{demo: shop, cwd: ..}", "conflicting-keys", "cwd"),
        (ServiceModel, "{run: a, port: any}", "invalid-value", ""),
        (
            ServiceModel,
            "{run: a, ready: {tcp: a, expect: {status: 200}}}",
            "conflicting-keys",
            "expect",
        ),
        (ServiceModel, "{run: a, ready: {every: 1s}}", "missing-key", ""),
        (ServiceModel, "{run: a, stop: {signal: NOW}}", "literal_error", ""),
        (MonitorModel, "{prometheus: a}", "missing-key", ""),
        (MonitorModel, "{pid: 1, query: a}", "conflicting-keys", "query"),
        (MonitorModel, "{host: [heat]}", "literal_error", ""),
        (HttpModel, "{verify: 'no'}", "bool_type", ""),
        (HttpModel, "{baseurl: a}", "unknown-key", "baseurl"),
        (Auth, "{bearer: a, basic: {username: a, password: b}}", "conflicting-keys", "basic"),
        (RequestSpec, "{get: /, post: /}", "one-action", "post"),
        (RequestSpec, "{name: a}", "one-action", ""),
        (RequestSpec, "{post: /, body: a, json: b}", "conflicting-keys", "json"),
        (Expect, "{status: 99}", "invalid-value", ""),
        (Expect, "{status: ok}", "invalid-value", ""),
        (Expect, "{json: {$.a: {minimum: 1}}}", "unknown-key", "minimum"),
        (Rule, "{}", "invalid-value", ""),
        (ExtractSpec, "{index: last}", "missing-key", ""),
        (ExtractSpec, "{css: a, regex: b}", "conflicting-keys", "regex"),
        (TxnOperation, "{put: {key: a, value: b}, delete: {key: a}}", "one-action", "delete"),
        (TxnOperation, "{}", "one-action", ""),
    ],
)
def test_faulty_blocks(model: type[PlanMapping], text: str, code: str, key: str) -> None:
    """One fault each, at the offending key."""
    (fault,) = found_in(model, text)

    assert (fault.code, fault.key) == (code, key)
