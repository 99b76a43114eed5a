"""What these tests share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def at_full_speed() -> Iterator[None]:
    """Processes of their own are not measured for coverage here: other tests do that, with fewer of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        yield
