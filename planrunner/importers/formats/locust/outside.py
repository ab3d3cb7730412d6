"""Code outside of the users' tasks: listeners, helpers that nobody calls, how to start Locust."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from planrunner.importers.formats.locust.code.module import LocustFunction, LocustModule, dotted

__all__ = ["command_options", "judge_the_rest"]

_QUIET: Final = (
    "logging.getLogger", "logging.basicConfig", "urllib3.disable_warnings", "setup_logging",
    "dotenv.load_dotenv", "run_single_user", "locust.run_single_user", "warnings.filterwarnings",
    "super", "faker.Faker", "random.seed", "logging.getLogger.setLevel", "logging.StreamHandler",
    "locust.log.setup_logging", "sys.path.append", "sys.path.insert", "threading.Lock",
    "threading.RLock", "gevent.lock.Semaphore", "gevent.lock.BoundedSemaphore",
)  # fmt: skip
_REPORTS: Final = frozenset(
    {"print", "len", "max", "min", "sorted", "round", "sum", "str", "int", "float", "range",
     "isinstance", "hasattr", "getattr", "enumerate", "zip", "list", "dict", "set", "any", "all",
     "format", "abs", "append", "get", "items", "values", "keys", "join", "strftime",
     "isoformat", "get_response_time_percentile", "get_current_response_time_percentile", "time",
     "now", "utcnow", "today", "info", "warning", "error", "debug", "exception", "critical",
     "upper", "lower", "replace", "split", "strip", "ljust", "rjust", "center", "startswith",
     "endswith", "total_seconds", "defaultdict", "Counter", "mean", "median", "stdev",
     "quantiles", "fail_ratio", "perf_counter", "monotonic", "extend", "update", "clear", "Lock",
     "RLock", "deque", "bool", "tuple", "reversed", "acquire", "release", "tabulate",
     "percentile", "setLevel", "getLogger", "fromtimestamp", "writerow", "dirname", "abspath",
     "basename", "Path", "resolve"}
)  # fmt: skip
"""The last words of calls that only count, compute and print."""

_CALLED: Final = ("on_start", "on_stop", "__init__", "wait_time", "tick", "setup", "teardown",
                  "wait", "__call__", "__enter__", "__exit__", "context", "run")  # fmt: skip
_LISTENER: Final = "a listener of Locust's; see `setup`, `thresholds` and `outputs` of the plan"
_DEAD: Final = "nothing in these files calls this function"


def command_options(module: LocustModule) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the options of the command line that listeners add, as params."""
    for function in module.functions.values():
        for node in ast.walk(function):
            if not (isinstance(node, ast.Call) and dotted(node.func).endswith(".add_argument")):
                continue
            named = [one.value for one in node.args if isinstance(one, ast.Constant)]
            flags = [one for one in named if isinstance(one, str) and one.startswith("--")]
            if flags:
                given = {one.arg: one.value for one in node.keywords if one.arg}
                spec: dict[str, object] = {"type": "str", "default": ""}
                for key, name in (("default", "default"), ("help", "help"), ("env_var", "env")):
                    said = given.get(key)
                    if isinstance(said, ast.Constant) and said.value is not None:
                        spec[name] = str(said.value)
                yield flags[0].removeprefix("--").replace("-", "_"), spec
                module.accept(node)


def judge_the_rest(module: LocustModule) -> None:
    """Judge calls outside of the users' code."""
    read = _names_read(module)
    for part in [*module.loose, *module.classes.values(), *module.assigned]:
        _accept_quiet(module, part)
    for name, constant in module.constants.items():
        if name not in read:  # nothing that the plan does depends on it
            _judge_reports(module, constant, "nothing of the plan uses it")
    for function in module.functions.values():
        if any("events." in ast.unparse(one) for one in function.decorator_list):
            module.accept(*function.decorator_list)
            for statement in function.body:
                _judge_reports(module, statement, _LISTENER)
    for node in module.loose:
        _judge_loose(module, node)
    _judge_helpers(module)
    _judge_methods(module)


def _judge_loose(module: LocustModule, node: ast.stmt) -> None:
    if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
        module.accept(node)  # how to start Locust, which nobody needs any more
    elif isinstance(node, ast.Expr) and "events." in ast.unparse(node):
        _judge_listener(module, node)


def _accept_quiet(module: LocustModule, node: ast.AST) -> None:
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and one in module.calls:
            name = module.full_name(one.func)
            if name in _QUIET or (
                isinstance(one.func, ast.Attribute) and one.func.attr == "setLevel"
            ):
                module.accept(one)


def _names_read(module: LocustModule) -> set[str]:
    """Return the names that the users' classes, and functions that they call, read."""
    waiting: list[ast.AST] = list(module.classes.values())
    read: set[str] = set()
    while waiting:
        for one in ast.walk(waiting.pop()):
            if isinstance(one, ast.Name) and one.id not in read:
                read.add(one.id)
                below = module.functions.get(one.id) or module.constants.get(one.id)
                waiting += [below] if below is not None else []
    return read


def _judge_listener(module: LocustModule, node: ast.Expr) -> None:
    """Judge `events.request.add_listener(function)`."""
    call = node.value
    for one in call.args if isinstance(call, ast.Call) else []:
        function = module.functions.get(one.id) if isinstance(one, ast.Name) else None
        for statement in function.body if function is not None else []:
            _judge_reports(module, statement, _LISTENER)
    _judge_reports(module, node, _LISTENER, "add_listener")


def _judge_reports(module: LocustModule, node: ast.AST, why: str, *more: str) -> None:
    """Judge code that runs beside the load: what only prints is what reports are for."""
    for one in ast.walk(node):
        if not (isinstance(one, ast.Call) and one in module.calls):
            continue
        if module.calls[one].fate is not None:
            continue
        if _is_report(module, one, more, 0):
            module.calls[one].translated()
        else:
            module.calls[one].left_out(why)


def _is_report(module: LocustModule, call: ast.Call, more: tuple[str, ...], depth: int) -> bool:
    func = call.func
    word = func.attr if isinstance(func, ast.Attribute) else dotted(func)
    name = module.full_name(func)
    if word in module.functions and depth < 5:
        return all(
            _is_report(module, one, more, depth + 1)
            for one in ast.walk(module.functions[word])
            if isinstance(one, ast.Call)
        )
    is_sent = name.startswith(("requests.", "httpx.", "urllib.", "client.", "self.client."))
    return (word in (*_REPORTS, *more) or name in ("os.getenv", "os.environ.get")) and not is_sent


def _judge_helpers(module: LocustModule) -> None:
    """Judge functions that only listeners call, or nobody."""
    read = _names_read(module)
    for name, function in module.functions.items():
        if name in read or function.decorator_list:
            continue
        is_called = any(
            isinstance(one, ast.Name) and one.id == name
            for other in [*module.functions.values(), *module.loose, *module.constants.values()]
            if other is not function
            for one in ast.walk(other)
        )
        if is_called:
            _judge_reports(module, function, _LISTENER)
        else:
            _call_dead(module, function)


def _judge_methods(module: LocustModule) -> None:
    """Judge methods of users that nothing names, as Locust calls only some by itself."""
    named = {
        word
        for tree in module.trees
        for one in ast.walk(tree)
        for word in (getattr(one, "attr", None), getattr(one, "id", None))
    }
    for node in module.classes.values():
        for one in node.body:
            if not isinstance(one, LocustFunction) or one.decorator_list:
                continue
            if one.name not in {*named, *_CALLED}:
                _call_dead(module, one)


def _call_dead(module: LocustModule, function: LocustFunction) -> None:
    for construct in module.within([function]):
        if construct.fate is None:
            construct.suspicious(_DEAD)
