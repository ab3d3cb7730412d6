"""Places in shipped plans, and what must be offered there: the plan, what is replaced, by what."""

from __future__ import annotations

from typing import NamedTuple

from planrunner.lsp.documents.view import PlanView


class CompletedPlace(NamedTuple):
    """A text that is typed, with `¦` where the cursor is."""

    plan: str
    old: str
    new: str
    wanted: str
    unwanted: str = ""


def _places(plan: str, *rows: tuple[str, ...]) -> list[CompletedPlace]:
    return [CompletedPlace(plan, *row) for row in rows]


_TASK = "      - task: create workflow\n"
_FIRST = "  - p95 < 500ms\n"

PLACES = [
    *_places(
        "platform.yaml",
        # sentences, word by word
        (_FIRST, "  - ¦\n", "p95 error_rate ratio( service.platform.cpu monitor.machine"),
        (_FIRST, "  - p9¦\n", "p95 p99 p99.9"),
        (_FIRST, "  - p95 ¦\n", "of in over < ttfb"),
        (_FIRST, "  - throughput ¦\n", "of in over >", "ttfb"),
        (
            _FIRST,
            "  - p95 of ¦\n",
            '"GET /api/workspaces" task:health user:AdminUser "each request"',
        ),
        (_FIRST, '  - p95 of "GET ¦\n', '"GET /api/workspaces"'),
        (_FIRST, "  - p95 of task:¦\n", 'task:search task:"audit log"'),
        (_FIRST, "  - p95 of user:¦\n", "user:HeavyUser", "user:login"),
        (_FIRST, "  - p95 of group:¦\n", "group:run-workflow"),
        (_FIRST, "  - p95 of tag:¦\n", "tag:read tag:write"),
        (_FIRST, "  - p95 of error:¦\n", "error:timeout error:connect"),
        (_FIRST, "  - p95 of task:search ¦\n", "and or in over <"),
        (_FIRST, "  - p95 of task:search in ¦\n", "phase stage profile"),
        (_FIRST, "  - p95 of task:search in phase ¦\n", "smoke endurance", "read"),
        (_FIRST, "  - p95 in profile ¦\n", "quick stress_k6"),
        (_FIRST, "  - p95 over ¦\n", "10s 30s"),
        (_FIRST, "  - p95 over 10s ¦\n", "for <"),
        (_FIRST, "  - p95 < ¦\n", "500ms ${hold}"),
        (_FIRST, "  - error_rate < ¦\n", "1%", "500ms"),
        (_FIRST, "  - p95 < ${¦\n", "${hold} ${host}"),
        (_FIRST, "  - p95 < 1s¦\n", "500ms"),
        (_FIRST, "  - p95 < 1s, ¦\n", "abort"),
        (_FIRST, '  - "p95 of ¦"\n', "'GET /api/workspaces'"),
        (_FIRST, "  - {warn: p95 of ¦, fail: p95 < 1s}\n", "task:search"),
        (_FIRST, "  - share of tag:read ¦\n", "among"),
        (_FIRST, "  - p95 of each ¦\n", "task: tag:read"),
        (_FIRST, "  - p95 of each request < 1s except ¦\n", '"GET /health"'),
        # expressions
        (
            "/api/workspaces/${id}",
            "/api/workspaces/${¦",
            "id workspace_id token host accounts rand",
        ),
        ("/api/workspaces/${id}", "/api/workspaces/${id | ¦", "urlencode b64 default"),
        ("/api/workspaces/${id}", "/api/workspaces/${rand.¦", "int choice uuid"),
        ("/api/workspaces/${id}", "/api/workspaces/${user.¦", "id class"),
        ("/api/workspaces/${id}", "/api/workspaces/${run.¦", "id seed dir"),
        ('{username: "${accounts.username}"', '{username: "${accounts.¦', "username password"),
        ("${host or services.platform.url}", "${host or services.¦}", "platform"),
        ("${host or services.platform.url}", "${host or services.platform.¦}", "url port address"),
        (
            "${host or services.platform.url}",
            "${¦}",
            "host hold services",
            "workspace_id iteration",
        ),
        (_TASK, "      - task: new\n        needs: ¦\n" + _TASK, "workspace_id created host"),
        (_TASK, "      - task: new\n        needs: workspace_id is ¦\n" + _TASK, "defined none"),
        (_TASK, "      - task: new\n        needs: {is: ¦}\n" + _TASK, "workspace_id"),
        ("        - foreach: id in created\n", "        - foreach: id in ¦\n", "created"),
        # names
        (_TASK, "      - task: new\n        needs: {else: ¦}\n" + _TASK, "health search"),
        ("steps: [{call: add-knowledge}]", "steps: [{call: ¦}]", "login add-knowledge logout"),
        ("  local: {host:", "  local: {¦, host2:", "hold host"),
        (
            '  quick: [{users: 20, spawn_rate: 5/s, hold: "${hold}"}]',
            "  quick: [{users: {¦}, hold: 1s}]",
            "PlatformUser AdminUser HeavyUser",
        ),
        (
            "  smoke: [{users: 5, spawn_rate: 1/s, hold: 2m}]",
            "  smoke: [{users: 5, only: {tags: [¦]}}]",
            "read heavy",
        ),
        (
            "  smoke: [{users: 5, spawn_rate: 1/s, hold: 2m}]",
            "  smoke:\n    - use: ¦",
            "quick load",
        ),
        # keys and values of the schema
        ("monitors:", "¦\nmonitors:", "setup notify outputs", "users params"),
        ("  timeout: 10s\n", "  ¦\n", "timeout verify auth", "base_url pool"),
        ("  timeout: 10s\n", "  client: ¦\n", "auto wire httpx"),
        (_TASK, "      - ¦\n" + _TASK, "task get post"),
        (_TASK, "      - task: new\n        ¦\n" + _TASK, "weight needs steps", "task get"),
        (_TASK, "      - task: new\n        steps:\n          - ¦\n" + _TASK, "get think call set"),
        (
            _TASK,
            "      - task: new\n        steps:\n          - get: /\n            ¦\n" + _TASK,
            "expect extract name when",
            "get think do",
        ),
        (
            _TASK,
            "      - task: new\n        steps:\n          - {if: a, ¦}\n" + _TASK,
            "then else when",
            "extract",
        ),
        (_TASK, "      - task: new\n        on_error: ¦\n" + _TASK, "continue stop_user"),
        ("order: sequential ", "order: ¦", "random shuffle sequential"),
        ("unique: true ", "unique: ¦", "true false"),
        # files
        ("csv: data/accounts.csv ", "csv: ¦", "data/"),
        ("csv: data/accounts.csv ", "csv: data/¦", "accounts.csv"),
        ("imports: [shared/auth.yaml]", "imports: [¦]", "shared/ stress.yaml"),
        ("imports: [shared/auth.yaml]", "imports: [shared/¦]", "auth.yaml"),
    ),
    *_places(
        "etcd-helper.yaml",
        ("  - error_rate == 0\n", "  - p95 of ¦\n", '"GET /kv/:key" service.etcd.cpu tag:cached'),
        ("  - error_rate == 0\n", "  - p95 in phase ¦\n", "seq-write medium"),
        ("/kv/${keys | random}", "/kv/${¦}", "keys iteration user admin_secret", "key json"),
        ("/perf/${run.id}/${iteration}", "/perf/${¦", "ops value_size"),
        ("    needs: [etcd]", "    needs: [¦]", "api etcd"),
        ("          - delete: /kv/${key}\n", "          - delete: /kv/${¦\n", "key keys"),
    ),
    *_places(
        "stress.yaml",
        (
            "  - throughput > 20/s\n",
            "  - throughput in phase spike stage ¦\n",
            "before crowd after",
        ),
        ("          - p95 < 500ms\n", "          - p95 of ¦\n", '"GET /products/:id"'),
        ('json: {product: "${product}"}', 'json: {product: "${¦"}', "product users hold"),
        ('headers: {X-Customer: "${user.id}"}', "expect: {¦}", "status time json contains"),
        ("shop: {demo: shop}", "shop: {demo: ¦}", "platform kv"),
    ),
]


def written(view: PlanView, place: CompletedPlace) -> tuple[str, int]:
    """Return the text with what is typed at a place, and where the cursor is."""
    start = view.text.index(place.old)
    new = place.new.replace("¦", "")
    text = view.text[:start] + new + view.text[start + len(place.old) :]
    return text, start + place.new.index("¦")


def words_of(text: str) -> list[str]:
    """Return words that spaces part, except inside quotes."""
    words, is_open = [""], False
    for character in text:
        is_open ^= character in "\"'"
        if character == " " and not is_open:
            words.append("")
        else:
            words[-1] += character
    return [word.strip('"') if word.startswith('"each') else word for word in words if word]
