"""What holds for the steps of every protocol, whichever it is."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from planrunner.errors import UsageError
from planrunner.graph.run_graph import RequestNode, walk_steps
from planrunner.plan.models.steps import StepModel
from planrunner.protocols import registry
from planrunner.protocols.plugin import GROUP, Plugin, resolve
from tests.support.plan_models import found_in
from tests.support.plans import compiled, findings

SETTINGS = """
http: {base_url: "http://127.0.0.1:1"}
etcd: {endpoints: ["127.0.0.1:1"]}
sql: {url: "sqlite:///never.db"}
grpc: {target: "127.0.0.1:1", reflection: true}
"""
ASKING = [
    plugin
    for plugin in registry.builtin().values()
    if not plugin.is_beside or plugin.compile_probe is not None  # functions and commands ask nobody
]
ACTIONS = [
    (plugin, word, action.example.replace("${id}", "7"))
    for plugin in ASKING
    for word, action in plugin.actions.items()
]
NAMES = [word for _, word, _ in ACTIONS]
every_action = pytest.mark.parametrize(("plugin", "word", "example"), ACTIONS, ids=NAMES)
ALONE = [one for one in ACTIONS if one[0].actions[one[1]].connection in ("", "opens")]
every_request = pytest.mark.parametrize(  # that needs none before it
    ("plugin", "word", "example"), ALONE, ids=[word for _, word, _ in ALONE]
)


def step(plugin: Plugin, word: str, example: str, *keys: str) -> str:
    """Return a step with more keys, where its protocol has them: beside the action or below it."""
    if plugin.is_beside:
        return f"{{{', '.join((f'{word}: {example}', *keys))}}}"
    return f"{{{word}: {{{', '.join((example[1:-1], *keys))}}}}}"


def users(*steps: str) -> str:
    return "users: {A: {steps: [" + ", ".join(steps) + "]}}"


def requests(*steps: str) -> list[RequestNode]:
    graph = compiled(SETTINGS, users(*steps))
    steps = walk_steps(graph.users[0].tasks[0].steps)
    return [node for node in steps if isinstance(node, RequestNode)]


@every_request
def test_a_loop_may_end_by_what_its_own_request_extracts(
    plugin: Plugin, word: str, example: str
) -> None:
    """The condition is looked at before the first round, and after each."""
    if "extract" in example:
        example = example.replace(", extract: {lease_id: $.ID}", "")
    request = step(plugin, word, example, "extract: {next: $.next}")
    loop = f"{{while: \"next is not defined or next != ''\", do: [{request}]}}"

    assert requests(loop)[0].exchange.extracted == ("next",)


@every_request
def test_a_loop_may_read_the_reply_of_the_round_before(
    plugin: Plugin, word: str, example: str
) -> None:
    """Each step of a body is on the way to all others."""
    request = step(plugin, word, example)

    assert requests(f"{{repeat: 3, do: [{{log: '${{json.count}}'}}, {request}]}}")


@every_request
def test_what_is_not_measured_is_no_result(plugin: Plugin, word: str, example: str) -> None:
    """`measure` stands where the other keys of the request stand."""
    (request,) = requests(step(plugin, word, example, "measure: false"))

    assert not request.measured


@every_request
def test_a_request_can_be_polled_and_sent_beside_others(
    plugin: Plugin, word: str, example: str
) -> None:
    """Whoever waits for a key waits as for a page."""
    request = step(plugin, word, example)

    assert len(requests(f"{{poll: {request}, until: status == 0}}")) == 1
    assert len(requests(f"{{parallel: [{request}, {request}]}}")) == 2


@every_request
def test_a_request_can_be_preflight(plugin: Plugin, word: str, example: str) -> None:
    """What must hold before any load is asked in any protocol."""
    graph = compiled(SETTINGS, f"preflight: [{step(plugin, word, example)}]")

    assert [node.exchange.protocol for node in graph.preflight] == [plugin.name]


@every_request
def test_a_request_can_be_a_task(plugin: Plugin, word: str, example: str) -> None:
    """With its weight beside it; the task is called as the request is."""
    written = step(plugin, word, example)[1:-1]
    graph = compiled(SETTINGS, f"users: {{A: {{tasks: [{{{written}, weight: 3}}]}}}}")
    (task,) = graph.users[0].tasks
    (node,) = task.steps

    assert isinstance(node, RequestNode)
    assert (task.weight, task.name) == (3, node.name)


@pytest.mark.parametrize(
    ("key", "value"), [("name", "x"), ("tags", "[x]"), ("timeout", "5s"), ("measure", "false")]
)
@every_action
def test_a_key_beside_an_action_belongs_into_it(
    plugin: Plugin, word: str, example: str, key: str, value: str
) -> None:
    """Where the keys of a protocol stand below the action, the finding says so, and it is true."""
    if plugin.is_beside:
        return
    (fault,) = found_in(StepModel, f"{{{word}: {example}, {key}: {value}}}")

    assert fault.hint == f"put it into `{word}:`"
    assert key in resolve(plugin.actions[word].model).model_fields


@pytest.mark.parametrize("plugin", ASKING, ids=lambda one: one.name)
def test_settings_of_a_class_go_over_those_of_the_plan(plugin: Plugin) -> None:
    """Its requests have a client of their own."""
    assert plugin.settings is not None
    own = plugin.settings.class_example or plugin.settings.example
    word, action = next(iter(plugin.actions.items()))
    request = step(plugin, word, action.example.replace("${id}", "7"))
    graph = compiled(
        SETTINGS,
        f"users: {{A: {{steps: [{request}]}}, B: {{{plugin.name}: {own}, steps: [{request}]}}}}",
    )
    (mine,), (theirs,) = (user.tasks[0].steps for user in graph.users)

    assert isinstance(mine, RequestNode)
    assert isinstance(theirs, RequestNode)
    assert mine.exchange.protocol == plugin.name
    assert theirs.exchange.protocol == f"{plugin.name}:B"
    assert graph.settings[f"{plugin.name}:B"] != graph.settings[plugin.name]


@every_request
def test_missing_settings_are_said_at_the_step(plugin: Plugin, word: str, example: str) -> None:
    """With what to add, for protocols that can't do without."""
    assert plugin.settings is not None
    if not plugin.settings.missing:
        return
    (finding,) = findings(users(step(plugin, word, example)))

    assert finding.message == plugin.settings.missing
    assert finding.hint == plugin.settings.missing_hint


@pytest.mark.parametrize("plugin", ASKING, ids=lambda one: one.name)
def test_the_built_in_ones_fit_through_the_door_of_packages(plugin: Plugin) -> None:
    """An entry point leads to the same record as the look into the folder."""
    entry = EntryPoint(plugin.name, f"planrunner.protocols.{plugin.name}.plugin:PLUGIN", GROUP)

    assert registry.load_entries([entry]) == {plugin.name: plugin}


@pytest.mark.parametrize("plugin", registry.builtin().values(), ids=lambda one: one.name)
def test_everything_that_a_record_names_is_there(plugin: Plugin) -> None:
    """Names that are imported late are right all the same."""
    for name in (
        *(action.model for action in plugin.actions.values()),
        *plugin.clients.values(),
        *([plugin.settings.model] if plugin.settings is not None else []),
    ):
        assert callable(resolve(name))
    for status in range(-1, 600):
        assert plugin.status_text(status)
    assert plugin.failures


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package:PLUGIN", "ModuleNotFoundError"),
        ("planrunner.errors:UsageError", "it is not a `Plugin`"),
    ],
)
def test_a_broken_package_is_named(value: str, reason: str) -> None:
    """The message says which, and what to do."""
    with pytest.raises(UsageError, match="the installed protocol `broken` can't be used") as failed:
        registry.load_entries([EntryPoint("broken", value, GROUP)])

    assert reason in failed.value.message
    assert "uninstall" in failed.value.hint
