"""Is docs/errors.md the table of all codes, no more and no fewer?"""

import re
from pathlib import Path

import pytest

from tests.docs import codes

DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def documented() -> list[tuple[str, str, str, str]]:
    return ROW.findall(DOCUMENT.read_text())


def test_every_code_that_the_product_answers_is_in_the_table_and_no_other() -> None:
    table = {code for code, *_ in documented()}
    answered = codes.in_source().keys() | codes.in_types()
    assert sorted(answered - table) == [], "these codes are answered and not in docs/errors.md"
    assert sorted(table - answered) == [], "these codes are in docs/errors.md and never answered"


def test_the_table_is_in_order_and_names_no_code_twice() -> None:
    names = [code for code, *_ in documented()]
    assert names == sorted(set(names))


def test_every_line_of_the_table_is_read_by_these_tests() -> None:
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    assert len(lines) == len(documented())


@pytest.mark.parametrize(("code", "statuses"), sorted(codes.in_source().items()))
def test_a_code_has_the_status_of_the_error_that_carries_it(code: str, statuses: set[int]) -> None:
    said = next(status for name, status, *_ in documented() if name == code)
    assert statuses <= {int(status) for status in re.findall(r"\d{3}", said)}


def test_codes_are_found_where_they_are_known_to_stand() -> None:
    """What finds the codes would be silent if it broke: one of each way in which the source says a code."""
    found = codes.in_source()
    assert found["stale"] == {412}  # of an error's own class
    assert found["forbidden_move"] == {409}  # given to an error
    assert {"unknown_option", "phone_too_short", "too_many_rows", "unmapped", "ambiguous"} <= found.keys()
    assert {"string_too_long", "uuid_parsing", "literal_error", "greater_than_equal"} <= codes.in_types()
