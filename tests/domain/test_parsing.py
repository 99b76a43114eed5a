"""How files are read: encodings, delimiters, headers, numbers, dates, words for yes and no."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.entities import csv_files
from app.domain.entities.cells import reader
from app.domain.entities.csv_files import decoded, delimiter_of, header_of, rows_of
from app.domain.entities.mapping import ImportOptions
from app.domain.entities.row_errors import printable
from app.errors import Invalid

ZONE = "Europe/Madrid"


def understood(kind: Any, text: str, multiply: Decimal | None = None, **options: Any) -> Any:
    return reader(kind, ImportOptions(**options), ZONE, multiply)(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found(encoding: str) -> None:
    text = "nombre\nMuñoz – Peña\n"
    assert decoded(text.encode(encoding)) == text


def test_a_given_encoding_is_kept_to() -> None:
    assert decoded("Łódź".encode("cp1250"), "cp1250") == "Łódź"
    with pytest.raises(Invalid):
        decoded(b"\xff", "utf-8")


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb\n1,2\t3\n", "\t"),
        ('a|b\n"x|y, z"|2\n', "|"),
        ("only one\nvalue\n", ","),
        ('name;note\n"Muñoz; hijos";"a, b, c"\n', ";"),
    ],
)
def test_the_delimiter_is_the_one_that_fits(text: str, delimiter: str) -> None:
    assert delimiter_of(text) == delimiter


def test_rows_are_numbered_as_a_spreadsheet_does_and_blank_ones_are_left_out() -> None:
    content = b'name,note\r\nAcme,"two\r\nlines"\r\n,\r\nBeta\r\n'
    assert list(rows_of(content, ImportOptions())) == [
        (1, ["name", "note"]),
        (2, ["Acme", "two\r\nlines"]),
        (4, ["Beta"]),
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b",\n1,2\n", b"a,a\n1,2\n", b"a,,c\n1,2,3\n", b"x" * 40_000])
def test_a_file_without_a_good_header_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        list(rows_of(content, ImportOptions()))
    with pytest.raises(Invalid):
        header_of(content, ImportOptions())


def test_the_header_of_a_long_file_is_read_from_its_beginning() -> None:
    content = "año,nombre\n".encode() + "1,Muñoz\n".encode() * 20_000
    assert header_of(content, ImportOptions()) == ["año", "nombre"]


def test_a_file_has_so_many_rows_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MOST_ROWS", 2)
    assert len(list(rows_of(b"a\n1\n2\n", ImportOptions()))) == 3
    with pytest.raises(Invalid, match="rows"):
        list(rows_of(b"a\n1\n2\n3\n", ImportOptions()))


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1234.5", ".", "1234.5"),
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1 234,50 €", ",", "1234.50"),
        ("$ 5", ".", "5"),
        ("EUR 5", ".", "5"),
        ("-3", ".", "-3"),
        (".5", ".", "0.5"),
        ("1'000", ".", "1000"),
    ],
)
def test_numbers_are_read_by_the_decimal_mark(text: str, mark: str, number: str) -> None:
    assert understood("number", text, decimal_mark=mark) == Decimal(number)


@pytest.mark.parametrize("text", ["1,5", "1.2.3", "12,34,567", "many", "1e5", "-", ".", "NaN", "1" * 50, "١"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        understood("number", text)


def test_a_number_is_multiplied_exactly() -> None:
    assert str(understood("number", "1100.04", Decimal(1_000_000))) == "1100040000"
    assert understood("whole", "1.5", Decimal(1000)) == 1500


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("3/1/2017", "mdy", date(2017, 3, 1)),
        ("3/1/2017", "dmy", date(2017, 1, 3)),
        ("03.01.17", "dmy", date(2017, 1, 3)),
        ("1/2/75", "mdy", date(1975, 1, 2)),
        ("2017-03-01", "mdy", date(2017, 3, 1)),
        ("2017/03/01", "dmy", date(2017, 3, 1)),
    ],
)
def test_dates_are_read_in_the_order_that_is_said(text: str, order: str, day: date) -> None:
    assert understood("day", text, date_order=order) == day


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("13/1/2017", "mdy"),
        ("30/2/2017", "dmy"),
        ("1/1", "dmy"),
        ("1/1/201", "dmy"),
        ("3/1/2017", "ymd"),
        ("today", "ymd"),
    ],
)
def test_a_date_that_cannot_be_is_refused(text: str, order: str) -> None:
    with pytest.raises(ValueError):
        understood("day", text, date_order=order)


def test_a_date_without_a_time_is_noon_in_the_companys_zone() -> None:
    noon = understood("instant", "3/1/2017", date_order="mdy")
    assert noon == datetime.fromisoformat("2017-03-01T11:00:00+00:00")
    summer = understood("instant", "7/1/2017 9:30", date_order="mdy")
    assert summer == datetime.fromisoformat("2017-07-01T07:30:00+00:00")
    assert understood("instant", "2017-03-01T10:00:00Z") == "2017-03-01T10:00:00Z"


@pytest.mark.parametrize(("text", "said"), [("Yes", True), ("sí", True), ("VERO", True), ("0", False), ("No", False)])
def test_yes_and_no_are_understood_in_three_languages(text: str, said: bool) -> None:
    assert understood("boolean", text) is said


def test_countries_are_understood_by_name() -> None:
    assert understood("country", "Estados Unidos") == "US"
    assert understood("country", "Philipines") == "Philipines", "what is not understood is left to the field"


def test_several_texts_stand_in_one_cell() -> None:
    assert understood("texts", "a; b,c,,") == ["a", "b", "c"]


def test_a_cell_in_an_error_is_short_and_can_be_stored() -> None:
    assert printable("a\x00b\ud800") == "a\ufffdb?"
    assert len(printable("x" * 1000) or "") == 201
