"""Are e-mails, web sites, phones, countries, languages and time zones taken as promised, whatever is sent?"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.domain.entities import online, phones
from app.domain.entities.online import normalise_email
from app.domain.entities.values import (
    Country,
    Email,
    Language,
    TimeZone,
    Website,
    countries,
    country_of,
    domain_of,
    normalise_website,
    to_e164,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))
LABELS = st.text("abz019-xn", max_size=8) | st.sampled_from(
    ["xn--muoz-hqa", "a--b", "ab--c", "test", "local", "arpa", "example", "localhost", "onion", "a" * 63, "a" * 64]
)
HOSTS = st.lists(LABELS, min_size=1, max_size=5).map(".".join)
LOCAL_PARTS = st.text("ab.+-_0A", max_size=6) | st.sampled_from(["info", "Info", "a" * 64, "a" * 65])


@pytest.mark.parametrize(
    ("address", "normalised"),
    [
        (" Ana.Ruiz@EXAMPLE.com ", "Ana.Ruiz@example.com"),
        ("a@tienda.example", "a@tienda.example"),
        ("a@tienda.test", "a@tienda.test"),
        ("niño@muñoz.es", "niño@muñoz.es"),
    ],
)
def test_an_email_keeps_its_name_and_lowers_its_domain(address: str, normalised: str) -> None:
    assert TypeAdapter[str](Email).validate_python(address) == normalised


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.es",
        "a@b",
        "a b@c.es",
        "Ana <a@b.es>",
        "a@b.es\x00",
        "a@b.es,c@d.es",
        "a@1.2.3.4",
        "a@[::1]",
        1,
    ],
)
def test_what_is_no_email_is_refused(address: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](Email).validate_python(address)


def test_an_email_has_at_most_254_characters() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](Email).validate_python("a" * 60 + "@" + "b" * 60 + "." + ("c" * 60 + ".") * 3 + "es")


def test_a_refused_email_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter[str](Email).validate_python("secret at nowhere")
    assert "secret" not in refusal.value.errors(include_input=False)[0]["msg"]


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("Example.COM/", "https://example.com"),
        ("http://Example.com", "http://example.com"),
        ("HTTPS://www.example.com:443/", "https://www.example.com"),
        ("http://example.com:8080/A/b/?q=ñ#X", "http://example.com:8080/A/b/?q=%C3%B1#X"),
        ("//example.com.", "https://example.com"),
        ("muñoz.es/año", "https://xn--muoz-hqa.es/a%C3%B1o"),
        ("example.com/?a=%20", "https://example.com/?a=%20"),
        ("example.com/@me", "https://example.com/@me"),
    ],
)
def test_web_sites_are_written_in_one_way(written: str, normalised: str) -> None:
    assert TypeAdapter[str](Website).validate_python(written) == normalised


@pytest.mark.parametrize(
    "written",
    [
        *(
            "",
            "example",
            "localhost",
            "ftp://example.com",
            "javascript:alert(1)",
            "mailto:a@example.com",
            "http:example.com",
        ),
        *(
            "https://ana:secret@example.com",
            "https://@example.com",
            "exam ple.com",
            "https://example.com/a b",
            "1.2.3.4",
        ),
        *("https://[::1]", "https://[", "a_b.com", "-a.com", "example..com", "example.com:99999", "https://a\\b.com"),
        *("https://https://example.com", "example.com/" + "a" * 500, "a." * 200 + "com", "\ud800.com", 1, None),
    ],
)
def test_what_is_no_web_site_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](Website).validate_python(written)


@given(st.one_of(ANY_TEXT, ANY_TEXT.map("example.com/".__add__), ANY_TEXT.map("https://{}.es".format)))
def test_normalising_a_web_site_twice_is_once(text: str) -> None:
    try:
        website = normalise_website(text)
    except ValueError:
        return
    assert website.isascii()
    assert normalise_website(website) == website


@pytest.mark.parametrize(
    "written",
    ["https://www.muñoz.es/a", "WWW.MUÑOZ.ES", "info@muñoz.es", "info@xn--muoz-hqa.es", "https://xn--muoz-hqa.es/@me"],
)
def test_web_sites_and_emails_of_one_domain_have_one_domain(written: str) -> None:
    assert domain_of(written) == "xn--muoz-hqa.es"


def test_a_domain_that_is_called_www_stays_whole() -> None:
    assert domain_of("https://www.es") == "www.es"


@pytest.mark.parametrize(
    ("number", "country", "e164"),
    [
        ("912 345 678", "ES", "+34912345678"),
        ("(0034) 912-345-678", "es", "+34912345678"),
        ("02 1234 5678", "IT", "+390212345678"),
        ("+39 02 1234 5678", None, "+390212345678"),
        ("+44 20 7946 0000", "ES", "+442079460000"),
        ("(202) 555-0143", "US", "+12025550143"),
    ],
)
def test_phones_become_international(number: str, country: str | None, e164: str) -> None:
    assert to_e164(number, country) == e164


@pytest.mark.parametrize(
    ("number", "country", "reason"),
    [
        ("912 345 678", None, r"begin with \+"),
        ("912", "ES", "too few"),
        ("555-0143", "US", "too few"),
        ("+34 912 345 678 9", None, "too many"),
        ("+999 123456", None, "no country code"),
        ("912 345 678", "ZZ", "no country code"),
        ("912 345 678 ext. 5", "ES", "extension"),
        ("call me", "ES", "telephone number"),
        ("", "ES", "telephone number"),
        ("9" * 300, "ES", "telephone number"),
        ("912\x00345678", "ES", "control characters"),
    ],
)
def test_a_refused_phone_says_why(number: str, country: str | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        to_e164(number, country)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("es", "ES"), ("ESP", "ES"), ("España", "ES"), ("espana", "ES"), ("SPAIN", "ES"), ("Spagna", "ES")),
        *(("USA", "US"), ("U.S.A.", "US"), ("EE. UU.", "US"), ("Stati Uniti d’America", "US"), ("UK", "GB")),
        *(("Países Bajos", "NL"), ("The Netherlands", "NL"), ("Costa d'Avorio", "CI"), ("Saint Lucia", "LC")),
        *(("Trinidad and Tobago", "TT"), ("Bosnia-Herzegovina", "BA"), ("South Korea", "KR"), ("Corea del Sur", "KR")),
        *(("Czech Republic", "CZ"), ("Türkiye", "TR"), ("Philippines", "PH"), ("Jordan", "JO"), ("Kosovo", "XK")),
    ],
)
def test_a_country_is_known_by_code_and_by_its_usual_names(text: str, code: str) -> None:
    assert country_of(text) == code


@pytest.mark.parametrize(
    "text", ["Korea", "Corea", "Congo", "Philipines", "", "XX", "EU", "European Union", "World", "419", "Atlantis"]
)
def test_an_ambiguous_or_unknown_country_stays_unknown(text: str) -> None:
    assert country_of(text) is None


def test_there_are_the_countries_of_iso_3166_and_kosovo() -> None:
    assert len(countries()) == 250
    assert "XK" in countries()


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        (Country, " es ", "ES"),
        (Language, "ES", "es"),
        (Language, "pt_br", "pt-BR"),
        (Language, "zh-hant-tw", "zh-Hant-TW"),
        (Language, "es-419", "es-419"),
        (TimeZone, "europe/madrid", "Europe/Madrid"),
        (TimeZone, "UTC", "UTC"),
        (TimeZone, "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ],
)
def test_codes_are_written_in_their_usual_way(kind: Any, sent: str, kept: str) -> None:
    assert TypeAdapter[str](kind).validate_python(sent) == kept


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        *((Country, code) for code in ("", "XX", "EU", "ESP", "Spain", 34)),
        *((Language, tag) for tag in ("", "qq", "es-ZZ", "es-EU", "es-Xxxx", "spanish", "es-ES-x", "e", "es\n-ES", 1)),
        *((TimeZone, zone) for zone in ("", "localtime", "Factory", "CET", "Europe/Atlantis", "../etc/passwd", 0)),
    ],
)
def test_codes_that_do_not_exist_are_refused(kind: Any, sent: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](kind).validate_python(sent)


ALMOST = st.from_regex(r"[+]?[0-9 ().-]{1,20}|[a-z.]{1,8}@[a-zß.-]{1,12}|[a-z]{2,3}[-_][a-z]{2,4}", fullmatch=True)


@given(st.one_of(ANY_TEXT, ALMOST))
def test_any_text_is_accepted_or_refused_but_never_an_accident(text: str) -> None:
    for kind in (Email, Website, Country, Language, TimeZone):
        adapter = TypeAdapter[str](kind)
        try:
            accepted = adapter.validate_python(text)
        except ValidationError:
            continue
        assert adapter.validate_python(accepted) == accepted
    for read in (domain_of, lambda number: to_e164(number, "ES"), lambda number: to_e164(number, None)):
        try:
            assert read(text)
        except UnicodeError:
            pytest.fail("a refusal that repeats the text")
        except ValueError:
            continue
    assert country_of(text) in {None, *countries()}


@given(HOSTS, LOCAL_PARTS)
def test_what_plain_addresses_become_without_the_libraries_is_what_they_say(host: str, local_part: str) -> None:
    asked = [
        *((normalise_website, each) for each in (host, f"{host}.es", f"https://{host}.es", f"https://{host}.es/")),
        *((domain_of, each) for each in (host, f"www.{host}.es", f"{local_part}@{host}.es")),
        *((normalise_email, f"{local_part}@{each}") for each in (host, f"{host}.com")),
    ]
    quick = [_outcome(read, text) for read, text in asked]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(online, "_PLAIN_HOST", re.compile("(?!)"))
        assert [_outcome(read, text) for read, text in asked] == quick


@given(
    st.sampled_from([30, 34, 39, 47, 48, 52, 351, 352, 370, 599, 800, 881, 999, 1, 44, 49, 54, 7])
    | st.integers(1, 999),
    st.text("00123456789", min_size=3, max_size=13),
    st.lists(st.sampled_from(["", "", "", " ", "-"]), min_size=13, max_size=13),
    st.sampled_from([None, "ES", "IT", "US", "MX"]),
)
def test_what_plain_telephones_become_without_the_library_is_what_it_says(
    code: int, digits: str, between: list[str], country: str | None
) -> None:
    number = f"+{code}" + "".join(map("".join, zip(between, digits, strict=False)))
    quick = _outcome(lambda text: to_e164(text, country), number)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phones, "is_plainly_possible", lambda number: False)
        assert _outcome(lambda text: to_e164(text, country), number) == quick


@pytest.mark.parametrize(
    ("number", "plainly"), [("+34912345678", True), ("+390212345678", True), ("+12025550143", False)]
)
def test_what_may_begin_with_what_is_dialled_first_is_not_plain(number: str, plainly: bool) -> None:
    assert phones.is_plainly_possible(number) == plainly


def _outcome(read: Callable[[str], str], text: str) -> str | None:
    try:
        return read(text)
    except ValueError:
        return None
