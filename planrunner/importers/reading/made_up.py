"""Made-up values: the words of the libraries called faker, as `fake.…` of a plan."""

from __future__ import annotations

from typing import Final

__all__ = ["made_up_value"]

_WORDS: Final = {
    **dict.fromkeys(("firstname",), "fake.first_name()"),
    **dict.fromkeys(("lastname",), "fake.last_name()"),
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


def made_up_value(word: str) -> str | None:
    """Return the expression for a word such as `firstName` or `first_name`; None for others."""
    return _WORDS.get(word.replace("_", "").lower())
