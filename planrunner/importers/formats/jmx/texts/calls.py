"""JMeter's functions, each with the expression that does the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.jmx.texts.conditions import expression_of
from planrunner.importers.formats.jmx.texts.functions import JmxCall, JmxResolver, JmxUnknown
from planrunner.importers.formats.jmx.texts.variables import JmxValue, JmxVariables, quoted

__all__ = ["CALLS", "resolver_of"]


def _property(call: JmxCall) -> JmxValue:
    value = _param(call, call.raw(1) if len(call.arguments) > 1 else "1")
    if len(call.arguments) < 2:
        call.resolver.variables.plan.unset.add(value.code)
    return value


def _long_property(call: JmxCall) -> JmxValue:
    return _param(call, call.raw(2) if len(call.arguments) > 2 else call.raw(0))


def _param(call: JmxCall, default: str) -> JmxValue:
    name = call.raw(0).strip()
    variables = call.resolver.variables
    if not name or "${" in name:
        raise JmxUnknown
    found = variables.find(f"property {name}")
    if found is not None:
        return found
    if "${" in default:
        value = call.resolver.expression(default, call.construct, call.depth)
        if not value.is_static:
            raise JmxUnknown
        default = f"${{{value.code}}}"
    return variables.plan.property(name, default, call.construct.place)


def _environment(call: JmxCall) -> JmxValue:
    value = call.resolver.variables.plan.property(
        call.raw(0).strip(), call.raw(2), call.construct.place
    )
    spec = call.resolver.variables.plan.params[value.code].spec
    assert isinstance(spec, dict)
    spec["env"] = call.raw(0).strip()
    return value


def _time(call: JmxCall) -> JmxValue:
    pattern = call.raw(0).strip()
    divisor = re.fullmatch(r"/(\d+)", pattern)
    if not pattern:
        value = JmxValue("((now() * 1000) | int)", "int")
    elif divisor:
        by = max(int(divisor[1]), 1)
        value = JmxValue(
            "(now() | int)" if by == 1000 else f"((now() * 1000) | int) // {by}", "int"
        )
    else:
        value = JmxValue(_date(pattern, 0), "text")
    return call.named(1, value)


def _time_shift(call: JmxCall) -> JmxValue:
    pattern, given = call.raw(0).strip(), call.raw(1).strip()
    if given:
        raise JmxUnknown
    offset = _seconds(call.raw(2).strip())
    if not pattern:
        return call.named(4, JmxValue(f"((now() * 1000) | int) + {offset * 1000}", "int"))
    return call.named(4, JmxValue(_date(pattern, offset), "text"))


def _random(call: JmxCall) -> JmxValue:
    return call.named(2, JmxValue(f"rand.int({call.whole(0)}, {call.whole(1)})", "int"))


def _random_text(call: JmxCall) -> JmxValue:
    length, letters = call.raw(0).strip(), call.raw(1).strip()
    if letters.isdigit() and length.isdigit() and 0 < int(length) <= 15:
        size = int(length)
        code = f"'%0{size}d' % rand.int(0, {10**size - 1})"
        exact = set(letters) == set("0123456789")
    else:
        helper = "rand.lower" if re.fullmatch("[a-z]+", letters) else "rand.text"
        code = f"{helper}({call.whole(0)})"
        exact = not letters or len(set(letters)) >= 26
    if not exact or (letters and not letters.isalnum()):
        call.construct.changed("`__RandomString` draws other characters here: letters and digits")
    return call.named(2, JmxValue(code, "text"))


def _digest(call: JmxCall) -> JmxValue:
    algorithm = call.raw(0).strip().lower().replace("-", "")
    if algorithm not in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        raise JmxUnknown
    salt = f" ~ {call.text(2)}" if call.raw(2).strip() else ""
    upper = " | upper" if call.raw(3).strip().lower() == "true" else ""
    value = JmxValue(f"({call.text(1)}{salt}) | hash('{algorithm}'){upper}", "text")
    return call.named(4, value)


def _case(call: JmxCall) -> JmxValue:
    mode = {"lower": "lower", "capitalize": "capitalize"}.get(call.raw(1).strip().lower(), "upper")
    return call.named(2, JmxValue(f"{call.text(0)} | {mode}", "text"))


def _sum(call: JmxCall) -> JmxValue:
    numbers = list(call.arguments)
    if len(numbers) > 2 and not re.fullmatch(r"\s*-?\d+\s*|.*\$\{.*", numbers[-1], re.DOTALL):
        numbers.pop()
    code = " + ".join(call.whole(number) for number in range(len(numbers)))
    return call.named(len(numbers), JmxValue(f"({code})", "int"))


def _choice(call: JmxCall) -> JmxValue:
    count = max(len(call.arguments) - 1, 1)
    items = ", ".join(call.value(number).code for number in range(count))
    return call.named(count, JmxValue(f"rand.choice([{items}])"))


def _choice_of_names(call: JmxCall) -> JmxValue:
    names = [f"${{{name.strip()}}}" for name in call.raw(0).split("|")]
    codes = [call.resolver.expression(one, call.construct, call.depth).code for one in names]
    return call.named(1, JmxValue(f"rand.choice([{', '.join(codes)}])"))


def _variable(call: JmxCall) -> JmxValue:
    """`__V`: a variable whose name is computed; one of an extractor's matches by number."""
    raw = call.raw(0)
    if "${" not in raw:
        return call.resolver.expression(f"${{{raw.strip()}}}", call.construct, call.depth)
    found = re.fullmatch(r"(\w+)_(\$\{.*\})", raw.strip(), re.DOTALL)
    variables = call.resolver.variables
    if found is None or found[1] not in variables.lists:
        raise JmxUnknown
    name = variables.find(found[1])
    number = call.resolver.expression(found[2], call.construct, call.depth)
    assert name is not None
    return JmxValue(f"{name.code}[(({number.code}) | int) - 1]")


def _counter(call: JmxCall) -> JmxValue:
    own = call.raw(0).strip().lower() == "true"
    if call.resolver.variables.loops:
        call.construct.changed("it counts iterations, not the rounds of a loop")
    return call.named(1, _iteration(call, own=own, first=1))


def _iteration(call: JmxCall, *, own: bool, first: int) -> JmxValue:
    if call.resolver.variables.is_setup:
        return JmxValue(str(first), "int")
    return JmxValue(f"({'user.' if own else ''}iteration + {first})", "int")


def _thread(call: JmxCall) -> JmxValue:
    return JmxValue("1" if call.resolver.variables.is_setup else "(user.id + 1)", "int")


def _script(call: JmxCall) -> JmxValue:
    found = expression_of(",".join(call.arguments[:1]), call.resolver, call.construct)
    if found is None:
        raise JmxUnknown
    return call.named(1, found)


def _is_defined(call: JmxCall) -> JmxValue:
    raw = call.raw(0).strip()
    found = call.resolver.variables.find(raw)
    if found is None:
        return JmxValue("false", "bool")
    return JmxValue(f"({found.code} != '')", "bool")


def _substring(call: JmxCall) -> JmxValue:
    return call.named(3, JmxValue(f"{call.text(0)}[{call.whole(1)}:{call.whole(2)}]", "text"))


def _filter(name: str, *, variable: int = 9, kind: str = "text") -> Callable[[JmxCall], JmxValue]:
    def read(call: JmxCall) -> JmxValue:
        return call.named(variable, JmxValue(f"({call.text(0)} | {name})", kind))

    return read


def _evaluated(call: JmxCall) -> JmxValue:
    return call.resolver.expression(call.raw(0), call.construct, call.depth)


def _named_value(call: JmxCall) -> JmxValue:
    return call.resolver.expression(f"${{{call.raw(0).strip()}}}", call.construct, call.depth)


CALLS: Final[dict[str, Callable[[JmxCall], JmxValue]]] = {
    "__P": _property,
    "__property": _long_property,
    "__env": _environment,
    "__time": _time,
    "__timeShift": _time_shift,
    "__Random": _random,
    "__RandomString": _random_text,
    "__UUID": lambda call: call.named(0, JmxValue("rand.uuid()", "text")),
    "__threadNum": _thread,
    "__threadGroupName": lambda call: JmxValue(quoted(call.resolver.variables.group), "text"),
    "__TestPlanName": lambda call: JmxValue(quoted("test plan"), "text"),
    "__counter": _counter,
    "__iterationNum": lambda call: _iteration(call, own=True, first=1),
    "__urlencode": _filter("urlencode"),
    "__base64Encode": _filter("b64", variable=1),
    "__md5": _filter("hash('md5')"),
    "__MD5": _filter("hash('md5')", variable=1),
    "__escapeHtml": _filter("escape"),
    "__strLen": _filter("length", variable=1, kind="int"),
    "__uppercase": _filter("upper", variable=1),
    "__lowercase": _filter("lower", variable=1),
    "__trim": _filter("trim", variable=1),
    "__toUpperCase": _filter("upper", variable=1),
    "__toLowerCase": _filter("lower", variable=1),
    "__substring": _substring,
    "__digest": _digest,
    "__changeCase": _case,
    "__intSum": _sum,
    "__longSum": _sum,
    "__chooseRandom": _choice,
    "__RandomFromMultipleVars": _choice_of_names,
    "__V": _variable,
    "__eval": _evaluated,
    "__evalVar": _named_value,
    "__isVarDefined": _is_defined,
    "__jexl2": _script,
    "__jexl3": _script,
    "__jexl": _script,
    "__groovy": _script,
    "__javaScript": _script,
    "__BeanShell": _script,
}


def resolver_of(variables: JmxVariables) -> JmxResolver:
    """Return what translates the texts of a thread group."""
    return JmxResolver(variables, CALLS)


_JAVA: Final = {
    "yyyy": "%Y",
    "yy": "%y",
    "y": "%Y",
    "uuuu": "%Y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "ss": "%S",
    "a": "%p",
    "EEEE": "%A",
    "EEE": "%a",
    "EE": "%a",
    "E": "%a",
    "DDD": "%j",
    "M": "%-m",
    "H": "%-H",
    "XXX": "Z",
    "X": "Z",
    "XX": "Z",
    "Z": "+0000",
    "z": "UTC",
}


def _date(pattern: str, offset: int) -> str:
    """Return the expression for a date; milliseconds are cut from `strftime`'s microseconds."""
    pattern, milliseconds, rest = pattern.partition("SSS")
    form = _format(pattern) + ("%f" if milliseconds else "")
    code = f"date({quoted(form)}{f', {offset}' if offset else ''})"
    if milliseconds:
        code += "[:-3]"
    return f"{code} ~ {quoted(_format(rest))}" if rest else code


def _format(pattern: str) -> str:
    """Return a format of `strftime` for one of Java's.

    Raises:
        JmxUnknown: It has a letter that `strftime` lacks.
    """
    done = []
    for found in re.finditer(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']", pattern):
        if found[1] is not None:
            done.append(found[1].replace("%", "%%") or "'")
        elif found[2] is not None:
            if found[0] not in _JAVA:
                raise JmxUnknown(
                    f"the date format `{pattern[:40]}` has no counterpart: write `date(…)`"
                )
            done.append(_JAVA[found[0]])
        else:
            done.append(found[0].replace("%", "%%"))
    return "".join(done)


def _seconds(shift: str) -> int:
    """Return a duration of ISO 8601 in seconds.

    Raises:
        JmxUnknown: It isn't one.
    """
    found = re.fullmatch(
        r"([-+]?)P(?:([-+]?\d+)D)?(?:T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?\d+)S)?)?",
        shift or "P0D",
        re.IGNORECASE,
    )
    if found is None:
        raise JmxUnknown
    sign = -1 if found[1] == "-" else 1
    days, hours, minutes, seconds = (int(found[number] or 0) for number in (2, 3, 4, 5))
    return sign * (((days * 24 + hours) * 60 + minutes) * 60 + seconds)
