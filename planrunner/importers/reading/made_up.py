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
    "words": "fake.words() | join(' ')",
    "slug": "fake.slug()",
    **dict.fromkeys(("sentences", "paragraphs"), "fake.text()"),
    "phone.number": "fake.phone_number()",
    "company.name": "fake.company()",
    "catchphrase": "fake.catch_phrase()",
    **dict.fromkeys(("image.url", "imageurl", "avatar"), "fake.image_url()"),
    **dict.fromkeys(("state", "statename"), "fake.state()"),
    "stateabbr": "fake.state_abbr()",
    "latitude": "rand.float(-90, 90) | round(4)",
    "longitude": "rand.float(-180, 180) | round(4)",
    "timezone": "fake.timezone()",
    **dict.fromkeys(("color.human", "commerce.color"), "fake.color_name()"),
    "currencycode": "fake.currency_code()",
    "iban": "fake.iban()",
    "ipv6": "fake.ipv6()",
    "mac": "fake.mac_address()",
    "internet.port": "rand.int(0, 65535)",
    "filename": "fake.file_name()",
    "mimetype": "fake.mime_type()",
    "prefix": "fake.prefix()",
    "date.month": "fake.month_name()",
    "date.weekday": "fake.day_of_week()",
}


def made_up_value(word: str) -> str | None:
    """Return the expression for a word such as `firstName` or `first_name`; None for others."""
    return _WORDS.get(word.replace("_", "").lower())
