"""A Locust file and a script of k6 against the demo platform, as people write them.

Sixteen tasks and twelve checks: what an import makes of them is run beside the originals.
"""

from __future__ import annotations

__all__ = ["IN_ORDER", "K6_SCRIPT", "LOCUSTFILE"]

LOCUSTFILE = '''\
"""Load on the workspace platform."""
import random
import string

from locust import HttpUser, between, tag, task

TOPICS = ["python", "javascript", "docker"]


def word(length=8):
    return "".join(random.choices(string.ascii_lowercase, k=length))


class Member(HttpUser):
    """Works in a workspace of its own."""

    weight = 3
    wait_time = between(1, 2)

    def on_start(self):
        self.space = None
        self.flow = None

    @task(4)
    @tag("read")
    def ping(self):
        self.client.get("/health")

    @task(6)
    @tag("read")
    def spaces(self):
        """Take the first workspace there is."""
        with self.client.get("/api/workspaces", catch_response=True) as reply:
            if reply.status_code == 200:
                found = reply.json()
                if found and len(found) > 0:
                    self.space = found[0].get("id")
                reply.success()
            else:
                reply.failure(f"status {reply.status_code}")

    @task(2)
    @tag("write")
    def new_space(self):
        with self.client.post(
            "/api/workspaces", json={"name": f"space-{word()}"}, catch_response=True
        ) as reply:
            if reply.status_code in (200, 201):
                self.space = reply.json().get("id")
                reply.success()
            else:
                reply.failure("no workspace")

    @task(5)
    def flows(self):
        if not self.space:
            return
        self.client.get(f"/api/workspaces/{self.space}/workflows")

    @task(2)
    def new_flow(self):
        if not self.space:
            return
        body = {"name": f"flow-{word(10)}", "steps": [{"kind": "build", "options": {}}]}
        with self.client.post(
            f"/api/workspaces/{self.space}/workflows", json=body, catch_response=True
        ) as reply:
            if reply.status_code not in [200, 201]:
                reply.failure("no workflow")
                return
            self.flow = reply.json()["id"]

    @task(3)
    def runs(self):
        if not self.space or not self.flow:
            return
        self.client.get(f"/api/workspaces/{self.space}/workflows/{self.flow}/executions")

    @task
    def run_flow(self):
        if not self.space or not self.flow:
            return
        self.client.post(
            f"/api/workspaces/{self.space}/workflows/{self.flow}/execute",
            json={"input": {"text": "hello"}},
        )

    @task(2)
    def notes(self):
        if not self.space:
            return
        self.client.get(
            f"/api/workspaces/{self.space}/knowledge/search",
            params={"query": random.choice(TOPICS), "limit": 5},
        )

    @task
    def new_note(self):
        if not self.space:
            return
        self.client.post(
            f"/api/workspaces/{self.space}/knowledge",
            json={"title": f"note-{word(10)}", "tags": ["load"]},
        )


class Auditor(HttpUser):
    wait_time = between(2, 3)

    @task(3)
    def metrics(self):
        self.client.get("/api/admin/metrics")

    @task
    def log(self):
        self.client.get("/api/admin/audit-logs", params={"limit": 20})

    @task
    def users(self):
        self.client.get("/api/admin/users", name="users")

    @task
    def costs(self):
        self.client.get("/api/admin/costs?days=30")


class Batch(HttpUser):
    wait_time = between(4, 5)

    @task
    def generate(self):
        self.client.post("/api/generator/project", json={"name": "big"}, timeout=60)

    @task
    def search(self):
        self.client.get(
            "/api/knowledge/search",
            params={"query": "all of it", "limit": 50, "include_content": True},
            timeout=30,
        )

    @task
    def analyze(self):
        self.client.post("/api/analysis/codebase", json={"repository": "a/b"}, timeout=60)
'''

IN_ORDER = '''\
"""The Locust file beside it, each task once and in its order; prints how often each is picked."""
import json
from collections import Counter

from locust.exception import StopUser
from locust.user.task import DefaultTaskSet, TaskSet
from locustfile import Auditor, Batch, Member

CLASSES = (Member, Auditor, Batch)
done = []


def get_next_task(self):
    left = self.user.__dict__.setdefault("left", list(dict.fromkeys(self.user.tasks)))
    if left:
        return left.pop(0)
    done.append(self.user)
    if len(done) == len(CLASSES):
        picked = {one.__name__: Counter(each.__name__ for each in one.tasks) for one in CLASSES}
        print(json.dumps(picked), flush=True)
        self.user.environment.runner.quit()
    raise StopUser


Member.fixed_count = Auditor.fixed_count = Batch.fixed_count = 1
DefaultTaskSet.get_next_task = get_next_task
TaskSet.wait = lambda self: None
'''

K6_SCRIPT = """\
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Rate, Trend } from 'k6/metrics';

const broken = new Rate('broken');
const took = new Trend('took');

export const options = {
  vus: 1,
  iterations: 3,
  thresholds: {
    http_req_duration: ['p(95)<5000'],
    http_req_failed: ['rate<0.01'],
  },
};

const BASE = __ENV.BASE_URL || 'http://localhost:8000';

export function setup() {
  return { base: BASE };
}

export default function (data) {
  const base = data.base;
  ping(base);
  sleep(0.05);
  const id = firstSpace(base);
  newSpace(base);
  sleep(0.05);
  if (id) {
    flows(base, id);
    notes(base, id);
  }
}

function ping(base) {
  const began = new Date();
  const reply = http.get(`${base}/health`);
  const ms = new Date() - began;
  took.add(ms);
  const ok = check(reply, {
    'ping is 200': (r) => r.status === 200,
    'ping is quick': (r) => ms < 5000,
  });
  broken.add(!ok);
}

function firstSpace(base) {
  const reply = http.get(`${base}/api/workspaces`);
  const ok = check(reply, {
    'spaces are 200': (r) => r.status === 200,
    'spaces are quick': (r) => r.timings.duration < 5000,
    'spaces are a list': (r) => Array.isArray(JSON.parse(r.body || '[]')),
  });
  broken.add(!ok);
  if (reply.status === 200) {
    const spaces = JSON.parse(reply.body || '[]');
    if (spaces.length > 0) {
      return spaces[0].id;
    }
  }
  return null;
}

function newSpace(base) {
  const payload = JSON.stringify({ name: `space-${Date.now()}` });
  const params = { headers: { 'Content-Type': 'application/json' } };
  const reply = http.post(`${base}/api/workspaces`, payload, params);
  check(reply, {
    'new space is 201': (r) => r.status === 201 || r.status === 200,
    'new space is quick': (r) => r.timings.duration < 5000,
    'new space has an id': (r) => JSON.parse(r.body).id !== undefined,
  });
}

function flows(base, id) {
  const reply = http.get(`${base}/api/workspaces/${id}/workflows`);
  check(reply, {
    'flows are 200': (r) => r.status === 200,
    'flows are quick': (r) => r.timings.duration < 5000,
  });
}

function notes(base, id) {
  const words = ['python', 'docker', 'api'];
  const word = words[Math.floor(Math.random() * words.length)];
  const reply = http.get(`${base}/api/workspaces/${id}/knowledge/search?query=${word}&limit=5`);
  check(reply, {
    'notes are 200': (r) => r.status === 200,
    'notes are quick': (r) => r.timings.duration < 5000,
  });
}

export function teardown(data) {
  console.log('done');
}
"""
