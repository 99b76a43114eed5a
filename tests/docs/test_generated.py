"""Do the documents that follow from the code still say what it says?"""

import re

import pytest

from app.domain.entities.targets import EXTERNAL_ID, ID, IMPORTABLE, KEYS
from tests.docs.generate import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_document_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `python -m tests.docs.generate`"


def test_the_guide_to_files_names_what_can_be_loaded_and_by_what_records_are_found() -> None:
    guide = " ".join((DOCS / "how-to/load-files.md").read_text().split())
    assert f"`entity` ({', '.join(IMPORTABLE)})" in guide
    found_by = {EXTERNAL_ID, ID, *(key for name in IMPORTABLE for key in KEYS[name])}
    told = guide.partition("They are found by ")[2].partition(", within")[0]
    assert set(re.findall("`(\\w+)`", told)) - {"by"} == found_by
