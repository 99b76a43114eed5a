"""Are amounts, counts, instants and dates taken and written as promised, whatever is sent?"""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import validate
from pydantic import TypeAdapter, ValidationError

from app.domain.entities.values import (
    Amount,
    Count,
    Currency,
    Day,
    Instant,
    Percent,
    Price,
    Quantity,
    Rate,
    check_partial_date,
    currencies,
    quantise,
)

AMOUNT: TypeAdapter[Decimal] = TypeAdapter(Amount)
INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
DAY: TypeAdapter[date] = TypeAdapter(Day)
ALL = [TypeAdapter[Any](kind) for kind in (Amount, Price, Quantity, Rate, Percent, Count, Currency, Instant, Day)]


@pytest.mark.parametrize(
    ("given_value", "written"),
    [
        ("1234.50", "1234.50"),
        (" -7 ", "-7"),
        (1234, "1234"),
        (0.1, "0.1"),
        (-0.0, "0.0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.50000000000"), "1.500000"),
        ("999999999999999.999999", "999999999999999.999999"),
    ],
)
def test_amounts_come_as_texts_or_numbers_and_leave_as_texts(given_value: object, written: str) -> None:
    amount = AMOUNT.validate_python(given_value)
    assert AMOUNT.dump_json(amount) == json.dumps(written).encode()


@pytest.mark.parametrize(
    "value",
    [
        *("", "abc", "1e5", "1_000", "1,5", "1.", ".5", "+1", "NaN", "Infinity", "٣", "1000000000000000", "0.0000001"),
        *(
            "9" * 5000,
            pytest.param(10**5000, id="huge"),
            1e300,
            1e-7,
            float("nan"),
            float("inf"),
            Decimal("sNaN"),
            Decimal("1e-999999"),
        ),
        *(Decimal("1e999999"), True, None, [], {}),
    ],
)
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        AMOUNT.validate_python(value)


@given(st.one_of(st.decimals(), st.floats(), st.integers(), st.text()))
def test_every_amount_fits_its_schema(value: object) -> None:
    try:
        amount = AMOUNT.validate_python(value)
    except ValidationError:
        return
    written = AMOUNT.dump_python(amount, mode="json")
    validate(AMOUNT.json_schema(mode="serialization"), written)
    validate(AMOUNT.json_schema(mode="validation"), written)
    assert AMOUNT.validate_python(written) == amount


@pytest.mark.parametrize(
    ("kind", "lowest", "below", "highest", "above"),
    [
        (Price, "0", "-0.01", "999999999999999.99", "1000000000000000"),
        (Quantity, "0.000001", "0", "999999999999999", "1000000000000000"),
        (Rate, "0", "-1", "100", "100.01"),
        (Percent, "0", "-1", "100", "101"),
        (Count, "0", "-1", "2147483647", "2147483648"),
    ],
)
def test_limits_hold_on_both_sides(kind: Any, lowest: str, below: str, highest: str, above: str) -> None:
    adapter = TypeAdapter[Any](kind)
    assert str(adapter.validate_python(lowest)) == lowest
    assert str(adapter.validate_python(highest)) == highest
    for value in (below, above):
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


@pytest.mark.parametrize("value", [True, 1.5, "1.5", "1_0", "", "x", None, float("inf"), float("nan")])
def test_a_count_is_a_whole_number(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[int](Count).validate_python(value)


def test_a_count_is_taken_from_a_text_or_a_whole_float_too() -> None:
    adapter = TypeAdapter[int](Count)
    assert [adapter.validate_python(value) for value in (" 12 ", 12.0, 12)] == [12, 12, 12]
    assert adapter.json_schema() == {"type": "integer", "minimum": 0, "maximum": 2_147_483_647}


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "EUR", "1.01"),
        ("-1.005", "EUR", "-1.01"),
        ("2.5", "JPY", "3"),
        ("1", "KWD", "1.000"),
        ("-0.001", "EUR", "0.00"),
    ],
)
def test_amounts_are_rounded_to_their_currency_halves_away_from_zero(amount: str, currency: str, rounded: str) -> None:
    assert str(quantise(Decimal(amount), currency)) == rounded


def test_rounding_never_makes_an_amount_too_long() -> None:
    with pytest.raises(ValueError, match="15 digits"):
        quantise(Decimal("999999999999999.999"), "EUR")


def test_currencies_are_those_in_use() -> None:
    adapter = TypeAdapter[str](Currency)
    assert adapter.validate_python(" eur ") == "EUR"
    assert {"EUR", "USD", "MXN", "COP", "ARS", "GBP", "CHF", "JPY", "KWD"} <= currencies()
    for code in ("ESP", "ITL", "XXX", "EURO", "", "ıtl", 978):
        with pytest.raises(ValidationError):
            adapter.validate_python(code)


def test_an_instant_is_kept_and_written_in_utc() -> None:
    instant = INSTANT.validate_python("2026-01-31T09:30:00+02:00")
    assert instant == datetime(2026, 1, 31, 7, 30, tzinfo=UTC)
    assert INSTANT.dump_json(instant) == b'"2026-01-31T07:30:00Z"'


@pytest.mark.parametrize(
    "value",
    [
        *("2026-01-31T09:30:00", "2026-01-31", "1700000000", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
        *("1900-01-01T00:00:00+14:00", "2201-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "٢٠٢٦-01-31T09:30:00Z", ""),
        *(
            0,
            1.7e9,
            True,
            None,
            date(2026, 1, 31),
            datetime.fromisoformat("2026-01-31T09:30"),
            datetime.max.replace(tzinfo=UTC),
        ),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)


def test_a_day_is_written_as_it_came() -> None:
    assert DAY.dump_json(DAY.validate_python("2026-02-28")) == b'"2026-02-28"'
    assert DAY.validate_python(date(2200, 12, 31)) == date(2200, 12, 31)


@pytest.mark.parametrize(
    "value",
    [
        *("2026-02-29", "2026-2-1", "20260201", "2026-02-01T00:00:00Z", "0", "", "1899-12-31", "2201-01-01"),
        *("٢٠٢٦-01-31", 0, 20000, 1.5, True, None, datetime(2026, 1, 31, tzinfo=UTC)),
    ],
)
def test_what_is_no_day_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        DAY.validate_python(value)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=())),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}.{0,8})?", fullmatch=True),
    st.binary(),
    st.decimals(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.lists(st.none(), max_size=1),
)


@given(ANYTHING)
def test_anything_at_all_is_accepted_or_refused_but_never_an_accident(value: object) -> None:
    for adapter in ALL:
        try:
            accepted = adapter.validate_python(value)
        except ValidationError:
            continue
        assert adapter.validate_json(adapter.dump_json(accepted)) == accepted


@pytest.mark.parametrize(
    "parts", [(29, 2, None), (29, 2, 2024), (None, None, 1980), (None, 5, None), (31, 12, 2200), (None, None, None)]
)
def test_partial_dates_may_lack_any_part_but_the_month_of_a_day(
    parts: tuple[int | None, int | None, int | None],
) -> None:
    check_partial_date(*parts)


@pytest.mark.parametrize(
    "parts", [(29, 2, 2025), (30, 2, None), (1, None, None), (0, 1, None), (1, 13, None), (None, 0, None)]
)
def test_dates_that_cannot_be_are_refused(parts: tuple[int | None, int | None, int | None]) -> None:
    with pytest.raises(ValueError):
        check_partial_date(*parts)


@pytest.mark.parametrize("parts", [(10**30, 1, 2000), (1, 10**30, None), (1, 1, 10**30), (1, 1, 1899), (-1, 1, 2000)])
def test_absurd_numbers_in_dates_are_refused_too(parts: tuple[int, int, int | None]) -> None:
    with pytest.raises(ValueError):
        check_partial_date(*parts)
