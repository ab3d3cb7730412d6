"""What users share in whole runs: the same with one worker and with two, and with `--once`."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import pytest

from tests.support.http_servers import HttpServer
from tests.support.plans import PlanProject, plan_text

POOLS = """
pools: {orders: {shared: run}, coupons: {values: [c-1, c-2, c-3, c-4]}}
setup: [{push: {pool.coupons: c-5}}]
users:
  Shop:
    count: 2
    steps:
      - {post: "/orders/${user.id}-${user.iteration}"}
      - push: {pool.orders: "${user.id}-${user.iteration}"}
  Warehouse:
    count: 2
    steps:
      - pop: {pool.orders: first, as: id, wait: 20s}
      - {post: "/packed/${id}", name: packed}
  Buyer:
    count: 2
    steps:
      - barrier: {name: sale, users: all, timeout: 20s}
      - {get: "/sale/${user.iteration}", name: sale}
phases: [{iterations_per_user: 20}]
thresholds: [error_rate == 0%, count of packed == 40, count of sale == 40]
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_users_of_all_workers_share(project: PlanProject, target: HttpServer, workers: str) -> None:
    """Each order is packed once, and buyers come in rounds."""
    project.write({"plan.yaml": plan_text(POOLS, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--workers", workers, "--out", "out")

    assert ended.code == 0, ended.out + ended.err
    targets = [request.target for request in target.requests]
    orders = Counter(name.removeprefix("/orders/") for name in targets if "orders" in name)
    packed = Counter(name.removeprefix("/packed/") for name in targets if "packed" in name)
    assert packed == orders
    assert set(orders.values()) == {1}
    rounds = [int(name.removeprefix("/sale/")) for name in targets if "sale" in name]
    assert all(later >= earlier for earlier, later in pairwise(rounds))


def test_one_user_shows_what_is_shared(project: PlanProject, target: HttpServer) -> None:
    """A barrier is open, a push shows the pool, and what is empty doesn't wait."""
    plan = """
        pools: {orders: {}}
        users:
          Shop:
            steps:
              - barrier: {name: sale, users: 2}
              - push: {pool.orders: 7}
              - pop: {pool.orders: first, as: id, wait: 1h}
              - pop: {pool.orders: last, as: id, wait: 1h}
        phases: [{users: 2, hold: 1s}]
        """
    project.write({"plan.yaml": plan_text(plan, url=target.url)})

    ended = project.run("execute", "plan.yaml", "--once")

    assert ended.code == 1
    for line in (
        "barrier sale: waits for 2 users, at most 30s (open: there is one user)",
        "push pool.orders  → pool.orders = [7]",
        "pop first of pool.orders as id, waits up to 1h  → id = 7",
        "`pool.orders` was still empty after 1h",
    ):
        assert line in ended.out


def test_explain_shows_what_is_shared_and_what_follows(project: PlanProject) -> None:
    """As text and as data."""
    plan = """
        pools: {orders: {shared: run, max: 50, values: [1, 2]}}
        users:
          Shop:
            tasks:
              - {get: /, weight: 3, next: {'GET /cart': 1}}
              - task: GET /cart
                next: {'GET /': 3, 'GET /cart': 1}
                steps:
                  - barrier: {name: sale, users: all, timeout: 5s}
                  - pop: {pool.orders: random, as: id, wait: 2s}
        """
    project.write({"plan.yaml": plan_text(plan)})

    text = project.run("explain", "plan.yaml").out
    graph = json.loads(project.run("explain", "plan.yaml", "--graph", "json").out)

    for line in (
        "pools: shared by users, for the whole run",
        "  orders: a list of the run, at most 50 elements, begins with 2 values",
        "    `next` decides what follows: the shares are those of the long run",
        "    43 %  GET /",
        "      75 % of first picks; next: 100 % GET /cart",
        "    57 %  GET /cart",
        "      barrier sale: waits for all users, at most 5s",
        "      pop random of pool.orders as id, waits up to 2s",
    ):
        assert line in text.splitlines()
    assert graph["pools"] == [{"name": "orders", "shared": "run", "max": 50, "values": 2}]
    assert graph["users"][0]["tasks"][0]["next"] == {"GET /cart": 1}
    assert graph["users"][0]["tasks"][1]["steps"] == [
        {"barrier": "sale"},
        {"pop": "random of pool.orders"},
    ]


SECRET = """
pools: {tokens: {shared: run}}
users:
  In:
    count: 1
    steps:
      - {get: /, extract: {value: {regex: "(o.)", secret: true}}}
      - push: {pool.tokens: "${value}"}
  Out:
    count: 1
    steps:
      - pop: {pool.tokens: first, as: what, wait: 20s}
      - log: got ${what}
phases: [{iterations_per_user: 1}]
"""


@pytest.mark.slow
def test_a_secret_that_another_worker_met_is_masked(
    project: PlanProject, target: HttpServer
) -> None:
    """Its value goes from one process to the other, and with it that it is secret."""
    project.write({"plan.yaml": plan_text(SECRET.replace("o.", "ok"), url=target.url)})

    ended = project.run("execute", "plan.yaml", "--workers", "2", "--out", "out")

    assert ended.code == 0, ended.out + ended.err
    assert "got ***" in ended.out + ended.err
