"""What is read out of what a visitor sent, without a database."""

import pytest

from app.domain.entities.submitted import page_of, split_name


@pytest.mark.parametrize(
    ("name", "language", "first", "last"),
    [
        ("Ana", "es", "Ana", None),
        ("Ana Ruiz", "es", "Ana", "Ruiz"),
        ("Ana García López", "es", "Ana", "García López"),
        ("María del Carmen García López", "es", "María del Carmen", "García López"),
        ("Juan de la Cruz", "es", "Juan", "de la Cruz"),
        ("José Ortega y Gasset", "es", "José", "Ortega y Gasset"),
        ("Maria Grazia Rossi", "it", "Maria Grazia", "Rossi"),
        ("Anna Dalla Costa", "it", "Anna", "Dalla Costa"),
        ("John van der Berg", "en", "John", "van der Berg"),
        ("García López, Ana", "en", "Ana", "García López"),
        ("de la", "es", "de la", None),
    ],
)
def test_a_name_on_one_line_is_taken_apart(name: str, language: str, first: str, last: str | None) -> None:
    assert split_name(name, language) == (first, last)


@pytest.mark.parametrize(
    ("referer", "page"),
    [
        ("https://acme.example/contact?token=secret#form", "https://acme.example/contact"),
        ("https://ana:secret@acme.example:8443/", "https://acme.example:8443/"),
        ("javascript:alert(1)", None),
        ("http://[::1", None),
        ("\x00", None),
        ("", None),
    ],
)
def test_of_a_page_no_more_is_kept_than_where_it_is(referer: str, page: str | None) -> None:
    assert page_of(referer) == page
