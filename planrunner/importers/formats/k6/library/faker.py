"""Made-up values: `faker` of npm and of the extension, as `fake.…` of a plan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from planrunner.importers.formats.k6.code.calls import NativeCall
from planrunner.importers.formats.k6.state.values import JsArray, JsExpr, JsNative, JsValue
from planrunner.importers.formats.k6.terms.texts import expression

__all__ = ["FAKER", "made_up"]

_WORDS: Final = {
    **dict.fromkeys(("firstname", "first_name"), "fake.first_name()"),
    **dict.fromkeys(("lastname", "last_name"), "fake.last_name()"),
    **dict.fromkeys(("fullname", "findname", "name"), "fake.name()"),
    **dict.fromkeys(("email", "exampleemail"), "fake.email()"),
    **dict.fromkeys(("username", "displayname"), "fake.user_name()"),
    "password": "fake.password()",
    **dict.fromkeys(("phone", "phonenumber", "phoneformatted"), "fake.phone_number()"),
    **dict.fromkeys(("streetaddress", "street", "streetname"), "fake.street_address()"),
    **dict.fromkeys(("city", "cityname"), "fake.city()"),
    **dict.fromkeys(("zipcode", "zip"), "fake.postcode()"),
    "country": "fake.country()",
    **dict.fromkeys(("countrycode", "countryabr"), "fake.country_code()"),
    **dict.fromkeys(("companyname", "company"), "fake.company()"),
    **dict.fromkeys(("jobtitle", "title"), "fake.job()"),
    **dict.fromkeys(("word", "noun", "adjective", "productname", "product"), "fake.word()"),
    **dict.fromkeys(("sentence", "phrase"), "fake.sentence()"),
    **dict.fromkeys(("paragraph", "text", "lines"), "fake.text()"),
    **dict.fromkeys(("url", "domainname"), "fake.url()"),
    **dict.fromkeys(("ip", "ipv4", "ipv4address"), "fake.ipv4()"),
    "useragent": "fake.user_agent()",
    **dict.fromkeys(("creditcardnumber", "number.creditcard"), "fake.credit_card_number()"),
    **dict.fromkeys(("uuid", "guid"), "rand.uuid()"),
    **dict.fromkeys(("boolean", "bool"), "rand.choice([true, false])"),
}


def made_up(call: NativeCall) -> JsValue:
    """Read `faker.person.firstName()` and its like, by the last word."""
    word = call.name.replace("_", "").lower()
    if word in ("intrange", "number", "int", "intbetween") and len(call.arguments) == 2:
        low, high = (expression(one, call.machine) for one in call.arguments)
        return JsExpr(f"rand.int({low}, {high})", "number", draws=True)
    if word in ("arrayelement", "randomstring", "oneof") and call.arguments:
        items = call.argument(0)
        if isinstance(items, JsArray):
            return JsExpr(f"rand.choice({expression(items, call.machine)})", draws=True)
    said = _WORDS.get(word)
    if said is None:
        call.change(f"it is `fake.word()`, not a made-up `{call.name}`")
        said = "fake.word()"
    return JsExpr(said, "text", draws=True)


def _faker(call: NativeCall) -> JsValue:
    """Read `new Faker(seed)`: the values of a plan come from its own seed."""
    del call
    return JsNative("faker")


FAKER: Final[dict[str, Callable[[NativeCall], JsValue]]] = {
    "faker.*": made_up,
    "faker.Faker": _faker,
    "faker.default.Faker": _faker,
}
