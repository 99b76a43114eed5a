"""Does everything shipped have its name in all three languages, and hold together?"""

import re
from decimal import Decimal
from itertools import pairwise

import pytest
from pydantic import TypeAdapter

from app.domain.entities.values import PHONE_KINDS, Currency
from app.texts import names
from app.texts.labels import LANGUAGES, label
from app.texts.picklists import PICKLISTS

NAMED = {
    group: getattr(names, group)
    for group in ("PROFILES", "SECTIONS", "ENTITIES", "FIELD_GROUPS", "PHONE_KINDS", "ACTIVITY_KINDS")
}


def test_every_picklist_and_option_has_a_key_of_its_own_and_all_labels() -> None:
    for key, picklist in PICKLISTS.items():
        keys = [option.key for option in picklist.options]
        assert len(keys) == len(set(keys)), key
        for each, texts in [(key, picklist.labels), *((option.key, option.labels) for option in picklist.options)]:
            assert re.fullmatch("[a-z][a-z0-9_]{0,49}", each)
            assert tuple(texts) == LANGUAGES
            assert all(text.strip() == text != "" for text in texts.values()), each


def test_options_of_a_picklist_are_told_apart_in_every_language() -> None:
    for key, picklist in PICKLISTS.items():
        for language in LANGUAGES:
            shown = [label(option.labels, language) for option in picklist.options]
            assert len(shown) == len(set(shown)), (key, language)


def test_only_territory_and_competitor_begin_empty() -> None:
    assert {key for key, picklist in PICKLISTS.items() if not picklist.options} == {"territory", "competitor"}


def test_revenue_bands_follow_one_another_without_gaps() -> None:
    bands = [option.about for option in PICKLISTS["annual_revenue_band"].options]
    assert Decimal(bands[0]["min"]) == 0
    assert bands[-1]["max"] is None
    assert all(lower["max"] == higher["min"] for lower, higher in pairwise(bands))
    assert all(TypeAdapter(Currency).validate_python(band["currency"]) == "EUR" for band in bands)


def test_every_kind_of_activity_but_the_note_has_an_outcome_and_an_objective() -> None:
    for picklist in ("outcome", "objective"):
        covered = {kind for option in PICKLISTS[picklist].options for kind in option.about["activity_kinds"]}
        assert covered == set(names.ACTIVITY_KINDS) - {"note"}


def test_every_outcome_has_its_result() -> None:
    results = {option.key: option.about["result"] for option in PICKLISTS["outcome"].options}
    assert set(results.values()) == {"positive", "neutral", "negative"}


@pytest.mark.parametrize("group", NAMED)
def test_every_name_stands_in_all_languages(group: str) -> None:
    for texts in NAMED[group].values():
        assert tuple(texts) == LANGUAGES
        assert all(texts.values())


def test_every_kind_of_phone_has_a_name() -> None:
    assert set(names.PHONE_KINDS) == set(PHONE_KINDS)


def test_the_pipeline_goes_from_reception_to_won_or_lost() -> None:
    stages = names.OPPORTUNITY_STAGES
    assert [stage.key for stage in stages] == ["reception", "qualification", "proposal", "negotiation", "won", "lost"]
    assert [stage.probability for stage in stages] == [10, 25, 50, 75, 100, 0]
    assert all((stage.expected_days is None) == (stage.kind != "open") for stage in stages)


@pytest.mark.parametrize(
    ("labels", "language", "shown"),
    [
        ({"es": "Hola", "en": "Hello"}, "es", "Hola"),
        ({"es": "Hola", "en": "Hello"}, "es-MX", "Hola"),
        ({"es": "Hola", "en": "Hello"}, "it", "Hello"),
        ({"es": "Hola", "en": ""}, "it", "Hola"),
        ({"it": "", "en": "Hello"}, "it", "Hello"),
        ({}, "es", ""),
    ],
)
def test_a_missing_label_falls_back_to_english(labels: dict[str, str], language: str, shown: str) -> None:
    assert label(labels, language) == shown
