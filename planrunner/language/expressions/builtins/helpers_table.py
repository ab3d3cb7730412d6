"""Names that every plan has: what the run provides, and helpers that are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from planrunner.language.expressions.described import Described

__all__ = ["CALLED", "FAKES", "METHODS", "PROVIDED"]

PROVIDED: Final = (
    Described(
        "iteration",
        "iteration",
        "the number of the iteration in its phase, from 0, unique over all users",
        "iteration % 10",
        "2",
    ),
    Described(
        "user",
        "user.id, user.class, user.iteration",
        "the virtual user: its number, the name of its class, and the number of its own "
        "iteration, from 0",
        "'buyer-' ~ user.id",
        "buyer-3",
    ),
    Described("phase", "phase.name", "the phase that runs", "phase.name", "peak"),
    Described(
        "run",
        "run.id, run.dir, run.seed",
        "the run: its id, its directory, and its random seed",
        "'order-' ~ run.id",
        "order-a1b2c3",
    ),
    Described(
        "services",
        "services.NAME.port, services.NAME.url, services.NAME.address, services.NAME.dir",
        "a service of the plan: where it listens, and its own directory",
        "services.shop.url",
        "http://127.0.0.1:8080",
    ),
    Described(
        "files",
        "files.NAME.path, files.NAME.rows, files.NAME.bytes, files.NAME.format",
        "a file that the plan lets planrunner write before the load: where it is, and how large",
        "files.orders.path",
        "/tmp/reports/shop/files/orders.csv",
    ),
    Described(
        "pool",
        "pool.NAME",
        "the elements of a pool that the users of a worker share, as a list",
        "pool.orders | length",
        "3",
    ),
    Described(
        "status",
        "status",
        "the status of the last reply; like the three below in `expect`, `extract`, `tags` and "
        "later steps",
        "status in [200, 201]",
        "true",
    ),
    Described(
        "headers",
        "headers",
        "the headers of the last reply, by name in upper or lower case",
        "headers['Content-Type']",
        "application/json",
    ),
    Described("body", "body", "the body of the last reply as text", "body | length", "20"),
    Described(
        "json",
        "json",
        "the body of the last reply as JSON; undefined if it isn't JSON",
        "json.items[0].id",
        "7",
    ),
)
"""What a run knows; where each has a value is for `compiler/names`."""

CALLED: Final = (
    Described(
        "now", "now()", "seconds since 1970 in UTC, with a fraction", "now() | int", "1795262400"
    ),
    Described(
        "date",
        "date(format = 'ISO', offset = 0)",
        "now as text in UTC; `format` is that of `strftime`, and `offset`, in seconds or such as "
        "`'-1h'`, is added",
        "date('%Y-%m-%d', '24h')",
    ),
    Described(
        "range", "range(start, stop, step)", "whole numbers below `stop`", "range(1, 4)", "[1,2,3]"
    ),
    Described(
        "dict",
        "dict(name = value, …)",
        "a mapping",
        "dict(id=7, tag='a')",
        '{"id":7,"tag":"a"}',
    ),
)
"""Helpers that are called by themselves."""

METHODS: Final[Mapping[str, tuple[Described, ...]]] = {
    "rand": (
        Described(
            "choice",
            "rand.choice(items)",
            "one item of a list, character of a text or key of a mapping",
            "rand.choice(['a', 'b'])",
        ),
        Described(
            "float", "rand.float(low, high)", "a number from `low` to `high`", "rand.float(0, 1)"
        ),
        Described(
            "int",
            "rand.int(low, high)",
            "a whole number from `low` to `high`, both included",
            "rand.int(1, 500)",
        ),
        Described("lower", "rand.lower(length)", "lower-case ASCII letters", "rand.lower(8)"),
        Described(
            "sample",
            "rand.sample(items, count)",
            "`count` different items of a list, in random order",
            "rand.sample([1, 2, 3], 2)",
        ),
        Described(
            "shuffle",
            "rand.shuffle(items)",
            "the items of a list in random order",
            "rand.shuffle([1, 2, 3])",
        ),
        Described("text", "rand.text(length)", "ASCII letters and digits", "rand.text(12)"),
        Described("uuid", "rand.uuid()", "a random UUID (version 4)", "rand.uuid()"),
        Described(
            "weighted",
            "rand.weighted({item: weight, …})",
            "one of the keys, as often as its weight says",
            "rand.weighted({'a': 3, 'b': 1})",
        ),
    )
}
"""Every method that a plan can reach; nothing else of a helper object is visible."""

FAKES: Final = (
    Described("name", "fake.name()", "a person's name", "fake.name()"),
    Described("first_name", "fake.first_name()", "a first name", "fake.first_name()"),
    Described("last_name", "fake.last_name()", "a last name", "fake.last_name()"),
    Described("email", "fake.email()", "an e-mail address of a reserved domain", "fake.email()"),
    Described("user_name", "fake.user_name()", "a login", "fake.user_name()"),
    Described("password", "fake.password(length = 10)", "a password", "fake.password(length=16)"),
    Described("phone_number", "fake.phone_number()", "a telephone number", "fake.phone_number()"),
    Described("address", "fake.address()", "an address of two lines", "fake.address()"),
    Described(
        "street_address", "fake.street_address()", "a street and a number", "fake.street_address()"
    ),
    Described("city", "fake.city()", "a city", "fake.city()"),
    Described("postcode", "fake.postcode()", "a postal code", "fake.postcode()"),
    Described("country", "fake.country()", "a country", "fake.country()"),
    Described(
        "country_code", "fake.country_code()", "a country's two letters", "fake.country_code()"
    ),
    Described("company", "fake.company()", "a company's name", "fake.company()"),
    Described("job", "fake.job()", "a job title", "fake.job()"),
    Described("word", "fake.word()", "a word", "fake.word()"),
    Described("words", "fake.words(nb = 3)", "a list of words", "fake.words(nb=2)"),
    Described("sentence", "fake.sentence(nb_words = 6)", "a sentence", "fake.sentence()"),
    Described(
        "text", "fake.text(max_nb_chars = 200)", "a short text", "fake.text(max_nb_chars=80)"
    ),
    Described(
        "date", "fake.date(pattern = '%Y-%m-%d')", "a date since 1970, as text", "fake.date()"
    ),
    Described(
        "date_of_birth",
        "fake.date_of_birth(minimum_age = 0, maximum_age = 115)",
        "a date, as text",
        "fake.date_of_birth(minimum_age=18)",
    ),
    Described("url", "fake.url()", "a URL of a made-up host", "fake.url()"),
    Described("ipv4", "fake.ipv4()", "an IPv4 address", "fake.ipv4()"),
    Described("user_agent", "fake.user_agent()", "a browser's user agent", "fake.user_agent()"),
    Described(
        "credit_card_number",
        "fake.credit_card_number()",
        "the number of a card that does not exist",
        "fake.credit_card_number()",
    ),
    Described("ean13", "fake.ean13()", "a product's bar code", "fake.ean13()"),
)
"""The usual ones; the package faker has hundreds more, and all of its standard ones work."""
