"""Which names an expression may read, where."""

from __future__ import annotations

import pytest

from tests.support.plans import compiled, findings

PARAMS = """
params:
  workspace: {type: str, default: w1}
  page_size: {type: int, default: 10}
"""


def steps(*lines: str) -> str:
    """Return a class with these steps."""
    return "users:\n  A:\n    steps:\n" + "\n".join(f"      - {line}" for line in lines)


def test_an_unknown_name_is_found_where_it_stands_and_what_was_meant() -> None:
    """Only the wrong word is marked, though the text has other expressions."""
    [found] = findings(PARAMS, steps("get: /${workspace}/${ page_sise | string }"))

    assert found == (
        "unknown-name",
        "page_sise",
        "unknown name `page_sise`",
        "did you mean `page_size`?",
    )


def test_a_name_that_resembles_nothing_gets_the_names_in_scope() -> None:
    """So that the author needn't look them up."""
    [found] = findings(PARAMS, steps("get: /${qqq}"))

    assert found.hint == "names in scope: `page_size`, `workspace`"


def test_a_whole_path_is_marked() -> None:
    """`accounts.nam` is one wrong thing, not a right one and a wrong one."""
    [found] = findings(steps("get: /${user.nme}"))

    assert (found.marked, found.message) == ("user.nme", "`user` has no `nme`")


def test_every_unknown_name_of_a_plan_is_found_at_once() -> None:
    """In texts, values, bare expressions, headers and settings, in file order."""
    found = findings(
        'http: {base_url: "http://${a1}", headers: {X: "${a2}"}}',
        """
        users:
          A:
            wait: ${a3}
            state: {list: ["${a4}"]}
            steps:
              - {get: "/${a5}", query: {q: ["${a6}"]}, when: a7 and a8, headers: {Y: "${a9}"}}
              - {post: /, json: {deep: [{er: "${b1}"}]}, expect: {contains: "${b2}"}}
              - set: {x: "${b3 | default(b4)}"}
              - think: ${b5}
        """,
        'stages: [{duration: 1s, users: "${b6}"}]',
    )

    names = [f"a{number}" for number in range(1, 10)] + [f"b{number}" for number in range(1, 7)]
    assert [item.marked for item in found] == names
    assert {item.code for item in found} == {"unknown-name"}


@pytest.mark.parametrize(
    "line",
    [
        "get: /${user.id}/${user.class}/${user.iteration}/${iteration}",
        "get: /${run.id}/${run.dir}/${run.seed}/${phase.name}",
        "get: /${rand.int(1, 5)}/${rand.text(3) | urlencode}/${now() | int}",
        "{get: /, expect: {contains: '${status}'}}",
        "{get: /, tags: {kind: '${json.kind}'}}",
        "{get: /, extract: {x: $.x}}",
    ],
)
def test_names_of_the_engine_are_known(line: str) -> None:
    """Everything that section 3 of the language promises."""
    compiled(steps(line))


def test_a_name_is_known_only_after_it_is_set() -> None:
    """Steps run in order, so a name that is set further down has no value yet."""
    [found] = findings(steps("get: /${token}", "set: {token: x}", "get: /${token}"))

    assert found.marked == "token"


def test_extracted_names_are_known_in_the_steps_that_follow() -> None:
    """Not in the request itself, which is sent before."""
    compiled(steps("{get: /, extract: {id: $.id}}", "get: /${id}"))
    [found] = findings(steps("{get: '/${id}', extract: {id: $.id}}"))

    assert found.marked == "id"


def test_a_set_may_read_what_the_same_step_set_before() -> None:
    """Its values are evaluated in file order."""
    compiled(steps("set: {a: 1, b: '${a + 1}'}"))

    assert [item.marked for item in findings(steps("set: {b: '${a + 1}', a: 1}"))] == ["a"]


def test_names_set_in_a_group_are_known_after_it() -> None:
    """A group orders results; it is no scope."""
    compiled(steps("{group: g, do: [{set: {a: 1}}]}", "get: /${a}"))


def test_what_on_start_sets_is_known_in_every_task_and_on_stop() -> None:
    """It lasts as long as the user."""
    compiled(
        """
        users:
          A:
            on_start: [{post: /login, extract: {token: $.token}}]
            tasks: [{get: "/${token}"}]
            on_stop: [{post: "/logout/${token}"}]
        """
    )


def test_what_one_class_sets_is_unknown_in_another() -> None:
    """Users share nothing."""
    [found] = findings(
        """
        users:
          A: {on_start: [{set: {token: x}}], tasks: [{get: /}]}
          B: {tasks: [{get: "/${token}"}]}
        """
    )

    assert found.marked == "token"


def test_what_one_task_sets_is_unknown_in_the_next() -> None:
    """Each task starts an iteration, whose names end with it."""
    [found] = findings(
        """
        users:
          A:
            tasks:
              - {task: one, steps: [{set: {x: 1}}, {get: "/${x}"}]}
              - {task: two, steps: [{get: "/${x}"}]}
        """
    )

    assert found.marked == "x"


def test_what_an_iteration_sets_is_unknown_on_stop() -> None:
    """Nobody knows whether any iteration set it."""
    found = findings(
        "users: {A: {steps: [{set: {x: 1}}, {get: /}], on_stop: [{get: '/${x}'}]}}",
    )

    assert [item.marked for item in found] == ["x"]


def test_what_setup_sets_is_known_to_every_user() -> None:
    """Setup runs once before them all."""
    graph = compiled(
        "setup: [{post: /reset, extract: {epoch: $.epoch}}]",
        steps("get: /${epoch}"),
        "teardown: [{delete: '/${epoch}'}]",
    )

    assert graph.setup.names == ("epoch",)


def test_setup_runs_for_no_user() -> None:
    """So there is no user, no phase and no iteration whose names it could read."""
    rows = "data: {rows: {list: [{id: 1}]}}"
    found = findings("setup: [{get: '/${user.id}/${phase.name}/${iteration}/${rows.id}'}]", rows)

    assert [item.marked for item in found] == ["user.id", "phase.name", "iteration", "rows.id"]


@pytest.mark.parametrize("name", ["iteration", "user.iteration"])
def test_an_iteration_has_no_number_before_the_first(name: str) -> None:
    """Both count iterations: on_start comes before them, on_stop finds the last one's."""
    classes = "users: {{A: {{{}: [{{get: '/${{{}}}'}}], tasks: [{{get: /}}]}}}}"

    [found] = findings(classes.format("on_start", name))

    assert (found.marked, found.message) == (name, f"`{name}` has no value here")
    compiled(classes.format("on_stop", name))


@pytest.mark.parametrize("name", ["json", "body", "headers", "status"])
def test_a_reply_has_names_only_after_a_request(name: str) -> None:
    """The first request has no reply before it; its own expectations have."""
    [found] = findings(steps(f"get: /${{{name}}}"))
    assert found.message == f"`{name}` needs a request before it"

    compiled(steps("get: /", f"set: {{x: '${{{name}}}'}}"))
    compiled(steps(f"{{get: /, expect: {{contains: '${{{name}}}'}}}}"))


def test_names_below_a_reply_are_free() -> None:
    """What a server sends is not known before it has been asked."""
    compiled(steps("get: /", "set: {x: '${json.a.b[0].c | default(1)}'}"))


def test_columns_of_data_are_known() -> None:
    """A list of mappings and generated rows say their columns in the plan."""
    data = """
    data:
      accounts: {list: [{name: a, password: b}, {name: c, mail: d}]}
      orders: {generate: {rows: 3, fields: {id: rand.uuid()}}}
      topics: {list: [python, docker]}
    """
    compiled(data, steps("get: /${accounts.name}/${accounts.mail}/${orders.id}/${topics}"))

    found = findings(data, steps("get: /${accounts.nmae}/${orders.no}"))
    assert [(item.marked, item.hint) for item in found] == [
        ("accounts.nmae", "did you mean `name`?"),
        ("orders.no", "columns: `id`"),
    ]


def test_services_have_a_url_and_a_port() -> None:
    """And nothing else."""
    services = "services: {shop: {demo: shop}}"
    graph = compiled(services, 'http: {base_url: "${services.shop.url}"}', ports={"shop": 4711})
    assert [item.port for item in graph.services] == [4711]

    found = findings(
        services,
        'http: {base_url: "${services.shpo.url}", headers: {A: "${services.shop.rul}"}}',
    )
    assert [(item.marked, item.message) for item in found] == [
        ("services.shpo.url", "unknown service `shpo`"),
        ("services.shop.rul", "a service has no `rul`"),
    ]


def test_a_plan_without_services_has_no_urls_of_services() -> None:
    """The hint says where they come from."""
    [found] = findings('http: {base_url: "${services.shop.url}"}')

    assert (found.message, found.hint) == ("the plan has no services", "add them under `services:`")


@pytest.mark.parametrize("name", ["user", "json", "rand", "iteration", "services"])
def test_reserved_names_can_not_be_set(name: str) -> None:
    """They would hide what every plan may rely on."""
    [found] = findings(steps(f"set: {{{name}: 1}}", "get: /"))
    assert (found.code, found.marked) == ("reserved-name", name)

    [found] = findings(steps(f"{{get: /, extract: {{{name}: $.x}}}}"))
    assert (found.code, found.marked) == ("reserved-name", name)

    [found] = findings(f"users: {{A: {{state: {{{name}: 1}}, tasks: [{{get: /}}]}}}}")
    assert (found.code, found.marked) == ("reserved-name", name)


def test_names_are_unique_over_params_data_and_state() -> None:
    """Otherwise it would depend on the place which of them is meant."""
    found = findings(
        PARAMS,
        "data: {topics: {list: [a]}}",
        """
        users:
          A:
            state: {workspace: 1, topics: 2}
            steps: [{set: {page_size: 3}}, {get: /, extract: {topics: $.x}}]
        """,
    )

    assert [(item.code, item.marked) for item in found] == [
        ("duplicate-name", "workspace"),
        ("duplicate-name", "topics"),
        ("duplicate-name", "page_size"),
        ("duplicate-name", "topics"),
    ]


def test_a_variable_may_write_the_state() -> None:
    """Extracting into a state name is how state changes; it isn't forgotten."""
    graph = compiled(
        """
        users:
          A:
            state: {token: null}
            steps: [{get: /, extract: {token: $.token, page: $.page}}]
        """
    )

    assert graph.users[0].iteration_names == ("page",)


def test_names_of_on_start_last_and_those_of_iterations_are_forgotten() -> None:
    """The engine deletes `iteration_names` when an iteration ends, and no others."""
    graph = compiled(
        """
        users:
          A:
            on_start: [{set: {a: 1}}]
            tasks: [{task: t, steps: [{set: {a: 2, b: 3}}, {get: /, extract: {c: $.c}}]}]
        """
    )

    assert graph.users[0].iteration_names == ("b", "c")


@pytest.mark.parametrize(
    ("where", "section"),
    [
        ("wait", "users: {A: {wait: '${user.id}', tasks: [{get: /}]}}"),
        ("weight", "users: {A: {weight: '${user.id}', tasks: [{get: /}]}}"),
        ("duration", "stages: [{duration: '${user.id}', users: 1}]"),
    ],
)
def test_what_shapes_the_load_knows_no_user(where: str, section: str) -> None:
    """It must be known before the first user starts."""
    [found] = findings(section)

    assert (found.marked, found.message) == ("user.id", "`user` has no value here"), where


@pytest.mark.parametrize(
    "key",
    ['base_url: "http://${token}"', 'base_url: "http://shop.test", headers: {X: "${token}"}'],
)
def test_settings_of_requests_may_read_what_each_request_may(key: str) -> None:
    """They are part of every request; the state of its user is known to all of them."""
    users = "users: {A: {state: {token: t}, steps: [{get: /}]}}"

    assert compiled(f"http: {{{key}}}", users).users
    assert compiled(
        f"users: {{A: {{state: {{token: t}}, http: {{{key}}}, steps: [{{get: /}}]}}}}"
    ).users

    [found] = findings(f"http: {{{key}}}", users, "setup: [{post: /reset}]")
    assert (found.marked, found.message) == ("token", "unknown name `token`")


@pytest.mark.parametrize(
    ("block", "login"),
    [
        ('auth: {bearer: "${token}"}', "auth: none"),
        ('auth: {bearer: "${token}"}', "headers: {authorization: null}"),
        ('auth: {api_key: {header: X, value: "${token}"}}', "auth: {bearer: a}"),
        ('headers: {X-Token: "${token}"}', "headers: {x-token: none}"),
    ],
)
def test_a_request_does_not_read_the_settings_that_it_replaces(block: str, login: str) -> None:
    """So a login can set what all others send."""
    users = "users: {A: {%s on_start: [{post: /in, %s extract: {token: $.t}}], steps: [{get: /}]}}"

    assert compiled(f"http: {{{block}, base_url: 'http://a'}}", users % ("", f"{login},")).users
    assert compiled(users % (f"http: {{{block}}},", f"{login},")).users

    [found] = findings(users % (f"http: {{{block}}},", ""))
    assert (found.marked, found.message) == ("token", "unknown name `token`")
    assert "uses this before `token` has a value" in found.hint


def test_a_class_does_not_read_the_settings_that_it_replaces() -> None:
    """Its own header, credentials or base_url stand for those of the plan."""
    block = 'base_url: "http://${a}", headers: {X: "${b}"}, auth: {bearer: "${c}"}'
    own = "http: {base_url: 'http://b.test', headers: {x: 1}, auth: none}"

    assert compiled(f"http: {{{block}}}", f"users: {{A: {{{own}, steps: [{{get: /}}]}}}}").users


def test_a_header_of_all_requests_does_not_read_an_earlier_reply() -> None:
    """Which reply that is would depend on the way a user takes."""
    [found] = findings(
        'http: {base_url: "http://shop.test", headers: {X: "${json.id}"}}',
        steps("get: /", "get: /b"),
    )

    assert (found.marked, found.message) == ("json.id", "`json` needs a request before it")


def test_a_directory_for_reports_takes_params_and_the_id_of_the_run() -> None:
    """It is made before the load, and nothing of a user is known then."""
    directory = compiled(PARAMS, 'report: {dir: "out/${workspace}-${run.id}"}').report.directory
    assert directory is not None
    assert directory({"run": {"id": "77"}}) == "out/w1-77"

    for wrong in ("user.id", "rand.text(3)", "run.dir", "wrkspace"):
        [found] = findings(PARAMS, f'report: {{dir: "out/${{{wrong}}}"}}')
        assert found.code in ("unknown-name", "not-allowed")


def test_the_name_of_a_plan_takes_params() -> None:
    """So do its description and the file of its baseline; what a user knows has no value there."""
    graph = compiled(PARAMS, "name: stress of ${workspace}", 'baseline: "base/${workspace}.json"')
    assert (graph.name, graph.slug, graph.baseline) == (
        "stress of w1",
        "stress-of-w1",
        "base/w1.json",
    )

    [found] = findings("name: stress ${user.id}")
    assert (found.marked, found.message) == ("user.id", "`user` has no value here")


def test_a_tag_in_a_list_is_no_template() -> None:
    """It would be a name that thresholds can't know; with a key it can be one."""
    [found] = findings(steps('{get: /, tags: ["${rand.int(1, 2)}"]}'))

    assert (found.code, found.message) == ("not-allowed", "a tag in a list is literal text")
