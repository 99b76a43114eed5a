"""Are texts cleaned, folded and searched as promised, whatever is sent?"""

import re
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.domain.entities.values import (
    Line,
    LongText,
    OrNull,
    fold,
    like_escape,
    like_patterns,
    nearest,
    search_text,
    search_words,
)

LINE = TypeAdapter(Line)
LONG_TEXT = TypeAdapter(LongText)
# Hypothesis leaves lone surrogates out of its own account.
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def test_a_line_is_stripped_and_composed() -> None:
    assert LINE.validate_python("\ufeff  Mun\u0303oz \n") == "Muñoz"


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\x7fb", "a\x9fb", "a\ud800b"])
@pytest.mark.parametrize("adapter", [LINE, LONG_TEXT])
def test_control_characters_and_surrogates_are_refused(adapter: TypeAdapter[str], text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        adapter.validate_python(text)
    assert refusal.value.errors(include_input=False)[0]["type"] == "forbidden_characters"


@pytest.mark.parametrize("marks", ["\u0316\u0301", "\u0f73", "\uff9e\u0301"])
def test_more_marks_on_one_letter_than_any_script_has_are_refused_at_once(marks: str) -> None:
    begun = time.process_time()
    with pytest.raises(ValidationError, match="marks on one letter") as refusal:
        LONG_TEXT.validate_python("a" + marks * 20_000)
    assert time.process_time() - begun < 0.05
    assert refusal.value.errors(include_input=False)[0]["type"] == "forbidden_characters"
    several = "a" + marks * (30 // len(marks))
    with pytest.raises(ValidationError, match="marks on one letter"):
        LINE.validate_python(several + marks)
    assert LONG_TEXT.validate_python(f"{several} " * 100).count(" ") == 99


def test_every_mark_counts_also_one_that_is_hidden_in_another_character() -> None:
    marks = [chr(code) for code in range(0x300, 0x110000) if not 0xD800 <= code < 0xE000]
    marks = [char for char in marks if unicodedata.combining(unicodedata.normalize("NFKD", char)[0])]
    assert len(marks) > 900
    for at in range(0, len(marks) - 31, 31):
        with pytest.raises(ValidationError, match="marks on one letter"):
            LINE.validate_python("a" + "".join(marks[at : at + 31]))


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\u2028b", "a\x85b", "a\tb"])
def test_a_line_has_no_newlines_or_tabs_inside(text: str) -> None:
    with pytest.raises(ValidationError, match="single line"):
        LINE.validate_python(text)


def test_a_long_text_keeps_its_lines_with_plain_newlines() -> None:
    assert LONG_TEXT.validate_python("a\r\n\tb\rc\u2028d") == "a\n\tb\nc\nd"


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "x" * 201])
def test_an_empty_or_overlong_line_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(text)


def test_the_length_counts_after_cleaning() -> None:
    assert LINE.validate_python(" " * 50 + "x" * 200) == "x" * 200


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], b"x"])
def test_only_texts_are_texts(value: object) -> None:
    with pytest.raises(ValidationError):
        LINE.validate_python(value if value != b"x" else bytearray(b"\xff"))


def test_an_empty_text_means_nothing_where_the_field_is_optional() -> None:
    optional = TypeAdapter[str | None](OrNull[Line])
    assert [optional.validate_python(value) for value in ("", "  ", None, " a ")] == [None, None, None, "a"]
    assert optional.json_schema()["anyOf"] == [{"type": "string", "minLength": 1, "maxLength": 200}, {"type": "null"}]


@given(ANY_TEXT)
def test_any_text_is_either_a_clean_line_or_refused(text: str) -> None:
    try:
        line = LINE.validate_python(text)
    except ValidationError:
        return
    assert line == line.strip() != ""
    assert len(line.splitlines()) == 1
    assert LINE.validate_python(line) == line
    line.encode()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Muñoz  Hnos.", "munoz hnos."),
        ("STRASSE Straße", "strasse strasse"),
        ("Łódź Søren Đoko Þór Œuvre Ærø", "lodz soren doko thor oeuvre aero"),
        ("İstanbul ışık", "istanbul isik"),
        ("O'Brien O’Brien D´Angelo", "obrien obrien dangelo"),
        ("a–b\u00a0c\tﬁ", "a-b c fi"),
        ("a\x00b\u00adc\ud800", "abc"),
    ],
)
def test_folding_takes_away_accents_case_and_apostrophes(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(ANY_TEXT)
@example("ͅ")
@example("ŉ ʼ ´́")
@example("\x1f")
def test_folding_never_fails_and_twice_is_once(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert "\x00" not in folded
    folded.encode()


def test_a_search_text_joins_what_there_is() -> None:
    assert search_text("Muñoz", None, "", " \t", "HNOS.") == "munoz hnos."


@pytest.mark.parametrize("q", ["munoz", "hnos mun", "Muñoz, Hnos.", "«MUÑOZ» (hnos)"])
def test_a_name_is_found_by_its_words_in_any_order(q: str) -> None:
    text = search_text("Muñoz Hnos.")
    words = search_words(q)
    assert words
    assert all(word in text for word in words)


def test_a_search_has_at_most_eight_words_each_once_and_none_of_punctuation() -> None:
    assert search_words("a A , ... á b") == ["a", "b"]
    assert len(search_words(" ".join(f"w{n}" for n in range(20)))) == 8


def like(pattern: str, text: str) -> bool:
    """What PostgreSQL's LIKE answers."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    meaning = {"%": ".*", "_": "."}
    regex = "".join(meaning.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(regex, text, re.DOTALL) is not None


@pytest.mark.parametrize("word", ["muniz", "munnoz", "hernndez", "xunoz", "munox", "munoz"])
def test_one_wrong_letter_is_forgiven_in_long_words(word: str) -> None:
    assert any(like(pattern, "the munoz hernandez") for pattern in like_patterns(word))


@pytest.mark.parametrize("word", ["muxiz", "hoss", "zonum"])
def test_two_wrong_letters_or_a_short_word_are_not_forgiven(word: str) -> None:
    assert not any(like(pattern, "munoz hnos.") for pattern in like_patterns(word))


def test_a_short_word_has_its_exact_pattern() -> None:
    assert like_patterns("hn%s") == ["%hn\\%s%"]


def test_metacharacters_stand_for_themselves() -> None:
    assert like_escape("50%_a\\b") == "50\\%\\_a\\\\b"
    assert not any(like(pattern, "abcdefgh") for pattern in like_patterns("_____%"))


LETTERS = st.text("abc%_\\", min_size=5, max_size=9)


ASCII = st.characters(codec="ascii", min_codepoint=32).map(lambda char: fold(char) or " ")


@given(LETTERS, st.integers(0, 8), st.sampled_from(["substituted", "missing", "extra"]), ASCII)
def test_every_single_error_inside_a_word_is_forgiven(word: str, at: int, error: str, letter: str) -> None:
    at = min(at, len(word) - 2) + (error == "missing")
    text = {
        "substituted": word[:at] + letter + word[at + 1 :],
        "missing": word[:at] + letter + word[at:],
        "extra": word[:at] + word[at + 1 :],
    }[error]
    assert any(like(pattern, text) for pattern in like_patterns(word))


@given(st.text("abcxyz089", min_size=5, max_size=12))
def test_every_pattern_has_three_letters_to_look_up(word: str) -> None:
    """An index of three letters finds nothing by fewer: everything would be read."""
    assert all(re.search("[a-z0-9]{3}|[a-z0-9]{2}[^a-z0-9_]", pattern[1:-1]) for pattern in like_patterns(word))


@pytest.mark.parametrize(
    ("value", "candidates", "meant"),
    [
        ("technolgy", ["retail", "technology", "telecommunications"], "technology"),
        ("GTXPro", ["GTX Plus Pro", "GTX Pro", "GTX Basic"], "GTX Pro"),
        ("Philipines", ["Palestine", "Philippines"], "Philippines"),
        ("High Value", ["low_value", "high_value"], "high_value"),
        ("Korea", ["South Korea", "North Korea"], None),
        ("zzz", ["retail"], None),
        ("", ["", "a"], None),
        ("--", ["!!"], None),
        ("retail", [], None),
    ],
)
def test_the_nearest_is_what_was_probably_meant(value: str, candidates: list[str], meant: str | None) -> None:
    assert nearest(value, candidates) == meant


def test_what_nobody_meant_takes_no_time() -> None:
    assert nearest("retial", ["retail"]) == "retail"  # with what it imports when it is first asked
    begun = time.process_time()
    assert nearest("a" + "\u0316\u0301" * 20_000, ["retail"]) is None
    assert time.process_time() - begun < 0.05


@given(ANY_TEXT, st.lists(ANY_TEXT))
def test_the_nearest_is_always_a_candidate_or_nothing(value: str, candidates: list[str]) -> None:
    assert nearest(value, candidates) in [None, *candidates]
