"""The work of the plans in plans/, as the peers write it down; for `str.format`."""

from __future__ import annotations

# -- one constant GET ------------------------------------------------------------------------------

PLANRUNNER_GETS = """\
name: gets
http: {{version: "{version}", verify: false}}
users:
  Client: {{steps: [{{get: "{url}"}}]}}
phases: [{{users: {users}, hold: {seconds}s}}]
thresholds: [error_rate == 0]
report: {{formats: [metrics.json], samples: none}}
"""

K9_GETS = """\
options: {{vus: {users}, duration: {seconds}s, insecureSkipTLSVerify: true}}
flows:
  default:
    - request: {{url: "{url}", checks: {{ok: {{status: 200}}}}}}
"""

K6_GETS = """
import http from 'k6/http';
export const options = {{
  vus: {users}, duration: '{seconds}s', insecureSkipTLSVerify: true, noCookiesReset: true,
}};
export default function () {{
  const reply = http.get('{url}');
  if (reply.status !== 200) throw new Error(reply.status);
}}
"""

# -- calls and messages ----------------------------------------------------------------------------

K9_CALLS = """\
options: {{vus: {users}, duration: {seconds}s}}
flows:
  default:
    - grpc:
        target: "{target}"
        method: {method}
        plaintext: true
        protos: [{proto}]
        message: {{key: YmVuY2g=, serializable: true}}
        checks: {{ok: {{status: 0}}}}
"""

K9_PROTO = """\
syntax = "proto3";
package etcdserverpb;
service KV { rpc Range(RangeRequest) returns (RangeResponse); }
message RangeRequest { bytes key = 1; bool serializable = 7; }
message RangeResponse { int64 count = 4; }
"""
"""What there is of etcd's in such a call; not for `str.format`."""

K9_ECHOES = """\
options: {{vus: {users}, duration: {seconds}s}}
flows:
  default:
    - websocket:
        url: "ws://127.0.0.1:{port}/"
        steps: [{steps}]
"""
"""A session ends with its steps, so there must be some."""

# -- plans/throughput.yaml -------------------------------------------------------------------------

K9_WEIGHTED = """\
options:
  scenarios:
    one: {{executor: constant-vus, vus: {of_ten}, duration: {seconds}s, exec: one}}
    all: {{executor: constant-vus, vus: {of_three}, duration: {seconds}s, exec: all}}
    drop: {{executor: constant-vus, vus: {of_one}, duration: {seconds}s, exec: drop}}
  thresholds: {{http_req_failed: ["rate<0.01"], http_req_duration: ["p(95)<500"]}}
flows:
  one:
    - request:
        url: "http://127.0.0.1:{port}/kv/{{{{ randomInt(0, 999) }}}}"
        name: "GET /kv/:key"
        checks: {{ok: {{status: 200}}}}
  all:
    - request: {{url: "http://127.0.0.1:{port}/kv", checks: {{ok: {{status: 200}}}}}}
  drop:
    - request:
        method: DELETE
        url: "http://127.0.0.1:{port}/kv/1"
        checks: {{ok: {{status: 200}}}}
"""
"""It has no weights, but users that do one of these each, in the same proportion."""

K6_WEIGHTED = """
import http from 'k6/http';
import {{ check }} from 'k6';
export const options = {{ vus: {users}, duration: '{seconds}s',
  thresholds: {{ http_req_failed: ['rate<0.01'], http_req_duration: ['p(95)<500'] }} }};
const base = 'http://127.0.0.1:{port}';
export default function () {{
  const pick = Math.random() * 14;
  let reply;
  if (pick < 10) reply = http.get(`${{base}}/kv/${{Math.floor(Math.random() * 1000)}}`,
    {{ tags: {{ name: 'GET /kv/:key' }} }});
  else if (pick < 13) reply = http.get(`${{base}}/kv`);
  else reply = http.del(`${{base}}/kv/1`);
  {check}
}}
"""

K6_CHECK = "check(reply, { ok: (r) => r.status >= 200 && r.status < 400 });"

LOCUST_WEIGHTED = """
import random
from locust import FastHttpUser, constant, task
class Visitor(FastHttpUser):
    wait_time = constant(0)
    @task(10)
    def get(self): self.client.get(f"/kv/{random.randrange(1000)}", name="GET /kv/:key")
    @task(3)
    def put(self): self.client.get("/kv")
    @task(1)
    def drop(self): self.client.delete("/kv/1")
"""
"""Not for `str.format`."""

# -- plans/rich.yaml: a row in path and body, a look into the reply --------------------------------

K9_RICH = """\
options:
  vus: {users}
  duration: {seconds}s
  thresholds: {{http_req_failed: ["rate<0.01"], http_req_duration: ["p(95)<500"]}}
feeders:
  keys: {{file: "{data}", mode: sequential}}
flows:
  default:
    - request:
        method: POST
        url: "http://127.0.0.1:{port}/kv/{{{{ keys.key }}}}"
        name: "POST /kv/:key"
        headers: {{Content-Type: application/json}}
        body: '{{"key":"{{{{ keys.key }}}}","value":"0123456789abcdef","cached":false}}'
        checks: {{ok: {{status: 200}}, cached: {{bodyContains: '"cached":false'}}}}
        extract: {{value: {{json: "$.value"}}}}
"""

K6_RICH = """
import http from 'k6/http';
import {{ check }} from 'k6';
import {{ SharedArray }} from 'k6/data';
import {{ scenario }} from 'k6/execution';
const keys = new SharedArray('keys', () => {{
  const [head, ...lines] = open('{data}').trim().split('\\n').map((line) => line.split(','));
  return lines.map((line) => Object.fromEntries(head.map((name, i) => [name, line[i]])));
}});
export const options = {{ vus: {users}, duration: '{seconds}s',
  thresholds: {{ http_req_failed: ['rate<0.01'], http_req_duration: ['p(95)<500'] }} }};
export default function () {{
  const row = keys[scenario.iterationInTest % keys.length];
  const reply = http.post(`http://127.0.0.1:{port}/kv/${{row.key}}`,
    JSON.stringify({{ key: row.key, value: '0123456789abcdef', cached: false }}),
    {{ headers: {{ 'Content-Type': 'application/json' }}, tags: {{ name: 'POST /kv/:key' }} }});
  const data = reply.json();
  check(reply, {{ ok: (r) => r.status >= 200 && r.status < 400 && data.cached === false }});
  const value = data.value;
}}
"""

# -- plans/truth.yaml: users, or arrivals ----------------------------------------------------------

ARRIVALS = (
    "{{executor: 'constant-arrival-rate', rate: {rate}, timeUnit: '1s', duration: '{seconds}s', "
    "preAllocatedVUs: 300, maxVUs: 2000}}"
)
"""So many a second, as YAML and JavaScript have it alike; so are users."""

LOOPING = "{{executor: 'constant-vus', vus: {users}, duration: '{seconds}s'}}"

K9_SCENARIO = """\
options:
  scenarios: {{one: {scenario}}}
  summaryTrendStats: [med, "p(95)", "p(99)", max, count]
flows:
  default:
    - request: {{url: "http://127.0.0.1:{port}/"}}
"""

K6_SCENARIO = """
import http from 'k6/http';
export const options = {{ scenarios: {{ one: {scenario} }},
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max', 'count'] }};
export default function () {{ http.get('http://127.0.0.1:{port}/'); }}
"""

# -- plans/memory.yaml: users that think -----------------------------------------------------------

K9_THINKING = """\
options: {{stages: [{{duration: 3s, target: {users}}}, {{duration: {seconds}s, target: {users}}}]}}
flows:
  default:
    - request:
        url: "http://127.0.0.1:{port}/kv/{{{{ randomInt(0, 999) }}}}"
        name: "GET /kv/:key"
        checks: {{ok: {{status: 200}}}}
    - sleep: 1s
"""

K6_THINKING = """
import http from 'k6/http';
import {{ check, sleep }} from 'k6';
export const options = {{ stages: [
  {{ duration: '3s', target: {users} }}, {{ duration: '{seconds}s', target: {users} }} ] }};
export default function () {{
  const reply = http.get(`http://127.0.0.1:{port}/kv/${{Math.floor(Math.random() * 1000)}}`,
    {{ tags: {{ name: 'GET /kv/:key' }} }});
  {check}
  sleep(1);
}}
"""
